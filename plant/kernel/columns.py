"""The controller's rules as columns of numbers, for compiled code."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from plant.base.problems import did_you_mean
from plant.controller.charger import COUNTS, FLAGS, STATES, Machine, Quantities, SetPoints
from plant.controller.rows import Condition, Is, IsNot, Rule, When

QUANTITIES = len(Quantities._fields)


class Comparison(NamedTuple):
    """What one condition, or half of it, comes down to."""

    subject: int  # a quantity by its place; machines stand behind them
    setpoint: int  # what it is compared with, by its place; -1 for the number below
    number: float  # a machine's state: equal to it; else: at least that
    holds: bool  # what the comparison has to give


class CompiledRules(NamedTuple):
    """`RULES` as arrays. Conditions of rule r are ``first_condition[r] : first_condition[r + 1]``."""

    machine: np.ndarray  # (rules,)
    to: np.ndarray
    dwell: np.ndarray  # place of a set-point; -1 for the seconds of the next column
    dwell_s: np.ndarray
    restarts_charge: np.ndarray
    effect: np.ndarray
    # Rules by machine and state: those that leave state s of machine m are
    # leaving[first_leaving[m, s] : first_leaving[m, s + 1]].
    leaving: np.ndarray
    first_leaving: np.ndarray  # (machines, states + 1)
    first_condition: np.ndarray  # (rules + 1,)
    subject: np.ndarray  # (conditions,) as `Comparison`
    setpoint: np.ndarray
    number: np.ndarray
    holds: np.ndarray


def _index(fields: Sequence[str], name: str) -> int:
    if name not in fields:
        raise ValueError(f"{name}: no such name{did_you_mean(name, fields)}")
    return fields.index(name)


def _level(level: str | float) -> tuple[int, float]:
    """A set-point's place, or a number."""
    return (_index(SetPoints._fields, level), 0.0) if isinstance(level, str) else (-1, float(level))


def _comparisons(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, When):
        if condition.is_ not in {">=", "<"} or condition.quantity in FLAGS + COUNTS:
            raise ValueError(
                f"{condition}: >= and < compare measured quantities; for flags and counts there is Is"
            )
        place = _index(Quantities._fields, condition.quantity)
        yield Comparison(place, *_level(condition.level), condition.is_ == ">=")
    elif isinstance(condition.what, Machine):
        if not isinstance(condition.value, STATES[condition.what]):
            raise ValueError(f"{condition}: not a state of {condition.what.name}")
        yield Comparison(QUANTITIES + condition.what, -1, float(condition.value), isinstance(condition, Is))
    elif condition.what in FLAGS:
        yield Comparison(_index(Quantities._fields, condition.what), -1, 1.0, isinstance(condition, Is))
    else:
        _index(FLAGS + COUNTS, condition.what)
        if isinstance(condition, IsNot):
            raise ValueError(f"{condition}: IsNot is for machines and flags")
        place = _index(Quantities._fields, condition.what)
        yield Comparison(place, -1, float(condition.value), True)
        yield Comparison(place, -1, float(condition.value + 1), False)


def compile_rules(rules: Sequence[Rule]) -> CompiledRules:
    """Look every name up once.

    Raises
    ------
    ValueError
        When a rule names a quantity, a set-point or a state that there isn't.
    """
    # States of machines first: while one of them is another, no set-point of that rule is watched.
    comparisons = [
        sorted((c for when in rule.when for c in _comparisons(when)), key=lambda c: c.subject < QUANTITIES)
        for rule in rules
    ]
    dwells = [_level(rule.for_) for rule in rules]
    states = max(len(of) for of in STATES.values())
    leaving = sorted(
        (states * rule.machine + state, row) for row, rule in enumerate(rules) for state in rule.from_
    )
    subject, setpoint, number, holds = (
        np.array(column) for column in zip(*(c for of_rule in comparisons for c in of_rule), strict=True)
    )
    return CompiledRules(
        machine=np.array([int(rule.machine) for rule in rules]),
        to=np.array([int(rule.to) for rule in rules]),
        dwell=np.array([place for place, _ in dwells]),
        dwell_s=np.array([seconds for _, seconds in dwells]),
        restarts_charge=np.array([int(rule.restarts_charge) for rule in rules]),
        effect=np.array([int(rule.effect) for rule in rules]),
        leaving=np.array([row for _, row in leaving]),
        first_leaving=np.searchsorted(
            np.array([place for place, _ in leaving]),
            states * np.arange(len(Machine))[:, None] + np.arange(states + 1),
        ),
        first_condition=np.cumsum([0, *map(len, comparisons)]),
        subject=subject,
        setpoint=setpoint,
        number=number,
        holds=holds,
    )
