"""Curves of a whole sub-array at a light and a temperature of its cells, as far as a design check looks at them."""

from typing import NamedTuple

import numpy as np

from plant.array.diode import curve_at, maximum_power, open_circuit_v
from plant.array.parts import SubArray

FULL_SUN_W_M2, STANDARD_C = 1000.0, 25.0
POINTS = 400  # of a curve: powers within 1e-4


class CurveAt(NamedTuple):
    """Points of a sub-array's current-voltage curve, from short circuit to open circuit, the cable left out."""

    v_v: np.ndarray
    i_a: np.ndarray
    v_oc_v: float
    v_mp_v: float
    i_mp_a: float

    @property
    def i_sc_a(self) -> float:
        """Short-circuit current [A]."""
        return float(np.interp(0.0, self.v_v, self.i_a))

    @property
    def p_mp_w(self) -> float:
        """Maximum power [W]."""
        return self.v_mp_v * self.i_mp_a

    def power_at(self, v_v: float) -> float:
        """Power [W] at a voltage; nothing above the open-circuit voltage."""
        return v_v * max(0.0, float(np.interp(v_v, self.v_v, self.i_a, right=0.0)))


def curve_of(part: SubArray, g_w_m2: float = FULL_SUN_W_M2, t_cell_c: float = STANDARD_C) -> CurveAt:
    """The curve of a sub-array with nothing shaded and nothing broken."""
    module, n, m = part.module_parameters(), float(part.series), float(part.parallel)
    c = curve_at(g_w_m2, t_cell_c, module, 1.0, 1.0, 0.0)
    v_oc = open_circuit_v(c)
    _, v_mp, i_mp = maximum_power(c, v_oc)
    vd = np.linspace(0.0, v_oc, POINTS)
    i = c.i_l_a - c.i_0_a * np.expm1(vd / c.a_v) - vd / c.r_sh_ohm
    return CurveAt(n * (vd - i * c.r_s_ohm), m * i, n * v_oc, n * v_mp, m * i_mp)


def together_w(curves: tuple[CurveAt, ...]) -> float:
    """Maximum power [W] of sub-arrays side by side, which share one voltage."""
    v = np.linspace(0.0, max(c.v_oc_v for c in curves), 4 * POINTS)
    power = v * sum(np.maximum(np.interp(v, c.v_v, c.i_a, right=0.0), 0.0) for c in curves)
    return float(power.max())
