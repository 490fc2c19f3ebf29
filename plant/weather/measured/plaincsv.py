"""Plain CSV with columns named as ours, and ISO times."""

import csv
import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.base.textfile import text_of
from plant.weather.measured.table import BELOW_ALL, COLUMNS, WeatherTable, clock, of_width, with_values

_ISO = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?"
# Times as loggers and spreadsheets write them: never read, only told in ISO form where they can mean one thing.
_CLOCK = (
    r"(?:[T ,;]+(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?P<second>:\d\d)?(?:[.,]\d+)?"
    r"\s*(?:(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[./-](?P<month>\d{1,2})[./-](?P<day>\d{1,2})" + _CLOCK)
_YEAR_LAST = re.compile(r"(?P<one>\d{1,2})([./-])(?P<two>\d{1,2})\2(?P<year>\d{4})" + _CLOCK)
_SEPARATORS = ",;\t"
_NOTHING = _SEPARATORS + ' "'  # what a spreadsheet writes for an empty row
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]24:00(?::00)?(?:Z|[+-]\d\d(?::?\d\d)?)?")


def read_csv(path: Path) -> WeatherTable:
    """Plain CSV with named columns; lines that begin with # and empty ones are passed over before the header.

    Global irradiance, or direct and diffuse from which it follows. Between semicolons or tabs, as spreadsheets write
    them where the comma is the decimal sign, numbers may have either sign.
    """
    text = text_of(path)
    lines = text.splitlines()
    head = next((n for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")), 0)
    if not head:
        raise ProblemsError([Problem(str(path), 0, "", "has no header")])
    separator = max(_SEPARATORS, key=lines[head - 1].count)
    names = [name.strip().lower() for name in next(csv.reader([lines[head - 1]], delimiter=separator))]
    if names[-1] == "":  # a separator at the end of each line
        names.pop()
    _check_names(path, head, names)
    if not any(line.strip(_NOTHING) for line in lines[head:]):
        raise ProblemsError([Problem(str(path), head, "", "holds no rows below its header")])
    rows = "\n".join(line if line.strip(_NOTHING) else "" for line in lines)
    _check_whole(path, head, rows + "\n" * text.endswith(("\n", "\r")), separator, len(names))
    data = pd.read_csv(
        StringIO(rows), skiprows=head, header=None, names=names, skip_blank_lines=False, dtype=str,
        keep_default_na=False, sep=separator, index_col=False,
    )  # fmt: skip
    data = data.fillna("")
    data = data[data["time"].str.strip() != ""]
    problems: list[Problem] = []
    local, offset_s = _stamps(path, head, data["time"].str.strip(), problems)
    if separator != ",":
        texts = data.columns.intersection(COLUMNS)
        data[texts] = data[texts].apply(lambda column: column.str.replace(",", "."))
    columns = {name: _numbers(path, head, name, data[name], problems) for name in names if name in COLUMNS}
    if problems:
        raise ProblemsError(problems[:10])
    return WeatherTable(str(path), local, offset_s, "start", with_values(columns), head + 1, None)


def _check_whole(path: Path, head: int, rows: str, separator: str, usual: int) -> None:
    """Check that rows have as many values as the header has names: fewer end a download that broke off, more are odd.

    An empty value behind the last is none.
    """
    lines = list(csv.reader(rows.splitlines(), delimiter=separator))
    ends_empty = [line[-1:] == [""] for line in lines[-2:]]
    if ends_empty[-1:] == [True] and not all(ends_empty) and not rows.endswith("\n"):
        lines[-1].pop()  # it broke off behind a separator
    for number, line in enumerate(lines, 1):
        width = len(line) - (len(line) == usual + 1 and line[-1] == "")
        if number > head and width not in (0, usual):
            raise ProblemsError([Problem(str(path), number, "", of_width(width, usual))])


def _stamps(path: Path, head: int, texts: pd.Series, problems: list[Problem]) -> tuple[np.ndarray, int]:
    """Times as seconds of one clock, that of the first row, and its offset from UTC [s]; without a zone, UTC."""
    wrong = np.flatnonzero(~texts.str.fullmatch(_ISO).to_numpy(dtype=bool))
    if wrong.size:
        row = int(wrong[0])
        others = _others(wrong.size - 1)
        message = f"{texts.iloc[row]!r} is not an ISO time; write {_as_iso(texts.iloc[row], texts)}{others}"
        problems.append(Problem(str(path), head + 1 + int(texts.index[row]), "time", message))
        return np.zeros(0, dtype=np.int64), 0
    try:
        return clock(pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601")))
    except ValueError:
        pass  # several offsets (a clock with summer time), or a day that no month has: one by one then
    moments = []
    for row, text in zip(texts.index, texts, strict=True):
        try:
            moments.append(datetime.fromisoformat(text))
        except ValueError:
            message = f"{text!r} is not a valid time{_of_midnight(text)}"
            problems.append(Problem(str(path), head + 1 + int(row), "time", message))
    if len({moment.tzinfo is None for moment in moments}) > 1:
        problems.append(
            Problem(
                str(path), head + 1, "time", "some times have a zone and some have none; give all of them one"
            )
        )
    if problems:
        return np.zeros(0, dtype=np.int64), 0
    offset = moments[0].utcoffset()
    offset_s = int(offset.total_seconds()) if offset is not None else 0
    return np.array([int(moment.timestamp()) + offset_s for moment in moments], dtype=np.int64), offset_s


def _others(count: int) -> str:
    """How many more rows are wrong in the same way."""
    return "" if count == 0 else f"; nor {'is 1 more row' if count == 1 else f'are {count} more rows'}"


def _of_midnight(text: str) -> str:
    """What to write for the hour 24, if that is what is wrong."""
    match = _MIDNIGHT.fullmatch(text)
    if match is None:
        return ""
    with suppress(ValueError):
        return f"; write {date.fromisoformat(match[1]) + timedelta(days=1)}T00:00"
    return ""


def _as_iso(text: str, texts: pd.Series) -> str:
    """A time of a column in ISO form; an example where it can't be known which of day and month comes first.

    The order is read off a value above 12, wherever in the column it stands.
    """
    example = "year-month-day, e.g. 2024-06-21T12:00+01:00"
    if match := _YEAR_FIRST.fullmatch(text):
        return _iso(match, int(match["month"]), int(match["day"])) or example
    found = [each for other in texts if (each := _YEAR_LAST.fullmatch(other))]
    day_first, month_first = (any(int(each[place]) > 12 for each in found) for place in ("one", "two"))
    match = _YEAR_LAST.fullmatch(text)
    if match is None or day_first == month_first:
        return example
    day, month = (match["one"], match["two"]) if day_first else (match["two"], match["one"])
    return _iso(match, int(month), int(day)) or example


def _iso(match: re.Match[str], month: int, day: int) -> str | None:
    """What was matched in ISO form; none where there is no such date and hour."""
    hour, half = int(match["hour"] or 0), (match["half"] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "p")
    try:
        when = datetime(int(match["year"]), month, day, hour, int(match["minute"] or 0))
    except ValueError:
        return None
    return f"{when:%Y-%m-%dT%H:%M}{match['second'] or ''}"


def _check_names(path: Path, head: int, names: list[str]) -> None:
    known = ("time", *COLUMNS)
    problems = [
        Problem(
            str(path), head, name, f"unknown column{did_you_mean(name, known)}; known: {', '.join(known)}"
        )
        for name in names
        if name not in known
    ]
    asked = ["time"] if {"dni_w_m2", "dhi_w_m2"} <= set(names) else ["time", "ghi_w_m2"]
    problems += [Problem(str(path), head, name, "missing") for name in asked if name not in names]
    problems += [
        Problem(str(path), head, n, "given twice") for n in sorted({n for n in names if names.count(n) > 1})
    ]
    if problems:
        raise ProblemsError(problems)


def _numbers(path: Path, head: int, name: str, texts: pd.Series, problems: list[Problem]) -> np.ndarray:
    """A column as numbers; empty and nan are missing."""
    stripped = texts.str.strip()
    numbers = pd.to_numeric(stripped.replace({"": "nan", "NaN": "nan"}), errors="coerce")
    values: np.ndarray = numbers.to_numpy(dtype=float, copy=True)
    wrong = np.flatnonzero(~np.isfinite(values) & ~stripped.str.lower().isin(["", "nan"]).to_numpy())
    for row in wrong[:10]:
        line = head + 1 + int(texts.index[row])
        problems.append(Problem(str(path), line, name, f"must be a number, got {texts.iloc[row]!r}"))
    values[values <= BELOW_ALL] = np.nan
    return values
