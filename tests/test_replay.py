"""Replaying a journal: the same bytes again from nothing but the file, and where they aren't."""

import contextlib
import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.codec.requests import (
    IdentifyDevice,
    Login,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
    decode_request,
)
from modbus.line.conversation import Burst, Transmission
from modbus.line.endpoint import parse_endpoint
from modbus.line.faults.striking import FaultyLine
from modbus.line.faults.text import parse_fault
from modbus.line.pacing import parse_pace
from plant.base.problems import ProblemsError
from plant.plant import Plant
from plant.site.model import load_site
from tests.journals import ask, entries, master, replayed, rig, running, silent, transcript
from tests.plants import plant, site
from tracertwin.assembly.options import Options
from tracertwin.cli.main import main
from tracertwin.journal.asmaster import Manner, changes, print_comparison
from tracertwin.journal.entries import Exchange, GivenCommand
from tracertwin.journal.replay import print_replay
from tracertwin.memory.committing import plants_from, remembered, unit_ids_from
from tracertwin.rig.serving import Rig

ROOT = Path(__file__).parents[1]
BLOCK = ReadWords(1, 4, 0x3100, 8)

# --- whatever is said ---

units = st.sampled_from([1, 2, 2, 0, 9])
addresses = st.sampled_from(
    [0x3100, 0x3104, 0x310C, 0x311A, 0x3200, 0x3300, 0x330A, 0x9000, 0x9013, 0x200C, 0x3000]
)
counts = st.integers(0, 18)
settings_of = st.sampled_from(
    [(0x906B, 120), (0x906C, 90), (0x9002, 400), (0x9007, 1440), (0x903D, 0), (0x9000, 1)]
)
requests = st.one_of(
    st.builds(ReadWords, units, st.sampled_from([3, 4]), addresses, counts),
    st.builds(ReadBits, units, st.sampled_from([1, 2]), st.sampled_from([0, 2, 0x2000, 0x200C]), counts),
    st.builds(lambda unit, to: WriteWord(unit, *to), units, settings_of),
    st.builds(WriteCoil, units, st.sampled_from([2, 3, 5, 6, 0x13, 0x14]), st.sampled_from([0xFF00, 0, 7])),
    st.builds(
        lambda unit, day, hour: WriteWords(unit, 0x9013, (0, day << 8 | hour, 26 << 8 | 3)),
        units,
        st.integers(1, 28),
        st.integers(0, 23),
    ),
    st.builds(ReadSparse, units, addresses, counts),
    st.builds(IdentifyDevice, units, st.integers(1, 4), st.integers(0, 3)),
    st.builds(UnitIdRequest, st.just(0xF8), st.sampled_from([0xF8, 1, 2, 3])),
    st.builds(Unknown, units, st.just(0x5A), st.binary(max_size=4)),
)
commands = st.sampled_from(
    [
        "upset load_short unit=2", "upset battery_aged:capacity_lost=0.4:after=30s:lasts=1h",
        "upset no_such_thing", "mend all",
        "power-cycle", "power-cycle unit=2", "step 10min", "speed 60", "status", "mend 3", "what",
    ]
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 1), requests),
        st.tuples(st.just("ask"), st.integers(0, 1), requests),
        st.tuples(st.just("go"), st.integers(0, 1), st.sampled_from([5, 60, 900, 7200])),
        st.tuples(st.just("tell"), st.just(0), commands),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(steps, st.sampled_from([None, None, 0.0, 7.0, 600.0]), st.sampled_from(["uart2", "epever"]))
def test_whatever_is_asked_written_and_broken_is_replayed_to_the_same_bytes(
    tmp_path_factory, steps, polled_s, map_name
):
    """Two units of one line, asked on two links; each has a time of its own, unless requests move them."""
    path = tmp_path_factory.mktemp("run") / "run.jsonl"
    site = FARM
    plants = [Plant.new(site, 3), Plant.new(site.seen_by(site.neighbours[0]), 3)]
    with silent(rig(path, 2, plants, polled_s=polled_s, map_name=map_name)) as run:
        for kind, number, what in steps:
            if kind == "ask":
                ask(run, what, number)
            elif kind == "tell":
                tell(run, what)
            elif polled_s is None:
                move(run, number, what)
    outcome = replayed(path)
    assert outcome.first == []
    assert outcome.requests == sum(kind == "ask" for kind, *_ in steps)
    assert outcome.commands == sum(kind == "tell" and what != "status" for kind, _, what in steps)


