"""Real firmware, on an emulated Cortex-M3, sees the plant through its UART2.

The emulator's command line is the plain one: a TCP server for UART2, no `nodelay=on`.
"""

import contextlib
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modbus.device.tracer import Tracer
from modbus.line.endpoint import parse_endpoint
from modbus.line.link import Line
from modbus.line.pacing import parse_pace
from modbus.map.registers import TRACER_4210, load_map
from plant.controller.charger import Stage
from plant.kernel.snapshot import Snapshot
from tests import qemu
from tests.snapshots import Still
from tracertwin.cli import building

ROOT = Path(__file__).parents[1]
REDIAL_US = 50_000

# Every quantity another number, so that no register can be taken for its neighbour.
PLANT = Snapshot._make(0.5 + 0.25 * i for i in range(len(Snapshot._fields)))._replace(
    t_device_s=1_782_000_000.0,
    v_pv_v=18.72,
    i_chg_a=5.87,  # 78.95 W, cut off: over 18.72 V it is 4.21 A
    stage=4.0,
    regime=2.0,
    p_chg_w=70.0,
    night=0.0,
    battery_status=0.0,
    v_batt_v=13.45,
    t_batt_c=-7.25,
    t_probe_c=-7.25,
    soc_controller=0.76,
    load_on=1.0,
    i_load_a=2.05,
    generated_today_kwh=1.53,
    generated_total_kwh=1234.56,  # 123456 hundredths: both words of the pair are in use
    consumed_today_kwh=0.85,
    consumed_total_kwh=850.07,
)
SHOWN = (
    "pv 18.72 V 4.21 A batt 13.45 V load 13.45 V 2.05 A 27.57 W temp -7.25 C soc 76 % stage 1 day 1 "
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
    device = Tracer(load_map(register_map, TRACER_4210), Still(PLANT))
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
def test_firmware_shows_the_plant_to_the_last_digit(
    build: qemu.Build, options: dict[str, int], register_map: str
):
    guest = qemu.Guest(build(ROUND_PAUSE_MS=20, **options))
    with tracer(guest.port, register_map=register_map), guest:
        rounds = guest.rounds(3)
    assert [r.shown for r in rounds] == [SHOWN] * 3
    assert rounds[-1].lost == 0


def test_firmware_waits_less_than_three_milliseconds_for_an_answer(build: qemu.Build):
    """Without quick acknowledgements it is 43: QEMU's Nagle algorithm against our delayed acknowledgement.

    Other work on the host adds to the mean of some rounds, the delay to that of all but the first.
    """
    guest = qemu.Guest(build(ROUND_PAUSE_MS=20))
    with tracer(guest.port), guest:
        guest.rounds(1)
        assert any(guest.rounds(1)[0].since_first.mean_us < 3000 for _ in range(40))


def test_rs485_firmware_hears_an_answer_that_keeps_the_turn_round_delay(build: qemu.Build):
    """Deaf for 2 ms after sending, it hears nothing of an instant answer and all of one after 5 ms.

    The many retries are for a busy host that stops the guest just then.
    """
    guest = qemu.Guest(build(ROUND_PAUSE_MS=0, DEAF_US=2000, TIMEOUT_MS=100, RETRIES=20))
    with tracer(guest.port, turnaround_s=0.005), guest:
        rounds = guest.rounds(3)
    assert [(r.shown, r.lost) for r in rounds] == [(SHOWN, 0)] * 3
    assert min(r.since_first.min_us for r in rounds) >= 4990


def test_no_poll_is_lost_over_ten_restarts_in_mid_frame(build: qemu.Build):
    """A byte each millisecond: whenever the emulator is killed, half a request is on its way."""
    guest = qemu.Guest(build(ROUND_PAUSE_MS=0, BYTE_GAP_US=1000, TIMEOUT_MS=200))
    with tracer(guest.port) as line, guest:
        guest.rounds(1)
        for i in range(10):
            guest.kill()
            time.sleep(0.02 * i)
            guest.start()
            (first,) = guest.rounds(1)
            assert (first.shown, first.lost) == (SHOWN, 0)
            assert all(asked_us < REDIAL_US for asked_us in guest.misses_us())
        heard = line.stats
    assert heard.bytes_in > 8 * sum(heard.requests.values()), "no request was cut: the test shows nothing"


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
        time.sleep(0.85)  # had the wait doubled from 50 ms, the next dial would be due at 1.55 s
        with guest:
            rounds = guest.rounds(3)
    assert [(r.shown, r.lost) for r in rounds] == [(SHOWN, 0)] * 3
    assert all(asked_us < REDIAL_US for asked_us in guest.misses_us())


def test_an_emulator_that_records_hears_paced_replies(build: qemu.Build, tmp_path: Path):
    """Recording, QEMU queues input past the flow control of the UART, whose FIFO has 16 bytes; replies have up to 45.

    This firmware never sleeps, so QEMU 7.2 looks after its input each 100 ms only: the pieces are further apart.
    """
    record = ["-icount", f"shift=auto,rr=record,rrfile={tmp_path / 'run.bin'}"]
    guest = qemu.Guest(build(BLOCKS=True, ROUND_PAUSE_MS=20, TIMEOUT_MS=4000), options=record)
    device = Tracer(load_map("epever", TRACER_4210), Still(PLANT))
    endpoint = parse_endpoint(f"dial:127.0.0.1:{guest.port}")
    answer = parse_pace("8/250ms").after(device.answer)
    with Line(endpoint, answer, turnaround_s=0.0, log=print), guest:
        (first,) = guest.rounds(1)
    assert (first.shown, first.lost) == (SHOWN, 0)


# --- the command itself ---

START, SEED, SPEED = "2026-06-21T13:00", 5, 20  # a grid step each quarter of a second
LONGEST_S = 100.0  # of wall time, compiling not counted
STAGE_BITS = {Stage.NONE: 0, Stage.BULK: 2, Stage.BOOST: 2, Stage.EQUALIZE: 3, Stage.FLOAT: 1}


def shown(s: Snapshot) -> str:
    """What the firmware prints when the plant is in this state."""
    soc_percent = int(100 * s.soc_controller + 1e-6)  # cut off, as the device does
    v_pv, v_batt, i_chg, i_load = (int(100 * x + 1e-6) for x in (s.v_pv_v, s.v_batt_v, s.i_chg_a, s.i_load_a))
    i_pv = 100 * (v_batt * i_chg // 100) // v_pv if v_pv else 0
    v_load = v_batt if s.load_on else 0
    t_c, *kwh = (
        math.trunc(100 * x + math.copysign(1e-6, x)) / 100
        for x in (
            s.t_batt_c, s.generated_today_kwh, s.generated_total_kwh, s.consumed_today_kwh, s.consumed_total_kwh,
        )
    )  # fmt: skip
    stage, day = STAGE_BITS[Stage(int(s.stage))], int(s.stage != 0 and not s.night)
    return (
        f"pv {v_pv / 100:.2f} V {i_pv / 100:.2f} A batt {v_batt / 100:.2f} V "
        f"load {v_load / 100:.2f} V {i_load / 100:.2f} A {v_load * i_load // 100 / 100:.2f} W temp {t_c:.2f} C "
        f"soc {soc_percent} % stage {stage} day {day} "
        f"made {kwh[0]:.2f} {kwh[1]:.2f} kWh "
        f"used {kwh[2]:.2f} {kwh[3]:.2f} kWh"
    )


@contextlib.contextmanager
def serve(port: int) -> Iterator[subprocess.Popen[str]]:
    """`tracertwin serve`, dialling the guest's UART2."""
    command = [sys.executable, "-m", "tracertwin", "serve", "--link", f"dial:127.0.0.1:{port}"]
    command += ["--start", START, "--seed", str(SEED), "--speed", str(SPEED), "--turnaround", "0ms"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_served_plant_moves_on_the_firmwares_console_as_it_does_alone(build: qemu.Build):
    """Polled some fifty times a second, through a restart of the guest, it is the plant that nobody asks."""
    alone = building.build("cabin", START, SEED)
    guest = qemu.Guest(build(ROUND_PAUSE_MS=10, TIMEOUT_MS=200, RETRIES=500))
    with serve(guest.port) as process, guest:
        guest.wait_for(qemu.ROUND, timeout_s=90)  # the first time, the plant is compiled
        rounds = guest.rounds(30)
        guest.kill()
        guest.start()
        rounds += guest.rounds(30)
        process.terminate()
        _, told = process.communicate(timeout=10)
    grid = [shown(alone.snapshot)]
    grid += [shown(alone.advance_to(alone.start_utc_s + t)) for t in range(5, int(LONGEST_S * SPEED), 5)]
    whole = [r.shown for r in rounds if r.shown in grid]  # a step may fall into a round
    assert len(whole) > 0.7 * len(rounds)
    assert len(set(whole)) >= 2  # the plant moved on
    assert min(r.since_first.mean_us for r in rounds) < 3000
    assert rounds[-1].lost == 0
    assert process.returncode == 0, told


# --- other machines -------------------------------------------------------------------------------


@pytest.mark.parametrize("board", qemu.BOARDS[1:], ids=lambda board: board.name)
@pytest.mark.parametrize(
    ("options", "register_map"),
    [
        pytest.param({}, "uart2", id="register by register"),
        pytest.param({"BLOCKS": True}, "epever", id="long blocks"),
    ],
)
def test_firmware_on_other_machines_shows_the_plant_to_the_last_digit(
    board: qemu.Board, options: dict[str, int], register_map: str, tmp_path: Path
):
    """An 8-bit AVR with its Tracer on USART2, whose UART holds two bytes; a RISC-V on UART1."""
    qemu.require_tools(board)
    elf = qemu.builder(tmp_path, board)(ROUND_PAUSE_MS=20, TIMEOUT_MS=2000, RETRIES=5, **options)
    guest = qemu.Guest(elf, board=board)
    with tracer(guest.port, register_map=register_map) as line, guest:
        rounds = guest.rounds(3)
        heard = line.stats
    assert [r.shown for r in rounds] == [SHOWN] * 3
    assert rounds[-1].lost == 0
    assert heard.bad_frames == 0
