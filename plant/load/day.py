"""What the load asks for in each step of a solar day: the sum of its parts, by how they follow the voltage."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from plant.base.chance import RandomStream, generator
from plant.base.clock import DAY_S, STEP_S, utc_offset_s
from plant.base.jit import kernel
from plant.load.appliances import list_day
from plant.load.demand import Demand
from plant.load.kinds import (
    Appliances,
    Camera,
    Constant,
    Lighting,
    LightSwitched,
    Load,
    Profile,
    Telecom,
)

QUARTER_S = 900  # civil clocks differ from UTC by whole quarters of an hour


class LoadDay(NamedTuple):
    """A solar day as the loads see it."""

    seed: int
    part: int  # which load: the key of its chance
    number: int  # days since 1970-01-01
    start_utc_s: int
    offset_s: np.ndarray  # (96,) civil clocks ahead of UTC in each quarter of an hour
    light_w_m2: np.ndarray


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
        Length of a step, a divisor of 86400. A longer step holds the mean of the 5 s demand.

    Returns
    -------
    Demand
        Arrays of shape (86400 / step_s,).
    """
    steps = DAY_S // step_s
    around = LoadDay(seed, 0, day, start_utc_s, _offsets(start_utc_s, timezone), light_w_m2)
    demand = np.zeros((3, steps))
    for key, part in load.parts():
        power_w = _on_grid(_KINDS[type(part)](part, around._replace(part=key), step_s), steps)
        for row, share in enumerate((part.mix.power, part.mix.current, part.mix.resistance)):
            if share > 0.0:
                demand[row] += share * power_w
    return Demand(*demand)


