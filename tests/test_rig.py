"""What `tracertwin serve` runs: several lines on one plant, what it tells scripts, and how it ends."""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from modbus.codec.replies import EchoReply, ExceptionReply, WordsReply
from modbus.codec.requests import ReadWords, WriteCoil
from modbus.line.conversation import LineStats
from modbus.line.endpoint import LinkError, parse_endpoint
from modbus.map import scaling
from modbus.master.client import Master
from plant.base.problems import ProblemsError
from tests.plants import plant
from tests.waiting import until
from tracertwin.assembly.live import Live
from tracertwin.assembly.options import Options
from tracertwin.rig.serving import PEERS_S, Rig
from tracertwin.rig.stats import counts

BLOCK = ReadWords(1, 4, 0x3100, 8)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Rig]:
    """A rig of the cabin: ``make("pty", "listen")`` has these links."""

    def build(*kinds: str, **options: Any) -> Rig:
        texts = {
            "pty": f"pty:{tmp_path / 'uart2'}",
            "listen": "listen:127.0.0.1:0",
            "unix": f"unix-listen:{tmp_path / 'unix'}",
        }
        links = [parse_endpoint(texts.get(kind, kind)) for kind in kinds]
        said = options.pop("say", lambda _: None)
        return Rig([plant()], Options(links=links, map_name="epever", turnaround_s=0.0, **options), said)

    return build


def ends(rig: Rig) -> threading.Thread:
    """Let it run in a thread, which ends with it."""
    thread = threading.Thread(target=rig.run)
    thread.start()
    return thread


def master_at(rig: Rig, number: int) -> Master:
    """A master on one of the lines, as the ready file names it."""
    endpoint = str(rig.lines[number].endpoint)
    for listening, dialling in (("listen:", "dial:"), ("unix-listen:", "unix:"), ("pty:", "serial:")):
        if endpoint.startswith(listening):
            return Master(parse_endpoint(dialling + endpoint.removeprefix(listening)))
    raise AssertionError(endpoint)


# --- several lines ---


def test_lines_on_one_plant_show_one_instants_values_while_it_moves(make):
    """Two masters see the same states in the same order; none is torn and none older than the other's last."""
    with make("pty", "listen", speed=20_000.0) as rig:
        shown: list[tuple[int, ...]] = []
        see = rig.assembly.units[0].live.shown

        def noted() -> Any:
            at = see()
            shown.append(
                tuple(
                    scaling.counts(v, 100, 0, 0xFFFF, True)
                    for v in (at.snapshot.v_pv_v, at.snapshot.v_batt_v)
                )
            )
            return at

        rig.assembly.units[0].live.shown = noted  # what each reply was made from, in order
        thread = ends(rig)
        with master_at(rig, 0) as one, master_at(rig, 1) as other:
            replies = [master.ask(BLOCK) for _ in range(100) for master in (one, other)]
        rig.assembly.units[0].live.stop()
        thread.join(2)
    assert [(reply.words[0], reply.words[4]) for reply in replies] == shown
    assert len(set(shown)) > 10  # it moved meanwhile


def test_lines_on_a_plant_that_stands_still_read_alike(make):
    with make("pty", "listen", "unix") as rig:
        replies = []
        for number in range(3):
            with master_at(rig, number) as master:
                replies.append(master.ask(BLOCK))
    assert isinstance(replies[0], WordsReply)
    assert replies[0] == replies[1] == replies[2]


def test_each_line_speaks_under_its_own_name_with_the_port_it_really_has(make):
    said: list[str] = []
    with make("listen", "listen", "pty", say=said.append) as rig:
        names = [str(line.endpoint) for line in rig.lines]
    assert [text for text in said if text.endswith(": waiting for a master")] == [
        f"{name}: waiting for a master" for name in names
    ]
    assert len(set(names)) == 3
    assert not any(name.endswith(":0") for name in names)
    assert said[-1].endswith(", ".join(names))


def test_help_comes_at_once_beside_a_long_command_and_is_no_part_of_the_run(make):
    """By it `tell` knows that commands are taken there, and goes on to wait for its turn."""
    with make("listen") as rig:
        told: list[str] = []
        with rig.assembly.held():
            asks = threading.Thread(target=lambda: told.append(rig.do("help")))
            asks.start()
            asks.join(5.0)
            assert told
            assert "step TIME" in told[0]
        asks.join()
        assert not rig.done


# --- for scripts ---


def test_ready_file_names_every_real_endpoint_once_all_are_open_and_goes_at_the_end(make, tmp_path):
    ready = tmp_path / "ready"
    with make("listen", "pty", "dial:127.0.0.1:1", ready_file=ready) as rig:
        lines = ready.read_text().splitlines()
        assert lines == [str(line.endpoint) for line in rig.lines]
        assert [type(parse_endpoint(line)) for line in lines] == [type(li.endpoint) for li in rig.lines]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("broken", ["link", "folder of the ready file", "ready file"])
def test_what_was_opened_is_closed_again_when_something_else_cannot_be(make, tmp_path, broken):
    links = ["listen", "pty", "unix"]
    ready = tmp_path / "ready"
    if broken == "link":
        (tmp_path / "file").write_text("")
        links.append(f"pty:{tmp_path / 'file'}")
    elif broken == "ready file":
        ready.mkdir()
    else:
        ready = tmp_path / "no" / "ready"
    with pytest.raises(
        (LinkError, ProblemsError), match=r"pty:.*file: .*a file with this name|ready: cannot write"
    ):
        make(*links, ready_file=ready).open()
    assert set(os.listdir(tmp_path)) <= {"file", "ready"}


