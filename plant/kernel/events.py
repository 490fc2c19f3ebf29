"""The log of transitions in words."""

from dataclasses import dataclass

from plant.controller.charger import STATES, Machine
from plant.controller.rules import RULES
from plant.kernel.books import FORGOTTEN, Books, transitions


@dataclass(frozen=True, slots=True)
class Event:
    """A transition of one of the controller's machines."""

    t_utc_s: float
    machine: Machine
    from_: str
    to: str
    reason: str


def events_in(books: Books) -> list[Event]:
    """Transitions that the log still holds, oldest first."""
    events = []
    for t_utc_s, row, from_state in transitions(books).tolist():
        if row == FORGOTTEN:
            continue
        rule = RULES[row]
        left = STATES[rule.machine](from_state)
        events.append(Event(t_utc_s, rule.machine, left.name, rule.to.name, rule.reason))
    return events