FARM = load_site("farm")


def tell(run: Rig, text: str) -> None:
    """A command, which may be wrong."""
    with contextlib.suppress(ValueError):
        run.do(text)


def move(run: Rig, number: int, seconds: float) -> None:
    """Let one of the plants live on."""
    live = run.assembly.units[number].live
    with live.hold():
        live.plant.advance_to(live.plant.t_utc_s + seconds)


def test_two_links_that_write_at_once_at_a_thousand_times_the_walls_speed_are_replayed_to_the_same_bytes(
    tmp_path,
):
    path = tmp_path / "run.jsonl"
    with running(rig(path, links=2, speed=1000.0)) as run:

        def chatter(line: int) -> None:
            with master(path, line) as there:
                for count in range(150):
                    there.ask(BLOCK)
                    there.ask(WriteWord(1, 0x906C, 60 + (count + line) % 60))
                    there.ask(ReadWords(1, 3, 0x906B, 2))
                    there.ask(WriteCoil(1, 2, 0xFF00 if (count + line) % 2 else 0))

        threads = [threading.Thread(target=chatter, args=(line,)) for line in range(2)]
        for thread in threads:
            thread.start()
        for text in ("upset load_short", "speed 5000", "mend all", "pause", "go", "step 1h", "power-cycle"):
            sleep(0.05)
            run.do(text)
        for thread in threads:
            thread.join()
    said = transcript(path)
    assert {line for _, _, line, _, _ in said} == {0, 1}
    assert len({times_s for _, times_s, *_ in said}) > 10  # it moved meanwhile
    assert len(said) == 1200
    assert replayed(path).first == []


FAULTS = (
    "drop:0.1", "flip:0.2", "jitter:0.3:most=50ms", "split:0.3", "merge:0.2", "echo:0.2", "duplicate:0.1",
    "dead:0.02:for=20min",
)  # fmt: skip
PACED = {"pace": parse_pace("9600")}


@pytest.mark.parametrize("options", [{}, {"polled_s": 30.0}, PACED], ids=["wall", "polled", "paced"])
def test_line_faults_by_chance_strike_at_the_same_requests_again(tmp_path, options):
    """On two links; those of the beginning, and one that comes and goes by command."""
    path = tmp_path / "run.jsonl"
    with silent(rig(path, links=2, faults=[parse_fault(text) for text in FAULTS], **options)) as run:
        for count in range(200):
            if count == 50:
                run.do("fault crc:0.5")
            if count == 100:
                run.do("fault off jitter")
            ask(run, BLOCK, count % 3 % 2)
            if not options.get("polled_s"):
                move(run, 0, 60)
    bent = [sent for *_, sent in transcript(path) if not isinstance(sent, bytes)]
    assert len(bent) > 50
    assert replayed(path).first == []
    path.write_text(path.read_text().replace('"drop:0.1",', "", 1))
    assert replayed(path).differences > 3


def test_replies_that_a_line_fault_changes_are_made_in_the_same_way_again(tmp_path, monkeypatch):
    """Silence, bursts and another frame, by the number of the request on its link."""
    inner = FaultyLine.answer
    turns: dict[
        FaultyLine, Iterator[int]
    ] = {}  # a line's own, each begun a place further than the line's before

    def spoilt(line, request):
        turn = next(turns.setdefault(line, itertools.count(len(turns)))) % 4
        frame = inner(line, request)
        broken = Transmission(frame, (Burst(0.002, frame[:3]), Burst(0.1, frame[3:] + b"\0")))
        return (frame, broken, Transmission(frame, ()), None)[turn]

    monkeypatch.setattr(FaultyLine, "answer", spoilt)
    path = tmp_path / "run.jsonl"
    with silent(rig(path, links=2)) as run:
        for count in range(24):
            ask(run, BLOCK, count % 3 % 2)
            move(run, 0, 300)
    assert len({type(sent) for *_, sent in transcript(path)}) == 3
    turns.clear()
    assert replayed(path).first == []
    monkeypatch.setattr(FaultyLine, "answer", inner)
    assert replayed(path).differences > 5


