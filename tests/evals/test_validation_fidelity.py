"""Two fidelities of one model, and its account of energy: the rows that are quick."""

import pytest

from validation import fidelity, plant_energy


@pytest.mark.parametrize("check", list(fidelity.some_days()), ids=lambda check: check.what)
def test_steps_of_sizing_agree_with_the_full_model(check):
    assert check.passes, f"{check.value:g} {check.unit}, in full {check.reference:g} +- {check.tolerance:g}"


@pytest.mark.parametrize("check", list(plant_energy.some_days()), ids=lambda check: check.what)
def test_no_energy_is_lost_from_the_account(check):
    assert check.passes, f"{check.value:g} left over"
