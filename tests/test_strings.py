"""Strings that are not all alike: shade behind bypass diodes, several planes, what is broken; pvlib as the judge."""

import numpy as np
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.array.curvetable import NODES, TableRow, current_at, strings_at, tabulate, whole_current
from plant.array.day import ArrayDay, CompositeDay
from plant.array.layout import Defect, layout_of
from plant.array.model import array_days
from plant.array.module import find_module
from plant.array.parts import Array
from plant.array.strings import CABLE_OHM, COUNT, DIM, GROUPS, KIND_COLUMNS, LIT, MODULE, SIGN
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import converter_loss_w
from plant.power.offer import curve_of, offer, offered, throttled
from plant.weather.sky import sky_day
from tests.plants import site

ZT155P = find_module("zytech_zt155p")
STAGE = power_stage(ControllerModel.load("tracer4210n"), 12)
DAY = 20504  # 2026-02-20
NOON = 8640


def kind(lit, dim, count=1, cable_ohm=0.0, sign=1):
    row = np.empty(KIND_COLUMNS)
    row[COUNT], row[LIT], row[DIM], row[GROUPS], row[CABLE_OHM], row[SIGN] = (
        count,
        lit,
        dim,
        2,
        cable_ohm,
        sign,
    )
    row[MODULE:] = ZT155P
    return row


def table(kinds, g_lit, g_dim, t_c):
    """Table of an array of these kinds, its points, and its strings."""
    kinds = np.array(kinds)
    strings = strings_at(kinds, np.array(g_lit, float), np.array(g_dim, float), np.array(t_c, float))
    row = TableRow(np.empty(NODES), np.empty(NODES), np.empty(NODES))
    n, v_oc, v_mp, p_mp = tabulate(strings, kinds, row)
    return TableRow(*(column[:n] for column in row)), (v_oc, v_mp, p_mp), strings, kinds


def group_v(i_a, g, t_c):
    """Voltage of half a ZT155P by pvlib's Lambert W, under its bypass diode."""
    m = ZT155P
    il, i0, rs, rsh, a = pvlib.pvsystem.calcparams_cec(
        g, t_c, m.alpha_sc, m.a_ref, m.i_l_ref, m.i_o_ref, m.r_sh_ref, m.r_s, m.adjust
    )
    v = pvlib.pvsystem.v_from_i(i_a, il, i0, rs / 2, min(rsh, 20 * m.r_sh_ref) / 2, a / 2)
    return np.maximum(np.nan_to_num(v, nan=-np.inf), -0.5)


def test_a_half_shaded_module_has_the_published_peaks():
    """ZT155P as 2 x 18 cells at 1000 and 300 W/m2, 50 degC: 65.07 W at 7.70 V and 47.53 W at 17.92 V."""
    row, (_, v_mp, p_mp), _, _ = table([kind(1, 1)], [1000], [300], [50])
    assert (v_mp, p_mp) == pytest.approx((7.70, 65.07), abs=5e-3)
    v = np.arange(12.0, 20.0, 0.005)
    p = v * np.array([current_at(row, x) for x in v])
    assert (v[p.argmax()], p.max()) == pytest.approx((17.92, 47.53), abs=6e-3)


@settings(max_examples=40, deadline=None)
@given(
    lit=st.integers(1, 5), dim=st.integers(0, 5), g=st.floats(20.0, 1200.0), share=st.floats(0.05, 0.95),
    t_c=st.floats(-20.0, 75.0), cable=st.floats(0.0, 0.5), place=st.floats(0.001, 0.999),
)  # fmt: skip
def test_a_string_is_the_sum_of_its_groups_by_pvlib(lit, dim, g, share, t_c, cable, place):
    row, (v_oc, _, _), strings, kinds = table([kind(lit, dim, cable_ohm=cable)], [g], [share * g], [t_c])
    v = place * v_oc
    i, _ = whole_current(v, strings, kinds)
    theirs = lit * group_v(i, g, t_c) + dim * group_v(i, share * g, t_c) - i * cable
    assert theirs == pytest.approx(v, rel=1e-6, abs=1e-6)
    assert current_at(row, v) == pytest.approx(i, abs=2e-4 * row.i_a[0])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_maximum_is_the_highest_of_all(data):
    """Up to three kinds of strings in light of their own: no point of the true curve beats the one found."""
    many = data.draw(st.integers(1, 3))
    kinds = [
        kind(data.draw(st.integers(1, 4)), data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4)))
        for _ in range(many)
    ]
    g = [data.draw(st.floats(5.0, 1200.0)) for _ in range(many)]
    g_dim = [data.draw(st.floats(0.05, 1.0)) * one for one in g]
    row, (v_oc, v_mp, p_mp), strings, kinds = table(
        kinds, g, g_dim, [data.draw(st.floats(-20.0, 70.0))] * many
    )
    powers = [v * whole_current(v, strings, kinds)[0] for v in np.linspace(0.0, v_oc, 800)]
    assert max(powers) <= p_mp * (1.0 + 1e-6)
    assert v_mp * current_at(row, v_mp) == pytest.approx(p_mp, rel=1e-9)
    assert whole_current(v_oc, strings, kinds)[0] == pytest.approx(0.0, abs=1e-6 * row.i_a[0])
    assert np.all(np.diff(row.v_v) > 0.0)
    assert np.all(np.diff(row.i_a) <= 1e-12 * row.i_a[0])


