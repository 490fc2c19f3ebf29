"""Waiting for firmware without sleeping: whole rounds of its requests, a number of them, a condition that holds."""

import json
import sys
import threading
import time

import pytest

from modbus.codec.requests import ReadWords, WriteWord
from modbus.line.endpoint import parse_endpoint
from modbus.master.client import Master, NoReplyError
from tests.plants import plant
from tracertwin.assembly.options import Options
from tracertwin.assembly.rounds import Rounds
from tracertwin.rig.serving import Rig

HERE = parse_endpoint("listen:127.0.0.1:0")
A, B, C = (ReadWords(1, 4, address, 1) for address in (0x3100, 0x3104, 0x311A))
ANSWER = b"\1\4\2\0\0\0\0"


def over(rounds: Rounds) -> bool:
    return rounds.wait_round(0.0)


@pytest.fixture
def rig():
    with Rig([plant()], Options(links=[HERE], polled_s=0.0), lambda _: None) as rig:
        yield rig


@pytest.fixture
def master(rig):
    endpoint = rig.lines[0].endpoint
    with Master(parse_endpoint(f"dial:127.0.0.1:{endpoint.port}")) as master:
        yield master


# --- rounds ---


def test_a_round_is_over_when_the_first_request_comes_again():
    rounds = Rounds()
    for request in (A, B, C):
        rounds.heard(request, ANSWER)
        assert not over(rounds)
    rounds.heard(A, ANSWER)
    assert over(rounds)


def test_what_is_missing_can_be_asked_for_while_requests_come():
    rounds, is_over = Rounds(), threading.Event()

    def poll() -> None:
        for address in range(4000):
            rounds.heard(ReadWords(1, 4, address, 1), ANSWER)
        is_over.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=poll)
        thread.start()
        while not is_over.is_set():
            assert rounds.missing() == []  # nothing is asked twice
        thread.join()
    finally:
        sys.setswitchinterval(before)


def test_after_a_change_all_that_is_repeated_has_to_come_again_and_be_taken_up():
    rounds = Rounds()
    for request in (A, B, C, A, B, C, A):
        rounds.heard(request, ANSWER)
    rounds.changed()
    for request in (B, C, A):
        assert not over(rounds)
        rounds.heard(request, ANSWER)
    assert not over(rounds)  # the last reply may still be on its way
    rounds.heard(B, ANSWER)
    assert over(rounds)


def test_a_register_that_is_polled_seldom_is_waited_for():
    rounds = Rounds()
    for request in (A, B, A, A, B, A):
        rounds.heard(request, ANSWER)
    rounds.changed()
    for _ in range(5):
        rounds.heard(A, ANSWER)
    assert not over(rounds)
    assert rounds.missing() == [B]
    rounds.heard(B, ANSWER)
    rounds.heard(A, ANSWER)
    assert over(rounds)


def test_what_got_no_answer_is_asked_again_and_is_no_round():
    rounds = Rounds()
    for _ in range(3):
        rounds.heard(A, None)
        assert not over(rounds)
    rounds.heard(A, ANSWER)
    rounds.heard(B, ANSWER)
    rounds.heard(A, ANSWER)
    assert over(rounds)


def test_a_register_asked_once_at_boot_is_not_waited_for():
    rounds = Rounds()
    for request in (C, A, B, A, B):
        rounds.heard(request, ANSWER)
    rounds.changed()
    for request in (A, B, A):
        rounds.heard(request, ANSWER)
    assert over(rounds)


def test_writes_are_requests_but_no_part_of_a_round():
    rounds = Rounds()
    write = WriteWord(1, 0x9000, 1)
    for request in (A, write, A, write):
        rounds.heard(request, ANSWER)
    assert rounds.requests == 4
    rounds.changed()
    rounds.heard(A, ANSWER)
    rounds.heard(A, ANSWER)
    assert over(rounds)


# --- commands ---


