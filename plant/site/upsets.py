"""Faults of the plant by name: each changes what the plant is made of, and the physics does the rest.

An upset is a function from the plant's `Equipment` to another one. What it leads to, a trip or a wrong reading, is for
the kernel and the controller's rules to find out.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plant.array.layout import Defect
from plant.base.problems import did_you_mean
from plant.battery import model as battery
from plant.controller.stage import PowerStage


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a plant is made of at the moment."""

    battery: battery.Parameters
    stage: PowerStage
    batt_cable_ohm: float = 0.0
    connected: bool = True  # the battery
    defects: tuple[Defect, ...] = ()  # of the array
    extra_w: float = 0.0  # beside the load that the site has
    extra_s: float = 0.0
    probe_broken: bool = False
    probe_c: float = 0.0  # what a broken probe has the controller read


UPSETS: dict[str, Callable[..., Equipment]] = {}
HIGHEST = {"capacity_lost": 0.95, "resistance_gained": 100.0, "depth": 1.0, "substrings": 1.0}
LARGEST = 1e6  # of any other number: beyond it nothing changes but that floats end
PROBE_MISSING_C = 25.0  # what controllers take for the temperature without a probe


def upset(function: Callable[..., Equipment]) -> Callable[..., Equipment]:
    """Enter a function among the upsets, under its own name."""
    UPSETS[function.__name__] = function
    return function


def _broken(rig: Equipment, defect: Defect) -> Equipment:
    return replace(rig, defects=(*rig.defects, defect))


@upset
def string_open(rig: Equipment, strings: float = 1, sub_array: float = 0) -> Equipment:
    """Strings whose connector has come off."""
    return _broken(rig, Defect("open", int(sub_array), int(strings)))


@upset
def string_shaded(
    rig: Equipment, strings: float = 1, sub_array: float = 0, depth: float = 1.0, substrings: float = 1.0
) -> Equipment:
    """Strings that lie in shade all day: `depth` of the beam is gone, on a share of their groups of cells."""
    return _broken(rig, Defect("shaded", int(sub_array), int(strings), 1, depth, substrings))


@upset
def string_shorted(rig: Equipment, strings: float = 1, sub_array: float = 0, modules: float = 1) -> Equipment:
    """Strings in which some modules are bridged."""
    return _broken(rig, Defect("shorted", int(sub_array), int(strings), int(modules)))


@upset
def string_reversed(rig: Equipment, strings: float = 1, sub_array: float = 0) -> Equipment:
    """Strings connected the wrong way round."""
    return _broken(rig, Defect("reversed", int(sub_array), int(strings)))


@upset
def probe_open(rig: Equipment) -> Equipment:
    """The battery's temperature probe is torn off: the controller goes on with 25 degC."""
    return replace(rig, probe_broken=True, probe_c=PROBE_MISSING_C)


@upset
def probe_short(rig: Equipment) -> Equipment:
    """The probe's wires touch: as with none, the controller goes on with 25 degC."""
    return replace(rig, probe_broken=True, probe_c=PROBE_MISSING_C)


@upset
def battery_disconnected(rig: Equipment) -> Equipment:
    """The battery's fuse has blown."""
    return replace(rig, connected=False)


@upset
def battery_aged(rig: Equipment, capacity_lost: float = 0.3, resistance_gained: float = 1.0) -> Equipment:
    """A battery with less capacity and more resistance."""
    return replace(rig, battery=battery.aged(rig.battery, capacity_lost, resistance_gained))


@upset
def battery_cell_shorted(rig: Equipment) -> Equipment:
    """One cell has an inner short circuit: the others go on without it; the last one stays as it is."""
    if rig.battery.cells < 2.0:
        return rig
    return replace(rig, battery=battery.one_cell_less(rig.battery))


@upset
def battery_high_resistance(rig: Equipment, ohm: float = 0.1) -> Equipment:
    """A corroded terminal between battery and controller."""
    return replace(rig, batt_cable_ohm=rig.batt_cable_ohm + ohm)


@upset
def load_short(rig: Equipment, ohm: float = 0.02) -> Equipment:
    """A short circuit at the load output."""
    return replace(rig, extra_s=rig.extra_s + 1.0 / ohm)


@upset
def load_overload(rig: Equipment, power_w: float = 600.0) -> Equipment:
    """Something too large is plugged in beside the load."""
    return replace(rig, extra_w=rig.extra_w + power_w)


@upset
def heatsink_blocked(rig: Equipment, times: float = 5.0) -> Equipment:
    """Dust on the heat sink: its thermal resistance is so many times as large."""
    return replace(rig, stage=rig.stage._replace(heatsink_k_w=min(rig.stage.heatsink_k_w * times, LARGEST)))


@upset
def clock_lost(rig: Equipment) -> Equipment:
    """The controller's clock begins again at its first day, see `deviceclock.POWER_UP_S`; mended, it is set right."""
    return rig


def parameters_of(name: str) -> dict[str, float]:
    """What an upset can be told, and what it takes if it isn't."""
    return {key: given.default for key, given in list(inspect.signature(UPSETS[name]).parameters.items())[1:]}


def check(name: str, given: Mapping[str, float]) -> None:
    """That there is such an upset and that it knows what it is told.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if name not in UPSETS:
        raise ValueError(f"no upset {name!r}{did_you_mean(name, UPSETS)}; known: {', '.join(UPSETS)}")
    known = parameters_of(name)
    for key, value in given.items():
        if key not in known:
            told = ", ".join(known) or "nothing"
            raise ValueError(f"{name} knows no {key!r}{did_you_mean(key, known)}; it can be told: {told}")
        if not (math.isfinite(value) and value >= 0.0) or (key == "ohm" and value == 0.0):
            raise ValueError(f"{name}: {key} must be a number above 0, got {value!r}")
        most = HIGHEST.get(key, LARGEST)
        if value > most:
            raise ValueError(f"{name}: {key} must be at most {most:g}, got {value!r}")


def applied(rig: Equipment, name: str, given: Mapping[str, Any]) -> Equipment:
    """The rig with an upset."""
    return UPSETS[name](rig, **given)
