"""Moments of a scenario: by the clock, by the sun, from the start; and windows that end after they begin."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracertwin.scenario.record import amount, clock_of, ending
from tracertwin.scenario.times import Span, SunTimes, duration_s, parse_moment

ZURICH = ZoneInfo("Europe/Zurich")


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).timestamp()


def sun(day: date) -> SunTimes:
    """It rises at 6, is highest at 12 and sets at 18 UTC, whatever the day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return SunTimes(*((midnight + timedelta(hours=hours)).timestamp() for hours in (6, 12, 18)))


def span(start: str = "2026-06-21T10:00", hours: float = 72.0) -> Span:
    return Span(utc(start), utc(start) + 3600 * hours, "Europe/Zurich", sun)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("11:00", "2026-06-21T11:00"),
        ("10:00", "2026-06-21T10:00"),
        ("09:59:59", "2026-06-22T09:59:59"),
        ("24:00", "2026-06-22T00:00"),
        ("day 1 09:00", "2026-06-21T09:00"),
        ("day 2 11:00", "2026-06-22T11:00"),
        ("2026-06-23T01:30", "2026-06-23T01:30"),
        ("sunrise", "2026-06-22T08:00"),
        ("noon", "2026-06-21T14:00"),
        ("sunset-30min", "2026-06-21T19:30"),
        ("noon + 1.5h", "2026-06-21T15:30"),
        ("day 3 sunrise+90s", "2026-06-23T08:01:30"),
        ("3h", "2026-06-21T13:00"),
        ("start+45min", "2026-06-21T10:45"),
        ("end-1h", "2026-06-24T09:00"),
        ("end", "2026-06-24T10:00"),
    ],
)
def test_a_moment_is_the_first_of_its_kind_at_or_after_the_start(text, moment):
    assert parse_moment(text).utc_s(span()) == utc(moment)


def test_clocks_that_change_are_those_of_the_site():
    night = span("2026-03-28T20:00")
    assert parse_moment("day 2 03:00").utc_s(night) - parse_moment("day 2 01:59").utc_s(night) == 60.0
    assert parse_moment("12h").utc_s(night) == utc("2026-03-29T09:00")


@pytest.mark.parametrize("text", ["2026-03-29T02:30", "day 2 02:30", "02:30"])
def test_a_moment_that_the_clocks_leave_out_is_refused(text):
    with pytest.raises(ValueError, match=r"there is no 2026-03-29T02:30 in Europe/Zurich"):
        parse_moment(text).utc_s(
            span("2026-03-28T20:00" if "T" in text or "d" in text else "2026-03-29T00:00")
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("25:00", "is not a time of day"),
        ("11:60", "is not a time of day"),
        ("24:01", "is not a time of day"),
        ("day 0 11:00", "days are counted from 1"),
        ("sunup", "is not a valid time"),
        ("sunriseish", r"did you mean sunrise\?"),
        ("day 2 start", "is not a valid time"),
        ("noon+3", "is not a valid duration"),
        ("660", "is not a valid time"),
        ("2026-02-30", "is not a valid time"),
        ("", "is not a valid time"),
    ],
)
def test_what_is_no_moment_is_refused(text, told):
    with pytest.raises(ValueError, match=told):
        parse_moment(text)


def test_there_is_no_sunrise_where_the_sun_stays_up():
    polar = Span(utc("2026-06-21T10:00"), utc("2026-06-22T10:00"), "UTC", lambda _: SunTimes(None, 0.0, None))
    with pytest.raises(ValueError, match="there is no sunset at this place on 2026-06-21"):
        parse_moment("sunset").utc_s(polar)


def test_a_window_over_midnight_ends_on_the_next_day():
    run = span("2026-06-21T00:00")
    begin_s = parse_moment("20:00").utc_s(run)
    assert ending(parse_moment("06:00"), begin_s, run) == utc("2026-06-22T06:00")
    assert ending(parse_moment("21:00"), begin_s, run) == utc("2026-06-21T21:00")
    assert ending(parse_moment("day 1 06:00"), begin_s, run) == utc("2026-06-21T06:00")


def test_a_bare_number_is_no_duration():
    assert duration_s("1.5h") == 5400.0
    for text in ("30", "1.5", ""):
        with pytest.raises(ValueError, match="is not a valid duration"):
            duration_s(text)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2149, "V", "0.215 V"),
        (12.0, "s", "12 s"),
        (95.0, "s", "2 min"),
        (5400.0, "s", "90 min"),
        (7200.0, "s", "2 h"),
        (90000.0, "s", "1 d 1 h"),
        (0.003, "0..1", "0.3 %"),
        (1.0, "times", "1 time"),
        (2.0, "tries", "2 tries"),
    ],
)
def test_amounts_are_short(value, unit, text):
    assert amount(value, unit) == text


def test_a_time_is_told_with_its_day_only_where_there_are_several():
    assert clock_of(utc("2026-06-21T13:40"), span(hours=10)) == "13:40"
    assert clock_of(utc("2026-06-22T13:40:05"), span(hours=72)) == "day 2 13:40:05"
    assert clock_of(utc("2026-06-22T00:00"), span("2026-06-21T00:00", 24)) == "00:00"
