"""The books: each flow, meter and transition under its own name, from the kernel's lines to the snapshot."""

from itertools import pairwise

import numpy as np
import pytest

from plant.controller.charger import ChargerRun, Machine, Quantities, SetPoints
from plant.kernel import booking
from plant.kernel.books import EVENTS_KEPT, empty_books, transitions
from plant.kernel.flowtable import FLOW, FLOW_NAMES, FLOWS
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Flows
from plant.plant import Plant
from plant.power.converter import Regime, at_first
from plant.power.posts import CHARGER_OFF, NOTHING_ASKED, Posts
from tests.plants import held, plant

DAY = 86400
NOT_OF_A_NODE = {
    "available", "missed", "untaken_full", "untaken_bms", "untaken_cold", "untaken_limit", "untaken_pv_high",
    "untaken_off", "unserved", "faded", "inverter", "inverter_loss", "inverter_unserved", "charger_1_h", "charger_2_h",
    "charger_1_starts", "charger_2_starts",
}  # fmt: skip
BOOK = getattr(booking.book, "py_func", booking.book)  # a lone record stays in plain Python


def test_the_flows_of_the_node_are_those_of_the_table_that_are_not_made_from_others():
    assert set(Flows._fields) - {"inverter_dc"} == set(FLOW_NAMES) - NOT_OF_A_NODE
    assert len(set(FLOW_NAMES)) == len(FLOW_NAMES)


def test_each_flow_is_booked_under_its_own_name():
    books = empty_books()[0]
    mean = Flows(*(float(3 + j) for j in range(len(Flows._fields))))
    books.modes[Machine.CHARGER_2] = ChargerRun.CHARGE
    asked = NOTHING_ASKED._replace(demand_w=900.0, served_w=80.0, drawn_w=100.0)
    posts = Posts(100.0, CHARGER_OFF, CHARGER_OFF)
    inputs = held()._replace(p_mp_w=1000.0, called=True, wanted_w=77.0, asked=asked, posts=posts)
    BOOK(books, 1800.0, mean, at_first(12.0, 12.0)._replace(i_load_a=0.0, regime=Regime.OFF), inputs)
    expected = {name: 0.5 * value for name, value in mean._asdict().items() if name != "inverter_dc"}
    dc = mean.inverter_dc
    expected |= {"inverter": 0.4 * dc, "inverter_loss": 0.5 * (dc - 0.8 * dc), "charger_2_h": 0.5}
    expected |= {"inverter_unserved": 0.5 * (900.0 - 0.8 * dc)}
    expected |= {"available": 500.0, "untaken_off": 0.5 * (1000.0 - mean.pv), "unserved": 38.5}
    assert {name: books.today[name] for name in FLOW_NAMES if books.today[name] != 0.0} == expected


@pytest.mark.parametrize(
    ("regime", "name"),
    [
        (Regime.OFF, "untaken_off"),
        (Regime.TRACKING, "missed"),
        (Regime.CONSTANT_VOLTAGE, "untaken_full"),
        (Regime.LIMITED, "untaken_limit"),
    ],
)
def test_what_is_not_taken_goes_to_the_reason(regime, name):
    books = empty_books()[0]
    bus = at_first(12.0, 12.0)._replace(i_load_a=1.0, regime=regime)
    BOOK(books, 3600.0, Flows(*[0.0] * len(Flows._fields)), bus, held()._replace(p_mp_w=200.0))
    assert {n: books.today[n] for n in FLOW_NAMES if books.today[n]} == {"available": 200.0, name: 200.0}


def test_the_snapshot_shows_each_flow_of_the_table_and_no_other():
    """Of the whole days and of the one at hand."""
    p = plant()
    then = p.remembered()
    books = then.books[0]
    books.account.row[:] = 1000.0 * np.arange(1, len(FLOWS) + 1)
    books.today.row[:] = np.arange(1, len(FLOWS) + 1)
    p = Plant(p.site, then)
    p.clear_energy()  # has it show what there is now
    shown = {name: value for name, value in p.snapshot._asdict().items() if name.startswith("e_")}
    del shown["e_stored_wh"]
    expected = {f"e_{flow.name}_wh": 1001.0 * (k + 1) for k, flow in enumerate(FLOWS) if flow.unit == "Wh"}
    assert shown == pytest.approx(expected, rel=1e-9)


def test_meters_count_from_what_had_gone_through_when_they_began():
    p = plant()
    then = p.remembered()
    books = then.books[0]
    books.account.chg, books.account.load = 9000.0, 500.0
    books.metered_before.consumed = (100.0, 200.0, 300.0, 400.0)
    books.metered_before.generated = (1000.0, 2000.0, 3000.0, 4000.0)
    p = Plant(p.site, then)
    p.upset("probe_open")  # has it show what there is now
    names = [
        f"{meter}_{period}_kwh"
        for meter in ("generated", "consumed")
        for period in ("today", "month", "year", "total")
    ]
    shown = [getattr(p.snapshot, name) for name in names]
    assert shown == pytest.approx([8.0, 7.0, 6.0, 5.0, 0.4, 0.3, 0.2, 0.1], rel=1e-9)


@pytest.mark.parametrize(
    ("table", "names"),
    [("quantities", Quantities._fields), ("levels", SetPoints._fields), ("today", FLOW_NAMES)],
)
def test_a_number_is_found_by_name_and_by_place(table, names):
    record = empty_books()[0][table]
    record.row[:] = np.arange(len(names))
    assert [record[name] for name in names] == list(range(len(names)))


def test_each_transition_leaves_the_state_that_the_one_before_it_entered():
    p = plant(battery={"soc": 0.3})
    p.advance_to(p.t_utc_s + 3 * DAY)
    events = p.events()
    for machine in Machine:
        own = [event for event in events if event.machine is machine]
        assert all(before.to == after.from_ for before, after in pairwise(own)), machine
    assert sum(event.machine is Machine.CHARGE for event in events) > 5


def test_the_state_a_transition_left_is_read_from_the_log_not_from_the_rule():
    p = plant(battery={"soc": 0.3})
    p.advance_to(p.t_utc_s + DAY)
    then = p.remembered()
    number = next(k for k, event in enumerate(p.events()) if event.machine is Machine.CHARGE)
    then.books[0].events[number].from_state = 4
    assert Plant(p.site, then).events()[number].from_ == "FLOAT"


def test_the_log_of_transitions_begins_with_the_oldest():
    books = empty_books()[0]
    for number in range(EVENTS_KEPT + 3):
        books.events[number % EVENTS_KEPT] = float(number), 0, 0
    books.event_count = EVENTS_KEPT + 3
    assert transitions(books)["t_utc_s"].tolist() == list(range(3, EVENTS_KEPT + 3))
    books.event_count = 2
    assert len(transitions(books)) == 2


def test_the_words_of_a_flow_are_there_and_those_with_parts_stand_in_the_account():
    assert all(flow.meaning and flow.unit in {"Wh", "Ah", "h", ""} for flow in FLOWS)
    assert all(flow.label for flow in FLOWS if flow.depth >= 0)
    assert {f"e_{name}_wh" for name, flow in FLOW.items() if flow.unit == "Wh"} < set(Snapshot._fields)
