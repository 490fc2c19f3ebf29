"""What the load asks for: by civil hours, by chance, by the light; the same energy on every step."""

from typing import get_args
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.base.clock import DAY_S
from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from plant.load.appliances import list_day
from plant.load.day import demand_day
from plant.load.demand import Demand
from plant.load.kinds import Camera
from plant.load.lists import find_appliances
from plant.load.model import Load
from plant.load.part import KINDS, Part
from plant.site.model import load_site
from tests.plants import site

ZONE = "Europe/Zurich"
DAY = int(np.datetime64("2026-02-18", "D").astype(int))  # a Wednesday
HOURS = [float(h + 1) for h in range(24)]
T_H = (np.arange(17280) + 0.5) * 5 / 3600


def light(dawn_h: float = 6.5, dusk_h: float = 18.5, noon_w_m2: float = 600.0) -> np.ndarray:
    """A smooth day that passes 1 W/m2 at dawn and dusk, one decade in a quarter of an hour beside them."""
    up = 10.0 ** np.clip((T_H - dawn_h) * 4.0, -12.0, np.log10(noon_w_m2))
    down = 10.0 ** np.clip((dusk_h - T_H) * 4.0, -12.0, np.log10(noon_w_m2))
    return np.minimum(up, down)


LIGHT = light()


def a_load(*items: dict, **top: object) -> Load:
    return Load.model_validate(
        {**top, "items": [{"name": f"part {i}", **item} for i, item in enumerate(items)]}
    )


def demand(
    load: Load, day: int = DAY, zone: str = ZONE, step_s: int = 5, seed: int = 1, lit=LIGHT, utc_h=1
) -> Demand:
    """Demand of a solar day that begins at midnight of UTC + `utc_h`."""
    return demand_day(load, seed, day, day * DAY_S - 3600 * utc_h, zone, lit, step_s)


def power(load: Load, **how: object) -> np.ndarray:
    return demand(load, **how).power_w  # type: ignore[arg-type]


def on_hours(watts: np.ndarray) -> np.ndarray:
    """Hours of the day at which something is on."""
    return T_H[watts > 0.0]


def day_of(date: str) -> int:
    return int(np.datetime64(date, "D").astype(int))


def oracle(hours_of_week: np.ndarray, day: int, zone: str, utc_h: int) -> np.ndarray:
    """The profile by pandas: civil weekday and hour of the middle of every step."""
    start = pd.Timestamp(day * DAY_S - 3600 * utc_h, unit="s", tz="UTC")
    moments = (start + pd.to_timedelta(np.arange(17280) * 5 + 2.5, unit="s")).tz_convert(ZoneInfo(zone))
    return hours_of_week[moments.day_of_week, moments.hour]


# Profiles


@pytest.mark.parametrize("date", ["2026-02-18", "2026-03-29", "2026-07-04", "2026-10-25", "2026-12-31"])
@pytest.mark.parametrize(
    ("zone", "utc_h"), [("Europe/Zurich", 1), ("Asia/Kathmandu", 6), ("America/St_Johns", -4)]
)
def test_a_weekly_profile_follows_the_civil_clock(date, zone, utc_h):
    """Through daylight saving's two nights, and in zones of half and quarter hours."""
    week = np.arange(168.0).reshape(7, 24)
    load = a_load({"kind": "profile", "weekly_w": week.tolist()})
    day = day_of(date)
    assert (power(load, day=day, zone=zone, utc_h=utc_h) == oracle(week, day, zone, utc_h)).all()


def test_clocks_that_spring_forward_skip_an_hour_and_those_that_fall_back_repeat_one():
    load = Load(hourly_w=HOURS)
    spring, autumn = (power(load, day=day_of(date)) for date in ("2026-03-29", "2026-10-25"))
    assert not (spring == 3.0).any()  # 02:00 to 03:00 is not there
    # the solar day of UTC + 1 begins at 01:00 of summer time, so it holds 23:00 twice and three hours past two
    assert (autumn == 3.0).sum() == 2 * 720


