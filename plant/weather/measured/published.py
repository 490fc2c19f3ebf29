"""Typical years and series as their publishers write them: EPW, TMY3, SolarAnywhere, PVGIS; read by pvlib."""

import csv
import json
import re
from contextlib import suppress
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError, shown
from plant.base.textfile import text_of
from plant.weather.measured.table import (
    WeatherTable,
    check_whole_rows,
    clock,
    local_seconds,
    pick,
    plain_copy,
    with_values,
)

# EPW's own numbers for missing (EnergyPlus, Auxiliary Programs)
_EPW_MISSING = {
    "ghi_w_m2": 9999.0,
    "dni_w_m2": 9999.0,
    "dhi_w_m2": 9999.0,
    "t_amb_c": 99.9,
    "wind_m_s": 999.0,
}
_EPW_FIRST_LINE = 9
_PVGIS_SHIFT = re.compile(r"irradiance\s+time\s+offset\s*\(\s*h\s*\)\s*[:=]([^,\"]*)", re.IGNORECASE)
_MOUNTS = {
    "two_axis": "a two-axis mount",
    "vertical_axis": "a mount that turns about a vertical axis",
    "inclined_axis": "a mount that turns about an inclined axis",
}


def read_epw(path: Path) -> WeatherTable:
    """EPW: rows are hours, stamped with their end; pvlib shifts that to the start."""
    from pvlib import iotools

    text = _without_quotes(text_of(path))
    check_whole_rows(path, text, _EPW_FIRST_LINE)
    _check_epw_dates(path, text)
    data, meta = iotools.read_epw(StringIO(text))
    local, offset = clock(data.index)
    columns = pick(data)
    for name, values in columns.items():
        values[values >= _EPW_MISSING[name]] = float("nan")
    table = WeatherTable(
        str(path), local, offset, "start", with_values(columns), _EPW_FIRST_LINE, None,
        meta["latitude"], meta["longitude"],
    )  # fmt: skip
    shift_h = _pvgis_shift_h(path, text)
    if shift_h is None:
        return table
    # PVGIS's rows are moments of UTC whatever zone its first line names: they are those of its CSV, which says UTC,
    # and the offset it notes is that of the CSV less an hour
    return replace(table, local=local + 3600 + round(shift_h * 3600.0), stamp="instant", utc_offset_s=0)


def _without_quotes(text: str) -> str:
    """An EPW whose place may be named between quotes with a comma in it, which pvlib takes for the next value."""
    place, end, rest = text.partition("\n")
    cells = next(csv.reader([place]), [])
    return ",".join(cell.replace(",", " ") for cell in cells) + end + rest


def _check_epw_dates(path: Path, text: str) -> None:
    """Check that each row begins with a year, a month, a day and an hour from 1 to 24, of which pvlib makes a text."""
    rows = [line.split(",")[:4] for line in text.splitlines()[_EPW_FIRST_LINE - 1 :] if line.strip()]
    values = np.full((len(rows), 4), np.nan)
    for row, found in enumerate(rows):
        for column, value in enumerate(found):
            with suppress(ValueError):
                values[row, column] = float(value)
    known = np.flatnonzero(np.isnan(values).any(axis=1))
    if known.size:
        line = _EPW_FIRST_LINE + int(known[0])
        message = f"no year, month, day and hour: {', '.join(rows[known[0]])}"
        raise ProblemsError([Problem(str(path), line, "", message)])
    parts = dict(zip(("year", "month", "day", "hour"), values.T, strict=True))
    local_seconds(path, _EPW_FIRST_LINE, parts, hours=(1, 24))


def _pvgis_shift_h(path: Path, text: str) -> float | None:
    """Hours from an EPW row's hour to the moment of its irradiance, which PVGIS notes in a comment."""
    for number, line in enumerate(text.splitlines()[: _EPW_FIRST_LINE - 1], 1):
        if found := _PVGIS_SHIFT.search(line):
            try:
                return float(found[1])
            except ValueError:
                message = f"irradiance time offset must be a number of hours, got {found[1].strip()!r}"
                raise ProblemsError([Problem(str(path), number, "", message)]) from None
    return None


