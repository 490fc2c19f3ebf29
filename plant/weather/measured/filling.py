"""Holes in the rows of a weather file: short ones are filled, long ones refused or filled as the site says."""

from datetime import date

import numpy as np

from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.weather.measured.table import WeatherTable, moment
from plant.weather.sunmeans import SunMeans

LONGEST_HOLE_H = 3.0
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_TOLD_AT_ONCE = 10
_SURE_W_M2 = 20.0  # a cloudless sky below this is too uncertain to divide by


def fill_light(
    table: WeatherTable,
    columns: dict[str, np.ndarray],
    means: SunMeans,
    start_local_s: int,
    step_s: int,
    fill: str,
) -> tuple[float, float]:
    """Fill holes in the irradiance: up to three sunlit hours by the clear-sky index around them, longer ones if asked.

    Parameters
    ----------
    table : WeatherTable
        Names the file where a hole is refused.
    columns : dict
        Name -> (n,) array, nan where a value is missing; filled in place.
    means : SunMeans
        The sun over the rows.
    start_local_s, step_s : int
        First moment on the file's clock [s], time between rows [s].
    fill : {"none", "neighbours", "clear_sky_index"}
        Longer holes are refused, filled with the same hours of the nearest days that have them, or by the index on
        either side.

    Returns
    -------
    float, float
        Hours filled while the sun was up [h]: by the index, by neighbouring days.

    Raises
    ------
    ProblemsError
        For long holes that are not to be filled, and where there is nothing to fill them from.
    """
    ghi = columns["ghi_w_m2"]
    up = means.ghi_w_m2 > 0.0
    missing = np.isnan(ghi)
    sure = means.ghi_w_m2 > _SURE_W_M2
    if (missing & sure).any() and not (~missing & sure).any():
        when = "" if missing.all() else " while the sun is up"
        raise ProblemsError([Problem(table.file, 0, "", f"ghi_w_m2 has no value at all{when}")])
    for name in ("dni_w_m2", "dhi_w_m2"):  # of its nights nothing follows for its days: then by a correlation
        if name in columns and np.isnan(columns[name][sure]).all():
            del columns[name]
    long = _long_holes(missing & up, ~missing & up, step_s)
    if long.any() and fill == "none":
        _refuse(table, "ghi_w_m2", long, start_local_s, step_s)
    by_days = 0
    if fill == "neighbours":
        days_around = {
            name: same_hours(columns[name], DAY_S // step_s)
            for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
            if name in columns
        }
        filled = long & ~np.isnan(days_around["ghi_w_m2"])
        for name, values in days_around.items():
            columns[name][filled] = values[filled]
        by_days = int(filled.sum())
    for name, clear in (
        ("ghi_w_m2", means.ghi_w_m2),
        ("dni_w_m2", means.dni_w_m2),
        ("dhi_w_m2", means.ghi_w_m2),
    ):
        if name in columns:
            _fill_by_index(columns[name], clear)
    return float((missing & up).sum() - by_days) * step_s / 3600.0, by_days * step_s / 3600.0


def fill_air(
    table: WeatherTable, columns: dict[str, np.ndarray], name: str, start_local_s: int, step_s: int, fill: str
) -> float:
    """Fill holes in the air: up to three hours in a straight line, longer ones with the same hours of days around.

    Parameters
    ----------
    table : WeatherTable
        Names the file where a hole is refused.
    columns : dict
        Name -> (n,) array, nan where a value is missing; filled in place.
    name : {"t_amb_c", "wind_m_s"}
    start_local_s, step_s : int
        First moment on the file's clock [s], time between rows [s].
    fill : {"none", "neighbours", "clear_sky_index"}
        With "none" longer holes are refused.

    Returns
    -------
    float
        Hours filled [h].

    Raises
    ------
    ProblemsError
        Naming each long hole, if none is to be filled.
    """
    values = columns[name]
    missing = np.isnan(values)
    if missing.all():
        raise ProblemsError([Problem(table.file, 0, "", f"{name} has no value that can be used")])
    if missing.any():
        long = _long_holes(missing, ~missing, step_s)
        if long.any():
            if fill == "none":
                _refuse(table, name, long, start_local_s, step_s)
            values[long] = same_hours(values, DAY_S // step_s)[long]
        left = np.isnan(values)
        values[left] = np.interp(np.flatnonzero(left), np.flatnonzero(~left), values[~left])
    return float(missing.sum() * step_s / 3600.0)


def repeat_the_28th(
    columns: dict[str, np.ndarray], known_days: np.ndarray, start_local_s: int, step_s: int
) -> int:
    """Fill each 29 February that alone is left out of the rows, as downloads of leap years do, with the day before.

    Parameters
    ----------
    columns
        Of the even series.
    known_days : (n,) array
        Days since 1970 by the file's clock that have a row.
    start_local_s, step_s : int
        Of the even series [s], by the file's clock.

    Returns
    -------
    int
        Days filled.
    """
    per_day = DAY_S // step_s
    known = set(known_days.tolist())
    size = next(iter(columns.values())).size
    leap_days = [
        day for day in sorted(known)
        if _month_and_day(day) == (2, 28) and _month_and_day(day + 1) == (2, 29)
        and day + 1 not in known and day + 2 in known
    ]  # fmt: skip
    for day in leap_days:
        first = -((start_local_s - (day + 1) * DAY_S) // step_s)
        to = np.arange(max(first, per_day), min(first + per_day, size))
        for values in columns.values():
            values[to] = values[to - per_day]
    return len(leap_days)


def _month_and_day(day: int) -> tuple[int, int]:
    found = date.fromordinal(EPOCH_ORDINAL + day)
    return found.month, found.day


def same_hours(values: np.ndarray, per_day: int) -> np.ndarray:
    """Mean of the nearest earlier and later day that has a value at the same time of day, (n,); nan if none has."""
    padded = np.full(-(-values.size // per_day) * per_day, np.nan)
    padded[: values.size] = values
    by_day = padded.reshape(-1, per_day)
    days = np.arange(by_day.shape[0])[:, None]
    known = ~np.isnan(by_day)
    before = np.maximum.accumulate(np.where(known, days, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, days, by_day.shape[0])[::-1], axis=0)[::-1]
    slot = np.arange(per_day)
    earlier = np.where(before >= 0, by_day[np.maximum(before, 0), slot], np.nan)
    later = np.where(after < by_day.shape[0], by_day[np.minimum(after, by_day.shape[0] - 1), slot], np.nan)
    mean = np.where(np.isnan(earlier), later, np.where(np.isnan(later), earlier, (earlier + later) / 2.0))
    return np.asarray(mean.ravel()[: values.size])


def _fill_by_index(values: np.ndarray, clear: np.ndarray) -> None:
    holes, known = np.isnan(values), ~np.isnan(values) & (clear > _SURE_W_M2)
    if known.any():
        index = np.interp(np.flatnonzero(holes), np.flatnonzero(known), values[known] / clear[known])
        values[holes] = np.where(clear[holes] > 0.0, index * clear[holes], 0.0)
    else:
        values[holes] = 0.0


def _long_holes(holes: np.ndarray, known: np.ndarray, step_s: int) -> np.ndarray:
    """Which holes are parts of runs of more than three hours. Rows neither in `holes` nor `known` count for nothing."""
    counted = np.flatnonzero(holes | known)
    edges = np.diff(np.concatenate([[0], holes[counted].astype(np.int8), [0]]))
    long = np.zeros(holes.size, dtype=bool)
    for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if (end - first) * step_s > LONGEST_HOLE_H * 3600.0:
            long[counted[first:end]] = True
    return long


def _refuse(table: WeatherTable, name: str, long: np.ndarray, start_local_s: int, step_s: int) -> None:
    """Say where each long hole begins, how long it is and what would fill it."""
    places = np.flatnonzero(long)
    # nights between two sunlit parts of one hole do not part it
    firsts = [n for n in range(places.size) if n == 0 or (places[n] - places[n - 1]) * step_s > DAY_S]
    problems = []
    for first, end in zip(firsts, [*firsts[1:], places.size], strict=True):
        begins = moment(start_local_s + places[first] * step_s)
        message = (
            f"{name} is missing for {(end - first) * step_s / 3600.0:g} h from {begins}; "
            f"up to {LONGEST_HOLE_H:g} h are filled. weather.fill: neighbours fills longer holes with the same hours "
            "of the days around, clear_sky_index by the light on either side"
        )
        problems.append(Problem(table.file, 0, "", message))
    raise ProblemsError(problems[:_TOLD_AT_ONCE])
