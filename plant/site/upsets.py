"""Faults of the plant by name: each changes what the plant is made of, and the physics does the rest.

An upset is a function from the plant's `Rig` to another one. What it leads to, a trip or a wrong reading, is for the
kernel and the controller's rules to find out.
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
class Rig:
    """What a plant is made of at the moment."""

    battery: battery.Parameters
    stage: PowerStage
    batt_cable_ohm: float = 0.0
    connected: bool = True  # the battery
    defects: tuple[Defect, ...] = ()  # of the array
    extra_w: float = 0.0  # beside the load that the site has
    extra_s: float = 0.0
    probe_c: float = math.nan  # what a broken probe has the controller read


UPSETS: dict[str, Callable[..., Rig]] = {}
HIGHEST = {"capacity_lost": 0.95, "resistance_gained": 100.0, "depth": 1.0, "substrings": 1.0}
LARGEST = 1e6  # of any other number: beyond it nothing changes but that floats end
PROBE_MISSING_C = 25.0  # what controllers take for the temperature without a probe


def upset(function: Callable[..., Rig]) -> Callable[..., Rig]:
    """Enter a function among the upsets, under its own name."""
    UPSETS[function.__name__] = function
    return function


def _broken(rig: Rig, defect: Defect) -> Rig:
    return replace(rig, defects=(*rig.defects, defect))


@upset
def string_open(rig: Rig, strings: float = 1, sub_array: float = 0) -> Rig:
    """Strings whose connector has come off."""
    return _broken(rig, Defect("open", int(sub_array), int(strings)))


@upset
def string_shaded(
    rig: Rig, strings: float = 1, sub_array: float = 0, depth: float = 1.0, substrings: float = 1.0
) -> Rig:
    """Strings that lie in shade all day: `depth` of the beam is gone, on a share of their groups of cells."""
    return _broken(rig, Defect("shaded", int(sub_array), int(strings), 1, depth, substrings))


@upset
def string_shorted(rig: Rig, strings: float = 1, sub_array: float = 0, modules: float = 1) -> Rig:
    """Strings in which some modules are bridged."""
    return _broken(rig, Defect("shorted", int(sub_array), int(strings), int(modules)))


@upset
def string_reversed(rig: Rig, strings: float = 1, sub_array: float = 0) -> Rig:
    """Strings connected the wrong way round."""
    return _broken(rig, Defect("reversed", int(sub_array), int(strings)))


@upset
def probe_open(rig: Rig) -> Rig:
    """The battery's temperature probe is torn off: the controller goes on with 25 degC."""
    return replace(rig, probe_c=PROBE_MISSING_C)


@upset
def probe_short(rig: Rig) -> Rig:
    """The probe's wires touch: as with none, the controller goes on with 25 degC."""
    return replace(rig, probe_c=PROBE_MISSING_C)


@upset
def battery_disconnected(rig: Rig) -> Rig:
    """The battery's fuse has blown."""
    return replace(rig, connected=False)


@upset
def battery_aged(rig: Rig, capacity_lost: float = 0.3, resistance_gained: float = 1.0) -> Rig:
    """A battery with less capacity and more resistance."""
    return replace(rig, battery=battery.aged(rig.battery, capacity_lost, resistance_gained))


@upset
def battery_cell_shorted(rig: Rig) -> Rig:
    """One cell has an inner short circuit: the others go on without it; the last one stays as it is."""
    if rig.battery.cells < 2.0:
        return rig
    return replace(rig, battery=battery.one_cell_less(rig.battery))


@upset
def battery_high_resistance(rig: Rig, ohm: float = 0.1) -> Rig:
    """A corroded terminal between battery and controller."""
    return replace(rig, batt_cable_ohm=rig.batt_cable_ohm + ohm)


@upset
def load_short(rig: Rig, ohm: float = 0.02) -> Rig:
    """A short circuit at the load output."""
    return replace(rig, extra_s=rig.extra_s + 1.0 / ohm)


@upset
def load_overload(rig: Rig, power_w: float = 600.0) -> Rig:
    """Something too large is plugged in beside the load."""
    return replace(rig, extra_w=rig.extra_w + power_w)


@upset
def heatsink_blocked(rig: Rig, times: float = 5.0) -> Rig:
    """Dust on the heat sink: its thermal resistance is so many times as large."""
    return replace(rig, stage=rig.stage._replace(heatsink_k_w=min(rig.stage.heatsink_k_w * times, LARGEST)))


@upset
def clock_lost(rig: Rig) -> Rig:
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


def applied(rig: Rig, name: str, given: Mapping[str, Any]) -> Rig:
    """The rig with an upset."""
    return UPSETS[name](rig, **given)
