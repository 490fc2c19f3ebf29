"""Light and air of any day out of a weather file: the file's intervals on the days' fine grid.

Knows which row of the file a moment of a day is; how rows become a fine grid is `plant.weather.measured.resample`'s.
"""

import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.weather import sun
from plant.weather.decomposition import beam_of_global, direct_share
from plant.weather.measured.checking import Series, series_of
from plant.weather.measured.filling import EPOCH_ORDINAL
from plant.weather.measured.formats import read_weather
from plant.weather.measured.resample import Edges, edges_of, light_of_means
from plant.weather.measured.table import WeatherTable, moment
from plant.weather.place import Location, Weather
from plant.weather.sun import ClearBlock
from plant.weather.sunmeans import SunMeans

_FAR_DEG = 0.5
_MOST_INDEX = 2.0  # what is shown of a ratio to a cloudless sky that is next to nothing
_RUN_WITHIN = "run within its dates, or set weather.repeat: true"


@dataclass(frozen=True, slots=True)
class FileSky:
    """A weather file made ready for a place.

    `beam` is the direct light on the level; None where the clear-sky index itself gives it (Heliosat). `notes` say in
    a line each what was mended and what looks odd.
    """

    series: Series
    longitude_deg: float
    ghi: Edges
    beam: Edges | None
    notes: tuple[str, ...]

    def light(
        self, first_day: int, clear: ClearBlock, grid_s: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The light of some days.

        Parameters
        ----------
        first_day : int
        clear : ClearBlock
            The cloudless sky of these days, on the grid.
        grid_s : int
            Time between points [s].

        Returns
        -------
        (days, n) array, (days, n) array, (days, n) array
            Clear-sky index [-], global irradiance on the level and direct normal irradiance [W/m2].

        Raises
        ------
        ProblemsError
            If the sun is up on days of which the file knows nothing, or the grid doesn't divide its intervals.
        """
        s, lit = self.series, clear.lit
        if not s.instant and s.step_s % grid_s:
            message = f"its rows are {s.step_s} s apart, which steps of {grid_s} s don't divide"
            raise ProblemsError([Problem(s.file, 0, "", message)])
        row, share = self._places(first_day, clear.ghi_w_m2.shape[0], grid_s)
        self._refuse_unknown(row, first_day)
        points = clear.ghi_w_m2.shape[1]
        extra, clear_beam = np.zeros_like(clear.ghi_w_m2), np.zeros_like(clear.ghi_w_m2)
        extra.ravel()[lit] = np.repeat(clear.dni_extra_w_m2, points)[lit] * clear.cos_zenith
        clear_ghi, clear_dni = clear.ghi_w_m2.ravel()[lit], clear.dni_w_m2.ravel()[lit]
        clear_beam.ravel()[lit] = clear_dni * clear.cos_zenith
        light = light_of_means(self.ghi, clear.ghi_w_m2, extra, row, share).ravel()[lit]
        index, dni = np.ones_like(clear.ghi_w_m2), np.zeros_like(clear.ghi_w_m2)
        k_lit = np.minimum(
            np.divide(light, clear_ghi, out=np.ones_like(light), where=clear_ghi > 0.0), _MOST_INDEX
        )
        index.ravel()[lit] = k_lit
        ghi = clear.twilight_w_m2.copy()
        ghi.ravel()[lit] = light
        height = np.maximum(clear.cos_zenith, 1e-3)
        if self.beam is None:
            direct = direct_share(k_lit) * clear_dni
        else:
            direct = light_of_means(self.beam, clear_beam, extra, row, share).ravel()[lit] / height
        most = np.minimum(light / height, np.repeat(clear.dni_extra_w_m2, points)[lit])
        dni.ravel()[lit] = np.minimum(direct, most)
        return index, ghi, dni

    @property
    def span_utc_s(self) -> tuple[float, float]:
        """From when to when anything is known [s UTC]; without end for years that repeat."""
        s = self.series
        if s.cycle_years:
            return -np.inf, np.inf
        return float(s.start_utc_s), float(s.start_utc_s + (s.size - s.instant) * s.step_s)

    def days_within(self, first_day: int, days: int) -> tuple[int, int]:
        """The first and the number of those of some solar days that the file touches; all of them where it has none."""
        begins, ends = self.span_utc_s
        if np.isinf(begins):
            return first_day, days
        first = max(first_day, sun.day_of(begins, self.longitude_deg))
        last = min(first_day + days - 1, sun.day_of(ends - 1.0, self.longitude_deg))
        return (first, last - first + 1) if first <= last else (first_day, days)

    def air(self, name: str, first_day: int, days: int, grid_s: int) -> np.ndarray | None:
        """The air of some days: straight lines between the intervals' middles.

        Parameters
        ----------
        name : {"t_amb_c", "wind_m_s"}
        first_day, days : int
        grid_s : int
            Time between points [s].

        Returns
        -------
        (days, n) array or None
            Temperature [degC] or wind [m/s]; None where the file has none.
        """
        values = self.series.columns.get(name)
        if values is None:
            return None
        row, share = self._places(first_day, days, grid_s)
        place = row + share - (0.0 if self.series.instant else 0.5)
        before = np.floor(place).astype(np.int64)
        rest = place - before
        if self.series.cycle_years:
            left, right = before % values.size, (before + 1) % values.size
        else:
            left, right = (np.clip(k, 0, values.size - 1) for k in (before, before + 1))
        return np.asarray(values[left] * (1.0 - rest) + values[right] * rest)

    def _places(self, first_day: int, days: int, grid_s: int) -> tuple[np.ndarray, np.ndarray]:
        """Row of the file that each point of the days, (days, n), falls in, and how far into it, 0..1."""
        s = self.series
        start_utc_s = sun.day_start_utc_s(first_day, self.longitude_deg)
        in_day = np.arange(0, DAY_S + grid_s, grid_s)
        clock = start_utc_s + s.utc_offset_s + np.arange(days)[:, None] * DAY_S + in_day
        first_date = int(clock[0, 0] // DAY_S)
        dates = range(first_date, int(clock[-1, -1] // DAY_S) + 1)
        moves = np.array([self._source_date(n) - n for n in dates])
        clock = clock + moves[clock // DAY_S - first_date] * DAY_S
        row, into = np.divmod(clock - s.utc_offset_s - s.start_utc_s, s.step_s)
        return (row % s.size if s.cycle_years else row), into / s.step_s

    def _source_date(self, day: int) -> int:
        """Date of the file that stands for a date, which 29 February in a common year doesn't have: then the 28th."""
        s = self.series
        if not s.cycle_years:
            return day
        wanted = date.fromordinal(EPOCH_ORDINAL + day)
        first = date.fromordinal(EPOCH_ORDINAL + (s.start_utc_s + s.utc_offset_s + DAY_S // 2) // DAY_S)
        year = first.year + (wanted.year - first.year) % s.cycle_years
        if (wanted.month, wanted.day) < (first.month, first.day):
            year += s.cycle_years if year == first.year else 0
        try:
            found = wanted.replace(year=year)
        except ValueError:
            found = wanted.replace(year=year, day=28)
        return found.toordinal() - EPOCH_ORDINAL

    def _refuse_unknown(self, row: np.ndarray, first_day: int) -> None:
        """Refuse days that the file doesn't touch; of its first and its last day a part will do, see `check_run`."""
        unknown = np.flatnonzero(((row < 0) | (row >= self.series.size)).all(axis=1))
        if unknown.size:
            day = date.fromordinal(EPOCH_ORDINAL + first_day + int(unknown[0]))
            message = f"{self._holds()} and nothing for {day}; {_RUN_WITHIN}"
            raise ProblemsError([Problem(self.series.file, 0, "", message)])

    def check_run(self, begin_utc_s: float, end_utc_s: float) -> None:
        """Check that a run lies within the file.

        Parameters
        ----------
        begin_utc_s, end_utc_s : float
            Its first and last moment [s UTC].

        Raises
        ------
        ProblemsError
            Saying what the file holds, in its own clock.
        """
        first, last = self.span_utc_s
        outside = next((t for t in (begin_utc_s, end_utc_s) if not first <= t <= last), None)
        if outside is not None:
            what = "begins" if outside == begin_utc_s else "ends"
            when = moment(outside + self.series.utc_offset_s)
            zone_s = self.series.utc_offset_s
            whole_s = -(-(first + zone_s) // DAY_S) * DAY_S
            has_one = what == "begins" and whole_s + DAY_S <= last + zone_s
            days = f"; its first whole day is {moment(whole_s).partition(' ')[0]}" if has_one else ""
            message = f"{self._holds()}, and the run {what} at {when}{days}; {_RUN_WITHIN}"
            raise ProblemsError([Problem(self.series.file, 0, "", message)])

    def _holds(self) -> str:
        s = self.series
        first, last = (moment(s.start_utc_s + s.utc_offset_s + k * s.step_s) for k in (0, s.size - s.instant))
        return f"holds {first} to {last} (UTC{s.utc_offset_s / 3600.0:+g})"


def file_sky(weather: Weather, location: Location) -> FileSky:
    """A site's weather file, read, checked and made ready; kept for as long as the file stays the same.

    Raises
    ------
    ProblemsError
        With file and line, if it can't be used for this place.
    """
    assert weather.file is not None
    seen = os.stat(weather.file)
    return _file_sky(weather, location, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=8)
def _file_sky(weather: Weather, location: Location, _mtime_ns: int, _size: int) -> FileSky:
    table = read_weather(weather)
    if "t_amb_c" not in table.columns and weather.temperature_c is None:
        message = "has no temperature; give weather.temperature_c as monthly means"
        raise ProblemsError([Problem(table.file, 0, "", message)])
    series, means = series_of(table, weather, location)
    cyclic = bool(series.cycle_years)
    ghi = edges_of(series.columns["ghi_w_m2"], means.ghi_w_m2, means.extra_w_m2, cyclic, series.instant)
    beam_mean = _beam(series, means, weather.decomposition, location.altitude_m)
    beam = (
        None
        if beam_mean is None
        else edges_of(beam_mean, means.beam_w_m2, means.extra_w_m2, cyclic, series.instant)
    )
    notes = (*series.mended.notes(), *_odd(table, series, means, location))
    return FileSky(series, location.longitude_deg, ghi, beam, notes)


def _beam(series: Series, means: SunMeans, decomposition: str, altitude_m: float) -> np.ndarray | None:
    """Direct light on the level [W/m2]: the file's own if it has any, else by a correlation."""
    ghi = series.columns["ghi_w_m2"]
    if "dhi_w_m2" in series.columns:
        return np.asarray(np.clip(ghi - series.columns["dhi_w_m2"], 0.0, ghi))
    if "dni_w_m2" in series.columns:
        level = np.divide(means.beam_w_m2, means.dni_w_m2, out=np.zeros_like(ghi), where=means.dni_w_m2 > 0.0)
        return np.asarray(np.minimum(series.columns["dni_w_m2"] * level, ghi))
    if decomposition == "heliosat":
        return None
    half = 0 if series.instant else series.step_s // 2
    middles = series.start_utc_s + half + np.arange(series.size) * series.step_s
    return beam_of_global(decomposition, ghi, means, middles, altitude_m)


def _odd(table: WeatherTable, series: Series, means: SunMeans, location: Location) -> list[str]:
    """What a reader of the results should know of the file, though it can be used."""
    told = []
    if table.latitude_deg is not None and table.longitude_deg is not None:
        apart = max(
            abs(table.latitude_deg - location.latitude_deg), abs(table.longitude_deg - location.longitude_deg)
        )
        if apart > _FAR_DEG:
            place = f"{table.latitude_deg:g}, {table.longitude_deg:g}"
            told.append(f"the file is for {place}, {apart:.1f} deg from the site")
    ghi = series.columns["ghi_w_m2"]
    lost = ghi[means.extra_w_m2 <= 0.0].sum()
    if lost > 1e-3 * ghi.sum():
        told.append(
            f"{lost / ghi.sum():.1%} of the irradiance falls with the sun below the horizon and is ignored"
        )
    if series.months_off:
        told.append(f"in some months noon differs from the sun's: {series.months_off}")
    return told
