"""Every upset in an ordinary plant: what it changes, that the account still closes, and that mending mends."""

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.map.registers import TRACER_4210, load_map
from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Detailed
from plant.plant import Plant
from plant.report.account import account, missing_wh
from plant.site.model import load_site
from plant.site.timetable import parse_upset
from plant.site.upsets import UPSETS, check
from tests.command import ROOT
from tests.plants import assert_closes, column, plant, site, utc

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
    "cloud": lambda was, now: 0.15 * was.poa_w_m2 < now.poa_w_m2 < 0.25 * was.poa_w_m2
    and math.isclose(now.ghi_w_m2, 0.2 * was.ghi_w_m2, rel_tol=0.01),
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
    "charger_fails": lambda was, now: was.i_charger_1_a == 5.0 and now.charger_1 == now.i_charger_1_a == 0.0,
    "load_short": lambda was, now: now.i_load_a == 0.0 and now.load_on == 0.0,
    "load_overload": lambda was, now: now.i_load_a > 30.0 or now.load_on == 0.0,
    "heatsink_blocked": same("i_pv_a", 1.0, 0.005),
    "clock_lost": lambda was, now: now.t_device_s == 1_487_030_400.0,
}  # fmt: skip


def test_each_upset_has_its_line_here():
    assert set(AT_ONCE) == set(UPSETS), "AT_ONCE has what each shows at once"


@pytest.mark.parametrize("name", UPSETS)
def test_an_upset_shows_and_mended_is_gone(name):
    changes = {
        "string_shorted": {"array": {"series": 2, "parallel": 2}},
        "charger_fails": {
            "battery": {"soc": 0.2, "chargers": [{"name": "mains", "current_a": 5.0, "voltage_v": 14.4}]}
        },
    }.get(name, {})
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
    assert p.snapshot.t_probe_c == pytest.approx(p.snapshot.t_batt_c, abs=Detailed(5.0).probe_step_c)
    assert p.snapshot.v_batt_v == pytest.approx(well.snapshot.v_batt_v, abs=1.0)


@pytest.mark.parametrize("name", ["battery_aged", "battery_cell_shorted"])
def test_the_account_closes_when_the_battery_has_lost_from_the_first_moment_on(name):
    p = ordinary(upsets=[name])
    before = p.snapshot
    p.run(24 * HOUR, 300)
    assert abs(missing_wh(account(before, p.snapshot))) < 1e-3


def test_a_unit_without_power_measures_nothing():
    """The day's lowest voltages are those from before and after, and finite in a day that begins without power."""
    p = ordinary("2026-06-20T22:00")
    p.run(HOUR, 300)
    broken = p.upset("battery_disconnected")
    p.run(4 * HOUR, 300)
    assert p.snapshot.v_batt_v == p.snapshot.v_batt_max_today_v == p.snapshot.v_pv_max_today_v == 0.0
    p.mend(broken)
    p.run(HOUR, 300)
    assert 12.0 < p.snapshot.v_batt_min_today_v <= p.snapshot.v_batt_v


def test_a_broken_probe_shows_25_degrees_in_every_register():
    """As units without a probe do: BN2215, A3210, AN20."""
    p = ordinary()
    words = load_map("epever", TRACER_4210).words["input"]
    p.run(2 * HOUR, 300)
    before = [words[address](p.snapshot, p.settings) for address in (0x3110, 0x311B, 0x331D, 0x331E)]
    assert len(set(before)) == 1
    assert before[0] != 2500
    p.upset("probe_open")
    after = [words[address](p.snapshot, p.settings) for address in (0x3110, 0x311B, 0x331D, 0x331E)]
    assert set(after) == {2500}


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
    """Its mass is what it was, so the first minute is the same and what follows takes five times as long.

    By night, as no light changes the heat: only the load's current does, a little, as the battery falls.
    """
    first, last, most_of_it = {}, {}, {}
    for times in (1.0, 5.0):
        battery = {"soc": 0.9, "capacity_ah": 1000.0, "room_c": 30.0}
        p = ordinary("2026-12-20T18:00", battery=battery, load={"hourly_w": (150.0,) * 24})
        p.upset("heatsink_blocked", times=times)
        rise = column(p.run(12 * HOUR, 5), "t_heatsink_c") - 30.0
        first[times], last[times] = rise[11], rise[-1]
        most_of_it[times] = np.argmax(rise > (1.0 - math.exp(-1.0)) * rise[-1])
    assert first[5.0] == pytest.approx(first[1.0], rel=0.02)
    assert last[5.0] / last[1.0] == pytest.approx(5.0, rel=0.01)
    assert most_of_it[5.0] / most_of_it[1.0] == pytest.approx(5.0, rel=0.05)


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
    with pytest.raises(
        ValueError,
        match=f"{name}: [a-z_]+ must be a number from 0|{name}: ohm must be a number from 1e-06 to",
    ):
        ordinary().upset(name, **values)


