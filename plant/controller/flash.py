"""What the controller keeps without power: its settings, its clock, and when equalizing was last due."""

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from plant.base.clock import on_grid_s, utc_offset_s
from plant.controller.clock import POWER_UP_S, ROUNDING_S, DeviceClock, equalize_due, periods_begun
from plant.controller.midnights import Midnights, midnights_at
from plant.controller.settings import Settings


@dataclass(frozen=True, slots=True)
class Flash:
    """The controller's flash and clock.

    Parameters
    ----------
    settings : Settings
        As a client left them. The length of nights that the controller has learned since is in the kernel's books.
    clock : DeviceClock
    days_since_equalize : int
        Midnights of that clock since equalizing last fell due.
    """

    settings: Settings
    clock: DeviceClock
    days_since_equalize: int = 0

    def with_settings(self, settings: Settings) -> "Flash":
        """The same with other settings."""
        return replace(self, settings=settings)

    def with_clock_set(self, t_utc_s: float, shows_s: float | None) -> "Flash":
        """The same with the clock set at a moment: to `shows_s` (local civil time [s]), or right."""
        return replace(self, clock=self.clock.set_to(t_utc_s, shows_s))

    def after_power_cycle(self, t_utc_s: float, clock_survives: bool) -> "Flash":
        """The same after power was away: the load as its state at power-up says, test mode over, the clock new."""
        old = self.settings
        settings = old._replace(load_on=old.load_at_power_up, load_test=0, load_forced=0)
        clock = self.clock if clock_survives else self.clock.set_to(t_utc_s, POWER_UP_S)
        return replace(self, settings=settings, clock=clock)

    def after_midnight(self, before: date, today: date) -> tuple["Flash", bool]:
        """The same once the clock shows another day, which may lie back; and whether equalizing falls due with it."""
        days, due = _days_after_midnight(
            self.settings.equalize_cycle_d, self.days_since_equalize, before, today
        )
        return replace(self, days_since_equalize=days), due

    def through(self, t_utc_s: int, end_s: int, step_s: int) -> tuple["Flash", Midnights]:
        """The same at a later moment of the plant's grid, and the midnights of its clock on the way there.

        Its offset from UTC must not change before `end_s`.
        """
        days, midnights = _through(
            self.clock, self.settings.equalize_cycle_d, self.days_since_equalize, t_utc_s, end_s, step_s
        )
        return replace(self, days_since_equalize=days), midnights

    def steady_until_s(self, t_utc_s: int, end_s: int, step_s: int, zone: str) -> int:
        """A moment [s UTC] at most `end_s` up to which the clock's offset from UTC stays that of `t_utc_s`."""
        stop_s = end_s
        if self.clock.follows_dst:
            # It changes on a whole hour: up to the day of it in one go, then hour by hour.
            for nearer_s in (self.next_midnight_s(t_utc_s, step_s), t_utc_s // 3600 * 3600 + 3600):
                if utc_offset_s(stop_s - 1, zone) != utc_offset_s(t_utc_s, zone):
                    stop_s = min(stop_s, nearer_s)
        return stop_s

    def next_midnight_s(self, t_utc_s: int, step_s: int) -> int:
        """Grid point from which on the clock shows the day after that of a moment [s UTC]."""
        return _next_midnight_s(self.clock, t_utc_s, step_s)


def _days_after_midnight(equalize_cycle_d: int, days: int, before: date, today: date) -> tuple[int, bool]:
    """Days since equalizing fell due once the clock shows another day, and whether it falls due with it."""
    days += max(0, (today - before).days)
    due = equalize_due(equalize_cycle_d, today, days)
    return 0 if due else days, due


def _next_midnight_s(clock: DeviceClock, t_utc_s: int, step_s: int) -> int:
    return on_grid_s(math.ceil(clock.next_midnight_s(t_utc_s) - ROUNDING_S), step_s)


@lru_cache(maxsize=64)  # plants of a sweep go through the same midnights, whatever else is set
def _through(
    clock: DeviceClock, equalize_cycle_d: int, days: int, t_utc_s: int, end_s: int, step_s: int
) -> tuple[int, Midnights]:
    """Days since equalizing fell due at the end, and the midnights on the way."""
    rows, midnight_s = [], _next_midnight_s(clock, t_utc_s, step_s)
    while midnight_s <= end_s:
        today = clock.shows_date(midnight_s)
        yesterday = today - timedelta(days=1)
        days, equalizes = _days_after_midnight(equalize_cycle_d, days, yesterday, today)
        rows.append(((midnight_s - t_utc_s) // step_s, periods_begun(yesterday, today), equalizes))
        midnight_s = _next_midnight_s(clock, midnight_s, step_s)
    return days, midnights_at(rows)
