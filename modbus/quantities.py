"""What a register row may name: the fields of a snapshot, and the few flags that follow from them.

It knows the plant's snapshot and nothing of addresses, scales or words. A quantity belongs here only when a
Tracer shows something that is no physical quantity of the plant; everything else is a `Snapshot` field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from plant.snapshot import Snapshot

Read = Callable[[Snapshot], float]


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity that follows from others of the same snapshot."""

    name: str
    meaning: str
    read: Read


def _producing(s: Snapshot) -> float:
    return float(s.i_chg_a > 0.005)  # what rounds to 0.01 A: the flag and the register beside it agree


def _charging_by_day(s: Snapshot) -> float:
    return float(s.stage != 0 and s.night == 0)


DERIVED: Final = (
    Derived("producing", "1 while the charge current, in steps of 0.01 A, is not 0", _producing),
    Derived("charging_by_day", "1 while it is day and a charge stage is active", _charging_by_day),
)

NAMES: Final[tuple[str, ...]] = (*Snapshot._fields, *(d.name for d in DERIVED))


def reader(name: str) -> Read:
    """Function that takes a quantity out of a snapshot.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    """
    for derived in DERIVED:
        if derived.name == name:
            return derived.read
    return itemgetter(Snapshot._fields.index(name))