def test_weekends_have_their_own_hours():
    load = a_load({"kind": "profile", "hourly_w": [10.0] * 24, "weekend_w": [30.0] * 24})
    means = [power(load, day=DAY + i).mean() for i in range(7)]  # Wednesday first
    assert means == pytest.approx([10, 10, 10, 30, 30, 10, 10])


def test_noise_keeps_the_mean():
    load = Load(hourly_w=[20.0] * 24, noise=0.4)
    hours = np.concatenate([power(load, day=day, step_s=3600) for day in range(DAY, DAY + 400)])
    spread = np.sqrt(np.exp(0.4**2) - 1.0)  # of a log-normal with mean 1
    assert hours.mean() == pytest.approx(20.0, abs=4 * 20.0 * spread / np.sqrt(hours.size))
    assert hours.std() == pytest.approx(20.0 * spread, rel=0.05)
    assert np.log(hours / 20.0).std() == pytest.approx(0.4, rel=0.03)


def factors(noise: float, part: int = 0, seed: int = 1, day: int = DAY) -> np.ndarray:
    """Hourly factors of a profile, drawn where recorded runs drew theirs: key and counter of Philox, by hand."""
    key, counter = np.array([seed, 5], np.uint64), np.array([0, 0, part, day], np.uint64)
    normal = np.random.Generator(np.random.Philox(key=key, counter=counter)).standard_normal(24)
    return np.repeat(np.exp(noise * normal - 0.5 * noise**2), 720)


@pytest.mark.parametrize(
    ("name", "zone", "utc_h"), [("repeater", "Africa/Dakar", -1), ("schoolhouse", ZONE, 0)]
)
def test_the_shipped_sites_ask_for_what_they_always_did(name, zone, utc_h):
    """Recorded runs hold these bits: the profile at the top of a load draws from the same place as ever."""
    load = load_site(name).load
    assert load.noise > 0.0
    hours = np.tile(np.array(load.hourly_w), (7, 1))
    asked = power(load, zone=zone, utc_h=utc_h)
    assert (asked == oracle(hours, DAY, zone, utc_h) * factors(load.noise)).all()
    assert (asked != oracle(hours, DAY, zone, utc_h)).all()


def test_a_named_load_draws_by_its_name_as_it_always_did():
    """The motorhome's refrigerator, whose number is one more than its name's CRC-32 by zlib's published polynomial."""
    (item,) = [item for item in load_site("motorhome").load.items if item.name == "refrigerator"]
    assert item.noise > 0.0
    hours = np.tile(np.array(item.hourly_w), (7, 1))
    asked = power(Load(items=(item,)))
    assert (asked == oracle(hours, DAY, ZONE, 1) * factors(item.noise, part=1 + crc32(b"refrigerator"))).all()


# Telecom


def test_bursts_take_the_share_of_time_of_a_poisson_process():
    """A line that is busy while any of the arrivals lasts: 1 - exp(-rate mean length), by the M/G/inf queue."""
    load = a_load({"kind": "telecom", "base_w": 10.0, "bursts_per_hour": 100.0, "burst_s": [2.0, 10.0]})
    days = np.array([power(load, day=day).mean() for day in range(DAY, DAY + 200)])
    busy = 1.0 - np.exp(-100.0 / 3600.0 * 6.0)
    assert days.mean() == pytest.approx(10.0 * (1.0 + 2.0 * busy), abs=4 * days.std() / np.sqrt(200))
    assert days.std() < 1.0


