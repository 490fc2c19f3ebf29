"""Faults of the plant by name: each changes what the plant is made of, and the physics does the rest.

An upset is a function from the plant's `Equipment` to another one. What it leads to, a trip or a wrong reading, is for
the kernel and the controller's rules to find out. A docstring, the arguments with their limits and what changes are the
row of the upset in `tracertwin faults` and docs/faults.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final

from plant.array.layout import Defect
from plant.base.grammar import Parameter, Range, arguments, check_keys, look_up, parameters_of
from plant.battery import model as battery
from plant.power.stage import PowerStage


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a plant is made of at the moment."""

    battery: battery.Parameters
    stage: PowerStage
    batt_cable_ohm: float = 0.0
    connected: bool = True  # the battery
    defects: tuple[Defect, ...] = ()  # of the array
    extra_w: float = 0.0  # beside the load that the site has
    extra_a_v: float = 0.0
    probe_broken: bool = False
    probe_c: float = 0.0  # what a broken probe has the controller read
    cell_shorted: bool = False  # beside the cells that the battery's parameters tell of
    light: float = 1.0  # share of the sky's that reaches the ground
    chargers_failed: tuple[int, ...] = ()  # numbers of those at the battery; 1 is the first

    @property
    def overhead(self) -> tuple[tuple[Defect, ...], float]:
        """What is other in the days that `plant.inputs.Supply` brings: the array's defects, the share of the light."""
        return self.defects, self.light


@dataclass(frozen=True, slots=True)
class UpsetKind:
    """An upset of the table."""

    name: str
    act: Callable[..., Equipment]
    meaning: str
    changes: str  # what is other in the plant
    parameters: dict[str, Parameter]


UPSETS: Final[dict[str, UpsetKind]] = {}

Strings = Annotated[int, Range(1, 1000)]
SubArray = Annotated[int, Range(0, 99)]  # 0 is the first
Share = Annotated[float, Range(0.0, 1.0)]
Ohm = Annotated[float, Range(1e-6, 1e6)]  # beyond either nothing changes but that floats end
PROBE_MISSING_C: Final = 25.0  # what controllers take for the temperature without a probe
HEATSINK_MOST_K_W: Final = 1e6  # blocked again and again


def upset(changes: str) -> Callable[[Callable[..., Equipment]], Callable[..., Equipment]]:
    """Enter a function among the upsets, under its own name."""

    def enter(act: Callable[..., Equipment]) -> Callable[..., Equipment]:
        name, meaning = act.__name__, (act.__doc__ or "").partition("\n")[0]
        UPSETS[name] = UpsetKind(name, act, meaning, changes, parameters_of(act))
        return act

    return enter


def _broken(equipment: Equipment, defect: Defect) -> Equipment:
    return replace(equipment, defects=(*equipment.defects, defect))


@upset(
    changes="this share (depth) of all light is taken, direct and diffuse; the site's own sky goes on above it"
)
def cloud(equipment: Equipment, depth: Share = 0.8) -> Equipment:
    """A cloud over the place."""
    return replace(equipment, light=equipment.light * (1.0 - depth))


@upset(changes="this many strings carry no current")
def string_open(equipment: Equipment, strings: Strings = 1, sub_array: SubArray = 0) -> Equipment:
    """Strings whose connector has come off."""
    return _broken(equipment, Defect("open", sub_array, strings))


@upset(changes="a share of the direct light (depth) is lost on a share of their cell groups (substrings)")
def string_shaded(
    equipment: Equipment,
    strings: Strings = 1,
    sub_array: SubArray = 0,
    depth: Share = 1.0,
    substrings: Share = 1.0,
) -> Equipment:
    """Strings that are in shade all day."""
    return _broken(equipment, Defect("shaded", sub_array, strings, 1, depth, substrings))


@upset(changes="each of these strings has this many fewer modules")
def string_shorted(
    equipment: Equipment,
    strings: Strings = 1,
    sub_array: SubArray = 0,
    modules: Annotated[int, Range(1, 1000)] = 1,
) -> Equipment:
    """Strings in which some modules are bridged."""
    return _broken(equipment, Defect("shorted", sub_array, strings, modules))


