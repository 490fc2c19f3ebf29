"""Verdicts and margins: every kind of expectation on random traces beside plain loops, and in words."""

import random

import numpy as np
import pytest

from modbus.codec.requests import ReadWords, WriteWord
from tests.reference_evaluator import reference
from tracertwin.scenario.judging import judge, parse_expectation
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.record import AskedFor, RunRecord
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary

STAGES = ("none", "bulk", "boost", "equalize", "float")
STEP_S = 5.0
START_S = 1_750_000_000.0
TRACES = 1000
CONVERSATION = {"polled_every", "never_writes", "retries_within", "gives_up_after", "only_mapped"}
CONSOLE = {"printed", "never_printed", "shows"}
OF_TRACES = [name for name in KINDS if name not in CONVERSATION | CONSOLE]
WORDS = vocabulary()


def span_of(t: list[float]) -> Span:
    return Span(t[0], t[-1], "UTC", lambda day: SunTimes(None, 0.0, None))


def record_of(t: list[float], x: dict[str, list[float]]) -> RunRecord:
    return RunRecord(np.array(t), {name: np.array(values) for name, values in x.items()}, span_of(t))


def random_trace(chance: random.Random) -> tuple[list[float], dict[str, list[float]]]:
    """Values that often meet their limits exactly, and stay for a while."""
    n = chance.randint(2, 40)
    t = [START_S + STEP_S * k for k in range(n)]
    v, i, stage = 12.0, 0.0, 1
    x: dict[str, list[float]] = {"v_batt_v": [], "i_batt_a": [], "stage": []}
    for _ in t:
        v = round(v + chance.choice((-0.5, -0.1, 0.0, 0.1, 0.5)), 3)
        i = chance.choice((i, chance.uniform(-5.0, 5.0)))
        stage = chance.choice((stage, stage, chance.randrange(5)))
        for name, value in zip(x, (v, i, stage), strict=True):
            x[name].append(float(value))
    return t, x


def random_condition(chance: random.Random) -> tuple[str, list[tuple]]:
    texts, comparisons = [], []
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(("v_batt_v", "v_batt_v", "i_batt_a", "stage"))
        if name == "stage":
            op, code = chance.choice(("=", "!=")), chance.randrange(5)
            texts.append(f"stage {op} {STAGES[code]}")
            comparisons.append((name, op, float(code), 0.0))
            continue
        op = chance.choice(("<=", ">=", "<", ">", "=", "!="))
        y = round(chance.uniform(10.0, 14.0) if name == "v_batt_v" else chance.uniform(-5.0, 5.0), 1)
        tol = chance.choice((0.0, 0.3)) if op in ("=", "!=") else 0.0
        texts.append(
            f"{name} {op} {y!r}{f' +- {tol}' if tol else ''}{chance.choice(('', ' V' if name[0] == 'v' else ' A'))}"
        )
        comparisons.append((name, op, y, tol))
    return " and ".join(texts), comparisons


def after(t_s: float) -> str:
    return f"start+{t_s - START_S:g}s"


def random_expectation(kind: str, chance: random.Random, t: list[float]) -> tuple[dict, dict]:  # noqa: PLR0911
    """As a file has it, and as the reference takes it."""
    text, condition = random_condition(chance)
    other_text, other = random_condition(chance)
    given: dict = {}
    v: dict = {}
    if kind != "at" and len(t) > 4 and chance.random() < 0.5:
        first, last = sorted(chance.sample(t, 2))
        given, v = {"from": after(first), "to": after(last)}, {"from": first, "to": last}
    moment, seconds = chance.choice(t), STEP_S * chance.randrange(1, 12)
    event = {"count": f"{text} begins", "after": f"{other_text} begins"}
    match kind:
        case "always" | "never":
            return {kind: text, **given}, {"c": condition, **v}
        case "by" | "at":
            return {"expect": text, kind: after(moment), **given}, {"c": condition, kind: moment, **v}
        case "within":
            return (
                {"expect": text, "within": f"{seconds:g}s", "after": event["after"], **given},
                {"c": condition, "within": seconds, "e": other, **v},
            )
        case "until":
            return {"expect": text, "until": other_text, **given}, {"c": condition, "until": other, **v}
        case "for_at_least":
            return {"expect": text, "for_at_least": f"{seconds:g}s", **given}, {
                "c": condition,
                "d": seconds,
                **v,
            }
        case "for_share":
            percent = chance.randrange(101)
            return {"expect": text, "for_share": f"{percent} %", **given}, {
                "c": condition,
                "share": percent / 100.0,
                **v,
            }
        case "stays_within":
            low, high = sorted(round(chance.uniform(9.0, 15.0), 1) for _ in range(2))
            return {kind: [low, high], "of": "v_batt_v", **given}, {
                "low": low,
                "high": high,
                "of": "v_batt_v",
                **v,
            }
        case "rises_only" | "falls_only":
            tol = chance.choice((None, 0.1, 0.5))
            return (
                {kind: "v_batt_v", **({} if tol is None else {"tolerance": tol}), **given},
                {"of": "v_batt_v", "tol": tol or 0.0, **v},
            )
        case "count":
            n = {
                how: chance.randrange(4)
                for how in chance.sample(("at_least", "at_most", "exactly"), chance.randint(1, 2))
            }
            return {"count": event["count"], **n, **given}, {"e": condition, "n": n, **v}
    parts = [random_condition(chance) for _ in range(chance.randint(2, 3))]
    return {"order": [f"{text} begins" for text, _ in parts], **given}, {"order": [c for _, c in parts], **v}


