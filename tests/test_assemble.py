"""`assemble`: what answers on the lines, put together without any line, file or thread."""

import socket
import threading

import pytest

from modbus.codec.requests import ReadWords
from modbus.line.faults.text import parse_fault
from plant.base.clock import SteppedClock, WallClock
from plant.base.problems import ProblemsError
from tests.plants import plant
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.options import OPTIONS, Options
from tracertwin.cli.serve import options_from
from tracertwin.pages import options as optionspage

BLOCK = ReadWords(1, 4, 0x3100, 8)


def test_an_assembly_answers_without_a_socket_a_file_or_a_thread(monkeypatch, tmp_path):
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("nothing is opened or started")

    options = Options(
        record=tmp_path / "journal", ready_file=tmp_path / "ready", stats=tmp_path / "stats", polled_s=60.0
    )
    monkeypatch.setattr(socket.socket, "__init__", refused)
    monkeypatch.setattr(threading.Thread, "__init__", refused)
    assembly = assemble([plant()], options)
    assert len(assembly.answers) == 1
    assert assembly.answers[0](BLOCK)
    assert assembly.times_s() == [assembly.begins_utc_s + 60]
    assert list(tmp_path.iterdir()) == []


def test_its_clock_is_the_one_that_is_asked_for():
    assert isinstance(assemble([plant()]).clock, WallClock)
    assert isinstance(assemble([plant()], Options(polled_s=0.0)).clock, SteppedClock)


def test_each_link_has_an_answer_and_counts_faults_for_itself():
    options = Options(links=2 * Options().links, faults=[parse_fault("drop:1")], polled_s=0.0)
    assembly = assemble([plant()], options)
    assembly.answers[1](BLOCK)
    assert [line.counts for line in assembly.lines] == [{}, {"drop": 1}]


def test_half_duplex_without_a_baud_rate_is_refused():
    with pytest.raises(ProblemsError, match="needs a baud rate"):
        assemble([plant()], Options(half_duplex=True))


def test_what_is_not_given_has_the_default_that_the_help_shows():
    assert options_from({name: row.default for name, row in OPTIONS.items()}) == Options()


def test_a_zero_is_given_and_not_left_out():
    assert options_from({"seed": 0}).seed == 0


def test_options_that_repeat_are_read_one_by_one():
    assert [fault.text for fault in options_from({"faults": ["drop:0.5", "crc:1"]}).faults] == [
        "drop:0.5",
        "crc:1",
    ]


def test_the_page_of_options_is_up_to_date():
    assert optionspage.PAGE.read_text(encoding="utf-8") == optionspage.current_page(), (
        "run `python -m tracertwin.pages.options`"
    )
