"""Line faults by name: what each does to a reply, when they strike, and that chance comes by the seed alone."""

import re
from contextlib import suppress
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.requests import ReadWords, Request, crc16
from modbus.line.conversation import Burst, Transmission
from modbus.line.faults.kinds import FAULTS, Leaving
from modbus.line.faults.striking import MOST_SET, Faults, FaultyLine
from modbus.line.faults.text import parse_fault
from plant.site.upsets import UPSETS
from tests.frames import POLL, POLL_BYTES, steady
from tracertwin.pages.faults import PAGE, current

FRAME = bytes.fromhex("01 04 02 05 41 7a 50")  # to POLL: golden/rtu_frames.txt
NOON_S = 1_782_043_200.0  # 2026-06-21T12:00:00Z


def whole(data: bytes = FRAME) -> Leaving:
    """A reply as the device gives it."""
    return Leaving(POLL_BYTES, data, (Burst(0.0, data),) if data else ())


def struck(name: str, leaving: Leaving | None = None, seed: int = 1, **values: float) -> Leaving:
    """What a fault makes of it."""
    given_ = whole() if leaving is None else leaving
    return FAULTS[name].act(given_, np.random.Generator(np.random.Philox(seed)), **values)


def wire(leaving: Leaving | Transmission) -> bytes:
    """All bytes that leave."""
    return b"".join(burst.data for burst in leaving.bursts)


def gaps(leaving: Leaving) -> list[float]:
    return [burst.after_s for burst in leaving.bursts]


# --- each for itself ---


def test_exception_is_a_sound_frame_of_the_function_asked():
    data = wire(struck("exception", code=6))
    assert (data[:3], crc16(data), len(data)) == (b"\x01\x84\x06", 0, 5)


def test_wrong_function_is_another_one_in_a_sound_frame():
    frames = {wire(struck("wrong_function", seed=seed)) for seed in range(50)}
    assert {data[1] for data in frames} == {1, 2, 3, 5, 6, 16}
    assert all(crc16(data) == 0 and data[2:-2] == FRAME[2:-2] and data[0] == 1 for data in frames)


def test_wrong_unit_is_any_other_of_1_to_247_in_a_sound_frame():
    frames = {wire(struck("wrong_unit", seed=seed)) for seed in range(4000)}
    assert {data[0] for data in frames} == set(range(2, 248))
    assert all(crc16(data) == 0 and data[1:-2] == FRAME[1:-2] for data in frames)


def test_crc_is_wrong_and_all_else_right():
    for seed in range(100):
        data = wire(struck("crc", seed=seed))
        assert data[:-2] == FRAME[:-2]
        assert data[-2:] != FRAME[-2:]


@pytest.mark.parametrize("bits", [1, 2, 5, 56, 64])
def test_flip_turns_just_so_many_bits(bits):
    data = wire(struck("flip", bits=bits))
    turned = int.from_bytes(data) ^ int.from_bytes(FRAME)
    assert turned.bit_count() == min(bits, 8 * len(FRAME))


def test_truncate_leaves_a_beginning_of_any_length():
    assert {wire(struck("truncate", seed=seed)) for seed in range(200)} == {FRAME[:n] for n in range(1, 7)}
    assert wire(struck("truncate", lost=2)) == FRAME[:-2]
    assert wire(struck("truncate", lost=255)) == FRAME[:1]


def test_collision_spoils_the_reply_in_ways_that_differ():
    frames = {wire(struck("collision", seed=seed)) for seed in range(100)}
    assert len(frames) > 90
    assert all(crc16(data) and len(data) <= len(FRAME) + 3 for data in frames)


def test_wrong_baud_is_what_the_other_rate_samples():
    """By hand: 01 04 is 0 10000000 1 0 00100000 1 on the wire. At half the rate the first 0 is too short for a start
    bit; the next begins one, and every other bit from the fifth on is sampled: 0 0 1 0 1 0 0 1."""
    data = b"\x01\x04"
    assert wire(struck("wrong_baud", whole(data), sent=9600, read=9600)) == data
    assert wire(struck("wrong_baud", whole(data), sent=9600, read=4800)) == b"\x94"


