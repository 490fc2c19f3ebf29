"""Moments as users are told of them: in the site's civil time, in which they gave them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def told_local(t_utc_s: float, timezone: str) -> str:
    """``2026-06-21T12:00:00+02:00 Europe/Zurich``: what clocks show there, and how far that is from UTC."""
    return f"{datetime.fromtimestamp(t_utc_s, ZoneInfo(timezone)).isoformat(timespec='seconds')} {timezone}"