def test_the_second_of_two_near_peaks_wins_when_it_is_the_higher():
    """Three groups in full light and one at 66 %: four at the lesser current beat three at the greater."""
    _, (v_oc, v_mp, p_mp), strings, kinds = table([kind(3, 1)], [1000], [660], [50])
    v = np.linspace(0.0, v_oc, 4000)
    p = v * np.array([whole_current(one, strings, kinds)[0] for one in v])
    assert v_mp == pytest.approx(v[p.argmax()], abs=v_oc / 2000)
    assert p_mp == pytest.approx(p.max(), rel=1e-4)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_bypass_diodes_let_go_at_their_corner(dim):
    """Just above and just below the corner the string is still the sum of its groups."""
    _, _, strings, kinds = table([kind(3, dim)], [1000], [400], [40])
    corner = strings[0, 14]
    for v in (corner - 0.3, corner - 1e-4, corner + 1e-4, corner + 0.3):
        i, _ = whole_current(v, strings, kinds)
        assert 3 * group_v(i, 1000, 40) + dim * group_v(i, 400, 40) == pytest.approx(v, abs=1e-6)


def test_the_tracker_finds_the_other_peak_when_the_highest_lies_below_its_window():
    row, (v_oc, v_mp, p_mp), _, _ = table([kind(1, 1)], [1000], [300], [50])
    o = offer(row, v_oc, v_mp, p_mp, 12.0, STAGE)
    assert (o.v_track_v, o.p_track_w) == pytest.approx((17.92, 0.995 * 47.53), abs=6e-3)
    low = offer(row, v_oc, v_mp, p_mp, 5.0, STAGE)
    assert (low.v_track_v, low.p_track_w) == (v_mp, pytest.approx(0.995 * p_mp))


@settings(max_examples=60, deadline=None)
@given(
    g=st.floats(60.0, 1200.0),
    shade=st.floats(0.1, 0.9),
    share=st.floats(0.02, 0.98),
    v_batt=st.floats(6.0, 15.0),
)
def test_a_throttled_composite_array_gives_just_what_is_taken(g, shade, share, v_batt):
    row, (v_oc, v_mp, p_mp), _, _ = table(
        [kind(2, 1, 2), kind(2, 2)], [g, 0.7 * g], [shade * g, shade * g], [35, 30]
    )
    o = offer(row, v_oc, v_mp, p_mp, v_batt, STAGE)
    i_out = share * (o.p_track_w - STAGE.k_c * v_oc) / (v_batt + 1.5)
    if i_out <= 0.0:
        return
    v = throttled(o, i_out, v_batt, STAGE, o.v_oc_v)
    wanted = v_batt * i_out + converter_loss_w(v, i_out, STAGE)
    assert v >= o.v_track_v
    assert v * current_at(row, v) == pytest.approx(wanted, rel=1e-9)
    between = np.linspace(o.v_track_v, v, 50)[:-1]
    taken = [v_batt * i_out + converter_loss_w(x, i_out, STAGE) for x in between]
    assert all(x * current_at(row, x) >= w * (1 - 1e-9) for x, w in zip(between, taken, strict=True))


# --- whole days ---

FLAT = {"module": "zytech_zt155p", "series": 2, "parallel": 3, "tilt_deg": 40.0}


def day_of(array: dict, *defects: Defect, step_s: float = 60.0, clearness=None):
    record = Array.model_validate(array)
    s = site(sky={"clearness": clearness})
    return array_days(record, sky_day(s, 1, DAY), 0.2, step_s, defects), record


def test_a_simple_array_stays_a_diode_and_two_equal_halves_give_its_power():
    """A table made of the same strings must be the analytic curve."""
    whole, _ = day_of(FLAT)
    halves, _ = day_of({"sub_arrays": [{**FLAT, "parallel": 1}, {**FLAT, "parallel": 2}]})
    assert isinstance(whole, ArrayDay)
    assert isinstance(halves, CompositeDay)
    assert halves.p_mp_w == pytest.approx(whole.p_mp_w, rel=1e-7, abs=1e-9)
    assert halves.v_oc_v == pytest.approx(whole.v_oc_v, rel=1e-7, abs=1e-9)
    assert halves.poa_w_m2 == pytest.approx(whole.poa_w_m2)


