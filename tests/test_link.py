"""The line: finds its peer, answers in time and in order, says what is wrong, and ends when told."""

import itertools
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.replies import WordsReply
from modbus.codec.requests import ReadWords, Request
from modbus.line.conversation import MOST_WAITING, Burst, Transmission
from modbus.line.endpoint import LinkError, TcpEndpoint, UnixEndpoint, listen
from modbus.line.link import FIRST_RETRY_S, LAST_RETRY_S, Line, Redial
from tests.peers import (
    HERE,
    SCHEDULING_S,
    Emulator,
    connected,
    hear,
    hears_nothing,
    own_address,
    read,
    stalling,
    told,
)
from tests.waiting import until

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="TCP_QUICKACK is Linux's")


# --- finding the peer ---


def test_line_comes_up_when_the_emulator_starts_late() -> None:
    with Emulator() as gone:
        pass
    with Line(gone.endpoint, own_address, log=lambda _: None):
        time.sleep(0.4)  # were the wait to double, the next dial would come at 0.75 s
        with Emulator(gone.port) as emulator:
            opened_s = time.monotonic()
            sock = emulator.pick_up()
            assert time.monotonic() - opened_s < FIRST_RETRY_S + SCHEDULING_S
            sock.sendall(read(0x3104))
            assert hear(sock, 7) == told(0x3104)


def test_no_poll_is_lost_when_the_emulator_is_killed_mid_frame_ten_times() -> None:
    waits_s = []
    port = 0
    with Emulator() as first:
        port = first.port
    with Line(TcpEndpoint("127.0.0.1", port), own_address, turnaround_s=0.0, log=lambda _: None) as line:
        for start in range(10):
            with Emulator(port) as emulator:
                opened_s = time.monotonic()
                sock = emulator.pick_up()
                waits_s.append(time.monotonic() - opened_s)
                for address in (0x3100, 0x3104, 0x311A):
                    sock.sendall(read(address))
                    assert hear(sock, 7) == told(address)
                sock.sendall(read(0x3110)[: start % 8])
            time.sleep(0.01 * start)
    assert line.stats.replies == 30
    assert max(waits_s) < FIRST_RETRY_S + SCHEDULING_S


def test_peer_that_closes_at_once_is_dialled_ever_more_seldom() -> None:
    with Emulator() as emulator, Line(emulator.endpoint, own_address, log=lambda _: None):
        accepted_s = []
        for _ in range(5):
            emulator.pick_up().close()
            accepted_s.append(time.monotonic())
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(accepted_s)]
    assert gaps_s == pytest.approx([0.05, 0.1, 0.2, 0.4], abs=SCHEDULING_S)


def test_half_closed_connection_is_left_and_dialled_again() -> None:
    with Emulator() as emulator, Line(emulator.endpoint, own_address, turnaround_s=0.0, log=lambda _: None):
        half = emulator.pick_up()
        half.sendall(read(0x3100))
        assert hear(half, 7) == told(0x3100)
        half.shutdown(socket.SHUT_WR)
        again = emulator.pick_up()
        again.sendall(read(0x3104))
        assert hear(again, 7) == told(0x3104)
        half.close()


@given(st.lists(st.sampled_from(["quick", "slow", "failed", "heard"]), max_size=20))
def test_redial_wait_grows_only_where_a_dial_is_dear_or_futile(story: list[str]) -> None:
    redial = Redial()
    row = 0  # of dear or futile dials
    for event in story:
        match event:
            case "quick":
                wait_s, row = redial.refused(0.0001), 0
            case "slow":
                wait_s, row = redial.refused(0.2), row + 1
            case "failed":
                wait_s, row = redial.failed(), row + 1
            case _:
                wait_s, row = redial.heard(), 0
        assert wait_s == min(FIRST_RETRY_S * 2 ** max(row - 1, 0), LAST_RETRY_S)


def test_listening_line_tells_its_port_and_serves_one_master_after_another() -> None:
    with Line(HERE, own_address, log=lambda _: None) as line:
        assert isinstance(line.endpoint, TcpEndpoint)
        for address in (0x3100, 0x3104):
            with socket.create_connection(("127.0.0.1", line.endpoint.port), timeout=5) as sock:
                sock.sendall(read(address))
                assert hear(sock, 7) == told(address)
    assert line.stats.connects == 2


def test_busy_port_is_refused_at_start() -> None:
    with Emulator() as emulator, pytest.raises(LinkError, match=f"{emulator.port}: cannot listen.*in use"):
        Line(TcpEndpoint("127.0.0.1", emulator.port, listens=True), own_address, log=lambda _: None).start()


