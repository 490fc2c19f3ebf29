"""Endpoints: the text a user writes, and opening what it names."""

import contextlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.line.endpoint import (
    Endpoint,
    LinkError,
    PtyEndpoint,
    SerialEndpoint,
    TcpEndpoint,
    UnixEndpoint,
    dial,
    listen,
    parse_endpoint,
)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("dial:127.0.0.1:1235", TcpEndpoint("127.0.0.1", 1235)),
        ("dial:[::1]:1235", TcpEndpoint("::1", 1235)),
        ("listen:localhost:0", TcpEndpoint("localhost", 0, listens=True)),
        ("unix:/tmp/uart2.sock", UnixEndpoint("/tmp/uart2.sock")),
        ("unix-listen:a:b", UnixEndpoint("a:b", listens=True)),
        ("pty:a:b", PtyEndpoint("a:b")),
        ("serial:/dev/ttyUSB0:9600", SerialEndpoint("/dev/ttyUSB0", 9600)),
        ("serial:COM3:115200", SerialEndpoint("COM3", 115200)),
        ("serial:rfc2217://[::1]:2217:19200", SerialEndpoint("rfc2217://[::1]:2217", 19200)),
    ],
)
def test_endpoint_is_what_the_user_wrote(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("serial:/dev/ttyUSB0", SerialEndpoint("/dev/ttyUSB0", 115200)),
        ("serial:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0",
         SerialEndpoint("/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0", 115200)),
        ("serial:rfc2217://host:2217", SerialEndpoint("rfc2217://host:2217", 115200)),
        ("serial:socket://host:1235", TcpEndpoint("host", 1235)),
        ("serial:socket://[::1]:1235", TcpEndpoint("::1", 1235)),
    ],
)  # fmt: skip
def test_a_serial_port_speaks_as_a_tracer_does_and_a_url_keeps_its_own_port(
    text: str, endpoint: Endpoint
) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("127.0.0.1:1235", r"did you mean dial:127\.0\.0\.1:1235\?"),
        ("tcp:127.0.0.1:1235", r"did you mean dial:127\.0\.0\.1:1235\?"),
        ("/tmp/uart2.sock", r"did you mean unix:/tmp/uart2\.sock\?"),
        ("dial:127.0.0.1", "no port"),
        ("dial::1235", "no host"),
        ("dial:::1:1235", "brackets"),
        ("dial:127.0.0.1:0", "port must be a number in 1..65535, got '0'"),
        ("listen:127.0.0.1:65536", "port must be a number in 0..65535, got '65536'"),
        ("dial:127.0.0.1:٣", "port must be a number"),
        ("unix:", "no path"),
        ("unix:/" + 110 * "x", "at most 107 bytes, got 111"),
        ("pty:", "no name; use pty:LINKNAME"),
        ("pty:a\0b", "cannot hold a NUL"),
        ("serial:", "no device; use serial:/dev/ttyUSB0"),
        ("serial:a\0b", "no device"),
        ("serial:/dev/ttyUSB0:0", "baud rate must be a number in 300..4000000, got 0"),
        ("serial:/dev/ttyUSB0:" + 5000 * "9", "baud rate must be a number"),
        ("serial:rfc2217://host", "a URL is SCHEME://HOST:PORT"),
        ("serial:spy://host:1", "no such kind of port 'spy'"),
        ("serial:socket://host:70000", "port must be a number in 1..65535"),
        ("rfc2217://host:2217", r"did you mean serial:rfc2217://host:2217\?"),
        ("", "use dial:HOST:PORT"),
    ],
)
def test_endpoint_that_cannot_be_is_refused_with_advice(text: str, complaint: str) -> None:
    with pytest.raises(LinkError, match=complaint):
        parse_endpoint(text)


@given(
    st.from_regex(r"serial:(socket|rfc2217|spy)://.{0,12}:[0-9]{1,6}(:[0-9]{1,8})?")
    | st.text(max_size=30)
    | st.from_regex(r"(dial|listen|unix|unix-listen|pty|serial):.{0,20}")
)
def test_any_text_is_an_endpoint_or_a_link_error(text: str) -> None:
    with contextlib.suppress(LinkError):
        endpoint = parse_endpoint(text)
        assert parse_endpoint(str(endpoint)) == endpoint


def test_a_plain_file_is_never_removed_to_listen(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("keep me")
    with pytest.raises(LinkError, match="cannot listen"):
        listen(UnixEndpoint(str(path), listens=True))
    assert path.read_text() == "keep me"


def test_port_dialled_with_itself_as_the_caller_counts_as_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP joins a socket to itself when the kernel gives it the very port it dials; here it is made to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    class Unlucky(socket.socket):
        def connect_ex(self, address: object, /) -> int:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.bind(("127.0.0.1", port))
            return super().connect_ex(address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", Unlucky)
    with pytest.raises(ConnectionRefusedError, match="itself"):
        dial(TcpEndpoint("127.0.0.1", port), timeout_s=1)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("/dev/ttyUSB0", "serial:/dev/ttyUSB0:115200"),
        ("/dev/ttyUSB0:9600", "serial:/dev/ttyUSB0:9600"),
        ("/dev/serial/by-id/usb-FTDI-if00-port0", "serial:/dev/serial/by-id/usb-FTDI-if00-port0:115200"),
        ("/dev/cu.usbserial-1410", "serial:/dev/cu.usbserial-1410:115200"),
        ("COM3", "serial:COM3:115200"),
    ],
)
def test_the_bare_name_of_a_serial_port_is_taken_as_serial_whether_plugged_in_or_not(
    text: str, port: str
) -> None:
    assert str(parse_endpoint(text)) == port


@pytest.mark.parametrize(
    "device",
    ["/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", "./of:ours", "/dev/ttyUSB77"],
)
def test_colons_in_the_path_of_a_port_that_is_not_there_yet_are_no_baud_rate(device: str) -> None:
    assert str(parse_endpoint(f"serial:{device}")) == f"serial:{device}:115200"


def test_a_socket_is_no_serial_port_and_the_link_for_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "uart2.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        with pytest.raises(LinkError, match=f"is a socket, not a serial port; write unix:{path}"):
            parse_endpoint(f"serial:{path}")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals")
def test_a_path_that_leads_to_a_terminal_is_taken_as_serial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    master, slave = os.openpty()
    Path("wf.tty").symlink_to(os.ttyname(slave))
    assert str(parse_endpoint("wf.tty")) == "serial:wf.tty:115200"
    assert str(parse_endpoint("./wf.tty:9600")) == "serial:./wf.tty:9600"
    os.close(master)
    os.close(slave)
    Path("wf.txt").write_text("a file")
    for text in ("wf.txt", "./none", "/dev/shm/tt.sock"):
        with pytest.raises(LinkError, match="unknown kind of link"):
            parse_endpoint(text)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets")
def test_a_path_that_is_a_socket_is_dialled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("tt.sock")
        for kinds in (("dial", "unix"), ("unix", "serial")):
            assert parse_endpoint("tt.sock", kinds) == UnixEndpoint("tt.sock")
        with pytest.raises(LinkError, match="unknown kind of link"):  # there one would listen
            parse_endpoint("tt.sock", ("listen", "unix-listen"))


def test_a_file_that_is_no_socket_is_neither_removed_nor_blamed_on_another_program(tmp_path):
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    with pytest.raises(LinkError, match="something else has that name, and is not a socket"):
        listen(UnixEndpoint(str(tmp_path / "notes"), listens=True))
    assert (tmp_path / "notes").read_text(encoding="utf-8") == "mine"
