"""The API beside a running rig: does what commands do, shows what the plant shows, lets nobody in who should not."""

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from modbus.codec.replies import BadReply, ExceptionReply, UnitIdReply, WordsReply
from modbus.codec.requests import ReadWords, UnitIdRequest, WriteCoil, WriteWord, WriteWords
from modbus.line.endpoint import LinkError, parse_endpoint
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.client import Master, NoReplyError
from plant.base.clock import DAY_S
from plant.kernel.snapshot import Snapshot
from tests.journals import replayed
from tests.pages import HERE, Served, served, session
from tests.plants import FARM, plant, utc
from tests.waiting import until
from tracertwin.assembly.commands import COMMANDS
from tracertwin.assembly.options import Address, parse_address
from tracertwin.checking.preparing import prepare
from tracertwin.checking.running import run as run_scenario
from tracertwin.journal.entries import Entry, Exchange
from tracertwin.scenario.file import load_scenario
from tracertwin.web import openapi
from tracertwin.web.app import FILES, STATIC
from tracertwin.web.clientwrites import assignments_of
from tracertwin.web.endpoints import CHANGING
from tracertwin.web.frames import Frames
from tracertwin.web.guard import ACTIONS_AT_ONCE, LONGEST_BODY, Access, Bucket
from tracertwin.web.history import UnitHistory
from tracertwin.web.pushing import MOST, QUEUE, Follower, Hub
from tracertwin.web.serving import TOKEN, PageServer

ROOT = Path(__file__).parents[1]
BLOCK = ReadWords(1, 4, 0x3100, 8)


@pytest.fixture
def at() -> Iterator[Served]:
    with served() as at:
        yield at


@pytest.fixture(scope="module")
def still() -> Iterator[Served]:
    """One for tests that change nothing."""
    with served() as at:
        yield at


def repr_short(body: bytes) -> str:
    return repr(body[:30])


def master_of(at: Served) -> Master:
    return Master(parse_endpoint(str(at.rig.lines[0].endpoint).replace("listen:", "dial:")))


def test_requests_on_one_connection_wait_for_no_acknowledgement(still):
    """Ours send at once; else each reply's end would wait 40 ms until the client's system confirms its beginning."""
    with closing(http.client.HTTPConnection(still.server.url.split("/")[2])) as kept:
        began_s = monotonic()
        for _ in range(20):
            kept.request("GET", "/api/v1/registers")
            assert kept.getresponse().read()
        assert monotonic() - began_s < 20 * 0.02


# --- commands ---


def test_every_command_of_tell_has_an_endpoint_and_there_is_no_other():
    paths = {path.rpartition("/")[2] for path in openapi.document()["paths"] if "/commands/" in path}
    assert paths == {row.name for row in COMMANDS}
    assert {path.rpartition("/")[2] for path in CHANGING} == {
        row.name for row in COMMANDS if not row.read_only
    }


def test_the_openapi_file_is_that_of_the_rows():
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text(), (
        "python -m tracertwin.web.openapi writes it"
    )


def test_a_command_does_what_tell_does(at):
    told = at.do("step 1h").told
    assert told == {"command": "step 1h", "told": "2026-02-20T11:00:00+01:00 Europe/Zurich"}
    at.do("upset battery_disconnected")
    assert json.loads(at.rig.do("status"))["units"][0]["broken"] == {"0": "battery_disconnected"}


def test_what_a_command_says_is_wrong_is_told(still):
    answer = still.do("upset load_shrot")
    assert answer.status == 400
    assert "did you mean load_short?" in answer.told["error"]


def test_a_refused_write_is_told_with_the_exception_and_its_reason(still):
    answer = still.do("write boost_voltage=11")
    assert answer.status == 400
    assert "exception 04, server device failure" in answer.told["error"]
    assert "can be written only with battery_type user (0)" in answer.told["error"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"argument": "1h"}', b'{"arguments": 1}', b'{"arguments": "1h\\nend"}', b"[" * 60_000],
    ids=repr_short,
)
def test_a_body_that_means_nothing_is_refused_and_nothing_is_done(still, body):
    assert still.ask("api/v1/commands/step", body, token=True).status == 400
    assert still.rig.assembly.plants[0].t_utc_s == still.rig.assembly.begins_utc_s


# --- what can be read ---


