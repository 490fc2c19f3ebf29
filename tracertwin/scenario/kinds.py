"""Every kind of expectation: a row with its keys, its definition and the function that judges it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from tracertwin.scenario import conversation, temporal
from tracertwin.scenario.keytypes import (
    ADDRESSES,
    CONDITION,
    COUNT,
    DURATION,
    EVENT,
    EVENTS,
    NUMBER,
    NUMBER_REGEX,
    PERCENT,
    RANGE,
    REGEX,
    SUBJECT,
    TIME,
    YES,
    KeyType,
)
from tracertwin.scenario.record import Finding, RunRecord

Values = Mapping[str, Any]  # by key


class Kind(NamedTuple):
    """A row.

    Attributes
    ----------
    name : str
        The key by which it is known.
    keys : mapping
        Every key that it may have, its own among them.
    optional : tuple of str
        Those that needn't be there.
    definition : str
        When it holds, and what its margin is.
    act : callable
    """

    name: str
    keys: Mapping[str, KeyType]
    optional: tuple[str, ...]
    definition: str
    act: Callable[[Values, RunRecord], Finding]


WINDOW: Final[Mapping[str, KeyType]] = {"from": TIME, "to": TIME}


def _kind(
    act: Callable[[Values, RunRecord], Finding],
    definition: str,
    keys: Mapping[str, KeyType],
    optional: tuple[str, ...] = (),
) -> Kind:
    """A row whose key is its function's name, and which looks at a window."""
    return Kind(act.__name__, {**keys, **WINDOW}, (*optional, *WINDOW), definition, act)


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        _kind(
            temporal.always,
            "The condition holds at every sample. Margin: its least.",
            {"always": CONDITION},
        ),
        _kind(
            temporal.never,
            "The condition holds at no sample. Margin: the least of its negative.",
            {"never": CONDITION},
        ),
        _kind(
            temporal.by,
            "The condition holds at some sample up to the time. Margin: the time left when it first holds.",
            {"expect": CONDITION, "by": TIME},
        ),
        _kind(
            temporal.within,
            "After every such event the condition holds within the time; there must be one event. An event "
            "whose time the run does not see to its end is left out, unless the condition holds before. Margin: the "
            "time left after the slowest.",
            {"expect": CONDITION, "within": DURATION, "after": EVENT},
        ),
        _kind(
            temporal.until,
            "A sample comes at which the second condition holds, and at all before it the first one does. "
            "Margin: the best, over such samples, of the lesser of both.",
            {"expect": CONDITION, "until": CONDITION},
        ),
        _kind(
            temporal.for_at_least,
            "The condition holds for at least the time without a break; a sample stands for the time to the next. "
            "Margin: how much longer the longest such time is.",
            {"expect": CONDITION, "for_at_least": DURATION},
        ),
        _kind(
            temporal.for_share,
            "The condition holds for at least the share of the window's time. Margin: percentage points above it.",
            {"expect": CONDITION, "for_share": PERCENT},
        ),
        Kind(
            "at", {"expect": CONDITION, "at": TIME}, (),
            "The condition holds at the last sample up to the time. Margin: its margin there.", temporal.at,
        ),
        _kind(
            temporal.stays_within,
            "The value is within two limits at every sample. Margin: the least distance to one of them.",
            {"stays_within": RANGE, "of": SUBJECT},
        ),
        _kind(
            temporal.rises_only,
            "No sample is less than the one before, by more than the tolerance. Margin: the least step up.",
            {"rises_only": SUBJECT, "tolerance": NUMBER}, ("tolerance",),
        ),
        _kind(
            temporal.falls_only,
            "No sample is more than the one before, by more than the tolerance. Margin: the least step down.",
            {"falls_only": SUBJECT, "tolerance": NUMBER}, ("tolerance",),
        ),
        _kind(
            temporal.count,
            "The event happens as often as `at_least`, `at_most` or `exactly` say; one of them must be there. Margin: "
            "how many times fewer, or more, would still do; below 0 how many there are too few, or too many.",
            {"count": EVENT, "at_least": COUNT, "at_most": COUNT, "exactly": COUNT},
            ("at_least", "at_most", "exactly"),
        ),
        _kind(
            temporal.order,
            "The events happen one after the other, each at or after the one before. Margin: the least time "
            "between two of them.",
            {"order": EVENTS},
        ),
        _kind(
            conversation.polled_every,
            "Each of the registers is read, with an answer, at least once in the time, from "
            "the window's beginning to its end; and at least once in a shorter window. Margin: the time less the "
            "longest gap.",
            {"polled_every": DURATION, "registers": ADDRESSES}, ("registers",),
        ),
        _kind(
            conversation.never_writes,
            "No request writes any of the registers. Margin: the negated number of those that do.",
            {"never_writes": ADDRESSES},
        ),
        _kind(
            conversation.retries_within,
            "A request without a good answer is followed by the same one within the time; only a retry may be given "
            "up, that is, be followed by another request or by a longer pause (5 s unless told). Margin: the time "
            "less the longest wait.",
            {"retries_within": DURATION, "pause": DURATION}, ("pause",),
        ),
        _kind(
            conversation.gives_up_after,
            "The same request is sent at most so many times in a row without a good answer; after a longer pause "
            "(5 s unless told) the row begins anew. Margin: how many more it could have been.",
            {"gives_up_after": COUNT, "pause": DURATION}, ("pause",),
        ),
        _kind(
            conversation.only_mapped,
            "Every register that is asked for is in the map. Margin: minus the number of requests that "
            "ask for another.",
            {"only_mapped": YES},
        ),
        _kind(
            conversation.printed,
            "The firmware prints a line in which the expression is found: at all, up to a time, or "
            "within a time after every such event (after the beginning unless told; an event whose time the run does "
            "not see to its end is left out). Margin: the time left, or the number of lines.",
            {"printed": REGEX, "by": TIME, "within": DURATION, "after": EVENT}, ("by", "within", "after"),
        ),
        _kind(
            conversation.never_printed,
            "The firmware prints no line in which the expression is found. Margin: minus the number of lines.",
            {"never_printed": REGEX},
        ),
        _kind(
            conversation.shows,
            "In every line in which the expression is found, the number in its group is the value at "
            "that moment, to the last digit printed or within the tolerance; there must be such a line. Margin: the "
            "tolerance less the greatest difference.",
            {"shows": SUBJECT, "printed_as": NUMBER_REGEX, "tolerance": NUMBER}, ("tolerance",),
        ),
    )
}  # fmt: skip
OF_A_CLIENT: Final = tuple(
    name for name, kind in KINDS.items() if kind.act.__module__ == conversation.__name__
)
