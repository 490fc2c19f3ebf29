"""What the load asks for in each step of a solar day: the sum of its parts, by how they follow the voltage."""

import math

import numpy as np

from plant.base.clock import DAY_S, STEP_S, utc_offset_s
from plant.load.demand import Demand
from plant.load.model import Load
from plant.load.part import QUARTER_S, LoadDay

AT_BATTERY = 1 << 33  # keys of chance are below


def demand_day(
    load: Load,
    seed: int,
    day: int,
    start_utc_s: int,
    timezone: str,
    light_w_m2: np.ndarray,
    step_s: int = STEP_S,
) -> Demand:
    """Power asked for in each step of a solar day.

    Parameters
    ----------
    load : Load
    seed, day : int
        Chance: the same bits whether or not other days were made.
    start_utc_s : int
        Where the solar day begins.
    timezone : str
        Of the clock people live by; daylight saving moves their habits with it.
    light_w_m2 : (n,) array
        Global horizontal irradiance through the day, twilight included, on any grid that divides it. Lamps and cameras
        switch on this grid, so give 5 s for the same energy at every `step_s`.
    step_s : int
        Length of a step, a divisor of 86400. A longer step holds the mean of the 5 s demand; of lamps see `light_w_m2`.

    Returns
    -------
    Demand
        Arrays of shape (86400 / step_s,); nothing at the battery.
    """
    nothing = np.zeros(DAY_S // step_s)
    power, current, resistance = power_day(load, seed, day, start_utc_s, timezone, light_w_m2, step_s)
    return Demand(power, current, resistance, nothing, nothing, nothing, nothing)


def power_day(
    load: Load,
    seed: int,
    day: int,
    start_utc_s: int,
    timezone: str,
    light_w_m2: np.ndarray,
    step_s: int,
    at_battery: bool = False,
) -> np.ndarray:
    """Power [W] asked for as constant power, current and resistance, (3, 86400 / step_s); arguments of `demand_day`.

    Loads `at_battery` have a chance of their own, whatever their names.
    """
    steps = DAY_S // step_s
    around = LoadDay(seed, 0, day, start_utc_s, offsets_of(start_utc_s, timezone), light_w_m2)
    demand = np.zeros((3, steps))
    for key, part in load.parts():
        part_key = key + AT_BATTERY if at_battery else key
        power_w = means_on(part.demand_w(around._replace(part=part_key), step_s), steps)
        for row, share in enumerate((part.mix.power, part.mix.current, part.mix.resistance)):
            if share > 0.0:
                demand[row] += share * power_w
    return demand if load.scale == 1.0 else load.scale * demand


def offsets_of(start_utc_s: int, timezone: str) -> np.ndarray:
    """Civil time ahead of UTC [s] in each quarter of an hour of a solar day, shape (96,)."""
    first, last = (utc_offset_s(start_utc_s + t, timezone) for t in (0, DAY_S - 1))
    if first == last:
        return np.full(DAY_S // QUARTER_S, first)
    return np.array([utc_offset_s(start_utc_s + t, timezone) for t in range(0, DAY_S, QUARTER_S)])


def means_on(values: np.ndarray, steps: int) -> np.ndarray:
    """Values of equal parts of a day as means over other equal parts; each value holds through its own."""
    if values.size == steps:
        return values
    common = math.lcm(values.size, steps)
    fine = np.repeat(values, common // values.size)
    return fine if common == steps else np.asarray(fine.reshape(steps, -1).mean(axis=1))
