"""Frames that real controllers exchanged, put to ours: the same function or exception, length and echo."""

from pathlib import Path

import pytest
import yaml

from modbus.codec.parser import Received, RequestParser
from modbus.codec.replies import SparseReply, decode_reply
from modbus.codec.requests import ReadSparse, Request, crc16
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from tests.snapshots import NOON, Still

FACTS = yaml.safe_load(
    Path(__file__).with_name("golden").joinpath("tracer_captures.yaml").read_text(encoding="utf-8")
)
EPEVER = load_map("epever", TRACER_4210)
PAIRS = [(name, source, told) for name, source, *told in FACTS["captures"] if told[1] is not None]
UNANSWERED = [(name, told[0]) for name, _, *told in FACTS["captures"] if told[1] is None]

OTHER_NAME = "another model's name, two letters longer than TriRon4210"
OTHER_MAP = "a BN has no registers of V26: 0x300D, 0x300F, 0x3010, 0x9010, 0x9011"
DIFFERENT = {
    "bn2215_testdata_000": OTHER_NAME,
    "bn2215_monitor_245": OTHER_NAME,
    "bn3215_mt50_292": OTHER_NAME,
    "bn2215_monitor_243": OTHER_MAP,
    "bn2215_monitor_244": OTHER_MAP,
    "bn3215_mt50_294": OTHER_MAP,
    "bn3215_mt50_298": OTHER_MAP,
    "echo_rosswarren27_338": "no reply of a device: an adapter that hears itself",
}


def heard(frame: bytes) -> Request:
    """A frame as the line's parser understands it."""
    (event,) = RequestParser().feed(frame, 0.0)
    assert isinstance(event, Received)
    return event.request


def answer(request: bytes) -> bytes:
    reply = Tracer(EPEVER, Still(NOON)).answer(heard(request))
    assert reply is not None
    assert crc16(reply) == 0
    return reply


def differs(request: bytes, recorded: bytes, ours: bytes) -> str:
    """What is not as recorded: unit, function, exception, length, or the echo of a write; empty if nothing is."""
    if ours[:2] != recorded[:2]:
        return f"begins {ours[:2].hex(' ')}, recorded {recorded[:2].hex(' ')}"
    if len(ours) != len(recorded):
        return f"has {len(ours)} bytes, recorded {len(recorded)}"
    must_be_same = recorded[1] & 0x80 or recorded[1] in (0x05, 0x06, 0x10)
    if must_be_same and ours != recorded:
        return f"is {ours.hex(' ')}, recorded {recorded.hex(' ')}"
    return ""


def test_there_are_as_many_pairs_as_were_gathered():
    assert (len(PAIRS), len(FACTS["captures"])) == (321, 339)
    assert {source for _, source, _ in PAIRS} <= set(FACTS["sources"])


@pytest.mark.parametrize("source", sorted({source for _, source, _ in PAIRS}))
def test_recorded_requests_get_the_recorded_kind_of_reply(source):
    found = {}
    for name, _, (request, recorded) in (pair for pair in PAIRS if pair[1] == source):
        asked, told = bytes.fromhex(request), bytes.fromhex(recorded)
        if (difference := differs(asked, told, answer(asked))) != "":
            found[name] = difference
    assert set(found) == {name for name, from_, _ in PAIRS if from_ == source and name in DIFFERENT}, found


@pytest.mark.parametrize("name", [name for name, reason in DIFFERENT.items() if reason == OTHER_MAP])
def test_sparse_reads_differ_from_a_bn_by_the_registers_of_the_an_document_only(name):
    asked, told = next(map(bytes.fromhex, pair) for key, _, pair in PAIRS if key == name)
    request = heard(asked)
    assert isinstance(request, ReadSparse)
    theirs, ours = (decode_reply(request, reply) for reply in (told, answer(asked)))
    assert isinstance(theirs, SparseReply)
    assert isinstance(ours, SparseReply)
    more = {
        request.address + place
        for place, (a, b) in enumerate(zip(theirs.words, ours.words, strict=True))
        if (a is None) != (b is None)
    }
    assert more <= {0x300D, 0x300F, 0x3010, 0x9010, 0x9011}
    assert more


@pytest.mark.parametrize(("name", "request_"), UNANSWERED)
def test_requests_whose_reply_nobody_published_are_answered(name, request_):
    """The set-points of a 2206AN go to a unit of type sealed here; that one's type is not told."""
    asked = bytes.fromhex(request_)
    reply = answer(asked)
    assert reply[1] == (0x90 if name == "an2206_fatyogi_328" else asked[1])
