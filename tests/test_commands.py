"""What a running rig can be told: time, what breaks, the units' power; and nothing of it done by halves."""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.line.endpoint import parse_endpoint
from plant.base.clock import DAY_S
from plant.plant import Plant
from tests.plants import FARM, plant
from tests.test_rig import ends
from tests.waiting import until
from tracertwin.assembly import commands
from tracertwin.assembly.commands import COMMANDS, listing
from tracertwin.assembly.options import Options
from tracertwin.assembly.refusals import BadResultError
from tracertwin.rig.serving import Rig

HERE = parse_endpoint("listen:127.0.0.1:0")


def rig_of(*plants: Plant, polled_s: float | None = 0.0, speed: float = 1.0) -> Rig:
    """A rig whose time moves by commands only, unless told otherwise."""
    options = Options(links=[HERE], map_name="epever", polled_s=polled_s, speed=speed)
    return Rig(plants or [plant()], options, lambda _: None)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with rig_of() as rig:
        yield rig


def farm() -> list[Plant]:
    from plant.site.model import load_site

    site = load_site(str(FARM))
    own = Plant.new(site)
    return [own, *(Plant.new(site.seen_by(other), own.seed, own.start_utc_s) for other in site.neighbours)]


def quantity(rig: Rig, name: str, unit: int = 1) -> float:
    return float(json.loads(rig.do(f"show {name} unit={unit}"))[name])


# --- time ---


def test_stepped_time_moves_by_commands_alone_and_to_the_grid(rig):
    start = rig.assembly.units[0].live.plant.t_utc_s
    assert rig.do("step 12s")
    assert rig.assembly.units[0].live.plant.t_utc_s == start + 10
    rig.do("step 3s")
    assert rig.assembly.units[0].live.plant.t_utc_s == start + 15


def test_a_jump_arrives_where_a_plant_that_ran_there_is(rig):
    """Live equals batch, by a command."""
    zone = rig.assembly.units[0].live.plant.site.location.timezone
    there = datetime.fromtimestamp(rig.assembly.units[0].live.plant.t_utc_s + 3 * DAY_S, ZoneInfo(zone))
    rig.do(f"jump {there:%Y-%m-%dT%H:%M:%S}")
    alone = plant()
    assert rig.assembly.units[0].live.shown().snapshot == alone.advance_to(alone.t_utc_s + 3 * DAY_S)


def test_times_are_answered_as_they_were_given_with_the_zone(rig):
    assert rig.do("jump 2026-03-29T01:30") == "2026-03-29T01:30:00+01:00 Europe/Zurich"
    assert rig.do("step 1h") == "2026-03-29T03:30:00+02:00 Europe/Zurich"
    status = json.loads(rig.do("status"))
    assert [status[key] for key in ("local", "timezone", "utc")] == [
        "2026-03-29T03:30:00", "Europe/Zurich", "2026-03-29T01:30:00Z",
    ]  # fmt: skip


def test_what_the_device_shows_is_shown_by_address(rig):
    truth = json.loads(rig.do("show soc soc_controller"))
    (shown,) = json.loads(rig.do("show 0x311A")).values()
    assert (shown["name"], shown["unit"]) == ("battery_soc", "%")
    # It cuts off.
    assert shown["value"] == int(100.0 * truth["soc_controller"]) != round(100.0 * truth["soc"])
    assert json.loads(rig.do("show 0x9003 soc"))["0x9003"]["table"] == "holding"
    assert json.loads(rig.do("show 0x3307"))["0x3307"]["address"] == "0x3306"  # half of a pair shows the pair


def test_all_registers_are_shown_a_line_each_as_a_master_reads_them(rig):
    lines = [json.loads(line) for line in rig.do("show registers").splitlines()]
    assert {line["table"] for line in lines} == {"input", "holding", "coil", "discrete"}
    (soc,) = [line for line in lines if line["address"] == "0x311A"]
    assert soc == json.loads(rig.do("show 0x311A"))["0x311A"]
    assert not any("exception" in line for line in lines)


def test_simulated_time_never_goes_back(rig):
    with pytest.raises(ValueError, match=r"jump: simulated time can't go back: it is \S+ in Europe/"):
        rig.do("jump 1999-01-01")


def test_a_paused_plant_stands_still_under_a_wall_clock_and_goes_on_where_it_stood():
    with rig_of(polled_s=None, speed=20_000.0) as rig:
        thread, live = ends(rig), rig.assembly.units[0].live
        assert until(lambda: live.snapshot().t_utc_s > live.plant.start_utc_s)
        rig.do("pause")
        stands = live.plant.t_utc_s
        assert not until(lambda: live.plant.t_utc_s != stands, 0.1)
        rig.do("go")
        assert until(lambda: live.plant.t_utc_s > stands)
        rig.do("end")
        thread.join(2)
        assert not thread.is_alive()


