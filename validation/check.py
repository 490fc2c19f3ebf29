"""One row of evidence: a number of ours beside a number of somebody else's."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A value beside its reference.

    Parameters
    ----------
    what : str
        The quantity, in words that stand alone.
    value : float
        Ours.
    reference : float
        Theirs. A band ``low..high`` is given as its middle, with half its width as tolerance.
    tolerance : float
        Largest absolute difference that will do.
    unit : str
        Of all three numbers.
    source : str
        Where the reference is from.
    note : str
        What else there is to say, e.g. a measured value beside a modelled one.
    """

    what: str
    value: float
    reference: float
    tolerance: float
    unit: str = ""
    source: str = ""
    note: str = ""

    @property
    def error(self) -> float:
        """Value minus reference."""
        return self.value - self.reference

    @property
    def passes(self) -> bool:
        """Whether the value lies within the tolerance; never with a nan or an infinity in the row."""
        numbers = (self.value, self.reference, self.tolerance)
        return all(map(math.isfinite, numbers)) and abs(self.error) <= self.tolerance


class MissingEvidence(Exception):  # noqa: N818 - nothing is wrong: something can't be had here
    """Rows or pictures that this machine can't make, and why; raised inside ``checks()`` or ``figures()``."""
