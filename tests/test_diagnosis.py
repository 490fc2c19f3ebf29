"""What is wrong with a line: each symptom is told from events alone, and said once."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.requests import ReadWords, Request, UnitIdRequest, WriteCoil, WriteWord
from modbus.line.diagnosis import SILENT_S, Diagnosis
from modbus.line.endpoint import TcpEndpoint, parse_endpoint


def diagnosed() -> tuple[Diagnosis, list[str]]:
    """A diagnosis and what it says."""
    said: list[str] = []
    return Diagnosis(TcpEndpoint("127.0.0.1", 1235), said.append), said


def read_of(unit: int) -> Request:
    return ReadWords(unit, 4, 0x3100, 1)


def test_nobody_listening_is_said_once_with_the_option_to_add() -> None:
    diagnosis, said = diagnosed()
    for _ in range(100):
        diagnosis.refused()
    assert len(said) == 1
    assert "-serial tcp:127.0.0.1:1235,server=on,wait=off,nodelay=on" in said[0]


def test_silence_after_connecting_is_said_after_ten_seconds_only() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(100.0)
    assert diagnosis.deadline_s == 100.0 + SILENT_S
    diagnosis.tick(109.9)
    assert said == ["connected"]
    diagnosis.tick(110.0)
    assert len(said) == 2
    assert "another client" in said[1]
    assert diagnosis.deadline_s is None


def test_a_request_ends_the_wait_for_one() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    diagnosis.request()
    diagnosis.tick(100.0)
    assert diagnosis.deadline_s is None
    assert said == ["connected"]


def test_bytes_without_a_request_are_told_from_silence() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    diagnosis.junk(b"\x80\x00\xf3", bad_crc=False)
    diagnosis.tick(SILENT_S)
    assert said[1:] == ["3 bytes in 10 s but no good request among them, they begin 80 00 f3"]


def test_boot_text_is_taken_for_swapped_uarts_however_it_is_cut() -> None:
    boot = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x12 (SPI_FAST_FLASH_BOOT)\r\n"
    for pieces in ([boot], [bytes([byte]) for byte in boot]):
        diagnosis, said = diagnosed()
        diagnosis.connected(0.0)
        for piece in pieces:
            diagnosis.junk(piece, bad_crc=False)
        assert len(said) == 2
        assert "UARTs swapped" in said[1]
        assert "ets Jul 29" in said[1]


def test_qemus_telnet_negotiation_is_recognised() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    diagnosis.junk(bytes.fromhex("fffb01 fffb03 fffb00 fffd00"), bad_crc=False)
    assert len(said) == 2
    assert "telnet" in said[1]


def test_bad_crcs_are_said_once_and_counted_at_the_end() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    for _ in range(7):
        diagnosis.junk(bytes.fromhex("01 04 31 04 00 01 7e") + b"\0", bad_crc=True)
    assert len([text for text in said if "bad CRC so far" in text]) == 1
    diagnosis.closed("the peer closed", heard=True)
    assert said[-1] == "the peer closed after 0 requests, 7 frames with a bad CRC"


def test_the_third_bad_crc_is_said_not_one_or_two_nor_the_fourth() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    counts = []
    for _ in range(4):
        diagnosis.junk(b"\x01\x04\x31\x04", bad_crc=True)
        counts.append(len(said))
    assert counts == [1, 1, 2, 2]
    assert said[1].startswith("3 frames with a bad CRC so far")


@pytest.mark.parametrize(
    ("gap_s", "says"),
    [
        (0.0002, False),
        (0.0299, False),
        (0.0301, True),
        (0.043, True),
        (0.0699, True),
        (0.0701, False),
        (0.09, False),
    ],
)
def test_delayed_acks_are_known_by_their_40_ms(gap_s: float, says: bool) -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    for _ in range(10):
        diagnosis.gap(gap_s)
    assert [("nodelay=on" in text) for text in said[1:]] == ([True] if says else [])


def test_the_third_gap_of_40_ms_is_said() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    counts = []
    for gap_s in (0.041, 0.0001, 0.042, 0.043, 0.044):
        diagnosis.gap(gap_s)
        counts.append(len(said))
    assert counts == [1, 1, 1, 2, 2]
    assert "43 ms apart" in said[1]


EVENTS: dict[str, Callable[[Diagnosis], None]] = {
    "junk": lambda d: d.junk(b"abcdefgh" * 4 + b"\xff\xfb\x01", bad_crc=True),
    "gap": lambda d: d.gap(0.043),
    "tick": lambda d: d.tick(1e9),
    "request": lambda d: d.request(),
    "once": lambda d: d.once("bug", "bug"),
}


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=60))
def test_no_finding_is_repeated_on_one_connection(story: list[str]) -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    for event in story:
        EVENTS[event](diagnosis)
    kinds = [text.split(" frames with")[-1] for text in said]
    assert len(kinds) == len(set(kinds))


def test_restart_is_told_in_three_lines_however_many_dials_it_takes() -> None:
    diagnosis, said = diagnosed()
    for _ in range(2):
        for _ in range(50):
            diagnosis.refused()
        diagnosis.connected(0.0)
        diagnosis.request()
        diagnosis.closed("connection lost (Connection reset by peer)", heard=True)
    assert [text.split(",")[0].split(";")[0] for text in said] == 2 * [
        "nobody is listening yet",
        "connected",
        "connection lost (Connection reset by peer) after 1 request",
    ]


def test_the_long_advice_on_qemu_is_given_once_in_a_run() -> None:
    diagnosis, said = diagnosed()
    for _ in range(3):
        diagnosis.refused()
        diagnosis.connected(0.0)
        diagnosis.tick(SILENT_S)
        diagnosis.request()
        diagnosis.closed("", heard=True)
    assert sum("-serial tcp:" in text for text in said) == 1
    assert sum("another client" in text for text in said) == 1
    assert said.count("nobody is listening yet, still dialling") == 2
    assert said.count("connected but no request for 10 s") == 2


# --- the wrong protocol, the wrong unit -----------------------------------------------------------------------


MBAP = bytes.fromhex("00 01 00 00 00 06 01 04 31 00 00 08")


def test_a_modbus_tcp_header_is_named_at_the_first_frame_and_no_crc_is_blamed() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    for _ in range(10):
        diagnosis.junk(MBAP, bad_crc=False)
    diagnosis.tick(SILENT_S)
    assert said[1:] == [
        "the master speaks Modbus/TCP; choose RTU over TCP in it, or serve --link modbus-tcp:HOST:PORT"
    ]


def test_requests_for_a_unit_that_is_not_here_are_named_the_third_time() -> None:
    for units, here in (((1,), "this is unit 1"), ((1, 2, 7), "here are units 1, 2 and 7")):
        said: list[str] = []
        diagnosis = Diagnosis(TcpEndpoint("127.0.0.1", 1235), said.append, lambda units=units: units)
        diagnosis.connected(0.0)
        for _ in range(2):
            diagnosis.unanswered(read_of(16))
            diagnosis.unanswered(read_of(17))
        assert said == ["connected"]
        for _ in range(5):
            diagnosis.unanswered(read_of(16))
        assert said[1:] == [f"requests are for unit 16; {here}"]


@pytest.mark.parametrize(
    ("unit", "words"),
    [(0, "reads go to unit 0, the broadcast address, which nobody answers; this is unit 1"),
     (0xF8, "requests are for unit 248, the service address, which answers function 45 only; this is unit 1")],
)  # fmt: skip
def test_reads_of_an_address_that_is_no_units_own_are_named_the_third_time(unit: int, words: str) -> None:
    said: list[str] = []
    diagnosis = Diagnosis(TcpEndpoint("127.0.0.1", 1235), said.append, lambda: [1])
    diagnosis.connected(0.0)
    for _ in range(2):
        diagnosis.unanswered(read_of(unit))
    assert said == ["connected"]
    for _ in range(7):
        diagnosis.unanswered(read_of(unit))
    assert said[1:] == [words]


@pytest.mark.parametrize(
    "request_",
    [WriteWord(0, 0x9000, 1), WriteCoil(0, 2, 0xFF00), UnitIdRequest(0xF8, 3), read_of(1)],
    ids=str,
)
def test_broadcast_writes_and_the_service_function_stay_unsaid(request_: Request) -> None:
    said: list[str] = []
    diagnosis = Diagnosis(TcpEndpoint("127.0.0.1", 1235), said.append, lambda: [1])
    diagnosis.connected(0.0)
    for _ in range(9):
        diagnosis.unanswered(request_)
    assert said == ["connected"]


ASCII = b":010431000008C2\r\n"
HTTP = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:1235\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n"
PARITY = bytes(byte | (byte.bit_count() % 2) << 7 for byte in range(128))


@pytest.mark.parametrize("link", ["listen:127.0.0.1:1235", "unix:uart2.sock", "modbus-tcp:127.0.0.1:1502"])
@pytest.mark.parametrize(
    ("data", "words"),
    [(ASCII, "the master speaks Modbus ASCII; set it to "), (HTTP, "an HTTP client calls here, no Modbus master"),
     (ASCII.translate(PARITY + PARITY), "the master speaks Modbus ASCII; set it to ")],
    ids=["ascii", "http", "ascii 7E1"],
)  # fmt: skip
def test_modbus_ascii_and_http_are_called_what_they_are_and_nothing_else(
    link: str, data: bytes, words: str
) -> None:
    said: list[str] = []
    diagnosis = Diagnosis(parse_endpoint(link), said.append)
    diagnosis.connected(0.0)
    for _ in range(5):
        diagnosis.junk(data, bad_crc=False)
        diagnosis.junk(b"Cookie: a=b; and more of what a browser sends behind it\r\n", bad_crc=False)
    diagnosis.tick(SILENT_S)
    assert len(said) == 2
    assert said[1].startswith(words)
    if "ASCII" in said[1]:
        assert said[1].endswith("Modbus/TCP" if link.startswith("modbus-tcp") else "RTU")


def test_a_colon_and_digits_without_a_good_lrc_are_no_modbus_ascii() -> None:
    diagnosis, said = diagnosed()
    diagnosis.connected(0.0)
    for _ in range(5):
        diagnosis.junk(b"uptime:010431000008C3\r\n", bad_crc=False)
    assert "UARTs swapped" in said[1]
    assert not any("ASCII" in text for text in said)


@pytest.mark.parametrize("link", ["unix:uart2.sock", "pty:uart2"])
def test_gaps_on_what_is_no_tcp_are_not_blamed_on_tcp(link: str) -> None:
    said: list[str] = []
    diagnosis = Diagnosis(parse_endpoint(link), said.append)
    diagnosis.connected(0.0)
    for _ in range(5):
        diagnosis.gap(0.043)
    assert not any("nodelay" in text for text in said)
