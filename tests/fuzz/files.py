"""The other files a person may write: maps, controllers, batteries, modules, lists of appliances, scenarios."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from modbus.device.model import load_model
from modbus.map.registers import TRACER_4210, load_map
from plant.array.module import find_module
from plant.battery.file import load_block, load_bms, read_block
from plant.controller.model import ControllerModel
from plant.load.lists import find_appliances
from tests.fuzz.site import _files, check
from tracertwin.scenario.file import load_scenario


def _battery(path: str) -> None:
    load_block(path)
    with suppress(ValueError):  # blocks that make no bank of 12 V
        load_bms(path, 100.0, 12)


CACHED = (ControllerModel.load, find_appliances, find_module, load_model, read_block)
KINDS = (
    ("registers", lambda path: load_map(path, TRACER_4210)),
    ("controllers", ControllerModel.load),
    ("controllers", load_model),
    ("batteries", _battery),
    ("modules", find_module),
    ("loads", find_appliances),
    ("scenarios", lambda path: load_scenario(Path(path))),
)


def one(data: bytes) -> None:
    """Load what stands behind the first byte as the kind of file that this names."""
    if not data:
        return
    for cached in CACHED:
        cached.cache_clear()  # type: ignore[attr-defined]
    check(data[1:], KINDS[data[0] % len(KINDS)][1])


def seeds() -> Iterator[bytes]:
    """The files we ship; of the long register map, the beginning."""
    for number, (kind, _) in enumerate(KINDS):
        for text in list(_files(kind))[:2]:
            yield bytes((number,)) + text[:6000].rpartition(b"\n")[0] + b"\n"