def test_drop_and_dead_leave_nothing_and_only_dead_is_deaf():
    assert struck("drop")[1:3] == struck("dead")[1:3] == (b"", ())
    assert [name for name, row in FAULTS.items() if row.deaf] == ["held_low", "dead"]


def test_held_low_is_a_break_whether_or_not_there_was_a_reply():
    assert wire(struck("held_low")) == wire(struck("held_low", whole(b""))) == b"\0"


@pytest.mark.parametrize("count", [1, 3, 64])
def test_noise_stands_before_or_behind_in_one_piece(count):
    before, after = struck("noise_before", count=count), struck("noise_after", count=count)
    assert [len(x.bursts) for x in (before, after)] == [1, 1]
    assert (wire(before)[count:], wire(after)[:-count]) == (FRAME, FRAME)


def test_duplicate_comes_again_after_a_gap():
    twice = struck("duplicate", gap_s=0.5)
    assert twice.bursts == (Burst(0.0, FRAME), Burst(0.5, FRAME))


def test_echo_is_the_request_and_comes_also_where_no_reply_does():
    assert struck("echo", gap_s=0.5).bursts == (Burst(0.0, POLL_BYTES), Burst(0.5, FRAME))
    assert struck("echo", whole(b"")).bursts == (Burst(0.0, POLL_BYTES),)


@pytest.mark.parametrize(("parts", "pieces"), [(2, 2), (3, 3), (7, 7), (64, 7)])
def test_split_keeps_the_bytes_and_puts_gaps_between(parts, pieces):
    cut = struck("split", parts=parts, gap_s=0.5)
    assert wire(cut) == FRAME
    assert gaps(cut) == [0.0] + [0.5] * (pieces - 1)


def test_merge_keeps_one_reply_back_and_never_two():
    kept = struck("merge")
    assert (kept.bursts, kept.kept) == ((), FRAME)
    assert struck("merge", whole()._replace(kept=b"x")) == whole()._replace(kept=b"x")


@pytest.mark.parametrize("name", ["delay", "late"])
def test_delay_and_late_move_the_first_piece_only(name):
    assert gaps(struck(name, struck("duplicate", gap_s=0.1), by_s=0.5)) == [0.5, 0.1]


def test_jitter_is_even_between_nothing_and_the_most():
    waits = [gaps(struck("jitter", seed=seed, most_s=0.2))[0] for seed in range(400)]
    assert 0.0 <= min(waits) < 0.01
    assert 0.19 < max(waits) < 0.2
    assert np.mean(waits) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in ("held_low", "echo")])
def test_silence_stays_silence(name):
    assert struck(name, whole(b"")) == whole(b"")


bursts = st.lists(st.builds(Burst, st.floats(0.0, 1.0), st.binary(min_size=1, max_size=60)), max_size=3)


@pytest.mark.parametrize("name", FAULTS)
@steady
@given(bursts=bursts, kept=st.binary(max_size=9), seed=st.integers(0, 2**32))
def test_whatever_leaves_what_comes_of_it_is_bounded(name, bursts, kept, seed):
    """Any bytes, one or none: no fault fails, and none makes more than a UART at 12 times the rate could."""
    given_ = Leaving(POLL_BYTES, b"", tuple(bursts), kept)
    leaving = struck(name, given_, seed)
    assert leaving == struck(name, given_, seed)
    assert all(burst.data and burst.after_s >= 0.0 for burst in leaving.bursts)
    assert len(wire(leaving)) + len(leaving.kept) <= 5 * len(wire(given_)) + len(kept) + 64


@steady
@given(st.binary(min_size=1, max_size=60), st.integers(300, 4_000_000), st.integers(300, 4_000_000))
def test_wrong_baud_makes_at_most_five_characters_of_one(data, sent, read):
    assert len(wire(struck("wrong_baud", whole(data), sent=sent, read=read))) <= 5 * len(data)


# --- text ---


