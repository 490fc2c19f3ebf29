"""The step rule of the batteries on the plant's 5 s grid against scipy: fourth order must be enough.

The profile is the published one: a day of currents between -12 and +11 A per 100 Ah that jump every minute.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.integrate import odeint, solve_ivp

from plant.battery import model as battery
from plant.battery.file import load_block
from validation.batteries import terminal_v
from validation.check import Check

GRID_S = 5.0
JUMP_S = 60.0
MODELS = ("agm", "flooded", "gel", "lifepo4", "lifepo4_victron")


def grid_step(x: Any, i_a: float, t_room_c: float, p: Any, dt_s: float = GRID_S) -> tuple[Any, np.ndarray]:
    """One step of the grid by RK4 in strides of `battery.step_limit_s`: the state, and energy in and losses [J]."""
    energy, left = np.zeros(2), dt_s
    while left > 1e-9:
        h = min(left, battery.step_limit_s(x, i_a, p))
        slope, flows, at = battery.no_slope(p), [], x
        for reach, weight in ((0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)):
            dx, lost = battery.rates(at, i_a, t_room_c, p)
            slope = battery.moved(slope, weight / 6.0, dx, p)
            losses = lost.ohmic_w + lost.polarisation_w + lost.side_w + lost.diffusion_w + lost.hysteresis_w
            flows.append(np.array([terminal_v(at, i_a, p) * i_a, losses - lost.entropy_w]))
            at = battery.moved(x, reach * h, dx, p)
        x = battery.moved(x, h, slope, p)
        energy += h * (flows[0] + 2.0 * (flows[1] + flows[2]) + flows[3]) / 6.0
        left -= h
    return x, energy


def exact(x: Any, i_a: float, t_room_c: float, p: Any, seconds: float, method: str = "LSODA") -> Any:
    """The same stretch by scipy, to 1e-10 or better."""

    def rhs(_t: float, y: np.ndarray) -> np.ndarray:
        return np.array(battery.rates(type(x)(*y), i_a, t_room_c, p)[0])

    if method == "LSODA":  # without solve_ivp's overhead, which is most of a minute's solution
        y = odeint(rhs, np.array(x), [0.0, seconds], tfirst=True, rtol=1e-11, atol=1e-13)[-1]
    else:
        y = solve_ivp(rhs, (0.0, seconds), np.array(x), method=method, rtol=1e-10, atol=1e-12).y[:, -1]
    return type(x)(*(float(v) for v in y))


def worst(model: str, hours: float, method: str = "LSODA", seed: int = 5) -> tuple[float, float, float]:
    """Largest error of voltage [V] and of charge at the jumps, and the share of energy moved that went missing."""
    p = load_block(model)
    x = y = battery.rested(0.6, 25.0, p)
    stored = battery.stored_wh(x, p)
    off_v = off_soc = moved_j = 0.0
    energy = np.zeros(2)
    for i_a in np.random.default_rng(seed).uniform(-12.0, 11.0, int(hours * 3600.0 / JUMP_S)):
        for _ in range(int(JUMP_S / GRID_S)):
            x, part = grid_step(x, float(i_a), 20.0, p)
            energy += part
            moved_j += abs(part[0])
        y = exact(y, float(i_a), 20.0, p, JUMP_S, method)
        off_v = max(off_v, abs(terminal_v(x, float(i_a), p) - terminal_v(y, float(i_a), p)))
        off_soc = max(off_soc, abs(battery.soc(x, p) - battery.soc(y, p)))
    gained_j = 3600.0 * (battery.stored_wh(x, p) - stored)
    return off_v, off_soc, abs(energy[0] - energy[1] - gained_j) / moved_j


def compared(hours: float, method: str = "LSODA") -> Iterator[Check]:
    """Rows for each battery over so many hours."""
    for model in MODELS:
        off_v, off_soc, missing = worst(model, hours, method)
        what = f"{model}: RK4 on the 5 s grid, {hours:g} h"
        source = f"scipy {method}, rtol {'1e-11' if method == 'LSODA' else '1e-10'}"
        yield Check(
            what=f"{what}: voltage", value=off_v, reference=0.0, tolerance=1e-3, unit="V", source=source
        )
        yield Check(what=f"{what}: charge", value=off_soc, reference=0.0, tolerance=1e-4, source=source)
        yield Check(what=f"{what}: energy missing of that moved", value=missing, reference=0.0, tolerance=1e-6,
                    source="conservation of energy")  # fmt: skip


def a_day() -> Iterator[Check]:
    """The whole published profile."""
    yield from compared(24.0)


def some_minutes() -> Iterator[Check]:
    """A short one, for every run of the tests, a part of it beside Radau: it vouches for the faster reference."""
    yield from compared(0.4)
    yield from compared(0.1, "Radau")
