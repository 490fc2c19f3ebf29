"""The controller's rules: every row, every state, and the ways a day goes."""

from pathlib import Path

import numpy as np
import pytest

from plant.controller import rules
from plant.controller.charger import (
    BARS_CHARGE,
    STATE_OF,
    STATES,
    WATCHED,
    Machine,
    Quantities,
    SetPoints,
    Stage,
    compensate,
)
from plant.controller.rules import RULES, Rule, When, compile_rules
from plant.controller.settings import TYPE_OF_NAME, checked, factory, setpoints_of


def setpoints(kind: str = "sealed", changed: dict | None = None, blocks: int = 1) -> SetPoints:
    new = factory(TYPE_OF_NAME[kind].code, 12 * blocks)
    return setpoints_of(checked(new._replace(**(changed or {}))), 12 * blocks)


@pytest.mark.parametrize(
    "rule", RULES, ids=lambda r: f"{r.machine.name}:{r.from_.name}-{r.to.name}:{r.reason}"
)
def test_every_rule_names_states_of_its_machine_and_things_that_exist(rule):
    states = STATES[rule.machine]
    assert isinstance(rule.from_, states)
    assert isinstance(rule.to, states)
    assert rule.from_ != rule.to
    assert rule.for_ in SetPoints._fields
    for when in rule.when:
        assert when.quantity in Quantities._fields
        assert when.setpoint in SetPoints._fields


@pytest.mark.parametrize("machine", list(Machine))
def test_no_state_is_a_trap_and_every_state_can_be_reached(machine):
    mine = [rule for rule in RULES if rule.machine is machine]
    for state in STATES[machine]:
        assert any(rule.from_ == state for rule in mine), f"{state.name} can't be left"
        assert any(rule.to == state for rule in mine), f"{state.name} can't be reached"


def test_quantities_that_are_states_stand_where_the_kernel_writes_them():
    assert Quantities._fields[WATCHED : WATCHED + len(STATE_OF)] == tuple(STATE_OF)


def test_what_ends_a_charge_also_keeps_the_next_from_beginning():
    """Else the charger would stop and start at the same instant for ever."""
    ends = {
        STATE_OF[when.quantity]
        for rule in RULES
        for when in rule.when
        if rule.machine is Machine.CHARGE and rule.to is Stage.NONE and when.quantity in STATE_OF
    }
    assert ends == set(BARS_CHARGE)


def test_a_misspelt_rule_is_refused_with_the_near_name():
    rule = Rule(Machine.CHARGE, Stage.BULK, Stage.BOOST, "x", (When("v_bat_v", ">=", "boost_v"),))
    with pytest.raises(ValueError, match="did you mean v_batt_v"):
        compile_rules([rule])


@pytest.mark.parametrize("kind", ["user", "sealed", "gel", "flooded", "lifepo4_4s", "lifepo4_8s"])
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


def test_the_page_of_rules_is_fresh():
    page = Path(__file__).parents[1] / "docs" / "stages.md"
    assert page.read_text(encoding="utf-8") == rules.markdown(), "run: python -m plant.controller.rules"
