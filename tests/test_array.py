"""The array's day: light that reaches the cells, their temperature, and the power they could give."""

from dataclasses import replace

import numpy as np
import pvlib
import pytest
from pydantic import ValidationError

from plant.array.model import array_days, beam_iam, light_on
from plant.array.module import find_module
from plant.array.parts import ArrayLosses
from plant.base.problems import ProblemsError
from plant.site.model import load_site
from plant.weather.sky import sky_block, sky_day
from tests.plants import site

DAY = 20504  # 2026-02-20
GRIDDED = ("clear_sky_index", "ghi_w_m2", "dni_w_m2", "dhi_w_m2", "t_amb_c", "wind_m_s")
GRIDDED_SUN = ("zenith_deg", "azimuth_deg", "airmass", "ghi_w_m2", "dni_w_m2", "twilight_w_m2")
SITE_WITH_ARRAY = """\
name: test
location: {{latitude_deg: 46.8, longitude_deg: 6.9}}
start: 2026-02-20
weather: {{temperature_c: 5}}
array:
  {}
battery: {{capacity_ah: 100}}
load: {{hourly_w: [5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5]}}
"""


@pytest.fixture(scope="module")
def today():
    s = site()
    sky = sky_day(s, 35, DAY)  # a broken day: noon has sun and cloud
    return s, sky, array_days(s.array, sky, s.sky.albedo)


def whole_and_seen(array, sky, albedo):
    """Irradiance in the plane of an array [W/m2], and what of it its cells see."""
    light = light_on(array.parts[0], sky, albedo)
    return light.whole, light.beam + light.diffuse


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
    _, seen = whole_and_seen(s.array, sky, s.sky.albedo)
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
    whole, seen = whole_and_seen(s.array, sky, s.sky.albedo)
    loss = s.array.losses
    keep = (1 - loss.soiling) * (1 - loss.mismatch) * (1 - loss.light_induced) * (1 - loss.nameplate)
    lit = whole > 50.0
    assert np.all(seen[lit] < keep * whole[lit])
    noon = sky.sun.elevation_deg > 30.0
    share = seen[noon] / whole[noon] / keep  # 0.99 in the sun, 0.95 under cloud: diffuse light comes flat
    assert share.max() == pytest.approx(0.99, abs=0.005)
    assert share.min() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("step_s", [5.0, 60.0])
def test_any_step_gives_the_same_day(today, step_s):
    s, sky, fine = today
    coarse = array_days(s.array, sky, s.sky.albedo, step_s)
    assert coarse.p_mp_w.size == round(86400 / step_s)
    assert coarse.p_mp_w.sum() * step_s == pytest.approx(fine.p_mp_w.sum() * 5.0, rel=0.005)


def test_a_coarser_sky_will_do(today):
    """One point of sky a minute, as a sizing run has it, on a cloudless day."""
    s = site(sky={"clearness": None})
    sky = sky_day(s, 1, DAY)
    thin = {name: getattr(sky, name)[::6] for name in GRIDDED}
    sun = {name: getattr(sky.sun, name)[::6] for name in GRIDDED_SUN}
    coarse = array_days(s.array, replace(sky, grid_s=60, sun=replace(sky.sun, **sun), **thin), 0.2, 60.0)
    fine = array_days(s.array, sky, 0.2, 60.0)
    risen = fine.p_mp_w > 1.0  # a minute is long for the first light
    assert coarse.p_mp_w[risen] == pytest.approx(fine.p_mp_w[risen], rel=1e-2)
    assert coarse.p_mp_w.sum() == pytest.approx(fine.p_mp_w.sum(), rel=1e-3)


def test_a_cable_is_the_resistance_of_its_copper():
    """12 m of 6 mm2 there and back at 20 degC: 0.0175 x 24 / 6 = 70 mOhm; 11.8 % more at 50 degC."""
    cold = ArrayLosses(wiring={"length_m": 12.0, "cross_section_mm2": 6.0})
    warm = ArrayLosses(wiring={"length_m": 12.0, "cross_section_mm2": 6.0, "t_c": 50.0})
    assert cold.cable_ohm == pytest.approx(0.070)
    assert warm.cable_ohm == pytest.approx(0.070 * 1.1179)
    with pytest.raises(ValidationError, match="not both"):
        ArrayLosses(wiring_ohm=0.1, wiring={"length_m": 12.0, "cross_section_mm2": 6.0})


def test_each_year_takes_half_a_percent_of_the_light(today):
    assert ArrayLosses(age_years=10.0).transmittance(0) / ArrayLosses().transmittance(0) == pytest.approx(
        0.995**10
    )
    s, sky, _ = today
    old = s.array.model_copy(update={"losses": s.array.losses.model_copy(update={"age_years": 10.0})})
    assert whole_and_seen(old, sky, 0.2)[1] == pytest.approx(0.995**10 * whole_and_seen(s.array, sky, 0.2)[1])