def test_now_and_quantities_are_what_the_plant_shows(at):
    at.do("step 2h")
    snapshot = at.rig.assembly.plants[0].snapshot
    (unit,) = at.read("now")["units"]
    assert unit["values"] == at.read("quantities")
    assert unit["values"]["v_batt_v"] == pytest.approx(snapshot.v_batt_v, abs=1e-6)
    assert set(unit["values"]) == set(Snapshot._fields)


def test_registers_are_what_an_independent_master_reads_in_both_maps(at):
    at.do("step 2h")
    with master_of(at) as master:
        words = master.ask(BLOCK).words
    rows = at.read("registers")
    own = {int(row["address"], 16): row for row in rows if (row["map"], row["table"]) == ("epever", "input")}
    assert [word for address in (0x3100, 0x3101, 0x3102, 0x3104) for word in own[address]["words"]] == list(
        words[:5]
    )
    assert {row["map"] for row in rows} == {"epever", "uart2"}


def test_a_register_says_what_a_client_last_read_there_and_when(at):
    assert at.read("registers/0x3104")["read"] is None
    at.do("step 1h")
    with master_of(at) as master:
        word = master.ask(BLOCK).words[4]
    assert until(lambda: at.read("registers/battery_charge_voltage")["read"])
    at.do("step 1h")
    read = at.read("registers/0x3104")["read"]
    assert read == {
        "words": [word],
        "text": f"{word / 100:.2f} V",
        "t_utc_s": at.rig.assembly.begins_utc_s + 3600,
    }
    assert at.ask("api/v1/registers/0x0FFF").status == 400


def test_a_lone_unit_that_answers_to_any_id_has_been_read_and_written_under_each(tmp_path):
    """`uart2` answers a lone unit's master whatever id it asks for; what came of it is shown and kept all the same."""
    with served(plant(906), map_name="uart2") as at, master_of(at) as master:
        word = master.ask(ReadWords(5, 4, 0x3104, 1)).words[0]
        master.ask(WriteWord(5, 0x9000, 0))
        master.ask(WriteWord(7, 0x9001, 150))
        assert until(lambda: at.read("registers/0x3104")["read"])["words"] == [word]
        at.do("step 10min")
        text = at.ask("api/v1/scenario", {}).body.decode()
    assert [line.partition("write: ")[2] for line in text.splitlines() if "write:" in line] == [
        '["battery_type=0"]}', '["battery_capacity=150"]}'
    ]  # fmt: skip


def test_a_write_to_all_units_at_once_is_kept_and_one_that_was_refused_is_not():
    """A broadcast is done in silence."""
    with served(plant(906)) as at, master_of(at) as master:
        for request in (WriteWord(0, 0x9001, 150), WriteWord(0, 0x9007, 1)):
            with suppress(NoReplyError):
                master.ask(request)
        assert until(lambda: len(at.rig.journal.newest()) >= 3)
        at.do("step 10min")
        text = at.ask("api/v1/scenario", {}).body.decode()
    assert [line.partition("write: ")[2] for line in text.splitlines() if "write:" in line] == [
        '["battery_capacity=150"]}'
    ]


def test_a_new_unit_id_keeps_what_was_read_and_done_before_it():
    with served(plant(906)) as at, master_of(at) as master:
        master.ask(BLOCK)
        assert isinstance(master.ask(UnitIdRequest(0xF8, 7)), UnitIdReply)
        at.do("upset cloud:depth=0.5 unit=1")
        at.do("power-cycle unit=1")
        assert until(lambda: at.read("registers/0x3104?unit=7")["read"])
        before = at.read("registers/0x3104?unit=7")["read"]
        at.do("step 10min")
        master.ask(ReadWords(7, 4, 0x3104, 1))
        assert until(lambda: at.read("registers/0x3104?unit=7")["read"] != before)
        text = at.ask("api/v1/scenario", {}).body.decode()
    assert "upset: " in text
    assert "power-cycle: true" in text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("quantities?unit=1.5", "unit must be a whole number, got 1.5"),
        ("quantities?unti=2", "unknown parameter 'unti' (did you mean unit?); known: unit, at"),
        ("history?quantities=soc&quantities=v_batt_v", "quantities is given 2 times; give it once"),
        ("now?at=5", "unknown parameter 'at'; it takes none"),
        ("traffic?most=1.5", "most must be a whole number, got 1.5"),
    ],
)
def test_a_query_that_would_have_the_numbers_of_something_else_is_refused(still, path, words):
    answer = still.ask(f"api/v1/{path}")
    assert (answer.status, answer.told["error"]) == (400, words)


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "commands/step", "POST"), ("PUT", "now", "GET or HEAD")]
)
def test_another_method_is_told_which_ones_there_are(still, method, path, allowed):
    answer = still.ask(f"api/v1/{path}", method=method, token=True)
    assert (answer.status, answer.told["error"]) == (405, f"/api/v1/{path} takes {allowed}, got {method}")
    assert set(answer.headers["allow"].split(", ")) == set(allowed.split(" or "))


