"""Same site, same seed, same bytes, in this version as in those before: see `tests.golden_day`."""

from itertools import product
from typing import get_args

import pytest

from plant.array.day import AnyDay
from plant.battery import model as battery
from plant.remembered import Fidelity
from tests import golden_day
from tests.golden_day import FOLDER, POLLS
from tracertwin.assembly.forms import FORMS


def test_the_day_is_sampled_as_it_was() -> None:
    assert golden_day.trace_differences() == []


def test_the_same_happens_at_the_same_times() -> None:
    assert golden_day.event_differences() == []


def test_every_form_of_the_plant_ends_its_day_as_it_did() -> None:
    assert golden_day.end_differences() == []


@pytest.mark.parametrize("map_name", POLLS)
def test_every_reply_is_what_it_was(map_name: str) -> None:
    assert golden_day.transcript_differences(map_name) == []


def test_the_day_has_what_a_controller_lives_through() -> None:
    """So that the files hold more than a night: every stage but equalizing, the load cut off and back."""
    machines = [event.machine.name for event in golden_day.lived().events]
    assert {name: machines.count(name) for name in machines} == {
        "WARNING": 2, "LOAD": 2, "CHARGE": 5, "DAYLIGHT": 2,
    }  # fmt: skip


def test_every_form_that_a_site_can_have_is_compiled_and_kept() -> None:
    """Each chemistry at each fidelity, each tracker, each kind of array: a new one needs a line in `FORMS`."""
    made = [form() for form in FORMS.values()]
    chemistries, fidelities = get_args(battery.Parameters), get_args(Fidelity)
    assert len(chemistries) > 1
    assert {(type(p.site.battery.new()), p.fidelity) for p in made} == set(product(chemistries, fidelities))
    trackers = get_args(type(made[0].site.controller).model_fields["tracker"].annotation)
    assert {p.site.controller.tracker for p in made} == set(trackers)
    assert {type(p.last_step()[0].array) for p in made} == set(get_args(AnyDay))


def test_the_files_say_where_they_are_from_and_stay_small() -> None:
    for name in golden_day.texts():
        first = (FOLDER / name).read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# golden day: computed by TracerTwin ")
        assert (FOLDER / name).stat().st_size < 110_000  # light that leaps repeats itself less


@pytest.mark.parametrize(
    ("value", "digits", "unit"), [(123456.0, 6, 1.0), (0.00123456, 6, 1e-8), (-7.5, 2, 0.1), (0.0, 6, 0.0)]
)
def test_a_unit_of_the_last_digit(value: float, digits: int, unit: float) -> None:
    assert golden_day.unit_of_last_digit(value, digits) == pytest.approx(unit, rel=1e-12)