def _offsets(start_utc_s: int, timezone: str) -> np.ndarray:
    """Civil time ahead of UTC [s] in each quarter of an hour of a solar day, shape (96,)."""
    first, last = (utc_offset_s(start_utc_s + t, timezone) for t in (0, DAY_S - 1))
    if first == last:
        return np.full(DAY_S // QUARTER_S, first)
    return np.array([utc_offset_s(start_utc_s + t, timezone) for t in range(0, DAY_S, QUARTER_S)])


def _on_grid(values: np.ndarray, steps: int) -> np.ndarray:
    """Values of equal parts of a day as means over other equal parts; each value holds through its own."""
    if values.size == steps:
        return values
    common = math.lcm(values.size, steps)
    fine = np.repeat(values, common // values.size)
    return fine if common == steps else np.asarray(fine.reshape(steps, -1).mean(axis=1))


def _constant(part: Constant, _day: LoadDay, _step_s: int) -> np.ndarray:
    return np.full(1, part.power_w)


def _profile(part: Profile, day: LoadDay, _step_s: int) -> np.ndarray:
    """By quarter of an hour, shape (96,); noise is log-normal, one factor an hour, with mean 1."""
    quarters = np.arange(0, DAY_S, QUARTER_S)
    civil_h = ((day.start_utc_s + quarters + day.offset_s) // 3600).astype(np.int64)
    weekday = (civil_h // 24 + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday
    normal = generator(day.seed, RandomStream.LOAD, day.number, day.part).standard_normal(24)
    factor = np.exp(part.noise * normal - 0.5 * part.noise * part.noise)
    hourly_w = np.array(part.week_w())[weekday, civil_h % 24]
    return np.asarray(hourly_w * np.repeat(factor, 4))


def _appliances(part: Appliances, day: LoadDay, _step_s: int) -> np.ndarray:
    """By minute, shape (1440,): what of each civil day falls into the solar day."""
    minutes = np.arange(0, DAY_S, 60)
    civil_min = ((day.start_utc_s + minutes + np.repeat(day.offset_s, QUARTER_S // 60)) // 60).astype(
        np.int64
    )
    civil_day, minute = np.divmod(civil_min, 1440)
    power_w = np.empty(minutes.size)
    for date in range(int(civil_day[0]), int(civil_day[-1]) + 1):
        here = civil_day == date
        power_w[here] = list_day(part.appliances(), part.number, day.seed, date, day.part)[minute[here]]
    return power_w


def _telecom(part: Telecom, day: LoadDay, step_s: int) -> np.ndarray:
    """By step: bursts begin as a Poisson process; one that begins while another lasts lengthens it at most."""
    rng = generator(day.seed, RandomStream.LOAD, day.number, day.part)
    shortest, longest = part.burst_s
    count = rng.poisson(24.0 * part.bursts_per_hour)
    begin = np.sort(rng.uniform(0.0, DAY_S, count))
    end = np.minimum(np.maximum.accumulate(begin + rng.uniform(shortest, longest, count)), DAY_S)
    begin[1:] = np.maximum(begin[1:], end[:-1])
    sending_s = np.concatenate([[0.0], np.cumsum(end - begin)])
    knots = np.stack([begin, end], axis=1).ravel()
    edges = np.arange(0, DAY_S + step_s, step_s)
    at_edge = np.interp(edges, np.concatenate([[0.0], knots]), np.concatenate([[0.0], _twice(sending_s)]))
    return np.asarray(part.base_w * (1.0 + (part.burst_factor - 1.0) * np.diff(at_edge) / step_s))


def _twice(sending_s: np.ndarray) -> np.ndarray:
    """Time sent until each beginning and each end of a burst."""
    return np.stack([sending_s[:-1], sending_s[1:]], axis=1).ravel()


def _camera(part: Camera, day: LoadDay, _step_s: int) -> np.ndarray:
    """On the grid of the light."""
    return part.day_w + part.infrared_w * is_dark(part, day.light_w_m2)


def _lighting(part: Lighting, day: LoadDay, _step_s: int) -> np.ndarray:
    """On the grid of the light: on while it is dark, and only within the times asked for.

    A night lies on two solar days, and clouds of the other aren't known here. So the dusk before this day and the dawn
    after it are taken to be 24 hours from this day's own.
    """
    dark = is_dark(part, day.light_w_m2)
    if part.after_dusk_h is None and part.before_dawn_h is None:
        return part.power_w * dark
    hours = np.arange(dark.size) * (24.0 / dark.size)
    wanted = np.zeros(dark.size, dtype=np.bool_)
    dusk, dawn = _last(dark & ~_earlier(dark)), _first(~dark & _earlier(dark))
    if part.after_dusk_h is not None and dusk is not None:
        wanted |= (hours - hours[dusk]) % 24.0 < part.after_dusk_h
    if part.before_dawn_h is not None and dawn is not None:
        wanted |= (hours[dawn] - hours - 1e-9) % 24.0 < part.before_dawn_h
    return part.power_w * (dark & wanted)


def is_dark(part: LightSwitched, light_w_m2: np.ndarray) -> np.ndarray:
    """Whether a light sensor says night, shape (n,).

    Night begins when the light has been below ``dark_below_w_m2`` for the delay, day when it has been above
    ``light_above_w_m2`` as long; before the day the light is taken to have been as at its first moment.
    """
    span = max(1, round(part.delay_min * 60.0 * light_w_m2.size / DAY_S))
    return np.asarray(_night(light_w_m2, part.dark_below_w_m2, part.light_above_w_m2, span))


@kernel
def _night(light: np.ndarray, below: float, above: float, span: int) -> np.ndarray:
    night = np.empty(light.size, dtype=np.bool_)
    dark = light[0] < below
    darker, lighter = 0, 0  # steps so far below, and above
    for k in range(light.size):
        darker = darker + 1 if light[k] < below else 0
        lighter = lighter + 1 if light[k] > above else 0
        if darker >= span:
            dark = True
        elif lighter >= span:
            dark = False
        night[k] = dark
    return night


def _earlier(flags: np.ndarray) -> np.ndarray:
    """Each flag one step later; the first stays."""
    return np.concatenate([flags[:1], flags[:-1]])


def _first(flags: np.ndarray) -> int | None:
    found = np.flatnonzero(flags)
    return int(found[0]) if found.size else None


def _last(flags: np.ndarray) -> int | None:
    found = np.flatnonzero(flags)
    return int(found[-1]) if found.size else None


_KINDS: dict[type, Callable[[Any, LoadDay, int], np.ndarray]] = {
    Constant: _constant,
    Profile: _profile,
    Appliances: _appliances,
    Telecom: _telecom,
    Camera: _camera,
    Lighting: _lighting,
}