def read_tmy3(path: Path) -> WeatherTable:
    """TMY3: rows are hours, stamped with their end. The years of its months differ and mean nothing.

    SolarAnywhere writes series of real years in this form, too, and says so in the first line.
    """
    from pvlib import iotools

    text = text_of(path)
    head = text.partition("\n")[0].lower()
    is_series = "type: timeseries" in head
    check_whole_rows(path, text, 3)
    data, meta = iotools.read_tmy3(StringIO(text), coerce_year=None if is_series else 2001)
    local, offset = clock(data.index)
    stamp = "middle" if "averaging method: cent" in head else "end"
    return WeatherTable(
        str(path), local, offset, stamp, pick(data), 3, None if is_series else True,
        meta["latitude"], meta["longitude"],
    )  # fmt: skip


def read_solaranywhere(path: Path) -> WeatherTable:
    """SolarAnywhere: its header says whether a row is stamped with the end or the middle of its interval."""
    from pvlib import iotools

    text = text_of(path)
    check_whole_rows(path, text, 3)
    with plain_copy(path, text) as copy:
        data, meta = iotools.read_solaranywhere(copy, encoding="utf-8")
    local, offset = clock(data.index)
    stamp = "middle" if "cent" in str(meta.get("Averaging Method", "")).lower() else "end"
    typical = True if "typical" in str(meta.get("Type", "")).lower() else None
    return WeatherTable(
        str(path), local, offset, stamp, pick(data), 3, typical, meta["latitude"], meta["longitude"]
    )


def read_pvgis(path: Path) -> WeatherTable:
    """PVGIS, hourly or typical year, CSV or JSON: moments, the typical year's with an offset in its header."""
    from pvlib import iotools

    text = text_of(path)
    kind = "json" if text.lstrip().startswith("{") else "csv"
    if kind == "json":
        _check_reply(path, text)
    if "time(UTC)" in text:
        data, meta = iotools.read_pvgis_tmy(BytesIO(text.encode()), pvgis_format=kind)  # it wants bytes
    else:
        data, meta = iotools.read_pvgis_hourly(StringIO(text), pvgis_format=kind)
        data = _level(path, data, meta["inputs"])
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    shift_h = float(place.get("irradiance_time_offset", inputs.get("irradiance time offset", 0.0)))
    local, offset = clock(data.index)
    header = next((n for n, line in enumerate(text.splitlines(), 1) if line.startswith("time")), 0)
    return WeatherTable(
        str(path), local + round(shift_h * 3600.0), offset, "instant", pick(data), header + 1 if header else 0,
        None, float(place["latitude"]), float(place["longitude"]),
    )  # fmt: skip


def _check_reply(path: Path, text: str) -> None:
    """That PVGIS sent data: what it refuses it answers with a message."""
    reply = json.loads(text)
    if "outputs" not in reply and "message" in reply:
        message = f"holds no data but what PVGIS answered: {shown(str(reply['message']))}"
        raise ProblemsError([Problem(str(path), 0, "", message)])


def _level(path: Path, data: pd.DataFrame, inputs: dict[str, Any]) -> pd.DataFrame:
    """Global and diffuse irradiance of PVGIS's hourly series, which is of a plane: it must be the level one."""
    mounting = inputs.get("mounting_system", {})
    fixed = mounting.get("fixed", {})
    slope = (
        fixed.get("slope", {}).get("value") if fixed else str(inputs.get("Slope", "")).split("deg")[0].strip()
    )
    if slope in ("", None) or float(slope) != 0.0:
        turning = next((words for key, words in _MOUNTS.items() if key in mounting), None)
        if turning is None and slope in ("", None):
            turning = "a mount that turns"
        what = turning or f"a plane tilted by {float(slope):g} deg"
        message = f"PVGIS computed the irradiance on {what}; request a fixed mount with slope 0"
        raise ProblemsError([Problem(str(path), 0, "", message)])
    if "poa_global" in data:
        return data.assign(ghi=data["poa_global"])
    diffuse = data["poa_sky_diffuse"] + data["poa_ground_diffuse"]
    return data.assign(ghi=data["poa_direct"] + diffuse, dhi=diffuse)
