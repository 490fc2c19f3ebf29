"""What a write does: words at addresses become settings, or are refused as a whole.

A pure function of the map, the settings and the words. Which registers can be written, within which limits and with
which settings, is in the rows; which settings go together is `plant.controller.compatibility.conflicts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modbus.map.encodings import clock_of
from modbus.map.file import RefusalCase
from modbus.map.registers import RegisterMap
from modbus.map.rows import ActionRow, ClockRow, DurationRow, Row, SettingRow, SwitchRow
from plant.controller.compatibility import conflicts, system_of, with_system, with_type
from plant.controller.settings import Settings

KIND: Final = Settings.__annotations__  # name -> int or float


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A request that gets an exception; `case` is one of the map's `refusals`."""

    def __init__(self, case: RefusalCase) -> None:
        super().__init__(case)
        self.case: RefusalCase = case


@dataclass(frozen=True, slots=True)
class Written:
    """What a write comes to."""

    settings: Settings
    t_device_s: float | None = None  # what the clock is set to


def written(
    register_map: RegisterMap, settings: Settings, system_v: int, address: int, words: Sequence[int]
) -> Written:
    """What writing holding registers comes to.

    Parameters
    ----------
    register_map : RegisterMap
    settings : Settings
        Those that hold now.
    system_v : int
        Voltage of the battery that is connected: a system voltage of "auto" means this one [V].
    address : int
        Of the first register.
    words : sequence of int

    Raises
    ------
    Refused
        Nothing is to be changed.
    """
    rows = _rows(register_map, range(address, address + len(words)))
    _whole_blocks(register_map, rows)
    clock = [word for row, word in zip(rows, words, strict=True) if isinstance(row, ClockRow)]
    given = [
        (row, _value(row, word))
        for row, word in zip(rows, words, strict=True)
        if isinstance(row, SettingRow | DurationRow)
    ]
    new = _changed(settings, system_v, {row.setting: value for row, value in given})
    for row, value in given:
        if not all(getattr(new, name) in allowed for name, allowed in row.needs.items()):
            raise Refused("needs")
        if not row.allows(value, system_of(new, system_v)):
            raise Refused("value")
    if set(conflicts(new, system_v)) - set(conflicts(settings, system_v)):  # a site may begin with one
        raise Refused("conflict")
    return Written(new, _clock(clock))


def coil_written(register_map: RegisterMap, settings: Settings, address: int, on: bool) -> Settings | str:
    """What writing a coil comes to: settings, or the name of an action.

    Raises
    ------
    Refused
        There is no such coil, or it can only be read.
    """
    row = register_map.rows["coil"].get(address)
    if row is None:
        raise Refused("unmapped")
    if isinstance(row, SwitchRow):
        return settings._replace(**{row.setting: int(on)})
    if isinstance(row, ActionRow):
        return row.action if on else settings
    raise Refused("read_only")


def _rows(register_map: RegisterMap, addresses: range) -> list[Row]:
    there = register_map.rows["holding"]
    rows = [row for address in addresses if (row := there.get(address)) is not None]
    if len(rows) < len(addresses):
        raise Refused("unmapped")
    if any(row.written == "no" for row in rows):
        raise Refused("read_only")
    return rows


def _whole_blocks(register_map: RegisterMap, rows: Sequence[Row]) -> None:
    """A frame holds all of a run of rows that are written as a block, or none of it."""
    there, first, last = register_map.rows["holding"], rows[0], rows[-1]
    before, after = there.get(first.address - 1), there.get(last.address + 1)
    for row, neighbour in ((first, before), (last, after)):
        if row.written == "block" and neighbour is not None and neighbour.written == "block":
            raise Refused("incomplete")


def _value(row: Row, word: int) -> float:
    try:
        return row.value((word,))
    except ValueError:
        raise Refused("value") from None


def _changed(settings: Settings, system_v: int, changes: dict[str, float]) -> Settings:
    """The settings with the changes: system voltage and battery type first, as others come with them."""
    exact = {name: KIND[name](value) for name, value in changes.items()}
    try:
        new = with_system(settings, exact.get("system_code", settings.system_code), system_v)
        new = with_type(new, exact.get("battery_type", settings.battery_type), system_v)
    except KeyError:  # a code that no controller of this family knows
        raise Refused("value") from None
    return new._replace(**exact)


def _clock(words: Sequence[int]) -> float | None:
    try:
        return clock_of(words) if words else None
    except ValueError:
        raise Refused("value") from None
