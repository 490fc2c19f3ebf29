"""What a row of the tables of rules is made of: conditions, how long they must hold, what is left behind."""

from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from plant.controller.charger import Machine


class Effect(IntEnum):
    """What a transition leaves in the unit's memory, beside the state."""

    NOTHING = 0
    DUSK = 1  # a night begins
    DAWN = 2  # the night's length is learned; after `long_night_s` the retries are forgotten
    TRIPS = 3  # retries longer ago than `retries_forgotten_s` are forgotten
    RETRIES = 4  # one more retry
    FORGETS = 5  # the retries are forgotten
    STARTS_1 = 6  # one more start of a charger at the battery
    STARTS_2 = 7


class When(NamedTuple):
    """A quantity compared with a set-point, or with a number where the manual leaves nothing to set."""

    quantity: str
    is_: str  # ">=" or "<"
    level: str | float


class Is(NamedTuple):
    """A machine in a state, one of `charger.FLAGS` that is up, or one of `charger.COUNTS` that stands at a number."""

    what: Machine | str
    value: int = 1


class IsNot(NamedTuple):
    """A machine in any other state, or a flag that is down."""

    what: Machine | str
    value: int = 1


Condition: TypeAlias = When | Is | IsNot


class Rule(NamedTuple):
    """One transition."""

    machine: Machine
    from_: tuple[IntEnum, ...]
    to: IntEnum
    reason: str
    when: tuple[Condition, ...]
    for_: str | float  # how long the conditions must hold: a set-point or seconds
    restarts_charge: bool  # forget the time held at constant voltage
    effect: Effect


AT_ONCE: Final = 0.0


def rule(
    machine: Machine,
    from_: IntEnum | tuple[IntEnum, ...],
    to: IntEnum,
    reason: str,
    *when: Condition,
    for_: str | float = AT_ONCE,
    restarts_charge: bool = False,
    effect: Effect = Effect.NOTHING,
) -> Rule:
    """One row: from a state, or any of several, to another."""
    leaves = from_ if isinstance(from_, tuple) else (from_,)
    return Rule(machine, leaves, to, reason, when, for_, restarts_charge, effect)