def test_a_text_says_it_all():
    fault = parse_fault("delay:0.25:by=300ms:from=22:30:to=06:00:for=2min")
    assert (fault.row.name, fault.probability, fault.values, fault.lasts_s) == (
        "delay", 0.25, {"by_s": 0.3}, 120.0,
    )  # fmt: skip
    assert parse_fault("drop") == parse_fault(" drop ")
    assert parse_fault("drop").probability == 1.0
    assert (parse_fault("dead").lasts_s, parse_fault("dead:1:requests=3").lasts_s) == (20.0, 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drpo:0.1", r"unknown line fault 'drpo' \(did you mean drop\?\); known: exception, .*tracertwin faults"),
        ("", "unknown line fault ''"),
        ("drop:5%", r"drop:5%: the probability must be a number from 0 to 1, got '5%'"),
        ("drop:1.01", "from 0 to 1"),
        ("drop:nan", "from 0 to 1"),
        ("drop:", "from 0 to 1"),
        ("drop:0.1:0.2", "from 0 to 1"),
        ("delay:1:bye=3s", r"delay has no key 'bye' \(did you mean by\?\); its keys: by, from, to, for, requests"),
        ("delay:1:by=3s:by=4s", "by is given twice"),
        ("delay:1:by=soon", "'soon' is not a valid duration"),
        ("delay:1:by=2h", r"by must lie in 0..3600 s"),
        ("flip:1:bits=0", "bits must be a whole number from 1 to 64, got '0'"),
        ("flip:1:bits=1.5", "bits must be a whole number"),
        ("dead:1:for=5s:requests=3", "give for= or requests=, not both"),
        ("drop:1:requests=0", "requests must be a whole number from 1"),
        ("drop:1:from=noon", r"from=noon is not a valid time; write 12:00 for every day, or 2026-06-21T12:00"),
        ("drop:1:from=25:00", "from=25:00 is not a valid time"),
        ("drop:1:from=12:00:to=2026-06-21", "both with their dates, or both without"),
        ("drop:1:from=2026-06-22:to=2026-06-21", "must be before"),
        ("drop:1:from=12:00:to=12:00", "must be before"),
    ],
)  # fmt: skip
def test_a_bad_text_is_told_with_what_would_do(text, message):
    with pytest.raises(ValueError, match=message):
        parse_fault(text)


@steady
@given(st.text(max_size=30) | st.text(":=.01drop from", max_size=30).map("drop:".__add__))
def test_no_text_fails_otherwise(text):
    with suppress(ValueError):
        assert parse_fault(text).row.name in FAULTS


# --- when they strike ---


class Bench:
    """A line with faults on a device that always answers alike, at a plant's time that the test sets."""

    def __init__(self, *texts: str, seed: int = 7, number: int = 0, timezone: str = "UTC") -> None:
        self.faults = Faults(seed, timezone)
        for text in texts:
            self.faults.set(text)
        self.asked = 0
        self.t_utc_s = NOON_S
        self.line = FaultyLine(self.faults, number, self._reply, lambda: self.t_utc_s)

    def _reply(self, _request: Request) -> bytes:
        self.asked += 1
        return FRAME

    def ask(self, request: Request = POLL) -> Transmission:
        reply = self.line.answer(request)
        assert reply is not None
        return reply if isinstance(reply, Transmission) else Transmission(reply, (Burst(0.0, reply),))

    def struck(self, times: int, step_s: float = 0.0) -> list[bool]:
        """Whether each of so many requests had another reply than the device's."""
        found = []
        for _ in range(times):
            found.append(wire(self.ask()) != FRAME)
            self.t_utc_s += step_s
        return found


def test_a_line_without_faults_gives_the_very_reply_of_the_device():
    bench = Bench()
    assert bench.line.answer(POLL) is FRAME
    bench = Bench("drop:0")
    assert bench.line.answer(POLL) is FRAME


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_fault_strikes_as_often_as_it_was_told(share):
    count = sum(Bench(f"drop:{share}").struck(3000))
    assert count == pytest.approx(3000 * share, abs=4 * (3000 * share * (1 - share)) ** 0.5)


