"""Verdicts and margins: every kind of expectation on random traces beside plain loops, and in words."""

import random

import pytest

from tests.random_traces import STEP_S, after, random_condition, random_trace, record_of, span_of
from tests.reference_evaluator import reference
from tracertwin.scenario.judging import judge, parse_expectation, parse_one_expectation
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.vocabulary import vocabulary

TRACES = 1000
WORDS = vocabulary()


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
            percent = chance.randrange(1, 101)
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
            least, most = sorted(chance.randint(1, 3) for _ in range(2))
            n = chance.choice(
                (
                    {"at_least": least},
                    {"at_most": chance.randrange(4)},
                    {"at_least": least, "at_most": most},
                    {"exactly": chance.randrange(4)},
                )
            )
            return {"count": event["count"], **n, **given}, {"e": condition, "n": n, **v}
    parts = [random_condition(chance) for _ in range(chance.randint(2, 3))]
    return {"order": [f"{text} begins" for text, _ in parts], **given}, {"order": [c for _, c in parts], **v}


@pytest.mark.parametrize(
    "kind", [name for name, kind in KINDS.items() if kind.act.__module__.endswith("temporal")]
)
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


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"always": "v_batt_v = 12 +- -1 V"}, "a tolerance must not be below 0"),
        ({"always": "v_batt_v = 12 +- -50 %"}, "a tolerance must not be below 0"),
        ({"stays_within": ["15 V", "10 V"], "of": "v_batt_v"}, "the lower one first"),
    ],
)
def test_limits_the_wrong_way_round_are_refused(given, why):
    with pytest.raises(ValueError, match=why):
        parse_one_expectation(given, vocabulary("uart2"))


# --- times that are events ---


def judged_after(**given):
    """Of 0 to 100 s: 13 V from 20 s on, 12 V from 60 s on, 13 V again from 80 s on."""
    volts = [12.0] * 4 + [13.0] * 8 + [12.0] * 4 + [13.0] * 5
    record = record_of([5.0 * n for n in range(21)], {"v_batt_v": volts})
    return judge(parse_one_expectation(given, WORDS), record)


@pytest.mark.parametrize(
    ("given", "holds", "found"),
    [
        ({"always": "v_batt_v >= 13 V", "from": "v_batt_v >= 12.5 V begins", "to": "v_batt_v >= 12.5 V begins + 35s"},
         True, ""),
        ({"always": "v_batt_v >= 13 V", "from": "v_batt_v >= 12.5 V begins"}, False, "furthest"),
        ({"always": "v_batt_v <= 12 V", "to": "v_batt_v >= 12.5 V begins"}, False, "at the last sample"),
        ({"expect": "v_batt_v >= 13 V", "at": "v_batt_v >= 12.5 V begins + 30s"}, True, ""),
        ({"expect": "v_batt_v >= 13 V", "at": "v_batt_v >= 12.5 V ends"}, False, ""),
        ({"expect": "v_batt_v <= 12 V", "from": "v_batt_v >= 12.5 V begins", "by": "v_batt_v >= 12.5 V ends"},
         True, ""),
        ({"expect": "v_batt_v >= 13 V", "from": "v_batt_v >= 12.5 V ends", "by": "v_batt_v >= 12.5 V begins"},
         True, "first so"),
        ({"always": "v_batt_v >= 1 V", "from": "v_batt_v >= 20 V begins"}, False, "never came, v_batt_v >= 20"),
        ({"expect": "v_batt_v >= 1 V", "at": "v_batt_v >= 20 V begins"}, False, "the event never came"),
    ],
)  # fmt: skip
def test_a_time_may_be_the_first_such_event_and_one_that_never_comes_fails(given, holds, found):
    verdict = judged_after(**given)
    assert verdict.holds == holds
    assert found in verdict.finding.found
