"""How a run was set up, by content: what a journal begins with, and plants and options out of it again."""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from modbus.map.file import map_files, read_map
from plant.base.clock import iso_utc
from plant.base.problems import Problem, ProblemsError
from plant.plant import Plant
from plant.saving.state import SavedStateError, continued, saved_state
from plant.site.copying import Files, copied, restored, unpacked
from plant.site.model import Site
from tracertwin.assembly.assemble import Assembly
from tracertwin.journal.entries import File, Head, UnitHead
from tracertwin.versions import installed

NUMBERS_DEPEND_ON: Final = ("numpy", "scipy", "numba", "pvlib", "pandas")


def program() -> str:
    """Name and version of this program."""
    return f"tracertwin {installed('tracertwin')}"


def versions() -> dict[str, str]:
    """What the numbers of a run may depend on beside this program."""
    own = {"python": platform.python_version(), "machine": platform.machine()}
    return own | {name: installed(name) for name in NUMBERS_DEPEND_ON}


def written_down(assembly: Assembly) -> tuple[Head, list[File]]:
    """What a journal has to say of an assembly, before its time goes on, so that it can be built again."""
    plants, options = assembly.plants, assembly.options
    files = Files()
    map_path, *_ = [files.add("registers", path) for path in map_files(options.map_name)]
    head = Head(
        program=program(),
        versions=versions(),
        began=datetime.now(UTC).isoformat(timespec="milliseconds"),
        start=iso_utc(plants[0].start_utc_s),
        seed=plants[0].seed,
        map=map_path,
        units=tuple(
            UnitHead(
                unit=now,
                unit_after_power_cycle=later,
                site=copied(plant.site, files),
                state=dict(saved_state(plant)) if assembly.goes_on else None,
            )
            for (now, later), plant in zip((u.tracer.unit_ids for u in assembly.units), plants, strict=True)
        ),
        links=tuple(map(str, options.links)),
        polled_s=options.polled_s,
        for_s=options.for_s,
        speed=options.speed,
        turnaround_s=options.turnaround_s,
        stale_s=options.stale_s,
        faults=tuple(fault.text for fault in options.faults),
        pace=assembly.pace,
    )
    return head, [File(name, text) for name, text in files.texts.items()]


@dataclass(frozen=True, slots=True)
class Parts:
    """What an assembly is built from."""

    plants: tuple[Plant, ...]
    unit_ids: tuple[tuple[int, int], ...]
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
        plants = [_plant(head, unit, restored(unit.site, folder)) for unit in head.units]
        map_name = str(folder / head.map)
        read_map(map_name, plants[0].site.ratings())
        unit_ids = [(unit.unit, unit.unit_after_power_cycle) for unit in head.units]
        yield Parts(tuple(plants), tuple(unit_ids), map_name)


def _plant(head: Head, unit: UnitHead, site: Site) -> Plant:
    if unit.state is None:
        return Plant.new(site, head.seed, head.start_utc_s)
    try:
        return continued(site, unit.state)
    except SavedStateError as error:
        raise ProblemsError([Problem("journal", 0, "units.state", str(error))]) from None