@upset(changes="this many strings have reversed polarity")
def string_reversed(equipment: Equipment, strings: Strings = 1, sub_array: SubArray = 0) -> Equipment:
    """Strings connected the wrong way round."""
    return _broken(equipment, Defect("reversed", sub_array, strings))


@upset(changes="the controller assumes a battery at 25 degC")
def probe_open(equipment: Equipment) -> Equipment:
    """The battery's temperature probe is torn off."""
    return replace(equipment, probe_broken=True, probe_c=PROBE_MISSING_C)


@upset(changes="the same: the controller treats both alike (guess)")
def probe_short(equipment: Equipment) -> Equipment:
    """The probe's wires touch."""
    return replace(equipment, probe_broken=True, probe_c=PROBE_MISSING_C)


@upset(changes="no current between battery and controller")
def battery_disconnected(equipment: Equipment) -> Equipment:
    """The battery's fuse has blown."""
    return replace(equipment, connected=False)


@upset(changes="shares of the battery at that moment; what was stored in the lost capacity is booked as lost")
def battery_aged(
    equipment: Equipment,
    capacity_lost: Annotated[float, Range(0.0, 0.95)] = 0.3,
    resistance_gained: Annotated[float, Range(0.0, 100.0)] = 1.0,
) -> Equipment:
    """A battery with less capacity and more resistance."""
    return replace(equipment, battery=battery.aged(equipment.battery, capacity_lost, resistance_gained))


@upset(
    changes="one cell fewer; the energy in it is booked as lost; mended, it is empty, and the battery with it"
)
def battery_cell_shorted(equipment: Equipment) -> Equipment:
    """One cell has an internal short circuit; the others work without it. The last cell cannot be shorted."""
    if equipment.battery.cells < 2.0:
        return equipment
    return replace(equipment, battery=battery.one_cell_less(equipment.battery), cell_shorted=True)


@upset(changes="resistance between battery and controller")
def battery_high_resistance(equipment: Equipment, ohm: Ohm = 0.1) -> Equipment:
    """A corroded terminal between battery and controller."""
    return replace(equipment, batt_cable_ohm=equipment.batt_cable_ohm + ohm)


@upset(changes="a charger at the battery gives nothing and burns nothing, the first unless told otherwise")
def charger_fails(equipment: Equipment, charger: Annotated[int, Range(1, 2)] = 1) -> Equipment:
    """The generator does not start, or the mains is out."""
    return replace(equipment, chargers_failed=(*equipment.chargers_failed, charger))


@upset(changes="resistance across the load output")
def load_short(equipment: Equipment, ohm: Ohm = 0.02) -> Equipment:
    """A short circuit at the load output."""
    return replace(equipment, extra_a_v=equipment.extra_a_v + 1.0 / ohm)


@upset(changes="this much additional load")
def load_overload(equipment: Equipment, power_w: Annotated[float, Range(0.0, 1e6)] = 600.0) -> Equipment:
    """An appliance that is too large is plugged in."""
    return replace(equipment, extra_w=equipment.extra_w + power_w)


@upset(changes="thermal resistance of the heat sink, multiplied")
def heatsink_blocked(equipment: Equipment, times: Annotated[float, Range(0.0, 1e6)] = 5.0) -> Equipment:
    """Dust covers the heat sink."""
    k_w = min(equipment.stage.heatsink_k_w * times, HEATSINK_MOST_K_W)
    return replace(equipment, stage=equipment.stage._replace(heatsink_k_w=k_w))


@upset(changes="the controller's clock restarts at 2017-02-14; when the upset ends it is set correctly")
def clock_lost(equipment: Equipment) -> Equipment:
    """The controller's clock has lost its time."""
    return equipment


def check(name: str, values: Mapping[str, float]) -> None:
    """Check that an upset exists, that it knows each key and that each value is within its limits.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    kind = look_up(name, UPSETS, "upset")
    check_keys(name, values, kind.parameters)
    try:
        arguments(kind.parameters, values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def applied(equipment: Equipment, name: str, values: Mapping[str, float]) -> Equipment:
    """The equipment with an upset that `check` has let pass."""
    kind = UPSETS[name]
    return kind.act(equipment, **arguments(kind.parameters, values))
