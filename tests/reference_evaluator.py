"""A second evaluator of expectations, in plain loops over lists: signal temporal logic as docs/scenarios.md defines it.

`reference` gives verdict and margin, `reference_of_requests` and `reference_of_lines` those of what a client asks and
prints. They share no code with `tracertwin.scenario`.
"""

import itertools
import re

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


def reference_of_requests(kind, v, asked, t):
    """The same of requests, each with its time t_s, in a run from t[0] to t[-1]."""
    a, b = v.get("from", t[0]), v.get("to", t[-1])
    asked = [each for each in asked if a <= each.t_s <= b]
    good = [each.outcome in ("reply", "exception") for each in asked]
    same = [i > 0 and asked[i].request == asked[i - 1].request for i in range(len(asked))]
    gap = [asked[i].t_s - asked[i - 1].t_s if i else INF for i in range(len(asked))]
    function = [each.request.function for each in asked]
    if kind == "polled_every":
        reads = [each for each, f, so in zip(asked, function, good, strict=True) if so and f <= 4]
        named = v.get("registers") or {(each.request.function, each.request.address) for each in reads}
        times = {
            (f, n): [
                each.t_s for each in reads
                if each.request.function == f and each.request.address <= n < each.request.address + each.request.count
            ]
            for f, n in named
        }  # fmt: skip
        longest = max(
            (later - t_s for each in times.values() for t_s, later in itertools.pairwise([a, *each, b])),
            default=0,
        )
        is_met = bool(reads) and all(times.values()) and longest <= v["d"]
        return is_met, v["d"] - longest if is_met else min(v["d"] - longest, 0.0) if reads else 0.0
    if not asked:
        return False, 0.0
    if kind == "only_mapped":
        return all(each.mapped for each in asked), -sum(not each.mapped for each in asked)
    if kind == "never_writes":
        named = [n for _, n in v["registers"]]
        bad = sum(f > 4 and each.request.address in named for each, f in zip(asked, function, strict=True))
        return bad == 0, -bad
    if kind == "retries_within":
        verdicts = []
        for i in range(len(asked)):
            tried = same[i] and not good[i - 1]  # it is a retry itself
            if i == len(asked) - 1:
                if not good[i] and not tried and b - asked[i].t_s > v["d"]:
                    verdicts.append((False, v["d"] - (b - asked[i].t_s)))
            elif not good[i] and same[i + 1] and not (tried and gap[i + 1] > v.get("pause", 5.0)):
                verdicts.append((gap[i + 1] <= v["d"], v["d"] - gap[i + 1]))
            elif not good[i] and not same[i + 1] and not tried:
                verdicts.append((False, v["d"] - (b - asked[i].t_s)))
        return min(verdicts, default=(True, v["d"]))
    assert kind == "gives_up_after"
    rows = [
        j - i + 1
        for i in range(len(asked))
        for j in range(i, len(asked))
        if not any(good[i : j + 1])
        and all(same[k] and gap[k] <= v.get("pause", 5.0) for k in range(i + 1, j + 1))
    ]
    return max(rows, default=0) <= v["n"], v["n"] - max(rows, default=0)


def reference_of_lines(kind, v, lines, t, x):  # noqa: PLR0911  one kind after the other
    """The same of printed lines, each with its time t_s, beside samples of x at times t."""
    a, b = v.get("from", t[0]), v.get("to", t[-1])
    if not lines:
        return False, 0.0
    told = [line for line in lines if a <= line.t_s <= b]
    found = [(line.t_s, match) for line in told if (match := re.search(v["pattern"], line.text))]
    if kind == "never_printed":
        return not found, -len(found)
    if kind == "printed" and "within" in v:
        verdicts = []
        for e in [e for e in happens(v["e"], t, x) if a <= e <= b] if "e" in v else [a]:
            hit = next((t_s for t_s, _ in found if t_s >= e), None)
            if hit is not None or e + v["within"] <= b:
                took = (b if hit is None else hit) - e
                verdicts.append((hit is not None and took <= v["within"], v["within"] - took))
        return min(verdicts, default=(False, 0.0))
    if kind == "printed" and "by" in v:
        first = found[0][0] if found else b
        return bool(found) and first <= v["by"], v["by"] - first
    if kind == "printed":
        return bool(found), len(found) - 1
    assert kind == "shows"
    margins = []
    for t_s, match in found:
        if not re.fullmatch(r"[0-9.]+", match[1]):
            return False, 0.0
        digits = len(match[1].partition(".")[2])
        value = x["v_batt_v"][max(i for i in range(len(t)) if t[i] <= t_s)]
        margins.append(v.get("tol", 0.5 * 10.0**-digits + 1e-9) - abs(float(match[1]) - value))
    return min(margins, default=0.0) >= 0.0 and bool(margins), min(margins, default=0.0)
