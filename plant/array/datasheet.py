"""A module from its data sheet: the numbers a maker prints become the parameters of the single diode.

Three printed points (short circuit, open circuit, maximum power) fix light current, saturation current and shunt for
a given ideality and series resistance, by three linear equations. The maximum being one fixes the series resistance. So
nothing is searched but one bounded scalar, and the printed maximum power point is met exactly. What a sheet
doesn't say is taken as typical of crystalline silicon: ideality 1.1, and how much of the shunt stays in dim light.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator
from scipy.optimize import brentq

from plant.array.coefficients import Coefficient, doubt
from plant.array.diode import (
    BOLTZMANN_EV_K,
    REF_K,
    Curve,
    Module,
    curve_at,
    maximum_power_vd,
    open_circuit_v,
    point,
)
from plant.array.thinfilm import CELL_V, Technology, kind_of
from plant.base.problems import AtKeyError
from plant.base.records import Positive, Record

IDEALITY = 1.1  # crystalline silicon near full light; measured on eight modules: 1.1 to 1.2
LEAST_IDEALITY = 0.4  # below 1 for tight printed points: the model's way to show a fill factor that high
# Shunt current at V_oc over I_sc that stays in dim light, beside a part that fades with it. Between 0.010 and 0.014
# all do alike on the eight modules of NREL's mPERT set; with none of it dim light is overrated by 9 % on average.
FIXED_LEAK = 0.012
_SCAN = 80  # places at which the series resistance is tried before the root is closed in


class DataSheet(Record):
    """What a data sheet says of a module at 1000 W/m2 and 25 degC, and of its temperature coefficients."""

    i_sc_a: Positive
    v_oc_v: Positive
    i_mp_a: Positive
    v_mp_v: Positive
    cells_in_series: Annotated[int, Field(ge=1, le=400)]
    alpha_sc_a_k: Annotated[float, Field(ge=-0.1, le=0.1)] | None = None
    alpha_sc_pct_k: Annotated[float, Field(ge=-0.5, le=0.5)] | None = None
    beta_voc_v_k: Annotated[float, Field(gt=-5.0, lt=0.0)] | None = None
    beta_voc_pct_k: Annotated[float, Field(gt=-1.0, lt=0.0)] | None = None
    gamma_pmp_pct_k: Annotated[float, Field(gt=-1.0, lt=0.0)] | None = None
    efficiency_200_pct: Annotated[float, Field(ge=-30.0, le=8.0)] | None = None
    technology: Technology | None = None  # crystalline silicon, unless the numbers are those of thin film

    @model_validator(mode="after")
    def _possible(self) -> "DataSheet":
        """Refuse what no module can be, in words; then fit, so that a bad sheet is told where it stands."""
        if not self.i_mp_a < self.i_sc_a:
            raise ValueError(f"i_mp_a {self.i_mp_a:g} A must lie below i_sc_a {self.i_sc_a:g} A")
        if not self.v_mp_v < self.v_oc_v:
            raise ValueError(f"v_mp_v {self.v_mp_v:g} V must lie below v_oc_v {self.v_oc_v:g} V")
        for one, other in (("alpha_sc_a_k", "alpha_sc_pct_k"), ("beta_voc_v_k", "beta_voc_pct_k")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise ValueError(f"give one of {one} and {other}")
        kind = "c-si" if self.technology in {None, "c-si"} else "thin film"
        low, high = CELL_V[kind]
        if not low <= self.cell_v <= high:
            hint = "; of thin film give technology" if kind == "c-si" and self.cell_v > high else ""
            raise ValueError(
                f"v_oc_v {self.v_oc_v:g} V over {self.cells_in_series} cells is {self.cell_v:.2f} V a cell; "
                f"{'silicon' if kind == 'c-si' else kind} gives {low:g} to {high:g} V "
                f"(of cells in parallel only one counts{hint})"
            )
        for coefficient in self._coefficients():
            told = doubt(coefficient)
            if told:
                raise AtKeyError((coefficient.key,), told)
        fit(self)
        return self

    def _coefficients(self) -> Iterator[Coefficient]:
        """Those that it gives, as it gives them."""
        alpha, beta = (
            {"%/K": "alpha_sc_pct_k", "A/K": "alpha_sc_a_k"},
            {"%/K": "beta_voc_pct_k", "V/K": "beta_voc_v_k"},
        )
        gamma = {"%/K": "gamma_pmp_pct_k"}
        kinds = (("alpha", alpha, self.i_sc_a), ("beta", beta, self.v_oc_v), ("gamma", gamma, 1.0))
        for name, keys, rated in kinds:
            for unit, key in keys.items():
                value = getattr(self, key)
                if value is not None:
                    yield Coefficient(name, value, unit, rated, keys)

    @property
    def beta_key(self) -> str:
        """Key under which the coefficient of the open-circuit voltage is given."""
        return "beta_voc_pct_k" if self.beta_voc_v_k is None else "beta_voc_v_k"

    @property
    def cell_v(self) -> float:
        """Open-circuit voltage of a cell [V]."""
        return self.v_oc_v / self.cells_in_series

    @property
    def thin_film(self) -> str | None:
        """Which thin film it is, a key of `thinfilm.ERRORS`; None for crystalline silicon."""
        fill = self.i_mp_a * self.v_mp_v / (self.i_sc_a * self.v_oc_v)
        return kind_of(self.technology, fill, self.cell_v)

    @property
    def alpha_a_k(self) -> float:
        """Temperature coefficient of the short-circuit current [A/K]."""
        if self.alpha_sc_a_k is not None:
            return self.alpha_sc_a_k
        return (self.alpha_sc_pct_k or 0.0) / 100.0 * self.i_sc_a

    @property
    def beta_v_k(self) -> float:
        """Temperature coefficient of the open-circuit voltage [V/K]."""
        if self.beta_voc_v_k is not None:
            return self.beta_voc_v_k
        return (self.beta_voc_pct_k or 0.0) / 100.0 * self.v_oc_v


@lru_cache(maxsize=64)
def fit(sheet: DataSheet) -> Module:
    """The single-diode parameters of a data sheet.

    Parameters
    ----------
    sheet : DataSheet

    Returns
    -------
    Module
        Meets the sheet's three points at 1000 W/m2 and 25 degC, and its temperature coefficient of V_oc; with
        ``gamma_pmp_pct_k`` given the two coefficients share what they contradict each other. With
        ``efficiency_200_pct`` given the change of efficiency from 1000 to 200 W/m2 is met as far as a shunt can.

    Raises
    ------
    ValueError
        If no single diode goes through the sheet's points, or its coefficients contradict each other.
    """
    module = module_at(sheet, _highest_ideality(sheet, IDEALITY))
    if sheet.efficiency_200_pct is not None:
        module = _dimmed(sheet, sheet.efficiency_200_pct / 100.0)
    return module._replace(gap_ev=gap_of(sheet, module))


def _highest_ideality(sheet: DataSheet, wanted: float) -> float:
    """The ideality nearest below the wanted one at which shunt and series resistance come out positive."""
    for ideality in np.arange(wanted, LEAST_IDEALITY - 1e-9, -0.02):
        if _resistances(sheet, float(ideality)) is not None:
            return float(ideality)
    fill = sheet.i_mp_a * sheet.v_mp_v / (sheet.i_sc_a * sheet.v_oc_v)
    raise ValueError(
        f"no single-diode model fits these points: i_mp/i_sc {sheet.i_mp_a / sheet.i_sc_a:.3f}, "
        f"v_mp/v_oc {sheet.v_mp_v / sheet.v_oc_v:.3f}, fill factor {fill:.3f}; "
        "silicon has 0.88 to 0.97, 0.76 to 0.88 and 0.67 to 0.84"
    )


def _thermal_v(sheet: DataSheet, ideality: float) -> float:
    return ideality * sheet.cells_in_series * BOLTZMANN_EV_K * REF_K


def _linear(sheet: DataSheet, a_v: float, r_s_ohm: float) -> tuple[float, float, float]:
    """Light current, diode current at V_oc and shunt conductance through the three points of the sheet."""
    vd = np.array([sheet.i_sc_a * r_s_ohm, sheet.v_oc_v, sheet.v_mp_v + sheet.i_mp_a * r_s_ohm])
    diode = np.exp((vd - sheet.v_oc_v) / a_v) - math.exp(-sheet.v_oc_v / a_v)
    i_a = np.array([sheet.i_sc_a, 0.0, sheet.i_mp_a])
    i_l, i_d, g_sh = np.linalg.solve(np.column_stack([np.ones(3), -diode, -vd]), i_a)
    return float(i_l), float(i_d), float(g_sh)


def _power_slope(r_s_ohm: float, sheet: DataSheet, a_v: float) -> float:
    """dP/dV [A] at the printed maximum power point, 0 where it is one."""
    _, i_d, g_sh = _linear(sheet, a_v, r_s_ohm)
    vd = sheet.v_mp_v + sheet.i_mp_a * r_s_ohm
    di = -(i_d / a_v * math.exp((vd - sheet.v_oc_v) / a_v) + g_sh)
    return sheet.i_mp_a + sheet.v_mp_v * di / (1.0 - di * r_s_ohm)


def _resistances(sheet: DataSheet, ideality: float) -> tuple[float, float, float, float] | None:
    """Series resistance, light current, saturation current and shunt conductance, or none that is possible."""
    a_v = _thermal_v(sheet, ideality)
    most = (sheet.v_oc_v - sheet.v_mp_v) / sheet.i_mp_a  # there the diode would stand at V_oc
    tried = np.linspace(0.0, 0.9999 * most, _SCAN)
    slopes = [_power_slope(r, sheet, a_v) for r in tried]
    for low, high, f_low, f_high in zip(tried[:-1], tried[1:], slopes[:-1], slopes[1:], strict=True):
        if f_low * f_high <= 0.0:
            r_s = float(brentq(_power_slope, low, high, args=(sheet, a_v), xtol=1e-14))
            i_l, i_d, g_sh = _linear(sheet, a_v, r_s)
            if i_l > 0.0 and i_d > 0.0 and g_sh > 1e-6 * sheet.i_sc_a / sheet.v_oc_v:
                return r_s, i_l, i_d * math.exp(-sheet.v_oc_v / a_v), g_sh
    return None


def module_at(sheet: DataSheet, ideality: float, fixed: float | None = None) -> Module:
    """The module at an ideality that its points allow; `fixed` is the share of the shunt that stays in dim light.

    Its gap is silicon's own still: see `gap_of`.
    """
    found = _resistances(sheet, ideality)
    assert found is not None
    r_s, i_l, i_0, g_sh = found
    if fixed is None:
        fixed = min(1.0, FIXED_LEAK * sheet.i_sc_a / sheet.v_oc_v / g_sh)
    return Module(
        sheet.alpha_a_k, _thermal_v(sheet, ideality), i_l, i_0, 1.0 / g_sh, r_s, 0.0,
        sheet.i_mp_a, sheet.v_mp_v, sheet.v_oc_v, shunt_fixed=fixed, cells_in_series=float(sheet.cells_in_series),
    )  # fmt: skip


def _dimmed(sheet: DataSheet, wanted: float) -> Module:
    """The module whose efficiency changes from 1000 to 200 W/m2 by the share that its sheet prints.

    First by the part of the shunt that stays in dim light; where all or none of it is not enough, by the ideality:
    a lower one leaves more to the resistances.
    """

    def change(ideality: float, fixed: float) -> float:
        m = module_at(sheet, ideality, fixed)
        return _power_w(m, 200.0, 25.0) / (0.2 * _power_w(m, 1000.0, 25.0)) - 1.0 - wanted

    top = _highest_ideality(sheet, IDEALITY)
    worst, best = change(top, 1.0), change(top, 0.0)
    if worst <= 0.0 <= best:
        return module_at(sheet, top, float(brentq(lambda share: change(top, share), 0.0, 1.0)))
    fixed = 1.0 if worst > 0.0 else 0.0
    tried = _idealities(sheet)
    misses = [change(ideality, fixed) for ideality in tried]
    for low, high, f_low, f_high in zip(tried[:-1], tried[1:], misses[:-1], misses[1:], strict=True):
        if f_low * f_high <= 0.0:
            return module_at(sheet, float(brentq(change, low, high, args=(fixed,))), fixed)
    return module_at(sheet, tried[int(np.argmin(np.abs(misses)))], fixed)


def _idealities(sheet: DataSheet) -> list[float]:
    tried = np.arange(0.8, 1.6, 0.02)
    possible = [float(n) for n in tried if _resistances(sheet, float(n)) is not None]
    return possible or [_highest_ideality(sheet, IDEALITY)]


def gap_of(sheet: DataSheet, module: Module) -> float:
    """The gap that gives the saturation current the temperature behaviour that the sheet's coefficients ask for."""

    def beta_excess(gap_ev: float) -> float:
        m = module._replace(gap_ev=gap_ev)
        return (_open_circuit_v(m, 1000.0, 45.0) - _open_circuit_v(m, 1000.0, 25.0)) / 20.0 - sheet.beta_v_k

    def gamma_excess(gap_ev: float) -> float:
        m = module._replace(gap_ev=gap_ev)
        change = _power_w(m, 1000.0, 45.0) / _power_w(m, 1000.0, 25.0) - 1.0
        return change / 20.0 * 100.0 - (sheet.gamma_pmp_pct_k or 0.0)

    gap = _root(beta_excess, sheet.beta_key)
    if sheet.gamma_pmp_pct_k is None:
        return gap
    other = _root(gamma_excess, "gamma_pmp_pct_k")
    if abs(other - gap) > 0.5:
        natural = sheet.gamma_pmp_pct_k + gamma_excess(gap)
        raise ValueError(
            f"gamma_pmp_pct_k {sheet.gamma_pmp_pct_k:g} and {sheet.beta_key} contradict each other: "
            f"with this {sheet.beta_key} the power falls by about {-natural:.2f} %/K"
        )
    return 0.5 * (gap + other)


def _root(excess: Callable[[float], float], key: str) -> float:
    low, high = 0.1, 4.0
    if excess(low) * excess(high) > 0.0:
        raise ValueError(f"{key} is beyond what a single diode through these points can have")
    return float(brentq(excess, low, high, xtol=1e-10))


def _curve(m: Module, g_w_m2: float, t_c: float) -> Curve:
    return curve_at(g_w_m2, t_c, m, 1.0, 1.0, 0.0)


def _open_circuit_v(m: Module, g_w_m2: float, t_c: float) -> float:
    return open_circuit_v(_curve(m, g_w_m2, t_c))


def _power_w(m: Module, g_w_m2: float, t_c: float) -> float:
    c = _curve(m, g_w_m2, t_c)
    v, i = point(maximum_power_vd(c, open_circuit_v(c)), c)
    return v * i