def test_what_was_lost_is_no_reply_and_is_counted():
    bench = Bench("drop:0.5")
    lost = sum(not reply.frame for reply in (bench.ask() for _ in range(100)))
    assert bench.line.counts == {"drop": lost}


def test_dead_goes_on_for_its_time_of_the_plant_and_the_device_hears_nothing():
    bench = Bench("dead:0.02:for=20s")
    found = bench.struck(2000, step_s=5.0)
    assert bench.asked == found.count(False)
    text = "".join(".x"[one] for one in found).strip("x")
    assert {len(run) % 4 for run in text.split(".")} == {0}  # four requests of 5 s, or several times that
    assert 0.04 < found.count(True) / 2000 < 0.11


def test_a_fault_that_has_struck_as_often_as_it_may_is_no_longer_told():
    bench = Bench("crc:1:times=1", "drop:0.0", "held_low:1:times=1:for=30s")
    assert bench.faults.texts() == ("crc:1:times=1", "drop:0.0", "held_low:1:times=1:for=30s")
    bench.ask()
    assert bench.faults.texts() == ("drop:0.0", "held_low:1:times=1:for=30s")  # goes on for half a minute
    bench.t_utc_s += 30.0
    assert bench.faults.texts() == ("drop:0.0",)
    assert [told.partition(" ")[0] for told in bench.faults.echoes()] == ["drop:0.0"]


def test_a_fault_whose_window_is_past_is_no_longer_told_and_one_of_every_day_is():
    """The page gives a fault "for 10 min" so; it stood under "Broken now" for ever."""
    past, daily = "crc:1:from=2026-06-21T12:00:to=2026-06-21T12:10", "drop:0.0:from=11:00:to=12:10"
    bench = Bench(past, daily)
    assert bench.struck(1) == [True]
    assert bench.faults.texts() == (past, daily)
    bench.t_utc_s += 600.0
    assert bench.struck(1) == [False]
    assert bench.faults.texts() == (daily,)


def test_faults_that_are_over_leave_room_for_others():
    """A plant that runs for weeks had room for a hundred clicks."""
    bench = Bench("drop:0.0")
    for _ in range(2 * MOST_SET):
        bench.faults.set("crc:1:times=1")
        assert bench.struck(2) == [True, False]
    for _ in range(MOST_SET - len(bench.faults.texts())):
        bench.faults.set("crc:0.0")
    with pytest.raises(ValueError, match="100 faults are set already"):
        bench.faults.set("crc:0.0")


def test_a_fault_is_told_until_it_is_spent_on_every_line_on_which_it_strikes():
    bench = Bench("crc:1:times=1")
    other = FaultyLine(bench.faults, 1, lambda _: FRAME, lambda: NOON_S)
    FaultyLine(bench.faults, 2, lambda _: FRAME, lambda: NOON_S, over_tcp=True)  # there is no CRC
    bench.ask()
    assert bench.faults.texts() == ("crc:1:times=1",)
    other.answer(POLL)
    assert bench.faults.texts() == ()


def test_a_fault_that_may_strike_so_often_is_over_then():
    assert Bench("drop:1:times=1").struck(4) == [True, False, False, False]
    assert Bench("drop:1:times=2:requests=2").struck(6) == [True, True, True, True, False, False]
    by_chance = Bench("crc:0.1").struck(200)
    assert Bench("crc:0.1:times=3").struck(200) == [
        struck and sum(by_chance[: place + 1]) <= 3 for place, struck in enumerate(by_chance)
    ]
    assert parse_fault("drop:1:times=1").how_often == "all requests, at most 1 time"


def test_requests_counts_how_many_in_a_row():
    found = Bench("crc:0.01:requests=3").struck(1000)
    assert {len(run) % 3 for run in "".join(".x"[one] for one in found).split(".")} == {0}
    assert any(found)


