"""An expectation of a file, and the verdict on it: the one evaluator, wherever an expectation was written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plant.base.problems import did_you_mean, shown
from tracertwin.scenario.conditions import STATE, Occurrence
from tracertwin.scenario.keytypes import ADDRESSES, FLAG, NUMBER, RANGE, SUBJECT, WORDS, KeyType, amount_in
from tracertwin.scenario.kinds import KINDS, Kind
from tracertwin.scenario.record import Finding, RunRecord, amount, clock_of
from tracertwin.scenario.signals import moments_of
from tracertwin.scenario.times import Moment, Span
from tracertwin.scenario.vocabulary import Subject, Vocabulary

COMMON: Mapping[str, KeyType] = {"note": WORDS, "information": FLAG, "stimulus": FLAG}
TIMES = ("to", "by", "at")  # and from, after which they are
COUNTED = ("at_least", "at_most", "exactly")
NEVER_NOTHING = ("at_least", "for_at_least", "for_share")  # 0 of these is always reached


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected.

    Attributes
    ----------
    kind : Kind
    values : mapping
        By key of the kind.
    text : str
        As people read it.
    note : str
        Where its numbers come from.
    information : bool
        Whether it is told but doesn't decide: a number that no good source confirms.
    line : int
        Of the file.
    stimulus : bool
        Whether the others rest on it: if it doesn't hold, their verdicts would say nothing.
    """

    kind: Kind
    values: Mapping[str, Any]
    text: str
    note: str = ""
    information: bool = False
    line: int = 0
    stimulus: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an expectation."""

    expectation: Expectation
    finding: Finding

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.finding.holds

    @property
    def fails(self) -> bool:
        """Whether that decides."""
        return not self.finding.holds and not self.expectation.information

    def words(self, span: Span) -> str:
        """``passed by 0.21 V at 13:40``; ``failed by 12 min, first so at 13:40``."""
        finding = self.finding
        verb = "passed" if finding.holds else "failed"
        parts = [f"{verb} by {self.margin_words.lstrip('+-')}" if self.margin_words else verb]
        parts += [finding.found] if finding.found else []
        when = self.when(span)
        return ", ".join(parts) + (f" at {when}" if when else "")

    @property
    def margin_words(self) -> str:
        """``+0.21 V``, ``-12 min``, ``+1`` of a state; nothing for what failed because there was nothing to measure."""
        margin, unit = self.finding.margin, self.finding.unit
        if not self.holds and margin >= 0.0:
            return ""
        return f"{'+' if self.holds else '-'}{amount(abs(margin), unit)}"

    def when(self, span: Span) -> str:
        """The time that goes with it; nothing for a state that held throughout."""
        held = self.finding.unit == STATE and self.finding.holds and not self.finding.found
        if self.finding.at_s is None or held:
            return ""
        return clock_of(self.finding.at_s, span)


def judge(expectation: Expectation, record: RunRecord) -> Verdict:
    """The verdict on an expectation, of a run as it was recorded.

    Raises
    ------
    ValueError
        One of its times is not to be had there, as the sun doesn't rise.
    """
    values, missing = _timed(expectation.values, record)
    if missing is not None:
        return Verdict(expectation, missing)
    return Verdict(expectation, expectation.kind.act(values, record))


def _timed(values: Mapping[str, Any], record: RunRecord) -> tuple[Mapping[str, Any], Finding | None]:
    """The values with the moment of the first such event in its place, or what is missing.

    Events of other keys than ``from`` are looked for after that. A window may end after the run does.
    """
    moments, begin_s = dict(values), record.span.start_utc_s
    for key in ("from", *TIMES):
        event = moments.get(key)
        if isinstance(event, Occurrence):
            came = moments_of(event, record)
            came = came[came - event.later_s >= begin_s]
            if not came.size:
                return values, Finding(False, 0.0, "", None, f"the event never came, {event.text}")
            moments[key] = Moment(event.text, "start", float(came[0]) - record.span.start_utc_s)
        if key == "from" and key in moments:
            begin_s = moments[key].utc_s(record.span)
    return moments, None


class KeyProblem(ValueError):  # noqa: N818 - named for what is wrong
    """Something that is wrong at a key of an expectation or an action."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


def parse_one_expectation(given: Any, words: Vocabulary) -> Expectation:
    """`parse_expectation` of one that stands in no file.

    Raises
    ------
    ValueError
        Everything that is wrong, in a line.
    """
    try:
        return parse_expectation(given, words)
    except ExceptionGroup as group:
        problems = [
            ": ".join(part for part in (getattr(each, "key", ""), f"{each}") if part)
            for each in group.exceptions
        ]
        raise ValueError("; ".join(problems)) from None


