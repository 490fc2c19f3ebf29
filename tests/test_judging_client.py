"""Verdicts on what a client asks and prints: every such kind on random conversations beside plain loops, and cases."""

import random

import numpy as np
import pytest

from modbus.codec.requests import ReadBits, ReadWords, Request, WriteCoil, WriteWord
from tests.random_traces import START_S, STEP_S, after, random_condition, random_trace, record_of, span_of
from tests.reference_evaluator import reference_of_lines, reference_of_requests
from tracertwin.scenario.judging import judge, parse_expectation
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.record import AskedFor, PrintedLine, RunRecord
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary

TRACES = 1000
WORDS = vocabulary()
EPEVER = vocabulary("epever")
GOOD, LOST = "reply", "silence"
REQUESTS = (
    ReadWords(1, 4, 0x3100, 1), ReadWords(1, 4, 0x3100, 6), ReadWords(1, 4, 0x3104, 1), ReadWords(1, 3, 0x9007, 1),
    ReadBits(1, 1, 0x0002, 1), WriteCoil(1, 0x0002, 0xFF00), WriteWord(1, 0x9007, 1440),
)  # fmt: skip
REGISTERS = {
    "0x3100": (4, 0x3100),
    "0x3104": (4, 0x3104),
    "boost_voltage": (3, 0x9007),
    "load_manual_on_off": (1, 2),
}


def random_requests(chance: random.Random, t: list[float]) -> list[AskedFor]:
    """A client with habits: it asks again what it didn't hear, more or less often and soon."""
    known = chance.sample(REQUESTS, chance.randint(1, 4))
    lost, again, unmapped = (
        chance.choice((0.0, 0.3, 0.6)),
        chance.choice((0.5, 0.9, 1.0)),
        chance.choice((0.0, 0.05)),
    )
    gaps = chance.choice(((0.25, 0.5), (0.5, 1.0, 2.0), (1.0, 6.0), (5.0, 15.0, 40.0)))
    asked: list[AskedFor] = []
    at_s = t[0] + chance.choice(gaps) * chance.randrange(3)
    while at_s <= t[-1] and len(asked) < 60:
        unheard = bool(asked) and asked[-1].outcome in ("bad", LOST)
        request: Request = asked[-1].request if unheard and chance.random() < again else chance.choice(known)
        outcome = chance.choice(("bad", LOST) if chance.random() < lost else (GOOD, GOOD, "exception"))
        asked.append(AskedFor(at_s, request, outcome, chance.random() >= unmapped))
        at_s += chance.choice(gaps)
    return asked


def random_lines(chance: random.Random, t: list[float], x: dict[str, list[float]]) -> list[PrintedLine]:
    """Some with the battery's voltage, often to the last digit, seldom something that is no number."""
    odd = chance.choice((0.0, 0.0, 0.1))
    lines = []
    for at_s in sorted(t[0] + STEP_S * chance.uniform(0.0, len(t) - 1) for _ in range(chance.randrange(6))):
        value = x["v_batt_v"][max(i for i in range(len(t)) if t[i] <= at_s)] + chance.choice((0.0, 0.0, odd))
        shown = (
            chance.choice(("nan", "off", "inf"))
            if chance.random() < odd
            else f"{value:.{chance.randint(0, 3)}f}"
        )
        lines.append(PrintedLine(at_s, chance.choice(("ready", f"batt {shown} V", f"batt {shown} V"))))
    return lines


def random_expectation(kind: str, chance: random.Random, t: list[float]) -> tuple[dict, dict]:  # noqa: PLR0911
    """As a file has it, and as the reference takes it."""
    given: dict = {}
    v: dict = {}
    if len(t) > 4 and chance.random() < 0.5:
        first, last = sorted(chance.sample(t, 2))
        given, v = {"from": after(first), "to": after(last)}, {"from": first, "to": last}
    names = chance.sample(list(REGISTERS), chance.randint(1, 2))
    seconds = chance.choice((0.25, 0.5, 1.0, 2.0, 6.0, 20.0, 60.0, 200.0))
    if kind in ("retries_within", "gives_up_after") and chance.random() < 0.5:
        v["pause"] = chance.choice((0.5, 2.0, 20.0))
        given["pause"] = f"{v['pause']}s"
    match kind:
        case "polled_every":
            if chance.random() < 0.5:
                given["registers"], v["registers"] = names, [REGISTERS[name] for name in names]
            return {kind: f"{seconds}s", **given}, {"d": seconds, **v}
        case "never_writes":
            return {kind: names, **given}, {"registers": [REGISTERS[name] for name in names], **v}
        case "retries_within":
            return {kind: f"{seconds}s", **given}, {"d": seconds, **v}
        case "gives_up_after":
            tries = chance.randint(1, 4)
            return {kind: tries, **given}, {"n": tries, **v}
        case "only_mapped":
            return {kind: True, **given}, v
        case "shows":
            if chance.random() < 0.5:
                given["tolerance"] = v["tol"] = chance.choice((0.05, 0.1))
            return {kind: "v_batt_v", "printed_as": "batt (.+) V", **given}, {"pattern": "batt (.+) V", **v}
    pattern = chance.choice(("ready", "batt", "1[0-9]", "never"))
    v["pattern"], given[kind] = pattern, pattern
    how = chance.choice(("by", "within", "after", "at all")) if kind == "printed" else "at all"
    if how == "by":
        v["by"] = chance.choice(t)
        given["by"] = after(v["by"])
    elif how in ("within", "after"):
        v["within"], given["within"] = seconds, f"{seconds}s"
    if how == "after":
        text, v["e"] = random_condition(chance)
        given["after"] = f"{text} begins"
    return given, v


