"""A link that speaks Modbus/TCP: several clients at once, faults, the wrong protocol, a journal that replays."""

import contextlib
import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from modbus.codec.envelope import envelope
from modbus.codec.requests import ReadWords, WriteWord, seal
from modbus.line.conversation import Burst, LineStats, Transmission
from modbus.line.endpoint import LinkError, ModbusTcpEndpoint, parse_endpoint
from modbus.line.faults.kinds import FAULTS
from modbus.line.tcpserver import MOST_CLIENTS, ModbusTcpServer
from modbus.master.client import Master
from tests.journals import exchanges_of, replayed, rig, running
from tests.peers import hear, hears_nothing, own_address, read, told
from tests.waiting import until

HERE = ModbusTcpEndpoint("127.0.0.1", 0)
BLOCK = ReadWords(1, 4, 0x3100, 8)


@contextlib.contextmanager
def served(answer=own_address, **options) -> Iterator[tuple[ModbusTcpServer, Callable[[], socket.socket]]]:
    """A server, and a way to connect to it."""
    options = {"turnaround_s": 0.0, "log": lambda _: None} | options
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ModbusTcpServer(HERE, answer, **options))

        def connect() -> socket.socket:
            sock = socket.create_connection(("127.0.0.1", server.endpoint.port), 5)
            return stack.enter_context(sock)

        yield server, connect


def test_a_reply_has_the_number_of_its_request():
    with served() as (server, connect):
        sock = connect()
        for transaction in (0, 1, 0x1234, 0xFFFF):
            sock.sendall(envelope(transaction, read(0x3100)))
            assert hear(sock, 11) == envelope(transaction, told(0x3100))
        assert server.stats.requests == {4: 4}
        assert server.stats.replies == 4
        assert server.stats.exceptions == 0
        assert until(lambda: server.stats.bytes_out == 44)


def test_requests_in_one_piece_are_answered_in_order():
    with served() as (_, connect):
        sock = connect()
        sock.sendall(b"".join(envelope(number, read(0x3100 + number)) for number in range(20)))
        assert hear(sock, 220) == b"".join(envelope(number, told(0x3100 + number)) for number in range(20))


