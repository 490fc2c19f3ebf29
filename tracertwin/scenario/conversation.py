"""Expectations of the conversation: what a client asked, how often, and what it did when nothing came.

Judged on the requests of a record alone; without one nothing can be said, and the verdict is that it failed.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from tracertwin.scenario.record import AskedFor, Finding, RunRecord, ending

GOOD = ("reply", "exception")
PAUSE_S = 5.0  # the same request after a longer one is no retry, but the next round


def _heard(values: Mapping[str, Any], record: RunRecord) -> tuple[list[AskedFor], float, float]:
    """The requests of the window, its beginning and end."""
    begin_s = values["from"].utc_s(record.span) if "from" in values else record.span.start_utc_s
    end_s = ending(values["to"], begin_s, record.span) if "to" in values else record.span.end_utc_s
    return [asked for asked in record.asked if begin_s <= asked.t_s <= end_s], begin_s, end_s


def _unheard() -> Finding:
    return Finding(False, 0.0, "", None, "no client asked anything")


def polled_every(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, begin_s, end_s = _heard(values, record)
    reads = [asked for asked in heard if not asked.is_write and asked.outcome in GOOD]
    if not reads:
        return _unheard()
    wanted = values.get("registers") or sorted({(asked.request.function, asked.addresses[0]) for asked in reads
                                                 if asked.addresses})  # fmt: skip
    gaps = []
    for function, address in wanted:
        times = [
            asked.t_s for asked in reads if asked.request.function == function and address in asked.addresses
        ]
        gaps += [(b - a, a, address) for a, b in pairwise([begin_s, *times, end_s])]
    gap_s, at_s, address = max(gaps, key=lambda gap: (gap[0], -gap[1]))
    allowed_s = values["polled_every"]
    return Finding(
        gap_s <= allowed_s, allowed_s - gap_s, "s", at_s, f"longest without 0x{address:04X}, begun"
    )


def never_writes(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    named = {address for _, address in values["never_writes"]}
    writes = [asked for asked in heard if asked.is_write and named.intersection(asked.addresses)]
    return _offences(writes, heard, "write it")


def only_mapped(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    return _offences([asked for asked in heard if not asked.mapped], heard, "ask for an unmapped register")


def _offences(these: list[AskedFor], heard: list[AskedFor], what: str) -> Finding:
    at_s = these[0].t_s if these else None
    found = f"{len(these)} of {len(heard)} requests {what}{', first' if these else ''}"
    return Finding(not these, -float(len(these)) or 0.0, "requests", at_s, found)


def retries_within(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, _, end_s = _heard(values, record)
    if not heard:
        return _unheard()
    allowed_s, slowest_s, at_s, never = values["retries_within"], 0.0, None, False
    before: AskedFor | None = None
    for first, then in pairwise(heard):
        is_retry = before is not None and before.outcome not in GOOD and before.request == first.request
        before = first
        is_same = first.request == then.request
        pauses = then.t_s - first.t_s > values.get("pause", PAUSE_S)
        if first.outcome in GOOD or (is_retry and (pauses or not is_same)):  # it may be given up
            continue
        wait_s = (then.t_s if is_same else end_s) - first.t_s
        if at_s is None or wait_s > slowest_s:
            slowest_s, at_s = wait_s, first.t_s
        never = never or not is_same
    if at_s is None:
        return Finding(True, allowed_s, "s", None, "every request was answered")
    found = "not sent again, the request" if never else "slowest retry, of the request"
    return Finding(slowest_s <= allowed_s and not never, allowed_s - slowest_s, "s", at_s, found)


def gives_up_after(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    most, at_s, tries = 0, None, 0
    before: AskedFor | None = None
    for asked in heard:
        goes_on = (
            before is not None and before.request == asked.request and before.outcome not in GOOD
            and asked.t_s - before.t_s <= values.get("pause", PAUSE_S)
        )  # fmt: skip
        tries = 0 if asked.outcome in GOOD else tries + 1 if goes_on else 1
        if tries > most:
            most, at_s = tries, asked.t_s
        before = asked
    allowed = values["gives_up_after"]
    found = f"{most} tries in a row, the last" if most else "every request was answered"
    return Finding(most <= allowed, float(allowed - most), "tries", at_s, found)
