"""What is judged: samples of a run by name, its beginning and end, and what its client asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from modbus.codec.requests import Request
from tracertwin.scenario.times import Span

Outcome = Literal["reply", "exception", "bad", "silence"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and what its client got.

    Attributes
    ----------
    t_s : float
        When it was sent [s UTC].
    request : Request
    outcome : str
        ``bad`` are bytes that can't be the reply; an exception is an answer.
    mapped : bool
        Whether the map has every register that it names.
    """

    t_s: float
    request: Request
    outcome: Outcome
    mapped: bool = True

    @property
    def addresses(self) -> range:
        """The registers or coils that it names; none for other requests."""
        first = getattr(self.request, "address", 0)
        one = 1 if hasattr(self.request, "address") else 0
        return range(first, first + getattr(self.request, "count", one))

    @property
    def is_write(self) -> bool:
        """Whether it would change something."""
        return self.request.function in (0x05, 0x06, 0x0F, 0x10)


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of text that firmware has printed, and the plant's time then [s UTC]."""

    t_s: float
    text: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run.

    Attributes
    ----------
    t_s : (n,) array
        Moments of the samples [s UTC], ascending; what is seen at one holds until the next.
    columns : mapping
        `Subject.key` -> (n,) array of values.
    span : Span
    asked : tuple of Asked
        In order; empty without a client.
    printed : tuple of PrintedLine
        In order; empty without firmware whose console is seen.
    """

    t_s: np.ndarray
    columns: Mapping[str, np.ndarray]
    span: Span
    asked: tuple[Asked, ...] = ()
    printed: tuple[PrintedLine, ...] = ()
