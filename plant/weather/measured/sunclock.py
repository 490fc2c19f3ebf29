"""Whether the clock of a file's rows is the sun's over the site, as a whole and month by month."""

import numpy as np

from plant.base.civiltime import MONTHS
from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.weather.measured.table import WeatherTable
from plant.weather.sunmeans import SunMeans

NOON_APART_H = 0.75
DAYS_TO_JUDGE_NOON = 20
MONTH_APART_H = 1.0  # afternoon clouds of a rainy month move the brightest days' noon by less
MONTH_DAYS_TO_JUDGE = 20
DARK_SHARE = 0.01
MOST_SUMMER_TIME_H = 1.5  # months further apart are not those of one clock


def check_clock(
    table: WeatherTable, ghi: np.ndarray, means: SunMeans, start_local_s: int, step_s: int
) -> None:
    """Check that the file's noon is the sun's and its nights are dark.

    Parameters
    ----------
    table : WeatherTable
    ghi : (n,) array
        Global irradiance of the rows [W/m2], nan where it is missing.
    means : SunMeans
        The sun over the rows.
    start_local_s, step_s : int
        First moment on the file's clock [s], time between rows [s].

    Raises
    ------
    ProblemsError
        Saying how far off the clock is and which zone would fit.
    """
    light = np.nan_to_num(ghi)
    total = light.sum()
    if total <= 0.0:
        return
    up = means.extra_w_m2 > 0.0
    near = up | np.roll(up, 1) | np.roll(up, -1)
    dark_share = light[~near].sum() / total
    apart_h = _noon_apart_h(ghi, means.extra_w_m2, step_s)
    judged = ghi.size * step_s >= DAYS_TO_JUDGE_NOON * DAY_S
    if dark_share <= DARK_SHARE and not (judged and abs(apart_h) > NOON_APART_H):
        return
    stated = table.utc_offset_s / 3600.0
    likely = (stated + round(2.0 * apart_h) / 2.0 + 12.0) % 24.0 - 12.0
    shown = f"its noon stands {abs(apart_h):.1f} h {'after' if apart_h > 0 else 'before'} the sun's"
    if dark_share > DARK_SHARE:
        shown += f", {dark_share:.0%} of its light falls at night"
    message = (
        f"the clock of its rows does not fit the sun over the site: {shown}. Read as UTC{stated:+g}; "
        f"UTC{likely:+g} would fit: set weather.utc_offset_h: {likely:g}, or correct location"
    )
    by_month = _noon_by_month(ghi, means.extra_w_m2, start_local_s, step_s)
    spread_h = max(by_month.values()) - min(by_month.values()) if by_month else 0.0
    if NOON_APART_H < spread_h < MOST_SUMMER_TIME_H:
        groups: dict[float, list[str]] = {}
        for number, apart in by_month.items():
            groups.setdefault(round(apart), []).append(MONTHS[number])
        words = {
            0: "as the sun's",
            **{h: f"{abs(h)} h {'after' if h > 0 else 'before'} it" for h in groups if h},
        }
        told = "; ".join(f"{words[hours]} in {', '.join(months)}" for hours, months in sorted(groups.items()))
        message = (
            f"the clock of its rows does not fit the sun over the site in all months: noon stands {told}. "
            "A clock with summer time? Give the file in a fixed zone, or its times with their offsets from UTC"
        )
    raise ProblemsError([Problem(table.file, 0, "", message)])


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
        f"{MONTHS[number]} {abs(apart_h):.1f} h {'after' if apart_h > 0 else 'before'}"
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
        if at.size * step_s >= MONTH_DAYS_TO_JUDGE * DAY_S and np.nansum(ghi[at]) > 0.0:
            first = at[0] + (-(start_local_s // step_s + at[0])) % (DAY_S // step_s)
            at = at[at >= first]
            found[number] = _noon_apart_h(ghi[at], extra[at], step_s)
    return found
