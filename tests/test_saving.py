"""A plant written down and made again goes on as if nothing had been."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plant.controller.flash import Flash
from plant.controller.rules import RULES
from plant.kernel.books import EVENTS_KEPT
from plant.plant import Plant
from plant.power.tracker import Tracker
from plant.remembered import Remembered
from plant.saving.state import SavedStateError, as_plain, continued, saved_state
from plant.site.breakages import Breakages
from tests.plants import plant, site

DAY = 86400
HOUR = 3600

# --- plants that remember something of every kind ----------------------------------------------------------------


def lithium() -> Plant:
    """Ages, climbs with a tracker that has a memory, and is cold at night: its BMS has something to do."""
    return plant(
        battery={"model": "lifepo4", "ageing": "naumann", "soc": 0.3},
        controller={"tracker": "dynamic", "battery_type": "lifepo4_4s"},
    )


def broken() -> Plant:
    """One thing breaks and is mended, another one breaks later; the clock gains, and civil time changes."""
    upsets = [
        {"name": "battery_disconnected", "after": "5h", "lasts": "7h"},
        {"name": "battery_aged", "after": "20h", "values": {"capacity_lost": 0.2}},
        {"name": "clock_lost", "after": "30h", "lasts": "2h"},
    ]
    there = site(
        start="2026-03-28T03:00:00",
        upsets=upsets,
        controller={"clock_drift_s_day": 400.0},
        battery={"health": 0.8},
    )
    return Plant.new(there)


KINDS: dict[str, Callable[[], Plant]] = {
    "agm": lambda: plant(battery={"ageing": "rainflow"}, start_utc_s=1_767_096_000),  # over New Year's Eve
    "weighted": lambda: plant(battery={"model": "flooded", "ageing": "weighted_ah"}),
    "lithium": lithium,
    "broken": broken,
    "sizing": lambda: Plant.new(site(battery={"ageing": "rainflow"}), fidelity="sizing", step_s=900),
}


def less_boost(p: Plant) -> None:
    p.configure(p.settings._replace(boost_min=17, load_on=0))


def power_cut(p: Plant) -> None:
    p.power_cycle()


def heater(p: Plant) -> None:
    p.upset("load_overload", power_w=60.0)


def corrosion(p: Plant) -> None:
    p.upset("battery_high_resistance", ohm=0.02)


def mended(p: Plant) -> None:
    p.mend(0)


def clock_set(p: Plant) -> None:
    p.set_clock(p.snapshot.t_device_s + 86_000.0)


def cleared(p: Plant) -> None:
    p.clear_energy()


ACTIONS = (less_boost, power_cut, heater, corrosion, mended, clock_set, cleared)
Deed = tuple[int, Callable[[Plant], None] | None]


def again(p: Plant) -> Plant:
    """Through text, as a file or a journal has it, strictly JSON."""
    return continued(p.site, json.loads(json.dumps(saved_state(p), allow_nan=False)))


def lived(p: Plant, deeds: list[Deed], end_s: int, sample_s: int) -> tuple[Plant, np.ndarray]:
    """A life with something done at some moments; None has the plant written down and made again."""
    begins, rows = p.t_utc_s, []
    for at_s, deed in sorted(deeds, key=lambda deed: deed[0]):
        rows.append(p.run(begins + at_s - p.t_utc_s, sample_s))
        if deed is None:
            p = again(p)
        elif deed is not mended or p.remembered().breakages.upsets:
            deed(p)
    rows.append(p.run(begins + end_s - p.t_utc_s, sample_s))
    return p, np.concatenate(rows)


def moments(step_s: int, end_s: int) -> Any:
    return st.integers(0, end_s // step_s).map(lambda k: k * step_s)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_plant_cut_anywhere_goes_on_to_the_same_bits(kind, data):
    """Whatever is done to it before and after, at whatever grid points it is cut."""
    step_s = 900 if kind == "sizing" else 5
    end_s = (40 if kind == "sizing" else 2) * DAY
    at = moments(step_s, end_s)
    deeds = data.draw(st.lists(st.tuples(at, st.sampled_from(ACTIONS)), max_size=5))
    cuts = data.draw(st.lists(at, min_size=1, max_size=3))
    whole, samples = lived(KINDS[kind](), deeds, end_s, 900)
    cut, others = lived(KINDS[kind](), deeds + [(at_s, None) for at_s in cuts], end_s, 900)
    assert saved_state(cut) == saved_state(whole)
    np.testing.assert_array_equal(others, samples)
    assert cut.events() == whole.events()
    assert (cut.health, cut.settings, cut.snapshot) == (whole.health, whole.settings, whole.snapshot)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_kept_is_kept_again_the_same(kind):
    p = KINDS[kind]()
    p.advance_to(p.t_utc_s + DAY + 5 * HOUR)
    assert saved_state(again(p)) == saved_state(p)


# --- that the test above can see it --------------------------------------------------------------------------------

RICH: list[Deed] = [(HOUR, heater), (2 * HOUR, less_boost), (30 * HOUR, clock_set)]
CUT_S, END_S = 33 * HOUR + 5, 4 * DAY


def rich() -> Plant:
    """A plant that after `RICH` remembers something of every kind."""
    upsets = [{"name": "heatsink_blocked", "after": "60h"}, {"name": "battery_aged", "after": "1h"}]
    return plant(upsets=upsets, battery={"ageing": "rainflow", "soc": 0.6})


@pytest.fixture(scope="module")
def lives() -> tuple[Remembered, Remembered, dict[str, Any]]:
    """What it remembers at the start and at the cut, and all that is kept at the end."""
    first = rich().remembered()
    at_cut = lived(rich(), RICH, CUT_S, 3600)[0].remembered()
    end = saved_state(lived(rich(), RICH, END_S, 3600)[0])
    return first, at_cut, dict(end)


CONSTANT = ("seed", "fidelity", "step_s", "start_utc_s")
RECORDS = {"flash": Flash, "breakages": Breakages}  # each of their fields is a thing of its own
CHANGING = [(name,) for name in Remembered._fields if name not in (*CONSTANT, *RECORDS, "snapshot")] + [
    (name, field.name) for name, record in RECORDS.items() for field in fields(record)
]


def forgetting(then: Remembered, first: Remembered, names: tuple[str, ...]) -> Remembered:
    """The same with one thing as it was at the start."""
    outer, *inner = names
    value = getattr(first, outer)
    if inner:
        value = replace(getattr(then, outer), **{inner[0]: getattr(value, inner[0])})
    if inner == ["upsets"]:  # what has been broken since has to be something
        value = replace(value, upsets=(*value.upsets, ("load_overload", {"power_w": 30.0})))
    return then._replace(**{outer: value})


@pytest.mark.parametrize("names", CHANGING, ids=".".join)
def test_a_plant_that_has_forgotten_any_one_thing_since_its_start_goes_on_differently(names, lives):
    """So none of them could be left out, and the tests above would tell."""
    first, at_cut, end = lives
    p = Plant(rich().site, forgetting(at_cut, first, names))
    p.advance_to(p.start_utc_s + END_S)
    assert saved_state(p) != end


def test_what_a_plant_shows_is_what_it_showed_when_it_was_cut(lives):
    _, at_cut, _ = lives
    assert Plant(rich().site, at_cut).snapshot == at_cut.snapshot


def test_a_plant_that_has_forgotten_nothing_goes_on_the_same(lives):
    _, at_cut, end = lives
    p = Plant(rich().site, at_cut)
    p.advance_to(p.start_utc_s + END_S)
    assert saved_state(p) == end


def test_what_is_remembered_stays_as_it_was_when_the_plant_goes_on():
    p = rich()
    then = p.remembered()
    before = as_plain(then)
    p.advance_to(p.t_utc_s + HOUR)
    less_boost(p)
    assert as_plain(then) == before


# --- in plain values ------------------------------------------------------------------------------------------------


def values_of(plain: Any) -> list[Any]:
    inner = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else None
    return [plain] if inner is None else [value for part in inner for value in values_of(part)]


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_values_are_kept_and_json_carries_them_exactly(kind):
    p = KINDS[kind]()
    p.advance_to(p.t_utc_s + DAY)
    plain = saved_state(p)
    assert {type(value) for value in values_of(plain)} <= {int, float, str, bool, type(None)}
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    tracker = p.remembered().memory.tracker
    assert isinstance(again(p).remembered().memory.tracker, type(tracker))
    assert isinstance(tracker, Tracker) == (kind == "lithium")


# --- what can't be gone on from -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(saved_state(plant())))
def test_what_is_not_whole_is_refused(name):
    p = plant()
    plain = dict(saved_state(p))
    del plain[name]
    with pytest.raises(SavedStateError):
        continued(p.site, plain)


@pytest.mark.parametrize(
    ("books", "told"),
    [
        ({"hours": [{}] * 23}, "hours has 23 values, not 24"),
        ({"night": {"length_s": 0.0}}, "length_s are not just began_utc_s, seen_to_begin, length_s"),
        ({"account": {"moonlight": 0.0}}, "moonlight are not just available"),
        ({"moon": 0.0}, "moon are not just clock, night"),
    ],
)
def test_books_with_other_names_or_lengths_are_refused(books, told):
    p = plant()
    plain = saved_state(p)
    with pytest.raises(SavedStateError, match=f"incomplete or damaged: ValueError .*{told}"):
        continued(p.site, {**plain, "books": {**plain["books"], **books}})


def test_more_events_than_there_have_been_are_refused():
    p = plant()
    event = [0.0, "charge", "none", "bulk", "PV voltage above battery"]
    with pytest.raises(SavedStateError, match="incomplete or damaged: ValueError 2 of 1 events"):
        continued(p.site, {**saved_state(p), "events": [event, event], "event_count": 1})


def test_a_setting_that_no_version_has_is_refused():
    p = plant()
    plain = saved_state(p)
    with pytest.raises(SavedStateError, match=r"incomplete or damaged: ValueError .*tea_time"):
        continued(p.site, {**plain, "settings": {**plain["settings"], "tea_time": 5}})


def test_events_older_than_the_log_reaches_are_gone_on_both_sides():
    """The log is a ring; it is written down from its oldest entry."""
    p = plant()
    p.advance_to(p.t_utc_s + DAY)
    then = p.remembered()
    books = then.books[0]
    count = int(books.event_count)
    for number in range(count, count + EVENTS_KEPT + 7):
        books.events[number % EVENTS_KEPT] = float(p.t_utc_s), number % 3, 1
    books.event_count = count + EVENTS_KEPT + 7
    p = Plant(p.site, then)
    assert len(saved_state(p)["events"]) == EVENTS_KEPT
    assert again(p).events() == p.events()


# --- a version that has a rule, a set-point, a setting, a flow or a quantity more ----------------------------------


def dwelling() -> Plant:
    """In the middle of an overload that is borne for 30 s, with retries behind it."""
    p = plant(battery={"soc": 0.75})
    p.advance_to(p.t_utc_s + HOUR)
    number = p.upset("load_overload", power_w=600.0)
    p.advance_to(p.t_utc_s + 120)
    p.mend(number)
    p.advance_to(p.t_utc_s + HOUR)
    p.upset("load_overload", power_w=500.0)  # 43 A, under any light
    p.advance_to(p.t_utc_s + 20)
    assert [timer["dwell"] for timer in saved_state(p)["timers"]] == ["30.0", "50.0"]
    return p


def same_day(p: Plant, other: Plant) -> None:
    np.testing.assert_array_equal(p.run(120, 5), other.run(120, 5))
    np.testing.assert_array_equal(p.run(DAY, 600), other.run(DAY, 600))


def test_under_other_rules_timers_run_on_and_everything_else_is_looked_at_anew():
    """What was looked at under other rules is left aside; without an added rule the plant goes the same way."""
    p = dwelling()
    plain = saved_state(p)
    other = continued(p.site, {**plain, "watch": {"rules": "of another version"}})
    assert other.remembered().books[0].must_examine
    same_day(p, other)
    trips = [event.t_utc_s for event in p.events() if event.reason == "load overload"]
    tripped = min(t_utc_s for t_utc_s in trips if t_utc_s > plain["t_utc_s"])
    assert tripped == pytest.approx(plain["timers"][0]["since_utc_s"] + 30.0, abs=0.1)


def test_the_timer_of_a_rule_that_is_gone_is_over_and_the_others_run_on():
    p = dwelling()
    plain = saved_state(p)
    gone = {**plain["timers"][0], "reason": "full moon"}
    same_day(continued(p.site, {**plain, "timers": [gone, *plain["timers"]]}), p)


def test_no_two_rules_have_one_timer():
    named = [
        (rule.machine, state, rule.to, rule.reason, str(rule.for_)) for rule in RULES for state in rule.from_
    ]
    assert len(set(named)) == len(named)


def test_events_of_rules_that_are_gone_are_left_out_and_the_count_goes_on():
    p = dwelling()
    plain = saved_state(p)
    events = [
        [t, machine, a, b, "full moon" if n == 1 else why]
        for n, (t, machine, a, b, why) in enumerate(plain["events"])
    ]
    other = continued(p.site, {**plain, "events": events})
    assert other.events() == [p.events()[0], *p.events()[2:]]
    assert saved_state(other)["event_count"] == plain["event_count"]
    for each in (p, other):
        each.advance_to(each.t_utc_s + DAY)
    assert other.events() == [p.events()[0], *p.events()[2:]]
    assert saved_state(continued(p.site, saved_state(other)))["events"] == saved_state(other)["events"]


def test_a_setting_that_is_new_is_as_in_a_new_unit_of_the_site():
    p = plant(controller={"boost_min": 99})
    plain = saved_state(p)
    settings_then = {name: value for name, value in plain["settings"].items() if name != "boost_min"}
    assert continued(p.site, {**plain, "settings": settings_then}).settings == p.settings


def test_a_flow_that_is_new_begins_at_nothing():
    p = plant()
    p.advance_to(p.t_utc_s + DAY)
    plain = saved_state(p)
    books = {
        name: {flow: wh for flow, wh in plain["books"][name].items() if flow != "diffusion"}
        for name in ("account", "carry", "today")
    }
    other = continued(p.site, {**plain, "books": {**plain["books"], **books}}).remembered().books[0]
    assert (other.account.diffusion, other.today.diffusion) == (0.0, 0.0)
    assert other.account.pv == plain["books"]["account"]["pv"] > 0.0


def test_a_quantity_that_is_new_is_shown_at_once():
    p = dwelling()
    plain = saved_state(p)
    snapshot = {name: value for name, value in plain["snapshot"].items() if name != "p_load_w"}
    other = continued(p.site, {**plain, "snapshot": snapshot})
    assert other.snapshot.p_load_w == pytest.approx(p.snapshot.p_load_w, rel=1e-3)
    same_day(other, p)
