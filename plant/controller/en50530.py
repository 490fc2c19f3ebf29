"""EN 50530: how much of what a generator could give a tracker takes, standing still, on ramps, in partial shade.

The tracker of `plant.power.tracker` runs tick by tick on the standard's generator in place of the plant's array.
The battery is an electronic load at a fixed voltage.

Source: EN 50530 and its reproduction by Alonso and Chenlo (CIEMAT); the shaded case is ours.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from plant.array.module import find_module
from plant.base.jit import inline_llvm, kernel
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import output_current_a
from plant.power.stage import PowerStage
from plant.power.tracker import (
    Tracker,
    TrackerSettings,
    climbing_from,
    restarted,
    tick,
    tracker_settings,
)

SAMPLE_S = 0.1  # energy is summed at least this finely, whatever the tracker's tick
T_AMB_C = 25.0
CELL_BELOW_AMBIENT_K, CELL_K_PER_W_M2, CELL_LAG_S = 3.0, 0.03, 300.0
V_BATT_V, RATED_V_MP_V = 13.0, 34.0  # the battery is held at; two 36-cell modules in series
SETTLE_S, MEASURE_S = 300.0, 600.0


class Technology(NamedTuple):
    """Constants of the standard's generator model."""

    ff_u: float  # V_mp / V_oc at 1000 W/m2 and 25 degC
    ff_i: float  # I_mp / I_sc
    c_g_w_m2: float
    c_v: float
    c_r_m2_w: float
    alpha_1_k: float
    beta_1_k: float


TECHNOLOGIES = {
    "c-si": Technology(0.8, 0.9, 2.514e-3, 8.593e-2, 1.088e-4, 0.0004, -0.004),
    "thin-film": Technology(0.72, 0.8, 1.252e-3, 8.419e-2, 1.476e-4, 0.0002, -0.002),
}


class Generator(NamedTuple):
    """A generator of that model, rated at 1000 W/m2 and 25 degC."""

    technology: Technology
    i_sc_a: float
    v_oc_v: float


class Characteristic(NamedTuple):
    """The generator's curve at an instant: ``i = i_ph - i_0 (exp(v / a) - 1)``."""

    i_ph_a: float
    i_0_a: float
    a_v: float


def generator(p_mp_w: float, v_mp_v: float, technology: Technology) -> Generator:
    """A generator by the power and voltage that stand on its name plate.

    The model's own maximum is a little off them, since its constants are rounded.
    """
    return Generator(technology, p_mp_w / v_mp_v / technology.ff_i, v_mp_v / technology.ff_u)


@inline_llvm
def characteristic(g_w_m2: float, t_c: float, gen: Generator) -> Characteristic:
    """The curve under an irradiance [W/m2] at a cell temperature [degC]."""
    tech = gen.technology
    c_0 = (1.0 - tech.ff_i) ** (1.0 / (1.0 - tech.ff_u))
    c_aq = (tech.ff_u - 1.0) / math.log(1.0 - tech.ff_i)
    dt_k = t_c - 25.0
    light = math.log(g_w_m2 / tech.c_g_w_m2 + 1.0) * tech.c_v - tech.c_r_m2_w * g_w_m2
    v_oc = gen.v_oc_v * (1.0 + tech.beta_1_k * dt_k) * light
    i_ph = gen.i_sc_a * g_w_m2 / 1000.0 * (1.0 + tech.alpha_1_k * dt_k)
    return Characteristic(i_ph, gen.i_sc_a * c_0 * g_w_m2 / 1000.0, max(v_oc * c_aq, 1e-9))


@inline_llvm
def current_a(v_v: float, c: Characteristic) -> float:
    """Current [A] at a voltage; negative beyond the open circuit."""
    return c.i_ph_a - c.i_0_a * math.expm1(min(v_v / c.a_v, 700.0))  # finite in the dark


@inline_llvm
def open_circuit_v(c: Characteristic) -> float:
    """Voltage [V] at which no current flows; 0 in darkness."""
    return c.a_v * math.log1p(c.i_ph_a / c.i_0_a) if c.i_0_a > 0.0 else 0.0