def test_a_rack_is_tilted_as_its_month_says():
    """20 February: the second of twelve values."""
    tilts = [10.0, 55.0, *([10.0] * 10)]
    moved, still = site(array={"tilt_deg": tilts}), site(array={"tilt_deg": 55.0})
    sky = sky_day(moved, 1, DAY)
    assert np.array_equal(
        array_days(moved.array, sky, 0.2, 60.0).p_mp_w, array_days(still.array, sky, 0.2, 60.0).p_mp_w
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("tilt_deg: 30", "array.module: missing"),
        ("module: zytech_zt155p", "array.tilt_deg: missing"),
        ("module: zytech_zt155p\n  tilt_deg: [1, 2]", "array.tilt_deg: must be 12 numbers, got 2"),
        ("module: zytech_zt155p\n  tilt_deg: 95", "array.tilt_deg: input should be less than or equal to 90, got 95"),
        ("sub_arrays: []", "array.sub_arrays: must hold at least one"),
        ("sub_arrays: [{module: zytech_zt155p}]", "array.sub_arrays[0].tilt_deg: missing"),
        ("tilt_deg: 3\n  sub_arrays: [{module: zytech_zt155p, tilt_deg: 3}]",
         "tilt_deg must be given in each of sub_arrays"),
        ("module: {datasheet: {i_sc_a: 5}}\n  tilt_deg: 3", "array.module.datasheet.v_oc_v: missing"),
        ("module: {datasheet: {i_sc_a: 5.1, v_oc_v: 22.0, i_mp_a: 4.7, v_mp_v: 17.6, cells_in_series: 36, "
         "alpha_sc_pct_k: 0.05, beta_voc_pct_k: -0.0032}}\n  tilt_deg: 3",
         ":6: array.module.datasheet.beta_voc_pct_k: -0.0032 %/K is not plausible"),
        ("module: {parameters: {a_ref: 1.0}}\n  tilt_deg: 3", "parameters lack alpha_sc"),
        ("module: Zytech Solar ZT155P\n  tilt_deg: 3", "did you mean Zytech_Solar_ZT155P?"),
        ("module: zytech_zt155p\n  tilt_deg: 3\n  shading: {by_hour: [1, 1]}",
         "array.shading.by_hour: must be 24 numbers"),
        ("module: zytech_zt155p\n  tilt_deg: 3\n  shading: {strings: 2, by_hour: [" + 23 * "0, " + "0]}",
         "shading.strings: 2, but there are 1"),
    ],
)  # fmt: skip
def test_a_bad_array_is_told_where_and_why(tmp_path, written, told):
    path = tmp_path / "site.yaml"
    path.write_text(SITE_WITH_ARRAY.format(written), encoding="utf-8")
    with pytest.raises(ProblemsError) as refused:
        load_site(str(path))
    assert told in str(refused.value)


def test_the_glass_lets_in_what_pvlib_says():
    angles = np.linspace(0.0, 90.0, 9973)
    assert beam_iam(angles) == pytest.approx(np.nan_to_num(pvlib.iam.physical(angles)), abs=1e-6)


def test_a_flat_array_sees_no_ground():
    s = site(array={"tilt_deg": 0.0}, sky={"clearness": None, "albedo": 0.9})
    sky = sky_day(s, 1, DAY)
    whole, _ = whole_and_seen(s.array, sky, 0.9)
    up = sky.sun.elevation_deg > 5.0
    assert whole[up] == pytest.approx(sky.ghi_w_m2[up], rel=1e-3)


# --- twelve values for one ---

WINTER = (0.7, 0.6, 0.4, *(0.2,) * 7, 0.3, 0.6)
DUSTY = (*(0.02,) * 5, 0.10, 0.12, 0.15, *(0.02,) * 4)
FEBRUARY_27, MARCH_2 = (int(np.datetime64(day, "D").astype(int)) for day in ("2026-02-27", "2026-03-02"))


@pytest.mark.parametrize("tilt", [40.0, (60.0, 60.0, *(30.0,) * 10)])
def test_twelve_values_of_albedo_and_soiling_hold_for_their_month_each(tilt):
    """From its first day to its last: February's on the 28th, March's on the 1st, whichever days are asked for."""
    year = site(sky={"albedo": WINTER}, array={"tilt_deg": tilt, "losses": {"soiling": DUSTY}})
    for day, month in ((FEBRUARY_27 + 1, 1), (MARCH_2 - 1, 2), (FEBRUARY_27 + 120, 5)):
        alone = site(
            sky={"albedo": WINTER[month]},
            array={"tilt_deg": tilt, "losses": {"soiling": DUSTY[month]}},
        )
        skies = [sky_block(one, 3, day, 1, 60) for one in (year, alone)]
        a, b = (
            array_days(one.array, sky, one.sky.albedo) for one, sky in zip((year, alone), skies, strict=True)
        )
        np.testing.assert_allclose(a.poa_w_m2, b.poa_w_m2, rtol=1e-12)
        np.testing.assert_allclose(a.p_mp_w, b.p_mp_w, rtol=1e-9, atol=1e-9)


def test_days_of_two_months_are_each_as_alone():
    s = site(sky={"albedo": WINTER}, array={"losses": {"soiling": DUSTY}})
    whole = array_days(s.array, sky_block(s, 3, FEBRUARY_27, 4, 60), WINTER, 60.0)
    for k in range(4):
        one = array_days(s.array, sky_block(s, 3, FEBRUARY_27 + k, 1, 60), WINTER, 60.0)
        np.testing.assert_array_equal(whole.p_mp_w[k * 1440 : (k + 1) * 1440], one.p_mp_w)


@pytest.mark.parametrize(
    ("record", "says"),
    [({"sky": {"albedo": [0.2] * 11}}, "must be 12 numbers, got 11"),
     ({"sky": {"albedo": 1.2}}, "less than or equal to 1"),
     ({"array": {"losses": {"soiling": [*[0.1] * 11, 1.0]}}}, "less than 1"),
     ({"array": {"losses": {"soiling": "much"}}}, "valid number")],
)  # fmt: skip
def test_what_is_neither_one_share_nor_twelve_is_refused(record, says):
    with pytest.raises(ValidationError, match=says):
        site(**record)
