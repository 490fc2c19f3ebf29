"""Estimates in words: no figure finer than the years support, or than it takes to tell it from a limit."""

import math
from typing import Final

from tracertwin.sizing.figures.intervals import Estimate

SHARE: Final = "0..1"
MONEY: Final = "money"
MOST_DIGITS: Final = 3  # of any value; one less of a single year
MOST_PLACES: Final = 12  # behind the point, of a value beside its limit
CERTAIN: Final = 1e-9  # half an interval so narrow is rounding


def formatted(estimate: Estimate, unit: str, currency: str = "EUR", limit: float | None = None) -> str:
    """A value with its interval, such as ``5.5 % (4.5 to 6.6)``, ``< 0.05 %``.

    Parameters
    ----------
    estimate : Estimate
    unit : str
        As in `metrics.Metric`: shares are told in per cent.
    currency : str
    limit : float, optional
        What the value is held against, in the metric's own unit.

    Notes
    -----
    Digits end where half the interval's width has its first digit, or its second if that is a 1 or 2; and after three.
    A value that has a limit gets as many as keep it on its side of that, or Yes and No would have the same figure;
    for the same reason it is told where neither it nor the limit can be told apart from nothing.
    """
    value, low, high = (_scaled(number, unit) for number in estimate[:3])
    name = _unit(unit, currency)
    if not math.isfinite(value):
        return "-"
    if value == 0.0 and not estimate.finest and not high > 0.0:
        return f"0{name}"
    if below_finest(estimate) and not (limit is not None and limit < estimate.finest):
        return f"< {_plainly(_scaled(estimate.finest, unit))}{name}"
    if below_finest(estimate):
        low = high = value  # an interval of what can't be told would claim too much
    decimals = _decimals(value, low, high, estimate.years)
    if limit is not None:
        decimals = _decimals_apart(value, _scaled(limit, unit), decimals)
    number = _rounded(value, decimals)
    if high - low <= CERTAIN * abs(value) and "." in number:
        number = number.rstrip("0").rstrip(".")
    text = f"{number}{name}"
    if math.isfinite(low) and _rounded(low, decimals) != _rounded(high, decimals):
        text += f" ({_rounded(low, decimals)} to {_rounded(high, decimals)})"
    return text


def formatted_value(estimate: Estimate, unit: str, currency: str = "EUR", limit: float | None = None) -> str:
    """The value alone, as finely as `formatted` has it: for tables."""
    return formatted(estimate, unit, currency, limit).partition(" (")[0]


def below_finest(estimate: Estimate) -> bool:
    """Whether the value is too small to be told apart from nothing."""
    return estimate.value < estimate.finest


def formatted_years(years: int) -> str:
    """``20 years``."""
    return f"{years} year{'s' * (years != 1)}"


def _scaled(value: float, unit: str) -> float:
    return 100.0 * value if unit == SHARE else value


def _unit(unit: str, currency: str) -> str:
    name = {SHARE: "%"}.get(unit, unit.replace(MONEY, currency))
    return f" {name}" if name else ""


def _decimals(value: float, low: float, high: float, years: int) -> int:
    """Places after the point; negative for tens and hundreds."""
    most = MOST_DIGITS - 1 - _magnitude(value)
    if not math.isfinite(low):
        return most - (years == 1)
    half = 0.5 * (high - low)
    if half <= CERTAIN * abs(value):
        return most
    first = _magnitude(half)
    return min(most, -first + (half / 10.0**first < 3.0))


def _decimals_apart(value: float, limit: float, decimals: int) -> int:
    """At least so many places, and as many more as keep a rounded value above, below or at a limit as it is."""

    def side(number: float) -> int:
        if math.isclose(number, limit, rel_tol=CERTAIN):
            return 0
        return 1 if number > limit else -1

    while side(round(value, decimals)) != side(value) and decimals < MOST_PLACES:
        decimals += 1
    return decimals


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _rounded(value: float, decimals: int) -> str:
    text = f"{round(value, decimals):,.{max(decimals, 0)}f}"
    return text.replace("-0", "0") if not text.strip("-0.,") else text


def _plainly(value: float) -> str:
    return f"{value:,.10f}".rstrip("0").rstrip(".")