@inline_llvm
def maximum_power_v(c: Characteristic) -> float:
    """Voltage [V] of the maximum power point, 0 in darkness.

    Newton on ``x + log(1 + x) = log(1 + i_ph / i_0)``, x = v / a. The left side is rising and concave: from x = 0 the
    iteration comes from above after its first step and never leaves the positive side.
    """
    if c.i_0_a <= 0.0:
        return 0.0
    goal = math.log1p(c.i_ph_a / c.i_0_a)
    x = 0.0
    for _ in range(50):
        step = (goal - x - math.log1p(x)) * (1.0 + x) / (2.0 + x)
        x += step
        if abs(step) < 1e-13 * (1.0 + x):
            break
    return x * c.a_v


class ElectronicLoad(NamedTuple):
    """What stands behind the tracker: a battery held at a voltage, through the converter's losses."""

    v_batt_v: float
    stage: PowerStage


@kernel
def follow(
    gen: Generator, g_at: np.ndarray, g_w_m2: np.ndarray, isothermal: bool,
    t: Tracker, s: TrackerSettings, load: ElectronicLoad, from_s: float, log: np.ndarray,
) -> tuple[Tracker, float, float, float]:  # fmt: skip
    """Run a tracker on a generator under an irradiance given by straight lines.

    Parameters
    ----------
    gen : Generator
    g_at, g_w_m2 : (n,) array
        Corners of the irradiance: time [s], rising, and irradiance [W/m2].
    isothermal : bool
        Cells at 25 degC throughout; else they follow the irradiance with the standard's lag.
    t, s, load : Tracker, TrackerSettings, ElectronicLoad
    from_s : float
        Energies are summed from here.
    log : (samples, 5) array
        Time [s], power available and taken [W], voltage of the maximum and the reference [V], of as many samples
        as there is room for.

    Returns
    -------
    Tracker, float, float, float
        The tracker at the end; energy [J] available, taken, delivered.
    """
    parts = max(1, round(s.tick_s / SAMPLE_S))
    h = s.tick_s / parts
    warm = 0.0 if isothermal else 1.0 - math.exp(-h / CELL_LAG_S)
    t_c = 25.0 if isothermal else T_AMB_C - CELL_BELOW_AMBIENT_K + CELL_K_PER_W_M2 * g_w_m2[0]
    available_j, taken_j, delivered_j = 0.0, 0.0, 0.0
    corner = 0
    for k in range(round((g_at[-1] - g_at[0]) / h)):
        now_s = g_at[0] + (k + 0.5) * h
        while corner < g_at.size - 2 and now_s > g_at[corner + 1]:
            corner += 1
        slope = (g_w_m2[corner + 1] - g_w_m2[corner]) / (g_at[corner + 1] - g_at[corner])
        g = g_w_m2[corner] + slope * (now_s - g_at[corner])
        t_c += warm * (T_AMB_C - CELL_BELOW_AMBIENT_K + CELL_K_PER_W_M2 * g - t_c)
        c = characteristic(g, t_c, gen)
        v, i = _at_reference(t.v_ref_v, c)
        v_mp = maximum_power_v(c)
        p_mp = v_mp * current_a(v_mp, c)
        if now_s > from_s:
            available_j += h * p_mp
            taken_j += h * v * i
            delivered_j += h * load.v_batt_v * output_current_a(v * i, v, load.v_batt_v, load.stage)[0]
        if k < log.shape[0]:
            log[k, 0], log[k, 1], log[k, 2], log[k, 3], log[k, 4] = now_s, p_mp, v * i, v_mp, t.v_ref_v
        if (k + 1) % parts == 0:
            c = characteristic(g + 0.5 * h * slope, t_c, gen)
            v, i = _at_reference(t.v_ref_v, c)
            t = tick(t, v, i, load.v_batt_v, s)
    return t, available_j, taken_j, delivered_j


@inline_llvm
def _at_reference(v_ref_v: float, c: Characteristic) -> tuple[float, float]:
    """Voltage and current of the array with the converter at a reference; above the open circuit it stands open."""
    i = current_a(v_ref_v, c)
    if i <= 0.0:
        return open_circuit_v(c), 0.0
    return v_ref_v, i


