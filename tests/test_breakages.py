"""What breaks and when."""

import pytest

from plant.array.layout import layout_of
from plant.site.breakages import Breakages, Turn, check_upset
from plant.site.timetable import parse_upset
from tests.plants import site

START_S = 1_782_000_000
UPSETS = [
    {"name": "load_short", "after": "61s", "lasts": "1s"},
    {"name": "clock_lost"},
    {"name": "load_overload", "after": "10min", "values": {"power_w": 40.0}},
]


def timetable(step_s: int = 5) -> Breakages:
    return Breakages.of_site(site(upsets=UPSETS), START_S, step_s)


def moved(breakages: Breakages, t_utc_s: int) -> Breakages:
    return breakages.after(breakages.due(t_utc_s))


@pytest.mark.parametrize(("step_s", "begin_s", "end_s"), [(5, 65, 70), (3600, 3600, 7200)])
def test_a_turn_waits_for_the_next_step_and_acts_for_one_at_least(step_s, begin_s, end_s):
    turns = [turn for turn in timetable(step_s).turns if turn.number == 0]
    assert turns == [Turn(START_S + begin_s, 0, True), Turn(START_S + end_s, 0, False)]


def test_turns_come_in_the_order_of_time():
    assert [turn.number for turn in timetable().turns] == [1, 0, 0, 2]


def test_what_is_due_breaks_and_mends():
    at_start = moved(timetable(), START_S)
    assert at_start.names() == {1: "clock_lost"}
    assert moved(at_start, START_S + 64).names() == {1: "clock_lost"}
    assert moved(at_start, START_S + 65).names() == {1: "clock_lost", 0: "load_short"}
    later = moved(at_start, START_S + 600)
    assert later.names() == {1: "clock_lost", 2: "load_overload"}
    assert later.turns == ()


def test_what_is_broken_by_hand_gets_the_next_number_and_leaves_the_timetable():
    now_s = START_S + 100
    before = moved(timetable(), now_s)
    broken = moved(before.with_upset(parse_upset("load_overload:power_w=7"), now_s, "UTC", 5), now_s)
    assert broken.names() == {1: "clock_lost", 3: "load_overload"}
    assert broken.turns == before.turns
    assert moved(broken.mended(now_s, 3), now_s).names() == before.names()


def test_what_breaks_a_second_time_acts_once():
    now_s = START_S + 600
    again = Breakages(timetable().upsets, (Turn(now_s, 2, True),), (2, 1))
    assert moved(again, now_s).broken == (1, 2)


def test_equipment_bears_what_is_broken_and_no_more():
    there = site(upsets=UPSETS)
    bank = there.battery.parameters()
    whole = Breakages.of_site(there, START_S, 5)
    assert whole.equipment(there, bank) == Breakages().equipment(there, bank)
    assert moved(whole, START_S + 600).equipment(there, bank).extra_w == 40.0


def test_a_string_may_come_off_twice():
    there = site()
    bank = there.battery.parameters()
    assert there.array.parts[0].parallel == 1
    upsets = (("string_open", {}),) * 2
    whole, once, twice = (Breakages(upsets, (), broken) for broken in ((), (0,), (0, 1)))
    left = [
        len(layout_of(there.array, each.equipment(there, bank).defects).kinds)
        for each in (whole, once, twice)
    ]
    assert left == [1, 0, 0]


def test_an_upset_that_cannot_befall_the_plant_is_refused():
    there = site()
    equipment = Breakages().equipment(there, there.battery.parameters())
    check_upset(there, equipment, parse_upset("string_open"), START_S)
    with pytest.raises(ValueError, match="string"):
        check_upset(there, equipment, parse_upset("string_open:strings=99"), START_S)
    with pytest.raises(ValueError, match="its time is past"):
        check_upset(there, equipment, parse_upset("load_short:at=2026-01-01T00:00"), START_S)
