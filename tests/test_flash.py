"""What the controller keeps without power."""

from datetime import date

import pytest

from plant.controller.clock import POWER_UP_S, DeviceClock
from plant.controller.flash import Flash
from plant.controller.settings import factory

NOON_S = 1_782_043_200


def flash(**changes: int) -> Flash:
    return Flash(factory(1, 12)._replace(**changes), DeviceClock("Europe/Zurich", 0.0, 0.0))


@pytest.mark.parametrize("at_power_up", [0, 1])
def test_after_a_power_cycle_the_load_is_as_set_for_power_up_and_test_mode_is_over(at_power_up):
    before = flash(load_on=1 - at_power_up, load_at_power_up=at_power_up, load_test=1, load_forced=1)
    after = before.after_power_cycle(NOON_S, clock_survives=True)
    assert after.settings == before.settings._replace(load_on=at_power_up, load_test=0, load_forced=0)
    assert (after.clock, after.days_since_equalize) == (before.clock, before.days_since_equalize)


def test_a_clock_without_a_battery_of_its_own_begins_again():
    assert flash().after_power_cycle(NOON_S, clock_survives=False).clock.shows_s(NOON_S) == POWER_UP_S


def test_equalizing_falls_due_after_so_many_midnights_and_is_counted_anew():
    now = flash(equalize_cycle_d=3)
    due = []
    for day in range(1, 8):
        now, equalizes = now.after_midnight(date(2026, 6, day), date(2026, 6, day + 1))
        due.append(equalizes)
    assert due == [False, False, True, False, False, True, False]
    assert now.days_since_equalize == 1


def test_a_clock_set_forward_counts_the_days_it_passed_over_and_set_back_none():
    ahead, _ = flash(equalize_cycle_d=9).after_midnight(date(2026, 6, 1), date(2026, 6, 5))
    back, _ = ahead.after_midnight(date(2026, 6, 5), date(2026, 6, 2))
    assert (ahead.days_since_equalize, back.days_since_equalize) == (4, 4)


def test_the_clock_is_set_to_a_time_or_right():
    wrong = flash().with_clock_set(NOON_S, 5.0)
    assert wrong.clock.shows_s(NOON_S + 10) == 15.0
    assert wrong.with_clock_set(NOON_S, None).clock.shows_s(NOON_S) == NOON_S + 2 * 3600  # summer time
