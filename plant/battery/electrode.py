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
CLOSE_SLOW_V = 1e-3  # a Newton step of the slow polarisation shorter than this is the last: it leaves 0.01 mV
MOST_SLOW = 21  # rounds; two or three are enough
MOST_FILLINGS = 40  # of a round: one or two, more where a well runs empty
FAR = 0.1  # Tafel slopes: a Newton step farther than this follows the reaction's logarithm instead
HALF_FREE = 0.5  # a well that takes more of the reaction's slope than this is full
# Where discharge hands over to charge the reaction falls, from some 5 to 20 mV; until here the branches aren't apart.
TURNS_V, TURNED_V = 0.005, 0.04
STRAIGHT_V = 0.02  # a Newton step between them is believed up to here
TANGENT_C_RATE = 1e-4  # how far a tangent may have taken the reaction's current: share of the capacity
# No well ends a step emptier or fuller than this. Farther out, where gassing at the band's top would leave it at minus
# thirty, the EMF falls so steeply with the voltage that a Newton step comes out tiny far from the root.
FILLING = -1.0, 1.2
CORNER = 4e-6  # of `not_below_zero`: its square root is twice what is left at 0, a thousandth of a well
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
def not_below_zero(x: float) -> tuple[float, float]:
    """`x` where it is positive and else nothing, its corner rounded off; and the root that its slope is made of."""
    root = math.sqrt(x * x + CORNER)
    return 0.5 * (x + root), root


class Kinetics(NamedTuple):
    """What the main reaction's exponentials come to at an overvoltage."""

    charging: float  # share of the charge reaction, 0..1; the rest is the discharge reaction's
    discharge_up: float
    discharge_down: float
    charge_up: float
    charge_down: float


@inline_llvm
def kinetics(u_v: float, w: LeadAcidAtTemperature) -> Kinetics:
    """Exponentials at overvoltage `u_v` of the whole battery; those of a reaction without a share are left out."""
    charging = share(u_v * 100.0)
    discharge_up, discharge_down, charge_up, charge_down = 0.0, 0.0, 0.0, 0.0
    if charging < 1.0:
        discharge_up = math.exp(max(-40.0, min(40.0, u_v * w.per_discharge_tafel_v)))
        discharge_down = 1.0 / discharge_up
    if charging > 0.0:
        charge_up = math.exp(max(-40.0, min(STEEPEST, u_v * w.per_charge_tafel_v)))
        charge_down = 1.0 / charge_up
    return Kinetics(charging, discharge_up, discharge_down, charge_up, charge_down)


@inline_ir
def reaction(u_v: float, h1: float, w: LeadAcidAtTemperature) -> Reaction:
    """Main reaction, positive when charging, at overvoltage `u_v` of the whole battery.

    Discharge: Butler-Volmer with depletion near empty, up to `most_a`. Charge: vanishes at full
    (h1 = 1 attracts). A tanh of 10 mV hands over between the two.
    """
    return reaction_of(kinetics(u_v, w), u_v, h1, w)


@inline_llvm
def reaction_of(k: Kinetics, u_v: float, h1: float, w: LeadAcidAtTemperature) -> Reaction:
    """`reaction` where its exponentials are known."""
    charging = k.charging
    room = 1.0 - h1
    i_dis, slope_dis, i_chg, slope_chg, pull, starved = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if charging < 1.0:
        x = w.p.depletion_depth - w.cold - room
        left, root = not_below_zero(x)
        both = 1.0 / ((left + w.p.depletion_strength * room) * root)
        gain = 0.5 * w.discharge_exchange_a * left * root * both
        i_dis = gain * (k.discharge_up - k.discharge_down)
        slope_dis = gain * (k.discharge_up + k.discharge_down) * w.per_discharge_tafel_v
        starved = (charging - 1.0) * i_dis * w.p.depletion_strength * (room + root) * both
    if charging > 0.0:
        per_width = 1.0 / (abs(room) + w.p.saturation_strength * h1)
        gain = 0.5 * w.charge_exchange_a * per_width
        i_chg = gain * room * (k.charge_up - k.charge_down)
        slope_chg = gain * room * (k.charge_up + k.charge_down) * w.per_charge_tafel_v
        pull = charging * gain * (k.charge_up - k.charge_down) * w.p.saturation_strength * per_width
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