def test_bursts_come_at_their_rate_and_in_their_lengths():
    load = a_load({"kind": "telecom", "base_w": 10.0, "bursts_per_hour": 4.0, "burst_s": [2.0, 10.0]})
    counts, lengths = [], []
    for day in range(DAY, DAY + 200):
        sending = (power(load, day=day, step_s=1) - 10.0) / 20.0
        spells = np.diff(np.concatenate([[0], (sending > 0).astype(int), [0]]))
        begin, end = np.flatnonzero(spells == 1), np.flatnonzero(spells == -1)
        counts.append(begin.size)
        lengths += [sending[a:b].sum() for a, b in zip(begin, end, strict=True)]
    assert np.mean(counts) == pytest.approx(96.0, abs=4 * np.sqrt(96.0 / 200))
    assert np.var(counts) == pytest.approx(96.0, rel=0.4)  # a Poisson count varies as much as its mean
    assert np.mean(lengths) == pytest.approx(6.0, abs=0.1)
    assert min(lengths) >= 2.0 - 1e-9


def test_sending_draws_three_times_the_base():
    watts = power(a_load({"kind": "telecom", "base_w": 10.0, "bursts_per_hour": 20.0}), step_s=1)
    assert watts.min() == pytest.approx(10.0)
    assert watts.max() == pytest.approx(30.0)


def test_a_radio_that_never_sends_draws_its_base():
    assert (power(a_load({"kind": "telecom", "base_w": 7.0, "bursts_per_hour": 0.0})) == 7.0).all()


# By the light


def test_a_lamp_burns_from_dusk_to_dawn_with_its_delay():
    """0.15 W/m2 comes 12.4 min after the light passes 1 W/m2, 0.4 W/m2 six minutes before it; then ten minutes pass."""
    off = on_hours(10.0 - power(a_load({"kind": "lighting", "power_w": 10.0})))
    dusk = 18.5 - np.log10(0.15) / 4.0 + 10 / 60
    dawn = 6.5 + np.log10(0.4) / 4.0 + 10 / 60
    assert [off[0], off[-1]] == pytest.approx([dawn, dusk], abs=10 / 3600)


def test_a_lamp_with_timers_burns_after_dusk_and_before_dawn_only():
    whole = power(a_load({"kind": "lighting", "power_w": 10.0}))
    off = on_hours(10.0 - whole)
    watts = power(a_load({"kind": "lighting", "power_w": 10.0, "after_dusk_h": 3.0, "before_dawn_h": 1.5}))
    on = on_hours(watts)
    morning, evening = on[on < 12.0], on[on > 12.0]
    assert [morning[0], morning[-1]] == pytest.approx([off[0] - 1.5, off[0]], abs=10 / 3600)
    assert [evening[0], evening[-1]] == pytest.approx([off[-1], off[-1] + 3.0], abs=10 / 3600)


def test_hours_after_dusk_go_on_past_midnight():
    watts = power(a_load({"kind": "lighting", "power_w": 10.0, "after_dusk_h": 7.0}))
    on = on_hours(watts)
    assert watts.mean() * 24.0 == pytest.approx(70.0, abs=0.05)
    assert on[on < 12.0][0] < 0.01
    assert on[on < 12.0][-1] == pytest.approx(18.5 + 0.206 + 10 / 60 + 7.0 - 24.0, abs=0.01)


def test_a_timer_longer_than_the_night_is_the_whole_night():
    whole = power(a_load({"kind": "lighting", "power_w": 10.0}))
    for timers in (
        {"after_dusk_h": 24.0},
        {"before_dawn_h": 24.0},
        {"after_dusk_h": 8.0, "before_dawn_h": 8.0},
    ):
        assert (power(a_load({"kind": "lighting", "power_w": 10.0, **timers})) == whole).all()


def test_a_thunderstorm_shorter_than_the_delay_lights_no_lamp():
    """Nine minutes of darkness at noon go by; eleven don't."""
    lamp = a_load({"kind": "lighting", "power_w": 10.0})
    for minutes, lit in ((9, False), (11, True)):
        storm = LIGHT.copy()
        storm[8640 : 8640 + 12 * minutes] = 0.01
        noon = power(lamp, lit=storm)[8640 - 100 : 8640 + 400]
        assert noon.any() == lit