@kernel
def follow_table(
    i_at: np.ndarray, v_step_v: float, t: Tracker, s: TrackerSettings, load: ElectronicLoad, seconds: float
) -> tuple[Tracker, float, float]:
    """Run a tracker on a curve that doesn't change.

    Parameters
    ----------
    i_at : (n,) array
        Current [A] at the voltages 0, v_step_v, 2 v_step_v ...; the last one is 0, at the open circuit.
    v_step_v : float
        Step between those voltages [V].
    t, s, load : Tracker, TrackerSettings, ElectronicLoad
    seconds : float
        For how long [s].

    Returns
    -------
    Tracker, float, float
        The tracker at the end; energy [J] taken, delivered.
    """
    taken_j, delivered_j = 0.0, 0.0
    v_oc = v_step_v * (i_at.size - 1)
    for _ in range(round(seconds / s.tick_s)):
        v = min(t.v_ref_v, v_oc)
        j = min(int(v / v_step_v), i_at.size - 2)
        i = i_at[j] + (v / v_step_v - j) * (i_at[j + 1] - i_at[j])
        taken_j += s.tick_s * v * i
        delivered_j += s.tick_s * load.v_batt_v * output_current_a(v * i, v, load.v_batt_v, load.stage)[0]
        t = tick(t, v, i, load.v_batt_v, s)
    return t, taken_j, delivered_j


class Energies(NamedTuple):
    """Energies of a test [J]."""

    available_j: float
    taken_j: float
    delivered_j: float  # to the battery, after the converter

    @property
    def tracking(self) -> float:
        """Share of the available energy that was taken."""
        return self.taken_j / self.available_j

    @property
    def overall(self) -> float:
        """Share of the available energy that came out of the converter."""
        return self.delivered_j / self.available_j


@dataclass(frozen=True, slots=True)
class Ramps:
    """A row of the standard's dynamic tables: irradiance up and down, so many times."""

    sequence: str
    low_w_m2: float
    high_w_m2: float
    dwell_s: float
    times: int
    slope_w_m2_s: float

    @property
    def ramp_s(self) -> float:
        """Time of one ramp."""
        return (self.high_w_m2 - self.low_w_m2) / self.slope_w_m2_s

    @property
    def duration_s(self) -> float:
        """Time of the row with its settling."""
        return SETTLE_S + self.times * 2.0 * (self.ramp_s + self.dwell_s)

    def corners(self, settle_s: float = SETTLE_S) -> tuple[np.ndarray, np.ndarray]:
        """Time [s] and irradiance [W/m2] where its straight lines meet; each (2 + 4 times,)."""
        cycle = np.cumsum([self.ramp_s, self.dwell_s, self.ramp_s, self.dwell_s])
        at = settle_s + (cycle[-1] * np.arange(self.times)[:, None] + cycle).ravel()
        g = np.tile([self.high_w_m2, self.high_w_m2, self.low_w_m2, self.low_w_m2], self.times)
        return np.concatenate([[0.0, settle_s], at]), np.concatenate([[self.low_w_m2] * 2, g])


def _rows(name: str, low: float, high: float, dwell_s: float, *rows: tuple[int, float]) -> tuple[Ramps, ...]:
    return tuple(Ramps(name, low, high, dwell_s, times, slope) for times, slope in rows)


ROWS = (
    *_rows("A", 100, 500, 10, (2, 0.5), (2, 1), (3, 2), (4, 3), (6, 5), (8, 7), (10, 10), (10, 14), (10, 20),
           (10, 30), (10, 50)),
    *_rows("B", 300, 1000, 10, (10, 10), (10, 14), (10, 20), (10, 30), (10, 50), (10, 100)),
    *_rows("C", 2, 100, 30, (1, 0.1)),
)  # fmt: skip
EUROPEAN = {0.05: 0.03, 0.10: 0.06, 0.20: 0.13, 0.30: 0.10, 0.50: 0.48, 1.00: 0.20}
CEC = {0.10: 0.04, 0.20: 0.05, 0.30: 0.12, 0.50: 0.21, 0.75: 0.53, 1.00: 0.05}
_NO_LOG = np.empty((0, 5))
LEVELS = (0.05, 0.10, 0.20, 0.25, 0.30, 0.50, 0.75, 1.00)