def test_a_sleeping_plant_wakes_when_its_clock_is_told_to_run_faster():
    """At a thousandth of the wall's speed its next step is 80 minutes away."""
    with rig_of(polled_s=None, speed=0.001) as rig:
        thread, live = ends(rig), rig.assembly.units[0].live
        rig.do("speed 10000")
        assert until(lambda: live.snapshot().t_utc_s > live.plant.start_utc_s)
        rig.do("end")
        thread.join(2)


@pytest.mark.parametrize("command", ["pause", "go", "speed 10"])
def test_a_clock_that_commands_alone_move_cannot_be_paused_or_hurried(rig, command):
    with pytest.raises(ValueError, match="this clock is only moved by step and jump"):
        rig.do(command)


# --- what breaks ---


def test_what_is_broken_acts_until_it_is_mended(rig):
    number = rig.do("upset battery_disconnected").removeprefix("mend ")
    assert json.loads(rig.do("status"))["units"][0]["broken"] == {number: "battery_disconnected"}
    rig.do("step 1min")
    assert quantity(rig, "v_batt_v") < 1.0 or quantity(rig, "i_batt_a") == 0.0
    rig.do(f"mend {number}")
    rig.do("step 1min")
    assert json.loads(rig.do("status"))["units"][0]["broken"] == {}
    assert quantity(rig, "v_batt_v") > 10.0


def test_an_upset_is_told_how_much(rig):
    rig.do("upset battery_high_resistance:ohm=0.5")
    assert rig.assembly.units[0].live.plant.equipment.batt_cable_ohm == pytest.approx(
        plant().equipment.batt_cable_ohm + 0.5
    )


def test_an_upset_may_come_later_and_end_by_itself_and_be_called_off(rig):
    at = f"{rig.assembly.units[0].live.plant.t_utc_s}"
    first = rig.do("upset battery_disconnected:after=10min:lasts=20min").removeprefix("mend ")
    second = rig.do("upset load_short:ohm=0.01:after=2h").removeprefix("mend ")
    seen = {}
    for minutes in (0, 15, 30, 30):
        rig.do(f"step {minutes}min")
        unit = json.loads(rig.do("status"))["units"][0]
        seen[rig.assembly.units[0].live.plant.t_utc_s - int(at)] = list(unit["broken"]), list(unit["planned"])
    assert seen == {
        0: ([], [first, second]),
        900: ([first], [second]),
        2700: ([], [second]),
        4500: ([], [second]),
    }
    rig.do("mend all")
    assert rig.assembly.units[0].live.plant.planned() == {int(second): "load_short"}
    rig.do(f"mend {second}")
    rig.do("step 2h")
    assert rig.assembly.units[0].live.plant.broken() == rig.assembly.units[0].live.plant.planned() == {}


def test_mend_all_leaves_nothing_broken(rig):
    for _ in range(3):
        rig.do("upset load_overload:power_w=50")
    rig.do("mend all")
    assert rig.assembly.units[0].live.plant.broken() == {}
    rig.do("mend all")  # nothing to mend is no error


def test_mend_takes_a_name_or_the_second_of_a_name(rig):
    for _ in range(3):
        rig.do("upset load_overload:power_w=50")
    rig.do("upset probe_open")
    rig.do("mend load_overload 2")
    assert rig.assembly.units[0].live.plant.broken() == {
        0: "load_overload",
        2: "load_overload",
        3: "probe_open",
    }
    rig.do("mend load_overload")
    assert rig.assembly.units[0].live.plant.broken() == {3: "probe_open"}


def test_of_several_units_the_one_that_is_named_is_meant():
    with rig_of(*farm()) as rig:
        rig.do("upset load_short unit=2")
        assert [len(unit.live.plant.broken()) for unit in rig.assembly.units] == [
            0,
            1,
            *[0] * (len(rig.assembly.units) - 2),
        ]
        with pytest.raises(ValueError, match="no unit 77; known: 1, 2"):
            rig.do("power-cycle unit=77")


def test_a_power_cycle_ends_test_mode_and_lets_a_new_unit_id_hold(rig):
    from modbus.codec.requests import UnitIdRequest

    unit = rig.assembly.units[0]
    unit.live.configure(unit.live.shown().settings._replace(load_test=1))
    assert unit.tracer.answer(UnitIdRequest(0xF8, 9)) is not None
    assert unit.tracer.unit == 1
    rig.do("power-cycle")
    assert unit.tracer.unit == 9
    assert unit.live.shown().settings.load_test == 0


