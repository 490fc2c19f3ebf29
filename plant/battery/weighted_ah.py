"""Ageing of lead-acid by weighted throughput: an ampere-hour taken in a bad state wears more.

Schiffer et al., J. Power Sources 168 (2007) 66: low charge, long time since the last full one, small current,
stratified acid; the grid corrodes as on float. Corrosion's dependence on voltage is left out: the float life and the
rule of 15 K stand for it. Stratification is for vented batteries only: mat and gel hold the acid in place.
"""

import math
from typing import NamedTuple

from plant.battery.acid import LeadAcid
from plant.battery.wear import HOURS_PER_YEAR, LIFE_LOSS, MOST_LOST, Hours, Life, Loss

C_SOC_0_PER_H = 6.614e-5
C_SOC_MIN_PER_H = 3.307e-3
# A charge that ends above `FULL_SOC` is full (the paper: 0.9999, which real absorption never reaches); one that ends
# between the two is a bad one.
FULL_SOC = 0.99
BAD_SOC = 0.90
N_BAD_SCALE = 10.8  # bad charges that make crystals grow e times as fast
N_BAD_MAX = N_BAD_SCALE  # without a bound a winter of bad charges would multiply wear by hundreds (guess)
C_PLUS_PER_H = 1.0 / 30.0
C_MINUS_PER_H = 0.1
GASSING_V = 2.3  # per cell; below it gas doesn't stir
GASSING_REF_V = 2.5
DIFFUSION_M2_S = 20e-9
C_DEG_LIMIT = 0.8
CORROSION_R_GAIN = 0.25  # resistance that corrosion has added by then (guess)
HALVING_K = 15.0


class WeightedAhState(NamedTuple):
    """What the law remembers."""

    z_w: float = 0.0  # weighted throughput, in nominal capacities
    corroded: float = 0.0  # share of the float life that is over
    hours_since_full: float = 0.0
    soc_min: float = 1.0  # since then
    n_bad: float = 0.0  # charges since then that ended early
    top_soc: float = 1.0  # highest of the charge that goes on, 0 while none does
    f_strat: float = 0.0
    lost: float = 0.0  # capacity that was gone before the law took over


State = WeightedAhState  # by which `ageing` finds it


def degradation(z_share: float) -> float:
    """Share of the capacity lost after so much of the weighted cycle life; 0.8 at 1.6."""
    return C_DEG_LIMIT * math.exp(-5.0 * (1.0 - z_share / 1.6))


def current_factor(i_a: float, i10_a: float, n_bad: float) -> float:
    """How much worse a small current and bad charges make crystals of sulphate grow."""
    return math.sqrt(i10_a / i_a) * math.exp(n_bad / N_BAD_SCALE)


def soc_factor(soc_min: float, hours_since_full: float, current: float) -> float:
    """Weight of an ampere-hour by the depth and time since the last full charge."""
    return 1.0 + (C_SOC_0_PER_H + C_SOC_MIN_PER_H * (1.0 - soc_min)) * current * hours_since_full


def stratified(
    f_strat: float, soc_min: float, i_a: float, v_cell_v: float, t_c: float, p: LeadAcid, life: Life
) -> float:
    """Stratification an hour later, under a current out of the battery [A] and a voltage per cell [V]."""
    grows = C_PLUS_PER_H * (1.0 - soc_min) * math.exp(-3.0 * f_strat) * i_a / (p.c20_ah / 10.0)
    falls = 8.0 * DIFFUSION_M2_S / life.plate_height_m**2 * 3600.0 * f_strat * math.exp2((t_c - 20.0) / 10.0)
    if v_cell_v > GASSING_V:
        stirred = math.exp(11.0 * (v_cell_v - GASSING_REF_V) + 0.06 * (t_c - 25.0))
        falls += C_MINUS_PER_H * math.sqrt(100.0 / p.gassing_capacity_ah) * stirred
    return max(0.0, f_strat + p.vented * grows - falls)


def bad_charge(top_soc: float) -> float:
    """How much a charge that ended early counts: 1 at 95 %, nothing at 90 and 100 %."""
    return (0.0025 - (0.95 - top_soc) ** 2) / 0.0025 if BAD_SOC <= top_soc <= FULL_SOC else 0.0


def age_one_day(state: WeightedAhState, hours: Hours, p: LeadAcid, life: Life) -> WeightedAhState:
    """The state a day of use later; `p` are the parameters of the new battery."""
    for k in range(len(hours.soc)):
        state = _hour(
            state, hours.charged_ah[k], hours.discharged_ah[k], hours.soc[k], hours.t_c[k],
            hours.v_v[k] / p.cells, p, life,
        )  # fmt: skip
    return state


def _hour(
    s: WeightedAhState, charged_ah: float, out_ah: float, soc: float, t_c: float, v_cell_v: float,
    p: LeadAcid, life: Life,
) -> WeightedAhState:  # fmt: skip
    """One hour: what was taken is weighed by the state before it."""
    i10_a = p.c20_ah / 10.0
    soc_min, since_h, n_bad, top = min(s.soc_min, soc), s.hours_since_full + 1.0, s.n_bad, s.top_soc
    if soc > FULL_SOC:
        soc_min, since_h, n_bad, top = 1.0, 0.0, 0.0, 1.0
    elif charged_ah > out_ah:
        top = max(top, soc)
    elif top > 0.0 and out_ah > 0.0 and soc < BAD_SOC:
        n_bad, top = min(N_BAD_MAX, n_bad + bad_charge(top)), 0.0
    f_strat = stratified(s.f_strat, soc_min, out_ah, v_cell_v, t_c, p, life)
    z_w = s.z_w
    if out_ah > 1e-4 * i10_a:  # less than a thousandth of the 100-hour current wears nothing
        weight = soc_factor(soc_min, since_h, current_factor(out_ah, i10_a, n_bad))
        weight *= 1.0 + f_strat * math.sqrt(i10_a / out_ah)
        z_w += out_ah / p.c20_ah * weight
    corroded = s.corroded + math.exp2((t_c - 25.0) / HALVING_K) / (life.float_years * HOURS_PER_YEAR)
    return WeightedAhState(z_w, corroded, since_h, soc_min, n_bad, top, f_strat, s.lost)


def loss(state: WeightedAhState, life: Life) -> Loss:
    """What is gone: by use (0 when new), by corrosion, and what was gone before."""
    used = degradation(state.z_w / life.full_cycles) - degradation(0.0)
    q_loss = min(MOST_LOST, state.lost + used + LIFE_LOSS * state.corroded)
    return Loss(q_loss, 1.0 / (1.0 - q_loss) - 1.0 + CORROSION_R_GAIN * state.corroded)


def fresh(lost: float = 0.0) -> WeightedAhState:
    """A battery that has already lost a share of its capacity, full and well mixed."""
    return WeightedAhState(lost=lost)
