"""What hangs on the battery beside the controller, as a site file has it: an inverter's loads, and chargers.

Knows their keys, and what the kernel takes for them: constants, set-points, hours. How they behave is for
`plant.power.jointnode` and `plant.controller.postsrules`.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from plant.base.clock import DAY_S
from plant.base.records import NotNegative, Positive, Record
from plant.load.day import means_on, offsets_of, power_day
from plant.load.demand import Demand
from plant.load.inverter import Inverter
from plant.load.model import Load
from plant.power.posts import NO_CHARGER, NO_OUTFIT, AnyOutfit, ChargerLine, ChargerOutfit, Outfit

MOST_LOADS, MOST_CHARGERS = 1, 2
BLOCK_V: Final = (10.0, 17.0)  # of a 12 V block: what a charger's voltage may be
# An inverter's, of a 12 V block, unless given [guess; 9.3 to 12.5 V in manuals].
CUT_OFF_V, RESTART_V = 10.8, 12.5
DROOP_V: Final = 0.05  # of a 12 V block: how much below its voltage a charger gives all its current [guess]
MINUTE_S: Final = 60

Share01 = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Delay = Annotated[float, Field(ge=0.0, le=DAY_S)]
Minutes = Annotated[float, Field(ge=0.0, le=1440.0)]


def _hours(given: Any) -> Any:
    """Pairs of hours of the day."""
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f"must be pairs of hours such as [[8, 10.5], [20, 6]], got {given!r}")
    pairs = []
    for pair in given:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(map(_is_hour, pair)):
            raise ValueError(f"each must be two hours from 0 to 24, got {pair!r}")
        if pair[0] == pair[1]:
            raise ValueError(f"must end at another hour than it begins, got {pair!r}")
        pairs.append((float(pair[0]), float(pair[1])))
    return tuple(pairs)


def _is_hour(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 24


class BatteryLoad(Record):
    """Loads at the battery: behind an inverter, or straight on it."""

    inverter: Inverter | None = None
    cut_off_v: Positive | None = None
    cut_off_after_s: Delay = 5.0
    restart_v: Positive | None = None
    restart_after_s: Delay = 300.0
    demand: Load

    @model_validator(mode="after")
    def _power_alone(self) -> "BatteryLoad":
        for _, part in self.demand.parts():
            if part.mix.power != 1.0:
                raise ValueError("demand: mix does not apply here; these loads draw constant power")
        return self

    def voltages(self, blocks: int) -> tuple[float, float]:
        """Where it is cut off and comes back [V]; below any voltage if never.

        Raises
        ------
        ValueError
            If it would come back at once.
        """
        if self.inverter is None and self.cut_off_v is None:
            if self.restart_v is not None:
                raise ValueError("loads: restart_v needs cut_off_v")
            return -math.inf, -math.inf
        low = blocks * CUT_OFF_V if self.cut_off_v is None else self.cut_off_v
        back = blocks * RESTART_V if self.restart_v is None else self.restart_v
        if back <= low:
            raise ValueError(f"loads: restart_v must be above cut_off_v, {low:g}, got {back:g}")
        return low, back


class Charger(Record):
    """A charger at the battery, of a generator, the mains or another source."""

    name: Annotated[str, Field(min_length=1)]
    current_a: Positive
    voltage_v: Positive
    float_v: Positive | None = None  # after absorption_min at voltage_v; never unless given
    absorption_min: Minutes = 120.0
    # All unless given.
    hours: Annotated[tuple[tuple[float, float], ...] | None, BeforeValidator(_hours)] = None
    start_below_v: Positive | None = None
    start_below_soc: Share01 | None = None
    start_after_s: Delay = 60.0
    stop_above_v: Positive | None = None
    stop_above_soc: Share01 | None = None
    stop_after_s: Delay = 60.0
    minimum_run_min: Minutes = 10.0
    # Of the charger, from its source to the battery.
    efficiency: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    fuel_idle_l_h: NotNegative = 0.0  # of the generator: while it runs, and for each kWh that it gives
    fuel_l_kwh: NotNegative = 0.0

    @model_validator(mode="after")
    def _makes_sense(self) -> "Charger":
        if self.float_v is not None and self.float_v > self.voltage_v:
            raise ValueError(f"float_v must be at most voltage_v, {self.voltage_v:g}, got {self.float_v:g}")
        if self.stop_above_v is not None and self.stop_above_v >= self.voltage_v:
            raise ValueError(
                f"stop_above_v must be below voltage_v, {self.voltage_v:g}, got {self.stop_above_v:g}: never reached"
            )
        for unit in ("v", "soc"):
            start, stop = getattr(self, f"start_below_{unit}"), getattr(self, f"stop_above_{unit}")
            if start is not None and stop is not None and stop <= start:
                raise ValueError(
                    f"stop_above_{unit} must be above start_below_{unit}, {start:g}, got {stop:g}"
                )
        starts = self.start_below_v is not None or self.start_below_soc is not None
        stops = self.stop_above_v is not None or self.stop_above_soc is not None
        if starts != stops:
            has, lacks = ("start_below", "stop_above") if starts else ("stop_above", "start_below")
            raise ValueError(f"{has}_v or {has}_soc needs {lacks}_v or {lacks}_soc")
        return self

    def setpoints(self, name: str, blocks: int) -> Iterator[tuple[str, float]]:
        """What its rules compare with, by the names of `SetPoints`."""
        waits = self.start_below_v is not None or self.start_below_soc is not None
        float_v = self.float_v
        yield f"{name}_start_v", _or(self.start_below_v, -math.inf if waits else math.inf)
        yield f"{name}_start_soc", _or(self.start_below_soc, -math.inf)
        yield f"{name}_start_s", self.start_after_s if waits else 0.0
        yield f"{name}_stop_v", _or(self.stop_above_v, math.inf)
        yield f"{name}_stop_soc", _or(self.stop_above_soc, math.inf)
        yield f"{name}_stop_s", self.stop_after_s
        yield f"{name}_least_s", self.minimum_run_min * 60.0 if waits else 0.0
        yield f"{name}_absorbed_v", self.voltage_v - DROOP_V * blocks
        yield f"{name}_absorption_s", math.inf if float_v is None else self.absorption_min * 60.0
        yield f"{name}_again_v", -math.inf if float_v is None else float_v - DROOP_V * blocks

    def outfit(self, blocks: int, works: bool) -> ChargerOutfit:
        """What the kernel takes for constant of it."""
        line = ChargerLine(self.current_a, self.voltage_v, self.current_a / (DROOP_V * blocks))
        fuel_l_wh = self.fuel_l_kwh / self.efficiency / 1000.0
        return ChargerOutfit(line, _or(self.float_v, self.voltage_v), works, self.fuel_idle_l_h, fuel_l_wh)

    def may_run(self, start_utc_s: int, timezone: str) -> np.ndarray:
        """Whether each minute of a solar day is one of its hours, (1440,)."""
        minutes = np.arange(0, DAY_S, MINUTE_S)
        if self.hours is None:
            return np.ones(minutes.size)
        offsets = offsets_of(start_utc_s, timezone)
        hour = (start_utc_s + minutes + np.repeat(offsets, minutes.size // offsets.size)) % DAY_S / 3600.0
        allowed = np.zeros(minutes.size)
        for begin, end in self.hours:
            inside = (begin <= hour) & (hour < end) if begin < end else (begin <= hour) | (hour < end)
            allowed[inside] = 1.0
        return allowed


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


Loads = Annotated[tuple[BatteryLoad, ...], BeforeValidator(lambda given: _at_most(given, MOST_LOADS, "load"))]
Chargers = Annotated[
    tuple[Charger, ...], BeforeValidator(lambda given: _at_most(given, MOST_CHARGERS, "charger"))
]


def _at_most(given: Any, most: int, what: str) -> Any:
    if isinstance(given, list | tuple) and len(given) > most:
        more = "; give several appliances as items of its demand" if what == "load" else ""
        raise ValueError(f"must have at most {most} {what}{'s' * (most > 1)}, got {len(given)}{more}")
    return tuple(given) if isinstance(given, list) else given


def check_connected(loads: tuple[BatteryLoad, ...], chargers: tuple[Charger, ...], blocks: int) -> None:
    """Check that loads and chargers fit a battery of so many 12 V blocks.

    Raises
    ------
    ValueError
    """
    for load in loads:
        load.voltages(blocks)
    names = [charger.name for charger in chargers]
    if len(set(names)) < len(names):
        raise ValueError(f"chargers: {names[0]!r} is given twice; each charger needs its own name")
    low, high = (blocks * volts for volts in BLOCK_V)
    for charger in chargers:
        for key in ("voltage_v", "float_v", "start_below_v", "stop_above_v"):
            volts = getattr(charger, key)
            if volts is not None and not low <= volts <= high:
                raise ValueError(
                    f"chargers: {key} of {charger.name!r} must be {low:g} to {high:g} V, got {volts:g}"
                )


def connected_setpoints(
    loads: tuple[BatteryLoad, ...], chargers: tuple[Charger, ...], blocks: int
) -> dict[str, float]:
    """Set-points of what hangs on a battery of so many 12 V blocks, by the names of `SetPoints`."""
    points: dict[str, float] = {}
    for load in loads:
        points["inverter_cut_off_v"], points["inverter_restart_v"] = load.voltages(blocks)
        points["inverter_cut_off_s"], points["inverter_restart_s"] = (
            load.cut_off_after_s,
            load.restart_after_s,
        )
        if load.inverter is not None:
            points["inverter_surge_share"] = load.inverter.most_w() / load.inverter.rated_w
            points["inverter_surge_s"] = load.inverter.surge_s
    for number, charger in enumerate(chargers, 1):
        points.update(charger.setpoints(f"charger_{number}", blocks))
    return points


def outfit_of(
    loads: tuple[BatteryLoad, ...], chargers: tuple[Charger, ...], blocks: int, failed: tuple[int, ...]
) -> AnyOutfit:
    """What the kernel takes for constant of it; `failed` has the numbers of chargers that don't work."""
    if not (loads or chargers):
        return NO_OUTFIT
    rated_w = loads[0].inverter.rated_w if loads and loads[0].inverter else math.inf
    first, second = (
        chargers[n - 1].outfit(blocks, n not in failed) if n <= len(chargers) else NO_CHARGER for n in (1, 2)
    )
    return Outfit(rated_w, first, second)


def with_connected(
    demand: Demand, loads: tuple[BatteryLoad, ...], chargers: tuple[Charger, ...], seed: int, day: int,
    start_utc_s: int, timezone: str, light_w_m2: np.ndarray, step_s: int,
) -> Demand:  # fmt: skip
    """A day's demand with what is asked for at the battery; other arguments as of `demand_day`."""
    for load in loads:
        asked = power_day(load.demand, seed, day, start_utc_s, timezone, light_w_m2, step_s, at_battery=True)[
            0
        ]
        inverter = load.inverter
        demand = demand._replace(
            inverter_w=asked,
            inverter_served_w=asked if inverter is None else inverter.served_w(asked),
            inverter_drawn_w=asked if inverter is None else inverter.drawn_w(asked),
        )
    steps = DAY_S // step_s
    for number, charger in enumerate(chargers):
        allowed = means_on(charger.may_run(start_utc_s, timezone), steps) >= 0.5
        demand = demand._replace(chargers=demand.chargers + (1 << number) * allowed)
    return demand
