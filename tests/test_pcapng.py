"""A journal as a capture: what Wireshark's own program reads in it."""

import os
import shutil
import struct
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from modbus.codec.requests import IdentifyDevice, ReadBits, ReadWords, WriteCoil, WriteWord, WriteWords
from modbus.line.conversation import Burst, Transmission
from modbus.line.faults.striking import FaultyLine
from plant.base.problems import ProblemsError
from tests.journals import ask, entries, master, rig, running, silent
from tracertwin.cli import main as command
from tracertwin.journal.entries import Exchange
from tracertwin.journal.file import JournalFile
from tracertwin.journal.pcapng import write_pcapng

BLOCK = ReadWords(1, 4, 0x3100, 8)
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.interface_name", "frame.p2p_dir", "frame.comment", "_ws.col.Protocol",
    "_ws.col.Info", "mbrtu.unit_id", "mbrtu.crc16.status", "modbus.func_code", "modbus.reference_num",
    "modbus.regval_uint16", "data.data",
)  # fmt: skip


def tshark(capture: Path, *options: str) -> list[dict[str, str]]:
    """Fields of each packet, as tshark shows them without any preference but those given."""
    if shutil.which("tshark") is None:
        if os.environ.get("TRACERTWIN_REQUIRE_TSHARK") == "1":
            pytest.fail("not installed: tshark")
        pytest.skip("not installed: tshark")
    fields = [word for name in FIELDS for word in ("-e", name)]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|", *options, *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [dict(zip(FIELDS, line.split("|"), strict=True)) for line in done.stdout.splitlines()]


def test_wireshark_shows_requests_and_replies_as_modbus_rtu_without_being_told(tmp_path):
    path, capture = tmp_path / "run.jsonl", tmp_path / "run.pcapng"
    with running(rig(path, links=2)), master(path, 0) as one, master(path, 1) as other:
        words = one.ask(BLOCK).words
        other.ask(ReadBits(1, 1, 2, 1))
        one.ask(WriteWords(1, 0x9013, (0, 0x0C01, 0x1A03)))
        one.ask(ReadWords(1, 4, 0x5555, 1))
        other.ask(IdentifyDevice(1, 1))
    assert write_pcapng(path, capture) == 10
    packets = tshark(capture)
    assert [packet["_ws.col.Protocol"] for packet in packets] == ["Modbus RTU"] * 10
    assert [packet["frame.p2p_dir"] for packet in packets] == ["1", "0"] * 5  # received, sent
    assert [packet["frame.interface_name"][:6] for packet in packets] == [
        *["link 0"] * 2, *["link 1"] * 2, *["link 0"] * 4, *["link 1"] * 2,
    ]  # fmt: skip
    query, response = packets[:2]
    assert query["_ws.col.Info"].split() == [
        "Query:",
        "Unit:",
        "1,",
        "Func:",
        "4:",
        "Read",
        "Input",
        "Registers",
    ]
    assert response["_ws.col.Info"].split() == [
        "Response:",
        "Unit:",
        "1,",
        "Func:",
        "4:",
        "Read",
        "Input",
        "Registers",
    ]
    assert (query["modbus.func_code"], query["modbus.reference_num"]) == ("4", str(0x3100))
    assert response["modbus.regval_uint16"] == ",".join(map(str, words))
    assert "Exception returned" in packets[7]["_ws.col.Info"]
    assert "Write Multiple Registers" in packets[4]["_ws.col.Info"]


def test_every_check_sum_is_right_and_a_write_is_told_from_its_reply_where_the_port_is_known(tmp_path):
    path, capture = tmp_path / "run.jsonl", tmp_path / "run.pcapng"
    with silent(rig(path)) as run:
        for request in (WriteWord(1, 0x906C, 90), WriteCoil(1, 2, 0xFF00), BLOCK):
            ask(run, request)
    write_pcapng(path, capture)
    packets = tshark(capture, "-o", "mbrtu.crc_verification:TRUE", "-o", "mbrtu.tcp.port:502")
    assert [packet["mbrtu.crc16.status"] for packet in packets] == ["1"] * 6
    assert [packet["_ws.col.Info"].split(":")[0].strip() for packet in packets] == ["Query", "Response"] * 3


