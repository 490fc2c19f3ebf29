"""A line fault as users write it: ``drop:0.05``, ``delay:0.1:by=300ms``, ``crc:1:from=12:00:to=13:00``.

The grammar is `plant.base.grammar`'s; here is what every line fault knows beside its own keys: the probability, the
window, how long it goes on. What a fault does is in `modbus.line.faults.kinds`, when it strikes in
`modbus.line.faults.striking`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from modbus.line.faults.kinds import FAULTS, FaultKind
from modbus.line.faults.window import Window, parse_window
from plant.base.clock import parse_duration_s, to_local
from plant.base.grammar import Parameter, Range, check_keys, cut, look_up

COMMON: Final = ("from", "to", "for", "requests", "times")  # what every fault can be told
REQUESTS: Final = Parameter("requests", 1, Range(1, 1_000_000), "whole")
TIMES: Final = Parameter("times", 1, Range(1, 1_000_000), "whole")
FORM: Final = "NAME:PROBABILITY:KEY=VALUE..., e.g. drop:0.05 or delay:0.1:by=300ms"


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
    times : int
        How often it strikes on a line before it is over; 0: for ever.
    values : mapping
        Arguments of its function.
    """

    text: str
    row: FaultKind
    probability: float = 1.0
    window: Window | None = None
    lasts_s: float = 0.0
    requests: int = 1
    times: int = 0
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def how_often(self) -> str:
        """In words, so that nobody loses every reply unawares."""
        share = f"{100.0 * self.probability:g} % of the" if self.probability < 1.0 else "all"
        often = f", at most {self.times} time{'s' * (self.times > 1)}" if self.times else ""
        return f"{share} requests{' in its window' * (self.window is not None)}{often}"

    def may_strike(self, t_utc_s: float, timezone: str) -> bool:
        """Whether the moment is in its window."""
        return self.window is None or self.window.has(to_local(t_utc_s, timezone))

    def is_over(self, t_utc_s: float, timezone: str) -> bool:
        """Whether it may strike no more, since its window has ended."""
        return self.window is not None and self.window.is_over(to_local(t_utc_s, timezone))


def parse_fault(text: str) -> Fault:
    """The fault that a text names.

    Raises
    ------
    ValueError
        Saying what is wrong with it and what would do.
    """
    name, plain, told = cut(text)
    row = look_up(name, FAULTS, "line fault")
    try:
        probability = 1.0 if plain is None else _probability(plain)
        check_keys(name, told, (*row.parameters, *COMMON))
        return _filled(text.strip(), row, probability, told)
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


def _filled(text: str, row: FaultKind, probability: float, told: dict[str, str]) -> Fault:
    if "for" in told and "requests" in told:
        raise ValueError("give for= or requests=, not both")
    values = {p.argument: p.parsed(told[key]) for key, p in row.parameters.items() if key in told}
    lasts_s, requests = row.lasts_s, 1
    if "for" in told:
        lasts_s = parse_duration_s(told["for"])
    if "requests" in told:
        lasts_s, requests = 0.0, int(REQUESTS.parsed(told["requests"]))
    times = int(TIMES.parsed(told["times"])) if "times" in told else 0
    return Fault(text, row, probability, parse_window(told), lasts_s, requests, times, values)
