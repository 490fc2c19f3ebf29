"""The controller's own clock: what it shows, when it is midnight there, and what falls due then.

It is set to local civil time, read as if it were UTC, when a run begins, and goes on by itself: it knows no time zone
and no daylight saving, what somebody has set it to stays, and it may gain or lose. Where a site asks for it, it
follows daylight saving.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from plant.base.clock import DAY_S, utc_offset_s
from plant.base.jit import inline_ir

POWER_UP_S = 1_487_030_400  # what a clock begins with that was without power: 2017-02-14 00:00:00 (A4210)
EQUALIZE_DAY = 28  # of each month, by this clock (MAN_A)
# What 0x9016 holds in units that equalize monthly; other numbers are taken for days (guess), 0 for never.
MONTHLY_CYCLE_D = 30
ROUNDING_S = 1e-6  # a double holds seconds since 1970 to 2e-7


def shown_s(t_utc_s: float, ahead_s: float, set_utc_s: float, gains: float) -> float:
    """What a clock with these `DeviceClock.terms` shows at a moment [s]."""
    return t_utc_s + (ahead_s + gains * (t_utc_s - set_utc_s))


shown_s_compiled = inline_ir(shown_s)


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """A clock that was set at some moment.

    Parameters
    ----------
    timezone : str
        Of the site.
    gains : float
        Seconds a second; negative when it loses.
    set_utc_s : float
        When it was last set.
    shift_s : float
        What it showed ahead of civil time then.
    follows_dst : bool
        Whether it goes forward and back with civil time.
    offset_s : float, optional
        What civil time is taken to have been ahead of UTC then; the zone's own offset unless given.
    """

    timezone: str
    gains: float
    set_utc_s: float
    shift_s: float = 0.0
    follows_dst: bool = False
    offset_s: float | None = None

    def ahead_s(self, t_utc_s: float) -> float:
        """What it would show ahead of UTC if it neither gained nor lost [s]."""
        if self.follows_dst:
            return utc_offset_s(t_utc_s, self.timezone) + self.shift_s
        if self.offset_s is not None:
            return self.offset_s + self.shift_s
        return utc_offset_s(self.set_utc_s, self.timezone) + self.shift_s

    def terms(self, t_utc_s: float) -> tuple[float, float, float]:
        """What `shown_s` makes the time of: `ahead_s` [s], when it was set [s UTC], and `gains` [s/s]."""
        return self.ahead_s(t_utc_s), self.set_utc_s, self.gains

    def shows_s(self, t_utc_s: float) -> float:
        """What it shows at a moment [s]."""
        return shown_s(t_utc_s, *self.terms(t_utc_s))

    def shows_date(self, t_utc_s: float) -> date:
        """The day it shows at a moment."""
        return datetime.fromtimestamp(self.shows_s(t_utc_s) + ROUNDING_S, UTC).date()

    def next_midnight_s(self, t_utc_s: float) -> float:
        """The first moment [s UTC] after a moment at which it shows midnight, if its offset isn't changed before."""
        midnight_s = ((self.shows_s(t_utc_s) + ROUNDING_S) // DAY_S + 1.0) * DAY_S
        since_set_s = (midnight_s - self.set_utc_s - self.ahead_s(t_utc_s)) / (1.0 + self.gains)
        return self.set_utc_s + since_set_s

    def set_to(self, t_utc_s: float, shows_s: float | None) -> "DeviceClock":
        """The clock after somebody has set it: to a time, or right."""
        civil_s = t_utc_s + utc_offset_s(t_utc_s, self.timezone)
        shift_s = 0.0 if shows_s is None else shows_s - civil_s
        return replace(self, set_utc_s=t_utc_s, shift_s=shift_s, offset_s=None)


def periods_begun(before: date, after: date) -> int:
    """How many of day, month and year are other ones: 0 to 3. Also of a clock that was set back."""
    if before.year != after.year:
        return 3
    if before.month != after.month:
        return 2
    return int(before != after)


def equalize_due(cycle_d: int, today: date, days_since: int) -> bool:
    """Whether equalizing falls due with a day, `days_since` the last time it did.

    Notes
    -----
    MAN_A has it on the 28th of each month while 0x9016 reads 30 days. So that number is taken for "monthly".
    """
    if cycle_d == MONTHLY_CYCLE_D:
        return today.day == EQUALIZE_DAY
    return 0 < cycle_d <= days_since
