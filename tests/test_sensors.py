"""Readings: seeded noise on what registers show, dips and outliers; never on the plant."""

import numpy as np
import pytest

from modbus.codec.replies import WordsReply, decode_reply
from modbus.codec.requests import ReadWords
from modbus.device.interface import Shown
from modbus.device.sensors import Sensors
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from plant.controller.setpoints import gauge_ends_v
from plant.kernel.show import gauge
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.power.converter import Regime
from tests.plants import plant, site
from tests.snapshots import NEW, ZERO, Still
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.options import Options

EPEVER = load_map("epever", TRACER_4210)
BOOST = ZERO._replace(
    v_batt_v=14.4, v_pv_v=18.5, i_chg_a=0.6, i_load_a=0.12, i_batt_a=0.46, stage=2.0, t_probe_c=25.0,
    regime=float(Regime.CONSTANT_VOLTAGE), load_on=1.0,
)  # fmt: skip
FLOAT = BOOST._replace(stage=4.0, v_batt_v=13.8)
BULK = BOOST._replace(stage=1.0, v_batt_v=13.1, v_pv_v=14.3, regime=float(Regime.PASSING))
NIGHT = ZERO._replace(v_batt_v=12.8, v_pv_v=0.35, night=1.0, i_load_a=0.12, i_batt_a=-0.13, load_on=1.0)


def readings(state: Snapshot, name: str, n: int = 1440, seed: int = 1, **how: float) -> np.ndarray:
    """What a master that polls once a minute gets to see of a state that stands still."""
    sensors = Sensors(seed, 1, 12, how.get("dips_per_h", 0.0), how.get("outliers_per_day", 0.0))
    return np.array(
        [getattr(sensors.read(Shown(state._replace(t_utc_s=60.0 * k), NEW)).snapshot, name) for k in range(n)]
    )


@pytest.mark.parametrize(
    ("state", "name", "sd"),
    [
        (NIGHT, "v_batt_v", 0.004), (NIGHT, "v_pv_v", 0.02), (NIGHT, "i_load_a", 0.012),
        (BULK, "v_batt_v", 0.016), (BULK, "i_chg_a", 0.010),
        (BOOST, "v_batt_v", 0.060), (BOOST, "v_pv_v", 0.15), (FLOAT, "v_batt_v", 0.045),
    ],
)  # fmt: skip
def test_readings_scatter_by_regime_and_are_right_on_the_mean(state, name, sd):
    seen = readings(state, name)
    assert seen.std() == pytest.approx(sd, rel=0.07)
    assert seen.mean() == pytest.approx(getattr(state, name), abs=4.0 * sd / np.sqrt(len(seen)))
    assert abs(np.corrcoef(seen[1:], seen[:-1])[0, 1]) < 0.08  # white from sample to sample


def test_nothing_flows_where_nothing_flows():
    assert set(readings(NIGHT, "i_chg_a", 50)) == {0.0}
    assert readings(NIGHT._replace(v_pv_v=0.0), "v_pv_v", 200).min() == 0.0