OF_LINES = ("printed", "never_printed", "shows")
OF_A_CLIENT = [name for name, kind in KINDS.items() if kind.act.__module__.endswith("conversation")]


@pytest.mark.parametrize("kind", OF_A_CLIENT)
def test_verdict_and_margin_are_those_of_the_plain_loops(kind):
    chance, verdicts = random.Random(kind), []
    for _ in range(TRACES):
        t, x = random_trace(chance)
        asked, lines = random_requests(chance, t), random_lines(chance, t, x)
        given, v = random_expectation(kind, chance, t)
        verdict = judge(parse_expectation(given, EPEVER), record_of(t, x, asked, lines))
        of_lines = kind in OF_LINES
        told = (
            reference_of_lines(kind, v, lines, t, x) if of_lines else reference_of_requests(kind, v, asked, t)
        )
        assert (verdict.holds, verdict.finding.margin) == told, (given, t, x, asked, lines)
        verdicts.append(verdict.holds)
        assert verdict.words(span_of(t)).startswith(("passed", "failed"))
    assert 0.02 * TRACES < sum(verdicts) < 0.98 * TRACES  # the conversations try both


def conversation(*asked: tuple[float, int, str], write: bool = False, mapped: bool = True) -> RunRecord:
    """Requests by their second, address and outcome."""
    requests = tuple(
        AskedFor(
            START_S + at_s,
            WriteWord(1, address, 0) if write else ReadWords(1, 4, address, 1),
            outcome,
            mapped,
        )
        for at_s, address, outcome in asked
    )
    span = Span(START_S, START_S + 60.0, "UTC", lambda day: SunTimes(None, 0.0, None))
    return RunRecord(np.array([START_S, START_S + 60.0]), {}, span, requests)


TALKS = (
    ({"polled_every": "20s"}, [(0, 1, GOOD), (20, 1, GOOD), (40, 1, GOOD)], True, 0.0),
    ({"polled_every": "10s"}, [(0, 1, GOOD), (20, 1, LOST), (40, 1, GOOD)], False, -30.0),
    ({"polled_every": "30s"}, [(0, 1, GOOD), (1, 2, GOOD), (30, 1, GOOD)], False, -29.0),
    ({"polled_every": "30s", "registers": [0x3104]}, [(0, 0x3100, GOOD)], False, -30.0),
    ({"polled_every": "90s", "registers": [0x3104]}, [(0, 0x3100, GOOD)], False, 0.0),
    ({"polled_every": "30s", "from": "start+20s"}, [(0, 1, GOOD), (40, 1, "exception")], True, 10.0),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, GOOD), (9, 1, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (1.5, 1, GOOD)], False, -0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 2, GOOD)], False, -59.0),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, "bad"), (1.0, 2, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, LOST), (30, 1, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, GOOD)], True, 1.0),
    ({"retries_within": "1s"}, [(0, 1, GOOD), (10, 1, LOST)], False, -49.0),
    ({"retries_within": "1s"}, [(0, 1, GOOD), (10, 1, LOST), (10.5, 1, LOST)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, GOOD), (59.5, 1, LOST)], True, 1.0),
    ({"gives_up_after": 3}, [(0, 1, LOST), (1, 1, LOST), (2, 1, LOST), (3, 2, GOOD)], True, 0.0),
    ({"gives_up_after": 3}, [(t, 1, LOST) for t in range(4)], False, -1.0),
    ({"gives_up_after": 3}, [(10 * t, 1, LOST) for t in range(4)], True, 2.0),
    ({"gives_up_after": 3, "pause": "20s"}, [(10 * t, 1, LOST) for t in range(4)], False, -1.0),
    ({"gives_up_after": 3}, [(0, 1, LOST), (1, 1, LOST), (2, 1, GOOD), (3, 1, LOST)], True, 1.0),
)  # fmt: skip


@pytest.mark.parametrize(("given", "asked", "holds", "margin"), TALKS)
def test_the_conversation_is_judged_by_its_times(given, asked, holds, margin):
    finding = judge(parse_expectation(given, WORDS), conversation(*asked)).finding
    assert (finding.holds, finding.margin) == (holds, margin)


def test_writes_and_unmapped_registers_are_counted():
    never = parse_expectation({"never_writes": [0x9000, "boost_voltage"]}, vocabulary("epever"))
    mapped = parse_expectation({"only_mapped": True}, WORDS)
    written = conversation((0, 0x9000, GOOD), (1, 0x9007, GOOD), (2, 0x9008, GOOD), write=True)
    assert judge(never, written).finding.margin == -2.0
    assert judge(never, conversation((0, 0x9000, GOOD))).holds
    assert judge(mapped, written).holds
    assert judge(mapped, conversation((0, 1, GOOD), mapped=False)).finding.margin == -1.0


@pytest.mark.parametrize("given", [{"polled_every": "1s"}, {"never_writes": 1}, {"retries_within": "1s"},
                                   {"gives_up_after": 1}, {"only_mapped": True}])  # fmt: skip
def test_what_nobody_asked_has_not_passed(given):
    verdict = judge(parse_expectation(given, WORDS), conversation())
    assert not verdict.holds
    assert verdict.words(span_of([START_S, START_S + 5.0])) == "failed, no client asked anything"


def test_a_client_that_wrote_and_read_in_vain_did_ask():
    record = conversation((0, 1, LOST), (1, 1, LOST))
    verdict = judge(parse_expectation({"polled_every": "1s"}, WORDS), record)
    assert verdict.words(span_of([START_S, START_S + 5.0])) == "failed, no read was answered"
