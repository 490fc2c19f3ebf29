"""`tracertwin check --firmware`: real firmware in QEMU and small programs of the host, judged by scenarios."""

import json
import sys
import time
from pathlib import Path

import pytest

from tests import qemu
from tracertwin.checking.firmware import FirmwareCommand, run_with
from tracertwin.checking.preparing import prepare
from tracertwin.scenario.file import load_scenario

QEMU = (
    "qemu-system-arm -M lm3s6965evb -display none -monitor none -kernel {kernel} -serial stdio -serial null "
    "-chardev socket,id=uart2,host={{host}},port={{port}} -serial chardev:uart2"
)
SCENARIO = """\
name: The firmware reads its Tracer
about:
  - It shows what the registers hold and asks for nothing else.
  - Registers of map uart2.
given:
  site: cabin
  start: 2026-06-21T13:00
  length: LENGTH
  clock: CLOCK
expect:
  - {printed: master up, to: 1min}
  - {printed: round 3 pv, within: 20min, after: start}
  - {never_printed: incomplete}
  - {shows: energy_generated_total, printed_as: 'made [0-9.]+ ([0-9.]+) kWh'}
  - {shows: 0x3104, printed_as: 'batt ([0-9.]+) V'}
  - {only_mapped: true}
  - {never_writes: 0x9000}
  - {polled_every: 5min, registers: [0x3104, energy_generated_total]}
"""

CLIENT = """\
import socket, sys, time

def crc(data):
    c = 0xFFFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = (c >> 1) ^ 0xA001 if c & 1 else c >> 1
    return bytes((c & 255, c >> 8))

def ask(stream, address):
    frame = bytes((1, 4, address >> 8, address & 255, 0, 1))
    stream.sendall(frame + crc(frame))
    return int.from_bytes(stream.recv(64)[3:5], "big")

print("hello", flush=True)
"""


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> qemu.Build:
    """Compile a variant of the firmware, once."""
    qemu.require_tools()
    make = qemu.builder(tmp_path_factory.mktemp("firmware"))
    return lambda **options: make(ROUND_PAUSE_MS=0, TIMEOUT_MS=20_000, **options)


def scenario(folder: Path, length: str = "20min", clock: str = "polled:10s", text: str = SCENARIO) -> Path:
    path = folder / "reads.yaml"
    path.write_text(text.replace("LENGTH", length).replace("CLOCK", clock), encoding="utf-8")
    return path


def ran(path: Path, command: str, **peer):
    return run_with(prepare(load_scenario(path), has_peer=True), FirmwareCommand(command, **peer))


def program(folder: Path, body: str) -> str:
    path = folder / "client.py"
    path.write_text(CLIENT + body, encoding="utf-8")
    return f"{sys.executable} {path}"


# --- firmware in an emulator ---


def test_good_firmware_holds_and_says_the_same_twice(build, tmp_path):
    path, command = scenario(tmp_path), QEMU.format(kernel=build())
    first, second = ran(path, command), ran(path, command)
    assert [v.words(first.record.span) for v in first.verdicts if not v.holds] == []
    assert first.clock == "polled:10s"
    assert first.left["transcript.txt"] == second.left["transcript.txt"]
    assert len(first.left["transcript.txt"].splitlines()) == 20 * 6
    assert [v.finding for v in first.verdicts] == [v.finding for v in second.verdicts]


@pytest.mark.parametrize(
    ("bug", "told"),
    [
        ("BUG_SWAPPED_WORDS", "shows energy_generated_total"),
        ("BUG_UNMAPPED", "only mapped"),
        ("BUG_WRITES", "never writes 0x9000"),
    ],
)
def test_a_planted_bug_is_named(build, tmp_path, bug, told):
    result = ran(scenario(tmp_path), QEMU.format(kernel=build(**{bug: True})))
    failed = [verdict.expectation.text for verdict in result.verdicts if verdict.fails]
    assert any(text.startswith(told) for text in failed), failed
    if bug != "BUG_WRITES":  # the write is refused, so its rounds are incomplete as well
        assert len(failed) == 1


