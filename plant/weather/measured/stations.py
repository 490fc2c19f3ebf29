"""Measured and satellite series in their services' own formats: SURFRAD, BSRN, CAMS; read by pvlib."""

import re
from io import StringIO
from pathlib import Path

from plant.base.problems import Problem, ProblemsError
from plant.base.textfile import text_of
from plant.weather.measured.table import WeatherTable, check_whole_rows, clock, pick, plain_copy

_SURFRAD_PLACE = re.compile(r"\s*-?\d+\.\d+\s+-?\d+\.\d+\s+-?\d+\s+m\s+version")


def is_surfrad(lines: list[str]) -> bool:
    """Whether the first lines are a SURFRAD day's: station, then place and version."""
    return len(lines) > 1 and _SURFRAD_PLACE.match(lines[1]) is not None


def is_bsrn(lines: list[str]) -> bool:
    """Whether the first line is that of a BSRN station-to-archive file."""
    return bool(lines) and re.match(r"\*[CU]0001", lines[0]) is not None


def is_cams(lines: list[str]) -> bool:
    """Whether the first lines are a CAMS radiation series'."""
    return any(line.startswith("# Observation period;") for line in lines)


def read_surfrad(path: Path) -> WeatherTable:
    """SURFRAD: minutes in UTC, stamped with their end (NOAA GML, SURFRAD README); -9999.9 is missing.

    Its header gives west longitudes without a sign; all stations lie in America.
    """
    from pvlib import iotools

    text = as_one_day(text_of(path))
    check_whole_rows(path, text, 3, separator=r"\s+")
    with plain_copy(path, text) as copy:
        data, meta = iotools.read_surfrad(copy)
    local, offset = clock(data.index)
    first_line = 0 if "\n\n" in text.rstrip() else 3
    longitude = -abs(float(meta["longitude"]))
    return WeatherTable(
        str(path), local, offset, "end", pick(data), first_line, None, float(meta["latitude"]), longitude
    )


def as_one_day(text: str) -> str:
    """Days put behind one another, with the two lines of the station empty but for the first day's."""
    lines = text.split("\n")
    for number, line in enumerate(lines[2:], 2):
        if _SURFRAD_PLACE.match(line):
            lines[number - 1] = lines[number] = ""
    return "\n".join(lines)


def read_bsrn(path: Path) -> WeatherTable:
    """BSRN station-to-archive: minutes in UTC, stamped with their start (GCOS-174)."""
    from pvlib import iotools

    data, meta = iotools.read_bsrn(StringIO(text_of(path)))
    if data.empty:
        raise ProblemsError([Problem(str(path), 0, "", "has no basic measurements (logical record 0100)")])
    local, offset = clock(data.index)
    place = (meta.get("latitude"), meta.get("longitude"))
    return WeatherTable(str(path), local, offset, "start", pick(data), 0, None, *place)


def read_cams(path: Path) -> WeatherTable:
    """CAMS radiation service: energies [Wh/m2] of intervals of UTC; means come from dividing by their length."""
    from pvlib import iotools

    text = text_of(path)
    _check_universal_time(path, text)
    first = next(n for n, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#"))
    check_whole_rows(path, text, first, separator=";")
    if "Clear sky GHI" in text and not re.search(r"[;]GHI\b", text):
        message = "holds clear-sky light only (McClear); download the all-sky service, CAMS radiation"
        raise ProblemsError([Problem(str(path), first - 1, "", message)])
    data, meta = iotools.read_cams(StringIO(text), integrated=False, label="left")
    local, offset = clock(data.index)
    return WeatherTable(
        str(path), local, offset, "start", pick(data), first, None, meta["latitude"], meta["longitude"]
    )


def _check_universal_time(path: Path, text: str) -> None:
    """Check that a CAMS header names no other clock than UTC: the intervals of the sun's are not even in it."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#"):
            return
        key, _, clock_named = line.lstrip("# ").partition(":")
        if key.strip().lower() != "time reference" or re.match(
            r"\s*(universal time|utc?)\b", clock_named, re.I
        ):
            continue
        clock_named = clock_named.strip()
        named = f"in {clock_named}" if clock_named else "in an unnamed clock"
        message = f"its times are {named}: download it with time reference Universal time (UT)"
        raise ProblemsError([Problem(str(path), number, "", message)])