def test_an_earlier_moment_is_shown_as_it_was_settings_too(at):
    at.do("step 1h")
    then, registers = at.read("quantities"), at.read("registers")
    at.do("write capacity_ah=150")
    at.do("step 3h")
    moment = then["t_utc_s"]
    assert at.read(f"quantities?at={moment}") == then != at.read("quantities")
    assert at.read(f"registers?at={moment + 1}") != registers  # the write is of that moment
    before = at.read(f"registers?at={moment - 60}")
    capacity = [row["value"] for row in before if row["address"] == "0x9001" and row["map"] == "epever"]
    assert capacity == [100.0]
    assert at.read("registers/0x9001")["value"] == 150.0


def test_the_history_is_the_run_s(at):
    at.do("step 6h")
    alone = plant()
    rows = alone.run(6 * 3600, 60)
    told = at.read("history?quantities=soc,p_pv_w")
    assert told["t_utc_s"][0] == at.rig.assembly.begins_utc_s
    soc = dict(zip(told["t_utc_s"], told["soc"], strict=True))
    for row in rows:
        assert soc[row[0]] == pytest.approx(row[Snapshot._fields.index("soc")], abs=1e-6)
    assert at.ask("api/v1/history?quantities=sock").status == 400


def test_events_are_the_plant_s_and_what_was_done(at):
    at.do("step 1h")
    at.do("upset cloud")
    told = at.read("events")
    assert [(event["kind"], event["what"]) for event in told][-2:] == [
        ("command", "step 1h"),
        ("command", "upset cloud"),
    ]
    assert ("charge", "NONE -> BULK", "PV voltage above battery") in [
        (event["kind"], event["what"], event["why"]) for event in told
    ]


def test_traffic_tells_frames_exceptions_with_their_reason_and_faults(at):
    with master_of(at) as master:
        master.ask(BLOCK)
        assert isinstance(master.ask(WriteWord(1, 0x9007, 1)), ExceptionReply)
        at.do("fault crc:1:times=1")
        with pytest.raises(BadReply):
            master.ask(BLOCK)
    good, refused, changed = [row for row in at.read("traffic") if row["kind"] not in ("peer", "command")]
    assert good["asked"] == "read 8 input registers from 0x3100 (unit 1)"
    assert "battery_charge_voltage" in good["answered"]
    assert (refused["kind"], refused["answered"]) == ("exception", "exception 04, server device failure")
    assert "is written in one frame" in refused["why"] or "battery_type" in refused["why"]
    assert (changed["kind"], changed["struck"]) == ("fault", ["crc"])


def test_an_expectation_is_judged_on_the_run_so_far(at):
    at.do("step 1d")
    ask = lambda **expectation: at.ask("api/v1/expectations", {"expectation": expectation})  # noqa: E731
    assert ask(always="v_batt_v <= 15 V").told["holds"] is True
    failed = ask(never="soc > 0.5").told
    assert failed["holds"] is False
    assert failed["margin"] < 0.0
    assert ask(polled_every="1s").status == 400
    assert "did you mean" in ask(always="v_bat_v <= 15 V").told["error"]


def test_metrics_are_read_by_a_stranger_s_parser(still):
    """Of the format: each sample has its type before it, and its value is a number."""
    text = still.ask("metrics").body.decode()
    types, values = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            types[name] = kind
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
            assert name.partition("{")[0] in types
    assert values['tracertwin_soc{site="Cabin",unit="1"}'] == still.read("quantities")["soc"]
    assert types["tracertwin_line_requests_total"] == "counter"


def test_a_farm_s_controllers_are_told_apart():
    from plant.plant import Plant
    from plant.site.model import load_site

    site = load_site(str(FARM))
    own = Plant.new(site)
    others = [Plant.new(site.seen_by(other), own.seed, own.start_utc_s) for other in site.neighbours]
    with served(own, *others, site_name=str(FARM)) as at:
        units = [unit["unit"] for unit in at.read("about")["units"]]
        assert len(units) == len(set(units)) > 1
        at.do(f"upset battery_disconnected unit={units[1]}")
        first, second = at.read("now")["units"][:2]
        assert (first["broken"], second["broken"]) == ({}, {"0": "battery_disconnected"})
        assert at.read(f"quantities?unit={units[1]}") == second["values"]
        assert at.ask("api/v1/quantities?unit=99").status == 400