def test_line_faults_come_and_go(rig):
    assert rig.do("fault delay:0.5:by=300ms") == "delay:0.5:by=300ms (50 % of the requests)"
    assert rig.do("fault crc:1:from=12:00:to=13:00") == (
        "crc:1:from=12:00:to=13:00 (all requests in its window), delay:0.5:by=300ms (50 % of the requests)"
    )
    assert json.loads(rig.do("status"))["faults"] == ["crc:1:from=12:00:to=13:00", "delay:0.5:by=300ms"]
    assert rig.do("fault off crc") == "1 off"
    assert rig.do("fault off") == "1 off"
    assert rig.assembly.faults.texts() == ()


# --- wrong input ---


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("", "unknown command ''"),
        ("puase", r"unknown command 'puase' \(did you mean pause\?\)"),
        ("pause now", "pause: takes no arguments"),
        ("speed", "speed: give a speed"),
        ("speed 0", "speed: the speed must be a number from 0.001 to 100000, got 0; pause stops time"),
        ("speed nan", "speed: the speed must be a number"),
        ("step -5s", "step: '-5s' is not a valid duration"),
        ("step 1h 2h", "step: give a time"),
        ("jump tomorrow", "jump: 'tomorrow' is not a valid time"),
        ("upset", "upset: give an upset, e.g. upset load_short, or"),
        ("upset unit=1", "upset: give an upset"),
        ("upset load_short probe_open", "upset: give an upset"),
        ("upset load_shrot", r"upset: unknown upset 'load_shrot' \(did you mean load_short\?\)"),
        (
            "upset load_short:amps=3",
            "upset: .*: load_short has no key 'amps'; its keys: ohm, at, after, lasts",
        ),
        ("upset string_open:strings=99", "upset: string_open: 99 strings, but there are"),
        (
            "upset battery_aged:capacity_lost=1",
            "upset: .*capacity_lost must be a number from 0 to 0.95, got '1'",
        ),
        (
            "upset load_short:ohm=low",
            "upset: .*: ohm must be a number from 1e-06 to 1000000, got 'low'",
        ),
        (
            "upset load_short ohm=0.05 lasts=2h unit=1",
            "upset: values follow the name after colons: write upset load_short:ohm=0.05:lasts=2h",
        ),
        ("upset load_short:at=1999-01-01", "upset: load_short:at=1999-01-01: its time is past; it is now 20"),
        ("power-cycle unit=two", "power-cycle: no unit two; known: 1"),
        ("mend 3", r"mend: 3 is not broken, nor planned; that is now: nothing"),
        ("mend load_short", r"mend: load_short is not broken, nor planned; that is now: nothing"),
        ("mend load_shrt", r"did you mean load_short"),
        ("mend load_short 0", r"mend: load_short 0 is not broken"),
        ("mend 1 2", r"mend: write NUMBER, NAME, NAME N for the Nth of that name, or all"),
        ("show v_bat_v", r"show: no quantity v_bat_v; similar: .*v_batt_v"),
        ("show battery_soc", r"show: no quantity battery_soc, but a register: show 0x311A"),
        ("show controller", r"show: no quantity controller; similar: soc_controller"),
        ("show xyzzy", r"show: no quantity xyzzy; docs/quantities\.md lists them"),
        ("show 0x9999999", "show: no address 0x9999999: addresses are 0x0000 to 0xFFFF"),
        ("show 0xFFFF", r"show: no register 0xFFFF in map epever; show registers lists them"),
        ("fault", "fault: give a line fault, e.g. fault drop:0.05, or off"),
        ("fault drpo:0.1", r"fault: unknown line fault 'drpo' \(did you mean drop\?\)"),
        ("fault drop:0.1 crc", "fault: give a line fault"),
        ("fault off crc drop", "fault: give a line fault"),
        ("fault off corc", r"fault: unknown line fault 'corc' \(did you mean crc\?\)"),
        ("mend all load_short=1", "mend: write NUMBER, NAME, NAME N"),
        ("show soc v_batt=3", r"show: no quantity v_batt; similar: .*v_batt_v"),
        ("power-cycle unit=2", "power-cycle: no unit 2; known: 1"),
    ],
)
def test_a_wrong_command_says_what_would_do_and_changes_nothing(rig, command, complaint):
    before = rig.assembly.units[0].live.shown()
    with pytest.raises(ValueError, match=complaint):
        rig.do(command)
    assert rig.assembly.units[0].live.shown() == before
    assert rig.assembly.units[0].live.plant.broken() == {}
    assert rig.assembly.faults.texts() == ()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.sampled_from([c.name for c in COMMANDS]).flatmap(
    lambda name: st.text(max_size=30).map(lambda rest: f"{name} {rest}")
))  # fmt: skip
def test_any_text_is_a_command_or_a_complaint(text):
    """None of them gets through to the plant as a bug."""
    with contextlib.suppress(ValueError):
        command, _ = commands.parse(text)
        assert command in COMMANDS


