"""How a run was set up, by content: what a journal begins with, and plants and options out of it again."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from modbus.entries import File, Head, UnitHead
from modbus.mapfile import map_files, read_map
from plant.clock import iso_utc
from plant.plant import Plant
from plant.sitecopy import Files, copied, restored, unpacked

NUMBERS_DEPEND_ON: Final = ("numpy", "scipy", "numba", "pvlib", "pandas")


def program() -> str:
    """Name and version of this program."""
    return f"tracertwin {_version('tracertwin')}"


def versions() -> dict[str, str]:
    """What the numbers of a run may depend on beside this program."""
    own = {"python": platform.python_version(), "machine": platform.machine()}
    return own | {name: _version(name) for name in NUMBERS_DEPEND_ON}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def written_down(
    plants: Sequence[Plant], units: Sequence[int], map_name: str, **how: Any
) -> tuple[Head, list[File]]:
    """What a journal has to say of a rig, so that it can be built again.

    Parameters
    ----------
    plants : sequence of Plant
        At their beginning.
    units : sequence of int
        Their ids.
    map_name : str
    how
        The other fields of `Head` that a rig decides.
    """
    files = Files()
    map_path, *_ = [files.add("registers", path) for path in map_files(map_name)]
    head = Head(
        program=program(),
        versions=versions(),
        began=datetime.now(UTC).isoformat(timespec="milliseconds"),
        start=iso_utc(plants[0].start_utc_s),
        seed=plants[0].seed,
        map=map_path,
        units=tuple(
            UnitHead(unit=unit, site=copied(plant.site, files))
            for unit, plant in zip(units, plants, strict=True)
        ),
        **how,
    )
    return head, [File(name, text) for name, text in files.texts.items()]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rig is built from."""

    plants: tuple[Plant, ...]
    units: tuple[int, ...]
    map_name: str


@contextmanager
def built_again(head: Head, files: Mapping[str, str]) -> Iterator[Parts]:
    """Plants and map of a journal, as long as the block lasts.

    Raises
    ------
    ProblemsError
        If a site or the map is not as it was written.
    """
    with unpacked(files) as folder:
        plants = [Plant(restored(unit.site, folder), head.seed, head.start_utc_s) for unit in head.units]
        map_name = str(folder / head.map)
        read_map(map_name, plants[0].site.ratings())
        yield Parts(tuple(plants), tuple(unit.unit for unit in head.units), map_name)