def test_unix_sockets_dial_and_listen_and_a_dead_ones_file_is_taken_over(tmp_path: Path) -> None:
    path = str(tmp_path / "uart2.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with Line(UnixEndpoint(path, listens=True), own_address, log=lambda _: None) as line:
        with pytest.raises(LinkError, match="cannot listen"):
            listen(UnixEndpoint(path, listens=True))
        with socket.socket(socket.AF_UNIX) as sock:
            assert until(lambda: line.stats.connects == 1)
            sock.settimeout(5)
            sock.connect(path)
            sock.sendall(read(0x3104))
            assert hear(sock, 7) == told(0x3104)
    assert not Path(path).exists()


# --- answering ---


@linux_only
def test_bytes_sent_singly_with_nagle_on_are_answered_without_delayed_ack() -> None:
    """QEMU's way of sending. Without TCP_QUICKACK after every recv() each poll takes 40 ms and more."""
    took_s = []
    with connected() as (_, sock):
        for _ in range(21):
            began_s = time.monotonic()
            for byte in read(0x3104):
                sock.send(bytes([byte]))
            assert hear(sock, 7) == told(0x3104)
            took_s.append(time.monotonic() - began_s)
    assert statistics.median(took_s) < 0.005


def test_two_requests_in_one_piece_are_both_answered_in_order() -> None:
    with connected() as (_, sock):
        sock.sendall(read(0x3100) + read(0x3104))
        assert hear(sock, 14) == told(0x3100) + told(0x3104)


def test_pieces_of_any_size_give_the_same_replies() -> None:
    conversation = b"".join(read(address) for address in range(0x3100, 0x3114))
    replies = b"".join(told(address) for address in range(0x3100, 0x3114))
    with connected() as (_, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for size in (1, 3, 7, 9, 16, 160):
            for start in range(0, len(conversation), size):
                sock.sendall(conversation[start : start + size])
            assert hear(sock, len(replies)) == replies


def test_good_request_straight_after_noise_is_answered() -> None:
    with connected() as (line, sock):
        sock.sendall(b"\x00\xff\x01\x04garbage" + read(0x3104))
        assert hear(sock, 7) == told(0x3104)
        assert line.stats.junk_bytes == 11


def test_frame_cut_off_does_not_hide_the_next() -> None:
    with connected() as (_, sock):
        sock.sendall(read(0x3100)[:5])
        time.sleep(0.02)
        sock.sendall(read(0x3104))
        assert hear(sock, 7) == told(0x3104)


def test_reply_leaves_after_the_turn_round_delay_and_reading_goes_on_meanwhile() -> None:
    with connected(turnaround_s=0.2) as (line, sock):
        began_s = time.monotonic()
        sock.sendall(read(0x3100))
        time.sleep(0.05)
        sock.sendall(read(0x3104))
        assert until(lambda: line.stats.requests == {4: 2})
        assert line.stats.replies == 0
        assert hear(sock, 7) == told(0x3100)
        first_s = time.monotonic() - began_s
        assert hear(sock, 7) == told(0x3104)
        second_s = time.monotonic() - began_s
    assert 0.2 <= first_s < 0.2 + SCHEDULING_S
    assert 0.25 <= second_s < 0.25 + SCHEDULING_S  # 0.4 if the delays were served one after the other


def test_delay_counts_from_the_requests_last_byte() -> None:
    with connected(turnaround_s=0.03) as (_, sock):
        sock.sendall(read(0x3100)[:7])
        time.sleep(0.04)
        last_s = time.monotonic()
        sock.sendall(read(0x3100)[7:])
        assert hear(sock, 7) == told(0x3100)
        assert time.monotonic() - last_s >= 0.03


def test_request_that_waited_too_long_is_dropped_when_a_newer_one_stands_behind() -> None:
    """Its master has given up and sent the next: a late reply would be taken for that one's."""
    slow, stalls_once = stalling(0.15)
    with connected(stalls_once, stale_s=0.05) as (line, sock):
        sock.sendall(read(0x3100))
        assert slow.wait(1)
        sock.sendall(read(0x3101))
        sock.sendall(read(0x3104))
        assert hear(sock, 14) == told(0x3100) + told(0x3104)
        assert line.stats.stale == 1


def test_of_more_late_requests_than_are_read_at_once_only_the_last_is_answered() -> None:
    slow, stalls_once = stalling(0.15)
    with connected(stalls_once, stale_s=0.05) as (line, sock):
        sock.sendall(read(0x3100))
        assert slow.wait(1)
        sock.sendall(read(0x3101) * 150 + read(0x3104))
        assert hear(sock, 14) == told(0x3100) + told(0x3104)
        assert line.stats.stale == 150


def test_late_request_is_answered_when_none_stands_behind() -> None:
    slow, stalls_once = stalling(0.1)
    with connected(stalls_once, stale_s=0.02) as (_, sock):
        sock.sendall(read(0x3100))
        assert slow.wait(1)
        sock.sendall(read(0x3104))
        assert hear(sock, 14) == told(0x3100) + told(0x3104)


def test_answer_is_made_when_the_reply_leaves_not_when_the_request_comes() -> None:
    asked_s: list[float] = []

    def notes_time(request: Request) -> bytes | None:
        asked_s.append(time.monotonic())
        return own_address(request)

    with connected(notes_time, turnaround_s=0.04) as (_, sock):
        sent_s = time.monotonic()
        sock.sendall(read(0x3100))
        assert hear(sock, 7) == told(0x3100)
    assert asked_s[0] - sent_s >= 0.04


def test_bug_in_the_answer_is_said_once_and_costs_only_that_request() -> None:
    said: list[str] = []

    def buggy(request: Request) -> bytes | None:
        if isinstance(request, ReadWords) and request.address == 0xDEAD:
            raise KeyError("no such register")
        return own_address(request)

    with connected(buggy, log=said.append) as (line, sock):
        for _ in range(3):
            sock.sendall(read(0xDEAD))
        sock.sendall(read(0x3104))
        assert hear(sock, 7) == told(0x3104)
        assert line.stats.failures == 3
    assert len([text for text in said if "no such register" in text]) == 1


def test_broken_log_does_not_end_the_line() -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError("stderr is gone")

    with connected(log=broken) as (_, sock):
        sock.sendall(read(0x3104))
        assert hear(sock, 7) == told(0x3104)


def test_flood_of_requests_is_held_back_not_stored() -> None:
    """Nothing is lost and nothing grows: TCP holds the sender back while many requests wait."""
    count = 2000
    ahead = []  # requests heard when each was answered

    def notes_ahead(request: Request) -> bytes | None:
        ahead.append(line.stats.requests[4] - len(ahead))
        return own_address(request)

    with connected(notes_ahead, turnaround_s=0.1) as (line, sock):
        sender = threading.Thread(target=sock.sendall, args=(count * read(0x3104),))
        sender.start()
        assert hear(sock, 7 * count) == count * told(0x3104)
        sender.join()
    assert len(ahead) == count
    assert max(ahead) < MOST_WAITING + 4096 / 8  # 4096: what one recv() takes


def test_counts_tell_what_happened() -> None:
    with connected() as (line, sock):
        sock.sendall(read(0x3104))
        assert hear(sock, 7) == told(0x3104)
        sock.sendall(ReadWords(1, 3, 0x9000, 1).encode())
        assert hear(sock, 7) == WordsReply(1, 4, (0x9000,)).encode()
        sock.sendall(ReadWords(2, 4, 0x3104, 1).encode())
        assert hears_nothing(sock)
        stats = line.stats
    assert (stats.requests, stats.replies, stats.silent, stats.connects) == ({4: 2, 3: 1}, 2, 1, 1)
    assert (stats.bytes_in, stats.bytes_out) == (24, 14)


def test_latencies_are_those_that_the_master_sees() -> None:
    """From the request's last byte to the reply's, turn-round and all."""
    with connected(turnaround_s=0.05) as (line, sock):
        for _ in range(3):
            sock.sendall(read(0x3104))
            assert hear(sock, 7) == told(0x3104)
        assert until(lambda: sum(line.stats.latencies.counts.values()) == 3)
        assert 0.05 <= line.stats.latencies.longest_s < 0.05 + SCHEDULING_S


# --- replies that leave in bursts ---


def in_bursts(*bursts: Burst) -> Callable[[Request], bytes | Transmission | None]:
    """A device whose line sends each reply like this, one for register 0x3105 excepted."""

    def answer(request: Request) -> bytes | Transmission | None:
        frame = own_address(request)
        assert frame is not None
        return frame if frame == told(0x3105) else Transmission(frame, bursts)

    return answer


def test_bursts_leave_one_after_the_other_with_their_gaps() -> None:
    with connected(in_bursts(Burst(0.02, b"ab"), Burst(0.03, b"cd"), Burst(0.0, b"e"))) as (line, sock):
        began_s = time.monotonic()
        sock.sendall(read(0x3104))
        heard = []
        for count in (2, 2, 1):
            heard.append((hear(sock, count), time.monotonic() - began_s))
        assert [data for data, _ in heard] == [b"ab", b"cd", b"e"]
        assert 0.02 <= heard[0][1] < 0.02 + SCHEDULING_S
        assert 0.05 <= heard[1][1] <= heard[2][1] < 0.05 + SCHEDULING_S
        assert until(lambda: line.stats.bytes_out == 5)
        assert (line.stats.replies, line.stats.exceptions) == (1, 0)


def test_a_reply_on_its_way_keeps_nobody_from_being_heard_and_is_ended_before_the_next() -> None:
    with connected(in_bursts(Burst(0.0, b"ab"), Burst(0.2, b"cd"))) as (line, sock):
        sock.sendall(read(0x3104))
        assert hear(sock, 2) == b"ab"
        sock.sendall(read(0x3105))
        assert until(lambda: line.stats.requests == {4: 2}, 0.1)
        assert hear(sock, 9) == b"cd" + told(0x3105)


def test_a_reply_of_no_bursts_is_silence_and_is_not_counted_as_a_reply() -> None:
    with connected(in_bursts()) as (line, sock):
        sock.sendall(read(0x3104))
        assert hears_nothing(sock)
        assert (line.stats.replies, line.stats.bytes_out) == (0, 0)
        sock.sendall(read(0x3105))
        assert hear(sock, 7) == told(0x3105)


def test_bursts_that_never_end_are_cut_off_by_stop_and_by_the_peer() -> None:
    with connected(in_bursts(Burst(0.0, b"a"), Burst(60.0, b"b"))) as (line, sock):
        sock.sendall(read(0x3104))
        assert hear(sock, 1) == b"a"
        sock.close()
        assert until(lambda: line.stats.connects == 2)  # it dials again


# --- ending ---


@pytest.mark.parametrize("state", ["dialling", "listening", "silent", "waiting", "idle"])
def test_stop_ends_the_line_at_once(state: str) -> None:
    with Emulator() as emulator:
        endpoint = HERE if state == "listening" else emulator.endpoint
        if state == "dialling":
            emulator.kill()
        turnaround_s = 10.0 if state == "waiting" else 0.0
        line = Line(endpoint, own_address, turnaround_s=turnaround_s, log=lambda _: None).start()
        if state in ("silent", "waiting", "idle"):
            sock = emulator.pick_up()
        if state in ("waiting", "idle"):
            sock.sendall(read(0x3104))
            assert until(lambda: line.stats.requests == {4: 1})
        if state == "idle":
            assert hear(sock, 7) == told(0x3104)
            time.sleep(0.01)  # so that it blocks in recv()
        began_s = time.monotonic()
        assert line.stop()
        assert time.monotonic() - began_s < SCHEDULING_S
        assert line.stop()  # a second time does no harm


def test_line_for_one_connection_ends_with_it() -> None:
    with Emulator() as emulator:
        line = Line(emulator.endpoint, own_address, log=lambda _: None, once=True).start()
        emulator.pick_up().close()  # nothing was said: not the connection meant
        sock = emulator.pick_up()
        sock.sendall(read(0x3104))
        assert hear(sock, 7) == told(0x3104)
        assert not line.wait(0.01)
        sock.close()
        assert line.wait(1)
        line.stop()


# --- saying what is wrong: see test_diagnosis ---


def test_swapped_uarts_are_told_on_a_real_line() -> None:
    said: list[str] = []
    with connected(log=said.append) as (_, sock):
        sock.sendall(b"I (29) boot: ESP-IDF v5.1 2nd stage bootloader\r\n")
        assert until(lambda: any("UARTs swapped" in text for text in said))


# --- a peer that sends no more ---


def test_what_was_asked_before_a_half_close_is_answered():
    with connected(turnaround_s=0.02) as (line, sock):
        sock.sendall(read(0x3100) + read(0x3101))
        sock.shutdown(socket.SHUT_WR)
        assert hear(sock, 100) == told(0x3100) + told(0x3101)
        assert line.stats.replies == 2


def test_a_request_that_was_cut_off_by_the_end_is_counted_as_junk():
    with connected() as (line, sock):
        sock.sendall(read(0x3100)[:5])
        sock.close()
        assert until(lambda: line.stats.junk_bytes == 5)
