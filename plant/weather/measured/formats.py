"""Weather files as they come: EPW, TMY3, PVGIS, NSRDB, SolarAnywhere and plain CSV, read into one plain table.

Knows formats: what a stamp means, where the clock's zone stands, how a missing value is written. Doesn't know whether
the values make sense (`plant.weather.measured.checking`) nor what is done with them (`plant.weather.measured.days`).
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.weather.place import Weather

COLUMNS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "t_amb_c", "wind_m_s")
_PVLIB_NAMES = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
_MISSING = {
    "ghi_w_m2": 9999.0,
    "dni_w_m2": 9999.0,
    "dhi_w_m2": 9999.0,
    "t_amb_c": 99.9,
    "wind_m_s": 999.0,
}  # EPW
_BELOW_ALL = -900.0  # TMY3 writes -9900 for missing, others -999 or -9999


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


def read_weather(weather: Weather) -> WeatherTable:
    """Read a site's weather file.

    Raises
    ------
    ProblemsError
        If it is none of the known formats, or not what its format asks for.
    """
    assert weather.file is not None
    path = Path(weather.file)
    kind = _format_of(path) if weather.format == "auto" else weather.format
    try:
        table = _READERS[kind](path)
    except ProblemsError:
        raise
    except Exception as error:  # pvlib's readers raise whatever a wrong file makes them stumble over
        message = f"can't be read as {kind}: {type(error).__name__}: {error}"
        raise ProblemsError([Problem(str(path), 0, "", message)]) from None
    if table.local.size < 2:
        raise ProblemsError([Problem(str(path), 0, "", "holds fewer than two rows of weather")])
    if weather.utc_offset_h is not None:
        table = replace(table, utc_offset_s=round(weather.utc_offset_h * 3600.0))
    return table if weather.stamp is None else replace(table, stamp=weather.stamp)


def _format_of(path: Path) -> str:
    """The format of a file by its first lines."""
    with path.open(encoding="iso-8859-1") as lines:
        text = "".join(line for _, line in zip(range(40), lines, strict=False))
    first, _, rest = text.partition("\n")
    second = rest.partition("\n")[0]
    signs = (
        ("epw", first.startswith("LOCATION,")),
        ("pvgis", first.startswith("Latitude (decimal degrees)") or path.suffix.lower() == ".json"),
        ("solaranywhere", "ObservationTime(LST)" in second),
        ("tmy3", second.startswith("Date (MM/DD/YYYY),Time (HH:MM)")),
        ("nsrdb", first.startswith("Source,Location ID")),
        ("csv", any("ghi_w_m2" in line for line in text.splitlines() if not line.startswith("#"))),
    )
    for kind, matches in signs:
        if matches:
            return kind
    known = ", ".join(kind for kind, _ in signs)
    message = (
        f"not recognised as one of {known}; name the format, or give a CSV with time and ghi_w_m2 columns"
    )
    raise ProblemsError([Problem(str(path), 0, "", message)])


def _pick(data: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns we use of a frame with pvlib's names."""
    picked = {
        ours: pd.to_numeric(data[theirs]).to_numpy(dtype=float, copy=True)
        for ours, theirs in zip(COLUMNS, _PVLIB_NAMES, strict=True)
        if theirs in data
    }
    for values in picked.values():
        values[values <= _BELOW_ALL] = np.nan
    return {name: values for name, values in picked.items() if not np.isnan(values).all()}


def _clock(index: pd.DatetimeIndex) -> tuple[np.ndarray, int]:
    """Seconds of the file's own clock, and that clock's offset from UTC [s]."""
    offset = index[0].utcoffset()
    local = index.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    return local, int(offset.total_seconds()) if offset is not None else 0


def _read_epw(path: Path) -> WeatherTable:
    """EPW: rows are hours, stamped with their end; pvlib shifts that to the start. PVGIS writes instants instead."""
    from pvlib import iotools

    data, meta = iotools.read_epw(path)
    local, offset = _clock(data.index)
    columns = _pick(data)
    for name, values in columns.items():
        values[values >= _MISSING[name]] = np.nan
    columns = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    table = WeatherTable(
        str(path), local, offset, "start", columns, 9, None, meta["latitude"], meta["longitude"]
    )
    shift_h = _pvgis_shift_h(path)
    if shift_h is None:
        return table
    return replace(table, local=local + 3600 + round(shift_h * 3600.0), stamp="instant")


def _pvgis_shift_h(path: Path) -> float | None:
    """Hours from an EPW row's hour to the moment of its irradiance, which PVGIS notes in a comment."""
    with path.open(encoding="iso-8859-1") as lines:
        for _, line in zip(range(8), lines, strict=False):
            if "Irradiance Time Offset (h):" in line:
                return float(line.rsplit(":", 1)[1])
    return None


def _read_tmy3(path: Path) -> WeatherTable:
    """TMY3: rows are hours, stamped with their end. The years of its months differ and mean nothing."""
    from pvlib import iotools

    data, meta = iotools.read_tmy3(path, coerce_year=2001)
    local, offset = _clock(data.index)
    return WeatherTable(
        str(path), local, offset, "end", _pick(data), 3, True, meta["latitude"], meta["longitude"]
    )


def _read_nsrdb(path: Path) -> WeatherTable:
    """NSRDB (PSM, as SAM CSV): stamped with the middle of its interval."""
    from pvlib import iotools

    data, meta = iotools.read_nsrdb_psm4(path)
    local, offset = _clock(data.index)
    return WeatherTable(
        str(path), local, offset, "middle", _pick(data), 4, None, meta["latitude"], meta["longitude"]
    )


