"""What is varied: words of the command line as axes, axes as designs, and a clear word about what can't be."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.base.problems import ProblemsError
from plant.site.model import load_site
from tracertwin.sizing.sweep.designs import array_of, base_of, designs_of, peak_w
from tracertwin.sizing.sweep.vary import (
    BATTERY,
    PV,
    Axis,
    check_axes,
    parse_axis,
    parse_numbers,
    parse_override,
    parse_values,
)

# --- words ---


def test_prices_are_told_without_the_unit_that_their_names_end_in():
    assert Axis("costs.module_per_w", (0.3,)).formatted(0.3) == "0.3"
    assert Axis("controller.setpoints.float_v", (13.6,)).formatted(13.6) == "13.6 V"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1:6", (1, 2, 3, 4, 5, 6)),
        ("50:400:50", (50, 100, 150, 200, 250, 300, 350, 400)),
        ("200:450:100", (200, 300, 400)),
        ("0.1:0.4:0.1", (0.1, 0.2, 0.3, 0.4)),
        ("60,30,45", (30, 45, 60)),
        ("agm,lifepo4", ("agm", "lifepo4")),
        ("marion,0.1", ("marion", 0.1)),
        ("12", (12,)),
        ("[1, 2],[3, 4]", ([1, 2], [3, 4])),
        ("true,false", (True, False)),
    ],
)
def test_values_are_a_range_with_both_ends_or_a_list(text, values):
    assert parse_values(text) == values


def test_the_values_of_a_range_that_counts_things_are_whole_numbers():
    assert all(type(value) is int for value in parse_values("1:6"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("400:50", "'400:50' ends before it begins; write 50:400"),
        ("400:50:10", "write 50:400:10"),
        ("50:400:0", "its step must be above 0"),
        ("50:400:-50", "its step must be above 0"),
        ("0:1:0.0001", "more than 1,000 values"),
        ("1:2:1e-99999999", "more than 1,000 values"),
        ("1:1e99999999999999999999", "numbers go up to 1e+09"),
        ("1:1e400", "numbers go up to 1e+09"),
        ("1,1e400", "numbers go up to 1e+09"),
        ("1,,2", "has an empty value in it"),
        ("", "has an empty value in it"),
        ("1,2,1", "has 1 twice"),
        ("1:x:2", "is not a range of numbers"),
        ("[1, 2", "is not a value that a site file could have"),
    ],
)
def test_values_that_make_no_sense_are_told(text, told):
    with pytest.raises(ValueError, match=r"(?s).*") as error:
        parse_values(text)
    assert told in str(error.value)


@given(first=st.integers(-50, 50), steps=st.integers(0, 30), by=st.sampled_from([1, 5, "0.1", "2.5", "1e1"]))
def test_a_range_has_its_first_value_even_steps_and_none_beyond_its_last(first, steps, by):
    last = first + steps
    values = parse_values(f"{first}:{last}:{by}")
    assert values[0] == first
    assert values[-1] <= last < values[-1] + float(by) + 1e-9
    assert all(b - a == pytest.approx(float(by)) for a, b in pairwise(values))


def test_watts_and_ampere_hours_have_to_be_numbers_above_0():
    assert parse_numbers("100,200") == (100, 200)
    for text in ("agm", "0:100:50", "-5"):
        with pytest.raises(ValueError, match="must be numbers above 0"):
            parse_numbers(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("battery.sco=1:3", "unknown key sco of battery (did you mean soc?)"),
        ("arry.parallel=1:3", "unknown key arry (did you mean array?)"),
        ("array.parallel", "lacks a key or its values"),
        ("array.parallel=", "lacks a key or its values"),
    ],
)
def test_a_key_that_a_site_does_not_have_is_told_with_a_near_one(text, told):
    with pytest.raises(ValueError, match=r"(?s).*") as error:
        parse_axis(text)
    assert told in str(error.value)


def test_an_override_is_a_value_as_it_would_stand_in_the_file():
    assert parse_override("battery.capacity_ah=200") == ("battery.capacity_ah", 200)
    assert parse_override("array.tilt_deg=[5, 5, 10, 20, 30, 35, 35, 25, 15, 5, 5, 5]")[1][4] == 30
    assert parse_override("location.timezone=Europe/Zurich") == ("location.timezone", "Europe/Zurich")


def test_what_is_varied_twice_is_refused():
    with pytest.raises(ValueError, match=r"battery\.capacity_ah is varied twice"):
        check_axes([Axis(BATTERY, (1,)), parse_axis("battery.capacity_ah=1:2")])
    with pytest.raises(ValueError, match=r"both say how many modules there are"):
        check_axes([Axis(PV, (1,)), parse_axis("array.parallel=1:2")])


def test_only_modules_and_battery_have_a_sense():
    assert [parse_axis(text).sense for text in ("array.parallel=1:2", "load.scale=1,2", "array.tilt_deg=1,2")] == [
        1, -1, 0,
    ]  # fmt: skip


# --- designs ---


def test_designs_are_every_combination_the_first_axis_slowest():
    axes = [parse_axis("array.parallel=1:2"), parse_axis("battery.model=agm,gel")]
    designs = designs_of(base_of("cabin", {}), axes)
    assert [design.values for design in designs] == [(1, "agm"), (1, "gel"), (2, "agm"), (2, "gel")]
    assert [(d.site.array.parallel, d.site.battery.model) for d in designs] == [d.values for d in designs]


def test_an_override_holds_for_every_design_and_an_axis_goes_before_it():
    base = base_of("cabin", {"battery.soc": 0.3, "array.parallel": 5})
    designs = designs_of(base, [parse_axis("array.parallel=1:2")])
    assert {design.site.battery.soc for design in designs} == {0.3}
    assert [design.site.array.parallel for design in designs] == [1, 2]


@pytest.mark.parametrize("site", ["cabin", "repeater", "clinic", "farm", "motorhome", "schoolhouse"])
@pytest.mark.parametrize("times", [0.3, 1.0, 1.7, 4.0])
def test_watts_are_those_on_the_plates_whatever_the_site_s_modules_and_planes(site, times):
    before = load_site(site)
    watts = times * peak_w(before)
    after = base_of(site, {}).design([Axis(PV, (watts,))], [watts]).site
    assert peak_w(after) == pytest.approx(watts)
    for old, new in zip(before.array.parts, after.array.parts, strict=True):
        assert (new.series, new.tilt_deg) == (old.series, old.tilt_deg)
        assert new.rated_w / old.rated_w == pytest.approx(times)
        assert new.module_parameters().v_oc_ref == old.module_parameters().v_oc_ref


def test_whole_modules_of_the_kind_stay_the_kind_and_others_are_of_a_near_size():
    cabin = load_site("cabin")
    assert array_of(cabin, peak_w(cabin) * 3) == {"array.parallel": 3}
    changes = array_of(cabin, 400.0)
    assert changes["array.parallel"] == 4  # of 100 W, in place of 95
    module = changes["array.module"]["parameters"]
    assert module["i_mp_ref"] * module["v_mp_ref"] == pytest.approx(100.0)


def test_every_value_that_a_site_can_not_have_is_told_once_with_its_option():
    axes = [parse_axis("array.parallel=0:2"), parse_axis("array.tilt_deg=30,95")]
    with pytest.raises(ProblemsError) as error:
        designs_of(base_of("cabin", {"battery.soc": 0.5}), axes)
    told = [str(problem) for problem in error.value.problems]
    assert [text.partition(": ")[0] for text in told] == [
        "--vary array.parallel=0",
        "--vary array.tilt_deg=95",
    ]


def test_a_key_that_is_no_number_takes_names_and_refuses_others():
    with pytest.raises(ProblemsError, match=r"--vary battery\.model=agn: .*did you mean agm"):
        designs_of(base_of("cabin", {}), [parse_axis("battery.model=agm,agn")])
    with pytest.raises(ProblemsError, match=r"--vary name=1: input should be a valid string, got 1"):
        designs_of(base_of("cabin", {}), [parse_axis("name=1")])


def test_an_override_that_does_not_fit_is_told_as_one():
    with pytest.raises(
        ProblemsError, match=r"--override battery\.soc=1\.4: input should be less than or equal to 1"
    ):
        base_of("cabin", {"battery.soc": 1.4}).design()
    with pytest.raises(
        ProblemsError, match=r"--override load\.items\[3\]\.name=x: the site has nothing there"
    ):
        base_of("cabin", {"load.items[3].name": "x"}).design()


def test_too_many_designs_are_refused_before_they_are_made():
    axes = [Axis(f"k{n}", tuple(range(1000))) for n in range(2)]
    with pytest.raises(ProblemsError, match="1,000,000 designs are too many; at most 100,000"):
        designs_of(base_of("cabin", {}), axes)


@pytest.mark.parametrize("key", ["seed", "start"])
def test_what_all_designs_have_in_common_is_not_varied(key):
    with pytest.raises(ValueError, match=f"^{key} is what all designs have in common"):
        check_axes([Axis(key, (1, 2))])


@pytest.mark.parametrize(
    ("key", "value"), [("battery.chargers", 1), ("neighbours", 1), ("load.hourly_w", 1), ("array", 3)]
)
def test_a_value_of_the_wrong_form_is_told_at_the_option_in_the_users_words(key, value):
    with pytest.raises(ProblemsError) as caught:
        base_of("cabin", {"battery.soc": 0.5, key: value}).design()
    assert re.fullmatch(
        rf"--override {key}={value}: must be a (list|mapping of keys to values).*", str(caught.value)
    )