def test_counts_at_the_end_are_those_of_what_was_said(make, tmp_path):
    stats = tmp_path / "stats.json"
    with make("listen", "pty", stats=stats, for_s=3600.0, speed=1e5) as rig:
        with master_at(rig, 0) as master:
            assert isinstance(master.ask(BLOCK), WordsReply)
            assert master.ask(ReadWords(1, 3, 0x3100, 1)) == ExceptionReply(1, 3, 2)
        for _ in range(2):
            with master_at(rig, 1) as master:
                master.ask(BLOCK)
            assert until(lambda: not rig.lines[1].is_connected)
        rig.run()
        rig.tell()
    told = json.loads(stats.read_text())
    assert (told["sites"], told["began"], told["ended"]) == (
        ["Cabin"], "2026-02-20T09:00:00Z", "2026-02-20T10:00:00Z",
    )  # fmt: skip
    first, second = told["lines"]
    assert (first["requests"], first["replies"], first["exceptions"]) == ({"03": 1, "04": 1}, 2, 1)
    assert (first["reconnects"], second["reconnects"], second["requests"]) == (0, 1, {"04": 2})
    assert second["link"] == f"pty:{tmp_path / 'uart2'}"


def test_counts_of_a_line_name_functions_as_documents_do():
    told = counts(LineStats(requests={0x2B: 1, 4: 7}, bad_frames=2, junk_bytes=19))
    assert told["requests"] == {"04": 7, "2B": 1}
    assert (told["bad_frames"], told["junk_bytes"], told["reconnects"]) == (2, 19, 0)


# --- ending ---


def test_once_ends_when_the_peers_of_all_lines_have_come_and_gone(make, tmp_path):
    with make("listen", "pty", once=True) as rig:
        thread = ends(rig)
        for number in (0, 1):
            with master_at(rig, number) as master:
                master.ask(BLOCK)
            assert rig.lines[number].wait(2)
            thread.join(2 * PEERS_S if number == 0 else 2)
            assert thread.is_alive() == (number == 0)
    assert os.listdir(tmp_path) == []


def test_a_plant_that_fails_ends_it_with_the_failure_and_a_word_of_it(make, monkeypatch):
    said: list[str] = []

    def fail(_: Live) -> None:
        raise FloatingPointError("a bug")

    monkeypatch.setattr(Live, "follow", fail)
    with make("listen", say=said.append) as rig:
        rig.run()
        with pytest.raises(FloatingPointError):
            rig.tell()
    assert said[-2].startswith("ended at ")
    assert said[-1].startswith("Cabin: PV ")


# --- plant time by requests ---


def a_day_polled(rig: Rig, pause_s: float) -> list[tuple[int, ...]]:
    """A conversation of 50 polls and a write, at some pace."""
    heard: list[tuple[int, ...]] = []
    with rig, master_at(rig, 0) as master:
        for number in range(50):
            sleep(pause_s * (number % 5 == 0))
            if number == 25:
                assert isinstance(master.ask(WriteCoil(1, 0x0002, 0x0000)), EchoReply)
            reply = master.ask(ReadWords(1, 4, 0x3100, 18))
            assert isinstance(reply, WordsReply)
            heard.append(reply.words)
    return heard


def test_polled_replies_depend_on_the_conversation_and_not_on_its_pace(make):
    """The mode for CI: 51 requests of 30 min each, fast and slow; with a wall clock no two runs agree."""
    fast, slow = (a_day_polled(make("listen", polled_s=1800.0), pause_s) for pause_s in (0.0, 0.02))
    assert fast == slow
    assert len(set(fast)) > 30  # nights are dull


def test_a_polled_plant_stands_still_while_nobody_asks(make):
    with make("listen", polled_s=60.0) as rig:
        ends(rig)
        sleep(0.1)
        assert rig.assembly.plants[0].t_utc_s == rig.assembly.plants[0].start_utc_s
        with master_at(rig, 0) as master:
            for number in range(1, 4):
                master.ask(BLOCK)
                assert rig.assembly.plants[0].t_utc_s == rig.assembly.plants[0].start_utc_s + 60 * number
        rig.assembly.units[0].live.ended.set()


def test_a_polled_run_ends_after_so_much_plant_time(make):
    with make("listen", polled_s=60.0, for_s=120.0) as rig:
        thread = ends(rig)
        with master_at(rig, 0) as master:
            master.ask(BLOCK)
            assert thread.is_alive()
            master.ask(BLOCK)
        thread.join(2.0)
        assert not thread.is_alive()


def test_a_run_on_a_polled_clock_ends_after_as_many_requests_and_replies_each_time(make):
    """However fast the master asks on: the request that reaches the end is the last."""
    ended = []
    for _ in range(3):
        said: list[str] = []
        with make("listen", polled_s=10.0, for_s=600.0, say=said.append) as rig:
            thread = ends(rig)
            with master_at(rig, 0) as master, contextlib.suppress(LinkError):
                for _ in range(1000):
                    master.ask(BLOCK, 0.5)
            thread.join(5)
            rig.tell()
        ended.append(next(text for text in said if text.startswith("ended at")))
    assert [text.partition(": ")[2] for text in ended] == ["60 requests, 60 replies, 0 junk bytes"] * 3
