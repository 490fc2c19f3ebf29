"""The rows of a weather file as one plain table, and what every reader of a format needs to make one."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError

COLUMNS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "t_amb_c", "wind_m_s")
_PVLIB_NAMES = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
BELOW_ALL = -900.0  # TMY3 writes -9900 for missing, others -999 or -9999


@dataclass(frozen=True, slots=True)
class WeatherTable:
    """The rows of a file, in its own order.

    `local` holds the stamps as the file's clock shows them, as seconds since 1970-01-01T00:00 of that clock; `columns`
    arrays with nan where nothing was written, and only the columns that the file has.
    """

    file: str
    local: np.ndarray
    utc_offset_s: int
    stamp: str  # which moment of its interval a row is stamped with: start, middle, end; or instant
    columns: dict[str, np.ndarray]
    first_line: int  # line of the file that the first row stands on; 0 where lines say nothing
    typical: bool | None  # a year put together from several; None where only the stamps can tell
    latitude_deg: float | None = None
    longitude_deg: float | None = None

    def line(self, row: int) -> int:
        """Line of the file that a row stands on."""
        return self.first_line + row if self.first_line else 0

    def problem(self, row: int, message: str) -> Problem:
        """A problem in a row."""
        return Problem(self.file, self.line(row), "", message)


def moment(local_s: float) -> str:
    """A second of the file's clock as people write it."""
    return (datetime(1970, 1, 1) + timedelta(seconds=float(local_s))).strftime("%Y-%m-%d %H:%M")


@contextmanager
def plain_copy(path: Path, text: str) -> Iterator[str]:
    """Path of a text in plain ASCII, for pvlib's readers that open files themselves and know one encoding."""
    try:
        with NamedTemporaryFile("w", encoding="ascii", errors="replace", suffix=".txt") as file:
            file.write(text)
            file.flush()
            yield file.name
    except OSError as error:
        message = f"a copy of {path.name} could not be written there: {error.strerror}; free some space, or set TMPDIR"
        raise ProblemsError([Problem(gettempdir(), 0, "", message)]) from None


def pick(data: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns we use of a frame with pvlib's names, nan where a value is missing."""
    picked = {
        ours: pd.to_numeric(data[theirs]).to_numpy(dtype=float, copy=True)
        for ours, theirs in zip(COLUMNS, _PVLIB_NAMES, strict=True)
        if theirs in data
    }
    for values in picked.values():
        values[values <= BELOW_ALL] = np.nan
    return with_values(picked)


def with_values(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns in which anything stands."""
    return {name: values for name, values in columns.items() if not np.isnan(values).all()}


def clock(index: pd.DatetimeIndex) -> tuple[np.ndarray, int]:
    """Seconds of the file's own clock, and that clock's offset from UTC [s]."""
    offset = index[0].utcoffset()
    local = index.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    return local, int(offset.total_seconds()) if offset is not None else 0


def check_whole_rows(path: Path, text: str, first_line: int, separator: str = ",") -> None:
    """Check that no row has fewer values than most rows have, as a download that broke off ends in one; nor more.

    Raises
    ------
    ProblemsError
        With the line of the first that does.
    """
    widths = {
        number: len(re.split(separator, row.strip()))
        for number, row in enumerate(text.splitlines(), 1)
        if number >= first_line and row.strip()
    }
    usual = max(Counter(widths.values()).items(), key=lambda item: item[1], default=(0, 0))[0]
    for number, width in widths.items():
        if width != usual:
            raise ProblemsError([Problem(str(path), number, "", of_width(width, usual))])


def of_width(width: int, usual: int) -> str:
    """What is wrong with a row of so many values where the others have another number of them."""
    if width < usual:
        return f"the row is cut off: {width} of {usual} values; download the file again, or delete the line"
    return f"the row has {width} values, others have {usual}; is a comma in it a decimal sign?"


def local_seconds(
    path: Path, first_line: int, parts: Mapping[str, np.ndarray], hours: tuple[int, int] = (0, 23)
) -> np.ndarray:
    """Seconds of the file's clock from numbers for year, month, day, hour and, if there is one, minute.

    Parameters
    ----------
    path : Path
    first_line : int
        Line of the first row.
    parts : mapping
        Name of a part -> its values; hours count from midnight.
    hours : (int, int)
        What the file may call the first and the last hour of a day.

    Raises
    ------
    ProblemsError
        With the line of the first that is not a date and hour.
    """
    limits = {"year": (1900, 2200), "month": (1, 12), "day": (1, 31), "hour": hours, "minute": (0, 59)}
    whole = {
        name: np.nan_to_num(values, posinf=-1.0, neginf=-1.0).astype(np.int64)
        for name, values in parts.items()
    }
    wrong = np.zeros(len(whole["month"]), dtype=bool)
    for name, values in parts.items():
        low, high = limits[name]
        wrong |= (values != whole[name]) | (values < low) | (values > high)
    month = ((whole["year"] - 1970) * 12 + whole["month"] - 1).astype("datetime64[M]")
    first = month.astype("datetime64[D]").astype(np.int64)
    length = (month + 1).astype("datetime64[D]").astype(np.int64) - first
    wrong |= whole["day"] > length
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        told = ", ".join(f"{name} {values[row]:g}" for name, values in parts.items())
        low, high = hours
        if not low <= parts["hour"][row] <= high:
            told += f"; hours are {low} to {high} in this format"
        raise ProblemsError([Problem(str(path), first_line + row, "", f"no such date and hour: {told}")])
    minutes = whole.get("minute", np.zeros_like(first))
    return np.asarray((first + whole["day"] - 1) * 86400 + whole["hour"] * 3600 + minutes * 60)
