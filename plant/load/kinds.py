"""The kinds of load that a site may name, each a record: its keys, their limits, and what it asks for on a day.

A kind is complete with its class here: `plant.load.part` enters it in the table that site files are checked against.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from plant.base.chance import RandomStream, generator
from plant.base.clock import DAY_S
from plant.base.configs import beside
from plant.base.records import NotNegative, listed, series
from plant.load.appliances import list_day
from plant.load.darkness import is_dark
from plant.load.lists import ApplianceList, find_appliances
from plant.load.part import QUARTER_S, LoadDay, Part

Hourly = series(24, ge=0.0)
HourlyNoise = Annotated[float, Field(ge=0.0, le=1.0)]


class Constant(Part):
    """The same power day and night."""

    kind: Literal["constant"]
    power_w: NotNegative

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """One value for the whole day."""
        return np.full(1, self.power_w)


class Profile(Part):
    """Power by hour of the civil day, for every day, for week and weekend, or for each day of the week."""

    kind: Literal["profile"] = "profile"
    hourly_w: Hourly | None = None  # type: ignore[valid-type]
    weekend_w: Hourly | None = None  # type: ignore[valid-type]
    weekly_w: listed(Hourly, exactly=7) | None = None  # type: ignore[valid-type]
    noise: HourlyNoise = 0.0

    @model_validator(mode="after")
    def _one_way_of_giving_hours(self) -> "Profile":
        if (self.hourly_w is None) == (self.weekly_w is None):
            raise ValueError("give either hourly_w (24 numbers) or weekly_w (7 times 24, Monday first)")
        if self.weekend_w is not None and self.hourly_w is None:
            raise ValueError("weekend_w goes with hourly_w, not with weekly_w")
        return self

    def week_w(self) -> tuple[tuple[float, ...], ...]:
        """Power [W] by day of the week, Monday first, and hour."""
        if self.hourly_w is None:
            return tuple(self.weekly_w or ())
        weekend = self.hourly_w if self.weekend_w is None else self.weekend_w
        return (self.hourly_w,) * 5 + (weekend,) * 2

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """By quarter of an hour, shape (96,); noise is log-normal, one factor an hour, with mean 1."""
        quarters = np.arange(0, DAY_S, QUARTER_S)
        civil_h = ((day.start_utc_s + quarters + day.offset_s) // 3600).astype(np.int64)
        weekday = (civil_h // 24 + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday
        normal = generator(day.seed, RandomStream.LOAD, day.number, day.part).standard_normal(24)
        factor = np.exp(self.noise * normal - 0.5 * self.noise * self.noise)
        hourly_w = np.array(self.week_w())[weekday, civil_h % 24]
        return np.asarray(hourly_w * np.repeat(factor, 4))


class Appliances(Part):
    """Households of appliances used by chance."""

    kind: Literal["appliances"]
    model: str
    number: Annotated[int, Field(ge=1, le=100)] = 1

    @field_validator("model")
    @classmethod
    def _known_model(cls, given: str, info: ValidationInfo) -> str:
        name = beside(given, info.context)
        find_appliances(name)
        return name

    def appliances(self) -> ApplianceList:
        """The list of one household."""
        return find_appliances(self.model)

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """By minute, shape (1440,): what of each civil day falls into the solar day."""
        minutes = np.arange(0, DAY_S, 60)
        civil_min = ((day.start_utc_s + minutes + np.repeat(day.offset_s, QUARTER_S // 60)) // 60).astype(
            np.int64
        )
        civil_day, minute = np.divmod(civil_min, 1440)
        power_w = np.empty(minutes.size)
        for date in range(int(civil_day[0]), int(civil_day[-1]) + 1):
            here = civil_day == date
            power_w[here] = list_day(self.appliances(), self.number, day.seed, date, day.part)[minute[here]]
        return power_w


class Telecom(Part):
    """A radio that listens all the time and sends now and then."""

    kind: Literal["telecom"]
    base_w: NotNegative
    bursts_per_hour: Annotated[float, Field(ge=0.0, le=1200.0)] = 12.0
    burst_factor: Annotated[float, Field(ge=1.0, le=100.0)] = 3.0
    burst_s: series(2, gt=0.0, le=600.0) = (2.0, 10.0)  # type: ignore[valid-type]

    @field_validator("burst_s")
    @classmethod
    def _in_order(cls, given: tuple[float, float]) -> tuple[float, float]:
        if given[0] > given[1]:
            raise ValueError(f"must be shortest and longest, got {given[0]:g} and {given[1]:g}")
        return given

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """By step: bursts begin as a Poisson process; one that begins while another lasts lengthens it at most."""
        rng = generator(day.seed, RandomStream.LOAD, day.number, day.part)
        shortest, longest = self.burst_s
        count = rng.poisson(24.0 * self.bursts_per_hour)
        begin = np.sort(rng.uniform(0.0, DAY_S, count))
        end = np.minimum(np.maximum.accumulate(begin + rng.uniform(shortest, longest, count)), DAY_S)
        begin[1:] = np.maximum(begin[1:], end[:-1])
        sending_s = np.concatenate([[0.0], np.cumsum(end - begin)])
        knots = np.stack([begin, end], axis=1).ravel()
        edges = np.arange(0, DAY_S + step_s, step_s)
        at_edge = np.interp(edges, np.concatenate([[0.0], knots]), np.concatenate([[0.0], _twice(sending_s)]))
        return np.asarray(self.base_w * (1.0 + (self.burst_factor - 1.0) * np.diff(at_edge) / step_s))


def _twice(sending_s: np.ndarray) -> np.ndarray:
    """Time sent until each beginning and each end of a burst."""
    return np.stack([sending_s[:-1], sending_s[1:]], axis=1).ravel()


class LightSwitched(Part):
    """What tells night from day by the light: global irradiance below one level, above another, for so long."""

    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)]
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)]
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)]

    @model_validator(mode="after")
    def _levels_in_order(self) -> "LightSwitched":
        if self.light_above_w_m2 < self.dark_below_w_m2:
            raise ValueError(f"light_above_w_m2 must be at least dark_below_w_m2, {self.dark_below_w_m2:g}")
        return self

    def is_dark(self, light_w_m2: np.ndarray) -> np.ndarray:
        """Whether its sensor says night, (n,), on the grid of the light."""
        steps = max(1, round(self.delay_min * 60.0 * light_w_m2.size / DAY_S))
        return np.asarray(is_dark(light_w_m2, self.dark_below_w_m2, self.light_above_w_m2, steps))


class Camera(LightSwitched):
    """A camera whose infrared lamps come on in the dark."""

    kind: Literal["camera"]
    day_w: NotNegative = 6.0
    infrared_w: NotNegative = 4.0
    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.04  # about 5 lx
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.08
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)] = 0.5

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """On the grid of the light."""
        return self.day_w + self.infrared_w * self.is_dark(day.light_w_m2)


class Lighting(LightSwitched):
    """A lamp from dusk to dawn, or only for a time after dusk and a time before dawn."""

    kind: Literal["lighting"]
    power_w: NotNegative
    after_dusk_h: Annotated[float, Field(ge=0.0, le=24.0)] | None = None
    before_dawn_h: Annotated[float, Field(ge=0.0, le=24.0)] | None = None
    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.15  # about 18 lx
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.4  # about 48 lx
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)] = 10.0

    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """On the grid of the light: on while it is dark, and only within the times asked for.

        A night lies on two solar days, and clouds of the other aren't known here. So the dusk before this day and the
        dawn after it are taken to be 24 hours from this day's own.
        """
        dark = self.is_dark(day.light_w_m2)
        if self.after_dusk_h is None and self.before_dawn_h is None:
            return self.power_w * dark
        hours = np.arange(dark.size) * (24.0 / dark.size)
        wanted = np.zeros(dark.size, dtype=np.bool_)
        dusk, dawn = _last(dark & ~_earlier(dark)), _first(~dark & _earlier(dark))
        if self.after_dusk_h is not None and dusk is not None:
            wanted |= (hours - hours[dusk]) % 24.0 < self.after_dusk_h
        if self.before_dawn_h is not None and dawn is not None:
            wanted |= (hours[dawn] - hours - 1e-9) % 24.0 < self.before_dawn_h
        return self.power_w * (dark & wanted)


def _earlier(flags: np.ndarray) -> np.ndarray:
    """Each flag one step later; the first stays."""
    return np.concatenate([flags[:1], flags[:-1]])


def _first(flags: np.ndarray) -> int | None:
    found = np.flatnonzero(flags)
    return int(found[0]) if found.size else None


def _last(flags: np.ndarray) -> int | None:
    found = np.flatnonzero(flags)
    return int(found[-1]) if found.size else None
