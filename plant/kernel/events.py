"""The log of transitions in words."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Final

from plant.controller.charger import STATES, Machine
from plant.controller.rules import RULES
from plant.kernel.books import FORGOTTEN, Books, transitions


class WearPart(Enum):
    """A part that wears out, whose replacement is an event beside those of the machines."""

    BATTERY = "battery"


REPLACED: Final = "a new one put in its place"


@dataclass(frozen=True, slots=True)
class Event:
    """A transition of one of the controller's machines, or a part that was replaced."""

    t_utc_s: float
    machine: Machine | WearPart
    from_: str
    to: str
    reason: str


def events_in(
    books: Books, replaced_utc_s: Iterable[float] = (), after_utc_s: float = -math.inf
) -> list[Event]:
    """Transitions later than a moment that the log still holds, and when the battery was replaced, oldest first."""
    events = [
        Event(float(t_utc_s), WearPart.BATTERY, "WORN_OUT", "NEW", REPLACED)
        for t_utc_s in replaced_utc_s
        if t_utc_s > after_utc_s
    ]
    logged = transitions(books)
    for t_utc_s, row, from_state in logged[logged["t_utc_s"] > after_utc_s].tolist():
        if row == FORGOTTEN:
            continue
        rule = RULES[row]
        left = STATES[rule.machine](from_state)
        events.append(Event(t_utc_s, rule.machine, left.name, rule.to.name, rule.reason))
    return sorted(events, key=attrgetter("t_utc_s"))  # stable: those of one instant stay in their order
