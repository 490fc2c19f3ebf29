"""Limits that the margins over several seeds would have allowed: a proposal, never written anywhere by itself."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from tracertwin.checking.outcome import CaseOutcome, over_seeds
from tracertwin.scenario.conditions import STATE
from tracertwin.scenario.record import COUNTED, amount

SPARE: Final = 0.1  # share of the worst margin that is left, for seeds that weren't tried


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
            yield (
                f"{row.worst.line}: {row.expected}: can be tighter by {amount(tighter, unit)} "
                f"(worst of {row.of} seeds {row.worst.margin_words}, seed {row.worst_seed}; {left} is left)"
            )
