"""The plant behind the line: what a firmware reads is what the plant does."""

import random
import threading

import numpy as np
import pytest

from modbus.device import Shown
from modbus.link import Line
from modbus.live import Live
from modbus.registers import load_map
from modbus.rtu import ReadWords
from modbus.standin import StandIn
from modbus.tracer import Tracer
from plant.clock import WallClock
from plant.plant import Plant
from plant.snapshot import Snapshot
from tests.plants import plant

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
    """A stand-in for the firmware polls while a day passes in two seconds: night comes, charge moves, and the
    energies it reads at the end are the integral of power to 0.01 kWh."""
    p = plant(seed=27)
    live = Live(p, WallClock(p.start_utc_s, DAY / 2.0), p.start_utc_s + DAY, sample_s=5)
    tracer = Tracer(load_map("uart2", p.site.ratings()), live)
    readings = []
    with (
        StandIn(period_s=0.0) as firmware,
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
    assert last.v_batt_v == pytest.approx(p.snapshot.v_batt_v, abs=0.006)


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
    for shown in seen[::10]:
        check = plant(seed=8)
        assert check.advance_to(shown.t_utc_s) == shown if shown.t_utc_s > check.t_utc_s else True


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
