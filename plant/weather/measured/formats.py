"""Which format a weather file is of, by its first lines, and who reads it.

Knows formats; doesn't know whether the values make sense (`plant.weather.measured.checking`) nor what is done with them
(`plant.weather.measured.days`).
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plant.base.problems import Problem, ProblemsError
from plant.base.textfile import text_of
from plant.weather.measured.oddrows import odd_row
from plant.weather.measured.plaincsv import read_csv
from plant.weather.measured.published import read_epw, read_pvgis, read_solaranywhere, read_tmy3
from plant.weather.measured.sam import is_sam, read_sam
from plant.weather.measured.stations import is_bsrn, is_cams, is_surfrad, read_bsrn, read_cams, read_surfrad
from plant.weather.measured.table import WeatherTable
from plant.weather.place import Weather

_LINES_LOOKED_AT, _LETTERS_LOOKED_AT = 60, 100_000


class Format(NamedTuple):
    """A format: how its first lines are known, and its reader."""

    name: str
    is_it: Callable[[list[str]], bool]
    read: Callable[[Path], WeatherTable]


def _starts(*signs: str) -> Callable[[list[str]], bool]:
    return lambda lines: bool(lines) and lines[0].startswith(signs)


def _has_a_column_of_ours(lines: list[str]) -> bool:
    return any(
        "ghi_w_m2" in line.lower() or "dni_w_m2" in line.lower() for line in lines if not line.startswith("#")
    )


FORMATS = (
    Format("sam", is_sam, read_sam),  # before EPW: its first line may begin alike
    Format("epw", _starts("LOCATION,"), read_epw),
    Format("pvgis", _starts("Latitude (decimal degrees)", "{"), read_pvgis),
    Format(
        "solaranywhere",
        lambda lines: any("ObservationTime(LST)" in ln for ln in lines[1:2]),
        read_solaranywhere,
    ),
    Format(
        "tmy3",
        lambda lines: any(ln.startswith("Date (MM/DD/YYYY),Time (HH:MM)") for ln in lines[1:2]),
        read_tmy3,
    ),
    Format("cams", is_cams, read_cams),
    Format("surfrad", is_surfrad, read_surfrad),
    Format("bsrn", is_bsrn, read_bsrn),
    Format("csv", _has_a_column_of_ours, read_csv),
)
_BETWEEN_COMMAS = ("sam", "epw", "pvgis", "solaranywhere", "tmy3")
_OTHER_THAN_ROWS = ("bsrn",)  # blocks of lines, each kind with columns of its own
_BY_NAME = {format_.name: format_ for format_ in FORMATS}


def read_weather(weather: Weather) -> WeatherTable:
    """Read a site's weather file.

    Raises
    ------
    ProblemsError
        If it is not in a known format, or not what its format asks for.
    """
    assert weather.file is not None
    path = Path(weather.file)
    kind = _format_of(path) if weather.format == "auto" else _BY_NAME[weather.format]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # in pandas' words, of values that are judged below
            table = kind.read(path)
    except ProblemsError:
        raise
    except json.JSONDecodeError as error:
        message = "the file is cut off here, or is no JSON; download it again"
        raise ProblemsError([Problem(str(path), error.lineno, "", message)]) from None
    except OSError as error:  # of the disk, not of what the file holds
        raise ProblemsError([Problem(str(path), 0, "", f"can't be read: {error.strerror}")]) from None
    except Exception:  # pvlib's readers raise whatever a wrong file makes them stumble over
        raise ProblemsError([_why_not(path, kind.name)]) from None
    if table.local.size < 2:
        raise ProblemsError([Problem(str(path), 0, "", "holds fewer than two rows of weather")])
    _check_values(table)
    if weather.utc_offset_h is not None:
        table = replace(table, utc_offset_s=round(weather.utc_offset_h * 3600.0))
    return table if weather.stamp is None else replace(table, stamp=weather.stamp)


def _check_values(table: WeatherTable) -> None:
    """That a table has irradiance, and no infinite values."""
    if "ghi_w_m2" not in table.columns and not {"dni_w_m2", "dhi_w_m2"} <= set(table.columns):
        message = "ghi_w_m2 has no value at all, nor are there dni_w_m2 and dhi_w_m2 to compute it from"
        raise ProblemsError([Problem(table.file, 0, "", message)])
    for name, values in table.columns.items():
        for row in np.flatnonzero(np.isinf(values))[:1]:
            message = f"must be a number, got {values[row]}"
            raise ProblemsError([Problem(table.file, table.line(int(row)), name, message)])


def _why_not(path: Path, kind: str) -> Problem:
    """Why a file can't be read, which its reader told in words of its own."""
    text = text_of(path)
    separator = _other_separator(text)
    if separator and kind in _BETWEEN_COMMAS:
        return Problem(str(path), 0, "", _separated(separator, kind))
    odd = odd_row(text) if kind not in _OTHER_THAN_ROWS else None
    if odd is not None:
        return Problem(str(path), odd[0], "", odd[1])
    message = f"can't be read as {kind}: its header, or a date in its rows, is not as that format has it; is it whole?"
    return Problem(str(path), 0, "", message)


def _other_separator(text: str) -> str | None:
    """What stands between the values of most rows, if no comma does."""
    lines = text.splitlines()
    middle = lines[len(lines) // 2] if lines else ""
    return next((each for each in ";\t" if middle.count(each) > middle.count(",")), None)


def _separated(separator: str, kind: str) -> str:
    named = "tabs" if separator == "\t" else f"{separator!r}"
    return f"its separators are {named}, {kind} has ','; save it with commas, as it was downloaded"


def _format_of(path: Path) -> Format:
    """The format of a file by its first lines."""
    beginning = text_of(path)[:_LETTERS_LOOKED_AT]
    lines = beginning.splitlines()[:_LINES_LOOKED_AT]
    if not beginning.strip():
        raise ProblemsError([Problem(str(path), 0, "", "is empty")])
    for kind in FORMATS:
        if kind.is_it(lines):
            return kind
    separator = _other_separator(beginning)
    if separator:
        with_commas = [line.replace(separator, ",") for line in lines]
        for kind in FORMATS:
            if kind.name in _BETWEEN_COMMAS and kind.is_it(with_commas):
                raise ProblemsError([Problem(str(path), 0, "", _separated(separator, kind.name))])
    known = ", ".join(_BY_NAME)
    message = (
        f"not recognised as one of {known}; name the format, or give a CSV with time and ghi_w_m2 columns"
    )
    raise ProblemsError([Problem(str(path), 0, "", message)])