def test_timers_count_from_the_days_last_dusk_not_from_a_dark_noon():
    storm = LIGHT.copy()
    storm[8640 : 8640 + 360] = 0.01
    lamp = {"kind": "lighting", "power_w": 10.0, "after_dusk_h": 3.0}
    on = on_hours(power(a_load(lamp), lit=storm))
    assert on.min() > 18.0
    assert on.max() - on.min() == pytest.approx(3.0, abs=0.01)


def test_the_delay_is_kept_to_the_step():
    """On a grid of minutes: two dark minutes are not three."""
    camera = Camera(name="c", kind="camera", delay_min=3.0)
    lit = np.ones(1440)
    lit[[100, 101, 200, 201, 202]] = 0.01
    dark = np.flatnonzero(camera.is_dark(lit))
    assert dark.tolist() == [202, 203, 204]  # and three light minutes end it


def test_light_between_the_levels_changes_nothing():
    """A camera keeps its infrared while a dim dawn hovers between its two levels."""
    camera = Camera(name="c", kind="camera", delay_min=0.0)
    dim = np.full(100, 0.06)
    assert camera.is_dark(np.concatenate([[0.01], dim])).all()
    assert not camera.is_dark(np.concatenate([[1.0], dim])).any()
    flicker = np.where(np.arange(100) % 2, 0.041, 0.079)
    assert camera.is_dark(np.concatenate([[0.039], flicker, [0.081], flicker]))[-1:].sum() == 0
    assert camera.is_dark(np.concatenate([[0.039], flicker])).all()


def test_a_camera_draws_more_at_night():
    watts = power(a_load({"kind": "camera", "day_w": 5.0, "infrared_w": 4.5}))
    assert watts[0] == watts[-1] == 9.5
    assert watts[8640] == 5.0
    assert set(np.unique(watts)) == {5.0, 9.5}


def test_where_the_sun_never_sets_no_lamp_burns_and_where_it_never_rises_all_do():
    lamp = {"kind": "lighting", "power_w": 10.0}
    assert not power(a_load(lamp), lit=np.full(17280, 50.0)).any()
    assert (power(a_load(lamp), lit=np.zeros(17280)) == 10.0).all()
    assert not power(
        a_load({**lamp, "after_dusk_h": 4.0}), lit=np.zeros(17280)
    ).any()  # no dusk to count from


@settings(max_examples=60, deadline=None)
@given(
    dawn=st.floats(2.0, 11.0), dusk=st.floats(13.0, 22.0), after=st.floats(0.0, 24.0), before=st.floats(0.0, 24.0),
    delay=st.floats(0.0, 30.0),
)  # fmt: skip
def test_timers_never_light_a_lamp_by_day(dawn, dusk, after, before, delay):
    lit = light(dawn, dusk)
    lamp = {"kind": "lighting", "power_w": 10.0, "delay_min": delay}
    whole = power(a_load(lamp), lit=lit)
    timed = power(a_load({**lamp, "after_dusk_h": after, "before_dawn_h": before}), lit=lit)
    assert (timed <= whole).all()
    night_h = whole.mean() * 2.4
    assert timed.mean() * 2.4 == pytest.approx(min(night_h, after + before), abs=0.01)


# Every kind

# What a kind is given besides; one that isn't here has a number for each key it must be given.
GIVEN = {
    "profile": {"hourly_w": HOURS, "noise": 0.3},
    "appliances": {"model": "household_3"},
    "telecom": {"base_w": 12.0, "bursts_per_hour": 60.0},
    "lighting": {"power_w": 15.0, "after_dusk_h": 4.0, "before_dawn_h": 1.0},
}
WITHOUT_CHANCE = {"constant", "camera", "lighting"}


def example(part: type[Part]) -> dict:
    (kind,) = get_args(part.model_fields["kind"].annotation)
    needed = [
        key for key, field in part.model_fields.items() if field.is_required() and key not in ("name", "kind")
    ]
    return {"kind": kind, **dict.fromkeys(needed, 4.0), **GIVEN.get(kind, {})}


