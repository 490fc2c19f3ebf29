"""Means over intervals back on a fine grid, by the index against a cloudless sky.

Within an interval the light is the cloudless sky's own shape times an index: straight from the edge to the middle and
on to the other edge. Edges lie between the neighbours' indices; the middle gives back the interval's mean exactly.
"""

from typing import NamedTuple

import numpy as np

from plant.base.jit import kernel

FAINT_W_M2 = 20.0  # below this a cloudless sky is too uncertain to divide by: sunrise, sunset
MOST_INDEX_WHEN_FAINT = 2.0
_MOST_OVERSHOOT = 1.5  # a middle further above edges and mean than this is an artefact of a lopsided interval


class Edges(NamedTuple):
    """What a series of means knows of itself as an index; each (rows,)."""

    mean: np.ndarray  # W/m2
    left: np.ndarray  # index at the interval's begin; at the moment itself for a series of moments
    right: np.ndarray  # at its end; at the next moment
    faint: np.ndarray  # cloudless sky below FAINT_W_M2
    instant: bool


def edges_of(mean: np.ndarray, clear_mean: np.ndarray, cyclic: bool, instant: bool) -> Edges:
    """Prepare a series.

    Parameters
    ----------
    mean, clear_mean : (rows,) array
        Of the light and of a cloudless sky over each interval, or at each moment [W/m2].
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
        return Edges(mean, at, np.roll(at, -1) if cyclic else np.append(at[1:], at[-1]), faint, True)
    both = np.isfinite(index) & np.isfinite(after)
    between = np.minimum((index + after) / 2.0, 2.0 * np.minimum(index, after))
    one = np.where(np.isfinite(index), index, np.where(np.isfinite(after), after, 1.0))
    right = np.where(both, between, one)
    left = np.roll(right, 1)
    if not cyclic:
        left[0] = 1.0 if faint[0] else index[0]
    return Edges(mean, left, right, faint, False)


def index_of_means(edges: Edges, clear: np.ndarray, row: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The index at the points of some days.

    Parameters
    ----------
    edges : Edges
    clear : (days, n) array
        Cloudless sky at the points [W/m2]; the last point of a day is the next one's first.
    row, share : (days, n) array
        Row of the series a point falls in, and how far into it, 0..1.

    Returns
    -------
    (days, n) array
        Times `clear`, its mean over the points of an interval is the interval's own mean, unless the interval is faint
        and would need an index above 2. 1 where there is no sun in an interval.
    """
    row = np.clip(row, 0, edges.mean.size - 1)
    if edges.instant:
        return np.asarray(edges.left[row] * (1.0 - share) + edges.right[row] * share)
    return _bent(edges.mean, edges.left, edges.right, edges.faint, clear, row, share)


@kernel
def _bent(
    mean: np.ndarray, left: np.ndarray, right: np.ndarray, faint: np.ndarray,
    clear: np.ndarray, row: np.ndarray, share: np.ndarray,
) -> np.ndarray:  # fmt: skip
    out = np.ones_like(clear)
    points = clear.shape[1] - 1
    for d in range(clear.shape[0]):
        begin = 0
        while begin < points:
            j = row[d, begin]
            end = begin
            on_left, on_middle, on_right = 0.0, 0.0, 0.0
            while end < points and row[d, end] == j:
                u, c = share[d, end], clear[d, end]
                to_left, to_right = max(1.0 - 2.0 * u, 0.0), max(2.0 * u - 1.0, 0.0)
                on_left += c * to_left
                on_right += c * to_right
                on_middle += c * (1.0 - to_left - to_right)
                end += 1
            whole = on_left + on_middle + on_right
            if whole > 0.0:
                wanted = mean[j] * (end - begin)
                flat = wanted / whole
                a, b, m = left[j], right[j], flat
                bends = on_middle > 1e-6 * whole and not faint[j]
                if bends:
                    m = (wanted - a * on_left - b * on_right) / on_middle
                    bends = 0.0 <= m <= _MOST_OVERSHOOT * max(flat, a, b)
                if not bends:
                    if faint[j]:
                        flat = min(flat, MOST_INDEX_WHEN_FAINT)
                    a, b, m = flat, flat, flat
                for k in range(begin, end):
                    u = share[d, k]
                    to_left, to_right = max(1.0 - 2.0 * u, 0.0), max(2.0 * u - 1.0, 0.0)
                    out[d, k] = a * to_left + b * to_right + m * (1.0 - to_left - to_right)
            begin = end
        out[d, points] = left[row[d, points]]
    return out
