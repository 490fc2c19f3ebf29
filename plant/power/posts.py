"""What hangs on the battery's own posts beside the controller: an inverter, and up to two chargers.

Numbers only: what switches them on and off are rows of `plant.controller.rules`. Most sites have nothing there, which
is a type of its own (`NoOutfit`, `NoPosts`), so that their compiled code is without all of this.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from numba.extending import overload

from plant.base.jit import inline_ir, inline_llvm


class ChargerLine(NamedTuple):
    """A charger as it is at the moment: its current up to a voltage, then as much as keeps the posts there.

    The voltage is held with a small droop, as by a real control loop; it makes the current a function of the voltage.
    """

    i_max_a: float  # 0 while it is off
    v_max_v: float
    droop_a_v: float  # current it takes back for each volt nearer to `v_max_v` [A/V]


class Posts(NamedTuple):
    """What is switched on there."""

    inverter_w: float  # what the inverter draws, at any voltage
    first: ChargerLine
    second: ChargerLine


class NoPosts(NamedTuple):
    """The same where nothing hangs there: nothing is drawn or given."""

    inverter_w: float
    first: ChargerLine
    second: ChargerLine


class AtPosts(NamedTuple):
    """Voltage of the posts, and what flows there at an instant."""

    v_v: float
    i_a: float  # chargers less inverter: positive towards battery and controller
    inverter_w: float
    charger_1_w: float
    charger_2_w: float
    regulating: float  # how many chargers are at their voltage


class ChargerOutfit(NamedTuple):
    """A charger that a site has."""

    line: ChargerLine
    float_v: float  # what it holds once its absorption is over
    works: bool
    fuel_l_h: float  # while it runs
    fuel_l_wh: float  # for each Wh into the battery, beside that


class Outfit(NamedTuple):
    """What a site has at the posts of its battery."""

    rated_w: float  # of the inverter
    first: ChargerOutfit
    second: ChargerOutfit


class NoOutfit(NamedTuple):
    """The same of a site that has nothing there."""

    rated_w: float
    first: ChargerOutfit
    second: ChargerOutfit


class Asked(NamedTuple):
    """What of it is wanted during a step, whatever the machines say."""

    outfit: Outfit | NoOutfit
    demand_w: float  # by the inverter's loads
    served_w: float  # of it, while the inverter is on
    drawn_w: float  # by the inverter then
    first: bool  # whether the chargers may run
    second: bool


F = TypeVar("F", bound=Callable[..., Any])
CHARGER_OFF: Final = ChargerLine(0.0, 0.0, 0.0)
NO_POSTS: Final = NoPosts(0.0, CHARGER_OFF, CHARGER_OFF)
NO_CHARGER: Final = ChargerOutfit(CHARGER_OFF, 0.0, False, 0.0, 0.0)
NO_OUTFIT: Final = NoOutfit(1.0, NO_CHARGER, NO_CHARGER)
NOTHING_ASKED: Final = Asked(NO_OUTFIT, 0.0, 0.0, 0.0, False, False)


AnyPosts: TypeAlias = Posts | NoPosts
AnyOutfit: TypeAlias = Outfit | NoOutfit


def anything(there: AnyPosts | AnyOutfit) -> bool:
    """Whether the site has anything there; in compiled code settled by the type when it is compiled."""
    return isinstance(there, Posts | Outfit)


@overload(anything, strict=False, jit_options={"forceinline": True})
def _anything(there: Any) -> Any:
    found = there.instance_class in (Posts, Outfit)
    return lambda there: found


def by_posts(elsewhere: F) -> Callable[[Callable[..., Any]], F]:
    """A kernel of which compiled code has one side only, settled by the type of its last argument.

    Parameters
    ----------
    elsewhere : callable
        The same, where nothing hangs at the posts or belongs to the outfit that the last argument is.
    """

    def decorated(at_posts: Callable[..., Any]) -> F:
        def chosen(*arguments: Any) -> Any:
            return (at_posts if anything(arguments[-1]) else elsewhere)(*arguments)

        # Not inline="always": numba drops code as dead after that, and takes writes into a record's row for such.
        @overload(chosen, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
        def _chosen(*types: Any) -> Any:
            return at_posts if types[-1].instance_class in (Posts, Outfit) else elsewhere

        return cast(F, chosen)

    return decorated


def _nothing_to_switch(outfit: AnyOutfit) -> AnyPosts:
    return NO_POSTS


@by_posts(elsewhere=_nothing_to_switch)
def all_off(outfit: AnyOutfit) -> AnyPosts:
    """An outfit of which nothing is switched on."""
    return Posts(0.0, CHARGER_OFF, CHARGER_OFF)


@inline_ir
def nothing_there(v_v: float) -> AtPosts:
    """Posts on which nothing hangs."""
    return AtPosts(v_v, 0.0, 0.0, 0.0, 0.0, 0.0)


@inline_llvm
def charger_current_a(v_v: float, line: ChargerLine) -> tuple[float, float]:
    """Current [A] of a charger with the posts at a voltage, and its slope [A/V]."""
    wanted = (line.v_max_v - v_v) * line.droop_a_v
    if wanted >= line.i_max_a:
        return line.i_max_a, 0.0
    if wanted <= 0.0:
        return 0.0, 0.0
    return wanted, -line.droop_a_v


@inline_llvm
def posts_current_a(v_v: float, posts: AnyPosts) -> tuple[float, float]:
    """Chargers less inverter [A] with the posts at a voltage, and the slope of that [A/V]."""
    first, first_slope = charger_current_a(v_v, posts.first)
    second, second_slope = charger_current_a(v_v, posts.second)
    drawn = posts.inverter_w / v_v
    return first + second - drawn, first_slope + second_slope + drawn / v_v


@inline_llvm
def at_posts(v_v: float, i_a: float, posts: AnyPosts) -> AtPosts:
    """What flows with the posts at a voltage above 0 and `i_a` from them; the inverter draws its power or nothing."""
    first, first_slope = charger_current_a(v_v, posts.first)
    second, second_slope = charger_current_a(v_v, posts.second)
    regulating = (1.0 if first_slope < 0.0 else 0.0) + (1.0 if second_slope < 0.0 else 0.0)
    inverter_w = posts.inverter_w if (first + second - i_a) * v_v > 0.5 * posts.inverter_w else 0.0
    left = i_a + inverter_w / v_v - first - second  # rounding of `v_v`, which a steep line makes much of
    if first_slope < 0.0:
        first += left
    elif second_slope < 0.0:
        second += left
    return AtPosts(v_v, i_a, inverter_w, v_v * first, v_v * second, regulating)