TEXTS = (
    ("battery_high_resistance:ohm=0.2:after=2h:lasts=1h",
     {"name": "battery_high_resistance", "after": "2h", "lasts": "1h", "values": {"ohm": 0.2}}),
    ("load_overload:at=2026-06-20T10:30:power_w=50",
     {"name": "load_overload", "at": "2026-06-20T10:30", "values": {"power_w": 50.0}}),
    ("string_shaded:strings=2:depth=0.8", {"name": "string_shaded", "values": {"strings": 2.0, "depth": 0.8}}),
    (" probe_open ", {"name": "probe_open"}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "record"), TEXTS)
def test_a_text_and_a_record_are_the_same_upset(text, record):
    site = ordinary(upsets=[text]).site
    assert site.upsets == ordinary(upsets=[record]).site.upsets == (parse_upset(text),)
    assert parse_upset(str(parse_upset(text))) == parse_upset(text)


def test_what_is_given_beside_the_site_is_as_if_the_site_said_so():
    said = [text for text, _ in TEXTS if "shaded" not in text]
    beside, within = ordinary().site.with_upsets(map(parse_upset, said)), ordinary(upsets=said).site
    assert beside == within
    with pytest.raises(ValueError, match=r"^string_open: 9 strings, but there are 2$"):
        beside.with_upsets([parse_upset("string_open:strings=9")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("load_shrot", r"^unknown upset 'load_shrot' \(did you mean load_short\?\); known: .*tracertwin faults"),
        ("", "^unknown upset ''"),
        ("load_short:0.05", "^load_short:0.05: '0.05' is not KEY=VALUE; write NAME:KEY=VALUE..., e.g. load_short or"),
        ("load_short:", "^load_short:: '' is not KEY=VALUE"),
        ("load_short:ohms=1", r"load_short has no key 'ohms' \(did you mean ohm\?\); its keys: ohm, at, after, lasts"),
        ("load_short:ohm=1:ohm=2", "ohm is given twice"),
        ("load_short:ohm=0", "ohm must be a number from 1e-06 to 1000000, got '0'"),
        ("load_short:ohm=nan", "ohm must be a number from 1e-06 to 1000000, got 'nan'"),
        ("string_open:strings=1.5", "strings must be a whole number from 1 to 1000, got '1.5'"),
        ("string_open:strings=1_0", "strings must be a whole number from 1 to 1000, got '1_0'"),
        ("string_open:strings=0", "strings must be a whole number from 1 to 1000, got '0'"),
        ("load_short:at=noon", "^load_short:at=noon: 'noon' is not a valid time; write local time as 2026-06-21T06:00"),
        ("load_short:after=soon", "'soon' is not a valid duration"),
        ("load_short:after=1h:at=2026-06-21T12:00", "give at or after, not both"),
    ],
)  # fmt: skip
def test_a_bad_text_is_told_with_what_would_do(text, message):
    with pytest.raises(ValueError, match=message):
        parse_upset(text)


@settings(deadline=None)
@given(st.text(max_size=30) | st.text(":=.01ohm after", max_size=30).map("load_short:".__add__))
def test_no_text_fails_otherwise(text):
    with suppress(ValueError):
        assert parse_upset(text).name in UPSETS


@pytest.mark.parametrize("name", UPSETS)
def test_every_upset_says_what_it_does_and_takes_its_limits(name):
    kind = UPSETS[name]
    assert kind.meaning.endswith(".")
    assert kind.changes
    for key, parameter in kind.parameters.items():
        low, high = parameter.range.low, parameter.range.high
        for value in (low, parameter.default, high):
            assert parse_upset(f"{name}:{key}={value:.10g}").values == {key: value}
        for value in (low - max(abs(low), 1.0), 2.0 * high + 1.0):
            with pytest.raises(ValueError, match=f"{key} must be a "):
                parse_upset(f"{name}:{key}={value:.10g}")
            with pytest.raises(ValueError, match=f"{name}: {key} must be a "):
                check(name, {key: value})


