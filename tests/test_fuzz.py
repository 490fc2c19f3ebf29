"""What must hold for any bytes: from hypothesis, and for every input that a search by coverage has kept."""

import logging
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.codec.parser import Junk
from modbus.codec.requests import Request
from plant.base.configs import config_dir
from tests.fuzz import codec, commands, files, mbap, site, text, tracer
from tests.fuzz.targets import TARGETS, Target

LARGEST = 300_000  # bytes of corpus in the repository
TOLD = "name: x\n"


@pytest.fixture(autouse=True, scope="module")
def quiet():
    """pymodbus says at length what it can't read."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("pymodbus").setLevel(logging.NOTSET)
    site.clean_up()


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_whatever_a_search_has_kept_is_borne(target: Target) -> None:
    one = target.module.one
    for path in target.corpus:
        one(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_a_search_can_begin_anew(target: Target) -> None:
    """From frames and files that are good, each borne as it is."""
    seeds = list(target.module.seeds())
    assert len(seeds) >= 6
    for seed in seeds:
        target.module.one(seed)


def test_the_corpus_is_small_and_none_of_it_missing() -> None:
    sizes = [path.stat().st_size for target in TARGETS.values() for path in target.corpus]
    assert all(target.corpus for target in TARGETS.values())
    assert sum(sizes) <= LARGEST


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_in_any_cut_confuse_the_codec(data: bytes) -> None:
    codec.one(data)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_in_any_cut_confuse_the_codec_of_modbus_tcp(data: bytes) -> None:
    mbap.one(data)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_requests_in_any_order_confuse_the_tracer(data: bytes) -> None:
    tracer.one(data)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(site.seeds())), st.lists(st.integers(0, 1 << 32), min_size=1, max_size=4))
def test_a_site_file_with_odd_lines_is_read_or_refused_in_words(data: bytes, changes: list[int]) -> None:
    for seed in changes:
        data = text.mutated(data, seed)
    site.one(data)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(files.seeds())), st.lists(st.integers(0, 1 << 32), min_size=1, max_size=4))
def test_any_other_file_with_odd_lines_is_read_or_refused_in_words(data: bytes, changes: list[int]) -> None:
    for seed in changes:
        data = text.mutated(data, seed, skip=1)
    files.one(data)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_at_all_gets_past_the_site_loader(given_: str | bytes) -> None:
    site.one(given_ if isinstance(given_, bytes) else given_.encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([line for seed in commands.seeds() for line in seed.splitlines()]), max_size=8)
)
def test_no_commands_in_any_order_end_a_plant(lines: list[bytes]) -> None:
    commands.one(b"\n".join(lines))


def test_the_codec_s_search_begins_with_every_kind_of_request() -> None:
    assert {type(request) for request in codec.EVERY_KIND} == set(get_args(Request))


def test_the_search_through_files_has_every_folder_of_the_configuration() -> None:
    """Sites have a target of their own."""
    folders = {path.name for path in config_dir().iterdir() if path.is_dir()}
    assert {kind for kind, _ in files.KINDS} | {"sites"} == folders


def test_a_target_that_is_wrong_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks themselves: a parser that loses a byte, a Tracer that looks twice, a loader that trips."""
    monkeypatch.setattr("modbus.codec.parser._junk", lambda data: Junk(data, ""))
    with pytest.raises(AssertionError):
        codec.one(bytes((codec.RAW, 3, 1, 2, 3)))
    monkeypatch.setattr(
        "tests.fuzz.tracer.Restless.looks", property(lambda _: 0, lambda _, __: None), raising=False
    )
    pv = tracer._places().index(0x3100).to_bytes(2, "big")
    with pytest.raises(AssertionError):
        tracer.one(bytes((1, tracer.READ, 0)) + pv + bytes((3, 8)))
    monkeypatch.setattr("tests.fuzz.site.load_site", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        site.one(TOLD.encode())


def test_a_text_is_changed_alike_by_the_same_seed() -> None:
    data = next(site.seeds())
    assert text.mutated(data, 7) == text.mutated(data, 7)
    assert len({text.mutated(data, seed) for seed in range(50)}) > 40
    assert text.mutated(b"\x03" + data, 7, skip=1)[:1] == b"\x03"
