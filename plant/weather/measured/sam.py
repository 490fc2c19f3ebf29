"""SAM CSV: what NSRDB, NASA POWER's and SAM's own tools write; two lines of place, one of columns, then rows.

Names are blind to case, as in SAM's reader (SAM ssc, `lib_weatherfile.cpp`): it asks for latitude, longitude, time
zone and elevation only, and knows several words for each column. A row without a minute is an hour that begins at its
stamp; one with a minute is stamped with the middle of its interval.
"""

import csv
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError
from plant.base.textfile import text_of
from plant.weather.measured.table import BELOW_ALL, WeatherTable, check_whole_rows, local_seconds, with_values

_FIRST_LINE = 4
_PLACE = {
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "zone": ("time zone", "timezone", "tz"),
}
_TIME = {
    "year": ("year", "yr"),
    "month": ("month", "mo"),
    "day": ("day",),
    "hour": ("hour", "hr"),
    "minute": ("minute", "min"),
}
_VALUES = {
    "ghi_w_m2": ("ghi", "gh", "global", "global horizontal", "global horizontal irradiance"),
    "dni_w_m2": ("dni", "dn", "beam", "direct normal", "direct normal irradiance"),
    "dhi_w_m2": ("dhi", "df", "diffuse", "diffuse horizontal", "diffuse horizontal irradiance"),
    "t_amb_c": (
        "tdry",
        "temperature",
        "dry bulb",
        "drybulb",
        "dry bulb temp",
        "dry-bulb",
        "ambient",
        "ambient temp",
    ),
    "wind_m_s": ("wspd", "wind speed", "windspd", "wind"),
}


def is_sam(lines: list[str]) -> bool:
    """Whether the first lines of a file are a SAM CSV's."""
    if len(lines) < 3:
        return False
    place, columns = (set(map(_plain, _cells(lines[n]))) for n in (0, 2))
    return all(set(words) & place for words in _PLACE.values()) and {"month", "day", "hour"} <= {
        name for name, words in _TIME.items() if set(words) & columns
    }


def read_sam(path: Path) -> WeatherTable:
    """A SAM CSV in any of its forms.

    Raises
    ------
    ProblemsError
        With the line, if a value is missing or no number.
    """
    text = text_of(path)
    lines = text.splitlines()
    place = dict(zip(map(_plain, _cells(lines[0])), map(str.strip, _cells(lines[1])), strict=False))
    latitude, longitude, zone_h = (_number(path, place, words) for words in _PLACE.values())
    check_whole_rows(path, text, _FIRST_LINE)
    data = pd.read_csv(StringIO(text), skiprows=2, index_col=False, skip_blank_lines=True, low_memory=False)
    data.columns = [_plain(str(name)) for name in data.columns]
    data = data.dropna(how="all")
    first = _first_row(data)
    data = data.iloc[first:]
    known = {name: found for name, words in {**_TIME, **_VALUES}.items() if (found := _column(data, words))}
    columns = {name: _floats(path, data, known[name]) for name in _VALUES if name in known}
    if "ghi_w_m2" not in columns and not {"dni_w_m2", "dhi_w_m2"} <= set(columns):
        raise ProblemsError([Problem(str(path), 3, "", "holds neither GHI nor both DNI and DHI")])
    parts = {name: _floats(path, data, known[name]) for name in _TIME if name in known}
    parts = {"year": np.full(len(data), 2001.0), **parts}
    local = local_seconds(path, _FIRST_LINE + first, parts)
    return WeatherTable(
        str(path), local, round(3600.0 * zone_h), "middle" if "minute" in parts else "start", with_values(columns),
        _FIRST_LINE + first, None, latitude, longitude,
    )  # fmt: skip


def _cells(line: str) -> list[str]:
    """Values of a line; a place's name may hold commas between quotes."""
    return next(csv.reader([line]), [])


def _first_row(data: pd.DataFrame) -> int:
    """Number of the first row of weather: some writers put a row of units between the names and it."""
    month = next(name for name in _TIME["month"] if name in data.columns)
    numbers = pd.to_numeric(data[month].iloc[:2], errors="coerce")
    return int(numbers.size == 2 and np.isnan(numbers.iloc[0]) and not np.isnan(numbers.iloc[1]))


def _plain(name: str) -> str:
    """A heading without its unit in parentheses, in lower case."""
    return re.sub(r"\s*[(\[].*", "", name).strip().strip('"').lower()


def _column(data: pd.DataFrame, words: tuple[str, ...]) -> str | None:
    return next((word for word in words if word in data.columns), None)


def _number(path: Path, place: dict[str, str], words: tuple[str, ...]) -> float:
    for word in words:
        if word in place:
            try:
                return float(place[word])
            except ValueError:
                message = f"must be a number, got {place[word]!r}"
                raise ProblemsError([Problem(str(path), 2, word, message)]) from None
    raise ProblemsError([Problem(str(path), 1, words[0], "missing")])


def _floats(path: Path, data: pd.DataFrame, name: str) -> np.ndarray:
    values: np.ndarray = pd.to_numeric(data[name], errors="coerce").to_numpy(dtype=float, copy=True)
    is_time = any(name in words for words in _TIME.values())
    wrong = np.isnan(values) if is_time else np.isnan(values) & data[name].notna().to_numpy()
    for row in np.flatnonzero(wrong)[:1]:
        line = _FIRST_LINE + int(data.index[row])
        message = f"must be a number, got {data[name].iloc[row]!r}"
        raise ProblemsError([Problem(str(path), line, name, message)])
    values[values <= BELOW_ALL] = np.nan
    return values