def test_a_stream_of_server_sent_events_tells_what_goes_on(at):
    with urllib.request.urlopen(f"{at.server.url}api/v1/stream", timeout=10) as stream:
        first = json.loads([stream.readline() for _ in range(3)][1].removeprefix(b"data: "))
        at.do("step 1h")
        assert stream.readline() == b"event: now\n"
        second = json.loads(stream.readline().removeprefix(b"data: "))
    assert second["t_utc_s"] == first["t_utc_s"] + 3600


# --- what is kept ---


def test_a_session_of_ten_actions_replays_to_the_same_bytes(tmp_path):
    path = tmp_path / "run.jsonl"
    with served(record=path, polled_s=None, speed=600.0) as at:
        thread = threading.Thread(target=at.rig.run)
        thread.start()
        with master_of(at) as master:
            for command in (
                "upset cloud:depth=0.8:lasts=20min", "write capacity_ah=150", "upset probe_open", "power-cycle",
                "step 1h", "mend 1", "write boost_duration=90min", "fault delay:1:by=1ms:times=1", "speed 3000",
                "write load_mode=0", "fault off",
            ):  # fmt: skip
                assert at.do(command).status in (200, 400)
                master.ask(BLOCK)
        at.rig.end()
        thread.join(5)
        at.rig.tell()
    outcome = replayed(path)
    assert (outcome.differences, outcome.commands, outcome.requests) == (0, 11, 11)


def test_a_session_kept_as_a_scenario_passes_check(tmp_path):
    with served(plant(906), map_name="uart2") as at:
        session(at)
        moments = [{"t_utc_s": at.rig.assembly.begins_utc_s + seconds} for seconds in (3600, 4500, 9000)]
        answer = at.ask("api/v1/scenario", {"name": 'Kept "so"', "moments": moments})
    assert answer.status == 200, answer.body
    path = tmp_path / "kept.yaml"
    path.write_bytes(answer.body)
    text = answer.body.decode()
    assert text.count("\n  - {at:") == 8
    assert text.count("expect: ") == 9
    ran = run_scenario(prepare(load_scenario(path)))
    assert [verdict.words(ran.record.span) for verdict in ran.verdicts if not verdict.holds] == []


def test_what_a_client_wrote_is_kept_with_it(tmp_path):
    """A word, a coil, the clock, and twelve voltages in one frame; what was refused is not."""
    with served(plant(906)) as at, master_of(at) as master:
        at.do("step 1h")
        master.ask(WriteWord(1, 0x9000, 0))
        voltages = list(master.ask(ReadWords(1, 3, 0x9003, 12)).words)
        voltages[4] = 1450
        master.ask(WriteWords(1, 0x9003, tuple(voltages)))
        at.do("step 30min")
        master.ask(WriteWords(1, 0x9013, (0x0F1E, 0x140C, 0x1A02)))
        master.ask(WriteCoil(1, 0x0002, 0xFF00))
        assert isinstance(master.ask(WriteWord(1, 0x9007, 1)), ExceptionReply)
        at.do("step 3h")
        moments = [
            {"t_utc_s": at.read("now")["t_utc_s"], "quantities": ["v_batt_v", "v_target_v", "t_device_s"]}
        ]
        answer = at.ask("api/v1/scenario", {"moments": moments})
    text = answer.body.decode()
    assert [line.count("=") for line in text.splitlines() if "write:" in line] == [1, 12, 1, 1]
    assert '"boost_voltage=14.5"' in text
    assert '["clock=2026-02-20T12:15:30"]' in text
    assert '["load_manual_on_off=on"]' in text
    path = tmp_path / "kept.yaml"
    path.write_text(text)
    ran = run_scenario(prepare(load_scenario(path)))
    assert [verdict.words(ran.record.span) for verdict in ran.verdicts if not verdict.holds] == []


def test_moments_of_the_hour_that_comes_twice_are_kept_as_they_were(tmp_path):
    """02:50 and then 02:00: as the clock shows it, the second would stand before the start."""
    with served(plant(906, utc("2026-10-25T02:50"))) as at:
        at.do("step 10min")
        at.do("upset load_short:lasts=5min")
        at.do("step 10min")
        text = at.ask("api/v1/scenario", {}).body.decode()
    assert 'at: "600s", upset: ' in text
    path = tmp_path / "kept.yaml"
    path.write_text(text)
    ran = run_scenario(prepare(load_scenario(path)))
    assert [verdict.words(ran.record.span) for verdict in ran.verdicts if not verdict.holds] == []


