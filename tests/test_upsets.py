"""Every upset in an ordinary plant: what it changes, that the account still closes, and that mending mends."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from plant.kernel.snapshot import Snapshot
from plant.kernel.step import PROBE_STEP_C
from plant.plant import Plant
from plant.site.upsets import UPSETS
from tests.plants import assert_closes, plant
from tests.test_plant import column, utc

HOUR = 3600
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


def ordinary(start: str = "2026-06-20T06:00", **changes) -> Plant:
    """A clear day, two modules side by side, 100 Ah of AGM in a warm room, 30 W of load."""
    given = {
        "battery": {"soc": 0.7, "room_c": 30.0},
        "load": {"hourly_w": (30.0,) * 24},
        "array": {"parallel": 2},
    }
    return plant(start_utc_s=utc(start), sky=NO_CLOUDS, **{**given, **changes})


def same(name: str, left: float = 1.0, within: float = 1e-6) -> Callable[[Snapshot, Snapshot], bool]:
    """That a quantity is so many times what it was."""
    return lambda before, after: math.isclose(
        getattr(after, name), left * getattr(before, name), rel_tol=within
    )


# What each shows at once, beside the same plant without it, at ten on a clear morning in bulk.
AT_ONCE: dict[str, Callable[[Snapshot, Snapshot], bool]] = {
    "string_open": same("i_pv_a", 0.5, 0.005),
    "string_shaded": lambda was, now: 0.5 * was.i_pv_a < now.i_pv_a < 0.75 * was.i_pv_a,
    "string_shorted": lambda was, now: now.p_mp_w < 0.75 * was.p_mp_w,
    "string_reversed": lambda was, now: now.p_mp_w < 0.15 * was.p_mp_w,
    "probe_open": lambda was, now: now.t_probe_c == 25.0 and was.t_probe_c > 29.0,
    "probe_short": lambda was, now: now.t_probe_c == 25.0 and now.v_target_v > was.v_target_v + 0.07,
    "battery_disconnected": lambda was, now: now.i_batt_a == 0.0 and now.v_batt_v == now.v_target_v,
    "battery_aged": lambda was, now: now.v_batt_v > was.v_batt_v,
    "battery_cell_shorted": lambda was, now: 2.0 < was.v_batt_v - now.v_batt_v < 2.4,
    "battery_high_resistance": lambda was, now: math.isclose(
        now.v_batt_v - now.v_cells_v, 0.1 * now.i_batt_a, rel_tol=1e-9
    ),
    "load_short": lambda was, now: now.i_load_a == 0.0 and now.load_on == 0.0,
    "load_overload": lambda was, now: now.i_load_a > 30.0 or now.load_on == 0.0,
    "heatsink_blocked": same("i_pv_a", 1.0, 0.005),
    "clock_lost": lambda was, now: now.t_device_s == 1_487_030_400.0,
}  # fmt: skip


def test_each_upset_has_its_line_here():
    assert set(AT_ONCE) == set(UPSETS)


@pytest.mark.parametrize("name", UPSETS)
def test_an_upset_shows_and_mended_is_gone(name):
    changes = {"array": {"series": 2, "parallel": 2}} if name == "string_shorted" else {}
    p = ordinary(**changes)
    p.run(4 * HOUR, 300)
    since = p.advance_to(p.t_utc_s + 5)
    broken = p.upset(name)
    assert AT_ONCE[name](since, p.snapshot)
    rows = p.run(10 * HOUR, 300)
    assert np.all(np.isfinite(rows))
    assert_closes(p, since)
    p.mend(broken)
    p.run(6 * HOUR, 300)
    assert_closes(p, since)
    well = ordinary(**changes)
    well.advance_to(p.t_utc_s)
    assert p.snapshot.v_oc_v == well.snapshot.v_oc_v
    assert p.snapshot.t_device_s == well.snapshot.t_device_s
    assert p.snapshot.t_probe_c == pytest.approx(p.snapshot.t_batt_c, abs=PROBE_STEP_C)
    assert p.snapshot.v_batt_v == pytest.approx(well.snapshot.v_batt_v, abs=1.0)


def test_a_battery_that_loses_capacity_keeps_its_share_of_charge_and_the_rest_is_booked():
    p = ordinary()
    since = p.advance_to(p.t_utc_s + 5)
    p.upset("battery_aged", capacity_lost=0.4)
    assert p.snapshot.soc == pytest.approx(since.soc, abs=2e-4)
    assert p.snapshot.e_faded_wh == pytest.approx(0.4 * since.e_stored_wh, rel=1e-3)
    p.run(HOUR)
    gained, as_new = p.snapshot.soc - since.soc, ordinary()
    as_new.advance_to(p.t_utc_s)
    assert gained == pytest.approx((as_new.snapshot.soc - since.soc) / 0.6, rel=0.02)
    assert_closes(p, since)


def test_a_blocked_heat_sink_ends_five_times_as_far_above_the_room():
    """Its mass is what it was, so the first minute is the same and what follows takes five times as long."""
    first, last = {}, {}
    for times in (1.0, 5.0):
        p = ordinary("2026-06-20T09:00", battery={"soc": 0.3, "capacity_ah": 1000.0, "room_c": 30.0})
        p.upset("heatsink_blocked", times=times)
        rows = p.run(8 * HOUR, 5)
        rise = column(rows, "t_heatsink_c") - 30.0
        first[times], last[times] = rise[11], rise.max()
    assert first[5.0] == pytest.approx(first[1.0], rel=0.05)
    assert 2.5 < last[5.0] / last[1.0] < 5.0


def test_a_lost_clock_rolls_the_meters_over_at_midnights_of_its_own():
    p = ordinary()
    p.run(3 * HOUR)
    lost = p.upset("clock_lost")
    at = p.t_utc_s
    rows = p.run(30 * HOUR, 60)
    today, t = column(rows, "consumed_today_kwh"), column(rows, "t_utc_s")
    assert t[1:][np.diff(today) < 0.0].tolist() == [at + 24 * HOUR + 60]
    p.mend(lost)
    assert p.snapshot.t_device_s == p.t_utc_s + 2 * HOUR
    p.advance_to(utc("2026-06-21T23:59"))
    assert p.snapshot.consumed_today_kwh > 0.2
    p.advance_to(utc("2026-06-22T00:01"))
    assert p.snapshot.consumed_today_kwh < 0.01


def test_a_site_file_breaks_and_mends_at_its_times():
    upsets = (
        {"name": "battery_high_resistance", "after": "2h", "lasts": "1h", "values": {"ohm": 0.2}},
        {"name": "load_overload", "at": "2026-06-20T10:30", "values": {"power_w": 50.0}},
    )
    p = ordinary(upsets=upsets)
    rows = p.run(8 * HOUR, 60)
    hour = (column(rows, "t_utc_s") - p.start_utc_s) / HOUR
    resisted = np.abs(column(rows, "v_batt_v") - column(rows, "v_cells_v")) > 0.01
    assert (hour[resisted].min(), hour[resisted].max()) == pytest.approx((2.0 + 1 / 60, 3.0))
    heavy = column(rows, "p_load_w") > 79.0
    assert hour[heavy].min() == pytest.approx(4.5 + 1 / 60)
    assert hour[heavy].max() == 8.0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("heatsink_blocked", {"times": 1e308}),
        ("battery_aged", {"capacity_lost": 5.0}),
        ("load_overload", {"power_w": 1e300}),
        ("battery_high_resistance", {"ohm": 1e308}),
    ],
)
def test_numbers_that_no_plant_could_have_are_refused(name, values):
    with pytest.raises(ValueError, match=f"{name}: .* must be at most"):
        ordinary().upset(name, **values)


def test_a_battery_keeps_its_last_cell_however_often_one_is_shorted():
    p = ordinary()
    for _ in range(9):
        p.upset("battery_cell_shorted")
    p.run(HOUR, 900)
    assert 0.0 < p.snapshot.v_batt_v < 5.0


def test_what_breaks_by_the_timetable_may_be_broken_already():
    """Somebody has told the plant so before: it goes on as it is, and mended it is whole."""
    p = plant(upsets=[{"name": "string_open", "after": "1h", "lasts": "1h"}])
    number = p.upset("string_open")
    p.advance_to(p.t_utc_s + 90 * 60)
    assert list(p.broken().values()) == ["string_open", "string_open"]
    assert p.snapshot.i_pv_a == 0.0
    p.mend(number)
    assert p.snapshot.i_pv_a == 0.0  # the other one holds still
    p.advance_to(p.t_utc_s + 60 * 60)
    assert p.broken() == {}
    assert p.snapshot.i_pv_a > 0.0
