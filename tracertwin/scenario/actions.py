"""What happens in a scenario: the commands of a running plant, and writes as a client makes them.

A row has its time, ``at`` or ``after``, and one action: a command (``upset``, ``mend``, ``fault``, ``power-cycle``),
the name of an upset with its keys as a mapping (``cloud: {depth: 0.8, lasts: 20min}``), ``write`` or
``write-refused``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from modbus.line.faults.kinds import FAULTS
from modbus.line.faults.text import parse_fault
from plant.base.grammar import check_keys, cut, look_up
from plant.base.problems import did_you_mean, near_or_known, shown
from tracertwin.scenario.conditions import Occurrence
from tracertwin.scenario.judging import KeyProblem
from tracertwin.scenario.keytypes import EVENT, MOMENT, text
from tracertwin.scenario.times import Moment, duration_s
from tracertwin.scenario.vocabulary import Vocabulary

WHEN: Final = ("at", "after")
WRITES: Final = ("write", "write-refused")


@dataclass(frozen=True, slots=True)
class Action:
    """What is done.

    Attributes
    ----------
    name : str
        The command, or one of `WRITES`.
    words : tuple of str
        Of a command one text; of a write assignments, ``NAME=VALUE``.
    """

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """An action and its time, or the event that it follows."""

    at: Moment | Occurrence
    action: Action
    line: int = 0


class ActionKind(NamedTuple):
    """A row of the table: how its text is read, and what it does."""

    read: Callable[[Any, Vocabulary], tuple[str, ...]]
    form: str
    meaning: str


def upset_text(told: str, words: Vocabulary) -> str:
    """An upset as `plant.site.timetable.parse_upset` takes it, looked at without loading the plant.

    Raises
    ------
    ValueError
        Saying what is wrong with it and what would do.
    """
    name, plain, values = cut(told)
    parameters = look_up(name, words.upsets, "upset")
    if plain is not None:
        raise ValueError(f"{plain!r} is not KEY=VALUE; write {name}:KEY=VALUE")
    for key in ("at", "after"):
        if key in values:
            raise ValueError(f"{name}: say {key} beside the upset, not in it")
    check_keys(name, values, (*parameters, "lasts"))
    for key, value in values.items():
        try:
            if key == "lasts":
                duration_s(value)
            else:
                parameters[key].parsed(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return told.strip()


def _upset(given: Any, words: Vocabulary) -> tuple[str, ...]:
    return (upset_text(text(given), words),)


def upset_of(name: str, given: Any, words: Vocabulary) -> tuple[str, ...]:
    """An upset by name, its keys as a mapping."""
    if given in (None, True):
        given = {}
    if not isinstance(given, dict):
        raise ValueError(f"must be a mapping of its keys, or true, got {shown(given)}")
    told = ":".join([name, *(f"{key}={value}" for key, value in given.items())])
    return (upset_text(told, words),)


def _mend(given: Any, words: Vocabulary) -> tuple[str, ...]:
    name, *place = text(given).split() or [""]
    if name != "all":
        look_up(name, words.upsets, "upset")
    if place and (name == "all" or len(place) > 1 or not re.fullmatch(r"[1-9]\d{0,5}", place[0])):
        raise ValueError(f"{given!r}: write NAME, NAME N for the Nth upset of that name, or all")
    return (" ".join([name, *place]),)


def fault_text(given: Any, _: Vocabulary) -> tuple[str, ...]:
    """A line fault, or what ends some."""
    told = "off" if given is False else text(given)  # YAML reads off as a truth value
    head, *rest = told.split() or [""]
    if head != "off":
        parse_fault(told)
    elif rest and rest[0] not in FAULTS:
        raise ValueError(f"unknown line fault {rest[0]!r}{near_or_known(rest[0], FAULTS)}")
    return (told,)


def _power_cycle(given: Any, _: Vocabulary) -> tuple[str, ...]:
    if given is not True:
        raise ValueError(f"must be true, got {shown(given)}")
    return ("",)


def assignments(given: Any, words: Vocabulary) -> tuple[str, ...]:
    """``NAME=VALUE`` of what a client writes: a text, a list of them, or a mapping.

    Raises
    ------
    ValueError
        Naming the first that can't be written.
    """
    if isinstance(given, dict):
        texts = [f"{name}={value}" for name, value in given.items()]
    else:
        texts = [text(one) for one in (given if isinstance(given, list) else [given])]
    for one in texts:
        name, equals, value = (part.strip() for part in one.partition("="))
        if not (name and equals and value):
            raise ValueError(f"{one!r}: write NAME=VALUE, e.g. boost_voltage=14.4V or clock=2026-06-21T12:00")
        if name != "clock":
            words.writable(name)
    return tuple(texts)


ACTIONS: Final[Mapping[str, ActionKind]] = {
    "upset": ActionKind(_upset, "NAME[:KEY=VALUE...]", "break something in the plant, for ever or while it lasts"),
    "mend": ActionKind(
        _mend, "NAME, NAME N or all",
        "repair what upsets of that name broke, or call them off: all of them, or the Nth in the order in which they "
        "were told, `cloud 2`, the site's own first; `all` is everything broken then. What is not broken can't be "
        "mended: the scenario can't go on",
    ),
    "fault": ActionKind(fault_text, "NAME[:PROBABILITY][:KEY=VALUE...], off or off NAME", "set or clear a line fault"),
    "power-cycle": ActionKind(_power_cycle, "true", "cut the controller's power for a moment"),
    "write": ActionKind(
        assignments, "NAME=VALUE, a list of them, or a mapping",
        "write settings, coils or the clock, as a client does: read, write, read back; if it is refused the scenario "
        "can't go on",
    ),
    "write-refused": ActionKind(
        assignments, "NAME=VALUE, a list of them, or a mapping",
        "the same, and the controller has to refuse it: that is an expectation of its own",
    ),
}  # fmt: skip


def parse_step(given: Any, words: Vocabulary, line: int = 0) -> Step:
    """The row of a timeline that a mapping means.

    Raises
    ------
    ExceptionGroup
        Of a `KeyProblem` for everything that is wrong.
    """
    if not isinstance(given, dict):
        raise ExceptionGroup(
            "step", [KeyProblem("", f"must be a mapping of keys to values, got {shown(given)}")]
        )
    problems: list[KeyProblem] = []
    done: list[Action] = []
    when: list[Moment | Occurrence] = []
    known = [*WHEN, *ACTIONS, *words.upsets]
    for key, value in given.items():
        try:
            if key in WHEN:
                when.append((MOMENT if key == "at" else EVENT).read(value, words))
            elif key in ACTIONS:
                done.append(Action(key, ACTIONS[key].read(value, words)))
            elif key in words.upsets:
                done.append(Action("upset", upset_of(key, value, words)))
            else:
                what = (
                    f"unknown action{did_you_mean(str(key), known)}; known: {', '.join(ACTIONS)}, or an upset"
                )
                problems.append(KeyProblem(str(key), what))
        except ValueError as error:
            problems.append(KeyProblem(str(key), str(error)))
    if not problems and len(when) != 1:
        problems.append(KeyProblem("", "give its time: at: TIME or after: EVENT, and not both"))
    if not problems and len(done) != 1:
        problems.append(KeyProblem("", f"give one action: {', '.join(ACTIONS)}, or an upset by its name"))
    if problems:
        raise ExceptionGroup("step", problems)
    return Step(when[0], done[0], line)
