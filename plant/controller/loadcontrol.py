"""Whether the load is called for: a switch, a lamp that follows the light, timers, the device's own clock.

A pure function of the program, the night and the clock. Whether the load may be on as well is for the protections
(`rules`). Modes and times: registers 0x903D to 0x904D, coils 2, 5, 6 (V26).
"""

import math
from enum import IntEnum
from typing import NamedTuple

from plant.base.clock import DAY_S
from plant.base.jit import kernel


class LoadMode(IntEnum):
    """What switches the load (0x903D)."""

    MANUAL = 0
    LIGHT = 1
    LIGHT_AND_TIMER = 2
    TIME = 3


class Program(NamedTuple):
    """What the load is told to follow; numbers only, so that compiled code can keep it in an array."""

    mode: float = 0.0  # `LoadMode`
    manual_on: float = 1.0  # coil 2
    test: float = 0.0  # coil 5: coil 6 decides, whatever the mode (MAN_A)
    forced_on: float = 0.0  # coil 6
    timer1_s: float = 3600.0  # on so long after dusk
    timer2_s: float = 3600.0  # and so long before dawn
    on1_s: float = 0.0  # by the device's clock, seconds of its day
    off1_s: float = 0.0
    on2_s: float = 0.0
    off2_s: float = 0.0
    periods: float = 1.0  # one or both of them


class Call(NamedTuple):
    """Whether the load is called for, and how soon the passing of time alone may change that."""

    on: bool
    wait_s: float


@kernel
def _within(clock_s: float, on_s: float, off_s: float) -> bool:
    """Whether a clock stands in a period, which may go over midnight; one that ends as it begins is empty (guess)."""
    if on_s <= off_s:
        return on_s <= clock_s < off_s
    return clock_s >= on_s or clock_s < off_s


@kernel
def _until(clock_s: float, moment_s: float) -> float:
    """Time [s] until a clock that stands at `clock_s` shows a moment, above 0."""
    return moment_s - clock_s if moment_s > clock_s else moment_s - clock_s + DAY_S


@kernel
def _by_timers(p: Program, night_age_s: float, night_length_s: float) -> Call:
    """A lamp at night that is lit for a while after dusk, and again for a while before dawn is expected."""
    morning_s = night_length_s - p.timer2_s if p.timer2_s > 0.0 else math.inf
    if night_age_s >= morning_s:
        return Call(True, math.inf)
    if night_age_s < p.timer1_s:
        return Call(True, p.timer1_s - night_age_s)
    return Call(False, morning_s - night_age_s)


@kernel
def _by_clock(p: Program, clock_s: float) -> Call:
    on = _within(clock_s, p.on1_s, p.off1_s)
    wait = min(_until(clock_s, p.on1_s), _until(clock_s, p.off1_s))
    if p.periods >= 1.5:
        on = on or _within(clock_s, p.on2_s, p.off2_s)
        wait = min(wait, _until(clock_s, p.on2_s), _until(clock_s, p.off2_s))
    return Call(on, wait)


@kernel
def call(p: Program, night: bool, night_age_s: float, night_length_s: float, clock_s: float) -> Call:
    """Whether the load is called for.

    Parameters
    ----------
    p : Program
    night : bool
        As the unit sees it, with its delays.
    night_age_s : float
        Since that night began.
    night_length_s : float
        How long nights last, as learned: where dawn is expected. A night that lasts longer keeps the lamp on.
    clock_s : float
        The device's clock, seconds of its day.
    """
    if p.test >= 0.5:
        return Call(p.forced_on >= 0.5, math.inf)
    if p.mode == LoadMode.MANUAL.value:
        return Call(p.manual_on >= 0.5, math.inf)
    if p.mode == LoadMode.TIME.value:
        return _by_clock(p, clock_s)
    if night and p.mode == LoadMode.LIGHT_AND_TIMER.value:
        return _by_timers(p, night_age_s, night_length_s)
    return Call(night, math.inf)
