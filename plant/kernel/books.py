"""The plant's books: one record of everything that `run_steps` writes into beside what it returns.

A numpy record, so that compiled code, plain Python and a file find a number by the same name (``books.today.load``).
A record of `_by_place` gives its numbers by their place as well (``books.levels.row[j]``), for the rules, whose
columns name quantities and set-points by place.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from plant.battery.wear import Hours
from plant.controller.charger import Machine, Quantities, SetPoints
from plant.controller.loadcontrol import Program
from plant.controller.rules import RULES
from plant.kernel.flowtable import FLOW_NAMES

BooksArray: TypeAlias = np.ndarray  # (1,) array of `BOOKS`: what compiled code takes in without copying
Books: TypeAlias = np.record  # its element

EVENTS_KEPT: Final = 4096
HOURS_A_DAY: Final = 24
BY_PLACE: Final = "row"
# Stands in the log for the row of a rule of an earlier version that this one doesn't have.
FORGOTTEN: Final = -1


def _record(**fields: Any) -> np.dtype:
    """A record whose fields are attributes in plain Python too."""
    parts = [(name, *field) if isinstance(field, tuple) else (name, field) for name, field in fields.items()]
    return np.dtype((np.record, np.dtype(parts, align=True)))


def _numbers(names: Sequence[str]) -> np.dtype:
    return _record(**dict.fromkeys(names, "f8"))


def _by_place(names: Sequence[str]) -> np.dtype:
    """Numbers by their names, and the same numbers by their places in `row`."""
    n = len(names)
    fields = {
        "names": [*names, BY_PLACE],
        "formats": ["f8"] * n + [("f8", (n,))],
        "offsets": [*range(0, 8 * n, 8), 0],
        "itemsize": 8 * n,
    }
    return np.dtype((np.record, np.dtype(fields, align=True)))  # type: ignore[call-overload]


METER: Final = _numbers(("today", "month", "year", "total"))
EVENT: Final = _record(t_utc_s="f8", rule="i8", from_state="i8")
BOOKS: Final = _record(
    # the machines and what they go by
    modes=("i8", (len(Machine),)),  # state of each machine
    must_examine="?",  # modes or set-points have changed: all rules are to be looked at anew
    since=("f8", (len(RULES),)),  # when each rule's conditions began to hold [UTC s]; inf while they don't
    due="f8",  # when the next of them is due [UTC s]
    lower=("f8", (len(Quantities._fields),)),  # nothing changes while each quantity stays in [lower, upper)
    upper=("f8", (len(Quantities._fields),)),
    quantities=_by_place(Quantities._fields),  # of this instant
    levels=_by_place(SetPoints._fields),  # set-points at the probe's temperature
    program=_numbers(Program._fields),
    # The unit's clock: how far ahead of UTC it was when it was set; its gain since [s/s].
    clock=_numbers(("ahead_s", "set_utc_s", "gains")),
    # When this night began; the usual length of one, as learned.
    night=_record(began_utc_s="f8", seen_to_begin="?", length_s="f8"),
    tries=_record(count="i8", last_utc_s="f8"),  # retries so far of a load that tripped
    event_count="i8",
    events=(EVENT, (EVENTS_KEPT,)),  # transitions, the newest overwriting the oldest
    # accounts and meters
    account=_by_place(FLOW_NAMES),  # integral of each flow since the start, whole days [units of `FLOWS`]
    carry=_by_place(FLOW_NAMES),  # what rounding left out of them
    today=_by_place(FLOW_NAMES),  # integrals of the day at hand
    metered_before=_record(generated=METER, consumed=METER),  # account at the meters' last reset [Wh]
    extremes=_numbers(("v_pv_max", "v_pv_min", "v_batt_max", "v_batt_min")),  # today [V]
    hours=(_numbers(Hours._fields), (HOURS_A_DAY,)),  # of the solar day
    overruns="i8",  # steps that ran out of sub-steps
)
OF_MACHINES: Final = (
    "modes", "must_examine", "since", "due", "lower", "upper", "quantities", "levels", "program", "clock", "night",
    "tries", "event_count", "events",
)  # fmt: skip
EMPTY_EXTREMES: Final = (-np.inf, np.inf, -np.inf, np.inf)


def empty_books() -> BooksArray:
    """Books of a plant that hasn't begun.

    Returns
    -------
    (1,) array of `BOOKS`
        An array, for numba takes a lone record for bytes that must not overlap; ``[0]`` is the record, not a copy.
    """
    array = np.zeros(1, BOOKS)
    books = array[0]
    books.must_examine = True
    books.since[:] = books.due = np.inf
    books.lower[:], books.upper[:] = -np.inf, np.inf
    books.program = tuple(Program())
    books.extremes = EMPTY_EXTREMES
    return array


def transitions(books: Books) -> np.ndarray:
    """(n,) array of `EVENT`: the last few thousand transitions, oldest first."""
    count = int(books.event_count)
    places = np.arange(max(0, count - EVENTS_KEPT), count) % EVENTS_KEPT
    return np.asarray(books.events[places])
