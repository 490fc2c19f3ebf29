"""Batteries on a bench: constant currents and voltages at a constant temperature, integrated by scipy's Radau.

Only the equations are the plant's (`plant.battery.model.rates`); the integrator is not. Runs are kept, so that a long
one answers many questions.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from plant.battery import model as battery
from plant.battery.file import load_block
from validation.battery_tables import PUBLISHED

HOUR_S = 3600.0
Current = Callable[[Any], float]


@cache
def bath(model: str, **changes: float) -> Any:
    """A block in a bath that holds its temperature: the reference values are for a constant one."""
    return load_block(model)._replace(heat_capacity_j_k=1e15, **changes)


@cache
def as_published(model: str, **changes: float) -> Any:
    """A block with the parameters and equations that the check values were computed with apart from this code.

    Three things came later and are switched off: the slow polarisation, the charging reaction's own side reaction, and
    the empty well that gives nothing.
    """
    off = {"surface_f": 1e15, "charge_efficiency": 1.0, "empty_below": -1.0, "cold_depletion_per_k": 0.0042}
    return bath(model)._replace(**{**PUBLISHED[model], **off, **changes})


def terminal_v(x: Any, i_a: float, p: Any) -> float:
    """Voltage [V] at the terminals under a current [A], positive into the battery."""
    seen = battery.source(x, p)
    return seen.v_node_v + (seen.r_charge_ohm if i_a > 0.0 else seen.r_discharge_ohm) * i_a


def held_at(volts: float, limit_a: float, p: Any) -> Current:
    """The current of a charger that holds a voltage [V], gives no more than a limit [A] and takes nothing back."""

    def current(x: Any) -> float:
        seen = battery.source(x, p)
        return max(0.0, min(limit_a, (volts - seen.v_node_v) / seen.r_charge_ohm))

    return current


def run(
    p: Any, x: Any, current: float | Current, seconds: float, t_c: float = 25.0,
    until: Callable[[Any], float] | None = None, times_s: Any = None,
) -> Any:  # fmt: skip
    """Integrate a battery.

    Parameters
    ----------
    p, x : parameters and state
    current : float or callable
        Into the battery [A], or as a function of the state.
    seconds : float
    t_c : float
        Temperature of the room [degC].
    until : callable, optional
        Function of the state; the run ends where it crosses 0.
    times_s : (n,) array, optional
        Where the solution is wanted; else it can be asked anywhere by ``.sol(t)``.

    Returns
    -------
    scipy's solution
    """
    state = type(x)

    def rhs(_t: float, y: np.ndarray) -> np.ndarray:
        now = state(*y)
        i_a = current(now) if callable(current) else current
        return np.array(battery.rates(now, i_a, t_c, p)[0])

    def crossed(_t: float, y: np.ndarray) -> float:
        assert until is not None
        return until(state(*y))

    crossed.terminal = True  # type: ignore[attr-defined]
    return solve_ivp(
        rhs, (0.0, seconds), np.array(x), method="Radau", rtol=1e-7, atol=1e-9,
        events=crossed if until else None, t_eval=times_s, dense_output=times_s is None,
    )  # fmt: skip


def last(p: Any, solution: Any) -> Any:
    """The state that a run ended in."""
    return type(battery.rested(0.5, 25.0, p))(*(float(v) for v in solution.y[:, -1]))


@cache
def discharged(p: Any, i_a: float, cut_v: float, t_c: float = 25.0, start: Any = None) -> Any:
    """A discharge at a constant current [A] from full, or from a state, to a voltage at the terminals."""
    x = battery.rested(1.0, t_c, p) if start is None else start
    return run(p, x, -i_a, 150.0 * HOUR_S, t_c, until=lambda now: terminal_v(now, -i_a, p) - cut_v)


def hours_to(p: Any, i_a: float, cut_v: float, t_c: float = 25.0, start: Any = None) -> float:
    """How long [h] such a discharge takes."""
    return float(discharged(p, i_a, cut_v, t_c, start).t[-1]) / HOUR_S


def voltages(p: Any, solution: Any, i_a: float, times_s: Any) -> np.ndarray:
    """Terminal voltages [V] of a run at a constant current at some times."""
    state = type(battery.rested(0.5, 25.0, p))
    return np.array([terminal_v(state(*y), i_a, p) for y in solution.sol(np.asarray(times_s)).T])


def soc_from_soc20(soc20: float, p: Any) -> float:
    """SOC of the slow-rate capacity from a data sheet's SOC, which is a share of C20."""
    return float(1.0 - (1.0 - soc20) * p.c20_ah / p.full_capacity_ah)
