"""Limits that the margins over several seeds would have allowed: a proposal, never written anywhere by itself."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tracertwin.checking.outcome import CaseOutcome, VerdictRow, over_seeds
from tracertwin.scenario.conditions import STATE
from tracertwin.scenario.record import COUNTED, amount
from tracertwin.scenario.vocabulary import UNITS

SPARE: Final = 0.1  # share of the worst margin that is left, for seeds that weren't tried
LIMITS: Final = ("always", "never", "at")  # kinds whose margin is the distance to a number
_LIMIT = re.compile(r"((?:always |never )?[\w.]+ )(<=|>=|<|>)( )(-?\d+\.?\d*)( ?[^\s\d,]*)(,.*|)")
_BY = re.compile(r"(.*?, by )[^,]+(,.*|)")
_WHEN = re.compile(r"(day \d+ )?(\d\d):(\d\d)(?::(\d\d))?")


def proposals(outcomes: Sequence[CaseOutcome]) -> Iterator[str]:
    """A line for each expectation of a scenario that held with every seed and has a margin to give away."""
    if any(outcome.problems for outcome in outcomes):
        return
    for row in over_seeds(outcomes):
        unit = row.worst.unit
        spared = (1.0 - SPARE) * row.worst.margin
        tighter = math.floor(spared) if unit in COUNTED else spared
        if row.held == row.of and row.worst.margin_words and tighter > 0.0 and unit != STATE:
            left = "at least a tenth" if unit in COUNTED else "a tenth"
            new = tightened(row.worst, tighter)
            yield (
                f"{row.worst.line}: {row.expected}: can be tighter by {amount(tighter, unit)} "
                f"(worst of {row.of} seeds {row.worst.margin_words}, seed {row.worst_seed}; {left} is left)"
                f"{f': {new}' if new else ''}"
            )


def tightened(row: VerdictRow, by: float) -> str:
    """The expectation with its limit moved, rounded to the safe side; empty where that is no single number or time."""
    if row.kind in LIMITS and (found := _LIMIT.fullmatch(row.expected)):
        head, operator, space, number, unit, rest = found.groups()
        factor = UNITS.get(row.unit, {}).get(unit.strip(), 1.0)
        is_upper = operator.startswith("<") != head.startswith("never ")
        limit = float(number) + (-by if is_upper else by) / factor
        # A thousandth of what is given away, at most.
        step = 10.0 ** (math.floor(math.log10(by / factor)) - 3)
        limit = (math.ceil if is_upper else math.floor)(limit / step) * step
        return f"{head}{operator}{space}{limit:.6g}{unit}{rest}"
    if row.kind == "by" and (found := _BY.fullmatch(row.expected)) and (when := _WHEN.fullmatch(row.when)):
        day, hours, minutes, seconds = when.groups()
        at_s = 3600 * int(hours) + 60 * int(minutes) + int(seconds or 0) + row.margin - by
        at_min = math.ceil(at_s / 60.0)
        if at_min >= 24 * 60:
            return ""
        return f"{found[1]}{day or ''}{at_min // 60:02}:{at_min % 60:02}{found[2]}"
    return ""
