"""Whole plants: determinism, the account of energy, the meters, and what the controller does with a day."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plant.base.clock import parse_local, to_local, to_utc_s
from plant.controller.charger import Machine, Stage
from plant.inputs import inputs_of
from plant.kernel.show import gauge
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report import picture
from plant.report.trace import PICTURES, Trace
from plant.weather.sky import OVER_CLEAR, sky_day
from tests.plants import column, plant, site, utc

DAY = 86400
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


@pytest.fixture(scope="module")
def five_days() -> tuple[Plant, np.ndarray]:
    p = plant(seed=3, start_utc_s=utc("2026-06-20T00:00"))
    return p, p.run(5 * DAY, 60)


# determinism


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    runs = [plant(seed=seed).run(DAY, 300).tobytes() for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


HOT = {  # the module's maximum lies below the tracker's window, whose edge follows the battery
    "weather": {"temperature_c": (48.0,) * 12, "wind_m_s": (0.5,) * 12},
    "array": {"module": "zytech_zt155p"},
    "battery": {"soc": 0.9, "room_c": 10.0},
}


@pytest.mark.parametrize("changes", [{}, HOT], ids=["cold", "hot"])
@settings(max_examples=15, deadline=None)
@given(pauses=st.lists(st.integers(1, 9000), min_size=1, max_size=25))
def test_polling_often_or_seldom_does_not_change_the_plant(changes, pauses):
    """However the time is cut, the plant at a moment is the same to the last bit."""
    polled, alone = plant(seed=7, **changes), plant(seed=7, **changes)
    for pause in pauses:
        polled.advance_to(polled.t_utc_s + pause)
        polled.snapshot._asdict()
    end = polled.t_utc_s
    assert alone.advance_to(end) == polled.snapshot


@settings(max_examples=12, deadline=None)
@given(day=st.integers(19000, 23000), seed=st.integers(0, 2**62))
def test_air_does_not_jump_at_midnight(day, seed):
    today, tomorrow = (sky_day(site(), seed, d) for d in (day, day + 1))
    assert today.t_amb_c[-1] == pytest.approx(tomorrow.t_amb_c[0], abs=1e-6)
    assert today.wind_m_s[-1] == pytest.approx(tomorrow.wind_m_s[0], abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(
    latitude=st.floats(-89.0, 89.0), longitude=st.floats(-180.0, 180.0),
    day=st.integers(20000, 20365), seed=st.integers(0, 99),
)  # fmt: skip
def test_weather_is_physical_everywhere_on_earth(latitude, longitude, day, seed):
    """Polar night and midnight sun included."""
    s = site(
        location={"latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": 0.0, "timezone": "UTC"}
    )
    sky = sky_day(s, seed, day)
    direct = sky.dni_w_m2 * np.maximum(np.cos(np.radians(sky.sun.zenith_deg)), 0.0)
    for values in (sky.ghi_w_m2, sky.dni_w_m2, sky.dhi_w_m2):
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0.0)
    # a day brighter than the month's cloudless one has a cloudless sky of its own
    own = max(1.0, np.average(sky.clear_sky_index, weights=sky.sun.ghi_w_m2 + 1e-9) / OVER_CLEAR)
    assert np.all(sky.ghi_w_m2 <= 1.6 * own * sky.sun.ghi_w_m2 + 4.0)
    assert sky.ghi_w_m2 == pytest.approx(direct + sky.dhi_w_m2, abs=1e-6)
    inputs = inputs_of(s, seed, day)
    assert np.all(np.isfinite(inputs.array.p_mp_w))
    assert np.all(inputs.array.v_mp_v <= inputs.array.v_oc_v + 1e-12)


# energy


def test_energy_closes_at_the_bus_over_any_span(five_days):
    _, rows = five_days
    e = {name: column(rows, name) for name in Snapshot._fields if name.startswith("e_")}
    scale = e["e_pv_wh"][-1]
    assert np.abs(e["e_pv_wh"] - e["e_chg_wh"] - e["e_converter_loss_wh"]).max() < 1e-9 * scale
    out = e["e_load_wh"] + e["e_path_loss_wh"] + e["e_own_wh"] + e["e_batt_wh"]
    assert np.abs(e["e_chg_wh"] - out).max() < 1e-9 * scale


def test_energy_closes_inside_the_battery_over_days_of_weather(five_days):
    _, rows = five_days
    last, first = Snapshot(*rows[-1]), Snapshot(*rows[0])
    gone = sum(
        getattr(last, name) - getattr(first, name)
        for name in ("e_ohmic_wh", "e_polarisation_wh", "e_side_wh", "e_diffusion_wh")
    )
    warmth = last.e_entropy_wh - first.e_entropy_wh
    more = last.e_stored_wh - first.e_stored_wh
    through = np.abs(np.diff(column(rows, "e_batt_wh"))).sum()
    assert more + gone - warmth == pytest.approx(last.e_batt_wh - first.e_batt_wh, abs=1e-6 * through)


def test_powers_of_a_snapshot_agree_with_its_volts_and_amps(five_days):
    _, rows = five_days
    assert column(rows, "v_pv_v") * column(rows, "i_pv_a") == pytest.approx(column(rows, "p_pv_w"), abs=1e-9)
    assert column(rows, "v_load_v") * column(rows, "i_load_a") == pytest.approx(
        column(rows, "p_load_w"), abs=1e-9
    )
    assert column(rows, "v_batt_v") * column(rows, "i_chg_a") == pytest.approx(
        column(rows, "p_chg_w"), abs=1e-9
    )
    assert np.all(column(rows, "p_pv_w") <= column(rows, "p_mp_w") * (1 + 1e-9))


def test_meters_are_the_integral_of_power_to_ten_watt_hours():
    """Registers show 0.01 kWh; sums of 5 s samples must agree with the counters to that, at every midnight."""
    p = plant(seed=5, start_utc_s=utc("2026-04-29T00:00"))
    rows = p.run(3 * DAY, 5)
    for flow, meter in (("p_chg_w", "generated"), ("p_load_w", "consumed")):
        energy = np.cumsum(column(rows, flow)) * 5.0 / 3.6e6
        assert column(rows, f"{meter}_total_kwh") == pytest.approx(energy, abs=0.002)
        for day in range(3):
            spent = energy[(day + 1) * 17280 - 2] - (energy[day * 17280 - 1] if day else 0.0)
            assert column(rows, f"{meter}_today_kwh")[(day + 1) * 17280 - 2] == pytest.approx(
                spent, abs=0.002
            )


def test_meters_start_again_at_the_controllers_midnight_month_and_year():
    p = plant(seed=5, start_utc_s=utc("2026-12-30T00:00"))
    rows = p.run(3 * DAY, 300)
    local = [to_local(t, "Europe/Zurich") for t in column(rows, "t_utc_s")]
    eve = [i for i, t in enumerate(local) if t.hour == 23 and t.minute == 55]
    for meter in ("consumed", "generated"):
        today, month, year, total = (
            column(rows, f"{meter}_{span}_kwh") for span in ("today", "month", "year", "total")
        )
        assert np.all(np.diff(total) >= 0.0)
        assert np.all(today <= month + 1e-12)
        assert month[eve[1]] == pytest.approx(total[eve[1]])  # nothing rolled over on the 31st
        assert today[eve[1]] < month[eve[1]]
        assert month[eve[2]] == today[eve[2]] == year[eve[2]]  # 1 January
        assert total[eve[2]] > year[eve[2]]


def test_day_extremes_start_again_at_midnight():
    p = plant(seed=5, start_utc_s=utc("2026-06-20T12:00"))
    p.advance_to(utc("2026-06-20T23:59"))
    assert p.snapshot.v_pv_max_today_v > 15.0
    p.advance_to(utc("2026-06-21T00:05"))
    assert p.snapshot.v_pv_max_today_v < 1.0
    assert p.snapshot.v_batt_min_today_v <= p.snapshot.v_batt_v <= p.snapshot.v_batt_max_today_v


@settings(max_examples=20, deadline=None)
# Collapsed and came back mid-step.
@example(capacity=1.0, soc=0.0, system=12, strings=1, load=44.0, room=0.0, seed=1)
@given(
    capacity=st.floats(1.0, 3000.0), soc=st.floats(0.0, 1.0), system=st.sampled_from([12, 24]),
    strings=st.integers(1, 20), load=st.floats(0.0, 3000.0), room=st.floats(-25.0, 55.0), seed=st.integers(0, 1000),
)  # fmt: skip
def test_no_plant_however_odd_loses_energy_or_its_mind(capacity, soc, system, strings, load, room, seed):
    """From a toy battery under kilowatts to a submarine's under a lamp."""
    p = plant(
        seed=seed, battery={"capacity_ah": capacity, "soc": soc, "system_v": system, "room_c": room},
        array={"series": system // 12, "parallel": strings}, load={"hourly_w": (load,) * 24, "noise": 0.5},
    )  # fmt: skip
    rows = p.run(DAY, 300)
    assert np.all(np.isfinite(rows))
    assert p.overrun_steps == 0
    last = p.snapshot
    scale = 1e-9 * (last.e_pv_wh + last.e_load_wh + 1.0)
    assert last.e_pv_wh == pytest.approx(last.e_chg_wh + last.e_converter_loss_wh, abs=scale)
    out = last.e_load_wh + last.e_path_loss_wh + last.e_own_wh + last.e_batt_wh
    assert last.e_chg_wh == pytest.approx(out, abs=scale)
    assert np.all(column(rows, "v_batt_v") < 17.5 * system / 12)
    assert np.all(column(rows, "i_chg_a") <= 40.0 * (1 + 1e-9))


# the controller's day


def stages_of(p: Plant) -> list[tuple[str, str]]:
    return [(e.from_, e.to) for e in p.events() if e.machine is Machine.CHARGE]


def test_a_clear_day_goes_through_bulk_boost_and_float():
    p = plant(
        start_utc_s=utc("2026-06-20T02:00"), sky=NO_CLOUDS, battery={"soc": 0.8},
        array={"parallel": 2}, load={"hourly_w": (5.0,) * 24},
    )  # fmt: skip
    rows = p.run(DAY, 60)
    assert stages_of(p)[:3] == [("NONE", "BULK"), ("BULK", "BOOST"), ("BOOST", "FLOAT")]
    assert stages_of(p)[-1][1] == "NONE"
    events = {(e.from_, e.to): e.t_utc_s for e in p.events() if e.machine is Machine.CHARGE}
    assert events["BOOST", "FLOAT"] - events["BULK", "BOOST"] == pytest.approx(7200.0, abs=1.0)
    held = column(rows, "stage") == Stage.FLOAT
    by_sun = held & (column(rows, "regime") == 2.0) & (column(rows, "i_chg_a") > 0.0)
    assert column(rows, "v_batt_v")[by_sun] == pytest.approx(column(rows, "v_target_v")[by_sun], abs=1e-9)
    assert not np.any(column(rows, "i_pv_a")[column(rows, "night") == 1.0])


def test_boost_time_counts_only_what_is_served_at_the_voltage():
    """A passing cloud pauses the clock; it doesn't restart it."""
    p = plant(
        seed=11, start_utc_s=utc("2026-06-20T02:00"), battery={"soc": 0.9}, array={"parallel": 2},
        controller={"boost_timer": "accumulate"},
    )  # fmt: skip
    rows = p.run(4 * DAY, 5)
    boosts = [e for e in p.events() if e.machine is Machine.CHARGE and (e.from_, e.to) == ("BOOST", "FLOAT")]
    assert boosts
    entered = [
        e.t_utc_s
        for e in p.events()
        if e.machine is Machine.CHARGE and e.to == "BOOST" and e.t_utc_s < boosts[0].t_utc_s
    ]
    t = column(rows, "t_utc_s")
    served = (
        (t > entered[0])
        & (t <= boosts[0].t_utc_s)
        & (column(rows, "regime") == 2.0)
        & (column(rows, "stage") == Stage.BOOST)
    )
    assert served.sum() * 5.0 == pytest.approx(7200.0, abs=60.0)


def test_load_pulling_the_battery_down_in_float_brings_a_whole_new_charge():
    """Back to bulk, and the boost that follows is served in full again."""
    heavy = tuple(300.0 if hour == 11 else 5.0 for hour in range(24))
    p = plant(
        start_utc_s=utc("2026-06-20T02:00"), sky=NO_CLOUDS, battery={"soc": 0.97}, array={"parallel": 3},
        controller={"boost_min": 60}, load={"hourly_w": heavy},
    )  # fmt: skip
    p.run(DAY, 300)
    charge = [e for e in p.events() if e.machine is Machine.CHARGE]
    back = next(i for i, e in enumerate(charge) if (e.from_, e.to) == ("FLOAT", "BULK"))
    assert charge[back].reason == "battery pulled below boost reconnect"
    again = charge[back + 1 : back + 3]
    assert [(e.from_, e.to) for e in again] == [("BULK", "BOOST"), ("BOOST", "FLOAT")]
    assert again[1].t_utc_s - again[0].t_utc_s == pytest.approx(3600.0, abs=1.0)


def test_empty_battery_drops_the_load_and_takes_it_back_when_charged():
    p = plant(
        start_utc_s=utc("2026-06-20T18:00"),
        sky=NO_CLOUDS,
        battery={"soc": 0.2},
        load={"hourly_w": (30.0,) * 24},
    )
    rows = p.run(DAY, 60)
    switches = [(e.to, e.t_utc_s) for e in p.events() if e.machine is Machine.LOAD]
    assert [to for to, _ in switches][:2] == ["LOW_VOLTAGE", "ON"]
    off = column(rows, "load_on") == 0.0
    assert off.any()
    assert not column(rows, "i_load_a")[off].any()
    assert not column(rows, "v_load_v")[off].any()
    assert np.all(column(rows, "battery_status")[off] == 3.0)
    asked = column(rows, "e_unserved_wh")[-1] + column(rows, "e_load_wh")[-1]
    assert asked == pytest.approx(30.0 * 24.0, rel=1e-9)


def test_equalizing_comes_on_the_28th_and_not_in_the_same_charge_as_boost():
    p = plant(
        start_utc_s=utc("2026-06-27T02:00"),
        sky=NO_CLOUDS,
        battery={"soc": 0.9},
        array={"parallel": 2},
        load={"hourly_w": (5.0,) * 24},
    )
    p.run(3 * DAY, 300)
    by_day = {27: "BOOST", 28: "EQUALIZE", 29: "BOOST"}
    for day, stage in by_day.items():
        entered = {
            e.to
            for e in p.events()
            if e.machine is Machine.CHARGE and to_local(e.t_utc_s, "Europe/Zurich").day == day
        }
        assert entered == {"BULK", stage, "FLOAT", "NONE"}


def test_gel_is_never_equalized():
    p = plant(
        start_utc_s=utc("2026-06-27T02:00"), sky=NO_CLOUDS, battery={"soc": 0.9}, array={"parallel": 2},
        controller={"battery_type": "gel"},
    )  # fmt: skip
    p.run(3 * DAY, 300)
    assert "EQUALIZE" not in {e.to for e in p.events()}


@pytest.mark.parametrize(
    ("v_batt", "lvd", "float_v", "shown"),
    [(13.23, 11.1, 13.6, 85), (13.39, 11.3, 13.5, 95), (13.25, 11.0, 13.6, 86)],
)
def test_state_of_charge_is_gauged_as_three_recorded_controllers_did(v_batt, lvd, float_v, shown):
    """Dumps of a 3210AN, a 10 A AN and a 20 A AN."""
    assert int(100 * gauge(v_batt, lvd, float_v) + 1e-6) == shown
    assert gauge(lvd - 1.0, lvd, float_v) == 0.0
    assert gauge(float_v + 1.0, lvd, float_v) == 1.0


def test_heat_sink_warms_with_the_loss_it_carries():
    """At rest its rise is thermal resistance times loss; with a time constant of 27 min."""
    p = plant(
        start_utc_s=utc("2026-06-20T10:00"),
        sky=NO_CLOUDS,
        array={"parallel": 4},
        battery={"capacity_ah": 1000.0, "soc": 0.3},
    )
    rows = p.run(4 * 3600, 60)
    loss = np.diff(column(rows, "e_converter_loss_wh")) * 60.0
    rise = column(rows, "t_heatsink_c")[1:] - 18.0
    assert rise[0] < 0.5 * 1.1 * loss[0]
    assert rise[-1] == pytest.approx(1.1 * loss[-1], rel=0.05)
    night = p.run(10 * 3600, 60)
    assert column(night, "t_heatsink_c")[-1] == pytest.approx(18.0, abs=0.05)


def test_night_comes_ten_minutes_after_the_array_goes_dark():
    p = plant(start_utc_s=utc("2026-03-12T12:00"), sky=NO_CLOUDS)
    rows = p.run(DAY, 5)
    t, v = column(rows, "t_utc_s"), column(rows, "v_pv_v")
    dark = t[np.flatnonzero(v < 5.0)[0]]
    dusk = next(e.t_utc_s for e in p.events() if e.machine is Machine.DAYLIGHT and e.to == "NIGHT")
    assert dusk - dark == pytest.approx(600.0, abs=10.0)
    light = t[np.flatnonzero((v >= 6.0) & (t > dusk))[0]]
    dawn = next(e.t_utc_s for e in p.events() if e.machine is Machine.DAYLIGHT and e.to == "DAY")
    assert dawn - light == pytest.approx(600.0, abs=10.0)


def test_events_are_placed_within_a_step_not_at_its_end():
    """Voltage events fall on milliseconds, and the voltage there is the set-point, between two points of the grid."""
    p = plant(
        start_utc_s=utc("2026-06-20T18:00"),
        sky=NO_CLOUDS,
        battery={"soc": 0.25},
        load={"hourly_w": (30.0,) * 24},
    )
    rows = p.run(DAY, 5)
    recovered = next(e.t_utc_s for e in p.events() if e.reason == "under-voltage warning recovered")
    assert recovered % 5.0 > 1e-3
    v_batt_v = np.interp(recovered, column(rows, "t_utc_s"), column(rows, "v_batt_v"))
    assert v_batt_v == pytest.approx(
        p.settings.under_voltage_recover_v, abs=1e-4
    )  # a step of the grid moves it by 6e-4
    assert p.overrun_steps == 0


def test_solar_midnight_and_civil_midnight_may_fall_anywhere():
    """A site far from its time zone's meridian: days, meters and steps still meet."""
    # UTC+5:45, 11 h from its own sun.
    s = site(location={"longitude_deg": 170.0, "timezone": "Asia/Kathmandu"})
    p = Plant.new(s, 1, to_utc_s(parse_local("2026-06-20T10:00"), "Asia/Kathmandu"))
    rows = p.run(2 * DAY, 60)
    assert len(rows) == 2 * 1440
    assert np.all(np.diff(column(rows, "t_utc_s")) == 60.0)
    today = column(rows, "consumed_today_kwh")
    falls = [to_local(t, "Asia/Kathmandu") for t in column(rows, "t_utc_s")[1:][np.diff(today) < 0]]
    assert [(t.hour, t.minute) for t in falls] == [(0, 1), (0, 1)]


@pytest.mark.parametrize("dst", [False, True])
def test_the_controllers_clock_follows_daylight_saving_where_it_is_asked_to(dst):
    p = plant(start_utc_s=utc("2026-03-29T00:00"), controller={"clock_dst": dst})
    rows = p.run(4 * 3600, 1800)
    ahead = column(rows, "t_device_s") - column(rows, "t_utc_s")
    assert ahead.tolist() == [3600.0] * 4 + [7200.0 if dst else 3600.0] * 4


def test_24_v_system_works_at_twice_the_voltage():
    p = plant(battery={"system_v": 24, "soc": 0.7}, array={"series": 2, "parallel": 1}, sky=NO_CLOUDS)
    p.advance_to(p.t_utc_s + 3600)
    assert 24.0 < p.snapshot.v_batt_v < 29.0
    assert p.snapshot.i_chg_a > 0.0


# traces


def test_trace_files_of_one_seed_are_identical(tmp_path):
    files = []
    for name in ("a", "b"):
        p = plant(seed=4)
        Trace(p.run(3 * 3600, 60), "Europe/Zurich").write(tmp_path / f"{name}.csv")
        files.append((tmp_path / f"{name}.csv").read_bytes())
    assert files[0] == files[1]
    header, first = files[0].decode().splitlines()[:2]
    assert header.startswith("time,t_utc_s,")
    assert first.startswith("2026-")


def test_parquet_holds_the_same_numbers(tmp_path):
    import pandas as pd

    trace = Trace(plant().run(3600, 60), "Europe/Zurich")
    trace.write(tmp_path / "t.parquet")
    back = pd.read_parquet(tmp_path / "t.parquet")
    assert back["v_batt_v"].to_numpy() == pytest.approx(trace["v_batt_v"])
    assert len(back) == 60


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_day_can_be_drawn_without_a_browser(tmp_path, suffix):
    p = plant()
    rows = p.run(DAY, 900)
    path = tmp_path / f"day{suffix}"
    picture.draw(Trace(rows, "Europe/Zurich", p.events(), "Cabin"), path)
    start = path.read_bytes()[:200]
    assert {".svg": b"<svg", ".png": b"\x89PNG", ".html": b"<!DOCTYPE html>"}[suffix] in start