def test_what_can_not_be_kept_says_why(still):
    bad = still.ask("api/v1/scenario", {"moments": [{"t_utc_s": 5.0}]})
    assert (bad.status, bad.told["error"]) == (400, "a moment lies outside of the run so far")
    assert (
        "no quantity"
        in still.ask(
            "api/v1/scenario", {"moments": [{"t_utc_s": still.read("now")["t_utc_s"], "quantities": ["x"]}]}
        ).told["error"]
    )


def test_a_year_s_history_keeps_its_size_its_ends_and_even_steps():
    live = plant_live()
    history = UnitHistory(live, room=600, fine=100)
    history.begin()
    begin = live.snapshot().t_utc_s
    row = np.array(live.snapshot())
    for hour in range(365 * 24):
        rows = np.tile(row, (60, 1))
        rows[:, 0] = begin + 3600.0 * hour + 60.0 * np.arange(1, 61)
        history._add(rows)
    t_s = history.rows()[:, 0]
    assert t_s[0] == begin
    assert t_s[-1] == begin + 365 * DAY_S
    assert 300 <= len(t_s) <= 600
    steps_s = np.diff(t_s)
    assert np.all(steps_s[-99:] == 60.0)
    wide_s = steps_s[steps_s > 60.0]
    assert len(wide_s) > 100
    assert wide_s.max() <= 2.0 * np.median(wide_s)


def plant_live():
    from plant.base.clock import SteppedClock
    from tracertwin.assembly.live import Live

    one = plant()
    return Live(one, SteppedClock(one.t_utc_s))


# --- who may ---


def test_the_page_is_small_and_asks_nobody_else():
    sizes = {name: (STATIC / name).stat().st_size for name, _ in FILES.values()}
    assert sum(sizes.values()) <= 200 * 1024
    for name in sizes:
        if not name.startswith("uPlot"):
            text = (STATIC / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "https://" not in text
            assert "http://" not in text
    assert "MIT" in (STATIC / "uPlot.LICENSE").read_text(encoding="utf-8")


def test_the_scheme_of_the_token_may_be_written_in_any_case(still):
    for scheme, status in (("bearer", 200), ("BEARER", 200), ("Basic", 401)):
        answer = still.ask(
            "api/v1/commands/fault", {"arguments": "off"}, Authorization=f"{scheme} {still.server.token}"
        )
        assert answer.status == status, scheme
    still.rig.done.clear()


def test_a_hello_that_is_no_text_of_ours_ends_the_tab_and_nothing_else(still, caplog):
    for hello in ("[" * 4000, "", "5"):
        with connect(f"ws://{still.server.address}/live") as tab:
            tab.send(hello)
            if hello == "5":
                assert json.loads(tab.recv(timeout=10))["units"]  # anyone may look here
            else:
                with pytest.raises(ConnectionClosed):
                    tab.recv(timeout=10)
    assert caplog.records == []


@pytest.mark.parametrize("path", sorted(CHANGING))
def test_nothing_changes_without_the_token(still, path):
    before = still.read("now")
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {still.server.token}x"}):
        answer = still.ask(path[1:], {"arguments": "10min"}, **headers)
        assert answer.status == 401
        assert "needs the token" in answer.told["error"]
    assert still.read("now") == before
    assert not still.rig.done


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.nip.io:{port}", "127.0.0.1:1", ""]
)
def test_a_host_name_that_is_not_ours_is_not_served(still, host):
    asked = host.format(port=still.server.address.port)
    assert still.ask("", Host=asked).status == 421
    assert still.ask("api/v1/now", Host=asked).status == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_this_machine_s_own_names_are_served(still, host):
    assert still.ask("", Host=f"{host}:{still.server.address.port}").status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_a_page_of_another_origin_may_not_ask(still, origin):
    told = origin.format(port=still.server.address.port)
    answer = still.ask("api/v1/commands/step", {"arguments": "1h"}, token=True, Origin=told)
    assert (answer.status, still.ask("api/v1/now", Origin=told).status) == (403, 403)
    assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}
    assert not still.rig.done


def test_the_page_s_own_origin_may(still):
    assert still.ask("api/v1/now", Origin=still.server.url.rstrip("/")).status == 200


