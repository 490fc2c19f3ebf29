"""Whether the clock of a file's rows is the sun's over the site, as a whole and month by month."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from plant.base.civiltime import MONTHS
from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.weather.measured.summertime import ClockChange
from plant.weather.measured.table import WeatherTable
from plant.weather.sunmeans import SunMeans

NOON_APART_H = 0.75
DAYS_TO_JUDGE_NOON = 20
LEAST_DAYS_BESIDE_A_CHANGE = 5
MONTH_APART_H = 1.0  # afternoon clouds of a rainy month move the brightest days' noon by less
MONTH_DAYS_TO_JUDGE = 20
DARK_SHARE = 0.01
MOST_SUMMER_TIME_H = 1.5  # months further apart are not those of one clock
FAINT_W_M2, LOW_SUN_W_M2 = 20.0, 100.0  # below: twilight, and a sun up to 4 deg
ZONE_NEAR_H = 0.5
_A_COMMON_YEAR = 2023
_FIXED = "Give the file in a fixed zone, or its times with their offsets from UTC"


def check_clock(
    table: WeatherTable,
    ghi: np.ndarray,
    means: SunMeans,
    start_local_s: int,
    step_s: int,
    timezone: str,
    moved: ClockChange | None,
    cap: bool,
) -> None:
    """Check that the file's noon is the sun's and its nights are dark; else say which zone would fit.

    Parameters
    ----------
    table : WeatherTable
    ghi, means, start_local_s, step_s
        The even series of the file's light, and the sun over it.
    timezone : str
        Of the site: the first to be tried when another than the file's would fit.
    moved : ClockChange, optional
        Where the rows leave out or repeat the very hour by which that zone's clocks change.
    cap : bool
        Whether rows that can't be true are cut: then single months may have another clock than the rest.

    Raises
    ------
    ProblemsError
        Naming the months, where most agree with the sun and a few do not.
    """
    if not _can_be_judged(ghi, means.extra_w_m2):
        return
    light = np.nan_to_num(ghi)
    up = means.extra_w_m2 > 0.0
    near = up | np.roll(up, 1) | np.roll(up, -1)
    dark_share = light[~near].sum() / light.sum()
    apart_h = _noon_apart_h(ghi, means.extra_w_m2, step_s)
    judged = ghi.size * step_s >= DAYS_TO_JUDGE_NOON * DAY_S
    wrong = dark_share > DARK_SHARE or (judged and abs(apart_h) > NOON_APART_H)
    if moved is not None and (wrong or _moves_with(moved, ghi, means.extra_w_m2, start_local_s, step_s)):
        raise ProblemsError(
            [Problem(table.file, 0, "", f"its clock keeps summer time: {moved.told}. {_FIXED}")]
        )
    if not wrong:
        return
    by_month = _noon_by_month(ghi, means.extra_w_m2, start_local_s, step_s)
    few_off = {number: h for number, h in by_month.items() if abs(h) > NOON_APART_H}
    spread_h = max(by_month.values()) - min(by_month.values()) if by_month else 0.0
    if few_off and 2 * len(few_off) < len(by_month):
        if cap:
            return
        message = (
            f"the clock of its rows does not fit the sun over the site in {_in_words(few_off)}; in the other "
            f"{len(by_month) - len(few_off)} months it does. If these are from another year or logger, mend their "
            f"times; if the clock has summer time: {_FIXED[0].lower()}{_FIXED[1:]}. weather.on_impossible: cap uses "
            "the months as they are, and cuts rows to what is possible"
        )
    elif NOON_APART_H < spread_h < MOST_SUMMER_TIME_H:
        message = (
            f"the clock of its rows does not fit the sun over the site in all months: noon stands "
            f"{_by_hours(by_month)}. A clock with summer time? {_FIXED}"
        )
    else:
        message = _other_zone(table, apart_h, dark_share, timezone, cap)
    if message:
        raise ProblemsError([Problem(table.file, 0, "", message)])


def _other_zone(table: WeatherTable, apart_h: float, dark_share: float, timezone: str, cap: bool) -> str:
    """What is wrong with the clock of all rows, and which zone would fit; empty if cutting rows will do."""
    stated_h = table.utc_offset_s / 3600.0
    likely_h = _likely_zone_h(stated_h + apart_h, timezone)
    at_night = f"{dark_share:.0%} of its light falls at night"
    if likely_h == stated_h:
        if cap:
            return ""
        return (
            f"{at_night}, though its noon is the sun's: is it the site's latitude and longitude, and is each row its "
            "own hour's mean? weather.on_impossible: cap uses the file as it is, and cuts rows to what is possible"
        )
    shown = f"its noon stands {_apart(apart_h)} the sun's"
    if dark_share > DARK_SHARE:
        shown += f", {at_night}"
    return (
        f"the clock of its rows does not fit the sun over the site: {shown}. Read as UTC{stated_h:+g}; "
        f"UTC{likely_h:+g} would fit: set weather.utc_offset_h: {likely_h:g}, or correct location"
    )


def _likely_zone_h(seen_h: float, timezone: str) -> float:
    """The zone that the sun speaks for [h]: the site's if near, else a whole hour if near, else a quarter's.

    Hours from UTC beyond 12 look as those a day off; only the site's zone can tell.
    """
    new_year = datetime(_A_COMMON_YEAR, 1, 1, tzinfo=ZoneInfo(timezone))
    own_h = ((new_year.utcoffset() or timedelta()) - (new_year.dst() or timedelta())) / timedelta(hours=1)
    if abs((own_h - seen_h + 12.0) % 24.0 - 12.0) <= ZONE_NEAR_H:
        return own_h
    whole = round(seen_h)
    near = float(whole) if abs(seen_h - whole) <= ZONE_NEAR_H / 2.0 else round(4.0 * seen_h) / 4.0
    return (near + 12.0) % 24.0 - 12.0


def _in_words(months: dict[int, float]) -> str:
    return ", ".join(f"{MONTHS[number]} (noon {_apart(h)})" for number, h in months.items())


def _apart(later_h: float) -> str:
    return f"{abs(later_h):.1f} h {'after' if later_h > 0 else 'before'}"


def _by_hours(by_month: dict[int, float]) -> str:
    """By how many hours noon is off, and in which months."""
    groups: dict[float, list[str]] = {}
    for number, apart in by_month.items():
        groups.setdefault(round(apart), []).append(MONTHS[number])
    words = {
        0: "as the sun's",
        **{h: f"{abs(h)} h {'after' if h > 0 else 'before'} it" for h in groups if h},
    }
    return "; ".join(f"{words[hours]} in {', '.join(months)}" for hours, months in sorted(groups.items()))


def _can_be_judged(ghi: np.ndarray, extra: np.ndarray) -> bool:
    """Whether there is light and sun enough to tell a noon by: not at the edge of the polar night."""
    return bool(np.nanmax(ghi, initial=0.0) > FAINT_W_M2 and extra.max(initial=0.0) > LOW_SUN_W_M2)


def _moves_with(
    moved: ClockChange, ghi: np.ndarray, extra: np.ndarray, start_local_s: int, step_s: int
) -> bool:
    """Whether noon stands later after a clock was set forward, or earlier after it was set back."""
    per = DAY_S // step_s
    span, there = DAYS_TO_JUDGE_NOON * per, (moved.day_s - start_local_s) // step_s
    before, after = (
        slice(max(there - span, 0), max(there, 0)),
        slice(there + per, there + span),
    )
    if min(ghi[before].size, ghi[after].size) < LEAST_DAYS_BESIDE_A_CHANGE * per:
        return False
    later_h = _noon_apart_h(ghi[after], extra[after], step_s) - _noon_apart_h(
        ghi[before], extra[before], step_s
    )
    return bool(0.5 < later_h / moved.later_h < 1.5)


def _noon_apart_h(ghi: np.ndarray, extra: np.ndarray, step_s: int) -> float:
    """How much later than the sun's the file's noon is [h], -12..12.

    By the first harmonic of what the brightest days have at each time of day, which cloudy afternoons don't move.
    """
    slots = DAY_S // step_s
    whole = ghi.size // slots * slots
    if whole == 0:
        return 0.0
    phases = []
    for values in (np.nan_to_num(ghi), extra):
        brightest = np.quantile(values[:whole].reshape(-1, slots), 0.9, axis=0)
        phases.append(np.angle(np.sum(brightest * np.exp(2j * np.pi * np.arange(slots) / slots))))
    return float((phases[0] - phases[1] + np.pi) % (2.0 * np.pi) - np.pi) * 12.0 / np.pi


def months_off(ghi: np.ndarray, extra: np.ndarray, start_local_s: int, step_s: int) -> str:
    """Months whose noon is far from the sun's, in words; a year put together from several may have such.

    Parameters
    ----------
    ghi, extra : (n,) array
        Global irradiance of the rows, nan where it is missing, and that above the air [W/m2].
    start_local_s, step_s : int
        First moment on the file's clock [s], time between rows [s].
    """
    told = [
        f"{MONTHS[number]} {_apart(apart_h)}"
        for number, apart_h in _noon_by_month(ghi, extra, start_local_s, step_s).items()
        if abs(apart_h) > MONTH_APART_H
    ]
    return ", ".join(told)


def _noon_by_month(ghi: np.ndarray, extra: np.ndarray, start_local_s: int, step_s: int) -> dict[int, float]:
    """Month, 0 is January -> how much later than the sun's its noon is [h]; months of which enough is known."""
    day = (start_local_s + np.arange(ghi.size) * step_s) // DAY_S
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    found = {}
    for number in range(12):
        at = np.flatnonzero(month == number)
        if at.size * step_s >= MONTH_DAYS_TO_JUDGE * DAY_S and _can_be_judged(ghi[at], extra[at]):
            first = at[0] + (-(start_local_s // step_s + at[0])) % (DAY_S // step_s)
            at = at[at >= first]
            found[number] = _noon_apart_h(ghi[at], extra[at], step_s)
    return found
