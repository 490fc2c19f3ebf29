"""From the rows of a weather file to an even series without holes, or to a clear word about why not.

Mends by stated rules and counts what it mended: repeated rows that agree are dropped, holes of up to three sunlit
hours are filled, a little less than nothing at night is nothing. Refuses what it would have to guess.
"""

from dataclasses import dataclass

import numpy as np

from plant.base.civiltime import MONTHS
from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.weather.measured.filling import fill_air, fill_light, repeat_the_28th
from plant.weather.measured.summertime import clock_change
from plant.weather.measured.sunclock import check_clock, months_off
from plant.weather.measured.table import COLUMNS, WeatherTable, moment
from plant.weather.place import Location, Weather
from plant.weather.sunmeans import SunMeans, sun_means

LEAST_GHI_W_M2 = -20.0  # a pyranometer shows a few W/m2 below nothing at night
# Over the top of the atmosphere, for rows of 10 min and more; clouds focus light for moments only.
MOST_OVER_EXTRA, MOST_OFFSET_W_M2 = 1.2, 50.0
MOST_OVER_EXTRA_BRIEF = 2.0
LIMITS = {
    "t_amb_c": (-90.0, 65.0),
    "wind_m_s": (0.0, 100.0),
    "dni_w_m2": (-20.0, 1500.0),
    "dhi_w_m2": (-20.0, 1200.0),
}
DIMMEST_SHARE, LIT_W_M2 = 0.01, 200.0
# The dullest days measured have some 2 % of the light above the air; days of less sun tell nothing.
DARKEST_SHARE, DARK_FROM_WH_M2 = 0.005, 500.0
TYPICAL_YEAR = 2001  # a common year that the rows of typical years are dated on
_YEAR_DAYS = 365
_TOLD_AT_ONCE = 10
_TOO_BRIGHT = "exceeds the irradiance at the top of the atmosphere at that time"
_DARK = (
    f"is of a day with less than {100 * DARKEST_SHARE:g} % of the light above the air: "
    "dead sensor, snow on it, kW/m2?"
)


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done to a file's rows, in hours of weather or in rows."""

    ghi_h: float = 0.0
    ghi_neighbours_h: float = 0.0
    t_amb_h: float = 0.0
    wind_h: float = 0.0
    repeated_rows: int = 0
    below_zero_rows: int = 0
    leap_day_rows: int = 0
    leap_days: int = 0
    capped_rows: int = 0

    def notes(self) -> list[str]:
        """One line for each thing that was done."""
        hours = (
            (self.ghi_h, "{} without irradiance filled at the clear-sky index around them"),
            (self.ghi_neighbours_h, "{} without irradiance filled with the same hours of the days around"),
            (self.t_amb_h, "{} without temperature filled"),
            (self.wind_h, "{} without wind filled"),
        )
        rows = (
            (self.repeated_rows, "{} given twice, with the same values, used once"),
            (self.capped_rows, "{} with impossible values cut to what is possible"),
            (self.below_zero_rows, "{} with irradiance below 0 set to 0"),
            (self.leap_day_rows, "{} of a 29 February left out; leap years repeat the 28th"),
        )
        filled = [text.format(_time(length_h)) for length_h, text in hours if length_h]
        left_out = [text.format(_rows(count)) for count, text in rows if count]
        if self.leap_days:
            each = "29 February" if self.leap_days == 1 else f"29 February of {self.leap_days} years"
            left_out.append(f"{each}, which the file leaves out, filled with the 28th")
        return filled + left_out


def _time(length_h: float) -> str:
    return f"{length_h:.4g} h" if length_h >= 1.0 else f"{60.0 * length_h:.3g} min"


def _rows(count: float) -> str:
    return "1 row" if count == 1 else f"{count:g} rows"


@dataclass(frozen=True, slots=True)
class Series:
    """An even series: row j holds from ``start_utc_s + j step_s`` for one step, or at that moment if `instant`."""

    file: str
    start_utc_s: int
    step_s: int
    instant: bool
    utc_offset_s: int
    cycle_years: int  # after how many years it begins again; 0 for never
    columns: dict[str, np.ndarray]
    mended: Mended
    months_off: str = ""  # months whose noon is not the sun's, in words

    @property
    def size(self) -> int:
        """Rows."""
        return int(self.columns["ghi_w_m2"].size)