def parse_expectation(given: Any, words: Vocabulary, line: int = 0) -> Expectation:
    """The expectation that a mapping means.

    Raises
    ------
    ExceptionGroup
        Of a `KeyProblem` for everything that is wrong.
    """
    if not isinstance(given, dict) or not given:
        raise _group([KeyProblem("", f"must be a mapping of keys to values, got {shown(given)}")])
    kind = _kind_of(given)
    problems: list[KeyProblem] = []
    values: dict[str, Any] = {}
    known = {**kind.keys, **COMMON}
    for key, value in given.items():
        if key not in known:
            own = f"; {kind.name} has {', '.join(kind.keys)}"
            problems.append(KeyProblem(str(key), f"unknown key{did_you_mean(str(key), known)}{own}"))
            continue
        try:
            values[key] = known[key].read(value, words)
        except ValueError as error:
            problems.append(KeyProblem(key, str(error)))
    problems += [
        KeyProblem(key, "missing") for key in kind.keys if key not in given and key not in kind.optional
    ]
    if kind.name == "count" and not any(key in given for key in COUNTED):
        problems.append(KeyProblem("count", f"give one of {', '.join(COUNTED)}"))
    if not problems:
        problems += _with_units(kind, values) or _senseless(given, values)
    if problems:
        raise _group(problems)
    note, information = values.pop("note", ""), values.pop("information", False)
    stimulus = values.pop("stimulus", False)
    return Expectation(kind, values, _text_of(given, kind), note, information, line, stimulus)


def _kind_of(given: Mapping[Any, Any]) -> Kind:
    kinds = [name for name in KINDS if name in given]
    whole = [name for name in kinds if all(other in KINDS[name].keys for other in kinds)]
    if len(whole) == 1:  # printed has a key within, which by itself is a kind
        return KINDS[whole[0]]
    if kinds:
        raise _group(
            [KeyProblem(kinds[1], f"give one of {' and '.join(kinds)}: each is an expectation of its own")]
        )
    for key in given:
        if near := did_you_mean(str(key), KINDS):
            raise _group([KeyProblem(str(key), f"unknown key{near}; known: {', '.join(KINDS)}")])
    raise _group([KeyProblem("", f"names no kind of expectation; give one of {', '.join(KINDS)}")])


def _with_units(kind: Kind, values: dict[str, Any]) -> list[KeyProblem]:
    """Put amounts into the unit of their subject."""
    problems = []
    subject = next((value for value in values.values() if isinstance(value, Subject)), None)
    for key, value in values.items():
        try:
            if subject is not None and kind.keys.get(key) is NUMBER:
                values[key] = amount_in(value, subject)
            elif subject is not None and kind.keys.get(key) is RANGE:
                low, high = values[key] = tuple(amount_in(one, subject) for one in value)
                if low > high:
                    raise ValueError(f"must be two limits, the lower one first, got {shown(list(value))}")
        except ValueError as error:
            problems.append(KeyProblem(key, str(error)))
    return problems


def _senseless(given: Mapping[str, Any], values: Mapping[str, Any]) -> list[KeyProblem]:
    """Limits that hold whatever happens, or never."""
    problems = [
        KeyProblem(key, f"{given[key]} holds whatever happens; give more")
        for key in NEVER_NOTHING
        if values.get(key, 1) == 0
    ]
    least, most = values.get("at_least", 0), values.get("at_most", math.inf)
    if least > most:
        problems.append(KeyProblem("at_least", f"{least} is more than at_most {most}"))
    if values.get("tolerance", 0.0) < 0.0:
        problems.append(KeyProblem("tolerance", f"must not be below 0, got {given['tolerance']}"))
    return problems


def _text_of(given: Mapping[str, Any], kind: Kind) -> str:
    """An expectation as people read it: ``always v_batt_v <= 14.6 V, from 06:00, to 20:00``."""
    keys = [key for key in ("expect", kind.name) if key in given]
    keys += [key for key in given if key not in keys and key not in COMMON]
    parts = []
    for key in keys:
        value = given[key]
        as_address = kind.keys.get(key) in (ADDRESSES, SUBJECT)
        parts_of = value if isinstance(value, list) else [value]
        shown_value = ", ".join(_plain(one, as_address) for one in parts_of)
        parts.append(
            shown_value if key == "expect" else f"{key.replace('_', ' ')} {shown_value}".removesuffix(" true")
        )
    return ", ".join(parts)


def _plain(value: Any, as_address: bool) -> str:
    if as_address and isinstance(value, int):
        return f"0x{value:04X}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}"


def _group(problems: list[KeyProblem]) -> ExceptionGroup[KeyProblem]:
    return ExceptionGroup("expectation", problems)
