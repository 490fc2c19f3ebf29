"""A second evaluator of expectations, in plain loops over lists: signal temporal logic as docs/scenarios.md defines it.

`reference` gives verdict and margin; it shares no code with `tracertwin.scenario`.
"""

import itertools

INF = float("inf")


def one(v, op, y, tol, state):
    """Whether a value compares so, and by how much."""
    off = abs(v - y)
    so = {"<=": v <= y, ">=": v >= y, "<": v < y, ">": v > y, "=": off <= tol, "!=": off > tol}[op]
    if state:
        return so, 1.0 if so else -1.0
    return so, {"<=": y - v, "<": y - v, ">=": v - y, ">": v - y, "=": tol - off, "!=": off - tol}[op]


def both(condition, x, i):
    """The same of comparisons joined by `and`."""
    parts = [one(x[n][i], op, y, tol, n == "stage") for n, op, y, tol in condition]
    return all(so for so, _ in parts), min(margin for _, margin in parts)


def happens(event, t, x):
    """When a condition begins."""
    return [t[i] for i in range(1, len(t)) if both(event, x, i)[0] and not both(event, x, i - 1)[0]]


def reference(kind, v, t, x):  # noqa: PLR0911  one kind after the other
    """Verdict and margin of an expectation: its values v, over samples of x at times t; None: nothing to judge."""
    a, b = v.get("from", t[0]), v.get("to", t[-1])
    inside = [i for i in range(len(t)) if a <= t[i] <= b]
    seen = [(i, *both(v["c"], x, i)) for i in inside] if "c" in v else []
    events = [e for e in happens(v["e"], t, x) if a <= e <= b] if "e" in v else []
    if kind == "always":
        return all(so for _, so, _ in seen), min(m for *_, m in seen)
    if kind == "never":
        return not any(so for _, so, _ in seen), min(-m for *_, m in seen)
    if kind == "by":
        first = next((t[i] for i, so, _ in seen if so), None)
        return first is not None and first <= v["by"], v["by"] - (b if first is None else first)
    if kind == "within":
        verdicts = []
        for e in events:
            hit = next((t[i] for i in range(len(t)) if t[i] >= e and both(v["c"], x, i)[0]), None)
            if hit is not None or e + v["within"] <= t[-1]:
                took = (t[-1] if hit is None else hit) - e
                verdicts.append((hit is not None and took <= v["within"], v["within"] - took))
        return min(verdicts, default=(False, 0.0))
    if kind == "until":
        so, best = False, -INF
        for k, (i, *_) in enumerate(seen):
            then, before = both(v["until"], x, i), seen[:k]
            so = so or (then[0] and all(s for _, s, _ in before))
            best = max(best, min([then[1], *(m for *_, m in before)]))
        return so, best
    if kind == "for_at_least":
        spans = [
            t[j] - t[i]
            for i in inside
            for j in inside
            if i <= j and all(both(v["c"], x, k)[0] for k in range(i, j))
        ]
        return max(spans) >= v["d"], max(spans) - v["d"]
    if kind == "for_share":
        share = sum(t[j] - t[i] for i, j in itertools.pairwise(inside) if both(v["c"], x, i)[0]) / (
            t[inside[-1]] - t[inside[0]]
        )
        return share >= v["share"], 100.0 * (share - v["share"])
    if kind == "at":
        return both(v["c"], x, max(i for i in range(len(t)) if t[i] <= v["at"]))
    if kind == "stays_within":
        margin = min(min(x[v["of"]][i] - v["low"], v["high"] - x[v["of"]][i]) for i in inside)
        return margin >= 0.0, margin
    if kind in ("rises_only", "falls_only"):
        sign = 1.0 if kind == "rises_only" else -1.0
        margin = min(sign * (x[v["of"]][j] - x[v["of"]][i]) + v["tol"] for i, j in itertools.pairwise(inside))
        return margin >= 0.0, margin
    if kind == "count":
        margin = min({"at_least": len(events) - n, "at_most": n - len(events), "exactly": -abs(len(events) - n)}[how]
                     for how, n in v["n"].items())  # fmt: skip
        return margin >= 0, margin
    assert kind == "order"
    since, gaps = a, []
    for event in v["order"]:
        times = [e for e in happens(event, t, x) if a <= e <= b]
        later = [e for e in times if e >= since]
        if not later:
            return False, (times[-1] - since if times else since - b)
        gaps, since = [*gaps, later[0] - since], later[0]
    return True, min(gaps[1:])
