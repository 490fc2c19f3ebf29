"""Moments as people write them, on the clock of a place: one that its clocks leave out is refused. Names of months."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from plant.base.clock import to_utc_s

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def moment_utc_s(moment: datetime, timezone: str) -> int:
    """Seconds of UTC of a naive civil time, down to the plant's grid; of two moments in autumn the first.

    Raises
    ------
    ValueError
        The clocks are put forward over it; says from when to when.
    """
    zone = ZoneInfo(timezone)
    before, after = (_offset(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if after > before:
        change = _change(moment, before, after, zone)
        ends, begins = change + before, change + after
        form = "%H:%M" if ends.date() == begins.date() else "%Y-%m-%dT%H:%M"
        raise ValueError(
            f"there is no {moment:%Y-%m-%dT%H:%M} in {timezone}: clocks are put forward from {ends:{form}} to "
            f"{begins:{form}}; write a time before {ends:{form}}, or {begins:{form}} or later"
        )
    return to_utc_s(moment, timezone)


def _change(moment: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> datetime:
    """When the clocks are changed, naive UTC."""
    low, high = moment - after, moment - before
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if _offset(middle.replace(tzinfo=UTC).astimezone(zone)) == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _offset(aware: datetime) -> timedelta:
    offset = aware.utcoffset()
    assert offset is not None
    return offset
