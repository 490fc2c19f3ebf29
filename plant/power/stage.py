"""The power stage as the kernel takes it: what a controller can do at its system voltage, and how heat cuts it down."""

from typing import NamedTuple

from plant.base.jit import inline_ir


class PowerStage(NamedTuple):
    """A controller at its system voltage, as the kernel takes it."""

    i_max_a: float
    p_max_w: float
    above_v: float
    v_max_v: float
    efficiency: float
    k_c: float
    k_s: float
    r_eq: float
    own_w: float
    path_ohm: float
    heatsink_k_w: float
    heatsink_j_k: float
    load_rated_a: float
    pv_wiring_ohm: float  # cable from the array
    awake_v: float  # below this battery voltage the controller is off
    dim_below_a: float = 0.0  # `ControllerModel` says what these are; at 0 the converter always works
    dim_drop_v: float = 0.0
    dim_drop_v_root_a: float = 0.0
    dim_bridge_v: float = 0.0
    dim_bridge_from_a: float = 0.0
    dim_bridge_until_a: float = 0.0
    dim_start_a: float = 0.0
    dim_lost_a: float = 0.0
    dark_pv_v: float = 0.0


DERATE_FROM_C = 81.0
# Share of the rating left from 81, 82, 83 and 84 degC on (MAN_TRIRON, MAN_XTRA).
DERATED = (0.95, 0.90, 0.80, 0.60)


@inline_ir
def derating(t_heatsink_c: float) -> float:
    """Share of the rated charge current and power that is left at a heat-sink temperature."""
    above = t_heatsink_c - DERATE_FROM_C
    if above < 0.0:
        return 1.0
    return DERATED[min(int(above), len(DERATED) - 1)]
