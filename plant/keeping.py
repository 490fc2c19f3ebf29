"""A plant written down as plain values, and made again from them.

`kept` gives names with numbers, texts, lists and mappings that JSON carries exactly: floats to their last bit, as
Python prints and reads them; nan and infinities, which JSON has not, as the texts "nan", "inf", "-inf". The site is
not among them: it is a file of its own, and whoever keeps a plant has to see to it that both fit.
"""

import hashlib
import math
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from plant.battery import ageing
from plant.battery import model as battery
from plant.controller.charger import Machine
from plant.controller.clock import DeviceClock
from plant.controller.flash import Flash
from plant.controller.rules import RULES
from plant.controller.settings import Settings
from plant.controller.tracker import Tracker
from plant.controller.tracking import Steady
from plant.kernel.books import BOOKS, BY_PLACE, EVENTS_KEPT, BooksArray, empty_books, transitions
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import PlantState
from plant.plant import Plant
from plant.remembered import Remembered
from plant.site.breakages import Breakages, Turn
from plant.site.model import Site

Kept: TypeAlias = Mapping[str, Any]

VERSION: Final = 1  # of the names below
PLAIN: Final = ("seed", "fidelity", "step_s", "start_utc_s", "t_utc_s")
APART: Final = ("modes", "events")  # of the books: written by the names of machines, and from the oldest on


class KeptError(ValueError):
    """What was kept can't be gone on from here; says why."""


def resolved(site: Site) -> dict[str, Any]:
    """What a site's plant is made of, as JSON can hold it: the site file's keys and what stands behind its names.

    Two runs go the same way when this, seed and start are the same. A weather file is known by its contents.
    """
    record = site.model_dump(mode="json", exclude={"line"})  # what lies between plant and master
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


@lru_cache(maxsize=1)
def layout() -> str:
    """Fingerprint of everything that kept numbers mean something by: names and order of quantities, rules, states.

    A version that has one set-point more makes others of the same numbers, whether somebody thought of `VERSION` or
    not.
    """
    rules = [(rule.machine.name, *(state.name for state in rule.from_), rule.to.name) for rule in RULES]
    names = (
        str(BOOKS),
        Snapshot._fields,
        Settings._fields,
        PlantState._fields,
        Tracker._fields,
        list(Machine),
        rules,
    )
    laws = {name: law.State._fields for name, law in ageing.LAWS.items()}
    chemistries = {kind.__name__: list(kind.__annotations__) for kind in battery.CHEMISTRIES}
    return hashlib.sha256(repr((VERSION, names, laws, chemistries)).encode()).hexdigest()[:12]


def kept(plant: Plant) -> Kept:
    """Everything a plant remembers where it stands; see `as_plain`."""
    return as_plain(plant.remembered())


def continued(site: Site, plain: Kept) -> Plant:
    """The plant that `kept` wrote down, of the same site.

    Raises
    ------
    KeptError
        It was kept by another version, or isn't whole.
    """
    return Plant(site, from_plain(site, plain))


def as_plain(then: Remembered) -> Kept:
    """What a plant remembers as JSON can hold it.

    Returns
    -------
    dict
        ``version`` and ``layout`` first. ``books`` by the names of `books.BOOKS`; ``events`` are [UTC s, row of
        `RULES`, state before], oldest first, the last few thousand of them.
    """
    books, clock, broken = then.books[0], then.flash.clock, then.breakages
    written = {
        "version": VERSION,
        "layout": layout(),
        **{name: getattr(then, name) for name in PLAIN},
        "settings": then.flash.settings,
        "days_since_equalize": then.flash.days_since_equalize,
        "modes": {machine.name: books.modes[machine] for machine in Machine},
        "books": {name: value for name, value in _by_name(books).items() if name not in APART},
        "events": [list(event) for event in transitions(books).tolist()],
        "battery": then.memory.x,
        "memory": {name: getattr(then.memory, name) for name in PlantState._fields[1:]},
        "clock": {"set_utc_s": clock.set_utc_s, "shift_s": clock.shift_s},
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


def from_plain(site: Site, plain: Kept) -> Remembered:
    """What `as_plain` wrote.

    Raises
    ------
    KeptError
    """
    if (plain.get("version"), plain.get("layout")) != (VERSION, layout()):
        raise KeptError(
            f"kept as version {plain.get('version')}, layout {plain.get('layout')}; "
            f"this one goes on from version {VERSION}, layout {layout()}"
        )
    try:
        return _read(site, _numbers(plain))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise KeptError(f"not whole: {type(error).__name__} {error}") from error


def _read(site: Site, plain: Any) -> Remembered:
    new = site.battery.new()
    tracker = plain["memory"]["tracker"]
    memory = {
        **plain["memory"],
        "x": battery.CHEMISTRIES[type(new)].State(**plain["battery"]),
        "tracker": Tracker(**tracker) if "v_ref_v" in tracker else Steady(**tracker),
    }
    controller = site.controller
    gains = controller.clock_drift_s_day / 86400
    return Remembered(
        **{name: plain[name] for name in PLAIN},
        memory=PlantState(**memory),
        books=_books(plain),
        flash=Flash(
            Settings(**plain["settings"]),
            DeviceClock(site.location.timezone, gains, **plain["clock"]),
            plain["days_since_equalize"],
        ),
        breakages=Breakages(
            tuple((name, dict(values)) for name, values in plain["upsets"]),
            tuple(Turn(*turn) for turn in plain["turns"]),
            tuple(plain["broken"]),
        ),
        age=None if plain["age"] is None else ageing.from_plain(plain["age"]),
        aged=type(new)(**plain["aged"]),
        snapshot=None if plain["snapshot"] is None else Snapshot(**plain["snapshot"]),
    )


def _books(plain: Any) -> BooksArray:
    array = empty_books()
    books = array[0]
    _fill(books, plain["books"], APART)
    for machine in Machine:
        books.modes[machine] = plain["modes"][machine.name]
    count, events = int(books.event_count), plain["events"]
    if len(events) != min(count, EVENTS_KEPT):
        raise ValueError(f"{len(events)} of {count} events")
    for number, event in enumerate(events, count - len(events)):
        books.events[number % EVENTS_KEPT] = tuple(event)
    return array


def _by_name(record: np.record) -> dict[str, Any]:
    """A record's values by the names of its fields, those of the records in it too."""
    values = {name: record[name] for name in _names(record)}
    return {
        name: _by_name(value)
        if isinstance(value, np.record)
        else [_by_name(inner) for inner in value]
        if value.dtype.names
        else value
        for name, value in values.items()
    }


def _fill(record: np.record, values: Mapping[str, Any], apart: tuple[str, ...] = ()) -> None:
    """Write into a record what `_by_name` made of another one.

    Raises
    ------
    ValueError
        If the names are others, or there are more or fewer numbers.
    """
    names = [name for name in _names(record) if name not in apart]
    if set(values) != set(names):
        raise ValueError(f"not just {', '.join(names)}")
    for name in names:
        there, value = record[name], values[name]
        if isinstance(there, np.record):
            _fill(there, value)
        elif np.ndim(there) and len(there) != len(value):
            raise ValueError(f"{name} has {len(value)} numbers, not {len(there)}")
        elif there.dtype.names:
            for inner, its in zip(there, value, strict=True):
                _fill(inner, its)
        elif np.ndim(there):
            there[:] = value
        else:
            record[name] = value


def _names(record: np.record) -> list[str]:
    return [name for name in record.dtype.names or () if name != BY_PLACE]


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
