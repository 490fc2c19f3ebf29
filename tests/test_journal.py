"""The journal of a run: what it holds, that it is there whenever the run ends, and that it never ends the run."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.codec.replies import EchoReply, WordsReply
from modbus.codec.requests import ReadWords, Unknown, WriteWord
from modbus.line.conversation import Burst, Transmission
from plant.base.problems import ProblemsError
from tests.journals import ask, entries, master, rig, running, silent, transcript
from tests.waiting import until
from tracertwin.journal.entries import (
    End,
    Entry,
    Exchange,
    File,
    GivenCommand,
    JournalError,
    Noise,
    Peer,
    Stale,
    entry_line,
    read_head,
    read_line,
)
from tracertwin.journal.file import JournalFile

BLOCK = ReadWords(1, 4, 0x3100, 8)
BOOST_MIN = WriteWord(1, 0x906C, 90)

frames = st.binary(min_size=4, max_size=40)
asked = st.builds(
    ReadWords, st.integers(0, 255), st.sampled_from([3, 4]), st.integers(0, 9), st.integers(0, 99)
)
raw = (asked | st.builds(Unknown, st.just(1), st.just(0x5A), frames)).map(lambda request: request.encode())
seconds = st.floats(0, 1e5)
bursts = st.lists(st.builds(Burst, seconds, frames, seconds), max_size=3).map(tuple)
sent = st.none() | frames | st.builds(Transmission, st.just(b"") | frames, bursts)
words = st.text(max_size=20)
whats = st.one_of(
    st.builds(Exchange, raw, sent, st.just(1.5), words),
    st.builds(Noise, st.binary(min_size=1, max_size=40), words),
    st.builds(Stale, raw),
    st.builds(Peer, st.booleans()),
    st.builds(GivenCommand, words),
    st.just(End()),
)


@given(whats, st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=3), st.none() | st.integers(0, 9))
def test_every_entry_is_a_line_of_json_that_reads_back_as_it_was(what, times_s, line):
    entry = Entry(7, tuple(times_s), 2.25, line, what)
    text = entry_line(entry)
    assert "\n" not in text
    assert text.isascii()
    assert json.loads(text)["n"] == 7
    assert read_line(text) == entry


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | words, st.lists).map(json.dumps))
def test_a_line_that_says_nothing_is_refused_in_words(text):
    for read in (read_line, read_head):
        with pytest.raises(JournalError):
            read(text)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("{}", "is not a journal: the first line must have the key journal"),
        ("[]", "is not a journal: not a JSON object"),
        ('{"journal": 99}', "is a journal of format 99; this version reads format 1"),
    ],
)
def test_what_is_no_journal_is_told_once(tmp_path, first, why):
    path = tmp_path / "run.jsonl"
    path.write_text(f"{first}\n")
    with pytest.raises(ProblemsError) as refused:
        JournalFile(path)
    assert str(refused.value.problems[0]) == f"{path}:1: {why}"


def test_all_that_comes_from_outside_stands_there_in_order_with_plant_time(tmp_path):
    path = tmp_path / "run.jsonl"
    with running(rig(path, links=2, speed=1000.0)) as run:
        with master(path, 1) as there:
            assert isinstance(there.ask(BLOCK), WordsReply)
            assert there.ask(BOOST_MIN) == EchoReply(1, 6, 0x906C, 90)
            there._stream.sendall(b"\x99" * 9)
            assert isinstance(there.ask(BLOCK), WordsReply)
        assert until(lambda: run.assembly.plants[0].t_utc_s > run.assembly.plants[0].start_utc_s)
        run.do("upset load_short")
        assert until(lambda: not run.lines[1].is_connected)
    told = entries(path)
    assert [type(entry.what) for entry in told] == [
        Peer,
        Exchange,
        Exchange,
        Noise,
        Exchange,
        GivenCommand,
        Peer,
        End,
    ] or [type(entry.what) for entry in told] == [
        Peer,
        Exchange,
        Exchange,
        Noise,
        Exchange,
        Peer,
        GivenCommand,
        End,
    ]
    assert [entry.number for entry in told] == list(range(1, 9))
    assert {entry.line for entry in told} == {1, None}
    assert told[2].what.request == BOOST_MIN.encode() == told[2].what.sent
    assert told[3].what == Noise(b"\x99" * 9, "not the beginning of a request")
    stamps = [entry.times_s for entry in told]
    assert stamps == sorted(stamps)
    assert stamps[0] < stamps[-1]
    assert JournalFile(path).head.links == (
        f"unix-listen:{path.with_suffix('.0')}",
        f"unix-listen:{path.with_suffix('.1')}",
    )


def test_a_request_that_is_dropped_for_a_newer_one_is_told_as_such(tmp_path):
    path = tmp_path / "run.jsonl"
    with running(rig(path, stale_s=0.0, turnaround_s=0.05)) as run, master(path) as there:
        there._stream.sendall(2 * BLOCK.encode())
        assert until(lambda: run.lines[0].stats.replies == 1)
    assert [type(entry.what) for entry in entries(path)][:3] == [Peer, Stale, Exchange]


def test_silence_is_told_too(tmp_path):
    path = tmp_path / "run.jsonl"
    with silent(rig(path)) as run:
        assert ask(run, ReadWords(9, 4, 0x3100, 1)) is None
    assert transcript(path)[0][-2:] == (ReadWords(9, 4, 0x3100, 1).encode(), None)


def test_what_a_bug_left_without_an_answer_is_told_too(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    run = rig(path)
    monkeypatch.setattr(run.assembly.units[0].live, "shown", lambda: 1 / 0)
    with silent(run), pytest.raises(ZeroDivisionError):
        ask(run, BLOCK)
    assert "ZeroDivisionError" in entries(path)[0].what.failure


def test_an_exchange_is_on_disk_before_its_reply_is_on_the_line(tmp_path):
    path = tmp_path / "run.jsonl"
    with running(rig(path)), master(path) as there:
        for count in range(1, 20):
            there.ask(BLOCK)
            assert len(transcript(path)) == count


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """A journal of some entries."""
    path = tmp_path_factory.mktemp("journal") / "run.jsonl"
    with silent(rig(path)) as run:
        for _ in range(5):
            ask(run, BLOCK)
    return path.read_bytes()


@settings(max_examples=60)
@given(st.data())
def test_a_journal_that_was_cut_anywhere_reads_up_to_there(whole, tmp_path_factory, data):
    first, cut = whole.index(b'{"n":1'), data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.mktemp("cut") / "run.jsonl"
    path.write_bytes(whole[:cut])
    if cut <= whole.index(b"\n", first):
        with pytest.raises(ProblemsError, match=r"is not a journal|ends before its first entry"):
            JournalFile(path)
        return
    journal = JournalFile(path)
    found = list(journal.entries())
    assert len(found) == whole[first:cut].count(b"\n")
    assert bool(journal.cut_line) == (whole[:cut][-1:] != b"\n")
    assert journal.is_ended == (cut == len(whole))


def test_a_line_that_is_missing_or_not_an_entry_is_named(whole, tmp_path):
    path = tmp_path / "run.jsonl"
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-4] + lines[-3:]))
    with pytest.raises(
        ProblemsError, match=rf"run.jsonl:{len(lines) - 3}: entry 4 follows entry 2; 3 is missing"
    ):
        entries(path)
    path.write_bytes(b"".join([*lines[:-3], b"what?\n", *lines[-2:]]))
    with pytest.raises(ProblemsError, match=rf"run.jsonl:{len(lines) - 2}: not JSON"):
        entries(path)


def test_the_batterys_and_controllers_files_go_along_as_they_are(whole):
    files = [read_line(text) for text in whole.decode().splitlines()[1:] if text.startswith('{"file"')]
    names = {file.name for file in files if isinstance(file, File)}
    assert names == {"registers/epever.yaml", "batteries/agm.yaml", "controllers/tracer4210n.yaml"}
    root = Path(__file__).parents[1] / "config"
    assert all((root / file.name).read_text() == file.text for file in files)


# --- when it can't be written ---


@pytest.mark.parametrize("where", ["no/run.jsonl", ".", "/dev/full"])
def test_a_journal_that_cant_be_begun_is_refused_before_the_run(tmp_path, where):
    with pytest.raises(ProblemsError, match="cannot write"):
        rig(tmp_path / "run.jsonl", record=tmp_path / where).open()


@pytest.fixture
def leaky(tmp_path: Path) -> tuple[Path, Callable[[], None]]:
    """A file that can be written until the second is called: a pipe whose reader leaves."""
    path = tmp_path / "run.jsonl"
    os.mkfifo(path)
    enough = threading.Event()

    def read() -> None:
        fd = os.open(path, os.O_RDONLY)
        while not enough.is_set() and os.read(fd, 65536):
            pass
        os.close(fd)

    thread = threading.Thread(target=read)
    thread.start()

    def leave() -> None:
        enough.set()
        thread.join(5)

    return path, leave


def test_a_journal_that_cant_be_written_any_more_ends_with_one_warning_and_the_line_goes_on(leaky):
    path, leave = leaky
    told: list[str] = []
    with running(rig(path, say=told.append)), master(path) as there:
        there.ask(BLOCK)
        enough = threading.Thread(target=leave)
        enough.start()
        replies = [there.ask(BLOCK) for _ in range(50)]
        enough.join()
    assert all(isinstance(reply, WordsReply) for reply in replies)
    (warning,) = [text for text in told if "the journal ends" in text]
    assert f"{path}: Broken pipe; the journal ends before entry " in warning


def test_a_journal_that_is_being_written_is_nobody_else_s(tmp_path):
    """The same command once more, by mistake: it emptied the journal of the run that goes on, and then failed."""
    path = tmp_path / "run.jsonl"
    with silent(rig(path)) as first:
        ask(first, BLOCK)
        before = path.read_bytes()
        with pytest.raises(
            ProblemsError, match=r"run\.jsonl: another serve records its run here; stop that one"
        ):
            rig(path, []).open()
        assert path.read_bytes() == before
        ask(first, BLOCK)
    assert len(entries(path)) == 3  # the end is one, too
    with silent(rig(path)):  # written anew, once nobody writes it
        pass
    assert len(entries(path)) == 1


@pytest.mark.parametrize(
    ("before", "is_taken"), [(b"SQLite format 3\0", False), (b"", True), (b'{"jour', True)]
)
def test_only_a_journal_is_written_over(tmp_path, before, is_taken):
    """Somebody's weeks of a plant went, who gave --record the name of a state file."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(before)
    if is_taken:
        with silent(rig(path)):
            pass
        assert len(entries(path)) == 1
    else:
        with pytest.raises(
            ProblemsError, match="is not a journal, and is left as it is; give --record a new"
        ):
            rig(path, []).open()
        assert path.read_bytes() == before


def test_every_key_of_a_journal_stands_in_its_page(whole):
    page = (Path(__file__).parents[1] / "docs" / "journal.md").read_text(encoding="utf-8")
    head, *_ = whole.decode().splitlines()
    keys = set(json.loads(head)) | set(json.loads(head)["units"][0])
    for what in (
        Noise(b"\1", "why"),
        Stale(b""),
        Peer(True),
        GivenCommand("", None),
        GivenCommand("upset load_short", ""),
        GivenCommand("upset", "give an upset"),
        End(),
        Exchange(b"", Transmission(b"", ()), 0.0, "x"),
    ):
        keys |= set(json.loads(entry_line(Entry(1, (0,), 0.0, 0, what))))
    assert {key for key in keys if f"`{key}`" not in page} == set()
