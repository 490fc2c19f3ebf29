"""The array's day: light that reaches the cells, their temperature, and the power they could give."""

import numpy as np
import pvlib
import pytest

from plant.array import array_day, effective_irradiance
from plant.module import find_module
from plant.sky import sky_day
from tests.plants import site

DAY = 20504  # 2026-02-20


@pytest.fixture(scope="module")
def today():
    s = site()
    sky = sky_day(s, 27, DAY)
    return s, sky, array_day(s.array, sky, s.sky.albedo)


def test_cell_temperature_lags_faimans_by_five_minutes(today):
    _, _, array = today
    steady = pvlib.temperature.faiman(array.poa_w_m2, array.t_amb_c, array.wind_m_s)
    gap_before, gap_after = array.t_cell_c[:-1] - steady[1:], array.t_cell_c[1:] - steady[1:]
    moved = np.abs(gap_before) > 1.0
    assert moved.sum() > 1000
    assert gap_after[moved] / gap_before[moved] == pytest.approx(np.exp(-5.0 / 300.0), rel=1e-9)


def test_power_is_pvlibs_at_the_same_light_and_temperature(today):
    s, sky, array = today
    m = find_module(s.array.module)
    _, seen = effective_irradiance(s.array, sky, s.sky.albedo)
    middle = np.interp(np.arange(2.5, 86400.0, 5.0), np.arange(0.0, 86401.0, 10.0), seen)
    for k in np.flatnonzero(middle > 50.0)[::400]:  # below, our shunt is capped and pvlib's is not
        il, i0, rs, rsh, a = pvlib.pvsystem.calcparams_cec(
            middle[k],
            array.t_cell_c[k],
            m.alpha_sc,
            m.a_ref,
            m.i_l_ref,
            m.i_o_ref,
            m.r_sh_ref,
            m.r_s,
            m.adjust,
        )
        whole = pvlib.pvsystem.singlediode(il, i0, rs + s.array.losses.wiring_ohm, rsh, a)
        assert array.p_mp_w[k] == pytest.approx(whole["p_mp"], rel=1e-6)
        assert array.v_oc_v[k] == pytest.approx(whole["v_oc"], rel=1e-6)


def test_cells_see_less_than_falls_on_the_glass(today):
    """Reflection and the shares that the site gives away."""
    s, sky, _ = today
    whole, seen = effective_irradiance(s.array, sky, s.sky.albedo)
    loss = s.array.losses
    keep = (1 - loss.soiling) * (1 - loss.mismatch) * (1 - loss.light_induced) * (1 - loss.nameplate)
    lit = whole > 50.0
    assert np.all(seen[lit] < keep * whole[lit])
    noon = sky.sun.elevation_deg > 30.0
    share = seen[noon] / whole[noon] / keep  # 0.99 in the sun, 0.95 under cloud: diffuse light comes flat
    assert share.max() == pytest.approx(0.99, abs=0.005)
    assert share.min() == pytest.approx(0.95, abs=0.01)


def test_a_flat_array_sees_no_ground():
    s = site(array={"tilt_deg": 0.0}, sky={"clearness": None, "albedo": 0.9})
    sky = sky_day(s, 1, DAY)
    whole, _ = effective_irradiance(s.array, sky, 0.9)
    up = sky.sun.elevation_deg > 5.0
    assert whole[up] == pytest.approx(sky.ghi_w_m2[up], rel=1e-3)
