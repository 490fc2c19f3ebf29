"""What the load asks for: power by hour of the civil day, with seeded noise."""

from typing import NamedTuple

import numpy as np

from plant.chance import Stream, generator
from plant.clock import DAY_S, STEP_S, utc_offset_s
from plant.site_load import Load


class Demand(NamedTuple):
    """What is asked for in each step of a day [W at the nominal voltage], by how it answers to the voltage."""

    power_w: np.ndarray
    current_w: np.ndarray
    resistance_w: np.ndarray


def demand_day(load: Load, seed: int, day: int, start_utc_s: int, timezone: str) -> Demand:
    """What is asked for in each step of a solar day, shape (17280,) each.

    Parameters
    ----------
    load : Load
        24 values, each for one hour of civil time; daylight saving moves them with the clocks.
    seed, day : int
        Noise is log-normal, one factor an hour, with mean 1.
    start_utc_s : int
        Where the solar day begins.
    timezone : str
    """
    hours = np.arange(24)
    offsets = np.array([utc_offset_s(start_utc_s + 3600 * int(h), timezone) for h in hours])
    steps = np.arange(0, DAY_S, STEP_S)
    hour = steps // 3600
    civil = ((start_utc_s + steps + offsets[hour]) // 3600 % 24).astype(int)
    sigma = load.noise
    factor = np.exp(sigma * generator(seed, Stream.LOAD, day).standard_normal(24) - 0.5 * sigma * sigma)
    power = np.asarray(np.asarray(load.hourly_w)[civil] * factor[hour])
    nothing = np.zeros_like(power)
    return Demand(power, nothing, nothing)