def _read_solaranywhere(path: Path) -> WeatherTable:
    """SolarAnywhere: its header says whether a row is stamped with the end or the middle of its interval."""
    from pvlib import iotools

    data, meta = iotools.read_solaranywhere(path)
    local, offset = _clock(data.index)
    stamp = "middle" if "cent" in str(meta.get("Averaging Method", "")).lower() else "end"
    typical = True if "typical" in str(meta.get("Type", "")).lower() else None
    return WeatherTable(
        str(path), local, offset, stamp, _pick(data), 3, typical, meta["latitude"], meta["longitude"]
    )


def _read_pvgis(path: Path) -> WeatherTable:
    """PVGIS, hourly or typical year, CSV or JSON: moments, the typical year's with an offset in its header."""
    from pvlib import iotools

    kind = "json" if path.suffix.lower() == ".json" else "csv"
    text = path.read_text(encoding="iso-8859-1")
    if "time(UTC)" in text:
        data, meta = iotools.read_pvgis_tmy(path, pvgis_format=kind)
    else:
        data, meta = iotools.read_pvgis_hourly(path, pvgis_format=kind)
        data = _level(path, data, meta["inputs"])
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    shift_h = float(place.get("irradiance_time_offset", inputs.get("irradiance time offset", 0.0)))
    local, offset = _clock(data.index)
    header = next((n for n, line in enumerate(text.splitlines(), 1) if line.startswith("time")), 0)
    return WeatherTable(
        str(path), local + round(shift_h * 3600.0), offset, "instant", _pick(data), header + 1 if header else 0,
        None, float(place["latitude"]), float(place["longitude"]),
    )  # fmt: skip


def _level(path: Path, data: pd.DataFrame, inputs: dict[str, Any]) -> pd.DataFrame:
    """Global and diffuse irradiance of PVGIS's hourly series, which is of a plane: it must be the level one."""
    fixed = inputs.get("mounting_system", {}).get("fixed", {})
    slope = (
        fixed.get("slope", {}).get("value") if fixed else str(inputs.get("Slope", "")).split("deg")[0].strip()
    )
    if slope in ("", None) or float(slope) != 0.0:
        message = f"PVGIS gave the light of a plane (slope {slope!r}); ask it for slope 0"
        raise ProblemsError([Problem(str(path), 0, "", message)])
    if "poa_global" in data:
        return data.assign(ghi=data["poa_global"])
    diffuse = data["poa_sky_diffuse"] + data["poa_ground_diffuse"]
    return data.assign(ghi=data["poa_direct"] + diffuse, dhi=diffuse)


def _read_csv(path: Path) -> WeatherTable:
    """Plain CSV with named columns; lines that begin with # and empty ones are passed over before the header."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        head = 0
        for line in lines:
            head += 1
            if line.strip() and not line.startswith("#"):
                break
    names = [name.strip() for name in next(csv.reader([line]))]
    _check_names(path, head, names)
    data = pd.read_csv(
        path, skiprows=head, header=None, names=names, skip_blank_lines=False, encoding="utf-8-sig", dtype=str,
        keep_default_na=False,
    )  # fmt: skip
    data = data[data["time"].str.strip() != ""]
    problems: list[Problem] = []
    local, offset_s = _stamps(path, head, data["time"].str.strip(), problems)
    columns = {name: _numbers(path, head, name, data[name], problems) for name in names if name in COLUMNS}
    if problems:
        raise ProblemsError(problems[:10])
    return WeatherTable(str(path), local, offset_s, "start", columns, head + 1, None)


def _stamps(path: Path, head: int, texts: pd.Series, problems: list[Problem]) -> tuple[np.ndarray, int]:
    """Times as seconds of one clock, that of the first row, and its offset from UTC [s]; without a zone, UTC."""
    try:
        return _clock(pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601")))
    except ValueError:
        pass  # several offsets (a clock with summer time), or a row that is no time: one by one then
    moments = []
    for row, text in enumerate(texts):
        try:
            moments.append(pd.Timestamp(text))
        except ValueError:
            message = f"{text!r} is no time; write 2024-06-21T12:00+01:00"
            problems.append(Problem(str(path), head + 1 + row, "time", message))
    if len({moment.tzinfo is None for moment in moments}) > 1:
        problems.append(Problem(str(path), head + 1, "time", "some times have a zone and some have none"))
    if problems:
        return np.zeros(0, dtype=np.int64), 0
    offset = moments[0].utcoffset()
    offset_s = int(offset.total_seconds()) if offset is not None else 0
    return np.array([int(moment.timestamp()) + offset_s for moment in moments], dtype=np.int64), offset_s


def _check_names(path: Path, head: int, names: list[str]) -> None:
    known = ("time", *COLUMNS)
    problems = [
        Problem(
            str(path), head, name, f"unknown column{did_you_mean(name, known)}; known: {', '.join(known)}"
        )
        for name in names
        if name not in known
    ]
    problems += [
        Problem(str(path), head, name, "missing") for name in ("time", "ghi_w_m2") if name not in names
    ]
    problems += [
        Problem(str(path), head, n, "stands twice") for n in sorted({n for n in names if names.count(n) > 1})
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
        problems.append(
            Problem(str(path), head + 1 + int(row), name, f"must be a number, got {texts.iloc[row]!r}")
        )
    values[values <= _BELOW_ALL] = np.nan
    return values


_READERS: dict[str, Callable[[Path], WeatherTable]] = {
    "epw": _read_epw,
    "tmy3": _read_tmy3,
    "pvgis": _read_pvgis,
    "nsrdb": _read_nsrdb,
    "solaranywhere": _read_solaranywhere,
    "csv": _read_csv,
}
