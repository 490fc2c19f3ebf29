"""The controller's rules: every row, every state, and the ways a day goes."""

import numpy as np
import pytest

from plant.controller.charger import (
    FLAGS,
    STATES,
    Heat,
    Machine,
    Quantities,
    SetPoints,
    Stage,
    compensate,
)
from plant.controller.rows import Effect, Is, IsNot, When, rule
from plant.controller.rules import RULES
from plant.controller.setpoints import gauge_ends_v, setpoints_of
from plant.controller.settings import TYPE_OF_NAME, checked, factory
from plant.kernel.columns import QUANTITIES, compile_rules
from tests.golden_day import CHANGES, SEED, START_UTC_S
from tests.plants import plant
from tracertwin.pages import stages


def setpoints(kind: str = "sealed", changed: dict | None = None, blocks: int = 1) -> SetPoints:
    new = factory(TYPE_OF_NAME[kind].code, 12 * blocks)
    return setpoints_of(checked(new._replace(**(changed or {}))), 12 * blocks)


@pytest.mark.parametrize(
    "row", RULES, ids=lambda r: f"{r.machine.name}:{'-'.join(s.name for s in r.from_)}-{r.to.name}:{r.reason}"
)
def test_every_rule_names_states_of_its_machine_and_can_be_compiled(row):
    states = STATES[row.machine]
    assert row.from_
    assert all(isinstance(state, states) for state in (*row.from_, row.to))
    assert row.to not in row.from_
    assert row.when
    compile_rules([row])


@pytest.mark.parametrize("machine", list(Machine))
def test_no_state_is_a_trap_and_every_state_can_be_reached(machine):
    mine = [row for row in RULES if row.machine is machine]
    for state in STATES[machine]:
        assert any(state in row.from_ for row in mine), f"{state.name} can't be left"
        assert any(row.to == state for row in mine), f"{state.name} can't be reached"


def test_every_quantity_and_every_effect_is_in_some_rule():
    compiled = compile_rules(RULES)
    assert set(compiled.subject[compiled.subject < QUANTITIES].tolist()) == set(range(QUANTITIES))
    assert {row.effect for row in RULES} == set(Effect)


def test_the_kernel_finds_the_rules_that_leave_a_state_in_their_order():
    compiled = compile_rules(RULES)
    for machine in Machine:
        for state in STATES[machine]:
            begin, end = compiled.first_leaving[machine, state : state + 2]
            mine = [n for n, row in enumerate(RULES) if row.machine is machine and state in row.from_]
            assert compiled.leaving[begin:end].tolist() == mine


def test_what_ends_a_charge_also_keeps_the_next_from_beginning():
    """Else the charger would stop and start at the same instant for ever."""
    charge = [row for row in RULES if row.machine is Machine.CHARGE]
    ends = {when for row in charge if row.to is Stage.NONE for when in row.when if isinstance(when, Is)}
    (begins,) = (row for row in charge if Stage.NONE in row.from_)
    assert len(ends) == 7
    assert {IsNot(*end) for end in ends} == {when for when in begins.when if isinstance(when, IsNot)}


BULK_TO_BOOST = (Machine.CHARGE, Stage.BULK, Stage.BOOST, "x")


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (When("v_bat_v", ">=", "boost_v"), "did you mean v_batt_v"),
        (When("v_batt_v", ">=", "bost_v"), "did you mean boost_v"),
        (When("v_batt_v", ">", "boost_v"), ">= and < compare"),
        (When("retries", ">=", 1.0), "for flags and counts there is Is"),
        (Is("load_caled"), "did you mean load_called"),
        (IsNot("retries", 2), "IsNot is for machines and flags"),
        (Is(Machine.PV_VOLTAGE, Heat.HOT), "not a state of PV_VOLTAGE"),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused(condition, told):
    with pytest.raises(ValueError, match=told):
        compile_rules([rule(*BULK_TO_BOOST, condition)])


def test_a_dwell_that_is_no_set_point_is_refused_with_the_near_name():
    with pytest.raises(ValueError, match="did you mean stop_s"):
        compile_rules([rule(*BULK_TO_BOOST, Is("load_called"), for_="stops_s")])


@pytest.mark.parametrize("kind", TYPE_OF_NAME)
def test_factory_setpoints_are_in_order(kind):
    s = setpoints(kind)
    assert s.boost_v >= s.float_v > s.boost_reconnect_v > s.low_voltage_disconnect_v


def test_sealed_setpoints_are_the_manuals():
    assert setpoints()[:12] == (16.0, 15.0, 15.0, 14.6, 14.4, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6)


def test_24_v_system_doubles_every_voltage():
    assert setpoints(blocks=2)[:12] == tuple(2 * v for v in setpoints()[:12])
    assert setpoints(blocks=2).night_v == 10.0


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"boost_v": 14.7}, "equalize_v"), ({"float_v": 14.5}, "boost_v"), ({"boost_reconnect_v": 13.8}, "float_v"),
     ({"low_voltage_disconnect_v": 12.6}, "low_voltage_reconnect_v"),
     ({"discharging_limit_v": 11.2}, "discharging_limit_v")],
)  # fmt: skip
def test_setpoints_out_of_order_are_refused(changed, named):
    with pytest.raises(ValueError, match=named):
        setpoints(changed=changed)


def at(t_batt_c: float) -> SetPoints:
    """Set-points at a battery temperature."""
    levels = np.empty(len(SetPoints._fields))
    compensate(np.array(setpoints()), t_batt_c, levels)
    return SetPoints(*levels)