@pytest.mark.parametrize(
    ("window", "hours"),
    [
        ("from=12:00:to=13:00", {12}),
        ("from=22:00:to=02:00", {22, 23, 0, 1}),
        ("from=22:00", {22, 23}),
        ("to=1:00:00", {0}),
        ("from=22:00:to=24:00", {22, 23}),
        ("from=2026-06-21T20:00:to=2026-06-21T22:00", {20, 21}),
    ],
)
def test_a_window_is_in_local_time(window, hours):
    """The run begins at 14:00 in Zurich and has 24 requests, one an hour."""
    found = Bench(f"drop:1:{window}", timezone="Europe/Zurich").struck(24, step_s=3600.0)
    assert {(14 + n) % 24 for n, one in enumerate(found) if one} == hours


def test_a_window_closes_on_a_fault_that_lasts():
    assert Bench("dead:1:for=1h:to=12:00:10").struck(4, step_s=5.0) == [True, True, False, False]


def test_faults_are_set_and_cleared_while_running():
    bench = Bench("drop:1")
    bench.faults.set("crc")
    assert bench.faults.texts() == ("crc", "drop:1")
    assert bench.faults.clear("drop") == 1
    assert len(wire(bench.ask())) == len(FRAME)
    assert bench.faults.clear() == 1
    assert bench.struck(1) == [False]
    with pytest.raises(ValueError, match=r"unknown line fault 'dorp' \(did you mean drop"):
        bench.faults.clear("dorp")


def test_one_that_is_set_again_begins_anew():
    bench = Bench("dead:1:for=1h")
    bench.struck(1)
    bench.faults.clear("dead")
    bench.faults.set("dead:0:for=1h")
    assert bench.struck(1) == [False]


def test_there_is_a_bound_to_how_many_are_set():
    faults = Faults(1, "UTC")
    for _ in range(MOST_SET):
        faults.set("drop:0")
    with pytest.raises(ValueError, match="100 faults are set already; clear some"):
        faults.set("drop:0")


def test_of_two_merged_replies_the_older_comes_first():
    faults = Faults(7, "UTC")
    faults.set("merge")
    line = FaultyLine(faults, 0, lambda request: request.encode(), lambda: NOON_S)
    older, newer = ReadWords(1, 4, 1, 1), ReadWords(1, 4, 2, 1)
    line.answer(older)
    assert wire(line.answer(newer)) == older.encode() + newer.encode()


def test_a_merged_reply_leaves_before_the_next_in_one_piece():
    bench = Bench("merge")
    assert [wire(bench.ask()) for _ in range(4)] == [b"", 2 * FRAME, b"", 2 * FRAME]
    bench = Bench("merge")
    bench.ask()
    bench.faults.clear()
    assert [reply.bursts for reply in (bench.ask(), bench.ask())] == [
        (Burst(0.0, 2 * FRAME),), (Burst(0.0, FRAME),),
    ]  # fmt: skip


# --- several at once ---


def test_a_reply_meets_faults_in_the_order_of_the_table_however_they_were_set():
    texts = ("duplicate:1:gap=1s", "crc", "delay:1:by=2s", "noise_before:1:count=2")
    outcomes = {Bench(*some).ask() for some in permutations(texts)}
    assert len(outcomes) == 1
    (reply,) = outcomes
    assert gaps(reply) == [2.0, 1.0]
    first, again = (burst.data for burst in reply.bursts)
    assert first == again
    assert first[2:-2] == FRAME[:-2]


def test_a_dropped_reply_is_not_there_for_those_behind():
    reply = Bench("drop", "echo", "delay", "noise_after").ask()
    assert (wire(reply), reply.frame) == (POLL_BYTES, b"")


def test_two_of_a_name_have_chances_of_their_own():
    one, two = Bench("noise_after:0.5:count=1"), Bench("noise_after:0.5:count=1", "noise_after:0.5:count=1")
    added = [(len(wire(one.ask())), len(wire(two.ask()))) for _ in range(200)]
    assert {b - a for a, b in added} == {0, 1}
    assert {b for _, b in added} == {7, 8, 9}


# --- chance ---

TEXTS = tuple(f"{name}:0.4" for name in FAULTS)
some_texts = st.lists(st.sampled_from(TEXTS), unique=True, max_size=6)
seeds = st.integers(0, 2**63 - 1)