def test_the_command_tells_the_clock_and_leaves_what_was_said(build, tmp_path, call):
    command = QEMU.format(kernel=build(BUG_UNMAPPED=True))
    path, left = scenario(tmp_path, clock="stepped"), tmp_path / "left"
    code, said, wrong = call(
        "check", str(path), "--firmware", command, "--failures", str(left), "--transcripts", str(tmp_path / "said")
    )  # fmt: skip
    assert code == 1, wrong
    assert "clock polled:10s" in said
    (folder,) = left.iterdir()
    assert "master up" in (folder / "console.txt").read_text(encoding="utf-8")
    assert "--firmware 'qemu" in (folder / "rerun.txt").read_text(encoding="utf-8")
    assert (folder / "transcript.txt").read_text(encoding="utf-8") == (
        tmp_path / "said" / "reads.txt"
    ).read_text(encoding="utf-8")
    assert call("replay", str(folder / "journal.jsonl"))[0] == 0


# --- a program of the host ---

POLLS = """\
stream = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while True:
    print("batt %.2f V" % (ask(stream, 0x3104) / 100), flush=True)
"""
SHORT = """\
name: It polls
about: [A program of the host., Nothing.]
given: {length: LENGTH, clock: CLOCK}
when:
  - {at: 5min, fault: drop:1.0}
  - {at: 6min, fault: off}
expect:
  - {printed: hello}
  - {shows: 0x3104, printed_as: 'batt ([0-9.]+) V'}
"""


def test_on_the_wall_s_clock(tmp_path):
    text = SHORT.replace("clock: CLOCK", "clock: wall, speed: 600").partition("when:")
    text = text[0] + "expect:\n  - {printed: hello}\n  - {only_mapped: true}\n"
    path = scenario(tmp_path, "10min", text=text)
    body = POLLS.replace("while True:", "while True:\n    time.sleep(0.01)")
    result = ran(path, program(tmp_path, body) + " {host} {port}")
    assert result.holds
    assert result.clock == "wall"
    assert len(result.record.asked) > 5


def test_what_happens_does_so_at_its_plant_time_among_the_requests(tmp_path):
    body = POLLS.replace("stream = ", "stream = ").replace(
        "    print", "    stream.settimeout(0.2)\n    try: value = ask(stream, 0x3104)\n    except TimeoutError: "
        "print('silent', flush=True); continue\n    print"
    ).replace("ask(stream, 0x3104) / 100", "value / 100")  # fmt: skip
    text = SHORT + "  - {printed: silent, within: 10s, after: 5min}\n  - {never_printed: silent, to: 4min}\n"
    result = ran(scenario(tmp_path, "10min", text=text), program(tmp_path, body) + " {host} {port}")
    assert [v.words(result.record.span) for v in result.verdicts if not v.holds] == []
    silent = [
        asked.t_s - result.record.span.start_utc_s
        for asked in result.record.asked
        if asked.outcome == "silence"
    ]
    assert silent == [300.0, 310.0, 320.0, 330.0, 340.0, 350.0]


@pytest.mark.parametrize("link", ["{pty}", "{socket}"])
def test_other_links(tmp_path, link):
    dial = {
        "{pty}": "import os, tty\nfd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); tty.setraw(fd)\n"
        "class Stream:\n    def sendall(self, data): os.write(fd, data)\n"
        "    def recv(self, n):\n        got = b''\n        while len(got) < 7: got += os.read(fd, n)\n"
        "        return got\n"
        "stream = Stream()\n",
        "{socket}": "stream = socket.socket(socket.AF_UNIX); stream.connect(sys.argv[1])\n",
    }[link]
    body = dial + POLLS.partition("\n")[2]
    text = SHORT.replace("  - {at: 5min, fault: drop:1.0}\n  - {at: 6min, fault: off}\n", "").replace(
        "when:\n", ""
    )
    result = ran(scenario(tmp_path, "5min", text=text), program(tmp_path, body) + f" {link}")
    assert result.holds, [v.words(result.record.span) for v in result.verdicts]