def test_a_bug_is_replayed_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr("modbus.device.tracer.Tracer._read_bits", lambda *_: 1 / 0)
    path = tmp_path / "run.jsonl"
    with silent(rig(path)) as run, pytest.raises(ZeroDivisionError):
        ask(run, ReadBits(1, 1, 2, 1))
    assert replayed(path).first == []
    monkeypatch.undo()
    assert any("ZeroDivisionError" in line for line in replayed(path).first)


# --- from the file alone ---


def test_a_replay_needs_no_other_file(tmp_path):
    """Site, battery, controller, load, map and weather of one's own, all gone or changed before the replay."""
    own = tmp_path / "own"
    own.mkdir()
    config = ROOT / "config"
    shutil.copy(config / "batteries" / "gel.yaml", own / "mine.yaml")
    shutil.copy(config / "controllers" / "tracer2210n.yaml", own / "controller.yaml")
    shutil.copy(config / "loads" / "household_1.yaml", own / "load.yaml")
    (own / "map.yaml").write_text(
        (config / "registers" / "uart2.yaml").read_text().replace("name: uart2", "name: map")
    )
    rows = [
        f"2026-02-{day:02d}T{h:02d}:00,{max(0, 4.5 - abs(12 - h)) * 100},5"
        for day in range(18, 25)
        for h in range(24)
    ]
    (own / "weather.csv").write_text("\n".join(["# Zürich", "time,ghi_w_m2,t_amb_c", *rows]), "utf-8")
    p = plant(
        seed=8,
        battery={"model": str(own / "mine.yaml")},
        controller={"model": str(own / "controller.yaml")},
        load={"items": [{"kind": "appliances", "name": "home", "model": str(own / "load.yaml")}]},
        weather={"file": str(own / "weather.csv"), "utc_offset_h": 1.0, "stamp": "start"},
        sky={"clearness": None},
    )
    path = tmp_path / "run.jsonl"
    with silent(rig(path, plants=[p], map_name=str(own / "map.yaml"))) as run:
        shutil.rmtree(own)
        for _ in range(20):
            ask(run, ReadWords(1, 4, 0x3100, 4))
            ask(run, ReadWords(1, 4, 0x310C, 4))
            move(run, 0, 1800)
    assert len({sent for *_, sent in transcript(path)}) > 20
    assert replayed(path).first == []


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config" / "sites").glob("*.yaml")))
def test_every_site_goes_into_a_journal_and_out_again(name, tmp_path):
    path = tmp_path / "run.jsonl"
    site = load_site(name)
    plants = [Plant.new(one, 5) for one in (site, *map(site.seen_by, site.neighbours))]
    with silent(rig(path, plants=plants)) as run:
        for _ in range(4):
            for p in plants:
                ask(run, ReadWords(p.site.unit, 4, 0x3100, 8))
            for number in range(len(plants)):
                move(run, number, 3 * 3600)
    assert replayed(path).first == []


# --- what isn't the same ---


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """A journal of eight requests, ten minutes apart."""
    path = tmp_path / "run.jsonl"
    with silent(rig(path)) as run:
        for _ in range(8):
            ask(run, BLOCK)
            move(run, 0, 600)
    return path.read_text().splitlines(keepends=True)


def tampered(tmp_path: Path, lines: list[str], entry: int, change) -> Path:
    """The journal with one of its entries changed."""
    path = tmp_path / "tampered.jsonl"
    place = next(n for n, line in enumerate(lines) if line.startswith(f'{{"n":{entry},'))
    row = json.loads(lines[place])
    change(row)
    path.write_text("".join([*lines[:place], json.dumps(row) + "\n", *lines[place + 1 :]]))
    return path