def test_several_clients_are_answered_at_once_each_its_own():
    with served() as (server, connect):
        socks = [connect() for _ in range(8)]

        def poll(number: int) -> None:
            for count in range(50):
                socks[number].sendall(envelope(count, read(0x3100 + number)))
                assert hear(socks[number], 11) == envelope(count, told(0x3100 + number))
            done.append(number)

        done: list[int] = []
        threads = [threading.Thread(target=poll, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(done) == list(range(8))
        assert server.is_connected
        for sock in socks[:3]:
            sock.close()
        assert until(lambda: len(server._clients) == 5)
        assert server.stats.requests == {4: 400}
        assert server.stats.connects == 8


def test_a_client_too_many_is_sent_away_and_the_others_go_on():
    said: list[str] = []
    with served(log=said.append) as (_, connect):
        socks = [connect() for _ in range(MOST_CLIENTS)]
        socks[-1].sendall(envelope(1, read(0x3100)))
        hear(socks[-1], 11)
        assert connect().recv(1) == b""
        assert any("sent away" in text for text in said)
        socks[0].sendall(envelope(1, read(0x3100)))
        assert hear(socks[0], 11) == envelope(1, told(0x3100))


def test_clients_too_many_are_told_once_until_one_has_found_a_place_again():
    said: list[str] = []
    with served(log=said.append) as (server, connect):
        socks = [connect() for _ in range(MOST_CLIENTS)]
        assert until(lambda: len(server._clients) == MOST_CLIENTS)
        for times in (1, 2):
            for _ in range(5):
                assert connect().recv(1) == b""
            assert sum("sent away" in text for text in said) == times
            socks.pop().close()
            assert until(lambda: len(server._clients) == MOST_CLIENTS - 1)
            socks.append(connect())
            assert until(lambda: len(server._clients) == MOST_CLIENTS)


def test_a_request_that_makes_no_sense_gets_its_exception_at_once():
    with served() as (_, connect):
        sock = connect()
        for body in ("01 10 90 01 00 01 04 00 64 00 64", "01 07", "01 84"):
            raw = seal(bytes.fromhex(body))
            sock.sendall(envelope(3, raw))
            assert hear(sock, 9) == envelope(3, seal(bytes((1, raw[1] | 0x80, 1))))


def test_another_unit_is_silent_and_the_third_time_it_is_told_which_is_here():
    said: list[str] = []
    with served(log=said.append, units=lambda: [1]) as (server, connect):
        sock = connect()
        for _ in range(3):
            assert not any("unit 16" in text for text in said)
            sock.sendall(envelope(1, ReadWords(16, 4, 0x3100, 1).encode()))
            assert hears_nothing(sock)
        assert sum("requests are for unit 16; this is unit 1" in text for text in said) == 1
        assert server.stats.silent == 3


def test_a_master_that_speaks_rtu_is_told_so_once_in_a_run():
    said: list[str] = []
    with served(log=said.append) as (_, connect):
        for _ in range(2):
            sock = connect()
            sock.sendall(read(0x3100))
            sock.shutdown(socket.SHUT_WR)
            assert hear(sock, 1) == b""
            sock = connect()
            sock.sendall(read(0x3100))
            assert until(lambda: any("RTU over TCP" in text for text in said))
        assert len([text for text in said if "speaks RTU over TCP; choose Modbus/TCP in it" in text]) == 1


def test_clients_that_come_and_go_for_each_poll_are_no_news():
    said: list[str] = []
    with served(log=said.append) as (server, connect):
        for number in range(1, 20):
            with connect() as sock:
                sock.sendall(envelope(1, read(0x3100)))
                assert hear(sock, 11)
            assert until(lambda number=number: server._past.connects == number)
        assert [text.partition(": ")[2] for text in said] == [
            "waiting for clients",
            "connected",
            "the peer closed after 1 request",
        ]


def test_once_ends_when_all_clients_have_gone_and_one_had_spoken():
    with served(once=True) as (server, connect):
        one, other = connect(), connect()
        other.sendall(envelope(1, read(0x3100)))
        assert hear(other, 11)
        other.close()
        assert not server.wait(0.2)
        one.close()
        assert server.wait(3.0)


def test_a_port_that_is_taken_is_named():
    with served() as (server, _):
        taken = ModbusTcpServer(server.endpoint, own_address, log=lambda _: None)
        with pytest.raises(LinkError, match=r"modbus-tcp:127\.0\.0\.1:\d+: cannot listen: .*in use"):
            taken.start()


def test_stopping_ends_clients_that_wait_for_bytes():
    with served() as (server, connect):
        sock = connect()
        sock.sendall(envelope(1, read(0x3100)))
        assert hear(sock, 11)
        assert server.stop()
        assert sock.recv(1) == b""


# --- faults -------------------------------------------------------------------------------------------------------


def test_bursts_leave_in_envelopes_each_in_its_time():
    reply = told(0x3100)

    def answer(_request):
        return Transmission(reply, (Burst(0.0, reply[:4]), Burst(0.03, reply[4:]), Burst(0.02, reply)))

    with served(answer) as (server, connect):
        sock = connect()
        sock.sendall(envelope(5, read(0x3100)))
        assert hear(sock, 22) == 2 * envelope(5, reply)
        assert server.stats.replies == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_strikes_on_modbus_tcp_if_it_needs_no_wires(name, tmp_path):
    with running(rig(tmp_path / "run.jsonl", links=[HERE])) as at:
        at.do(f"fault {name}:1")
        with socket.create_connection(("127.0.0.1", at.lines[0].endpoint.port), 5) as sock:
            sock.sendall(envelope(1, BLOCK.encode()))
            struck = until(lambda: at.assembly.lines[0].counts.get(name, 0) == 1, 0.5)
            assert struck is FAULTS[name].over_tcp
            if not struck:
                assert hear(sock, 25)[:9] == bytes.fromhex("00 01 00 00 00 13 01 04 10")


def test_a_fault_of_wires_beside_a_modbus_tcp_link_is_told_not_to_strike_there(tmp_path):
    from modbus.line.faults.text import parse_fault

    said: list[str] = []
    faults = [parse_fault("crc:0.5"), parse_fault("drop:0.5")]
    with rig(tmp_path / "run.jsonl", links=[HERE], say=said.append, faults=faults):
        assert any("not on modbus-tcp links" in text and text.endswith(": crc") for text in said)


# --- with a plant, a journal, other masters -----------------------------------------------------------------------


def test_a_recorded_run_with_several_clients_and_faults_replays_to_the_same_bytes(tmp_path):
    path = tmp_path / "run.jsonl"
    with running(rig(path, links=[HERE], polled_s=30.0)) as at:
        at.do("fault split:0.3")
        at.do("fault exception:0.2")
        endpoint = at.lines[0].endpoint

        def poll(unit: int) -> None:
            with Master(endpoint) as master:
                for _ in range(15):
                    with contextlib.suppress(ValueError):
                        master.ask(ReadWords(unit, 4, 0x3100, 8), 1.0)
                    master.ask(WriteWord(unit, 0x9001, 0), 1.0)

        threads = [threading.Thread(target=poll, args=(1,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    exchanges = exchanges_of(path)
    assert len(exchanges) == 90
    assert {exchange.transaction for exchange in exchanges} == set(range(1, 31))
    assert any(isinstance(exchange.sent, Transmission) for exchange in exchanges)
    refused = [exchange.refused for exchange in exchanges if exchange.request[1] == 6]
    assert refused == ["capacity_ah 0 Ah is outside 1..9999 Ah"] * 45
    assert replayed(path).differences == 0


def test_pymodbus_and_our_own_master_read_the_same_over_it(tmp_path):
    with running(rig(tmp_path / "run.jsonl", links=[HERE], polled_s=0.0)) as at:
        endpoint = at.lines[0].endpoint
        with ModbusTcpClient("127.0.0.1", port=endpoint.port) as client, Master(endpoint) as master:
            theirs = client.read_input_registers(0x3100, count=8, device_id=1).registers
            assert list(master.ask(BLOCK).words) == theirs
            assert client.read_input_registers(0x3115, count=1, device_id=1).exception_code == 2
            assert not client.write_registers(0x9013, [0, 0x0C0C, 0x1A06], device_id=1).isError()
            assert client.read_holding_registers(0x9013, count=3, device_id=1).registers == [
                0,
                0x0C0C,
                0x1A06,
            ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("modbus-tcp:127.0.0.1", "no port; use modbus-tcp:HOST:PORT"),
        ("modbus-tcp::502", "no host"),
        ("modbus-tcp:127.0.0.1:99999", "port must be a number in 0..65535"),
        ("modbus-tcp:::1:502", "an IPv6 host goes in brackets"),
    ],
)
def test_a_link_that_is_written_wrong_says_how(text, says):
    with pytest.raises(LinkError, match=says):
        parse_endpoint(text)
    assert str(parse_endpoint("modbus-tcp:[::1]:502")) == "modbus-tcp:[::1]:502"


def test_serve_and_poll_take_it_by_name(call, tmp_path: Path):
    with running(rig(tmp_path / "run.jsonl", links=[HERE], polled_s=0.0)) as at:
        code, out, _ = call("poll", str(at.lines[0].endpoint), "0x311D", "--json")
    assert code == 0
    assert json.loads(out)["registers"][0]["value"] == 12.0


def test_the_counts_of_two_connections_add_up_field_by_field():
    """Those of this test are told apart by their place, so none can be forgotten."""
    one, other, both = LineStats(), LineStats(), LineStats()
    for place, field in enumerate(dataclasses.fields(LineStats)):
        if field.name == "requests":
            one.requests, other.requests, both.requests = {3: 1, 4: 2}, {4: 5, 6: 7}, {3: 1, 4: 7, 6: 7}
        elif field.name == "latencies":
            one.latencies.add(0.01)
            other.latencies.add(0.02)
            both.latencies.add(0.02)
            both.latencies.add(0.01)
        else:
            setattr(one, field.name, place)
            setattr(other, field.name, 100)
            setattr(both, field.name, place + 100)
    assert one + other == both


def test_a_client_that_speaks_rtu_is_told_of_though_it_hangs_up_after_each_poll():
    said: list[str] = []
    with served(log=said.append) as (server, connect):
        for _ in range(3):
            sock = connect()
            sock.sendall(read(0x3100))
            sock.close()
        assert until(lambda: server.stats.junk_bytes == 24)
        assert any("speaks RTU over TCP" in text for text in said)
