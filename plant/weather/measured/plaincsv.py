"""Plain CSV with columns named as ours, and ISO times."""

import csv
import re
from datetime import datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.weather.measured.table import BELOW_ALL, COLUMNS, WeatherTable, clock, text_of

_ISO = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ,]+(\d{1,2}:\d\d(?::\d\d)?))?")


def read_csv(path: Path) -> WeatherTable:
    """Plain CSV with named columns; lines that begin with # and empty ones are passed over before the header.

    Global irradiance, or direct and diffuse from which it follows.
    """
    text = text_of(path)
    lines = text.splitlines()
    head = next((n for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")), 0)
    if not head:
        raise ProblemsError([Problem(str(path), 0, "", "holds no header")])
    names = [name.strip() for name in next(csv.reader([lines[head - 1]]))]
    _check_names(path, head, names)
    data = pd.read_csv(
        StringIO(text), skiprows=head, header=None, names=names, skip_blank_lines=False, dtype=str,
        keep_default_na=False,
    )  # fmt: skip
    data = data.fillna("")
    data = data[data["time"].str.strip() != ""]
    problems: list[Problem] = []
    local, offset_s = _stamps(path, head, data["time"].str.strip(), problems)
    columns = {name: _numbers(path, head, name, data[name], problems) for name in names if name in COLUMNS}
    if problems:
        raise ProblemsError(problems[:10])
    return WeatherTable(str(path), local, offset_s, "start", columns, head + 1, None)


def _stamps(path: Path, head: int, texts: pd.Series, problems: list[Problem]) -> tuple[np.ndarray, int]:
    """Times as seconds of one clock, that of the first row, and its offset from UTC [s]; without a zone, UTC."""
    wrong = np.flatnonzero(~texts.str.fullmatch(_ISO).to_numpy(dtype=bool))
    if wrong.size:
        row = int(wrong[0])
        others = f"; {wrong.size - 1} more rows are not either" if wrong.size > 1 else ""
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
            problems.append(Problem(str(path), head + 1 + int(row), "time", f"{text!r} is not a valid time"))
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


def _as_iso(text: str, texts: pd.Series) -> str:
    """A time of a column in ISO form; an example where it can't be known which of day and month comes first.

    The order is read off a value above 12, wherever in the column it stands.
    """
    found = [match for each in texts if (match := _PARTS.fullmatch(each))]
    day_first, month_first = (any(int(match[place]) > 12 for match in found) for place in (1, 3))
    match = _PARTS.fullmatch(text)
    if match is None or day_first == month_first:
        return "year-month-day, e.g. 2024-06-21T12:00+01:00"
    day, month = (match[1], match[3]) if day_first else (match[3], match[1])
    return f"{match[4]}-{int(month):02d}-{int(day):02d}T{match[5] or '00:00'}"


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
    wrong = np.flatnonzero(np.isnan(values) & ~stripped.str.lower().isin(["", "nan"]).to_numpy())
    for row in wrong[:10]:
        line = head + 1 + int(texts.index[row])
        problems.append(Problem(str(path), line, name, f"must be a number, got {texts.iloc[row]!r}"))
    values[values <= BELOW_ALL] = np.nan
    return values