def series_of(table: WeatherTable, weather: Weather, location: Location) -> tuple[Series, SunMeans]:
    """An even series out of a table, and the sun over it.

    Parameters
    ----------
    table : WeatherTable
    weather : Weather
        ``repeat``: whether the site wants the years of the file over and over; None leaves it to the file: typical
        years do. ``fill``, ``on_impossible``: what is done about long holes and impossible rows.
    location : Location
        The sun's place, against which the file's clock and brightness are checked.

    Raises
    ------
    ProblemsError
        With file and line, when rows contradict each other, are missing for too long or can't be true.
    """
    step_s = _step_s(table)
    local = table.local + {"start": 0, "middle": -step_s // 2, "end": -step_s, "instant": 0}[table.stamp]
    folded = bool(table.typical) or (table.typical is None and _is_typical(local, step_s))
    leap = np.zeros(local.size, dtype=bool)
    if folded:
        local, leap = _on_one_year(local)
    rows = np.flatnonzero(~leap)
    rows, repeated = _without_repeats(table, local, rows)
    start_local_s, columns = _even(table, local, rows, step_s, folded)
    leap_days = 0 if folded else repeat_the_28th(columns, np.unique(local // DAY_S), start_local_s, step_s)
    size = next(iter(columns.values())).size
    cycle = 1 if folded else _cycle_years(table, step_s, size, bool(weather.repeat))
    if weather.repeat is False:
        cycle = 0
    start_utc_s = start_local_s - table.utc_offset_s
    instant = table.stamp == "instant"
    means = sun_means(location, start_utc_s, step_s, size, instant)
    _add_global(columns, means)
    _check_unit(table, columns["ghi_w_m2"], means.extra_w_m2)
    moved = None if folded else clock_change(local, step_s, location.timezone)
    cap = weather.on_impossible == "cap"
    check_clock(table, columns["ghi_w_m2"], means, start_local_s, step_s, location.timezone, moved, cap)
    by_month = months_off(columns["ghi_w_m2"], means.extra_w_m2, start_local_s, step_s)
    dark = _dark_days(columns["ghi_w_m2"], means.extra_w_m2, start_utc_s, step_s, location.longitude_deg)
    below_zero, capped = _check_values(
        table, columns, means, dark, local, start_local_s, step_s, cap, by_month
    )
    ghi_h, neighbours_h = fill_light(table, columns, means, start_local_s, step_s, weather.fill)
    air_h = {
        name: fill_air(table, columns, name, start_local_s, step_s, weather.fill)
        for name in ("t_amb_c", "wind_m_s")
        if name in columns
    }
    mended = Mended(
        ghi_h=ghi_h, ghi_neighbours_h=neighbours_h, t_amb_h=air_h.get("t_amb_c", 0.0),
        wind_h=air_h.get("wind_m_s", 0.0), repeated_rows=repeated, below_zero_rows=below_zero,
        leap_day_rows=int(leap.sum()), leap_days=leap_days, capped_rows=capped,
    )  # fmt: skip
    series = Series(
        table.file, start_utc_s, step_s, instant, table.utc_offset_s, cycle, columns, mended, by_month
    )
    return series, means


def _add_global(columns: dict[str, np.ndarray], means: SunMeans) -> None:
    """Global irradiance of a file that has only direct and diffuse: beam times the sun's height, and diffuse.

    The height is that of the middle of the part of the interval with the sun up, as in SAM.
    """
    if "ghi_w_m2" not in columns:
        columns["ghi_w_m2"] = columns["dni_w_m2"] * means.cos_zenith + columns["dhi_w_m2"]


def _step_s(table: WeatherTable) -> int:
    """Time between rows [s]: the one that most rows keep."""
    apart = np.diff(np.sort(table.local))  # the latest may come first
    ahead = apart[apart > 0]
    step_s = int(np.median(ahead)) if ahead.size else 0
    if not 60 <= step_s <= 3600 or DAY_S % step_s or step_s % 60:
        message = (
            f"rows are {step_s} s apart; must be whole minutes that divide an hour or a day, 1 h at most"
        )
        raise ProblemsError([table.problem(1, message)])
    return step_s


def _is_typical(local: np.ndarray, step_s: int) -> bool:
    """Whether months of several years follow one another: no more than a year's rows over more than a year's time."""
    whole = local.size * step_s <= (_YEAR_DAYS + 1.1) * DAY_S
    return bool(whole and local.max() - local.min() > (_YEAR_DAYS + 5) * DAY_S)


def _on_one_year(local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same days and hours of `TYPICAL_YEAR`, and which rows were of a 29 February."""
    day = local // DAY_S
    dates = day.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    of_month = (dates - month).astype(np.int64)
    month_of_year = month.astype(np.int64) % 12
    leap = (month_of_year == 1) & (of_month == 28)
    firsts = (
        (np.datetime64(f"{TYPICAL_YEAR}-01", "M") + month_of_year).astype("datetime64[D]").astype(np.int64)
    )
    return (firsts + of_month) * DAY_S + local % DAY_S, leap


def _without_repeats(table: WeatherTable, local: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """The rows in order of time, each moment once; and how many stood there again."""
    order = rows[np.argsort(local[rows], kind="stable")]
    again = np.flatnonzero(np.diff(local[order]) == 0)
    problems = []
    for k in again:
        one, other = sorted((int(order[k]), int(order[k + 1])))
        differs = [
            name for name, values in table.columns.items()
            if values[one] != values[other] and not (np.isnan(values[one]) and np.isnan(values[other]))
        ]  # fmt: skip
        if differs:
            first = f" (first on line {table.line(one)})" if table.first_line else ""
            what = f"{moment(table.local[other])} is given twice{first} with different {', '.join(differs)}"
            problems.append(table.problem(other, f"{what}; a clock set back? give the file in a fixed zone"))
    if problems:
        raise ProblemsError(problems[:_TOLD_AT_ONCE])
    return np.delete(order, again + 1), int(again.size)


def _even(
    table: WeatherTable, local: np.ndarray, rows: np.ndarray, step_s: int, folded: bool
) -> tuple[int, dict[str, np.ndarray]]:
    """Columns at even steps, nan where a row is missing; a typical year whole."""
    first, size = int(local[rows[0]]), int((local[rows[-1]] - local[rows[0]]) // step_s) + 1
    if folded:
        year = int(np.datetime64(f"{TYPICAL_YEAR}-01-01", "D").astype(np.int64)) * DAY_S
        first, size = year + (first - year) % step_s, _YEAR_DAYS * DAY_S // step_s
    place, off = np.divmod(local[rows] - first, step_s)
    if off.any():
        row = int(rows[np.flatnonzero(off)[0]])
        message = (
            f"{moment(table.local[row])} does not fit the {step_s // 60} min interval of the preceding rows"
        )
        raise ProblemsError([table.problem(row, message)])
    columns = {}
    for name in COLUMNS:
        if name in table.columns:
            columns[name] = np.full(size, np.nan)
            columns[name][place % size] = table.columns[name][rows]
    return first, columns


def _cycle_years(table: WeatherTable, step_s: int, size: int, repeat: bool) -> int:
    if not repeat:
        return 0
    years = int(size * step_s / (365.2425 * DAY_S) + 0.003)
    if years < 1:
        days = size * step_s / DAY_S
        message = f"repeat: the file holds {days:.0f} days; a year that repeats must be whole"
        raise ProblemsError([Problem(table.file, 0, "", message)])
    return years


def _check_unit(table: WeatherTable, ghi: np.ndarray, extra: np.ndarray) -> None:
    """Check that the light is in W/m2: in kW/m2, or MJ/m2 of an hour, the brightest row is next to nothing."""
    most, above = float(np.nanmax(ghi, initial=0.0)), float(extra.max(initial=0.0))
    if above > LIT_W_M2 and 0.0 < most < DIMMEST_SHARE * above:
        message = (
            f"its brightest row has ghi_w_m2 {most:g}, and the sun sends up to {above:,.0f} W/m2 there: "
            "is it in kW/m2 or MJ/m2? values must be in W/m2"
        )
        raise ProblemsError([Problem(table.file, 0, "", message)])


def _dark_days(
    ghi: np.ndarray, extra: np.ndarray, start_utc_s: int, step_s: int, longitude_deg: float
) -> np.ndarray:
    """Which rows are of a day of the sun's time on which a sun that was up sent next to nothing."""
    known = ~np.isnan(ghi) & (extra > 0.0)
    begins_s = start_utc_s + np.arange(ghi.size) * step_s
    day = np.floor_divide(begins_s + longitude_deg * DAY_S / 360.0, DAY_S).astype(np.int64)
    day -= day[0]
    light, above = (
        np.bincount(day, np.where(known, values, 0.0)) * step_s / 3600.0
        for values in (np.maximum(ghi, 0.0), extra)
    )
    return np.asarray(known & ((above >= DARK_FROM_WH_M2) & (light < DARKEST_SHARE * above))[day])


def _check_values(
    table: WeatherTable,
    columns: dict[str, np.ndarray],
    means: SunMeans,
    dark: np.ndarray,
    local: np.ndarray,
    start_local_s: int,
    step_s: int,
    cap: bool,
    by_month: str,
) -> tuple[int, int]:
    """Refuse what can't be, or cut it to what can; set a little less than nothing to nothing.

    Returns
    -------
    int, int
        Rows with irradiance a little below 0; rows with impossible values that were cut.
    """
    ghi = columns["ghi_w_m2"]
    over = MOST_OVER_EXTRA if step_s >= 600 else MOST_OVER_EXTRA_BRIEF
    with np.errstate(invalid="ignore"):
        wrong = [
            ("ghi_w_m2", ghi > over * means.extra_w_m2 + MOST_OFFSET_W_M2, _TOO_BRIGHT),
            ("ghi_w_m2", dark, _DARK),
            ("ghi_w_m2", ghi < LEAST_GHI_W_M2, f"is below {LEAST_GHI_W_M2:g} W/m2; empty means missing"),
        ]
        for name, (low, high) in LIMITS.items():
            if name in columns:
                outside = (columns[name] < low) | (columns[name] > high)
                wrong.append((name, outside, f"lies outside {low:g}..{high:g}; empty means missing"))
        found = [(name, rows, why) for name, rows, why in wrong if rows.any()]
        if found and not cap:
            raise ProblemsError(_impossible(table, columns, local, start_local_s, step_s, found, by_month))
        impossible = np.zeros(ghi.size, dtype=bool)
        for name, rows, why in found:
            impossible |= rows
            columns[name][rows] = means.extra_w_m2[rows] if why is _TOO_BRIGHT else np.nan
        below = ghi < 0.0
        for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2"):
            if name in columns:
                columns[name][columns[name] < 0.0] = 0.0
    return int(below.sum()), int(impossible.sum())


def _impossible(
    table: WeatherTable,
    columns: dict[str, np.ndarray],
    local: np.ndarray,
    start_local_s: int,
    step_s: int,
    found: list[tuple[str, np.ndarray, str]],
    by_month: str,
) -> list[Problem]:
    """The first impossible rows with their lines, then how many there are and what can be done."""
    problems: list[Problem] = []
    for name, rows, why in found:
        for place in np.flatnonzero(rows)[: _TOLD_AT_ONCE - len(problems)]:
            row = int(np.flatnonzero(local == start_local_s + place * step_s)[0])
            value = columns[name][place]
            problems.append(table.problem(row, f"{moment(table.local[row])}: {name} {value:g} {why}"))
    places = np.flatnonzero(np.logical_or.reduce([rows for _, rows, _ in found]))
    months = (start_local_s + places * step_s).astype("datetime64[s]").astype("datetime64[M]").astype(
        np.int64
    ) % 12
    names = ", ".join(MONTHS[number] for number in sorted(set(months.tolist())))
    told = f"{_rows(places.size)} of {columns['ghi_w_m2'].size} can't be true ({names})"
    if by_month:
        told += f"; the clock may be wrong in some months, their noon differs from the sun's: {by_month}"
    told += "; weather.on_impossible: cap cuts them to what is possible, or leaves them out, and counts them"
    return [*problems, Problem(table.file, 0, "", told)]
