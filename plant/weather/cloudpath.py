"""The standard normal process behind a day's clouds: slow weather plus passing clouds, the same on every grid.

The state is drawn at nodes 60 s apart first. The 10 s grid is then filled in between by exact Gaussian bridges, from
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
    On the 10 s grid the slow part is an AR(1), the fast one a double-root AR(2) ``x_n = 2r x_{n-1} - r^2 x_{n-2} +
    g eps`` (like a Matern-3/2 process), smooth at seconds where an AR(1) would jitter.
    """
    needed = min(-(-last * grid_s // NODE_S) + 1, _NODES)  # what comes after is never seen
    nodes = _nodes(rng.standard_normal((needed, 3)), *_rates(pace))
    slow_weight, fast_weight = np.sqrt(1.0 - pace.fast_share), np.sqrt(pace.fast_share)
    if grid_s != SKY_S:
        if grid_s % NODE_S or DAY_S % grid_s:
            raise ValueError(f"clouds come every {SKY_S} s or every multiple of {NODE_S} s, not {grid_s} s")
        coarse = nodes[first * grid_s // NODE_S : last * grid_s // NODE_S + 1 : grid_s // NODE_S]
        return np.asarray(slow_weight * coarse[:, 0] + fast_weight * coarse[:, 1])
    first_cell, end_cell = first // _STEPS, needed - 1
    shocks = generator(seed, RandomStream.CLOUDS_BETWEEN, day).standard_normal(
        (end_cell - first_cell, _STEPS, 2)
    )
    filled = _fill(nodes[first_cell : end_cell + 1], shocks, *_rates(pace), slow_weight, fast_weight)
    return filled[first - first_cell * _STEPS : last - first_cell * _STEPS + 1]


def _rates(pace: CloudTimes) -> tuple[float, float]:
    """Correlation over one 10 s step: of the slow part, and the double root of the fast one."""
    return float(np.exp(-SKY_S / pace.slow_s)), float(np.exp(-SKY_S / pace.fast_s))


@kernel
def _response(r: float) -> np.ndarray:
    """What a unit shock makes of the fast part after 0, 1, .. steps: ``(j + 1) r^j g``, g for unit variance."""
    gain = np.sqrt((1.0 - r * r) ** 3 / (1.0 + r * r))
    out = np.empty(_STEPS)
    for j in range(_STEPS):
        out[j] = (j + 1) * r**j * gain
    return out


@kernel
def _nodes(shocks: np.ndarray, slow_r: float, r: float) -> np.ndarray:
    """Slow part, fast part, and the fast part one step before, at each node; (nodes, 3), stationary from the start."""
    n = _STEPS
    response = _response(r)
    now_now, now_before, before_before = 0.0, 0.0, 0.0  # covariance of what the shocks of six steps add
    for j in range(n):
        now_now += response[j] ** 2
        if j < n - 1:
            now_before += response[j] * response[j + 1]
            before_before += response[j] ** 2
    root = np.sqrt(now_now)
    slope = now_before / root
    rest = np.sqrt(before_before - slope * slope)
    slow_keep = slow_r**n
    slow_gain = np.sqrt(1.0 - slow_keep * slow_keep)
    neighbour = 2.0 * r / (1.0 + r * r)
    out = np.empty((shocks.shape[0], 3))
    slow, x = shocks[0, 0], shocks[0, 1]
    before = neighbour * x + np.sqrt(1.0 - neighbour * neighbour) * shocks[0, 2]
    out[0, 0], out[0, 1], out[0, 2] = slow, x, before
    x_of_x, x_of_before = (n + 1) * r**n, -n * r ** (n + 1)
    before_of_x, before_of_before = n * r ** (n - 1), -(n - 1) * r**n
    for k in range(1, shocks.shape[0]):
        slow = slow_keep * slow + slow_gain * shocks[k, 0]
        x, before = (
            x_of_x * x + x_of_before * before + root * shocks[k, 1],
            before_of_x * x + before_of_before * before + slope * shocks[k, 1] + rest * shocks[k, 2],
        )
        out[k, 0], out[k, 1], out[k, 2] = slow, x, before
    return out


@kernel
def _fill(
    nodes: np.ndarray, shocks: np.ndarray, slow_r: float, r: float, slow_weight: float, fast_weight: float
) -> np.ndarray:
    """The weighted sum of both parts on the fine grid through given nodes.

    Each cell runs free from its first node; what it misses the next one by is taken back in the proportion that the
    covariances give (conditioning by kriging), which is a draw from the exact bridge.
    """
    n = _STEPS
    response = _response(r)
    slow_gain = np.sqrt(1.0 - slow_r * slow_r)
    pull_slow, pull_x, pull_before = _pulls(response, slow_r)
    out = np.empty((nodes.shape[0] - 1) * n + 1)
    free_slow, free = np.empty(n), np.empty(n)
    for c in range(nodes.shape[0] - 1):
        slow, x, before = nodes[c, 0], nodes[c, 1], nodes[c, 2]
        out[c * n] = slow_weight * slow + fast_weight * x
        for k in range(n):
            slow = slow_r * slow + slow_gain * shocks[c, k, 0]
            x, before = 2.0 * r * x - r * r * before + response[0] * shocks[c, k, 1], x
            free_slow[k], free[k] = slow, x
        miss_slow = nodes[c + 1, 0] - slow
        miss_x, miss_before = nodes[c + 1, 1] - x, nodes[c + 1, 2] - before
        for k in range(n - 1):
            bridged = free[k] + pull_x[k] * miss_x + pull_before[k] * miss_before
            out[c * n + k + 1] = (
                slow_weight * (free_slow[k] + pull_slow[k] * miss_slow) + fast_weight * bridged
            )
    out[out.size - 1] = slow_weight * nodes[-1, 0] + fast_weight * nodes[-1, 1]
    return out


@kernel
def _pulls(response: np.ndarray, slow_r: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of the miss at a cell's end that each of its points takes over: its covariance with the end."""
    n = response.size
    pull_slow, pull_x, pull_before = np.empty(n), np.empty(n), np.empty(n)
    with_x, with_before = np.zeros(n), np.zeros(n)
    for k in range(n):
        for j in range(k + 1):
            with_x[k] += response[j] * response[j + n - 1 - k]
            if k < n - 1:
                with_before[k] += response[j] * response[j + n - 2 - k]
        if k == n - 1:
            for j in range(k):
                with_before[k] += response[j + 1] * response[j]
        pull_slow[k] = slow_r ** (n - 1 - k) * (1.0 - slow_r ** (2 * (k + 1))) / (1.0 - slow_r ** (2 * n))
    xx, xb, bb = with_x[n - 1], with_before[n - 1], with_before[n - 2]
    determinant = xx * bb - xb * xb
    for k in range(n):
        pull_x[k] = (with_x[k] * bb - with_before[k] * xb) / determinant
        pull_before[k] = (with_before[k] * xx - with_x[k] * xb) / determinant
    return pull_slow, pull_x, pull_before
