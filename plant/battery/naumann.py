"""Ageing of LiFePO4: calendar and cycles, fitted to Sony/Murata US26650 cells.

Naumann et al., J. Energy Storage 17 (2018) 153 and J. Power Sources 451 (2020) 227666. Both losses of capacity grow
with a square root, so under changing stress k the law goes on in virtual time: ``d(Q^2) = k^2 dt``. Fitted between 0
and 60 degC (calendar) and at 40 degC (cycles), to 1C; damage by cold charging is not in it, a BMS forbids that.
"""

import math
from typing import NamedTuple

from plant.battery import rainflow
from plant.battery.lithium import Lithium
from plant.battery.wear import MOST_LOST, Hours, Life, Loss

GAS_J_MOL_K = 8.314462618
T25_K = 298.15


class NaumannState(NamedTuple):
    """What the law remembers. Squares, because those add up."""

    calendar_q2: float = 0.0
    cycle_q2: float = 0.0
    calendar_r: float = 0.0
    cycle_r: float = 0.0
    lost: float = 0.0  # capacity that was gone before the law took over
    pending: tuple[float, ...] = ()  # turning points of the charge that are not a cycle yet


State = NaumannState  # by which `ageing` finds it


def _arrhenius(energy_j_mol: float, t_c: float) -> float:
    return math.exp(-energy_j_mol / GAS_J_MOL_K * (1.0 / (t_c + 273.15) - 1.0 / T25_K))


def calendar_q_stress(t_c: float, soc: float) -> float:
    """Calendar loss of capacity per root second."""
    return 1.2571e-5 * _arrhenius(17126.0, t_c) * (2.8575 * (soc - 0.5) ** 3 + 0.60225)


def cycle_q_stress(c_rate: float, depth: float) -> float:
    """Cyclic loss of capacity per root full equivalent cycle."""
    return 0.01 * (0.0630 * c_rate + 0.0971) * (4.0253 * (depth - 0.6) ** 3 + 1.0923)


def calendar_r_rate(t_c: float, soc: float) -> float:
    """Calendar growth of resistance per second."""
    return 3.4194e-10 * _arrhenius(71827.0, t_c) * (-3.3903 * (soc - 0.5) ** 2 + 1.5604)


def cycle_r_rate(c_rate: float, depth: float) -> float:
    """Cyclic growth of resistance per full equivalent cycle; the fit would go below 0 above 1.05C."""
    return 0.01 * max(0.0, 0.0021 - 0.0020 * c_rate) * (6.8477 * (depth - 0.5) ** 3 + 0.9182)


def rested_for(state: NaumannState, seconds: float, t_c: float, soc: float) -> NaumannState:
    """The state after so long at a temperature and charge."""
    return state._replace(
        calendar_q2=state.calendar_q2 + calendar_q_stress(t_c, soc) ** 2 * seconds,
        calendar_r=state.calendar_r + calendar_r_rate(t_c, soc) * seconds,
    )


def cycled(state: NaumannState, full_cycles: float, c_rate: float, depth: float) -> NaumannState:
    """The state after so many full equivalent cycles of a rate and depth."""
    return state._replace(
        cycle_q2=state.cycle_q2 + cycle_q_stress(c_rate, depth) ** 2 * full_cycles,
        cycle_r=state.cycle_r + cycle_r_rate(c_rate, depth) * full_cycles,
    )


def age_one_day(state: NaumannState, hours: Hours, p: Lithium, life: Life) -> NaumannState:
    """The state a day of use later. Cycles that close today are taken at today's mean rate, by charge moved."""
    for t_c, soc in zip(hours.t_c, hours.soc, strict=True):
        state = rested_for(state, 3600.0, float(t_c), float(soc))
    through = hours.charged_ah + hours.discharged_ah
    c_rate = float((through**2).sum() / max(through.sum(), 1e-9)) / p.full_capacity_ah
    cycles, pending = rainflow.counted(state.pending, (float(soc) for soc in hours.soc))
    for cycle in cycles:
        state = cycled(state, cycle.depth * cycle.times, c_rate, cycle.depth)
    return state._replace(pending=pending)


def loss(state: NaumannState, life: Life) -> Loss:
    """What is gone by calendar, by cycles, and what was gone before."""
    q_loss = state.lost + math.sqrt(state.calendar_q2) + math.sqrt(state.cycle_q2)
    return Loss(min(MOST_LOST, q_loss), state.calendar_r + state.cycle_r)


def fresh(lost: float = 0.0) -> NaumannState:
    """A battery that has already lost a share of its capacity, and gained resistance in keeping."""
    return NaumannState(calendar_r=1.0 / (1.0 - lost) - 1.0, lost=lost)
