"""Batteries of every chemistry: what they all promise the plant, and what their files may say."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.base.clock import DAY_S
from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from plant.battery import acid, ageing, lithium
from plant.battery import model as battery
from plant.battery.bms import Bms, string_limits
from plant.battery.file import SYMBOLS, load_block, load_bms, nominal_v, read_block
from plant.battery.wear import Life
from plant.site.model import load_site
from tests.plants import plant
from validation.batteries import bath, hours_to, last, run, terminal_v
from validation.battery_steps import exact, grid_step

NAMES = sorted(path.stem for path in (config_dir() / "batteries").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_chemistry_makes_sense(name):
    """Tested by existing: a 12 V block rests between 11 and 15 V, fuller is higher, C/10 gives 0.95 of its capacity."""
    p = bath(name)
    v = nominal_v(p) / 12.0
    rested = [battery.source(battery.rested(s, 25.0, p), p).v_node_v for s in np.linspace(0.05, 1.0, 20)]
    assert 11.0 * v < rested[0] < rested[-1] < 15.0 * v
    assert np.all(np.diff(rested) > 0.0)
    rated = battery.rated_ah(p)
    assert hours_to(p, rated / 10.0, 10.5 * v) == pytest.approx(9.5, abs=0.8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blocks", [1, 2])
def test_a_scaled_battery_behaves_like_its_block(name, blocks):
    """Three times the capacity at three times the current, two blocks in series at twice the voltage."""
    block = bath(name)
    bank = battery.scaled(block, 3.0 * battery.rated_ah(block), blocks)
    i_a = -battery.rated_ah(block) / 10.0
    one = last(block, run(block, battery.rested(0.9, 25.0, block), i_a, 4 * 3600.0))
    many = last(bank, run(bank, battery.rested(0.9, 25.0, bank), 3.0 * i_a, 4 * 3600.0))
    assert terminal_v(many, 3.0 * i_a, bank) == pytest.approx(blocks * terminal_v(one, i_a, block), abs=2e-6)
    assert battery.soc(many, bank) == pytest.approx(battery.soc(one, block), abs=1e-8)
    full = battery.stored_wh(battery.rested(1.0, 25.0, bank), bank)
    assert full == pytest.approx(3 * blocks * battery.stored_wh(battery.rested(1.0, 25.0, block), block))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(
    fills=st.tuples(*[st.floats(0.06, 0.94)] * 3),
    i_a=st.floats(-50.0, 50.0),
    t_c=st.floats(-15.0, 50.0),
)
def test_terminal_power_is_what_is_stored_and_what_is_lost(name, fills, i_a, t_c):
    """At every instant, by differentiating the stored energy along the motion."""
    p = load_block(name)
    x = any_state(p, *fills, t_c)
    dx, lost = battery.rates(x, i_a, 20.0, p)
    h = 1e-3
    ahead, behind = battery.moved(x, h, dx, p), battery.moved(x, -h, dx, p)
    stored_w = 3600.0 * (battery.stored_wh(ahead, p) - battery.stored_wh(behind, p)) / (2 * h)
    losses = lost.ohmic_w + lost.polarisation_w + lost.side_w + lost.diffusion_w + lost.hysteresis_w
    scale = abs(terminal_v(x, i_a, p) * i_a) + abs(stored_w) + abs(losses) + 1.0
    assert terminal_v(x, i_a, p) * i_a == pytest.approx(stored_w + losses - lost.entropy_w, abs=2e-5 * scale)
    assert min(lost.ohmic_w, lost.polarisation_w, lost.side_w, lost.diffusion_w) >= 0.0


def any_state(p, a, b, c, t_c):
    """A state from three numbers between 0 and 1."""
    if isinstance(p, acid.LeadAcid):
        return acid.LeadAcidState(
            a * p.available_fraction * p.full_capacity_ah,
            b * (1 - p.available_fraction) * p.full_capacity_ah,
            p.cells * (1.95 + 0.45 * c),
            p.cells * (0.08 * c - 0.02),
            t_c,
        )
    return type(battery.rested(0.5, t_c, p))(a, 2 * b - 1, 0.1 * c, 0.1 - 0.1 * c, t_c)


@pytest.mark.parametrize("name", ["agm", "lifepo4"])
def test_plain_python_and_compiled_code_agree(name):
    p = load_block(name)
    module = battery.CHEMISTRIES[type(p)]
    x = any_state(p, 0.4, 0.6, 0.5, 12.0)
    for i_a in (-7.0, 0.0, 9.0):
        plain, plain_lost = module.rates.py_func(x, i_a, 20.0, p)
        fast, fast_lost = battery.rates(x, i_a, 20.0, p)
        assert tuple(fast) == pytest.approx(tuple(plain), rel=1e-12)
        assert tuple(fast_lost) == pytest.approx(tuple(plain_lost), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_every_grid_point_after_a_jump_of_the_current_is_within_a_millivolt(name):
    """From half the capacity an hour out to 0.4 in and back: the hardest seconds for the step rule."""
    p = load_block(name)
    x = y = battery.rested(0.6, 25.0, p)
    for i_a in (-50.0, 40.0, -50.0):
        for _ in range(6):
            x, y = grid_step(x, i_a, 25.0, p)[0], exact(y, i_a, 25.0, p, 5.0)
            assert terminal_v(x, i_a, p) == pytest.approx(terminal_v(y, i_a, p), abs=1e-3)


# Frost


def test_weak_acid_freezes_and_blocks_the_current_strong_acid_does_not():
    p = load_block("flooded")
    empty, full = battery.rested(0.1, -10.0, p), battery.rested(1.0, -10.0, p)
    assert battery.frozen(empty, p)
    assert not battery.frozen(full, p)
    ratio = battery.source(empty, p).r_charge_ohm / battery.source(full, p).r_charge_ohm
    assert ratio == pytest.approx(50.0)


def test_ice_is_where_the_acid_is_weak_at_the_electrode():
    """After a hard discharge the available well is empty while the bound one is full."""
    p = load_block("flooded")
    x = acid.LeadAcidState(
        0.1 * p.available_fraction * p.full_capacity_ah,
        0.9 * (1 - p.available_fraction) * p.full_capacity_ah,
        12.0,
        0.0,
        -10.0,
    )
    assert battery.frozen(x, p)
    assert not battery.frozen(
        x._replace(
            q1_ah=0.9 * p.available_fraction * p.full_capacity_ah,
            q2_ah=0.1 * (1 - p.available_fraction) * p.full_capacity_ah,
        ),
        p,
    )


def test_ice_grows_without_a_jump_of_the_resistance():
    p = load_block("flooded")
    at = acid.freezing_point_c(0.3, p)
    r = [
        battery.source(battery.rested(0.3, t_c, p), p).r_charge_ohm
        for t_c in np.arange(at + 0.5, at - 1.5, -0.01)
    ]
    liquid = [p.r0_ohm * np.exp(-0.012 * (t_c - 25.0)) for t_c in (at + 0.5, at - 1.5)]
    assert r[0] == pytest.approx(liquid[0])
    assert r[-1] == pytest.approx(50.0 * liquid[1], rel=0.01)
    assert np.all(np.diff(r) > 0.0)
    assert np.max(np.diff(r)) < 0.02 * r[-1]


def test_acid_freezes_the_colder_the_fuller_the_battery():
    p = load_block("agm")
    points = [acid.freezing_point_c(h, p) for h in np.linspace(-0.1, 1.2, 100)]
    assert np.all(np.diff(points) <= 0.0)
    assert -59.0 <= points[-1] < points[0] <= 0.0


def test_lithium_never_freezes():
    p = load_block("lifepo4")
    assert not battery.frozen(battery.rested(0.0, -60.0, p), p)


# Age and capacity


@pytest.mark.parametrize("name", NAMES)
def test_a_worn_battery_is_as_full_as_before_and_holds_less(name):
    new = load_block(name)
    worn = battery.aged(new, 0.2, 0.25)
    x = battery.rested(0.8, 25.0, new)
    carried = battery.carried_over(x, new, worn)
    assert battery.soc(carried, worn) == pytest.approx(battery.soc(x, new))
    assert battery.source(carried, worn).v_node_v == pytest.approx(battery.source(x, new).v_node_v)
    assert battery.stored_wh(carried, worn) < 0.85 * battery.stored_wh(x, new)
    empty_v = 10.5 * nominal_v(new) / 12.0
    lasts_h = hours_to(worn._replace(heat_capacity_j_k=1e15), 20.0, empty_v)
    assert lasts_h < 0.82 * hours_to(bath(name), 20.0, empty_v)


# Files


def problem_lines(error):
    return [str(problem) for problem in error.value.problems]


def changed(tmp_path, name, old, new):
    text = (config_dir() / "batteries" / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [("agm", "full_capacity_ah: 108.5", "full_capacity_ah: -113", "full_capacity_ah: must be above 0, got -113"),
     ("agm", "charge_diffusion_ratio: 2.4", "charge_diffusion_ratio: fast",
      "charge_diffusion_ratio: must be a number, got 'fast'"),
     ("agm", "cells: 6", "cells: 6.5", "cells: must be a whole number, got 6.5"),
     ("agm", "vented: 0.0", "vented: 1.5", "vented: must not be above 1, got 1.5"),
     ("agm", "diffusion_rate_per_h: 0.639", "diffusion_rate: 0.639", "diffusion_rate_per_h: missing"),
     ("agm", "depletion_strength: ", "md: ", "md: unknown key (did you mean depletion_strength?)"),
     ("gel", "full_capacity_ah: ", "q_ah: ", "q_ah: unknown key (did you mean full_capacity_ah?)"),
     ("lifepo4", "coulombic_efficiency: ", "eta: ", "eta: unknown key (did you mean coulombic_efficiency?)"),
     ("agm", "life_full_cycles: 500", "life_full_cycle: 500",
      "life_full_cycle: unknown key (did you mean life_full_cycles?)"),
     ("gel", "family: lead_acid", "family: led_acid",
      "must be one of lead_acid, lithium_iron_phosphate, got 'led_acid'"),
     ("lifepo4", "coulombic_efficiency: 0.998 ", "coulombic_efficiency: 1.2 ",
      "coulombic_efficiency: must not be above 1, got 1.2"),
     ("lifepo4", "bms_over_charge_v_cell: 3.65", "bms_over_charge_v_cell: 3.4",
      "bms_over_charge_release_v_cell: must not be above bms_over_charge_v_cell, got 3.45 and 3.4"),
     ("lifepo4", "full_capacity_ah: 100", "full_capacity_ah: .inf", "full_capacity_ah: must be finite, got inf")],
)  # fmt: skip
def test_a_bad_battery_file_says_what_is_wrong(tmp_path, name, old, new, told):
    with pytest.raises(ProblemsError) as error:
        load_block(changed(tmp_path, name, old, new))
    assert any(told in line for line in problem_lines(error))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_each_symbol_of_a_formula_leads_to_a_key_that_there_is(symbol):
    families = {
        *acid.LeadAcid._fields,
        *lithium.Lithium._fields,
        *(f"life_{key}" for key in Life._fields),
    }
    assert SYMBOLS[symbol] in families
    assert symbol not in families


def test_what_a_maker_promises_may_be_left_out(tmp_path):
    path = changed(tmp_path, "agm", "life_full_cycles: 500", "#")
    assert read_block(path).life.full_cycles == 600.0


def test_a_running_plant_no_longer_needs_its_battery_file(tmp_path):
    """It ages by what it began with, and takes settings, though the file has changed and then gone."""
    path = changed(tmp_path, "agm", "life_full_cycles: 500", "life_full_cycles: 400")
    p = plant(battery={"model": path, "ageing": "weighted_ah"})
    changed(tmp_path, "agm", "full_capacity_ah: 108.5", "full_capacity_ah: 57")
    p.advance_to(p.t_utc_s + DAY_S)
    assert 0.99 < p.health < 1.0
    Path(path).unlink()
    p.configure(p.settings)
    p.advance_to(p.t_utc_s + DAY_S)


def test_lead_acid_has_no_protection_of_its_own():
    assert load_bms("agm", 200.0) == Bms()
    assert Bms().over_charge_v_cell == math.inf


def test_limits_of_a_lithium_bank_add_up():
    """200 Ah at 24 V: twice the voltages, 1.5C of current."""
    limits = load_bms("lifepo4", 200.0)
    assert string_limits(limits, 8.0, False) == (8.0 * 3.65, 8.0 * 3.45, 20.0, 24.0)
    assert (limits.over_current_a, limits.over_current_s) == (300.0, 10.0)
    assert (limits.charge_min_c, limits.charge_max_c, limits.resume_k) == (0.0, 45.0, 5.0)


# The site's record


def cabin_battery(**changes):
    return type(load_site("cabin").battery).model_validate(
        {**load_site("cabin").battery.model_dump(), **changes}
    )


def test_a_bank_has_as_many_blocks_in_series_as_its_voltage_takes(tmp_path):
    half = changed(tmp_path, "flooded", "cells: 6", "cells: 3")
    for system_v, cells in ((12, 6.0), (24, 12.0)):
        bank = cabin_battery(model=half, system_v=system_v).new()
        assert (bank.cells, bank.full_capacity_ah) == (cells, 119.0)
        assert bank.r0_ohm == 2.0 * cabin_battery(model="flooded", system_v=system_v).new().r0_ohm


@pytest.mark.parametrize(("cells", "system_v"), [("4", 12), ("5", 24), ("12", 12), ("7", 24)])
def test_blocks_that_make_no_bank_of_that_voltage_are_refused(tmp_path, cells, system_v):
    path = changed(tmp_path, "flooded", "cells: 6", f"cells: {cells}")
    with pytest.raises(
        ValueError, match=f"blocks of {cells} cells cannot make a {system_v} V bank, which has "
    ):
        cabin_battery(model=path, system_v=system_v)


def test_a_block_for_24_v_is_a_bank_of_24_v_alone(tmp_path):
    path = changed(tmp_path, "lifepo4", "cells: 4", "cells: 8")
    assert cabin_battery(model=path, system_v=24).new().cells == 8.0


def test_health_takes_capacity_and_adds_resistance():
    new, old = cabin_battery(), cabin_battery(health=0.8)
    assert old.parameters().full_capacity_ah == pytest.approx(0.8 * new.parameters().full_capacity_ah)
    assert old.parameters().r0_ohm == pytest.approx(new.parameters().r0_ohm / 0.8)
    assert old.new() == new.parameters()


@pytest.mark.parametrize(
    ("model", "law"), [("agm", "weighted_ah"), ("gel", "rainflow"), ("lifepo4", "naumann")]
)
def test_a_law_of_ageing_starts_where_the_health_says(model, law):
    bank = cabin_battery(model=model, ageing=law, health=0.9)
    lost = ageing.loss(bank.age(), bank.life())
    assert lost.q_loss == pytest.approx(0.1)
    assert ageing.aged(bank.new(), lost) == pytest.approx(bank.parameters())


def test_a_battery_that_does_not_age_has_no_age():
    assert cabin_battery().age() is None


@pytest.mark.parametrize(
    ("model", "law"), [("agm", "naumann"), ("lifepo4", "weighted_ah"), ("lifepo4", "rainflow")]
)
def test_a_law_of_another_family_is_refused(model, law):
    with pytest.raises(ValueError, match=f"{law} does not apply to {model}; use"):
        cabin_battery(model=model, ageing=law)