@given(entry=st.integers(1, 8), place=st.integers(0, 20), bit=st.integers(0, 7))
@settings(max_examples=15, deadline=None)
def test_a_reply_with_one_bit_changed_is_found_out_at_its_entry(tmp_path_factory, entry, place, bit):
    folder = tmp_path_factory.mktemp("tampered")
    if not hasattr(test_a_reply_with_one_bit_changed_is_found_out_at_its_entry, "lines"):
        with silent(rig(folder / "run.jsonl")) as run:
            for _ in range(8):
                ask(run, BLOCK)
                move(run, 0, 600)
        kept = (folder / "run.jsonl").read_text().splitlines(keepends=True)
        test_a_reply_with_one_bit_changed_is_found_out_at_its_entry.lines = kept

    def flip(row):
        frame = bytearray.fromhex(row["reply"])
        frame[place] ^= 1 << bit
        row["reply"] = frame.hex(" ")

    kept = test_a_reply_with_one_bit_changed_is_found_out_at_its_entry.lines
    outcome = replayed(tampered(folder, kept, entry, flip))
    assert outcome.differences == 1
    assert outcome.first[0].startswith(f"entry {entry} (line ")


def test_the_first_difference_is_told_by_entry_time_request_and_register(tmp_path, lines, capsys):
    def older(row):
        row["reply"] = json.loads(lines[-5])["reply"]

    path = tampered(tmp_path, lines, 6, older)
    assert print_replay(path, print) == 1
    told = capsys.readouterr().out
    assert "different: 1 of 8 replies; the first is" in told
    assert f"entry 6 (line {len(lines) - 3}) at 2026-02-20T09:50:00Z, link 0:" in told
    assert "asked  01 04 31 00 00 08 ff 30   read 8 input registers from 0x3100 (unit 1)" in told
    assert told.count("   8 registers\n") == 2
    then, now = (decoded(entry) for entry in (json.loads(lines[-5]), json.loads(lines[-4])))
    for address, (was, wants) in enumerate(zip(then, now, strict=True), 0x3100):
        assert (f"0x{address:04X} " in told.split("now", 1)[1]) == (was != wants)
    assert f"0x3104 battery_charge_voltage: {then[4]:04X} then, {now[4]:04X} now" in told


def test_what_was_said_and_what_left_are_told_in_words(tmp_path, capsys):
    with silent(rig(tmp_path / "run.jsonl")) as run:
        run.do("fault exception:code=6")
        ask(run, ReadWords(1, 4, 0x5555, 1))
    kept = (tmp_path / "run.jsonl").read_text().splitlines(keepends=True)
    path = tampered(tmp_path, kept, 2, lambda row: row.pop("bursts"))
    assert print_replay(path, print) == 1
    told = capsys.readouterr().out
    assert "  then   01 84 02 c2 c1   exception 02, illegal data address\n" in told
    assert "(the device said 01 84 02 c2 c1)   exception 06, server device busy\n" in told


@pytest.mark.parametrize(
    ("number", "text", "then", "now"),
    [
        (2, "upset load_shorty", "done", "refused: upset: unknown upset 'load_shorty'"),
        (3, "upset load_short", "refused: upset: unknown upset 'load_longer'", "done"),
        (3, "break everything", None, None),
    ],
)
def test_a_command_that_is_refused_in_only_one_of_the_runs_is_a_difference(
    tmp_path, capsys, number, text, then, now
):
    with silent(rig(tmp_path / "run.jsonl")) as run:
        ask(run, BLOCK)
        run.do("upset load_short:lasts=1s")
        with pytest.raises(ValueError, match="load_longer"):
            run.do("upset load_longer")
    kept = (tmp_path / "run.jsonl").read_text().splitlines(keepends=True)
    path = tampered(tmp_path, kept, number, lambda row: row.update(command=text))
    assert print_replay(path, print) == (0 if then is None else 1)
    told = capsys.readouterr().out
    if then is None:  # neither was carried out
        assert "same: all 1 replies" in told
        return
    assert "different: 0 of 1 replies and 1 of 2 commands; the first is" in told
    assert f"  command  {text}\n  then     {then}" in told
    assert f"  now      {now}" in told