def test_a_body_above_the_limit_is_refused_whatever_it_says_of_its_length(still):
    assert still.ask("api/v1/commands/step", b"x" * (LONGEST_BODY + 1), token=True).status == 413
    with closing(socket.create_connection(("127.0.0.1", still.server.address.port))) as sock:
        head = (
            f"POST /api/v1/expectations HTTP/1.1\r\nHost: 127.0.0.1:{still.server.address.port}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        sock.sendall(head.encode() + chunk * 20 + b"0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413")


def test_actions_come_at_a_bounded_rate_and_reading_does_not(at):
    statuses = [at.do("fault off").status for _ in range(ACTIONS_AT_ONCE + 30)]
    assert 429 in statuses
    assert statuses.count(200) >= ACTIONS_AT_ONCE
    assert {at.ask("api/v1/now").status for _ in range(50)} == {200}


def test_a_bucket_fills_again():
    now = [0.0]
    bucket = Bucket(10.0, 20.0, lambda: now[0], 20.0)
    assert [bucket.passes() for _ in range(21)] == [True] * 20 + [False]
    now[0] = 0.1
    assert [bucket.passes() for _ in range(2)] == [True, False]


def test_headers_keep_the_page_from_being_framed_or_loading_anything_else(still):
    headers = still.ask("").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_on_an_address_for_others_everything_but_the_page_s_files_needs_the_token():
    with served(address=Address("0.0.0.0", 0)) as at:
        url = Address("127.0.0.1", at.server.address.port)
        at.server.address = url
        assert at.ask("").status == at.ask("page.js").status == 200
        for path in ("api/v1/now", "api/v1/registers", "metrics", "openapi.json", "api/v1/stream"):
            assert at.ask(path).status == 401, path
        assert at.ask("api/v1/now", token=True).status == 200


@pytest.mark.parametrize(
    "asked", [{"origin": "http://evil.example"}, {"additional_headers": {"Host": "evil.example"}}]
)
def test_a_tab_of_another_origin_or_host_is_sent_away(still, asked):
    with pytest.raises(InvalidStatus), connect(f"ws://{still.server.address}/live", **asked):
        pass


def test_on_an_address_for_others_a_tab_shows_its_token_first():
    with served(address=Address("0.0.0.0", 0)) as at:
        url = f"ws://127.0.0.1:{at.server.address.port}/live"
        for token, may in ((at.server.token, True), ("x", False), ("", False)):
            with connect(url) as tab:
                tab.send(json.dumps({"token": token}))
                at.rig.do("step 1h")
                if may:
                    assert json.loads(tab.recv(timeout=10))["units"]
                else:
                    with pytest.raises(ConnectionClosed):
                        tab.recv(timeout=10)


def test_who_may_look_and_which_names_are_ours():
    here, everywhere = Access(Address("127.0.0.1", 8080), "t"), Access(Address("0.0.0.0", 8080), "t")
    assert here.may_look("")
    assert not everywhere.may_look("")
    assert everywhere.may_look("t")
    assert everywhere.is_ours("192.168.1.5:8080")
    assert everywhere.is_ours(f"{socket.gethostname()}:8080")
    assert not everywhere.is_ours("evil.example:8080")
    assert not here.is_ours("192.168.1.5:8080")
    assert Access(Address("127.0.0.1", 80), "t").is_ours("localhost")


def test_the_token_is_said_once_in_the_page_s_address_and_another_each_time(caplog, capfd):
    from tracertwin.web.serving import served as page

    said: list[str] = []
    with served() as at, page(at.rig, HERE, said.append, "cabin") as server:
        urllib.request.urlopen(f"{server.url}api/v1/now").read()
        token = server.token
        assert token != at.server.token
    assert said == [f"page: {server.url}#token={token}"]
    assert token not in caplog.text + "".join(capfd.readouterr())


def test_a_token_of_one_s_own_is_taken_and_not_said(monkeypatch):
    monkeypatch.setenv(TOKEN, "a-token-of-my-own")
    with served() as at:
        assert at.server.token == "a-token-of-my-own"
    monkeypatch.setenv(TOKEN, "short")
    with pytest.raises(LinkError, match="at least 16"):
        PageServer(at.rig, HERE)


def test_a_port_that_is_taken_is_told(still):
    with pytest.raises(LinkError, match=r"--web 127\.0\.0\.1:\d+: Address already in use"):
        PageServer(still.rig, still.server.address).start()


@pytest.mark.parametrize(("text", "address"), [
    ("8080", ("127.0.0.1", 8080)), ("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:8080", ("::1", 8080)),
    ("myhost:0", ("myhost", 0)),
])  # fmt: skip
def test_an_address_is_a_host_and_a_port(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "cabin", "1.2.3.4:99999", "a:b:c", "http://x:1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(
        ValueError, match=r"not an address; write HOST:PORT; a port is a number from 0 to 65535"
    ):
        parse_address(text)


# --- nobody is waited for ---


def test_who_does_not_take_what_it_is_told_is_dropped_and_the_others_are_told_everything():
    async def run() -> tuple[int, int, bool]:
        hub, heard, stalled = Hub(), [], asyncio.Event()

        async def good() -> None:
            async with hub.follower() as one:
                while True:
                    heard.append(await one.next())

        async def bad() -> None:
            async with hub.follower():
                await stalled.wait()

        tasks = [asyncio.create_task(good()), asyncio.create_task(bad())]
        await asyncio.sleep(0)
        for number in range(5 * QUEUE):
            hub.tell(str(number))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        told = len(heard), hub.dropped, tasks[1].cancelled()
        tasks[0].cancel()
        return told

    assert asyncio.run(run()) == (5 * QUEUE, 1, True)


def test_there_are_only_so_many_at_once():
    async def run() -> bool:
        hub = Hub()
        hub._followers = {Follower() for _ in range(MOST)}
        return hub.is_full

    assert asyncio.run(run())


def test_a_stalled_stream_is_dropped_and_the_line_answers_meanwhile():
    """A reader that reads nothing: its socket fills, then its queue, then it is gone."""
    with served(polled_s=None, speed=5000.0) as at:
        thread = threading.Thread(target=at.rig.run)
        thread.start()
        with closing(socket.socket()) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", at.server.address.port))
            sock.sendall(
                f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{at.server.address.port}\r\n\r\n".encode()
            )
            hub = at.server.handlers.hub
            assert until(lambda: len(hub) == 1)
            for _ in range(4 * QUEUE):  # more than any buffer between holds
                at.server.handlers.loop.call_soon_threadsafe(hub.tell, "x" * 1_000_000)
            with master_of(at) as master:
                assert until(lambda: bool(master.ask(BLOCK)) and hub.dropped == 1, 10.0)
            assert len(hub) == 0
        at.rig.end()
        thread.join(5)


# --- extras ---


def test_serve_without_a_page_loads_neither_starlette_nor_uvicorn():
    script = (
        "import sys; sys.argv = 'tracertwin serve --link listen:127.0.0.1:0 --for 5s --speed 1000'.split()\n"
        "from tracertwin.cli import main\n"
        "try: main.main()\n"
        "except SystemExit as ended: assert ended.code == 0, ended.code\n"
        "assert not {'starlette', 'uvicorn', 'paho', 'mcp', 'websockets'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("words", "module", "extra"), [
    (("serve", "--web"), "uvicorn", "web"), (("serve", "--mqtt", "x"), "paho.mqtt", "mqtt"),
    (("mcp",), "mcp.server", "mcp"),
])  # fmt: skip
def test_an_extra_that_is_missing_is_named_with_what_installs_it(monkeypatch, call, words, module, extra):
    for name in list(sys.modules):
        if name.startswith(("tracertwin.web", "tracertwin.bridges", module)):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    code, _, said = call(*words, "--link=listen:127.0.0.1:0", "--for=5s")
    assert code == 2
    assert f"needs {module}, which is not installed: pip install 'tracertwin[{extra}]'" in said


