"""Clouds within a day as TracerTwin 0.1.0 made them on its 10 s grid, bit by bit; see `tests.weather_of_0_1`.

A smooth fast part (a double-root AR(2)), and a mapping that rises from the darkest cloud to the brightest edge.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, ndtr

from plant.base.chance import RandomStream, generator
from plant.base.jit import kernel

NODES = 1441  # 60 s apart
STEPS = 6  # of 10 s from one to the next
SLOW_R, FAST_S = float(np.exp(-10.0 / 6900.0)), 210.0
INDEX = np.arange(0.0, 1.6005, 0.001)
NORMAL_END = 8.0
NORMAL = np.linspace(-NORMAL_END, NORMAL_END, 3201)


def clear_sky_index(seed: int, day: int, k_day: float, clear_ghi: np.ndarray) -> np.ndarray:
    """Clear-sky index, (8641,), of a day whose daily index is `k_day`."""
    index = np.ones_like(clear_ghi)
    lit = np.flatnonzero(clear_ghi > 0.0)
    if lit.size < 2:
        return index
    span = slice(lit[0], lit[-1] + 1)
    weight = clear_ghi[span]
    z = _normal_path(seed, day, lit[0], lit[-1])
    brightness = _brightness_of_normal(round(k_day, 2))
    total = weight.sum() * k_day

    def excess(shift: float) -> float:
        return float(_lit_sum(z, weight, shift, brightness) - total)

    low, high = -1.0, 1.0
    while excess(low) > 0.0 and low > -16.0:
        low *= 2.0
    while excess(high) < 0.0 and high < 16.0:
        high *= 2.0
    index[span] = _looked_up(z, brentq(excess, low, high, xtol=1e-14, rtol=1e-14), brightness)
    return index


def _normal_path(seed: int, day: int, first: int, last: int) -> np.ndarray:
    rng = generator(seed, RandomStream.CLOUDS, day)
    speed = math.exp(0.7 * rng.standard_normal())
    odds = math.log(0.42 / (1.0 - 0.42)) + 1.9 * rng.standard_normal()
    share = 1.0 / (1.0 + math.exp(-odds))
    r = float(np.exp(-10.0 / (FAST_S * speed)))
    nodes = _nodes(rng.standard_normal((NODES, 3)), SLOW_R, r)
    first_cell, end_cell = first // STEPS, min(last // STEPS + 1, NODES - 1)
    between = generator(seed, RandomStream.CLOUDS_BETWEEN, day)
    shocks = between.standard_normal((end_cell - first_cell, STEPS, 2))
    weights = np.sqrt(1.0 - share), np.sqrt(share)
    filled = _fill(nodes[first_cell : end_cell + 1], shocks, SLOW_R, r, *weights)
    return filled[first - first_cell * STEPS : last - first_cell * STEPS + 1]


@kernel
def _lit_sum(z: np.ndarray, weight: np.ndarray, shift: float, brightness: np.ndarray) -> float:
    """Sum of `weight` times the brightness at ``z + shift``."""
    total = 0.0
    last = brightness.size - 1
    scale = last / (2.0 * NORMAL_END)
    for n in range(z.size):
        place = min(max((z[n] + shift + NORMAL_END) * scale, 0.0), last - 1e-9)
        cell = int(place)
        total += weight[n] * (brightness[cell] + (place - cell) * (brightness[cell + 1] - brightness[cell]))
    return total


@kernel
def _looked_up(z: np.ndarray, shift: float, brightness: np.ndarray) -> np.ndarray:
    """Brightness at ``z + shift``, linear on the even grid of normal values up to `NORMAL_END` either side."""
    out = np.empty_like(z)
    last = brightness.size - 1
    scale = last / (2.0 * NORMAL_END)
    for n in range(z.size):
        place = min(max((z[n] + shift + NORMAL_END) * scale, 0.0), last - 1e-9)
        cell = int(place)
        out[n] = brightness[cell] + (place - cell) * (brightness[cell + 1] - brightness[cell])
    return out


@lru_cache(maxsize=256)
def _brightness_of_normal(k_day: float) -> np.ndarray:
    """Clear-sky index at each point of the standard normal grid, for a day of index `k_day`."""
    span = 1.06 - 0.34
    sunny = float(np.clip((k_day - 0.34) / span, 0.0, 0.985))
    broken = 4.0 * sunny * (1.0 - sunny)
    edge = 0.55 * broken
    mean = float(np.clip((k_day - sunny * (1.0 + 0.15 * edge)) / (1.0 - sunny), 0.06, 0.85))
    concentration = 1.0 / 0.1 - 1.0
    cloudy = np.ones_like(INDEX)
    cloudy[:1001] = betainc(mean * concentration, (1.0 - mean) * concentration, np.minimum(INDEX[:1001], 1.0))
    spread = 0.008 * (1.0 + 2.0 * broken)
    above = np.maximum(INDEX - 1.0, 0.0)
    clear = (1.0 - edge) * ndtr((INDEX - 1.0) / spread) + edge * (1.0 - np.exp(-above / 0.15))
    distribution = (1.0 - sunny) * cloudy + sunny * clear
    distribution /= distribution[-1]
    # strictly increasing, so that the inverse is a function
    distribution = np.maximum.accumulate(distribution) + np.linspace(0.0, 1e-12, INDEX.size)
    return np.asarray(np.interp(ndtr(NORMAL), distribution, INDEX))


@kernel
def _response(r: float) -> np.ndarray:
    """What a unit shock makes of the fast part after 0, 1, .. steps: ``(j + 1) r^j g``, g for unit variance."""
    gain = np.sqrt((1.0 - r * r) ** 3 / (1.0 + r * r))
    out = np.empty(STEPS)
    for j in range(STEPS):
        out[j] = (j + 1) * r**j * gain
    return out


@kernel
def _nodes(shocks: np.ndarray, slow_r: float, r: float) -> np.ndarray:
    """Slow part, fast part, and the fast part one step before, at each node; (nodes, 3), stationary from the start."""
    n = STEPS
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
    n = STEPS
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
