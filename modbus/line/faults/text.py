"""A line fault as users write it: ``drop:0.05``, ``delay:0.1:by=300ms``, ``crc:1:from=12:00:to=13:00``.

Knows names, numbers and times; what a fault does is in `modbus.line.faults.kinds`, when it strikes in
`modbus.line.faults.striking`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from modbus.line.faults.kinds import FAULTS, FaultKind, Parameter
from plant.base.clock import DAY_S, parse_duration_s, parse_local, to_local
from plant.base.problems import did_you_mean

COMMON: Final = ("from", "to", "for", "requests")  # what every fault can be told
FORM: Final = "NAME:PROBABILITY:KEY=VALUE..., as drop:0.05 or delay:0.1:by=300ms"


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault may strike, in local civil time: from the first moment on, no longer at the second.

    Attributes
    ----------
    begin, end : datetime or float, optional
        Moments; or times of every day [s since midnight], of which the second may be on the next day.
    """

    begin: datetime | float | None
    end: datetime | float | None

    def has(self, local: datetime) -> bool:
        """Whether a moment is inside."""
        if isinstance(self.begin, datetime) or isinstance(self.end, datetime):
            return (not isinstance(self.begin, datetime) or self.begin <= local) and (
                not isinstance(self.end, datetime) or local < self.end
            )
        now_s = 3600 * local.hour + 60 * local.minute + local.second
        begin_s, end_s = self.begin or 0.0, DAY_S if self.end is None else self.end
        if begin_s <= end_s:
            return begin_s <= now_s < end_s
        return now_s >= begin_s or now_s < end_s


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with what it was told.

    Attributes
    ----------
    text : str
        As it was written.
    probability : float
        That it strikes at a request, 0..1.
    window : Window, optional
    lasts_s : float
        Plant time that it goes on for once it has struck [s].
    requests : int
        How many in a row it strikes; 1 unless told.
    values : mapping
        Arguments of its function.
    """

    text: str
    row: FaultKind
    probability: float = 1.0
    window: Window | None = None
    lasts_s: float = 0.0
    requests: int = 1
    values: Mapping[str, float] = field(default_factory=dict)

    def may_strike(self, t_utc_s: float, timezone: str) -> bool:
        """Whether the moment is in its window."""
        return self.window is None or self.window.has(to_local(t_utc_s, timezone))


def parse_fault(text: str) -> Fault:
    """The fault that a text names.

    Raises
    ------
    ValueError
        Saying what is wrong with it and what would do.
    """
    # a colon ends a part only where a key follows: those inside of times do not
    head, *told = re.split(r":(?=[A-Za-z_]*=)", text.strip())
    name, colon, share = head.partition(":")
    row = FAULTS.get(name)
    if row is None:
        raise ValueError(
            f"no line fault {name!r}{did_you_mean(name, FAULTS)}; known: {', '.join(FAULTS)} (tracertwin faults)"
        )
    try:
        return _filled(text.strip(), row, _probability(share) if colon else 1.0, _pairs(row, told))
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def _probability(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"the probability must be a number from 0 to 1, got {text!r}; write {FORM}")
    return share


def _pairs(row: FaultKind, told: list[str]) -> dict[str, str]:
    """Keys and values, each key one that the fault knows, and once."""
    known = (*row.parameters, *COMMON)
    pairs: dict[str, str] = {}
    for part in told:
        key, _, value = part.partition("=")
        if key not in known:
            raise ValueError(
                f"{row.name} knows no {key!r}{did_you_mean(key, known)}; it knows {', '.join(known)}"
            )
        if key in pairs:
            raise ValueError(f"{key} is given twice")
        pairs[key] = value
    return pairs


def _filled(text: str, row: FaultKind, probability: float, pairs: dict[str, str]) -> Fault:
    if "for" in pairs and "requests" in pairs:
        raise ValueError("give for= or requests=, not both")
    values = {p.argument: _value(key, p, pairs[key]) for key, p in row.parameters.items() if key in pairs}
    lasts_s, requests = row.lasts_s, 1
    if "for" in pairs:
        lasts_s = parse_duration_s(pairs["for"])
    if "requests" in pairs:
        lasts_s, requests = 0.0, _whole("requests", pairs["requests"], 1, 1_000_000)
    return Fault(text, row, probability, _window(pairs), lasts_s, requests, values)


def _value(key: str, parameter: Parameter, text: str) -> float:
    low, high = parameter.range.low, parameter.range.high
    if parameter.range.kind is int:
        return _whole(key, text, low, high)
    seconds = parse_duration_s(text)
    if not low <= seconds <= high:
        raise ValueError(f"{key} must lie in {low:g}..{high:g} s, got {text!r}")
    return seconds


def _whole(key: str, text: str, low: float, high: float) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
    if not low <= number <= high:
        raise ValueError(f"{key} must be a whole number from {low:.0f} to {high:.0f}, got {text!r}")
    return number


def _window(pairs: dict[str, str]) -> Window | None:
    begin, end = (_moment(key, pairs[key]) if key in pairs else None for key in ("from", "to"))
    if begin is None and end is None:
        return None
    if begin is not None and end is not None:
        if type(begin) is not type(end):
            raise ValueError("give from and to both with their dates, or both without")
        if begin == end or (isinstance(begin, datetime) and begin > end):  # type: ignore[operator]  # alike, see above
            raise ValueError(f"from={pairs['from']} must be before to={pairs['to']}")
    return Window(begin, end)


def _moment(key: str, text: str) -> datetime | float:
    clock = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text)
    try:
        if clock is None:
            return parse_local(text)
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        if (hours, minutes, seconds) == (24, 0, 0) or (hours < 24 and minutes < 60 and seconds < 60):
            return float(3600 * hours + 60 * minutes + seconds)
    except ValueError:
        pass
    raise ValueError(f"{key}={text} is no time; write 12:00 for every day, or 2026-06-21T12:00")


def told(parameter: Parameter, value: Any = None) -> str:
    """A value of an argument, its default unless given, as users write it."""
    given = parameter.default if value is None else value
    if parameter.range.kind is int:
        return f"{given}"
    return f"{1000 * given:g}ms" if given < 1.0 else f"{given:g}s"
