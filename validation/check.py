"""One published or independently computed number beside ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A value, what it should be, and how far off it may lie."""

    what: str
    value: float
    reference: float
    tolerance: float  # absolute
    unit: str = ""
    source: str = ""
    note: str = ""

    @property
    def passes(self) -> bool:
        """Whether the value lies within the tolerance; never for nan."""
        return abs(self.value - self.reference) <= self.tolerance
