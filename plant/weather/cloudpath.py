"""The standard normal process behind a day's clouds: slow weather plus passing clouds, the same on every grid.

Values at nodes 60 s apart are drawn first. The 10 s grid is then filled in between by exact Gaussian bridges, from
chance of its own. So a coarse grid shows just the values of the fine one at its moments, and costs an eighth.
"""

from typing import NamedTuple

import numpy as np

from plant.base.chance import RandomStream, generator
from plant.base.clock import DAY_S, SKY_S
from plant.base.jit import kernel

NODE_S = 60
_STEPS = NODE_S // SKY_S
_NODES = DAY_S // NODE_S + 1


class CloudTimes(NamedTuple):
    """A day's time constants [s], and the share of the variance that its fast part has."""

    slow_s: float
    fast_s: float
    fast_share: float


def normal_path(
    seed: int, day: int, pace: CloudTimes, rng: np.random.Generator, first: int, last: int, grid_s: int
) -> np.ndarray:
    """A stretch of the day's process.

    Parameters
    ----------
    seed, day : int
    pace : CloudTimes
    rng : Generator
        Of the nodes: the day's cloud stream, after the draws that made `pace`.
    first, last : int
        Points of the grid wanted, counted from midnight, both included.
    grid_s : int
        10 s, or a multiple of 60 s that divides a day.

    Returns
    -------
    (last - first + 1,) array
        Zero mean, unit variance.

    Notes
    -----
    Both parts are AR(1), rough at every scale as measured light is: at DTU Lyngby (55.8 N, minutes of June and July
    2015) one minus the autocorrelation of the clear-sky index grows as the 0.5th power of the time from 1 to 5 min. In
    a process that is smooth at seconds it grows as the square, and minutes leap too seldom. What keeps the edge of a
    cloud from being a step is its width in `plant.weather.clouds`.
    """
    needed = min(-(-last * grid_s // NODE_S) + 1, _NODES)  # what comes after is never seen
    taus_s = np.array([pace.slow_s, pace.fast_s])
    weights = np.sqrt(np.array([1.0 - pace.fast_share, pace.fast_share]))
    nodes = _nodes(rng.standard_normal((needed, 2)), np.exp(-NODE_S / taus_s))
    if grid_s != SKY_S:
        if grid_s % NODE_S or DAY_S % grid_s:
            raise ValueError(f"clouds come every {SKY_S} s or every multiple of {NODE_S} s, not {grid_s} s")
        coarse = nodes[first * grid_s // NODE_S : last * grid_s // NODE_S + 1 : grid_s // NODE_S]
        return np.asarray(weights[0] * coarse[:, 0] + weights[1] * coarse[:, 1])
    first_cell, end_cell = first // _STEPS, needed - 1
    shocks = generator(seed, RandomStream.CLOUDS_BETWEEN, day).standard_normal(
        (end_cell - first_cell, _STEPS - 1, 2)
    )
    filled = _fill(nodes[first_cell:], shocks, np.exp(-SKY_S / taus_s), weights)
    return filled[first - first_cell * _STEPS : last - first_cell * _STEPS + 1]


@kernel
def _nodes(shocks: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Slow and fast part at each node, (nodes, 2), stationary from the start; `keep` is their correlation over one."""
    out = np.empty_like(shocks)
    for part in range(2):
        gain = np.sqrt(1.0 - keep[part] * keep[part])
        out[0, part] = x = shocks[0, part]
        for k in range(1, shocks.shape[0]):
            x = keep[part] * x + gain * shocks[k, part]
            out[k, part] = x
    return out


@kernel
def _fill(nodes: np.ndarray, shocks: np.ndarray, keep: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted sum of both parts on the fine grid through given nodes.

    The next value of a first-order process between two known ones is normal about a weighted mean of both: with m steps
    from it to the later one, weights ``r (1 - r^2m) / w`` and ``r^m (1 - r^2) / w``, ``w = 1 - r^2(m+1)``.
    """
    n = _STEPS
    out = np.zeros((nodes.shape[0] - 1) * n + 1)
    from_last, from_end, gain = np.empty(n - 1), np.empty(n - 1), np.empty(n - 1)
    for part in range(2):
        r = keep[part]
        for k in range(n - 1):
            m = n - 1 - k
            whole = 1.0 - r ** (2 * (m + 1))
            from_last[k] = r * (1.0 - r ** (2 * m)) / whole
            from_end[k] = r**m * (1.0 - r * r) / whole
            gain[k] = np.sqrt((1.0 - r * r) * (1.0 - r ** (2 * m)) / whole)
        for c in range(nodes.shape[0] - 1):
            x, end = nodes[c, part], nodes[c + 1, part]
            out[c * n] += weights[part] * x
            for k in range(n - 1):
                x = from_last[k] * x + from_end[k] * end + gain[k] * shocks[c, k, part]
                out[c * n + k + 1] += weights[part] * x
        out[out.size - 1] += weights[part] * nodes[-1, part]
    return out
