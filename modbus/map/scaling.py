"""A number as register steps, and back: scale, sign and clamping.

Knows numbers only; which row scales what is in `rows`.

Rounding is half to even (0.125 V at x100 reads 12). A quantity that does not fit its words reads the nearest
number that does: a device clamps, and a wrapped-around 700 V would look healthy at 44.64 V where 655.35 V
looks as wrong as it is. What is not a number at all (NaN, infinity) reads 0, because a reply must go out
whatever the plant did.
"""

import math
from collections.abc import Sequence
from typing import Final

CUT_SLACK: Final = 1e-6  # [counts] 0.29 x 100 is 28.999999999999996 in binary and has to be cut off to 29


def counts(value: float, scale: float, low: int, high: int, truncate: bool = False) -> int:
    """Whole number of register steps for a quantity.

    Parameters
    ----------
    value : float
        Any float, in the row's unit over `scale`.
    scale : float
        Register steps per unit of `value`.
    low, high : int
        Smallest and largest number that fits; the result is clamped to them.
    truncate : bool
        Cut off towards zero in place of rounding half to even.

    Returns
    -------
    int
        0 for NaN and for either infinity.
    """
    steps = value * scale
    if low < steps < high:  # never true for NaN
        return math.trunc(steps + math.copysign(CUT_SLACK, steps)) if truncate else round(steps)
    if not math.isfinite(value):
        return 0
    return low if steps <= low else high


def bounds(words: int, signed: bool) -> tuple[int, int]:
    """Smallest and largest number of steps that so many words hold."""
    bits = 16 * words
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def steps_of(words: Sequence[int], signed: bool) -> int:
    """The number of steps in words, low word first; two's complement if signed."""
    number = sum(word << (16 * place) for place, word in enumerate(words))
    return number - (1 << (16 * len(words))) if number > bounds(len(words), signed)[1] else number


def decimals(scale: float) -> int:
    """Decimal places that show one step of 1 / `scale`."""
    return max(0, math.ceil(math.log10(scale)))