def test_a_frame_whose_word_is_no_hours_and_minutes_is_told_with_the_reason():
    asked, replied = ReadWords(1, 3, 0x9065, 1), WordsReply(1, 3, (0x00FF,))
    entry = Entry(1, (0,), 0.0, 0, Exchange(asked.encode(), replied.encode(), 0.0))
    (row,) = Frames([SimpleNamespace(unit=1, register_map=load_map("epever", TRACER_4210))]).described(
        [entry]
    )
    assert row["answered"] == "night_length 0x00FF: minutes must lie in 0..59, got 255"


def test_a_write_to_the_clock_that_is_no_time_is_told_by_its_words():
    """It was taken by a unit with another map."""
    written = WriteWords(1, 0x9013, (0xFFFF, 0xFFFF, 0xFFFF))
    texts = assignments_of(written, load_map("epever", TRACER_4210))
    assert texts == ["rtc_minute_second=65535", "rtc_day_hour=65535", "rtc_year_month=65535"]


# --- a session kept as a scenario, whatever was done ---


def kept(at: Served, path: Path, *quantities: str, **given: object) -> tuple[str, list[str]]:
    """The file of the session so far, and what of it does not hold."""
    t_s = at.read("now")["t_utc_s"]
    moments = [{"t_utc_s": t_s, "quantities": list(quantities)}] if quantities else []
    answer = at.ask("api/v1/scenario", {"moments": moments, **given})
    assert answer.status == 200, answer.body
    path.write_bytes(answer.body)
    ran = run_scenario(prepare(load_scenario(path)))
    told = [
        f"{verdict.expectation.text}: {verdict.words(ran.record.span)}"
        for verdict in ran.verdicts
        if verdict.fails
    ]
    return answer.body.decode(), told


