"""Random samples of a run, conditions on them, and moments as a scenario writes them."""

import random
from collections.abc import Sequence

import numpy as np

from tracertwin.scenario.record import AskedFor, PrintedLine, RunRecord
from tracertwin.scenario.times import Span, SunTimes

STAGES = ("none", "bulk", "boost", "equalize", "float")
STEP_S = 5.0
START_S = 1_750_000_000.0


def span_of(t: list[float]) -> Span:
    return Span(t[0], t[-1], "UTC", lambda day: SunTimes(None, 0.0, None))


def record_of(
    t: list[float],
    x: dict[str, list[float]],
    asked: Sequence[AskedFor] = (),
    printed: Sequence[PrintedLine] = (),
) -> RunRecord:
    columns = {name: np.array(values) for name, values in x.items()}
    return RunRecord(np.array(t), columns, span_of(t), tuple(asked), tuple(printed))


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
