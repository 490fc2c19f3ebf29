"""Means over intervals back on a fine grid, by the index against a cloudless sky.

Within an interval the light is the cloudless sky's own shape times an index: straight from the edge to the middle and
on to the other edge. Edges lie between the neighbours' indices; the middle gives back the interval's mean exactly.
With the sun so low that a cloudless sky is a poor guide, the shape is that of the light above the air.
"""

from typing import NamedTuple

import numpy as np

from plant.base.jit import kernel

FAINT_W_M2 = 20.0  # below this a cloudless sky is too uncertain to divide by: sunrise, sunset
_MOST_OVERSHOOT = 1.5  # a middle further above edges and mean than this is an artefact of a lopsided interval


class Edges(NamedTuple):
    """What a series of means knows of itself as an index; each (rows,)."""

    mean: np.ndarray  # W/m2
    left: np.ndarray  # index at the interval's begin; at the moment itself for a series of moments
    right: np.ndarray  # at its end; at the next moment
    faint: np.ndarray  # cloudless sky below FAINT_W_M2
    clearness: np.ndarray  # over the light above the air; for moments only
    instant: bool


def edges_of(
    mean: np.ndarray, clear_mean: np.ndarray, extra: np.ndarray, cyclic: bool, instant: bool
) -> Edges:
    """Prepare a series.

    Parameters
    ----------
    mean, clear_mean, extra : (rows,) array
        Of the light, of a cloudless sky and above the air over each interval, or at each moment [W/m2].
    cyclic : bool
        Whether the first row follows the last.
    instant : bool
        Whether rows are moments.
    """
    faint = clear_mean < FAINT_W_M2
    index = np.where(faint, np.nan, mean / np.maximum(clear_mean, FAINT_W_M2))
    after = np.roll(index, -1)
    if not cyclic:
        after[-1] = np.nan
    if instant:
        known = np.flatnonzero(~faint)
        at = np.interp(np.arange(mean.size), known, index[known]) if known.size else np.ones_like(mean)
        clearness = np.clip(np.divide(mean, extra, out=np.zeros_like(mean), where=extra > 0.0), 0.0, 1.0)
        return Edges(mean, at, _next(at, cyclic), faint, clearness, True)
    both = np.isfinite(index) & np.isfinite(after)
    between = np.minimum((index + after) / 2.0, 2.0 * np.minimum(index, after))
    one = np.where(np.isfinite(index), index, np.where(np.isfinite(after), after, 1.0))
    right = np.where(both, between, one)
    left = np.roll(right, 1)
    if not cyclic:
        left[0] = 1.0 if faint[0] else index[0]
    return Edges(mean, left, right, faint, np.zeros(0), False)


def _next(values: np.ndarray, cyclic: bool) -> np.ndarray:
    return np.roll(values, -1) if cyclic else np.append(values[1:], values[-1])


def light_of_means(
    edges: Edges, clear: np.ndarray, extra: np.ndarray, row: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """The light at the points of some days [W/m2].

    Parameters
    ----------
    edges : Edges
    clear, extra : (days, n) array
        Cloudless sky and light above the air at the points [W/m2]; the last point of a day is the next one's first.
    row, share : (days, n) array
        Row of the series a point falls in, and how far into it, 0..1. Points outside of the series get no light.

    Returns
    -------
    (days, n) array
        Its mean over the points of an interval is the interval's own mean, if the sun is up in it.
    """
    known = (row >= 0) & (row < edges.mean.size)
    row = np.clip(row, 0, edges.mean.size - 1)
    if edges.instant:
        index = edges.left[row] * (1.0 - share) + edges.right[row] * share
        after = np.minimum(row + 1, edges.mean.size - 1)
        clearness = edges.clearness[row] * (1.0 - share) + edges.clearness[after] * share
        light = np.where(edges.faint[row] | edges.faint[after], clearness * extra, index * clear)
    else:
        light = _bent(edges.mean, edges.left, edges.right, edges.faint, clear, extra, row, share)
    return np.asarray(np.where(known, light, 0.0))


@kernel
def _bent(
    mean: np.ndarray, left: np.ndarray, right: np.ndarray, faint: np.ndarray,
    clear: np.ndarray, extra: np.ndarray, row: np.ndarray, share: np.ndarray,
) -> np.ndarray:  # fmt: skip
    out = np.zeros_like(clear)
    points = clear.shape[1] - 1
    for d in range(clear.shape[0]):
        begin = 0
        while begin < points:
            j = row[d, begin]
            end = begin
            on_left, on_middle, on_right, above = 0.0, 0.0, 0.0, 0.0
            while end < points and row[d, end] == j:
                u, c = share[d, end], clear[d, end]
                to_left, to_right = max(1.0 - 2.0 * u, 0.0), max(2.0 * u - 1.0, 0.0)
                on_left += c * to_left
                on_right += c * to_right
                on_middle += c * (1.0 - to_left - to_right)
                above += extra[d, end]
                end += 1
            whole = on_left + on_middle + on_right
            wanted = mean[j] * (end - begin)
            if faint[j] or whole <= 0.0:
                share_above = wanted / above if above > 0.0 else 0.0
                for k in range(begin, end):
                    out[d, k] = share_above * extra[d, k]
            else:
                flat = wanted / whole
                a, b, m = left[j], right[j], flat
                bends = on_middle > 1e-6 * whole
                if bends:
                    m = (wanted - a * on_left - b * on_right) / on_middle
                    bends = 0.0 <= m <= _MOST_OVERSHOOT * max(flat, a, b)
                if not bends:
                    a, b, m = flat, flat, flat
                for k in range(begin, end):
                    u = share[d, k]
                    to_left, to_right = max(1.0 - 2.0 * u, 0.0), max(2.0 * u - 1.0, 0.0)
                    out[d, k] = (a * to_left + b * to_right + m * (1.0 - to_left - to_right)) * clear[d, k]
            begin = end
        last = row[d, points]
        out[d, points] = left[last] * clear[d, points] if not faint[last] else 0.0
    return out