def test_help_has_a_line_for_each_command():
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == [command.name for command in COMMANDS]


# --- what a client could write ---


def test_a_written_setting_is_what_a_master_reads_then(rig):
    assert rig.do("write battery_type=0") == "battery_type = 0 user"
    assert rig.do("write boost_voltage=14.5V") == "boost_voltage = 14.50 V"
    assert json.loads(rig.do("show 0x9007"))["0x9007"]["value"] == 14.5
    assert rig.assembly.plants[0].settings.boost_v == 14.5


def test_a_write_is_refused_as_a_client_s_is_and_says_which_rule_it_breaks(rig):
    rig.do("write battery_type=0")
    before = rig.assembly.plants[0].settings
    why = "write: boost_voltage=11V: exception 04, server device failure: boost_v 11.00 V is below"
    with pytest.raises(ValueError, match=why):
        rig.do("write boost_voltage=11V")
    assert rig.assembly.plants[0].settings == before
    (row,) = json.loads(rig.do("refusals"))
    assert (row["write"], row["exception"]) == ("FC16 0x9003 x 12", 4)


def test_a_write_that_would_need_several_frames_is_not_done_by_halves(rig):
    before = rig.assembly.plants[0].settings
    with pytest.raises(ValueError, match="needs several frames"):
        rig.do("write capacity_ah=150Ah boost_voltage=14.6V")
    assert rig.assembly.plants[0].settings == before


def test_the_clock_is_set_to_the_plant_s_time_not_the_wall_s(rig):
    rig.do("power-cycle")
    rig.do("write clock=now")
    snapshot = rig.assembly.units[0].live.snapshot()
    zone = ZoneInfo(rig.assembly.plants[0].site.location.timezone)
    here = datetime.fromtimestamp(snapshot.t_utc_s, zone).replace(tzinfo=None)
    assert datetime.fromtimestamp(snapshot.t_device_s, ZoneInfo("UTC")).replace(tzinfo=None) == here


@pytest.mark.parametrize(("text", "why"), [
    ("write", "give a setting and its value"),
    ("write boost_volts=14", "there is no setting, coil or clock word boost_volts"),
    ("write boost_voltage=14.4V unit=9", "no unit 9"),
])  # fmt: skip
def test_a_write_that_means_nothing_says_what_would_do(rig, text, why):
    with pytest.raises(ValueError, match=why):
        rig.do(text)


def test_time_ends_with_the_last_year_whoever_asks(rig):
    with pytest.raises(ValueError, match=r"^step: simulated time ends with the year 2100$"):
        rig.do("step 100000d")


# --- what scenarios take ---


def test_jump_takes_the_clock_and_the_sun_as_scenarios_do(rig):
    """The plant stands at 10:00 of 20 February; what is written down is the time in full."""
    assert rig.do("jump 13:00").startswith("2026-02-20T13:00:00")
    assert rig.do("jump sunset").startswith("2026-02-20T17:5")
    assert rig.do("jump 13:00").startswith("2026-02-21T13:00:00")
    assert rig.do("jump day 3 noon").startswith("2026-02-22T12:3")
    assert [done.text for done in rig.done][:2] == ["jump 2026-02-20T13:00:00", rig.done[1].text]
    for bad in ("jump 3h", "jump end", "jump sunste", "jump day 1 noon"):
        with pytest.raises(ValueError, match="jump: "):
            rig.do(bad)


def test_states_are_shown_as_words(rig):
    assert json.loads(rig.do("show stage v_batt_v"))["stage"] in ("none", "bulk", "boost", "float")


def test_a_bad_result_is_told_apart_from_what_makes_no_sense(rig):
    for text in ("wait polled within=10ms", "wait 3 requests within=10ms", "write boost_voltage=99V"):
        with pytest.raises(BadResultError):
            rig.do(text)
    for text in ("wait polld", "write boost_voltge=14V"):
        with pytest.raises(ValueError, match=r".") as caught:
            rig.do(text)
        assert not isinstance(caught.value, BadResultError)
