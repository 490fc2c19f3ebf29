"""The array's curve against pvlib, and its behaviour in light and darkness."""

import numpy as np
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.array.diode import Module, curve_at, maximum_power_vd, open_circuit_v, point
from plant.array.module import find_module
from plant.base.configs import config_dir
from tests.plants import site

MODULES = sorted(path.stem for path in (config_dir() / "modules").glob("*.yaml"))
ZT155P = find_module("zytech_zt155p")


def summary(g_w_m2: float, t_c: float, m: Module = ZT155P, series: float = 1.0, parallel: float = 1.0):
    c = curve_at(g_w_m2, t_c, m, series, parallel, 0.0)
    v_oc = open_circuit_v(c)
    v_mp, i_mp = point(maximum_power_vd(c, v_oc), c)
    return c, v_oc, v_mp, i_mp


def pvlib_summary(g_w_m2: float, t_c: float, m: Module = ZT155P):
    il, i0, rs, rsh, a = pvlib.pvsystem.calcparams_cec(
        g_w_m2, t_c, m.alpha_sc, m.a_ref, m.i_l_ref, m.i_o_ref, m.r_sh_ref, m.r_s, m.adjust
    )
    rsh = min(rsh, 20.0 * m.r_sh_ref)
    return pvlib.pvsystem.singlediode(il, i0, rs, rsh, a), (il, i0, rs, rsh, a)


@pytest.mark.parametrize(
    ("g", "t", "v_oc", "v_mp", "p_mp"),
    [(1000, 25, 23.100, 18.310, 155.086), (800, 45, 21.314, 16.871, 114.895), (500, 25, 22.457, 18.629, 79.250),
     (200, 25, 21.606, 18.384, 31.330), (100, 25, 20.963, 17.961, 15.300), (1000, 60, 20.354, 15.531, 131.943),
     (1000, -10, 25.812, 21.134, 177.470)],
)  # fmt: skip
def test_module_gives_the_published_check_values(g, t, v_oc, v_mp, p_mp):
    """Zytech ZT155P, computed with pvlib 0.16.1 apart from this code."""
    _, oc, mp, i = summary(g, t)
    assert oc == pytest.approx(v_oc, rel=4e-3 if g < 200 else 1e-3)
    assert mp == pytest.approx(v_mp, rel=1e-3)
    assert mp * i == pytest.approx(p_mp, rel=1e-3)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_we_ship_gives_what_its_file_says(name):
    """In the light of a data sheet; half-cut or thin, a cell of silicon has 0.5 to 0.8 V."""
    m = find_module(name)
    _, v_oc, v_mp, i_mp = summary(1000.0, 25.0, m)
    assert v_oc == pytest.approx(m.v_oc_ref, rel=5e-3)
    assert v_mp * i_mp == pytest.approx(m.v_mp_ref * m.i_mp_ref, rel=1e-2)
    assert 0.5 < m.v_oc_ref / m.cells_in_series < 0.8


@settings(max_examples=60, deadline=None)
@given(g=st.floats(0.005, 1400.0), t=st.floats(-40.0, 90.0), share=st.floats(0.0, 1.0))
def test_curve_is_pvlibs_curve(g, t, share):
    theirs, (il, i0, rs, rsh, a) = pvlib_summary(g, t)
    c, v_oc, v_mp, i_mp = summary(g, t)
    assert v_oc == pytest.approx(theirs["v_oc"], rel=1e-6, abs=1e-9)
    assert v_mp * i_mp == pytest.approx(theirs["p_mp"], rel=1e-6, abs=1e-12)
    v, i = point(share * v_oc, c)
    assert i == pytest.approx(float(pvlib.pvsystem.i_from_v(v, il, i0, rs, rsh, a)), rel=1e-6, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(g=st.floats(0.0, 1500.0), t=st.floats(-40.0, 90.0))
def test_no_point_of_the_curve_beats_the_maximum(g, t):
    c, v_oc, v_mp, i_mp = summary(g, t)
    powers = [v * i for v, i in (point(vd, c) for vd in np.linspace(0.0, v_oc, 200))]
    assert max(powers) <= v_mp * i_mp * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize(("g", "volts"), [(0.01, 0.41), (0.05, 2.07), (0.1, 4.15)])
def test_module_fades_in_the_dark(g, volts):
    """A shunt growing with darkness would leave 13 V at 0.01 W/m2, and no controller would see night."""
    assert summary(g, 25.0)[1] == pytest.approx(volts, abs=0.01)


def test_no_light_no_voltage():
    _, v_oc, v_mp, i_mp = summary(0.0, 10.0)
    assert (v_oc, v_mp, i_mp) == (0.0, 0.0, 0.0)


def test_strings_add_voltage_and_current():
    _, v1, _, i1 = summary(800.0, 40.0)
    _, v6, _, i6 = summary(800.0, 40.0, series=2.0, parallel=3.0)
    assert v6 == pytest.approx(2 * v1)
    assert i6 == pytest.approx(3 * i1)


@pytest.mark.parametrize("name", ["philadelphia_ps_m36s_95", "zytech_zt155p"])
def test_our_module_files_are_the_cec_table(name):
    source = {
        "philadelphia_ps_m36s_95": "Philadelphia_Solar_PS_M36S_95",
        "zytech_zt155p": "Zytech_Solar_ZT155P",
    }
    assert find_module(name) == find_module(source[name])


def test_a_site_may_name_a_module_of_the_cec_table():
    assert site(array={"module": "Zytech_Solar_ZT155P"}).array.module_parameters() == ZT155P
