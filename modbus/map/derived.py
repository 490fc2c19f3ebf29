"""What a register may show of other registers: formulas over whole numbers of steps, as the device computes them.

A Tracer measures few values and works the others out from what it shows of those (0x3106 is the product of 0x3104 and
0x3105 as displayed, cut off). So a formula takes steps and scales, never the plant's quantities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple


class Operand(NamedTuple):
    """A register that another is derived from, as it shows itself."""

    steps: int
    scale: float  # steps per unit


@dataclass(frozen=True, slots=True)
class Formula:
    """How a register follows from others.

    Parameters
    ----------
    operands : int
        How many others.
    meaning : str
        With ``{0}``, ``{1}`` for the addresses of those.
    steps : callable
        Operands and own scale -> own steps, cut off.
    """

    operands: int
    meaning: str
    steps: Callable[[Sequence[Operand], float], int]


def _copy(of: Sequence[Operand], scale: float) -> int:
    (a,) = of
    return int(a.steps * scale // a.scale)


def _product(of: Sequence[Operand], scale: float) -> int:
    a, b = of
    return int(a.steps * b.steps * scale // (a.scale * b.scale))


def _quotient(of: Sequence[Operand], scale: float) -> int:
    a, b = of
    return int(a.steps * b.scale * scale // (b.steps * a.scale)) if b.steps else 0


# Products of two words and a scale are below 2^53, so the floats hold them exactly.
FORMULAS: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        "copy": Formula(1, "{0}", _copy),
        "product": Formula(2, "{0} x {1}", _product),
        "quotient": Formula(2, "{0} / {1}; 0 where that is 0", _quotient),
    }
)
