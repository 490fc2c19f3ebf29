"""A day of the array as the kernel takes it: one diode for a simple array, a table for any other.

Columns have a value a step, held from one grid point to the next.
"""

from typing import NamedTuple, TypeAlias

import numpy as np


class ArrayDay(NamedTuple):
    """A day of equal modules in one plane: a single diode at every step; arrays of shape (n,)."""

    ghi_w_m2: np.ndarray
    poa_w_m2: np.ndarray  # in the plane, before reflection
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray
    t_cell_c: np.ndarray
    i_l_a: np.ndarray
    i_0_a: np.ndarray
    a_v: np.ndarray
    r_sh_ohm: np.ndarray
    v_oc_v: np.ndarray
    v_mp_v: np.ndarray
    p_mp_w: np.ndarray
    r_s_ohm: float  # with the wiring


class CompositeDay(NamedTuple):
    """A day of an array with several planes, shadows or defects: a table of its curve at every lit step.

    `poa_w_m2` and `t_cell_c` are means over the sub-arrays, by rated power.
    """

    ghi_w_m2: np.ndarray
    poa_w_m2: np.ndarray
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray
    t_cell_c: np.ndarray
    v_oc_v: np.ndarray
    v_mp_v: np.ndarray
    p_mp_w: np.ndarray
    row: np.ndarray  # (n,) which row of the tables belongs to a step; -1 in darkness
    nodes: np.ndarray  # (rows,) how many nodes a row has
    v_v: np.ndarray  # (rows, NODES)
    i_a: np.ndarray
    slope_a_v: np.ndarray
    kinds: np.ndarray  # (k, KIND_COLUMNS) of `plant.array.strings`
    g_lit_w_m2: np.ndarray  # (k, n) light and cell temperature of each kind, for a look at its own curve
    g_dim_w_m2: np.ndarray
    t_kind_c: np.ndarray


AnyDay: TypeAlias = ArrayDay | CompositeDay