def test_charge_voltages_fall_with_battery_temperature():
    """-3 mV per K and cell: 15 K above 25 degC lowers six cells by 0.27 V."""
    s = at(40.0)
    assert (s.equalize_v, s.boost_v, s.float_v) == pytest.approx((14.33, 14.13, 13.53))
    assert s[6:] == setpoints()[6:]


def test_cold_batteries_are_never_charged_above_the_limit():
    s = at(-20.0)
    assert s.boost_v == s.charging_limit_v == 15.0


def test_nor_does_the_gauge_count_to_above_the_limit():
    high = factory(TYPE_OF_NAME["sealed"].code, 12)._replace(equalize_v=14.8, boost_v=14.8, float_v=14.6)
    assert gauge_ends_v(high, 12, 25.0) == (11.1, 14.6)
    assert gauge_ends_v(high, 12, -20.0) == (11.1, 15.0)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_release_on_the_wrong_side_acts_as_far_behind_its_trip_as_in_a_new_unit(blocks):
    new = factory(TYPE_OF_NAME["user"].code, 12 * blocks)
    swapped = new._replace(
        over_voltage_disconnect_v=new.over_voltage_reconnect_v,
        over_voltage_reconnect_v=new.over_voltage_disconnect_v,
        under_voltage_warning_v=new.under_voltage_recover_v,
        under_voltage_recover_v=new.under_voltage_warning_v,
        low_voltage_disconnect_v=new.low_voltage_reconnect_v,
        low_voltage_reconnect_v=new.low_voltage_disconnect_v,
        device_hot_c=new.device_cool_c, device_cool_c=new.device_hot_c,
    )  # fmt: skip
    s = setpoints_of(swapped, 12 * blocks)
    assert s.over_voltage_reconnect_v == pytest.approx(14.0 * blocks)
    assert s.under_voltage_recover_v == pytest.approx(12.4 * blocks)
    assert s.low_voltage_reconnect_v == pytest.approx(14.1 * blocks)
    assert (s.heatsink_hot_c, s.heatsink_cool_c) == (75.0, 65.0)


@pytest.mark.parametrize(
    ("code", "kind", "range_v"),
    [(1, "sealed", (8.0, 18.0)), (2, "sealed", (16.0, 36.0)), (0, "lifepo4_8s", (16.0, 36.0)),
     (1, "lifepo4_8s", (16.0, 18.0)), (0, "sealed", (-np.inf, np.inf))],
)  # fmt: skip
def test_a_battery_is_of_the_system_that_both_code_and_type_say(code, kind, range_v):
    s = setpoints_of(factory(TYPE_OF_NAME[kind].code, 12)._replace(system_code=code), 12)
    assert (s.system_low_v, s.system_high_v) == range_v


def test_dusk_and_dawn_have_minutes_of_their_own_and_a_second_at_least():
    s = setpoints(changed={"night_min": 7, "day_min": 3})
    assert (s.night_s, s.day_s) == (420.0, 180.0)
    s = setpoints(changed={"night_min": 0, "day_min": 0})
    assert (s.night_s, s.day_s) == (1.0, 1.0)


def test_gel_is_never_equalized():
    assert (setpoints("gel").equalize_s, setpoints("flooded").equalize_s) == (0.0, 7200.0)


def test_float_ends_half_a_minute_after_the_battery_is_pulled_below_boost_reconnect():
    """13.2 V, and 30 s of it (a guess, see `SetPoints.reconnect_s`), on the grid of 5 s; the golden day's evening."""
    p = plant(SEED, START_UTC_S, **CHANGES)
    p.advance_to(START_UTC_S + 18 * 3600)
    before = p.run(4 * 3600, 5)
    t_utc_s, stage, v_batt_v = (
        before[:, p.snapshot._fields.index(n)] for n in ("t_utc_s", "stage", "v_batt_v")
    )
    ended_s = next(event.t_utc_s for event in p.events() if (event.from_, event.to) == ("FLOAT", "BULK"))
    last_above_s = t_utc_s[(stage == Stage.FLOAT) & (v_batt_v >= 13.2)].max()
    assert 30.0 <= ended_s - last_above_s <= 35.0


def test_the_page_of_rules_is_fresh():
    assert stages.PAGE.read_text(encoding="utf-8") == stages.page(), "run: python -m tracertwin.pages.stages"


def test_the_page_has_one_line_for_each_rule_and_words_for_each_quantity():
    lines = [
        line for line in stages.page().splitlines() if line.startswith("| ") and "| reason |" not in line
    ]
    assert len(lines) == len(RULES)
    assert set(stages.WORDS) == set(Quantities._fields)
    assert set(stages.DOWN) == set(FLAGS)
    assert set(stages.EFFECTS) == set(Effect)
    assert (
        "| bulk, boost, equalize, float | none | battery over-voltage | [over voltage](#over-voltage) is tripped "
        "| at once |  |"
    ) in lines


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [(14.4, "v", "14.4 V"), (-40.0, "c", "-40 °C"), (30.0, "s", "30 s"), (600.0, "s", "10 min"),
     (90.0, "s", "90 s"), (7200.0, "s", "2 h"), (1.35, "share", "1.35")],
)  # fmt: skip
def test_numbers_on_the_page_are_in_units_that_people_use(value, unit, told):
    assert stages.with_unit(value, unit) == told
