"""The kernel's books as plain values, everything in them by its name, and books made again from those.

Timers and events are kept by what their rule does, not by its row: a version that has one rule more, or a set-point,
finds each again. What the machines have looked at, and how long it holds, is good only for the rules that it was
looked at with: under others the machines look anew.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from plant.controller.charger import STATES, Machine, Quantities, SetPoints, compensate
from plant.controller.loadcontrol import Program
from plant.controller.rules import RULES
from plant.kernel.books import BY_PLACE, EVENTS_KEPT, FORGOTTEN, Books, BooksArray, empty_books, transitions
from plant.saving.versions import words

MEMORY: Final = (
    "clock", "night", "tries", "account", "carry", "today", "metered_before", "extremes", "hours", "overruns",
)  # fmt: skip
GROWING: Final = ("account", "carry", "today")  # a flow that a version adds begins at 0
WATCH: Final = ("must_examine", "due", "lower", "upper", "quantities")


def plain_books(books: Books) -> dict[str, Any]:
    """Books by name, their arrays as they are.

    Returns
    -------
    dict
        ``modes`` machine -> state; ``timers`` a mapping for each rule whose conditions hold; ``event_count`` and the
        last few thousand ``events``, oldest first: [UTC s, machine, state before, state after, reason]; ``watch`` with
        the `fingerprint` of the rules; ``books`` the rest.
    """
    modes = {machine: STATES[machine](books.modes[machine]) for machine in Machine}
    return {
        "modes": {machine.name: state.name for machine, state in modes.items()},
        "timers": list(_timers(books)),
        "event_count": books.event_count,
        "events": [_told(*event) for event in transitions(books).tolist() if event[1] != FORGOTTEN],
        "watch": {"rules": fingerprint(), **{name: _values(books, name) for name in WATCH}},
        "books": {name: _values(books, name) for name in MEMORY},
    }


def books_of(
    plain: Mapping[str, Any], program: Program, setpoints: SetPoints, t_probe_c: float
) -> BooksArray:
    """What `plain_books` wrote.

    Parameters
    ----------
    plain : mapping
    program : Program
    setpoints : SetPoints
        At 25 degC.
    t_probe_c : float
        What the controller last took the battery's temperature for.

    Raises
    ------
    ValueError, LookupError, TypeError
        It isn't whole.
    """
    array = empty_books()
    books: Books = array[0]
    books.program = tuple(program)
    compensate(np.array(setpoints), t_probe_c, books.levels[BY_PLACE])
    for machine in Machine:
        books.modes[machine] = STATES[machine][plain["modes"].get(machine.name, STATES[machine](0).name)]
    for timer in plain["timers"]:
        _set_timer(books, timer)
    _set_events(books, int(plain["event_count"]), plain["events"])
    _check_names(plain["books"], MEMORY)
    for name in MEMORY:
        _fill(books, name, plain["books"][name], name in GROWING)
    watch = plain["watch"]
    if watch is not None and watch["rules"] == fingerprint():
        for name in WATCH:
            _fill(books, name, watch[name])
    return array


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Of everything that decides what machines do: rules, what they look at, and what they compare it with."""
    decides = (RULES, Quantities._fields, SetPoints._fields, Program._fields)
    return hashlib.sha256(repr(decides).encode()).hexdigest()[:12]


# --- timers and events ---------------------------------------------------------------------------------------------


def _timers(books: Books) -> Iterator[dict[str, Any]]:
    for rule, since_utc_s in zip(RULES, books.since.tolist(), strict=True):
        if since_utc_s != np.inf:
            before = STATES[rule.machine](books.modes[rule.machine])
            yield {
                "machine": rule.machine.name,
                "from": before.name,
                "to": rule.to.name,
                "reason": rule.reason,
                "dwell": str(rule.for_),
                "since_utc_s": since_utc_s,
            }


def _set_timer(books: Books, timer: Mapping[str, Any]) -> None:
    """Have the timer of the same rule run on; that of a rule that is gone, or another now, is over."""
    wanted = (timer["machine"], timer["to"], timer["reason"], timer["dwell"])
    for row, rule in enumerate(RULES):
        identity = (rule.machine.name, rule.to.name, rule.reason, str(rule.for_))
        if identity == wanted and timer["from"] in (state.name for state in rule.from_):
            books.since[row] = timer["since_utc_s"]


def _told(t_utc_s: float, row: int, from_state: int) -> list[Any]:
    rule = RULES[row]
    before = STATES[rule.machine](from_state)
    return [t_utc_s, words(rule.machine.name), words(before.name), words(rule.to.name), rule.reason]


@lru_cache(maxsize=1)
def _rows() -> dict[tuple[str, ...], tuple[int, int]]:
    """Row and state before of each transition that there is, by how it is told."""
    told: dict[tuple[str, ...], tuple[int, int]] = {}
    for row, rule in enumerate(RULES):
        for state in rule.from_:
            told.setdefault(tuple(_told(0.0, row, int(state))[1:]), (row, int(state)))
    return told


def _set_events(books: Books, count: int, events: Sequence[Sequence[Any]]) -> None:
    """Write the log; of what has been forgotten, the oldest first, there is a gap in it."""
    if len(events) > min(count, EVENTS_KEPT):
        raise ValueError(f"{len(events)} of {count} events")
    books.event_count = count
    books.events["rule"] = FORGOTTEN
    for number, (t_utc_s, *told) in enumerate(events, count - len(events)):
        row, from_state = _rows().get(tuple(told), (FORGOTTEN, 0))
        books.events[number % EVENTS_KEPT] = t_utc_s, row, from_state


# --- records -------------------------------------------------------------------------------------------------------


def _values(record: np.record, name: str) -> Any:
    """One of a record's values, those of the records in it by their names."""
    value = record[name]
    if isinstance(value, np.record):
        return {inner: _values(value, inner) for inner in _names(value)}
    if value.dtype.names:
        return [{inner: _values(each, inner) for inner in _names(each)} for each in value]
    return value


def _fill(record: np.record, name: str, value: Any, may_lack: bool = False) -> None:
    """Write what `_values` made of another record."""
    there = record[name]
    if isinstance(there, np.record):
        _check_names(value, _names(there), may_lack)
        for inner in value:
            _fill(there, inner, value[inner])
    elif np.ndim(there) and len(there) != len(value):
        raise ValueError(f"{name} has {len(value)} values, not {len(there)}")
    elif there.dtype.names:
        for each, its in zip(there, value, strict=True):
            _check_names(its, _names(each))
            for inner in its:
                _fill(each, inner, its[inner])
    elif np.ndim(there):
        there[:] = value
    else:
        record[name] = value


def _check_names(values: Mapping[str, Any], names: Sequence[str], may_lack: bool = False) -> None:
    if not set(values) <= set(names) or (len(values) < len(names) and not may_lack):
        raise ValueError(f"{', '.join(values)} are not just {', '.join(names)}")


def _names(record: np.record) -> list[str]:
    return [name for name in record.dtype.names or () if name != BY_PLACE]