def test_a_reading_is_of_seed_register_and_time_whoever_asks_how_often():
    one, again, other = (readings(BOOST, "v_batt_v", 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()
    sensors = Sensors(1, 1, 12, 0.0, 0.0)
    shown = Shown(BOOST, NEW)
    assert sensors.read(shown) is sensors.read(shown)
    neighbour = Sensors(1, 2, 12, 0.0, 0.0).read(shown).snapshot
    assert neighbour.v_batt_v != sensors.read(shown).snapshot.v_batt_v


def test_what_follows_from_readings_follows_them():
    """The powers on the wire by their digits, the gauge by the voltage, the net current by both currents."""
    sensors = Sensors(3, 1, 12, 0.0, 0.0)
    tracer = Tracer(EPEVER, Still(BOOST._replace(t_utc_s=86400.0)), sensors=sensors)
    request = ReadWords(1, 4, 0x3100, 16)
    reply = decode_reply(request, tracer.answer(request) or b"")
    assert isinstance(reply, WordsReply)
    v_pv, i_pv, p_pv, _, v_batt, i_chg, p_chg = reply.words[:7]
    assert p_chg == p_pv == v_batt * i_chg // 100
    assert i_pv == 100 * p_chg // v_pv
    assert reply.words[12] == v_batt
    seen = sensors.read(Shown(FLOAT._replace(v_batt_v=12.5), NEW)).snapshot
    assert seen.soc_controller == pytest.approx((seen.v_batt_v - 11.1) / 2.7)
    assert seen.i_batt_a == pytest.approx(FLOAT.i_batt_a + seen.i_chg_a - 0.6 - seen.i_load_a + 0.12)


@pytest.mark.parametrize("room_c", [2.0, 25.0, 38.0])
def test_the_gauge_of_readings_without_noise_is_the_plants_own_at_any_temperature(room_c):
    p = plant(battery={"room_c": room_c, "soc": 0.6})
    p.run(3600, 3600)
    seen = p.snapshot
    assert 0.0 < seen.soc_controller < 1.0
    ends_v = gauge_ends_v(p.settings, 12, seen.t_probe_c)
    assert gauge(seen.v_batt_v, *ends_v) == pytest.approx(seen.soc_controller, abs=1e-12)


def test_dips_come_at_the_rate_asked_for_and_last_a_minute_or_a_few():
    quiet = readings(BOOST, "v_batt_v", 600)
    assert quiet.min() > 14.1
    restless = readings(BOOST, "v_batt_v", 3000, dips_per_h=6.0)
    low = restless < 14.15
    begun = np.diff(low.astype(int)) == 1
    assert begun.sum() == pytest.approx(300 * 0.95, rel=0.15)  # some run into one another
    assert 1.0 < low.sum() / begun.sum() < 2.2
    assert restless[low].min() > 13.0
    v_pv = readings(BOOST, "v_pv_v", 3000, dips_per_h=6.0)
    assert (v_pv[low] < 18.0).mean() > 0.9
    assert readings(BULK, "v_batt_v", 600, dips_per_h=6.0).min() > 13.0  # only of a battery that is held


def test_no_reading_lies_outside_of_the_day_s_range_beside_it():
    sensors = Sensors(1, 1, 12, 6.0, 30.0)
    still = BOOST._replace(
        v_batt_max_today_v=14.45, v_batt_min_today_v=12.0, v_pv_max_today_v=18.6, v_pv_min_today_v=18.4
    )
    seen = [sensors.read(Shown(still._replace(t_utc_s=60.0 * k), NEW)).snapshot for k in range(1440)]
    for s in seen:
        assert s.v_batt_min_today_v <= s.v_batt_v <= s.v_batt_max_today_v
        assert s.v_pv_min_today_v <= s.v_pv_v <= s.v_pv_max_today_v
    assert min(s.v_batt_max_today_v for s in seen) == 14.45 < max(s.v_batt_v for s in seen)


def test_outliers_are_a_few_a_day_with_the_current_up_at_once():
    v = readings(BOOST, "v_batt_v", 14400, outliers_per_day=3.0)
    i = readings(BOOST, "i_chg_a", 14400, outliers_per_day=3.0)
    high = v > 14.68
    assert 15 <= high.sum() <= 45  # ten days
    assert (i[high] > 0.8).all()


def test_the_plant_its_trace_and_what_it_shows_by_name_stay_exact():
    there = site(controller={"sensors": "real"}, start="2026-06-20T12:00")
    exact = site(start="2026-06-20T12:00")
    options = Options(map_name="epever", polled_s=60.0)
    answers, shown = [], []
    for each in (there, there, exact):
        assembly = assemble([Plant.new(each, 1)], options)
        answers.append([assembly.units[0].tracer.answer(ReadWords(1, 4, 0x3104, 2)) for _ in range(3)])
        shown.append(assembly.do("show v_batt_v"))
    assert answers[0] == answers[1] != answers[2]
    assert shown[0] == shown[1] == shown[2]
