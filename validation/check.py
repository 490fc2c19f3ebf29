"""One comparison of the plant with something that nobody here wrote."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A value of ours beside a reference, with the absolute tolerance it must keep."""

    what: str
    value: float
    reference: float
    tolerance: float
    unit: str = ""
    source: str = ""
    note: str = ""

    @property
    def passes(self) -> bool:
        """Whether the value lies within the tolerance; false for nan."""
        return abs(self.value - self.reference) <= self.tolerance
