"""Dim light: the array is passed through to the battery, and stands a little above it, in place of being tracked.

Logs of three Tracer AN units (12 V, one module) show it below some 1.35 A of charge: array less battery voltage is
``1.17 V + 0.44 V sqrt(i / A)``, and on a second branch, as if a switch had bridged a diode, 0.9 V. So little light is
charged down to 0.01 A, at what the array gives near the battery's voltage. Of arrays of a higher voltage nobody has
published a log.
"""

import math
from enum import IntEnum
from typing import Any

from plant.base.jit import inline_ir
from plant.power.converter import converter_loss_w
from plant.power.offer import Offer, curve_of, near, tracked
from plant.power.stage import PowerStage

SHORT_S = 60.0
LONG_STEP = 0.93  # of the threshold in longer steps, by years of two places in 15 min and 1 h beside 5 s


class Conduction(IntEnum):
    """Which way the array's current takes to the battery."""

    NONE = 0  # too little light to begin
    DIODE = 1  # passed through
    BRIDGE = 2  # passed through, the diode bridged
    SWITCHING = 3  # the converter works


@inline_ir
def dim_light(
    was: int, day: Any, k: int, v_batt_v: float, seconds: float, s: PowerStage
) -> tuple[int, Offer]:
    """Which way the current takes during a step, and what the array offers if that isn't the converter.

    Passing begins at `dim_start_a`, and ends where nothing would come out or once it would carry `dim_below_a`;
    tracking ends once neither way would give that much.

    Parameters
    ----------
    was : int
        `Conduction` in the step before.
    day, k : ArrayDay or CompositeDay, int
    v_batt_v : float
        Battery voltage as the unit last saw it.
    seconds : float
        Of the step. Within a long one the light comes and goes, and the unit tracks at a lower mean.
    s : PowerStage

    Returns
    -------
    int, Offer
        The offer counts only if it `passes`; else the tracker makes one.
    """
    c, v_oc = curve_of(day, k), day.v_oc_v[k]
    switching = tracked(c, v_oc, v_oc, 0.0)
    below = s.dim_below_a if seconds <= SHORT_S else LONG_STEP * s.dim_below_a
    if v_batt_v < s.awake_v:  # at the start it isn't known yet
        return was, switching
    if below <= 0.0:
        return Conduction.SWITCHING.value, switching
    if was == Conduction.SWITCHING.value:
        v_mp, p_mp = day.v_mp_v[k], day.p_mp_w[k]
        if s.efficiency * p_mp >= below * v_batt_v + converter_loss_w(v_mp, below, s):
            return was, switching
    if v_oc <= v_batt_v + s.dim_drop_v:
        return Conduction.NONE.value, Offer(c, v_oc, v_oc, 0.0, True, 0.0, 0.0, v_batt_v, s.dim_drop_v, 0.0)
    i, slope = near(c, v_batt_v + s.dim_drop_v)
    way, drop, per_root = Conduction.DIODE.value, s.dim_drop_v, s.dim_drop_v_root_a
    until = s.dim_bridge_until_a if was == Conduction.BRIDGE.value else s.dim_bridge_from_a
    if i - s.dim_lost_a >= until:
        way, drop, per_root = Conduction.BRIDGE.value, s.dim_bridge_v, 0.0
    more = drop + per_root * math.sqrt(i) - s.dim_drop_v  # so much higher the array really stands
    i += slope * more - s.dim_lost_a
    if i <= 0.0 or (was == Conduction.NONE.value and i < s.dim_start_a):
        way, i, slope = Conduction.NONE.value, 0.0, 0.0
    if i >= below:
        way = Conduction.SWITCHING.value
    v = v_batt_v + s.dim_drop_v + more
    v_mp, p_mp = day.v_mp_v[k], day.p_mp_w[k]
    if v_mp < v:  # a hot module
        v_mp, p_mp = v, v * (i + s.dim_lost_a)
    return way, Offer(
        c, v_oc, v_mp, p_mp, way != Conduction.SWITCHING.value, i, slope, v_batt_v, drop, per_root
    )
