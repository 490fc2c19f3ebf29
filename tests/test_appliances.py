"""Appliances by chance: inside their windows, never shorter than their minimum, as much as the list says."""

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from plant.load.appliances import list_day, units_on
from plant.load.lists import Appliance, ApplianceList, find_appliances

LISTS = sorted(path.stem for path in (config_dir() / "loads").glob("*.yaml"))
SATURDAY = int(np.datetime64("2026-02-21", "D").astype(int))
LAMP = {"name": "lamp", "power_w": 5.0, "windows_h": [[6, 8], [17.5, 23]], "use_min": 200}


def an_appliance(**changes) -> Appliance:
    return Appliance.model_validate({**LAMP, **changes})


def runs_of(on: np.ndarray) -> list[int]:
    """Lengths of the spells of being on."""
    return [len(list(spell)) for is_on, spell in groupby(on > 0) if is_on]


@st.composite
def appliances(draw):
    """One unit with two windows of some hours and a use that fits into them."""
    edges = sorted(draw(st.lists(st.integers(0, 96), min_size=4, max_size=4, unique=True)))
    windows = [[edges[0] / 4, edges[1] / 4], [edges[2] / 4, edges[3] / 4]]
    room = (edges[1] - edges[0] + edges[3] - edges[2]) * 15
    use = draw(st.integers(1, room))
    variability = draw(st.floats(0.0, min(room / use - 1.0, 0.9)))
    shortest = draw(st.integers(1, max(1, int(use * (1.0 - variability)))))
    longest = draw(st.integers(shortest, 1440))
    try:
        return an_appliance(
            windows_h=windows,
            use_min=use,
            variability=variability,
            minimum_on_min=shortest,
            maximum_on_min=longest,
        )
    except ValidationError:  # rounding at the edge of what fits
        return an_appliance()


@settings(max_examples=300, deadline=None)
@given(appliance=appliances(), seed=st.integers(0, 2**32))
def test_a_unit_keeps_to_its_windows_and_its_minimum(appliance, seed):
    on = units_on(appliance, np.random.default_rng(seed))
    allowed = np.zeros(1440, dtype=bool)
    for start, end in appliance.windows_min():
        allowed[start:end] = True
    assert not on[~allowed].any()
    assert set(np.unique(on)) <= {0.0, 1.0}
    assert all(run >= appliance.minimum_on_min for run in runs_of(on))
    assert on.sum() <= np.rint(appliance.use_min * (1.0 + appliance.variability))


@settings(max_examples=100, deadline=None)
@given(use=st.integers(10, 300), shortest=st.integers(1, 10), seed=st.integers(0, 2**32))
def test_a_unit_serves_its_whole_use_when_there_is_room(use, shortest, seed):
    on = units_on(an_appliance(use_min=use, minimum_on_min=shortest), np.random.default_rng(seed))
    assert on.sum() == use


def test_use_spreads_as_far_as_its_variability_and_no_further():
    lamp = an_appliance(variability=0.3, minimum_on_min=15)
    minutes = [units_on(lamp, np.random.default_rng(seed)).sum() for seed in range(400)]
    assert 140 <= min(minutes) < 150
    assert 250 < max(minutes) <= 260
    assert np.mean(minutes) == pytest.approx(200.0, abs=4 * 200 * 0.3 / np.sqrt(3 * 400))


@settings(max_examples=100, deadline=None)
@given(
    use=st.integers(150, 380),
    every=st.integers(30, 120),
    variability=st.floats(0.0, 0.2),
    seed=st.integers(0, 2**32),
)
def test_a_compressor_comes_on_once_in_every_cycle(use, every, variability, seed):
    """Two windows of 2 and 5.5 h; the runs differ by a minute at most and add up to the whole use."""
    appliance = an_appliance(use_min=use, every_min=every, variability=variability)
    on = units_on(appliance, np.random.default_rng(seed))
    assert abs(on.sum() - use) <= use * variability + 0.5
    shares = []
    for start, end, count in appliance.cycles():
        edges = start + (np.arange(count + 1) * (end - start)) // count
        pieces = [on[a:b] for a, b in pairwise(edges)]
        assert all(len(runs_of(piece)) == 1 for piece in pieces)
        shares += [piece.sum() - on.sum() * piece.size / 450 for piece in pieces]
    assert max(np.abs(shares)) <= 1.0
    assert not on[~np.isin(np.arange(1440), np.r_[360:480, 1050:1380])].any()


def test_cycles_of_several_windows_share_a_use_that_does_not_divide():
    """A third of 100 minutes falls into each window; the odd minute is not lost."""
    thirds = an_appliance(windows_h=[[0, 2], [8, 10], [16, 18]], use_min=100, every_min=120)
    on = units_on(thirds, np.random.default_rng(1))
    assert sorted(on.reshape(3, 480).sum(axis=1)) == [33, 33, 34]