EVERY_KIND = {given["kind"]: given for given in map(example, KINDS.values())}


def test_every_kind_that_a_site_may_name_is_tested():
    assert list(EVERY_KIND) == list(KINDS)
    assert set(GIVEN) | WITHOUT_CHANCE <= set(KINDS)


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("step_s", [60, 300, 3600, 86400])
def test_a_longer_step_holds_the_mean_of_the_short_ones(kind, step_s):
    load = a_load(EVERY_KIND[kind])
    fine = power(load).reshape(DAY_S // step_s, -1).mean(axis=1)
    assert power(load, step_s=step_s) == pytest.approx(fine, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_day_alone_is_the_day_of_a_run(kind):
    load = a_load(EVERY_KIND[kind])
    alone = power(load)
    for day in (DAY - 1, DAY + 1, DAY - 300):
        power(load, day=day)
    assert (power(load) == alone).all()


@pytest.mark.parametrize("kind", sorted(WITHOUT_CHANCE))
def test_what_is_without_chance_is_the_same_for_every_seed(kind):
    load = a_load(EVERY_KIND[kind])
    assert (power(load, seed=2) == power(load)).all()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - WITHOUT_CHANCE))
def test_another_seed_or_name_is_another_day_and_another_neighbour_is_not(kind):
    one, other = {**EVERY_KIND[kind], "name": "one"}, {**EVERY_KIND["telecom"], "name": "other"}
    alone = power(a_load(one))
    assert (power(a_load(one), seed=2) != alone).any()
    assert (power(a_load({**one, "name": "two"})) != alone).any()
    both = power(a_load(other, one))
    assert both == pytest.approx(alone + power(a_load(other)), rel=1e-12)


def test_households_follow_the_civil_day_not_the_suns():
    """A list used from 0 to 1 o'clock of Saturday only, seen from a solar day that begins at another hour."""
    saturday = day_of("2026-07-04")
    load = a_load({"kind": "appliances", "model": "weekend_cabin"})
    solar = power(load, day=saturday)  # begins at 01:00 of summer time
    next_one = power(load, day=saturday + 2)  # Monday: only Sunday's last hour is left out of it
    assert solar.any()
    assert not next_one.any()
    sunday = power(load, day=saturday + 1)
    assert not sunday[-720:].any()  # Monday from midnight to 01:00


@pytest.mark.parametrize("date", ["2026-03-29", "2026-07-04", "2026-10-25"])
def test_households_follow_clocks_that_change(date):
    """Each civil minute shows what its own civil day has in that minute, by pandas' calendar."""
    load = a_load({"kind": "appliances", "model": "household_3"})
    day = day_of(date)
    ((key, part),) = load.parts()
    start = pd.Timestamp(day * DAY_S - 3600, unit="s", tz="UTC")
    moments = (start + pd.to_timedelta(np.arange(1440), unit="min")).tz_convert(ZoneInfo(ZONE))
    days = [day_of(str(moment.date())) for moment in moments]
    minutes = moments.hour * 60 + moments.minute
    expected = [list_day(part.appliances(), 1, 1, d, key)[m] for d, m in zip(days, minutes, strict=True)]
    assert power(load, day=day, step_s=60).tolist() == expected


AT_THE_BATTERY = (0.0, 0.0, 0.0, 0.0)  # none of the load output's


def test_a_mix_shares_the_power_out():
    load = a_load(
        {"kind": "constant", "power_w": 10.0, "mix": {"power": 0.5, "current": 0.3, "resistance": 0.2}}
    )
    asked = demand(load, step_s=3600)
    assert [part[0] for part in asked] == pytest.approx([5.0, 3.0, 2.0, *AT_THE_BATTERY])


def test_loads_add_up_by_kind():
    load = a_load(
        {"kind": "constant", "power_w": 4.0, "mix": {"resistance": 1.0}}, {"kind": "constant", "power_w": 6.0},
        hourly_w=[1.0] * 24, mix={"current": 1.0},
    )  # fmt: skip
    assert [part[5] for part in demand(load, step_s=3600)] == pytest.approx([6.0, 1.0, 4.0, *AT_THE_BATTERY])


