"""Estimates in words: no figure finer than the years support."""

import math
from typing import Final

from tracertwin.sizing.figures.intervals import Estimate

SHARE: Final = "0..1"
MONEY: Final = "money"
MOST_DIGITS: Final = 3  # of any value; one less of a single year
CERTAIN: Final = 1e-9  # half an interval so narrow is rounding


def formatted(estimate: Estimate, unit: str, currency: str = "EUR") -> str:
    """A value with its interval, such as ``5.5 % (4.5 to 6.6)``, ``< 0.05 %``.

    Parameters
    ----------
    estimate : Estimate
    unit : str
        As in `metrics.Metric`: shares are told in per cent.
    currency : str

    Notes
    -----
    Digits end where half the interval's width has its first digit, or its second if that is a 1 or 2; and after three.
    """
    value, low, high = (_scaled(number, unit) for number in estimate[:3])
    name = _unit(unit, currency)
    if not math.isfinite(value):
        return "-"
    if value == 0.0 and not estimate.finest and not high > 0.0:
        return f"0{name}"
    if below_finest(estimate):
        return f"< {_plainly(_scaled(estimate.finest, unit))}{name}"
    decimals = _decimals(value, low, high, estimate.years)
    number = _rounded(value, decimals)
    if high - low <= CERTAIN * abs(value) and "." in number:
        number = number.rstrip("0").rstrip(".")
    text = f"{number}{name}"
    if math.isfinite(low) and _rounded(low, decimals) != _rounded(high, decimals):
        text += f" ({_rounded(low, decimals)} to {_rounded(high, decimals)})"
    return text


def formatted_value(estimate: Estimate, unit: str, currency: str = "EUR") -> str:
    """The value alone, as finely as `formatted` has it: for tables."""
    return formatted(estimate, unit, currency).partition(" (")[0]


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


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _rounded(value: float, decimals: int) -> str:
    text = f"{round(value, decimals):,.{max(decimals, 0)}f}"
    return text.replace("-0", "0") if not text.strip("-0.,") else text


def _plainly(value: float) -> str:
    return f"{value:,.10f}".rstrip("0").rstrip(".")