def test_firmware_answers_for_its_own_requests_and_not_for_what_the_scenario_writes(tmp_path):
    """Neither blamed for a write, nor credited with what was read back."""
    text = SHORT.partition("when:")[0].replace(
        "{length", "{map: epever, settings: {boost_duration: 90}, length"
    )
    text += (
        "when: [{at: 2min, write: {equalize_duration: 60}}, {at: 3min, write-refused: {boost_voltage: 99V}}]\n"
        "expect:\n"
        "  - {never_writes: [boost_duration, equalize_duration, boost_voltage]}\n"
        "  - {polled_every: 1min, registers: [0x3104]}\n"
        "  - {polled_every: 4min, registers: [boost_duration]}\n"
        "  - {expect: equalize_duration = 60 min, at: 2min}\n"
    )
    result = ran(scenario(tmp_path, "4min", text=text), program(tmp_path, POLLS) + " {host} {port}")
    assert [verdict.holds for verdict in result.verdicts] == [True, True, False, True, True]
    assert {asked.request.function for asked in result.record.asked} == {0x04}


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("write: {boost_voltage: 14V}", "the controller refused it: boost_voltage can be written only with"),
        ("mend: cloud", "when[0].mend: mend: cloud is not broken"),
    ],
)  # fmt: skip
def test_what_can_t_be_done_beside_firmware_ends_the_run(tmp_path, call, action, told):
    """On the polled clock it happens while a request waits for its answer."""
    text = SHORT.partition("when:")[0].replace("{length", "{map: epever, length")
    path = scenario(
        tmp_path, "4min", text=f"{text}when: [{{at: 2min, {action}}}]\nexpect: [{{only_mapped: true}}]\n"
    )
    code, _, wrong = call("check", str(path), "--firmware", program(tmp_path, POLLS) + " {host} {port}")
    assert code == 2
    assert told in wrong


def test_a_text_ends_the_run(tmp_path):
    body = (
        POLLS.replace("while True:", "for _ in range(5):") + "print('done 5', flush=True)\ntime.sleep(60)\n"
    )
    began = time.monotonic()
    result = ran(
        scenario(tmp_path, "1d", text=SHORT), program(tmp_path, body) + " {host} {port}", stop=r"done \d"
    )
    assert len(result.record.asked) == 5
    assert time.monotonic() - began < 20.0


def test_a_command_that_dies_is_told_with_its_last_lines(tmp_path, call):
    command = program(tmp_path, "print('no such device'); sys.exit(3)") + " {port}"
    code, _, wrong = call("check", str(scenario(tmp_path, text=SHORT)), "--firmware", command)
    assert code == 2
    assert "the firmware ended before the run did, with exit code 3" in wrong
    assert "| no such device" in wrong


def test_one_that_asks_nothing_is_given_up(tmp_path, call):
    command = program(tmp_path, "time.sleep(60)") + " {port}"
    path = scenario(tmp_path, text=SHORT)
    code, _, wrong = call("check", str(path), "--firmware", command, "--timeout", "300ms")
    assert code == 2
    assert "no request within 0.3 s" in wrong
    assert "| hello" in wrong


def test_its_children_end_with_it(tmp_path):
    pid = tmp_path / "pid"
    body = (
        "import os, subprocess\n"
        "deaf = 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(99)'\n"
        "child = subprocess.Popen([sys.executable, '-c', deaf])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
    )
    result = ran(scenario(tmp_path, "1min", text=SHORT.replace("{at: 5min", "{at: 30s").replace("6min", "40s")),
                 program(tmp_path, body + POLLS.replace("while True:", "stream.settimeout(0.1)\nwhile True:").replace(
                     "    print", "    try: ask(stream, 0x3104)\n    except TimeoutError: continue\n    print"))
                 + " {host} {port}")  # fmt: skip
    assert result.record.asked
    time.sleep(0.1)
    status = Path(f"/proc/{pid.read_text(encoding='utf-8')}/stat")
    assert not status.exists() or status.read_text(encoding="ascii").split()[2] == "Z"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--firmware", "qemu"], "names no link"),
        (["--until", "done"], "--until: needs --firmware"),
        (["--transcripts", "x"], "--transcripts: needs --firmware"),
        (["--firmware", "x {port}", "--until", "("], "--until"),
        (["--firmware", "x {port}", "--timeout", "soon"], "--timeout"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, call, options, said):
    code, _, wrong = call("check", str(scenario(tmp_path, text=SHORT)), *options)
    assert code == 2
    assert said in wrong


def test_a_scenario_with_a_client_of_its_own_has_no_room_for_firmware(tmp_path, call):
    text = SHORT.replace("clock: CLOCK}", "client: {every: 1min, read: [0x3104]}}")
    code, _, wrong = call("check", str(scenario(tmp_path, text=text)), "--firmware", "x {port}")
    assert code == 2
    assert "leave one out" in wrong
    assert "reads.yaml:3" in wrong


def test_as_json_the_clock_is_there(tmp_path, call):
    text = SHORT.partition("when:")[0] + "expect:\n  - {printed: hello}\n"
    command = program(tmp_path, POLLS) + " {host} {port}"
    code, said, wrong = call(
        "check", str(scenario(tmp_path, "1min", text=text)), "--firmware", command, "--json"
    )
    assert code == 0, wrong
    assert json.loads(said)["runs"][0]["clock"] == "polled:10s"