class Overvoltage(NamedTuple):
    """`reaction` the other way round: the overvoltage under a current."""

    u_v: float
    per_a: float  # d(overvoltage)/d(current) at the same filling [V/A]
    per_h: float  # d(overvoltage)/d(h1) on charge [V]; 0 on discharge, where there is little of it


@inline_llvm
def overvoltage(i_a: float, h1: float, w: LeadAcidAtTemperature) -> Overvoltage:
    """Overvoltage at which the main reaction carries a current, `h1` between 0 and 1.

    As if charge and discharge met in a point, without the tanh between them, and a well gave all that it is asked for:
    close to the solution of `reaction`, and where to look for it.
    """
    room = 1.0 - h1
    if i_a > 0.0:
        per_width = 1.0 / (room + w.p.saturation_strength * h1)
        scale = w.charge_exchange_a * room * per_width
        tafel_v = 1.0 / w.per_charge_tafel_v
        squeezed = tafel_v * w.p.saturation_strength * per_width / room
    else:
        x = w.p.depletion_depth - w.cold - room
        left, _ = not_below_zero(x)
        scale = w.discharge_exchange_a * left / (left + w.p.depletion_strength * room)
        tafel_v = 1.0 / w.per_discharge_tafel_v
        squeezed = 0.0
    root = math.sqrt(i_a * i_a + scale * scale)
    u_v = math.copysign(tafel_v * math.log((abs(i_a) + root) / scale), i_a)
    return Overvoltage(u_v, tafel_v / root, squeezed * i_a / root)


@inline_llvm
def approached(h1: float, to: float) -> float:
    """A filling for the next round: of the way to full or empty at most nine tenths, for there the reaction ends."""
    most = h1 + 0.9 * (1.0 - h1) if h1 < 1.0 else FILLING[1]
    least = 0.1 * h1 if h1 > 0.0 else FILLING[0]
    return min(max(to, least), most)


class FillingWell(NamedTuple):
    """How full a current leaves the available well: straight in the current, flatter on charge."""

    h1_free: float  # without a current
    per_charge_a: float
    per_discharge_a: float


@inline_llvm
def filled_by(well: FillingWell, i_a: float) -> tuple[float, float]:
    """How full the main reaction's current leaves the well, and how much fuller an ampere more."""
    per_a = well.per_charge_a if i_a > 0.0 else well.per_discharge_a
    return well.h1_free + per_a * i_a, per_a


class MainReaction(NamedTuple):
    """The main reaction at the end of a step, the well as full as its current leaves it."""

    i_a: float
    per_v: float  # d(current)/d(overvoltage), the well filling along
    h1: float
    per_a: float  # d(h1)/d(current)
    free: float  # share of the slope that a well which fills leaves, 0..1


@inline_llvm
def main_reaction(u_v: float, h1: float, well: FillingWell, w: LeadAcidAtTemperature) -> MainReaction:
    """The main reaction at an overvoltage together with the filling that it leaves; `h1` is where to look first."""
    exponentials = kinetics(u_v, w)
    low, high = min(h1, 0.0), max(h1, 1.0)  # the fuller it is looked for, the less full the current leaves it
    for _ in range(MOST_FILLINGS):
        r = reaction_of(exponentials, u_v, h1, w)
        filled, per_a = filled_by(well, r.i_a)
        per_h = r.per_h + r.starved  # -d(reaction)/d(h1)
        free = 1.0 / (1.0 + per_a * per_h)
        h1_then = approached(h1, h1 + (filled - h1) * free)
        low, high = (h1, high) if filled > h1 else (low, h1)
        if not low < h1_then < high:
            h1_then = 0.5 * (low + high)
        tangent = per_h * (h1_then - h1)
        h1 = h1_then
        if abs(tangent) < TANGENT_C_RATE * w.p.full_capacity_ah:
            break
    return MainReaction(r.i_a - tangent, r.per_v * free, h1, per_a, free)


