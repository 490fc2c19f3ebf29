"""Limits that the margins over several seeds would have allowed: a proposal, never written anywhere by itself."""

from collections.abc import Iterator, Sequence
from typing import Final

from tracertwin.checking.outcome import CaseOutcome, over_seeds
from tracertwin.scenario.record import amount

SPARE: Final = 0.1  # share of the worst margin that is left, for seeds that weren't tried


def proposals(outcomes: Sequence[CaseOutcome]) -> Iterator[str]:
    """A line for each expectation of a scenario that held with every seed and has a margin to give away."""
    for row in over_seeds(outcomes):
        margin = row.worst.margin
        if row.held == row.of and row.worst.margin_words and margin > 0.0:
            by = amount((1.0 - SPARE) * margin, row.worst.unit)
            yield (
                f"{row.worst.line}: {row.expected}: can be tighter by {by} "
                f"(worst of {row.of} seeds {row.worst.margin_words}, seed {row.worst_seed}; a tenth is left)"
            )
