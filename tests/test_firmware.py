"""Real firmware, on an emulated Cortex-M3, sees the plant through its UART2.

The emulator's command line is the plain one: a TCP server for UART2, no `nodelay=on`.
"""

import contextlib
import time
from collections.abc import Iterator

import pytest
import qemu

from modbus.link import Line, parse_endpoint
from modbus.registers import TRACER_4210, load_map
from modbus.tracer import Tracer
from plant.snapshot import Snapshot

REDIAL_US = 50_000

# Every quantity another number, so that no register can be taken for its neighbour.
PLANT = Snapshot._make(0.5 + 0.25 * i for i in range(len(Snapshot._fields)))._replace(
    t_device_s=1_782_000_000.0,
    v_pv_v=18.72,
    i_pv_a=4.21,
    p_pv_w=78.81,
    stage=4.0,
    regime=2.0,
    p_chg_w=70.0,
    night=0.0,
    battery_status=0.0,
    v_batt_v=13.45,
    t_batt_c=-7.25,
    soc_controller=0.76,
    load_on=1.0,
    v_load_v=13.40,
    i_load_a=2.05,
    p_load_w=27.47,
    generated_today_kwh=1.53,
    generated_total_kwh=1234.56,  # 123456 hundredths: both words of the pair are in use
    consumed_today_kwh=0.85,
    consumed_total_kwh=850.07,
)
SHOWN = (
    "pv 18.72 V 4.21 A batt 13.45 V load 13.40 V 2.05 A 27.47 W temp -7.25 C soc 76 % stage 1 day 1 "
    "made 1.53 1234.56 kWh used 0.85 850.07 kWh"
)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> qemu.Build:
    """Compile a variant of the firmware, once."""
    qemu.require_tools()
    return qemu.builder(tmp_path_factory.mktemp("firmware"))


@contextlib.contextmanager
def tracer(port: int, register_map: str = "uart2", turnaround_s: float = 0.0) -> Iterator[Line]:
    """A Tracer that dials the guest's UART2 and shows `PLANT` whenever it is asked."""
    device = Tracer(load_map(register_map, TRACER_4210), lambda: PLANT)
    endpoint = parse_endpoint(f"dial:127.0.0.1:{port}")
    with Line(endpoint, device.answer, turnaround_s=turnaround_s, log=print) as line:
        yield line


@pytest.mark.parametrize(
    ("options", "register_map"),
    [
        pytest.param({}, "uart2", id="register by register"),
        pytest.param({"UNIT": 247}, "uart2", id="any unit id"),
        pytest.param({"BLOCKS": True}, "epever", id="long blocks"),
        pytest.param({"BLOCKS": True}, "uart2", id="long blocks of the other map"),
    ],
)
def test_firmware_shows_the_plant_to_the_last_digit(build: qemu.Build, options: dict[str, int], register_map: str):
    elf = build(ROUND_PAUSE_MS=20, **options)
    with qemu.Guest(elf) as guest, tracer(guest.port, register_map=register_map):
        rounds = guest.rounds(3)
    assert [r.shown for r in rounds] == [SHOWN] * 3
    assert rounds[-1].lost == 0


def test_firmware_waits_less_than_three_milliseconds_for_an_answer(build: qemu.Build):
    """Without quick acknowledgements it is 43: QEMU's Nagle algorithm against our delayed acknowledgement."""
    with qemu.Guest(build(ROUND_PAUSE_MS=20)) as guest, tracer(guest.port):
        rounds = guest.rounds(10)
    assert sum(r.since_first.mean_us for r in rounds) / len(rounds) < 3000


def test_answer_keeps_the_turn_round_delay_and_rs485_firmware_hears_it(build: qemu.Build):
    """A driver that is deaf for 2 ms after sending hears nothing of an instant answer, all of one after 5 ms."""
    elf = build(ROUND_PAUSE_MS=20, DEAF_US=2000)
    with qemu.Guest(elf) as guest, tracer(guest.port, turnaround_s=0.005):
        guest.rounds(1)
        before = guest.misses_us()
        rounds = guest.rounds(3)
    assert guest.misses_us() == before
    assert min(r.since_last.min_us for r in rounds) >= 4900
    assert sum(r.since_last.mean_us for r in rounds) / len(rounds) < 8000


def test_no_poll_is_lost_over_ten_restarts_in_mid_frame(build: qemu.Build):
    """A byte each millisecond: whenever the emulator is killed, half a request is on its way."""
    elf = build(ROUND_PAUSE_MS=0, BYTE_GAP_US=1000, TIMEOUT_MS=200)
    with qemu.Guest(elf) as guest, tracer(guest.port) as line:
        guest.rounds(1)
        for _ in range(10):
            guest.restart()
            (first,) = guest.rounds(1)
            assert (first.shown, first.lost) == (SHOWN, 0)
            assert all(asked_us < REDIAL_US for asked_us in guest.misses_us())
        assert line.stats.connects == 11


def test_tracer_that_comes_late_costs_only_what_was_asked_before(build: qemu.Build):
    with qemu.Guest(build(ROUND_PAUSE_MS=0, TIMEOUT_MS=200, RETRIES=10)) as guest:
        booted_s = time.monotonic()
        guest.wait_for(qemu.MISS)
        guest.wait_for(qemu.MISS)
        with tracer(guest.port):
            dialled_us = 1e6 * (time.monotonic() - booted_s)
            rounds = guest.rounds(3)
    assert [(r.shown, r.lost) for r in rounds] == [(SHOWN, 0)] * 3
    assert all(asked_us < dialled_us + REDIAL_US for asked_us in guest.misses_us())


def test_firmware_that_comes_late_is_found_as_fast(build: qemu.Build):
    guest = qemu.Guest(build(ROUND_PAUSE_MS=0, TIMEOUT_MS=200))
    with tracer(guest.port):
        time.sleep(0.7)  # with a wait doubling from 50 ms the next dial would be due 0.8 s later
        with guest:
            rounds = guest.rounds(3)
    assert [(r.shown, r.lost) for r in rounds] == [(SHOWN, 0)] * 3
    assert all(asked_us < REDIAL_US for asked_us in guest.misses_us())