@pytest.mark.parametrize("kind", OF_TRACES)
def test_verdict_and_margin_are_those_of_the_plain_loops(kind):
    chance, verdicts = random.Random(kind), []
    for _ in range(TRACES):
        t, x = random_trace(chance)
        given, v = random_expectation(kind, chance, t)
        verdict = judge(parse_expectation(given, WORDS), record_of(t, x))
        assert (verdict.holds, verdict.finding.margin) == reference(kind, v, t, x), (given, t, x)
        verdicts.append(verdict.holds)
        assert verdict.words(span_of(t)).startswith(("passed", "failed"))
    assert 0.02 * TRACES < sum(verdicts) < 0.98 * TRACES  # the traces try both


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


GOOD, LOST = "reply", "silence"
TALKS = (
    ({"polled_every": "20s"}, [(0, 1, GOOD), (20, 1, GOOD), (40, 1, GOOD)], True, 0.0),
    ({"polled_every": "10s"}, [(0, 1, GOOD), (20, 1, LOST), (40, 1, GOOD)], False, -30.0),
    ({"polled_every": "30s"}, [(0, 1, GOOD), (1, 2, GOOD), (30, 1, GOOD)], False, -29.0),
    ({"polled_every": "30s", "registers": [0x3104]}, [(0, 0x3100, GOOD)], False, -30.0),
    ({"polled_every": "30s", "from": "start+20s"}, [(0, 1, GOOD), (40, 1, "exception")], True, 10.0),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, GOOD), (9, 1, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (1.5, 1, GOOD)], False, -0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 2, GOOD)], False, -59.0),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, "bad"), (1.0, 2, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, LOST), (0.5, 1, LOST), (30, 1, GOOD)], True, 0.5),
    ({"retries_within": "1s"}, [(0, 1, GOOD)], True, 1.0),
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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"always": "v_batt_v <= 14"}, "passed by 1 V at 00:00:10"),
        ({"always": "v_batt_v <= 12.5"}, "failed by 0.5 V, not so for 5 s in all, furthest at 00:00:10"),
        ({"never": "stage = float"}, "passed by 1"),
        ({"always": "stage = bulk"}, "failed by 1, not so for 5 s in all, furthest at 00:00:10"),
        ({"expect": "stage = boost", "by": "start+15s"}, "passed by 5 s, first so at 00:00:10"),
        ({"expect": "stage = float", "by": "start+5s"}, "failed by 10 s, never so"),
        ({"expect": "v_batt_v >= 14", "by": "end"}, "failed, never so; nearest, 1 V off, at 00:00:10"),
        ({"count": "stage becomes boost", "exactly": 1}, "passed by 0 times, once, last at 00:00:10"),
        ({"count": "stage becomes float", "at_least": 2}, "failed by 2 times, never"),
        ({"expect": "stage = bulk", "for_share": "50 %"}, "passed by 16.7 %, so for 66.7 % of the time"),
        ({"stays_within": [11, 13.5], "of": "v_batt_v"}, "passed by 0.5 V, 13 at 00:00:10"),
    ],
)
def test_a_verdict_is_one_short_sentence_with_margin_and_time(given, words):
    midnight = 1_750_032_000.0 - 1_750_032_000.0 % 86400.0
    t = [midnight + 5.0 * k for k in range(4)]
    record = record_of(t, {"v_batt_v": [12.0, 12.5, 13.0, 12.0], "stage": [1.0, 1.0, 2.0, 2.0]})
    assert judge(parse_expectation(given, WORDS), record).words(span_of(t)) == words