@pytest.mark.parametrize(
    "look", ["expect v_batt_v > 3 V", "expect v_bat_v > 3", "show soc", "status", "help"]
)
def test_commands_that_only_look_are_not_written_down(tmp_path, look):
    with silent(rig(tmp_path / "run.jsonl")) as run:
        with contextlib.suppress(ValueError):
            run.do(look)
        run.do("upset load_short:lasts=1s")
    assert [
        entry.what.text for entry in entries(tmp_path / "run.jsonl") if isinstance(entry.what, GivenCommand)
    ] == ["upset load_short:lasts=1s"]


@pytest.mark.parametrize("polled_s", [0.0, 10.0, None])
def test_a_journal_in_which_somebody_only_looked_is_replayed_as_the_same(tmp_path, capsys, polled_s):
    with silent(rig(tmp_path / "run.jsonl", polled_s=polled_s)) as run:
        ask(run, BLOCK)
        run.do("upset load_short:lasts=1s")
    kept = (tmp_path / "run.jsonl").read_text().splitlines(keepends=True)
    path = tampered(tmp_path, kept, 2, lambda row: row.update(command="expect v_batt_v > 3 V", refused=""))
    assert print_replay(path, print) == 0
    assert "same: all 1 replies" in capsys.readouterr().out


def test_a_journal_that_doesnt_say_whether_commands_were_refused_is_replayed_as_before(tmp_path):
    with silent(rig(tmp_path / "run.jsonl")) as run, contextlib.suppress(ValueError):
        ask(run, BLOCK)
        run.do("upset load_longer")
    kept = (tmp_path / "run.jsonl").read_text().splitlines(keepends=True)
    outcome = replayed(tampered(tmp_path, kept, 2, lambda row: row.pop("refused")))
    assert (outcome.commands, outcome.differing_commands) == (1, 0)


def decoded(row) -> list[int]:
    """Words of the reply in a line of the journal."""
    frame = bytes.fromhex(row["reply"])
    return [int.from_bytes(frame[at : at + 2], "big") for at in range(3, 19, 2)]


def test_a_plant_that_stands_elsewhere_is_a_difference_even_if_the_reply_is_the_same(tmp_path):
    path = tmp_path / "run.jsonl"
    with silent(rig(path, polled_s=10.0)) as run:
        for _ in range(4):
            ask(run, ReadWords(1, 4, 0x3000, 2))

    def later(row):
        row["t"] = ["2026-02-20T09:00:35Z"]

    outcome = replayed(tampered(tmp_path, path.read_text().splitlines(keepends=True), 3, later))
    assert outcome.differences == 1
    assert "the plant is at 2026-02-20T09:00:30Z now" in outcome.first[-1]


def test_another_seed_gives_other_replies(tmp_path, lines):
    path = tmp_path / "other.jsonl"
    path.write_text(lines[0].replace('"seed":1,', '"seed":2,') + "".join(lines[1:]))
    assert replayed(path).differences > 4


def test_another_program_or_library_is_told_and_replayed_all_the_same(tmp_path, lines, capsys):
    path = tmp_path / "other.jsonl"
    head = json.loads(lines[0])
    head["program"] = "tracertwin 0.0.9"
    head["versions"]["numpy"] = "1.0"
    path.write_text("".join([json.dumps(head) + "\n", *lines[1:]]))
    said: list[str] = []
    assert print_replay(path, said.append) == 0
    assert said[0].startswith("warning: tracertwin 0.0.9 then, tracertwin ")
    assert said[1].startswith("warning: numpy 1.0 then, ")
    assert "same: all 8 replies, byte for byte" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row.update(journal=2), "a journal of format 2; this version reads format 1"),
        (lambda row: row.pop("seed"), "seed: Field required"),
        (lambda row: row["units"][0]["site"].pop("battery"), "not as it was recorded"),
        (lambda row: row["units"][0]["site"]["battery"].update(capacity_ah=-1), "battery.capacity_ah"),
        (lambda row: row.update(map="../../x"), "no such file"),
        (lambda row: row.update(start="soon"), "soon"),
        (lambda row: row.update(links=["nowhere"]), "nowhere"),
        (lambda row: row.update(units=[]), "units"),
    ],
)
def test_a_head_that_cant_be_used_is_refused_in_a_line(tmp_path, lines, change, why, capsys, monkeypatch):
    path = tmp_path / "other.jsonl"
    head = json.loads(lines[0])
    change(head)
    path.write_text("".join([json.dumps(head) + "\n", *lines[1:]]))
    code, told = command(monkeypatch, capsys, "replay", str(path))
    assert code == 2
    assert why in told
    assert len(told.strip().splitlines()) == 1
    assert str(path) in told


