"""Chance by (seed, stream, day): no history, no shared generator."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plant.base.chance import RandomStream, ar1, generator

days = st.integers(-20000, 60000)
seeds = st.integers(0, 2**63)


@given(seed=seeds, day=days)
def test_a_day_of_a_stream_is_always_the_same(seed, day):
    first, again = (generator(seed, RandomStream.CLOUDS, day).standard_normal(8) for _ in range(2))
    assert first.tobytes() == again.tobytes()


@given(seed=seeds, day=days)
def test_streams_days_and_seeds_are_apart(seed, day):
    drawn = [
        generator(*key).standard_normal(4).tobytes()
        for key in (
            (seed, RandomStream.CLOUDS, day),
            (seed, RandomStream.WIND, day),
            (seed, RandomStream.CLOUDS, day + 1),
            (seed + 1, RandomStream.CLOUDS, day),
        )
    ]
    assert len(set(drawn)) == 4


@given(seed=seeds, day=days, span=st.integers(1, 6), per_day=st.sampled_from([1, 24]))
def test_a_day_of_a_series_is_the_same_bits_alone_and_in_a_span(seed, day, span, per_day):
    whole = ar1(seed, RandomStream.WIND, day, span, 0.7, per_day)
    for i in range(span):
        alone = ar1(seed, RandomStream.WIND, day + i, 1, 0.7, per_day)
        assert alone.tobytes() == whole[i * per_day : (i + 1) * per_day].tobytes()


def test_series_is_standard_and_remembers_as_told():
    x = ar1(3, RandomStream.TEMPERATURE, 0, 6000, 0.7)
    assert abs(x.mean()) < 0.06
    assert abs(x.std() - 1.0) < 0.05
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1] - 0.7) < 0.03
