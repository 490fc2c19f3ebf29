"""Ageing of lead-acid by cycle counting: each swing of charge takes its share of the cycles a data sheet promises.

Miner's rule over rainflow cycles, plus the float life, which halves for every 10 K. Blind to how the battery is
treated between: the weighted throughput of `plant.battery.weighted_ah` sees more.
"""

from typing import NamedTuple

from plant.battery import rainflow
from plant.battery.acid import LeadAcid
from plant.battery.wear import HOURS_PER_YEAR, LIFE_LOSS, MOST_LOST, Hours, Life, Loss

HALVING_K = 10.0


class MinerState(NamedTuple):
    """What the law remembers."""

    cycled: float = 0.0  # share of the cycle life that is over
    floated: float = 0.0  # share of the float life that is over
    lost: float = 0.0  # capacity that was gone before the law took over
    pending: tuple[float, ...] = ()  # turning points of the charge that are not a cycle yet


State = MinerState  # by which `ageing` finds it


def cycles_to_end(depth: float, life: Life) -> float:
    """Cycles of a depth (0..1] until 80 % of the capacity is left."""
    return float(life.cycles * depth**-life.cycles_exponent)


def age_one_day(state: MinerState, hours: Hours, p: LeadAcid, life: Life) -> MinerState:
    """The state a day of use later."""
    cycles, pending = rainflow.counted(state.pending, (float(soc) for soc in hours.soc))
    cycled = sum(cycle.times / cycles_to_end(cycle.depth, life) for cycle in cycles)
    per_hour = 1.0 / (life.float_years * HOURS_PER_YEAR)
    floated = sum(per_hour * 2.0 ** ((float(t_c) - 25.0) / HALVING_K) for t_c in hours.t_c)
    return MinerState(state.cycled + cycled, state.floated + floated, state.lost, pending)


def loss(state: MinerState, life: Life) -> Loss:
    """What is gone: a fifth of the capacity when either life or both together are over."""
    q_loss = min(MOST_LOST, state.lost + LIFE_LOSS * (state.cycled + state.floated))
    return Loss(q_loss, 1.0 / (1.0 - q_loss) - 1.0)


def fresh(lost: float = 0.0) -> MinerState:
    """A battery that has already lost a share of its capacity."""
    return MinerState(lost=lost)