def test_wait_polled_comes_back_once_the_client_has_seen_the_change(rig, master):
    seen = []

    def poll() -> None:
        while not stop.is_set():
            for request in (A, B):
                seen.append((request, master.ask(request).words))
                time.sleep(0.002)

    stop = threading.Event()
    client = threading.Thread(target=poll)
    client.start()
    try:
        rig.do("wait 6 requests")
        rig.do("upset battery_disconnected")
        rig.do("step 1min")
        rig.do("wait polled")
        last = dict(seen)  # the newest of each
        shown = json.loads(rig.do("show 0x3104"))["0x3104"]["value"]
        assert last[B] == (round(100 * shown),)
    finally:
        stop.set()
        client.join()


def test_the_plant_is_not_held_while_a_command_waits(rig, master):
    waiting = threading.Thread(target=rig.do, args=("wait 2 requests within=20s",))
    waiting.start()
    rig.do("step 10s")
    master.ask(A)
    master.ask(A)
    waiting.join(5.0)
    assert not waiting.is_alive()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("wait polled within=50ms", "no whole round of requests within 0.05 s; not asked since: nothing"),
        ("wait 5 requests within=50ms", "only 0 requests within 0.05 s"),
        ("wait", "write wait polled or wait 100 requests"),
        ("wait for ever", "write wait polled"),
        ("wait -3 requests", "'-3' is not a number of requests"),
        ("wait polled within=soon", "soon"),
        ("expect", "give a condition"),
        ("expect v_bat_v > 3", "did you mean v_batt_v"),
        ("expect v_batt_v", "is not a condition"),
    ],
)  # fmt: skip
def test_what_was_not_to_be_had_is_said(rig, command, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        rig.do(command)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("v_batt_v >= 9 V", "holds: v_batt_v >= 9 V, margin +"),
        ("v_batt_v >= 90 V", "does not hold: v_batt_v >= 90 V, margin -"),
        ("v_batt_v>=9V and soc <= 100 %", "holds: "),
        ("stage = float", "does not hold: stage = float"),
        ("stage=float", "does not hold: stage=float"),
        ("battery_voltage > 9", "holds: battery_voltage > 9"),
        ("0x3104 > 9 V unit=1", "holds: "),
    ],
)
def test_a_condition_is_judged_in_the_words_of_scenarios(rig, condition, told):
    assert rig.do(f"expect {condition}").startswith(told)


def test_tell_expect_ends_with_1_where_it_does_not_hold(call, tmp_path):
    control = f"unix-listen:{tmp_path / 'ctl'}"
    options = Options(links=[HERE], polled_s=0.0, control=parse_endpoint(control))
    with Rig([plant()], options, lambda _: None):
        at = f"unix:{tmp_path / 'ctl'}"
        assert call("tell", at, "expect", "v_batt_v", ">=", "9", "V")[0] == 0
        code, said, _ = call("tell", at, "expect v_batt_v >= 90 V")
        assert (code, said.split(":")[0]) == (1, "does not hold")
        assert call("tell", at, "expect v_bat_v >= 90 V")[0] == 2
        assert call("tell", at, "wait polled within=10ms")[0] == 1
        code, _, err = call("tell", at, "write boost_voltage=99V")
        assert (code, err[:6]) == (1, "write:")
        assert call("tell", at, "write boost_voltge=14V")[0] == 2


def test_what_follows_the_link_is_the_command_whatever_it_begins_with(call, tmp_path):
    options = Options(links=[HERE], control=parse_endpoint(f"unix-listen:{tmp_path / 'ctl'}"))
    with Rig([plant()], options, lambda _: None):
        code, _, err = call("tell", f"unix:{tmp_path / 'ctl'}", "speed", "-3")
    assert code == 2
    assert "speed: the speed must be a number from" in err
    assert call("tell", "--help")[0] == 0


def test_a_run_ends_with_the_reply_to_its_last_request():
    said = []
    with Rig([plant()], Options(links=[HERE], polled_s=10.0, requests=3), said.append) as rig:
        endpoint = rig.lines[0].endpoint
        with Master(parse_endpoint(f"dial:127.0.0.1:{endpoint.port}")) as master:
            for _ in range(3):
                assert master.ask(A).words
            rig.run()  # it has ended
            rig.tell()
            with pytest.raises((NoReplyError, OSError, ValueError)):
                master.ask(A, timeout_s=0.2)
    assert any("3 requests" in line for line in said)
