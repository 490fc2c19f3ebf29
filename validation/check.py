"""One comparison of a computed value with one that somebody else found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A value, what it should be, and how far off it may be.

    Parameters
    ----------
    what : str
        What is compared, in words.
    value, reference, tolerance : float
        In `unit`; the tolerance is absolute.
    unit : str
    source : str
        Where the reference comes from.
    note : str
    """

    what: str
    value: float
    reference: float
    tolerance: float
    unit: str = ""
    source: str = ""
    note: str = ""

    @property
    def passes(self) -> bool:
        """Whether the value is as near as it must be; false for nan."""
        return abs(self.value - self.reference) <= self.tolerance