def test_spells_are_no_longer_than_the_maximum():
    """Twenty minutes of at most four are five spells or more. What is left too short for a spell of its own may
    lengthen others, here by less than two minutes in all."""
    pump = an_appliance(use_min=20, minimum_on_min=2, maximum_on_min=4)
    for seed in range(50):
        on = units_on(pump, np.random.default_rng(seed))
        assert on.sum() == 20
        assert len(runs_of(on)) >= 5


def test_an_appliance_used_now_and_then_is_on_that_share_of_days():
    iron = an_appliance(probability=0.3)
    used = [units_on(iron, np.random.default_rng(seed)).any() for seed in range(1000)]
    assert np.mean(used) == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 1000))


def test_every_minute_of_a_window_may_see_use():
    """The beginning and the end of a window are used less than its middle, but they are used."""
    total = sum(units_on(an_appliance(minimum_on_min=5), np.random.default_rng(seed)) for seed in range(800))
    assert (total[360:480] > 0).all()
    assert (total[1050:1380] > 0).all()


def test_a_households_day_is_the_same_whenever_it_is_made():
    home = find_appliances("household_3")
    first = list_day(home, 1, 7, SATURDAY, 3).copy()
    list_day.cache_clear()
    for day in range(SATURDAY - 40, SATURDAY):
        list_day(home, 1, 7, day, 3)
    assert (list_day(home, 1, 7, SATURDAY, 3) == first).all()
    for seed, day, part in ((8, SATURDAY, 3), (7, SATURDAY + 1, 3), (7, SATURDAY, 4)):
        assert (list_day(home, 1, seed, day, part) != first).any()


def test_two_households_are_two_not_one_twice():
    home = find_appliances("household_2")
    two = list_day(home, 2, 1, SATURDAY, 1)
    one = list_day(home, 1, 1, SATURDAY, 1)
    assert (two >= one - 1e-9).all()
    assert ((two - one) != one).any()


def test_the_weekend_cabin_is_dark_until_friday():
    cabin = find_appliances("weekend_cabin")
    used = [list_day(cabin, 1, 1, day, 1).any() for day in range(SATURDAY - 5, SATURDAY + 2)]
    assert used == [False, False, False, False, True, True, True]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_uses_what_it_says(name):
    """A new list is tested by existing: 203 days are 29 weeks."""
    load = find_appliances(name)
    energy = [list_day(load, 1, 1, SATURDAY + day, 1).sum() / 60.0 for day in range(203)]
    assert np.mean(energy) == pytest.approx(load.mean_wh_day, rel=0.04)
    peaks = [list_day(load, 1, 1, SATURDAY + day, 1).max() for day in range(203)]
    all_on_w = sum(appliance.number * appliance.power_w for appliance in load.appliances)
    assert max(peaks) <= all_on_w * (1 + 1e-12)


REFUSED = [
    ({"windows_h": [[8, 6]]}, "a window must end after it begins"),
    ({"windows_h": [[6, 8], [8, 9]]}, "windows must follow one another with a gap"),
    ({"windows_h": []}, "must have at least 1 entry"),
    ({"windows_h": [[6, 25]]}, "less than or equal to 24"),
    ({"use_min": 460}, "the windows hold 450 min"),
    ({"use_min": 400, "variability": 0.2}, "up to 480 min"),
    ({"use_min": 20, "variability": 0.5, "minimum_on_min": 15}, "at most the shortest use, 10 min"),
    ({"minimum_on_min": 30, "maximum_on_min": 20}, "maximum_on_min must be at least minimum_on_min"),
    ({"use_min": 60, "every_min": 30, "minimum_on_min": 10}, "must be at most 4: 15 cycles a day"),
    ({"days": ["saturday"]}, "'mon', 'tue'"),
    ({"probability": 0.0}, "greater than 0"),
    ({"number": 1.5}, "integer"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_impossible_appliances_are_refused_in_words(change, words):
    with pytest.raises(ValidationError, match=words):
        an_appliance(**change)


def test_a_list_of_ones_own_tells_file_line_and_near_key(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: Mine\nappliances:\n  - name: lamp\n    power_w: 5\n    windows: [[6, 8]]\n    use_min: 30\n"
    )
    with pytest.raises(ProblemsError) as told:
        find_appliances(str(path))
    text = str(told.value)
    assert f"{path}:5: appliances[0].windows: unknown key (did you mean windows_h?)" in text
    assert "appliances[0].windows_h: missing" in text


def test_mean_energy_counts_number_days_and_probability():
    lamp = an_appliance(number=3, use_min=120, days=["sat", "sun"], probability=0.5)
    assert ApplianceList(title="x", appliances=(lamp,)).mean_wh_day == pytest.approx(3 * 5 * 2 * 0.5 * 2 / 7)
