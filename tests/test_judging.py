"""Verdicts and margins: every kind of expectation on random traces beside plain loops, and in words."""

import random

import numpy as np
import pytest

from tests.reference_evaluator import reference
from tracertwin.scenario.judging import judge, parse_expectation
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary

STAGES = ("none", "bulk", "boost", "equalize", "float")
STEP_S = 5.0
START_S = 1_750_000_000.0
TRACES = 1000
CONVERSATION = {"polled_every", "never_writes", "retries_within", "gives_up_after", "only_mapped"}
OF_TRACES = [name for name in KINDS if name not in CONVERSATION]
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
