"""The plant behind the line: what a firmware reads is what the plant does."""

import math
import random
import re
import threading
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.codec.requests import ReadBits, ReadWords, WriteCoil, WriteWord, WriteWords
from modbus.device.interface import Shown
from modbus.device.tracer import Tracer
from modbus.line.link import Line
from modbus.map.encodings import ENCODINGS
from modbus.map.registers import TRACER_4210, load_map
from modbus.map.rows import DurationRow, SettingRow
from modbus.master.mock_firmware import MockFirmware
from plant.base.clock import SteppedClock, WallClock, parse_local, to_utc_s
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from tests import weatherfiles as files
from tests.plants import plant
from tests.test_weatherfile import site_of
from tests.waiting import until
from tracertwin.assembly.live import Live

DAY = 86400


class ByHand(Live):
    """A plant that the test moves."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(plant, WallClock(plant.start_utc_s, 1.0))

    def shown(self) -> Shown:
        return Shown(self.plant.snapshot, self.plant.settings)


def conversation(seed: int, map_name: str) -> bytes:
    """Reply bytes of a long, irregular conversation with a plant that moves between the requests."""
    p = plant(seed=seed)
    tracer = Tracer(load_map(map_name, p.site.ratings()), ByHand(p))
    chance = random.Random(99)
    heard = b""
    for _ in range(400):
        p.advance_to(p.t_utc_s + chance.choice([0, 5, 60, 900]))
        first = chance.choice(
            [0x3100, 0x3104, 0x310C, 0x311A, 0x3200, 0x3300, 0x330C, 0x331A, 0x200C, 0x4000]
        )
        heard += tracer.answer(ReadWords(1, 4, first, chance.choice([1, 2, 3]))) or b""
    return heard


@pytest.mark.parametrize("map_name", ["uart2", "epever"])
def test_same_seed_gives_the_same_reply_bytes_and_another_seed_does_not(map_name):
    assert conversation(5, map_name) == conversation(5, map_name)
    assert conversation(5, map_name) != conversation(6, map_name)


def test_a_day_read_over_the_line_is_the_day_the_plant_had():
    """A mock firmware polls while a day passes in two seconds: night comes, charge moves, and the
    energies it reads at the end are the integral of power to 0.01 kWh."""
    p = plant(seed=27)
    live = Live(p, WallClock(p.start_utc_s, DAY / 2.0), p.start_utc_s + DAY, sample_s=5)
    tracer = Tracer(load_map("uart2", p.site.ratings()), live)
    readings = []
    with (
        MockFirmware(period_s=0.0) as firmware,
        Line(firmware.endpoint, tracer.answer, turnaround_s=0.0, log=lambda _: None),
    ):
        live.start()
        for reading in firmware.rounds():
            readings.append(reading)
            if live.ended.is_set() and len(readings) > 10 and readings[-2] == reading:
                break
    live.stop()
    trace = live.trace()
    last = readings[-1]
    charged = float(np.sum(trace["p_chg_w"])) * 5.0 / 3.6e6
    used = float(np.sum(trace["p_load_w"])) * 5.0 / 3.6e6
    assert last.generated_total_kwh == pytest.approx(charged, abs=0.01)
    assert last.consumed_total_kwh == pytest.approx(used, abs=0.01)
    assert {r.day for r in readings} == {0, 1}
    assert {r.stage for r in readings} >= {0, 2}
    assert len({r.soc for r in readings}) > 5
    totals = [r.generated_total_kwh for r in readings]
    assert totals == sorted(totals)
    assert -1e-9 <= p.snapshot.v_batt_v - last.v_batt_v < 0.01  # cut off


def test_live_plant_is_the_batch_plant():
    """Sampling it through a thread and a clock changes nothing."""
    alone, followed = plant(seed=8), plant(seed=8)
    live = Live(followed, WallClock(followed.start_utc_s, 50000.0), followed.start_utc_s + DAY)
    seen: list[Snapshot] = []
    live.start()
    while not live.ended.wait(0.01):
        seen.append(live.snapshot())
    live.stop()
    assert alone.advance_to(alone.start_utc_s + DAY) == live.snapshot()
    assert len({s.t_utc_s for s in seen}) > 3
    later = [shown for shown in seen if shown.t_utc_s > alone.start_utc_s]
    assert later
    for shown in later[::10]:
        assert plant(seed=8).advance_to(shown.t_utc_s) == shown


def test_a_run_that_should_end_between_grid_points_ends_at_the_next():
    p = plant()
    live = Live(p, WallClock(p.start_utc_s, 1000.0), p.start_utc_s + 7.0)
    live.start()
    assert live.ended.wait(5.0)
    live.stop()
    assert p.t_utc_s == p.start_utc_s + 10


def test_a_bug_in_the_plant_is_told_and_ends_the_run():
    p = plant()
    live = Live(p, WallClock(p.start_utc_s, 1000.0))
    p.advance_to = lambda _t: 1 / 0  # type: ignore[assignment]
    live.start()
    assert live.ended.wait(5.0)
    live.stop()
    assert isinstance(live.error, ZeroDivisionError)


def test_stopping_does_not_wait_for_the_clock():
    p = plant()
    live = Live(p, WallClock(p.start_utc_s, 0.001))
    live.start()
    stopper = threading.Timer(0.05, live.stop)
    stopper.start()
    assert live.ended.wait(2.0)


# --- what a client sets -------------------------------------------------------------------------------------------


def controller(p: Plant, speed: float = 1.0) -> tuple[Live, Tracer]:
    live = Live(p, WallClock(p.start_utc_s, speed))
    return live, Tracer(load_map("epever", p.site.ratings()), live)


def words(tracer: Tracer, function: int, address: int, count: int = 1) -> list[int]:
    frame = tracer.answer(ReadWords(1, function, address, count)) or b""
    return [int.from_bytes(frame[i : i + 2], "big") for i in range(3, len(frame) - 2, 2)]


def test_a_coil_written_reaches_the_controller_and_is_read_back():
    p = plant()
    _, tracer = controller(p)
    for value in (0x0000, 0xFF00):
        tracer.answer(WriteCoil(1, 2, value))
        assert (tracer.answer(ReadBits(1, 1, 2, 1)) or b"")[3] == p.settings.load_on == (value != 0)


def test_load_switched_off_by_its_coil_is_off_in_the_next_reply():
    p = plant(start_utc_s=1_750_453_200)
    _, tracer = controller(p)
    for value, load_on in ((0x0000, 0), (0xFF00, 1)):
        tracer.answer(WriteCoil(1, 2, value))
        assert words(tracer, 4, 0x3202)[0] & 1 == load_on
        assert (words(tracer, 4, 0x310C)[0] > 0) == load_on


def test_settings_written_are_what_the_plant_goes_by_and_are_read_back():
    p = plant()
    _, tracer = controller(p)
    assert words(tracer, 3, 0x9000) == [1]
    tracer.answer(WriteWords(1, 0x9000, (3,)))
    assert (p.settings.battery_type, p.settings.boost_v) == (3, 14.6)
    assert words(tracer, 3, 0x9007) == [1460]
    assert words(tracer, 3, 0x9001) == [round(p.site.battery.capacity_ah)]


def test_clock_set_by_a_client_is_read_back_and_goes_on():
    p = plant()
    _, tracer = controller(p)
    set_to = [30 << 8 | 5, 3 << 8 | 23, 44 << 8 | 7]  # 2044-07-03 23:30:05
    tracer.answer(WriteWords(1, 0x9013, tuple(set_to)))
    assert words(tracer, 3, 0x9013, 3) == set_to
    live = ByHand(p)
    p.advance_to(p.t_utc_s + 1800)
    later = [0 << 8 | 5, 4 << 8 | 0, 44 << 8 | 7]
    assert words(Tracer(load_map("epever", p.site.ratings()), live), 3, 0x9013, 3) == later


def test_meters_of_generated_energy_are_cleared_and_those_of_consumption_are_not():
    p = plant(start_utc_s=1_750_420_800)
    p.advance_to(p.start_utc_s + DAY)
    _, tracer = controller(p)
    before = words(tracer, 4, 0x3304, 16)
    assert before[8] > 0
    tracer.answer(WriteCoil(1, 0x14, 0xFF00))
    assert words(tracer, 4, 0x3304, 16) == before[:8] + [0] * 8


def test_restoring_defaults_makes_a_new_unit_of_it_and_leaves_clock_and_meters():
    p = plant(start_utc_s=1_750_420_800, controller={"battery_type": "flooded", "boost_min": 33})
    p.advance_to(p.start_utc_s + DAY)
    _, tracer = controller(p)
    clock, meters = words(tracer, 3, 0x9013, 3), words(tracer, 4, 0x3304, 18)
    tracer.answer(WriteCoil(1, 0x13, 0xFF00))
    assert words(tracer, 3, 0x9000, 3) == [1, 200, 300]
    assert words(tracer, 3, 0x906B, 2) == [120, 120]
    assert (words(tracer, 3, 0x9013, 3), words(tracer, 4, 0x3304, 18)) == (clock, meters)


def test_settings_survive_a_power_cycle_and_the_clock_does_not():
    p = plant()
    live, tracer = controller(p)
    tracer.answer(WriteWords(1, 0x9001, (77,)))
    tracer.answer(WriteWords(1, 0x906A, (0,)))
    live.power_cycle()
    assert words(tracer, 3, 0x9001) == [77]
    assert words(tracer, 3, 0x9013, 3) == [0, 14 << 8, 17 << 8 | 2]  # 2017-02-14 00:00, as a Tracer4210A
    assert words(tracer, 4, 0x3202) == [0]  # the load as 0x906A says


def test_a_refused_write_does_not_touch_the_plant():
    p = plant()
    _, tracer = controller(p)
    before = (p.snapshot, p.settings)
    for address, refused in (
        (0x9003, (1400,)),
        (0x9013, (0,)),
        (0x9000, (5,)),
        (0x906D, (40,)),
        (0x9001, (0,)),
    ):
        assert (tracer.answer(WriteWords(1, address, refused)) or b"")[1] == 0x90
    assert (p.snapshot, p.settings) == before


def test_writes_to_a_plant_at_full_speed_are_done_between_its_strides_and_read_back():
    """A hundred thousand times real time: the plant is never waited for longer than a few strides of its own."""
    p = plant(seed=4)
    live, tracer = controller(p, 100_000.0)
    live.start()
    took_s = []
    for minutes in range(10, 110):
        began_s = monotonic()
        tracer.answer(WriteWords(1, 0x906C, (minutes,)))
        took_s.append(monotonic() - began_s)
        assert words(tracer, 3, 0x906C) == [minutes]
    live.stop()
    assert live.error is None
    assert p.t_utc_s > p.start_utc_s
    assert sorted(took_s)[len(took_s) // 2] < 0.25


def test_two_lines_that_write_at_once_lose_nothing():
    p = plant()
    live, tracer = controller(p, 20_000.0)
    live.start()

    def write(address: int, first: int) -> None:
        for step in range(40):
            tracer.answer(WriteWords(1, address, (first + step,)))

    writers = [
        threading.Thread(target=write, args=args) for args in ((0x9001, 100), (0x906C, 20), (0x9063, 300))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    live.stop()
    assert (p.settings.capacity_ah, p.settings.boost_min, p.settings.backlight_s) == (139, 59, 339)
    assert live.shown().settings == p.settings


def test_a_command_to_a_plant_whose_thread_has_died_does_not_hang():
    p = plant()
    live, tracer = controller(p, 1000.0)
    p.advance_to = lambda _t: 1 / 0  # type: ignore[assignment]
    live.start()
    assert live.ended.wait(5.0)
    tracer.answer(WriteWords(1, 0x9001, (55,)))
    assert words(tracer, 3, 0x9001) == [55]
    live.stop()


SINGLE = [
    row
    for row in load_map("epever", TRACER_4210).spec.rows
    if isinstance(row, SettingRow | DurationRow) and row.write == "alone"
]


def word_for(row: SettingRow | DurationRow, share: float) -> int:
    """A word that may be written, from the first (0) to the last (1)."""
    if isinstance(row, SettingRow) and row.values:
        return sorted(row.values)[round(share * (len(row.values) - 1))]
    low, high = row.limits or (0.0, 0.0)
    if isinstance(row, DurationRow):
        return ENCODINGS[row.encoding].word(low + share * (high - low))
    return round((low + share * (high - low)) * row.scale) & 0xFFFF


@settings(max_examples=15)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(SINGLE), st.sampled_from([0.0, 0.3, 0.6, 1.0])), min_size=8, max_size=24
    ),
    hour=st.integers(0, 23),
)
def test_nothing_that_a_client_may_write_breaks_the_plant(changes, hour):
    p = plant(start_utc_s=1_750_420_800 + 3600 * hour)
    tracer = Tracer(load_map("epever", p.site.ratings()), ByHand(p))
    for place, (row, share) in enumerate(changes):
        assert tracer.answer(WriteWord(1, row.address, word_for(row, share))) is not None
        if place % 4 == 3:
            p.advance_to(p.t_utc_s + 1800)
            assert all(map(math.isfinite, p.snapshot))
    assert p.overrun_steps == 0


# --- where the weather ends ---


@pytest.fixture
def few_days(tmp_path: Path) -> Plant:
    """A plant whose weather file ends after the third day of 2023."""
    path = files.csv_file(tmp_path / "logger.csv", files.year_of_light().loc["2023-01-01":"2023-01-03"])
    start = to_utc_s(parse_local("2023-01-02"), "UTC")
    return Plant.new(site_of(path), 1, start)


def test_a_plant_whose_weather_file_ends_stands_still_and_is_read_as_before(few_days):
    """It is told once; nothing that happens to the plant ends the line."""
    warned: list[str] = []
    clock = SteppedClock(few_days.start_utc_s)
    live = Live(few_days, clock, warn=warned.append)
    tracer = Tracer(load_map("epever", few_days.site.ratings()), live)
    for _ in range(4):
        clock.step(DAY)
        live.follow()
    assert len(warned) == 1
    assert re.match(r"Cabin stopped at 2023-01-0\dT\S+ \S+: .*logger\.csv", warned[0])
    stands = live.shown().snapshot
    assert few_days.start_utc_s < stands.t_utc_s == few_days.t_utc_s <= few_days.start_utc_s + 2.5 * DAY
    assert tracer.answer(ReadWords(1, 4, 0x3100, 8)) is not None
    live.configure(live.shown().settings._replace(capacity_ah=123))
    assert live.shown().settings.capacity_ah == 123


def test_a_thread_whose_plant_stands_still_sleeps_and_ends_when_told(few_days):
    warned: list[str] = []
    live = Live(few_days, WallClock(few_days.start_utc_s, 1e9), warn=warned.append)
    live.start()
    assert until(lambda: bool(warned))
    assert not live.ended.wait(0.05)
    live.stop()
    assert live.ended.is_set()
    assert live.error is None
