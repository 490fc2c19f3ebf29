"""A plant written down as plain values, and made again from them.

`saved_state` gives names with numbers, texts, lists and mappings that JSON carries exactly: floats to their last bit,
as Python prints and reads them; nan and infinities, which JSON lacks, as the texts "nan", "inf", "-inf". The site is
not among them: it is a file of its own, and whoever saves a plant has to see to it that both fit.
"""

import hashlib
import math
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from plant.battery import ageing
from plant.battery import model as battery
from plant.constants import site_setpoints
from plant.controller.clock import DeviceClock
from plant.controller.flash import Flash
from plant.controller.setpoints import program_of
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import PlantState
from plant.plant import Plant
from plant.power.tracker import Tracker
from plant.power.tracking import Steady
from plant.remembered import Remembered
from plant.saving.books import books_of, plain_books
from plant.saving.versions import VERSION, UnknownVersionError, up_to_date
from plant.site.breakages import Breakages, Turn
from plant.site.model import Site

SavedState: TypeAlias = Mapping[str, Any]

PLAIN: Final = ("seed", "fidelity", "step_s", "start_utc_s", "t_utc_s")


class SavedStateError(ValueError):
    """A saved state that can't be continued here; says why."""


def resolved(site: Site) -> dict[str, Any]:
    """What a site's plant is made of, as JSON can hold it: the site file's keys and what stands behind its names.

    Two runs go the same way when this, seed and start are the same. A weather file is known by its contents.
    """
    record = site.model_dump(mode="json", exclude={"line", "costs"})  # no part of the plant
    if site.weather.file is not None:
        contents = Path(site.weather.file).read_bytes()
        record["weather"]["file"] = f"sha256 {hashlib.sha256(contents).hexdigest()}"
    whole = _plain(
        {
            **record,
            "battery_parameters": site.battery.new(),
            "battery_protection": site.battery.bms(),
            "battery_life": site.battery.life(),
            "controller_parameters": site.controller.parameters(),
            "neighbours": [resolved(site.seen_by(neighbour)) for neighbour in site.neighbours],
        }
    )
    assert isinstance(whole, dict)
    return whole


def saved_state(plant: Plant) -> SavedState:
    """Everything a plant remembers where it stands; see `as_plain`."""
    return as_plain(plant.remembered())


def continued(site: Site, plain: SavedState) -> Plant:
    """The plant that `saved_state` wrote down, of the same site.

    Raises
    ------
    SavedStateError
        Another version saved it, or it isn't whole.
    """
    return Plant(site, from_plain(site, plain))


def as_plain(then: Remembered) -> SavedState:
    """What a plant remembers as JSON can hold it.

    Returns
    -------
    dict
        ``version`` first; names of fields and quantities, and as `books.plain_books` has them.
    """
    clock, broken = then.flash.clock, then.breakages
    written = {
        "version": VERSION,
        **{name: getattr(then, name) for name in PLAIN},
        "settings": then.flash.settings,
        "days_since_equalize": then.flash.days_since_equalize,
        **plain_books(then.books[0]),
        "battery": then.memory.x,
        "memory": {name: getattr(then.memory, name) for name in PlantState._fields[1:]},
        "clock": {"set_utc_s": clock.set_utc_s, "shift_s": clock.shift_s, "offset_s": clock.offset_s},
        "upsets": broken.upsets,
        "turns": [list(turn) for turn in broken.turns],
        "broken": broken.broken,
        "age": None if then.age is None else ageing.as_plain(then.age),
        "aged": then.aged,
        "snapshot": then.snapshot,
    }
    plain = _plain(written)
    assert isinstance(plain, dict)
    return plain


def from_plain(site: Site, plain: SavedState) -> Remembered:
    """What `as_plain` wrote.

    Raises
    ------
    SavedStateError
    """
    upgraded = current(plain)
    try:
        return _read(site, _numbers(upgraded))
    except (LookupError, TypeError, ValueError) as error:
        raise _not_whole(error) from error


def current(plain: SavedState) -> SavedState:
    """What this or an older version saved, as this one does.

    Raises
    ------
    SavedStateError
    """
    try:
        return up_to_date(plain)
    except UnknownVersionError as error:
        raise SavedStateError(str(error)) from None
    except (LookupError, TypeError, ValueError) as error:
        raise _not_whole(error) from error


def _not_whole(error: Exception) -> SavedStateError:
    return SavedStateError(f"incomplete or damaged: {type(error).__name__} {error}")


def _read(site: Site, plain: Any) -> Remembered:
    new = site.battery.new()
    tracker = plain["memory"]["tracker"]
    memory = {
        **plain["memory"],
        "x": battery.CHEMISTRIES[type(new)].State(**plain["battery"]),
        "tracker": Tracker(**tracker) if "v_ref_v" in tracker else Steady(**tracker),
    }
    controller = site.controller
    settings = site.settings()._replace(**plain["settings"])  # one that a version adds is as in a new unit
    breakages = Breakages(
        tuple((name, dict(values)) for name, values in plain["upsets"]),
        tuple(Turn(*turn) for turn in plain["turns"]),
        tuple(plain["broken"]),
    )
    aged = type(new)(**plain["aged"])
    setpoints = site_setpoints(site, settings, breakages.equipment(site, aged))
    shown = plain["snapshot"]
    return Remembered(
        **{name: plain[name] for name in PLAIN},
        memory=PlantState(**memory),
        books=books_of(plain, program_of(settings), setpoints, memory["t_probe_c"]),
        flash=Flash(
            settings,
            DeviceClock(
                site.location.timezone,
                controller.clock_gains,
                follows_dst=controller.clock_dst,
                **plain["clock"],
            ),
            plain["days_since_equalize"],
        ),
        breakages=breakages,
        age=None if plain["age"] is None else ageing.from_plain(plain["age"]),
        aged=aged,
        snapshot=Snapshot(**shown) if shown is not None and set(shown) == set(Snapshot._fields) else None,
    )


def _plain(value: Any) -> Any:
    """Numbers, texts, lists and mappings only."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return int(value) if isinstance(value, IntEnum) else value


def _numbers(value: Any) -> Any:
    """The same with nan and infinities as numbers."""
    if isinstance(value, Mapping):
        return {key: _numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return float(value) if value in ("nan", "inf", "-inf") else value
