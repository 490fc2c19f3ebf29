"""What a little loss saves: the trade-off of cost and loss has the shape that others published.

A summer plant at Osijek that may lose 1, 5 and 10 % costs 24.9, 39.3 and 49.5 % less than one without any loss
(Energies 2025, 18, 5174, abstract): the first per cent saves 25 points, each of the next four 3.6, of the last five
2.0. Its parts and prices are not given, so only the order of these slopes is compared.
"""

from functools import partial

import pytest

from plant.weather.steps.making import sky_means
from tracertwin.sizing.choosing.inquiry import answered, inquiry_of
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.targets import targets_of
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.running import run_in_threads
from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis

AXES = (
    Axis(PV, (60, 75, 90, 105, 120, 150, 180, 220), "--pv"),
    Axis(BATTERY, (30, 40, 50, 65, 80), "--battery"),
)
LOSSES = (0.0, 0.01, 0.05, 0.1)
PUBLISHED_SAVED_PCT = (0.0, 24.9, 39.3, 49.5)


@pytest.fixture(scope="module")
def designs(tmp_path_factory) -> tuple[Judged, ...]:
    inquiry = inquiry_of("cabin", {}, AXES, 2, (1,), 3600, targets_of(0.01, None, None))
    run = partial(run_in_threads, threads=2, skies=sky_means)
    kept = KeptResults(tmp_path_factory.mktemp("kept"))
    return answered(inquiry, inquiry.judge(kept, run), whole_grid=True).designs


def cheapest(designs: tuple[Judged, ...], loss: float) -> float:
    return min(one.cost for one in designs if one.metrics["lolp"].value <= loss)


def slopes(saved_pct: list[float]) -> list[float]:
    """Points saved by each per cent of loss, from one loss to the next."""
    return [
        (b - a) / (100.0 * (at_b - at_a))
        for a, b, at_a, at_b in zip(saved_pct, saved_pct[1:], LOSSES, LOSSES[1:], strict=False)
    ]


def test_the_first_per_cent_of_loss_saves_most_and_each_further_one_less(designs):
    whole = cheapest(designs, 0.0)
    saved = [100.0 * (1.0 - cheapest(designs, loss) / whole) for loss in LOSSES]
    ours, theirs = slopes(saved), slopes(list(PUBLISHED_SAVED_PCT))
    assert theirs == sorted(theirs, reverse=True)
    assert ours == sorted(ours, reverse=True)
    assert ours[0] > 3.0 * ours[1] > 0.0
    assert saved[1] > 10.0
