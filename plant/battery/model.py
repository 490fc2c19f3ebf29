"""The battery as the rest of the plant sees it, whatever its chemistry.

A chemistry is a module (`leadacid`, `lithium`) with the functions below, a record of parameters and a record of state.
Which module answers is settled by the type of the parameters: in compiled code at compile time, so a chemistry
that a site doesn't use costs it nothing.
"""

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

from numba.extending import overload

from plant.battery import acid, leadacid, lithium
from plant.battery.cell import Losses, Source

Parameters: TypeAlias = acid.LeadAcid | lithium.Lithium
State: TypeAlias = acid.LeadAcidState | lithium.LithiumState

AtTemperature: TypeAlias = acid.LeadAcidAtTemperature | lithium.LithiumAtTemperature
Inner: TypeAlias = leadacid.LeadAcidInner | lithium.LithiumInner

CHEMISTRIES: dict[type, ModuleType] = {
    acid.LeadAcid: leadacid,
    acid.LeadAcidAtTemperature: leadacid,
    lithium.Lithium: lithium,
    lithium.LithiumAtTemperature: lithium,
}
F = TypeVar("F", bound=Callable[..., Any])


def of_chemistry(plain: F) -> F:
    """Let compiled code call the function of that name in the module that the last argument's type belongs to."""

    @overload(plain, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
    def choose(*types: Any) -> Any:
        return getattr(CHEMISTRIES[types[-1].instance_class], plain.__name__).py_func

    return plain


@of_chemistry
def at_temperature(t_c: float, p: Any) -> Any:
    """What the parameters come to at a temperature [degC]; good for all instants within some hundredths of a kelvin."""
    return CHEMISTRIES[type(p)].at_temperature(t_c, p)


@of_chemistry
def inner(x: Any, w: Any) -> Any:
    """What goes on inside at an instant, whatever the terminals do."""
    return CHEMISTRIES[type(w)].inner(x, w)


@of_chemistry
def rates_of(inside: Any, x: Any, i_a: float, t_room_c: float, w: Any) -> tuple[Any, Losses]:
    """`rates` at an instant whose `inner` is known."""
    return CHEMISTRIES[type(w)].rates_of(inside, x, i_a, t_room_c, w)  # type: ignore[no-any-return]


@of_chemistry
def source_at(x: Any, w: Any) -> Source:
    """`source` with at_temperature parameters."""
    return CHEMISTRIES[type(w)].source_at(x, w)  # type: ignore[no-any-return]


@of_chemistry
def step_limit_of(inside: Any, x: Any, i_a: float, w: Any) -> float:
    """`step_limit_s` at an instant whose `inner` is known."""
    return CHEMISTRIES[type(w)].step_limit_of(inside, x, i_a, w)  # type: ignore[no-any-return]


@of_chemistry
def rates(x: Any, i_a: float, t_room_c: float, p: Any) -> tuple[Any, Losses]:
    """Time derivative of the state under a terminal current [A], and the losses of this instant."""
    return CHEMISTRIES[type(p)].rates(x, i_a, t_room_c, p)  # type: ignore[no-any-return]


@of_chemistry
def source(x: Any, p: Any) -> Source:
    """The battery as its terminals see it."""
    return CHEMISTRIES[type(p)].source(x, p)  # type: ignore[no-any-return]


@of_chemistry
def moved(x: Any, h: float, dx: Any, p: Any) -> Any:
    """``x + h dx``."""
    return CHEMISTRIES[type(p)].moved(x, h, dx, p)


@of_chemistry
def no_slope(p: Any) -> Any:
    """A state that doesn't move, as its derivative."""
    return CHEMISTRIES[type(p)].no_slope(p)


@of_chemistry
def possible(x: Any, p: Any) -> bool:
    """Whether a state is one that a battery can be in; false for nan."""
    return CHEMISTRIES[type(p)].possible(x, p)  # type: ignore[no-any-return]


@of_chemistry
def soc(x: Any, p: Any) -> float:
    """True state of charge, 0..1."""
    return CHEMISTRIES[type(p)].soc(x, p)  # type: ignore[no-any-return]


@of_chemistry
def frozen(x: Any, p: Any) -> bool:
    """Whether there is ice in the battery."""
    return CHEMISTRIES[type(p)].frozen(x, p)  # type: ignore[no-any-return]


@of_chemistry
def stored_wh(x: Any, p: Any) -> float:
    """Energy [Wh] in the battery, counted from a state that the chemistry chooses."""
    return CHEMISTRIES[type(p)].stored_wh(x, p)  # type: ignore[no-any-return]


@of_chemistry
def step_limit_s(x: Any, i_a: float, p: Any) -> float:
    """Longest step [s] that a fourth-order explicit method may take from a state at a current."""
    return CHEMISTRIES[type(p)].step_limit_s(x, i_a, p)  # type: ignore[no-any-return]


def rested(soc0: float, t_c: float, p: Any) -> Any:
    """State of a battery that has stood long enough to be at rest."""
    return CHEMISTRIES[type(p)].rested(soc0, t_c, p)


def scaled(p: Any, capacity_ah: float, blocks_in_series: int) -> Any:
    """A block scaled to another capacity, and so many of them in series."""
    return CHEMISTRIES[type(p)].scaled(p, capacity_ah, blocks_in_series)


def carried_over(x: Any, p: Any, other: Any) -> Any:
    """The state after the battery's parameters have changed from `p` to `other`; its energy doesn't grow by it.

    As full as it was, as a rule. A cell that is sound again is empty, and a string gives no more than its worst cell:
    so the battery is empty. Capacity that is there again is empty, too, and the charge what it was. A battery that
    got something back is at rest.
    """
    then = CHEMISTRIES[type(p)].carried_over(x, p, other)
    held_wh, fullest = stored_wh(x, p), soc(x, p)
    if other.cells > p.cells:
        fullest = 0.0
    elif other.full_capacity_ah > p.full_capacity_ah:
        fullest *= p.full_capacity_ah / other.full_capacity_ah
    elif stored_wh(then, other) <= held_wh:
        return then
    return at_rest_within(held_wh, fullest, x.t_c, other)


def at_rest_within(held_wh: float, fullest: float, t_c: float, p: Any) -> Any:
    """A battery at rest that is as full as this if its energy suffices for that, else as it does."""
    # Below empty lithium has a little charge left, and so less energy than at 0.
    low, high = -lithium.FOOT if isinstance(p, lithium.Lithium) else 0.0, fullest
    x = rested(high, t_c, p)
    if stored_wh(x, p) <= held_wh:
        return x
    while high - low > 1e-12:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if stored_wh(rested(middle, t_c, p), p) <= held_wh else (low, middle)
    x = rested(low, t_c, p)
    over = stored_wh(x, p) / held_wh if held_wh > 0.0 else 1.0
    if over > 1.0 and isinstance(x, acid.LeadAcidState):  # all that is left is in its double layer
        x = x._replace(v_node_v=x.v_node_v / math.sqrt(over))
    return x


def aged(p: Any, q_loss: float, r_gain: float) -> Any:
    """A battery that has lost a share of its capacity and gained a share of its resistance."""
    return CHEMISTRIES[type(p)].aged(p, q_loss, r_gain)


def rated_ah(p: Parameters) -> float:
    """What is printed on the battery [Ah]: the 20-hour capacity of lead-acid."""
    return p.c20_ah if isinstance(p, acid.LeadAcid) else p.full_capacity_ah


def one_cell_less(p: Parameters) -> Parameters:
    """A battery with an inner short circuit in one of its cells."""
    return CHEMISTRIES[type(p)].one_cell_less(p)  # type: ignore[no-any-return]