def test_a_record_of_yaml_says_at_which_key_it_is_wrong(tmp_path):
    text = (config_dir() / "sites" / "cabin.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"{text}\nupsets:\n  - load_short:ohm=0\n  - 7\n  - {{nam: probe_open}}\n", encoding="utf-8"
    )
    with pytest.raises(ProblemsError) as error:
        load_site(str(path))
    first, *_, last = (f"upsets[{number}]" for number in range(3))
    told = {problem.where: problem.message for problem in error.value.problems}
    assert told[first].startswith("load_short:ohm=0: ohm must be a number from 1e-06")
    assert told["upsets[1]"].startswith("write NAME:KEY=VALUE")
    assert told[f"{last}.nam"] == "unknown key (did you mean name?)"
    assert told[f"{last}.name"] == "missing"


def test_what_is_planned_is_called_off_without_touching_the_plant():
    p = ordinary()
    number = p.plan(parse_upset("clock_lost:after=1h"))
    p.set_clock(p.snapshot.t_device_s - 600.0)
    before = p.snapshot
    p.mend(number)
    assert p.snapshot == before
    p.run(2 * HOUR)
    assert p.snapshot.t_device_s - before.t_device_s == 2 * HOUR


def test_an_upset_that_was_mended_early_does_not_end_a_second_time():
    p = ordinary()
    number = p.plan(parse_upset("clock_lost:lasts=2h"))
    p.run(HOUR)
    p.mend(number)
    p.set_clock(p.snapshot.t_device_s - 600.0)
    before = p.snapshot
    p.run(2 * HOUR)
    assert p.snapshot.t_device_s - before.t_device_s == 2 * HOUR


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


@pytest.mark.parametrize(("fidelity", "step_s"), [("detailed", None), ("sizing", 60), ("sizing", 3600)])
def test_a_cloud_takes_its_share_of_all_light_in_steps_of_any_length(fidelity, step_s):
    lights = []
    for depth in (0.0, 0.8, 1.0):
        p = Plant.new(site(sky=NO_CLOUDS), 1, utc("2026-06-20T00:00"), fidelity, step_s)
        p.advance_to(p.t_utc_s + 12 * HOUR)
        p.upset("cloud", depth=depth)
        lights.append(p.advance_to(p.t_utc_s + HOUR))
    clear, dim, dark = lights
    assert dim.ghi_w_m2 == pytest.approx(0.2 * clear.ghi_w_m2, rel=1e-9)
    assert dim.poa_w_m2 == pytest.approx(0.2 * clear.poa_w_m2, rel=0.02)  # Perez: its sky is another
    assert (dark.ghi_w_m2, dark.poa_w_m2, dark.p_mp_w, dark.i_pv_a) == (0.0, 0.0, 0.0, 0.0)


def test_two_clouds_lie_over_each_other_and_weather_goes_on_above_them():
    p, well = ordinary(), ordinary()
    p.run(4 * HOUR)
    first = p.upset("cloud", depth=0.5)
    p.upset("cloud", depth=0.5)
    well.run(4 * HOUR + 5)
    assert p.advance_to(p.t_utc_s + 5).ghi_w_m2 == pytest.approx(0.25 * well.snapshot.ghi_w_m2, rel=1e-9)
    p.mend(first)
    assert p.advance_to(p.t_utc_s + 5).ghi_w_m2 == pytest.approx(
        0.5 * well.advance_to(well.t_utc_s + 5).ghi_w_m2, rel=1e-9
    )


@pytest.mark.parametrize(
    ("upset", "why"),
    [
        ("string_open:strings=4", "string_open: 4 strings, but there are 1"),
        ("string_shorted:modules=1", "string_shorted: 1 of 1 modules of a string; one must be left"),
        ("charger_fails", "charger_fails: charger 1 of battery.chargers, but there are 0"),
    ],
)
def test_an_upset_that_does_not_fit_the_site_is_told_at_its_line(tmp_path, upset, why):
    text = (ROOT / "config" / "sites" / "cabin.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(f'{text}upsets: ["load_short", "{upset}"]\n', encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        load_site(str(path))
    line = text.count("\n") + 1
    assert str(caught.value) == f"{path}:{line}: upsets[1]: {why}"
