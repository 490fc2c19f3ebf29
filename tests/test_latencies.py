"""How long replies took, in little room."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.line.latencies import Latencies

TIMES = st.lists(st.floats(1e-6, 10.0), min_size=1, max_size=300)


def of(times_s: list[float]) -> Latencies:
    told = Latencies()
    for took_s in times_s:
        told.add(took_s)
    return told


@given(TIMES, st.sampled_from([0.1, 0.5, 0.9, 0.99, 0.999]))
def test_a_quantile_is_within_five_per_cent_of_numpys(times, share):
    exact = float(np.quantile(times, share, method="inverted_cdf"))
    assert exact * 0.999 <= of(times).quantile_s(share) <= exact * 1.05


@given(TIMES)
def test_the_longest_is_exact(times):
    assert of(times).summary_ms()["max"] == pytest.approx(1e3 * max(times), abs=1e-3)


def test_a_million_polls_need_no_more_room_than_a_hundred():
    told = of([10.0 ** (-6 + 7 * k / 1e5) for k in range(100_000)])  # 1 us to 10 s
    assert len(told.counts) < 400


def test_nothing_is_told_of_no_replies():
    assert Latencies().summary_ms() == {}
    assert math.isnan(Latencies().quantile_s(0.5))


def test_no_time_at_all_is_counted_too():
    assert of([0.0]).quantile_s(0.5) == 0.0