def said(*texts: str, seed: int = 7, number: int = 0, times: int = 30) -> list[Transmission]:
    bench = Bench(*texts, seed=seed, number=number)
    return [bench.ask() for _ in range(times)]


@steady
@given(some_texts, seeds)
def test_same_seed_same_bytes_and_gaps(texts, seed):
    assert said(*texts, seed=seed) == said(*texts, seed=seed)


def test_other_seeds_and_other_lines_have_other_chances():
    kinds = {tuple(said("flip:0.5", seed=seed, number=number)) for seed in range(5) for number in range(5)}
    assert len(kinds) == 25


@steady
@given(st.lists(st.integers(0, 2), max_size=60), seeds)
def test_what_other_lines_are_asked_changes_nothing(order, seed):
    faults = Faults(seed, "UTC")
    for text in ("flip:0.3", "drop:0.3", "truncate:0.3"):
        faults.set(text)
    lines = [FaultyLine(faults, number, lambda _: FRAME, lambda: NOON_S) for number in range(3)]
    heard: list[list] = [[], [], []]
    for number in order:
        heard[number].append(lines[number].answer(POLL))
    alone = [[FaultyLine.answer(line, POLL) for _ in heard[number]] for number, line in enumerate(
        FaultyLine(faults, number, lambda _: FRAME, lambda: NOON_S) for number in range(3)
    )]  # fmt: skip
    assert heard == alone


@pytest.mark.parametrize(
    "beside",
    [
        "exception:0",
        "wrong_unit:1:from=01:00:to=02:00",
        "noise_after:0.5",
        "delay:1",
        "flip:1:from=01:00:to=02:00",
        "dead:0",
        "drop:0",
    ],
)
def test_a_fault_beside_it_does_not_change_when_one_strikes_or_what_it_does(beside):
    alone, with_another = said("crc:0.5", times=100), said(beside, "crc:0.5", times=100)
    assert [wire(reply)[5:7] for reply in alone] == [wire(reply)[5:7] for reply in with_another]


def test_a_window_does_not_change_the_draws_inside_of_it():
    always, windowed = Bench("flip:0.5"), Bench("flip:0.5:from=13:00:to=14:00")
    pairs: list[tuple[bytes, bytes]] = []
    for _ in range(120):
        pairs.append((wire(always.ask()), wire(windowed.ask())))
        always.t_utc_s += 60.0
        windowed.t_utc_s += 60.0
    assert pairs[60:] == [(a, a) for a, _ in pairs[60:]]
    assert {b for _, b in pairs[:60]} == {FRAME}


def test_what_is_set_later_does_as_it_would_have_done_from_the_beginning():
    whole_run = said("flip:0.5", times=40)
    bench = Bench()
    bench.struck(20)
    bench.faults.set("flip:0.5")
    assert [bench.ask() for _ in range(20)] == whole_run[20:]


def test_the_request_is_echoed_as_it_came():
    request: Request = ReadWords(9, 3, 0x9000, 15)
    assert wire(Bench("drop", "echo").ask(request)) == request.encode()


# --- told ---


def test_the_page_has_the_tables_of_faults_and_upsets_as_they_are():
    page = PAGE.read_text(encoding="utf-8")
    assert current(page) == page, "run: python -m tracertwin.pages.faults"
    rows = re.findall(r"^\| `(\w+)` \| (?:[a-z_]+=|for=| \|)", page, re.MULTILINE)
    assert rows == [*FAULTS, *UPSETS]


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_says_what_it_does_and_what_is_seen(name: str):
    row = FAULTS[name]
    assert row.meaning.endswith(".")
    assert row.seen
    for key, parameter in row.parameters.items():
        for value in (parameter.range.low, parameter.default, parameter.range.high):
            assert parse_fault(f"{name}:1:{parameter.written(value)}").values == {parameter.argument: value}
        for value in (parameter.range.low - 1, parameter.range.high + 1):
            with pytest.raises(ValueError, match=f"{key} must |not a valid duration"):
                parse_fault(f"{name}:1:{parameter.written(value)}")
