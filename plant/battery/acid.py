"""What a lead-acid battery is: its parameters, what temperature makes of them, open-circuit voltage and frost.

Knows no current: how the battery moves is in `plant.battery.leadacid`.
"""

import math
from typing import NamedTuple

from plant.base.jit import inline_llvm, kernel


class LeadAcid(NamedTuple):
    """Parameters of one battery of `cells` cells in series, at 25 degC where it matters."""

    cells: float
    full_capacity_ah: float  # at a very slow rate: what SOC is a share of
    c20_ah: float  # rated 20-hour capacity
    # Open-circuit voltage of a cell over how full a well is, h (0..1): empty + linear h + quadratic h^2.
    ocv_empty_v_cell: float
    ocv_linear_v_cell: float
    ocv_quadratic_v_cell: float
    available_fraction: float  # share of the charge that lies in the available well when full
    diffusion_rate_per_h: float  # between the wells on discharge
    charge_diffusion_ratio: float  # how many times faster it is on charge
    discharge_exchange_a: float  # discharge kinetics: exchange current and Tafel slope
    discharge_tafel_v_cell: float
    depletion_strength: float  # how much the acid's depletion slows discharge down ...
    depletion_depth: float  # ... and the share of the available well taken out at which it ends
    # Filling of the available well below which it gives ever less, nothing when empty (guess).
    empty_below: float
    cold_depletion_per_k: float  # share of it that cold holds back, per kelvin below 25 degC
    r0_ohm: float  # ohmic resistance
    charge_exchange_a: float  # charge kinetics
    charge_tafel_v_cell: float
    saturation_strength: float  # how much a well that fills slows charge down
    charge_efficiency: float  # share of the charging reaction that is stored; the rest splits water
    # Slow polarisation: capacitance, and where it settles under the 20-hour current, on charge and on discharge.
    surface_f: float
    surface_charge_v_cell: float
    surface_discharge_v_cell: float
    gassing_a_per_100ah: float  # gassing current at 2.23 V per cell
    gassing_capacity_ah: float  # nominal capacity that the gassing scales with: that of the new battery
    double_layer_f: float
    heat_capacity_j_k: float
    heat_transfer_w_k: float  # to the room
    vented: float  # share of the gas that leaves (1 flooded) instead of recombining (0 sealed)


class LeadAcidState(NamedTuple):
    """What the battery remembers. The same five numbers serve as their own time derivative."""

    q1_ah: float  # available well
    q2_ah: float  # bound well
    v_node_v: float  # electrode node: terminal voltage without the ohmic drop and the slow polarisation
    v_slow_v: float  # slow polarisation, positive after charging
    t_c: float


class SurfaceCharge(NamedTuple):
    """The slow polarisation of a whole battery."""

    i_ref_a: float  # the leak at the two reference voltages: the 20-hour current
    per_charge_v: float  # 1 / voltage at which it leaks so much after charging [1/V], and after discharging
    per_discharge_v: float
    per_f: float  # 1 / capacitance
    per_ref_a: float  # 1 / leak at the reference voltages


class LeadAcidAtTemperature(NamedTuple):
    """What the parameters come to at a temperature: exponentials and reciprocals taken once for many instants."""

    p: LeadAcid
    per_well1: float  # 1 / capacity of the available well [1/Ah]
    per_well2: float
    exchange_ah: float  # c (1 - c) Q
    r0_ohm: float
    discharge_exchange_a: float
    charge_exchange_a: float
    cold: float  # how much of the acid the cold holds back
    per_discharge_tafel_v: float  # 1 / Tafel slope of all cells
    per_charge_tafel_v: float
    gassing_a: float  # at no voltage at all
    gassing_per_v: float
    diffusion_rate_per_h: float
    per_double_layer_f: float
    surface: SurfaceCharge
    per_heat_capacity_j_k: float
    per_swing_v: float  # 1 / how far the electrode node may move in one step of the full model


SWING_V_CELL = 0.04 / 6.0
ENTROPY_V_PER_K_CELL = 2e-4  # temperature coefficient of the open-circuit voltage
SG_BELOW_OCV = 0.845  # specific gravity of the acid = open-circuit voltage of a cell at 25 degC minus this
FREEZING = (  # specific gravity, freezing point [degC], weakest acid first (battery makers' freezing charts)
    (1.000, 0.0), (1.050, -3.0), (1.100, -8.0), (1.150, -15.0), (1.200, -27.0), (1.225, -37.0), (1.265, -59.0),
)  # fmt: skip
GASSING_AT_0 = math.exp(-11.0 * 2.23)  # extrapolated from 2.23 V to no voltage at all


@inline_llvm
def at_temperature(t_c: float, p: LeadAcid) -> LeadAcidAtTemperature:
    """Parameters at a temperature [degC]."""
    per_mille = math.exp(0.001 * (t_c - 25.0))  # every Arrhenius factor is a power of this one
    theta = per_mille**20
    return LeadAcidAtTemperature(
        p,
        1.0 / (p.available_fraction * p.full_capacity_ah),
        1.0 / ((1.0 - p.available_fraction) * p.full_capacity_ah),
        p.available_fraction * (1.0 - p.available_fraction) * p.full_capacity_ah,
        p.r0_ohm / per_mille**12,
        theta * p.discharge_exchange_a,
        theta * p.charge_exchange_a,
        p.cold_depletion_per_k * max(0.0, 25.0 - t_c),
        1.0 / (p.cells * p.discharge_tafel_v_cell),
        1.0 / (p.cells * p.charge_tafel_v_cell),
        p.gassing_capacity_ah / 100.0 * p.gassing_a_per_100ah * GASSING_AT_0 * per_mille**60,
        11.0 / p.cells,
        p.diffusion_rate_per_h * per_mille**11,
        1.0 / p.double_layer_f,
        SurfaceCharge(
            p.c20_ah / 20.0,
            1.0 / (p.cells * p.surface_charge_v_cell),
            1.0 / (p.cells * p.surface_discharge_v_cell),
            1.0 / p.surface_f,
            20.0 / p.c20_ah,
        ),
        1.0 / p.heat_capacity_j_k,
        1.0 / (SWING_V_CELL * p.cells),
    )


@inline_llvm
def emf(h: float, t_c: float, p: LeadAcid) -> float:
    """Open-circuit voltage [V] of the battery at a well filled to `h` (0..1)."""
    return p.cells * (
        p.ocv_empty_v_cell
        + h * (p.ocv_linear_v_cell + h * p.ocv_quadratic_v_cell)
        + ENTROPY_V_PER_K_CELL * (t_c - 25.0)
    )


@kernel
def freezing_point_c(h1: float, p: LeadAcid) -> float:
    """Temperature [degC] at which the acid of a well filled to `h1` begins to freeze."""
    gravity = p.ocv_empty_v_cell + h1 * (p.ocv_linear_v_cell + h1 * p.ocv_quadratic_v_cell) - SG_BELOW_OCV
    if gravity <= FREEZING[0][0]:
        return FREEZING[0][1]
    for j in range(1, len(FREEZING)):
        if gravity <= FREEZING[j][0]:
            share = (gravity - FREEZING[j - 1][0]) / (FREEZING[j][0] - FREEZING[j - 1][0])
            return FREEZING[j - 1][1] + share * (FREEZING[j][1] - FREEZING[j - 1][1])
    return FREEZING[-1][1]
