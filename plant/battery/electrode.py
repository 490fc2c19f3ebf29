"""Between a lead-acid battery's wells and its terminals: the main reaction, and a slow polarisation in series.

The reaction: charge overvoltage grows with the logarithm of current, as measured; on discharge the acid in the plates
runs out, and an empty well gives nothing.

The slow polarisation is what charging leaves at the plates' surface, and a night uses up: a capacitor whose leak grows
with the eighth power of its voltage. So it follows small currents for hours (-25 mV/h under C/375 in a measured
night) and stays close to one voltage under large ones: as good as the logarithm of an exponential leak, for the price
of four products. The law and its power are empirical.
"""

import math
from typing import NamedTuple

from plant.base.jit import inline_ir, inline_llvm
from plant.battery.acid import LeadAcid, LeadAcidAtTemperature, SurfaceCharge

# A full well under hard overcharge (2.8 V a cell and 60 degC, when a cell is shorted) takes no more than its reaction
# does at exp(12): beyond it the well would settle within hundredths of a second, and nothing else would change.
STEEPEST = 12.0
NO_LEAK = 0.7  # of the voltage that leaks the 20-hour current: below it a twentieth of that leaks


class Reaction(NamedTuple):
    """The main reaction at an instant: its current, and how stiffly it answers."""

    i_a: float
    per_v: float  # d(current)/d(overvoltage) [A/V]
    per_h: float  # -d(current)/d(h1) on charge [A]: how hard a full well pushes back
    starved: float  # the same on discharge [A]: how hard an empty one holds back


@inline_ir
def share(x: float) -> float:
    """``(1 + tanh x) / 2``, exactly 0 or 1 where a double can't tell."""
    if x > 20.0:
        return 1.0
    if x < -20.0:
        return 0.0
    return 1.0 / (1.0 + math.exp(-2.0 * x))


@inline_llvm
def most_a(h1: float, p: LeadAcid) -> float:
    """Largest discharge current [A] of an available well filled to `h1`: none when empty, the 20-hour one half way."""
    if h1 >= p.empty_below:
        return math.inf
    filled = max(h1, 0.0) / p.empty_below
    return p.c20_ah / 20.0 * filled / (1.0 - filled)


@inline_llvm
def reaction(u_v: float, h1: float, w: LeadAcidAtTemperature) -> Reaction:
    """Main reaction, positive when charging, at overvoltage `u_v` of the whole battery.

    Discharge: Butler-Volmer with depletion near empty, up to `most_a`. Charge: vanishes at full
    (h1 = 1 attracts). A tanh of 10 mV hands over between the two.
    """
    charging = share(u_v * 100.0)
    room = 1.0 - h1
    i_dis, slope_dis, i_chg, slope_chg, pull, starved = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if charging < 1.0:
        x = w.p.depletion_depth - w.cold - room
        root = math.sqrt(x * x + 4e-6)
        left = 0.5 * (x + root)
        both = 1.0 / ((left + w.p.depletion_strength * room) * root)
        gain = 0.5 * w.discharge_exchange_a * left * root * both
        up = math.exp(max(-40.0, min(40.0, u_v * w.per_discharge_tafel_v)))
        down = 1.0 / up
        i_dis = gain * (up - down)
        slope_dis = gain * (up + down) * w.per_discharge_tafel_v
        starved = (charging - 1.0) * i_dis * w.p.depletion_strength * (room + root) * both
    if charging > 0.0:
        per_width = 1.0 / (abs(room) + w.p.saturation_strength * h1)
        up = math.exp(max(-40.0, min(STEEPEST, u_v * w.per_charge_tafel_v)))
        down = 1.0 / up
        gain = 0.5 * w.charge_exchange_a * per_width
        i_chg = gain * room * (up - down)
        slope_chg = gain * room * (up + down) * w.per_charge_tafel_v
        pull = charging * gain * (up - down) * w.p.saturation_strength * per_width
    turn = charging * (1.0 - charging) * 200.0  # d(charging)/du
    i_a = charging * i_chg + (1.0 - charging) * i_dis
    per_v = charging * slope_chg + (1.0 - charging) * slope_dis + turn * (i_chg - i_dis)
    if h1 < w.p.empty_below and u_v < 0.0:
        most = most_a(h1, w.p)
        left = most / (most - i_a) if i_a < 0.0 else 1.0
        kept = 1.0 - max(h1, 0.0) / w.p.empty_below
        most_per_h = w.p.c20_ah / 20.0 / (w.p.empty_below * kept * kept)
        starved = starved * left * left + (1.0 - left) * (1.0 - left) * most_per_h
        i_a *= left
        per_v *= left * left
        pull *= left * left
    return Reaction(i_a, per_v, pull, starved)


@inline_llvm
def leak(v_slow_v: float, s: SurfaceCharge) -> tuple[float, float]:
    """Current [A] that a slow polarisation loses by itself, of its own sign, and its slope [A/V]."""
    per_v = s.per_charge_v if v_slow_v > 0.0 else s.per_discharge_v
    y = abs(v_slow_v) * per_v
    y2 = y * y
    y4 = y2 * y2
    # multiplied in pairs, which wait for each other least
    return math.copysign(s.i_ref_a * (y4 * y4), v_slow_v), (8.0 * s.i_ref_a * per_v) * (y4 * (y2 * y))


@inline_llvm
def aimed_at(v_slow_v: float, i_a: float, seconds: float, s: SurfaceCharge) -> float:
    """About where a slow polarisation [V] comes to under a current [A]: where `in_series` may begin to look.

    It goes neither beyond what the current alone would do nor beyond where all of that would leak away again, and
    comes to within a tenth of the nearer of the two.
    """
    gain = seconds * s.per_f
    aim = v_slow_v + gain * i_a
    per_v = s.per_charge_v if aim > 0.0 else s.per_discharge_v
    if abs(aim) * per_v < NO_LEAK:
        return aim
    wall = math.sqrt(math.sqrt(math.sqrt(abs(aim) / (gain * s.i_ref_a)))) / per_v
    return math.copysign(min(abs(aim), wall), aim)


@inline_llvm
def in_series(v_guess_v: float, v_slow_v: float, per_gain: float, s: SurfaceCharge) -> tuple[float, float]:
    """Slow polarisation at the end of an implicit Euler step as a straight line in the current: ``v + r i``.

    A Newton step for ``(v - v0) C/h = i - leak(v)``, whatever the current: the leak is convex on either side of 0, so
    it needs no guard.

    Parameters
    ----------
    v_guess_v : float
        Where the line touches.
    v_slow_v : float
        At the step's beginning.
    per_gain : float
        Capacitance over the length of the step [A/V].
    s : SurfaceCharge

    Returns
    -------
    v_v, r_ohm : float
    """
    i_a, slope_s = leak(v_guess_v, s)
    r_ohm = 1.0 / (per_gain + slope_s)
    return (slope_s * v_guess_v - i_a + per_gain * v_slow_v) * r_ohm, r_ohm
