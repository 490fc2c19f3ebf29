"""What a UART's receiver makes of a line whose sender it doesn't agree with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.uart import levels, received, wired_and
from tests.frames import steady


@steady
@given(st.binary(max_size=40), st.floats(0.96, 1.04))
def test_clocks_within_four_percent_understand_each_other(data, bit):
    """The last sample is 9.5 bits after the edge: half a bit of slack is 5 %, as every UART's manual has it."""
    assert received(levels(data), bit) == data


@pytest.mark.parametrize("bit", [0.93, 1.07])
def test_clocks_seven_percent_apart_do_not(bit):
    data = bytes(range(256))
    assert received(levels(data), bit) != data


@pytest.mark.parametrize(
    ("times_as_fast", "seen"), [(1, 0x0D), (2, 0xE6), (4, 0x78), (8, 0x80), (10, 0x00), (32, 0x00)]
)
def test_carriage_return_looks_as_autobaud_tables_have_it(times_as_fast, seen):
    """How consoles find out the rate of a terminal: mail to the cctalk list, "CR for autobaud", R. and others."""
    assert received(levels(b"\r"), 1 / times_as_fast)[0] == seen


def test_line_that_stays_low_is_one_break():
    assert received([0] * 1000) == b"\0"


def test_line_that_rests_is_nothing():
    assert received([1] * 100) == received([]) == b""


def test_spike_shorter_than_half_a_bit_starts_no_character():
    """A bit of 115200 is a twelfth of one at 9600."""
    assert received([1, 0, 1, 1, *[1] * 100, *levels(b"\x55")], 12.0) == received(levels(b"\x55"), 12.0)


def test_character_with_a_low_stop_bit_is_given_out_and_the_line_must_rise_before_the_next():
    assert received([*levels(b"\x0f")[:-1], 0, 0, 0, 1, 1, *levels(b"A")]) == b"\x0fA"


@steady
@given(st.lists(st.integers(0, 1), max_size=400), st.floats(0.01, 100.0))
def test_no_more_characters_than_falling_edges(line, bit):
    edges = sum(not level and before for before, level in zip([1, *line], line, strict=False))
    assert len(received(line, bit)) <= edges


@steady
@given(st.binary(min_size=1, max_size=20), st.binary(max_size=20))
def test_of_two_that_send_in_step_the_zeros_win(one, other):
    size = min(len(one), len(other))
    both = received(wired_and(levels(one), levels(other)))
    assert both[:size] == bytes(a & b for a, b in zip(one, other, strict=False))
    assert wired_and(levels(one), levels(other)) == wired_and(levels(other), levels(one))
