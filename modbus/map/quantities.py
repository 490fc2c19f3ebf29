"""What a register row may name: the fields of a snapshot, and the few flags that follow from them.

It knows the plant's snapshot and nothing of addresses, scales or words. A quantity belongs here only when a
Tracer shows something that is not a physical quantity of the plant; everything else is a `Snapshot` field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from plant.controller.charger import LoadOutput, Stage
from plant.kernel.snapshot import Snapshot

Read = Callable[[Snapshot], float]
# Shares of the rating from which a load is moderate, rated, too much. Guess: no document says where light ends and
# rated begins; trips begin at 1.02 (MAN_XTRA).
LOAD_LEVELS: Final = (0.3, 0.7, 1.02)


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity that follows from others of the same snapshot."""

    name: str
    meaning: str
    read: Read


def _producing(s: Snapshot) -> float:
    # What shows as 0.01 A: the flag and the register beside it agree. Without a current 0x0005 was recorded, and 0x000B
    # while production waits after a trip (AN20); nobody has seen 0x0009.
    return float(s.i_chg_a >= 0.01 - 1e-9 or s.stage in (Stage.BULK, Stage.BOOST, Stage.EQUALIZE))


def _charging_by_day(s: Snapshot) -> float:
    return float(s.stage != 0 and s.night == 0)


def _net_a(s: Snapshot) -> float:
    # What an inverter draws at the battery, and a charger gives it there, doesn't pass through the controller.
    return s.i_batt_a + s.i_inverter_a - s.i_charger_1_a - s.i_charger_2_a


def _load_level(s: Snapshot) -> float:
    if s.load_state == LoadOutput.OVERLOAD:
        return len(LOAD_LEVELS)
    return float(sum(s.load_share >= level for level in LOAD_LEVELS))


DERIVED: Final = (
    Derived(
        "producing",
        "1 while the charge current, in steps of 0.01 A, is not 0; in bulk, boost and equalize without one, too",
        _producing,
    ),
    Derived("i_net_a", "charge current less load current and own consumption", _net_a),
    Derived("charging_by_day", "1 while it is day and a charge stage is active", _charging_by_day),
    Derived(
        "load_level",
        "share of the load rating: 0 light, 1 from 30 %, 2 from 70 %, 3 from 102 % and after an overload trip",
        _load_level,
    ),
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