def test_times_are_the_walls_and_comments_tell_plant_time_commands_junk_and_faults(tmp_path, monkeypatch):
    path, capture = tmp_path / "run.jsonl", tmp_path / "run.pcapng"

    inner, count = FaultyLine.answer, iter(range(9))

    def spoilt(line, request):
        frame, turn = inner(line, request), next(count)
        broken = Transmission(frame, (Burst(0.01, frame[:3]), Burst(0.02, b"\xaa")))
        return (frame, broken, Transmission(frame, ()), None)[turn]

    monkeypatch.setattr(FaultyLine, "answer", spoilt)
    with silent(rig(path)) as run:
        run.do("upset load_short")
        for _ in range(4):
            ask(run, BLOCK)
        run.witnesses[0].junk(
            type("Junk", (), {"data": b"boot: hello", "why": "not the beginning of a request"})()
        )
    assert write_pcapng(path, capture) == 8
    packets = tshark(capture)
    frame = [entry.what for entry in entries(path) if isinstance(entry.what, Exchange)][1].frame
    changed = f"changed on the line; the device said {frame.hex(' ')}"
    about = [f"entry {n}, plant 2026-02-20T09:00:00Z" for n in range(2, 7)]
    assert {
        packet["frame.number"]: packet["frame.comment"] for packet in packets if packet["data.data"] == ""
    } == {
        "1": f"{about[0]},before this, entry 1: command upset load_short",
        "2": about[0],
        "3": about[1],
        "4": f"{about[2]},no reply,{changed}",
        "5": f"{about[3]},no reply: silence",
    }
    told = {packet["data.data"]: packet["frame.comment"] for packet in packets if packet["data.data"]}
    assert told == {
        b"boot: hello".hex(): f"{about[4]},junk: not the beginning of a request",
        frame[:3].hex(): f"{about[1]},burst 1 of 2,{changed}",
        "aa": f"{about[1]},burst 2 of 2,{changed}",
    }
    at_s = [float(packet["frame.time_epoch"]) for packet in packets]
    assert at_s == sorted(at_s)
    assert at_s[-1] - at_s[-2] == pytest.approx(0.02, abs=1e-5)
    began = JournalFile(path).head.began
    assert (
        subprocess.check_output(["date", "-u", "-d", f"@{int(at_s[0])}", "+%FT%H:%M"], text=True)[:13]
        == began[:13]
    )


def times_us(capture: Path) -> list[int]:
    """Time of every packet block since 1970 [us], read by hand: high word, then low word."""
    data, at, found = capture.read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            high, low = struct.unpack_from("<II", data, at + 12)
            found.append((high << 32) + low)
        at += size
    return found


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_times_are_utc_whatever_zone_the_machine_is_in(tmp_path, monkeypatch, zone):
    """The request's is when it was whole, the reply's when it was written down."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        path, capture = tmp_path / "run.jsonl", tmp_path / "run.pcapng"
        before_s = time.time()
        with silent(rig(path)) as run:
            ask(run, BLOCK)
        write_pcapng(path, capture)
        (entry,) = (entry for entry in entries(path) if isinstance(entry.what, Exchange))
        asked_us, sent_us = times_us(capture)
        began_s = datetime.fromisoformat(JournalFile(path).head.began).timestamp()
        assert 1e-6 * asked_us - began_s == pytest.approx(entry.what.asked_s, abs=1e-6)
        assert 1e-6 * sent_us - began_s == pytest.approx(entry.wall_s, abs=1e-6)
        assert before_s - 1.0 <= 1e-6 * asked_us <= time.time()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_command_writes_it_and_says_what_it_cant(tmp_path, monkeypatch, capsys):
    path, capture = tmp_path / "run.jsonl", tmp_path / "run.pcapng"
    with silent(rig(path)) as run:
        ask(run, BLOCK)
    recorded = path.read_bytes()
    for arguments, code in (
        ([str(path), "--pcapng", str(capture)], 0),
        ([str(path), "--pcapng", str(tmp_path / "no" / "x")], 2),
        ([str(path), "--pcapng", str(capture), "--as-master", "unix:x"], 2),
        ([str(capture), "--pcapng", str(tmp_path / "x")], 2),
        ([str(path), "--pcapng", f"{tmp_path}/../{tmp_path.name}/{path.name}"], 2),
    ):
        monkeypatch.setattr("sys.argv", ["tracertwin", "replay", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        assert ended.value.code == code
    assert path.read_bytes() == recorded  # it was written over, and the run was gone
    assert len(tshark(capture)) == 2
    with pytest.raises(ProblemsError, match="cannot write"):
        write_pcapng(path, Path("/dev/full"))