@inline_llvm
def reaction_step_v(
    u_v: float, newton_v: float, main: MainReaction, asked_a: float, asked_per_v: float, well: FillingWell,
    w: LeadAcidAtTemperature,
) -> float:  # fmt: skip
    """How far the overvoltage goes in a round: a Newton step, or where that is far one along the reaction's logarithm.

    Parameters
    ----------
    u_v : float
    newton_v : float
        Newton step.
    main : MainReaction
        At `u_v`.
    asked_a, asked_per_v : float
        What the bus, gassing and the double layer leave for the main reaction at `u_v`, and its slope, below 0.
    well : FillingWell
    w : LeadAcidAtTemperature
    """
    straight = main.per_v > asked_per_v and abs(newton_v) < STRAIGHT_V
    if TURNS_V < u_v < TURNED_V and not straight:
        if asked_a < main.i_a:
            return -u_v
    elif asked_a * u_v < 0.0:
        # To the other reaction's side, but not far: near rest that has a root of its own.
        beyond = u_v + newton_v
        return newton_v if beyond * u_v > 0.0 else math.copysign(min(abs(beyond), TURNS_V), newton_v) - u_v
    elif abs(newton_v) * (w.per_charge_tafel_v if u_v > 0.0 else w.per_discharge_tafel_v) < FAR:
        return newton_v
    filled, per_a = filled_by(well, asked_a)
    if filled >= 1.0:  # more than the well can take: the rest will, at a higher voltage
        return max(newton_v, ((1.0 - well.h1_free) / per_a - asked_a) / asked_per_v)
    to = overvoltage(asked_a, approached(main.h1, filled), w)
    if straight and max(abs(u_v), abs(to.u_v)) < TURNED_V:
        return newton_v
    step_v = (to.u_v - u_v) / (1.0 - (to.per_a + to.per_h * per_a) * asked_per_v)
    if main.free < HALF_FREE and step_v > 0.0:
        # Near full the reaction bends the other way, so Newton doesn't lead too far either.
        step_v = min(max(step_v, newton_v), to.u_v - u_v)
    return step_v


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
    """About where a slow polarisation [V] comes to under a current [A]: where `slow_after` looks next.

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
def slow_after(
    v_guess_v: float, v_slow_v: float, i_a: float, seconds: float, per_gain: float, s: SurfaceCharge
) -> tuple[float, float]:
    """Slow polarisation [V] after an implicit Euler step under a current, and what an ampere more adds to it [Ohm].

    Newton for ``(v - v0) C/h = i - leak(v)``: the leak is convex on either side of 0, so it needs no guard.

    Parameters
    ----------
    v_guess_v : float
        Where to look first.
    v_slow_v : float
        At the step's beginning.
    i_a, seconds : float
        Current, length of the step.
    per_gain : float
        Capacitance over that length [A/V].
    s : SurfaceCharge
    """
    guess = v_guess_v
    for number in range(MOST_SLOW):
        leak_a, slope_a_v = leak(guess, s)
        r_ohm = 1.0 / (per_gain + slope_a_v)
        new = (slope_a_v * guess - leak_a + per_gain * v_slow_v) * r_ohm + r_ohm * i_a
        if abs(new - guess) < CLOSE_SLOW_V:
            break
        # What was guessed first may lie far off.
        guess = new if number else aimed_at(v_slow_v, i_a, seconds, s)
    return new, r_ohm