class Bench(NamedTuple):
    """A controller under test."""

    load: ElectronicLoad
    settings: TrackerSettings
    rated_w: float

    @property
    def window_v(self) -> tuple[float, float]:
        """Between which voltages it tracks."""
        return self.load.v_batt_v + self.settings.above_v, self.settings.v_max_v


def bench(model: ControllerModel, tick_s: float = 0.1) -> Bench:
    """A controller at a 12 V battery that is held at 13 V."""
    stage = power_stage(model, 12)
    return Bench(ElectronicLoad(V_BATT_V, stage), tracker_settings(stage, tick_s), model.charge_rated_w_12v)


def static_point(b: Bench, technology: Technology, v_mp_v: float, level: float) -> Energies:
    """Ten minutes on a generator whose maximum is exactly at this voltage and this share of the rated power.

    The shape of the model's curve at 25 degC is the same at every irradiance, so the level is set by the size.
    """
    unit = characteristic(1000.0, 25.0, generator(1.0, 1.0, technology))
    v = maximum_power_v(unit)
    gen = generator(level * b.rated_w / (v * current_a(v, unit)), v_mp_v / v, technology)
    at, g = np.array([0.0, SETTLE_S + MEASURE_S]), np.array([1000.0, 1000.0])
    return Energies(
        *follow(gen, at, g, True, restarted(b.settings), b.settings, b.load, SETTLE_S, _NO_LOG)[1:]
    )


def dynamic_row(
    b: Bench, gen: Generator, row: Ramps, start: Tracker | None = None, settle_s: float = SETTLE_S,
    log: np.ndarray | None = None,
) -> Energies:  # fmt: skip
    """A row of ramps; the energy is counted after settling at the low level."""
    t = restarted(b.settings) if start is None else start
    room = _NO_LOG if log is None else log
    return Energies(*follow(gen, *row.corners(settle_s), False, t, b.settings, b.load, settle_s, room)[1:])


def shaded_curve(modules: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Voltage and current of ZT155P modules in series, half of each at 1000 W/m2 and half at 300, at 50 degC.

    Returns
    -------
    (n,) array, (n,) array
        Equally spaced voltages [V] from 0 to the open circuit, and currents [A]. Each half has a bypass diode of 0.5 V.
    """
    from pvlib import pvsystem

    m = find_module("zytech_zt155p")
    halves = [
        pvsystem.calcparams_cec(
            g, 50.0, m.alpha_sc, m.a_ref / 2, m.i_l_ref, m.i_o_ref, m.r_sh_ref / 2, m.r_s / 2, m.adjust
        )
        for g in (1000.0, 300.0)
    ]
    i = np.linspace(halves[0][0], 0.0, 20001)
    with np.errstate(all="ignore"):  # above its light current a half has no voltage but its bypass diode's
        v = sum(np.maximum(np.nan_to_num(pvsystem.v_from_i(i, *half), nan=-np.inf), -0.5) for half in halves)
    even = np.linspace(0.0, v[-1], 20001)
    return modules * even, np.interp(even, v, i)


class Shade(NamedTuple):
    """A shadow falls on a tracker that stays at the lower of two maxima."""

    modules: int
    v_mp_v: tuple[float, float]  # of both, the higher power first
    before: Energies  # until the next sweep
    after: Energies  # as long again, after it


def shaded_case(b: Bench) -> Shade:
    """The tracker on the lower maximum for one sweep period, and for one more."""
    v1, i1 = shaded_curve()
    half = v1.size // 2
    high, low = int(np.argmax((v1 * i1)[:half])), half + int(np.argmax((v1 * i1)[half:]))
    modules = max(1, int(b.settings.v_max_v / (1.05 * v1[low])))
    v, i = shaded_curve(modules)
    t, s = climbing_from(v[low], v[-1], b.settings), b.settings
    available_j = float(np.max(v * i)) * s.sweep_every_s
    energies = []
    for _ in range(2):
        t, taken_j, delivered_j = follow_table(i, v[1], t, s, b.load, s.sweep_every_s)
        energies.append(Energies(available_j, taken_j, delivered_j))
    return Shade(modules, (float(v[high]), float(v[low])), *energies)