def test_one_of_two_upsets_of_a_name_is_mended_in_what_is_kept(at, tmp_path):
    for command in ("upset cloud:depth=0.3", "upset cloud:depth=0.6", "step 10min", "mend 0", "step 1h"):
        assert at.do(command).status == 200
    text, broken = kept(at, tmp_path / "kept.yaml", "v_pv_v", "p_pv_w", "soc")
    assert 'mend: "cloud 1"' in text
    assert broken == []


def test_what_was_called_off_is_not_kept(at, tmp_path):
    for command in ("upset cloud:depth=0.9:after=2h", "step 1h", "mend cloud", "step 3h"):
        assert at.do(command).status == 200
    text, broken = kept(at, tmp_path / "kept.yaml", "p_pv_w", "soc")
    assert "cloud" not in text
    assert broken == []


def test_what_has_yet_to_begin_is_not_kept(at, tmp_path):
    for command in ("upset cloud:depth=0.9:after=2h", "step 1h"):
        assert at.do(command).status == 200
    assert kept(at, tmp_path / "kept.yaml", "soc")[1] == []


def test_at_one_moment_what_a_client_wrote_first_comes_first(at, tmp_path):
    with master_of(at) as master:
        at.do("step 1h")
        master.ask(WriteWords(1, 0x9013, (0x0F1E, 0x140C, 0x1A02)))
        at.do("power-cycle")
        at.do("step 1h")
    text, broken = kept(at, tmp_path / "kept.yaml", "t_device_s", "v_batt_v")
    assert text.index("clock=") < text.index("power-cycle")
    assert broken == []


def test_the_clock_that_was_set_to_now_is_kept_as_it_was_set(at, tmp_path):
    for command in ("step 2h", "write clock=now", "step 1h"):
        assert at.do(command).status == 200
    text, broken = kept(at, tmp_path / "kept.yaml", "t_device_s")
    assert "clock=2026-02-20T12:00:00" in text
    assert broken == []


def test_a_site_of_ones_own_is_named_so_that_the_file_may_lie_anywhere(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine.yaml").write_text((ROOT / "config/sites/cabin.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    with served(site_name="mine.yaml") as at:
        at.do("step 1h")
        text, broken = kept(at, tmp_path / "elsewhere/kept.yaml")
    assert str(tmp_path / "mine.yaml") in text
    assert broken == []


ACTIONS = (
    "upset cloud:depth=0.3", "upset cloud:depth=0.6:lasts=7min", "upset cloud:depth=0.4:after=17min",
    "upset cloud:depth=0.9:after=33s:lasts=12s", "upset probe_open:after=12s", "upset load_overload:power_w=200",
    "mend 0", "mend 1", "mend 2", "mend cloud", "mend cloud 2", "mend all", "mend probe_open", "power-cycle",
    "write capacity_ah=150", "write clock=2026-02-20T13:00", "write clock=now", "step 5s", "step 10min",
    "step 31min", "CLIENT",
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), min_size=2, max_size=12))
def test_any_session_is_kept_so_that_it_passes(tmp_path_factory, actions):
    with served() as at, master_of(at) as master:
        at.rig.do("step 30min")
        for action in actions:
            if action == "CLIENT":
                master.ask(WriteWords(1, 0x9013, (0x0F1E, 0x140C, 0x1A02)))
            else:
                with suppress(ValueError):  # nothing to mend
                    at.rig.do(action)
        at.rig.do("step 20min")
        names = ("v_batt_v", "soc", "p_pv_w", "p_load_w", "t_device_s", "load_state")
        assert kept(at, tmp_path_factory.mktemp("kept") / "kept.yaml", *names)[1] == []