def test_east_and_west_give_their_power_at_their_hours():
    east, west = {**FLAT, "azimuth_deg": 90.0}, {**FLAT, "azimuth_deg": 270.0}
    both, _ = day_of({"sub_arrays": [east, west]})
    one, _ = day_of(east)
    other, _ = day_of(west)
    lit = both.p_mp_w > 1.0
    assert np.all(both.p_mp_w <= (one.p_mp_w + other.p_mp_w) * (1 + 1e-7))
    assert both.p_mp_w[lit].sum() > 0.97 * (one.p_mp_w + other.p_mp_w)[lit].sum()
    assert one.p_mp_w.argmax() < 720 < other.p_mp_w.argmax()


def test_a_shadow_comes_at_its_hours_on_its_strings():
    by_hour = [0.0] * 10 + [1.0] * 2 + [0.0] * 12
    shaded, record = day_of({**FLAT, "shading": {"by_hour": by_hour, "strings": 1, "substrings": 0.25}})
    free, _ = day_of(FLAT)
    hour = np.arange(1440) // 60
    assert layout_of(record).kinds[:, [COUNT, LIT, DIM]].tolist() == [[1, 3, 1], [2, 4, 0]]
    outside = (hour < 10) | (hour > 11)
    assert shaded.p_mp_w[outside] == pytest.approx(free.p_mp_w[outside], rel=1e-7, abs=1e-9)
    share = (shaded.p_mp_w / np.maximum(free.p_mp_w, 1e-9))[~outside & (free.p_mp_w > 100.0)]
    assert np.all((share > 2 / 3 - 0.02) & (share < 0.97))  # at most that string is lost


def test_a_string_open_costs_its_share():
    whole, _ = day_of({**FLAT, "losses": {"wiring_ohm": 0.0}})
    two, _ = day_of({**FLAT, "losses": {"wiring_ohm": 0.0}}, Defect("open"))
    assert two.p_mp_w == pytest.approx(2 / 3 * whole.p_mp_w, rel=1e-9)


def test_a_module_shorted_in_all_strings_costs_its_voltage():
    whole, _ = day_of(FLAT)
    half, _ = day_of(FLAT, Defect("shorted", strings=3))
    assert half.v_oc_v == pytest.approx(whole.v_oc_v / 2, rel=1e-9)


def test_a_module_shorted_in_one_string_pulls_the_others_down():
    whole, _ = day_of(FLAT)
    hurt, _ = day_of(FLAT, Defect("shorted"))
    lit = whole.p_mp_w > 100.0
    assert np.all(hurt.p_mp_w[lit] < 0.85 * whole.p_mp_w[lit])
    assert np.all(hurt.v_oc_v[lit] < whole.v_oc_v[lit])


def test_a_string_hung_in_backwards_leaves_the_drop_of_its_bypass_diodes():
    hurt, _ = day_of(FLAT, Defect("reversed"))
    noon = 720
    assert 0.5 * 4 <= hurt.v_oc_v[noon] < 0.5 * 4 + 1.5
    assert hurt.p_mp_w[noon] < 40.0


@pytest.mark.parametrize("name", ["reversed", "shorted"])
def test_the_maximum_power_is_that_of_the_curve_whatever_is_broken(name):
    """A corner of the curve may be the maximum: no search may lead away from it."""
    for strings in (1, 2):
        hurt, _ = day_of(FLAT, Defect(name, strings=strings))
        for k in range(360, 1080, 20):
            curve = curve_of(hurt, k)
            volts = np.linspace(0.0, hurt.v_oc_v[k], 400)
            watts = max(v * current_at(curve, v) for v in volts)
            assert hurt.p_mp_w[k] >= watts * (1.0 - 1e-4)


def test_all_strings_open_is_darkness():
    dark, _ = day_of(FLAT, Defect("open", strings=3))
    assert np.all(dark.p_mp_w == 0.0)
    o = offered(dark, 720, 12.0, STAGE)
    assert (o.p_track_w, o.v_oc_v, current_at(curve_of(dark, 720), 5.0)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("defect", "told"),
    [(Defect("open", strings=4), "4 strings, but there are 3"), (Defect("shorted", modules=2), "one must be left"),
     (Defect("open", sub_array=1), "sub_array must lie in 0..0")],
)  # fmt: skip
def test_a_defect_of_what_is_not_there_is_told(defect, told):
    with pytest.raises(ValueError, match=told):
        day_of(FLAT, defect)