def command(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """Exit code of the command, and what it said on stderr."""
    monkeypatch.setattr("sys.argv", ["tracertwin", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


def test_the_commands_exit_code_is_0_for_the_same_1_for_not_and_2_for_no_journal(
    tmp_path, lines, monkeypatch, capsys
):
    assert command(monkeypatch, capsys, "replay", str(tmp_path / "run.jsonl"))[0] == 0
    path = tampered(tmp_path, lines, 2, lambda row: row.update(reply=None))
    assert command(monkeypatch, capsys, "replay", str(path))[0] == 1
    assert command(monkeypatch, capsys, "replay", str(tmp_path / "none"))[0] == 2
    assert command(monkeypatch, capsys, "replay", str(ROOT / "README.md"))[0] == 2
    assert command(monkeypatch, capsys, "replay", str(tmp_path))[0] == 2


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_no_journal_whatever_stands_in_it_ends_a_replay_otherwise_than_in_words(tmp_path_factory, data):
    """A value of an entry is replaced by another."""
    folder = tmp_path_factory.mktemp("odd")
    with silent(rig(folder / "run.jsonl")) as run:
        ask(run, BLOCK)
        tell(run, "upset load_short")
    lines = (folder / "run.jsonl").read_text().splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if line.startswith('{"n":1'))
    place = data.draw(st.integers(first, len(lines) - 1))
    row = json.loads(lines[place])
    key = data.draw(st.sampled_from(sorted(row)))
    row[key] = data.draw(
        st.sampled_from(
            [None, 0, -1, 1.5, 1e400, True, "", "zz", "01 04", "ff" * 300, [], {}, ["x"], [[]], "pause"]
        )
    )
    lines[place] = json.dumps(row) + "\n"
    (folder / "run.jsonl").write_text("".join(lines))
    with contextlib.suppress(ProblemsError):
        replayed(folder / "run.jsonl")


# --- another device ---


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A journal that reads, writes and identifies."""
    path = tmp_path / "asked.jsonl"
    with silent(rig(path)) as run:
        for request in (
            BLOCK,
            BLOCK,
            ReadWords(1, 4, 0x5555, 1),
            ReadBits(1, 1, 2, 1),
            IdentifyDevice(1, 1),
            ReadSparse(1, 0x3100, 4),
            WriteWord(1, 0x906C, 77),
            UnitIdRequest(0xF8, 0xF8),
            ReadWords(9, 4, 0x3100, 1),
        ):
            ask(run, request)
    return path


QUICK = Manner(pause_s=0.0, timeout_s=1.0)


def test_a_device_of_the_same_form_does_not_deviate_though_its_values_do(asked, tmp_path, capsys):
    path = tmp_path / "other.jsonl"
    with running(rig(path, plants=[plant(seed=5, battery={"soc": 0.2})])):
        assert print_comparison(asked, f"unix:{path.with_suffix('.0')}", QUICK, print) == 0
    assert "8 requests, 7 of them distinct: 0 replies differ in form; 1 left out" in capsys.readouterr().out


def test_what_a_device_answers_in_another_form_is_told_request_by_request(
    asked, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "120")  # pytest-xdist says 80
    path = tmp_path / "other.jsonl"
    with running(rig(path, map_name="uart2")):
        assert print_comparison(asked, f"unix:{path.with_suffix('.0')}", QUICK, print) == 1
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert (
        "read 1 input register from 0x5555 (unit 1) 1 1 exception 02, illegal data address 1 register" in told
    )
    assert "read 1 input register from 0x3100 (unit 9) 1 1 silence 1 register" in told
    assert len(told) == 5


def test_a_device_is_not_changed_unless_told(asked, tmp_path):
    path = tmp_path / "other.jsonl"
    with running(rig(path)) as run:
        before = run.assembly.plants[0].settings
        print_comparison(asked, f"unix:{path.with_suffix('.0')}", QUICK, print)
        assert run.assembly.plants[0].settings == before
        assert not any(decode_request(request).function == 6 for *_, request, _ in transcript(path))
        print_comparison(asked, f"unix:{path.with_suffix('.0')}", QUICK._replace(writes=True), print)
        assert run.assembly.plants[0].settings.boost_min != before.boost_min


@pytest.mark.parametrize(
    ("request_", "does"),
    [
        (BLOCK, False), (ReadBits(1, 2, 0, 1), False), (ReadSparse(1, 0, 1), False), (IdentifyDevice(1, 1), False),
        (UnitIdRequest(0xF8, 0xF8), False), (UnitIdRequest(0xF8, 3), True), (WriteCoil(1, 2, 0), True),
        (WriteWord(1, 2, 0), True),
        (WriteCoils(1, 2, 1, b"\0"), True), (WriteWords(1, 2, (1,)), True), (Login(1, b"user", b"000000"), True),
        (Unknown(1, 0x5A, b""), True),
    ],
)  # fmt: skip
def test_what_changes_a_device_is_known(request_: Request, does: bool):
    assert changes(request_) is does


def test_recorded_pauses_are_kept_unless_another_is_asked_for(tmp_path):
    recorded, path = tmp_path / "slow.jsonl", tmp_path / "other.jsonl"
    with running(rig(recorded)), master(recorded) as there:
        for _ in range(3):
            there.ask(BLOCK)
            sleep(0.15)
    with running(rig(path)):
        for manner in (QUICK._replace(pause_s=None), QUICK):
            print_comparison(recorded, f"unix:{path.with_suffix('.0')}", manner, print)
    at = [entry.what.asked_s for entry in entries(path) if type(entry.what).__name__ == "Exchange"]
    slow, quick = at[2] - at[0], at[5] - at[3]
    assert slow == pytest.approx(0.3, abs=0.1)
    assert quick < 0.1


def test_a_run_that_goes_on_from_a_state_file_is_replayed_from_where_it_stood(tmp_path):
    """The journal has the plant, and a unit id that function 45 has set for after the next power cycle."""
    state = tmp_path / "cabin.state"

    def lived(name: str, *commands: str) -> Path:
        path = tmp_path / name
        links = [parse_endpoint(f"unix-listen:{path}.sock")]
        options = Options(links=links, map_name="epever", polled_s=600.0, record=path)
        with remembered(state) as file:
            plants = plants_from(file, site(), 1, None, print)
            with Rig(plants, options, lambda _: None, file, unit_ids_from(file, None, print)) as rig:
                for request in (ReadWords(1, 4, 0x3100, 8), WriteWord(1, 0x906C, 90), UnitIdRequest(0xF8, 9)):
                    ask(rig, request)
                for command in commands:
                    rig.do(command)
                ask(rig, ReadWords(9, 4, 0x3300, 8))
        return path

    first, second = lived("first"), lived("second", "step 1h", "power-cycle")
    assert [replayed(path).differences for path in (first, second)] == [0, 0]
    sent = [entry.what.sent for entry in entries(second) if isinstance(entry.what, Exchange)]
    assert sent[-1] is not None  # the new id holds


def test_what_a_state_file_holds_of_a_plant_that_has_not_moved_yet_is_in_the_journal(tmp_path):
    """Its settings were written before the first step of time."""
    state, path = tmp_path / "cabin.state", tmp_path / "second"
    options = Options(links=[parse_endpoint(f"unix-listen:{path}.sock")], map_name="epever", polled_s=0.0)
    for record in (None, path):
        with remembered(state) as file:
            plants = plants_from(file, site(), 1, None, print)
            ids = unit_ids_from(file, None, print)
            with Rig(plants, replace(options, record=record), lambda _: None, file, ids) as rig:
                ask(rig, ReadWords(1, 3, 0x9001, 1))
                ask(rig, WriteWord(1, 0x9001, 123))
    assert replayed(path).differences == 0