# What a site may say


REFUSED = [
    ({}, "give hourly_w"),
    ({"hourly_w": [1.0] * 23}, "must be 24 numbers, got 23"),
    ({"items": [{"name": "x", "kind": "lamp"}]}, "kind must be one of constant, profile, .*got 'lamp'"),
    ({"items": [{"name": "x", "kind": "telecon"}]}, r"did you mean telecom\?"),
    ({"items": ["lamp"]}, "must be a mapping with name and kind, got 'lamp'"),
    ({"items": [{"kind": "camera"}]}, "Field required"),
    ({"items": [{"name": "x", "kind": "camera"}] * 2}, "'x' is given twice"),
    ({"items": [{"name": "x", "kind": "profile"}]}, "give either hourly_w"),
    (
        {"items": [{"name": "x", "kind": "profile", "weekly_w": [[1.0] * 24] * 6}]},
        "must have 7 entries, got 6",
    ),
    (
        {"items": [{"name": "x", "kind": "profile", "weekly_w": [[1.0] * 24] * 7, "weekend_w": [1.0] * 24}]},
        "goes with hourly_w",
    ),
    ({"items": [{"name": "x", "kind": "constant", "power_w": -1.0}]}, "greater than or equal to 0"),
    (
        {"items": [{"name": "x", "kind": "telecom", "base_w": 1.0, "burst_s": [9.0, 2.0]}]},
        "shortest and longest",
    ),
    (
        {"items": [{"name": "x", "kind": "camera", "dark_below_w_m2": 1.0}]},
        "must be at least dark_below_w_m2, 1",
    ),
    ({"hourly_w": [1.0] * 24, "mix": {"power": 0.5}}, "must sum to 1, got 0.5"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_impossible_loads_are_refused_in_words(given, words):
    with pytest.raises(ValidationError, match=words):
        Load.model_validate(given)


def test_an_unknown_list_names_those_there_are():
    with pytest.raises(ValidationError, match=r"household_3.*did you mean household_5"):
        a_load({"kind": "appliances", "model": "household_6"})


def test_a_site_file_with_named_loads_tells_line_and_near_key(tmp_path):
    text = (config_dir() / "sites" / "cabin.yaml").read_text()
    head = text[: text.index("\nload:") + 1]
    path = tmp_path / "site.yaml"
    path.write_text(head + "load:\n  items:\n    - name: gate\n      kind: lighting\n      powr_w: 10\n")
    line = head.count("\n") + 5
    with pytest.raises(ProblemsError) as told:
        load_site(str(path))
    assert f"site.yaml:{line}: load.items[0].powr_w: unknown key (did you mean power_w?)" in str(told.value)
    assert "load.items[0].power_w: missing" in str(told.value)


def test_a_site_with_every_kind_of_load_survives_being_written_out():
    load = {"items": tuple({"name": kind, **given} for kind, given in EVERY_KIND.items())}
    first = site(load=load)
    assert type(first).model_validate(first.model_dump()) == first
    assert tuple(type(item) for item in first.load.items) == tuple(KINDS.values())


@pytest.mark.parametrize(("tier", "wh_day"), [(1, 12), (2, 200), (3, 1000), (4, 3400), (5, 8200)])
def test_household_classes_use_what_the_multi_tier_framework_says(tier, wh_day):
    """200 days of the demand itself, the solar day an hour off the civil one."""
    assert find_appliances(f"household_{tier}").mean_wh_day == pytest.approx(wh_day, rel=1e-9)
    load = a_load({"kind": "appliances", "model": f"household_{tier}"})
    days = [power(load, day=DAY + i, step_s=3600).sum() for i in range(200)]
    assert np.mean(days) == pytest.approx(wh_day, rel=0.03)
