"""What a write does: words at addresses become settings, or are refused as a whole.

A pure function of the map, the settings and the words. Which registers can be written, within which limits and with
which settings, is in the rows; which settings go together is `plant.controller.compatibility.conflicts`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Final

from modbus.map.encodings import clock_of
from modbus.map.file import RefusalCase
from modbus.map.registers import RegisterMap
from modbus.map.rows import ActionRow, ClockRow, DurationRow, KeptRow, Row, SettingRow, SwitchRow
from plant.controller.compatibility import (
    USUAL,
    Strictness,
    conflicts,
    system_of,
    with_system,
    with_type,
)
from plant.controller.settings import Settings

HALF_A_STEP: Final = 0.005  # of what is written in one frame, volts in hundredths
MOST_NAMED: Final = 3  # registers in a reason
_DIGITS: Final = re.compile(r"\d+")
KIND: Final = Settings.__annotations__  # name -> int or float


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A request that gets an exception.

    Parameters
    ----------
    case : RefusalCase
        One of the map's `refusals`: which exception it gets.
    why : str
        Which rule refused it, in words, with the numbers that break it.
    rule : str
        The rule without the numbers, so that a client which tries one number after another is told of it once.
    """

    def __init__(self, case: RefusalCase, why: str = "", rule: str = "") -> None:
        super().__init__(case)
        self.case: RefusalCase = case
        self.why = why
        self.rule = rule or why


@dataclass(frozen=True, slots=True)
class Written:
    """What a write comes to."""

    settings: Settings
    t_device_s: float | None = None  # what the clock is set to


def written(
    register_map: RegisterMap,
    settings: Settings,
    system_v: int,
    address: int,
    words: Sequence[int],
    minds: Strictness = USUAL,
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
    minds : Strictness
        How much of what the documents rule out the unit refuses.

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
        for name, allowed in row.needs.items():
            if getattr(new, name) not in allowed:
                asked = [row] if row.written == "alone" else _differing(given, settings)
                why = _needed(register_map, asked or [row], name, allowed, getattr(new, name))
                raise Refused("needs", why, f"{row.setting} {name}")
        if not row.allows(value, system_of(new, system_v)):
            raise Refused("value", _outside(row, value, system_of(new, system_v)), row.setting)
    before = {conflict.rule for conflict in conflicts(settings, system_v, minds)}  # a site may begin with one
    if made := [conflict for conflict in conflicts(new, system_v, minds) if conflict.rule not in before]:
        rules = "; ".join(conflict.rule for conflict in made)
        raise Refused("conflict", "; ".join(conflict.words for conflict in made), rules)
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
        raise Refused("unmapped", f"there is no coil 0x{address:04X}")
    if isinstance(row, SwitchRow):
        return settings._replace(**{row.setting: int(on)})
    if isinstance(row, ActionRow):
        return row.action if on else settings
    raise Refused("read_only", f"{row.name} (0x{address:04X}) can only be read")


def _rows(register_map: RegisterMap, addresses: range) -> list[Row]:
    there = register_map.rows["holding"]
    rows: list[Row] = []
    for address in addresses:
        row = there.get(address)
        if row is None:
            raise Refused("unmapped", f"there is no holding register 0x{address:04X}")
        rows.append(row)
    for row in rows:
        if row.written == "no":
            raise Refused("read_only", f"{row.name} (0x{row.address:04X}) can only be read")
    return rows


def _whole_blocks(register_map: RegisterMap, rows: Sequence[Row]) -> None:
    """A frame holds all of a run of rows that are written as a block, or none of it."""
    there, first, last = register_map.rows["holding"], rows[0], rows[-1]
    before, after = there.get(first.address - 1), there.get(last.address + 1)
    for row, neighbour in ((first, before), (last, after)):
        if row.written == "block" and neighbour is not None and neighbour.written == "block":
            block = register_map.block_around(row.address)
            whole = f"0x{block.start:04X}..0x{block[-1]:04X}"
            raise Refused(
                "incomplete",
                f"{row.name} (0x{row.address:04X}) is written in one frame with all of {whole}",
                row.name,
            )


def _value(row: Row, word: int) -> float:
    if flaw := row.flaw((word,)):
        raise Refused("value", f"{row.name}: {flaw}", row.name)
    return row.value((word,))


def _differing(given: Sequence[tuple[KeptRow, float]], settings: Settings) -> list[KeptRow]:
    """The rows of a frame that are to be changed: the others are there because the frame is written whole."""
    return [
        row
        for row, value in given
        if row.written == "block" and not isclose(value, getattr(settings, row.setting), abs_tol=HALF_A_STEP)
    ]


def _needed(
    register_map: RegisterMap, rows: Sequence[KeptRow], name: str, allowed: Sequence[int], now: float
) -> str:
    """Why registers can't be written with the settings as they are, in the words of the map."""
    kept = (row for row in register_map.spec.rows if isinstance(row, SettingRow) and row.setting == name)
    needed = next(kept, None)

    def told(code: float) -> str:
        meaning = "" if needed is None else "; ".join(needed.remarks((int(code),)))
        return f"{meaning} ({code:g})" if meaning else f"{code:g}"

    names = [row.name for row in rows]
    what = " and ".join(names) if len(names) <= MOST_NAMED else f"{names[0]} and the others of its frame"
    needs = f"{name if needed is None else needed.name} {' or '.join(map(told, allowed))}"
    return f"{what} can be written only with {needs}; it is {told(now)}"


def _outside(row: SettingRow | DurationRow, value: float, system_v: float) -> str:
    """Why a row takes no such value."""
    what = f"{row.setting} {with_unit(value, row.unit)}"
    if isinstance(row, SettingRow) and row.values is not None:
        return f"{what} is none of {', '.join(map(str, row.values))}"
    limits = row.limits_on(system_v)
    assert limits is not None, "what has neither values nor limits allows everything"
    low, high = limits
    return f"{what} is outside {low:g}..{with_unit(high, row.unit, '{:g}')}"


def with_unit(value: float, unit: str, form: str = "") -> str:
    """A value with its unit: volts with two decimals, as the registers have them."""
    return f"{(form or ('{:.2f}' if unit == 'V' else '{:g}')).format(value)} {unit}".rstrip()


def _changed(settings: Settings, system_v: int, changes: dict[str, float]) -> Settings:
    """The settings with the changes: system voltage and battery type first, as others come with them."""
    exact = {name: KIND[name](value) for name, value in changes.items()}
    new = settings
    for name, taken_over, what in (
        ("system_code", with_system, "system voltage"), ("battery_type", with_type, "battery type")
    ):  # fmt: skip
        try:
            new = taken_over(new, exact.get(name, getattr(settings, name)), system_v)
        except KeyError as error:  # a code that no controller of this family knows
            raise Refused("value", f"there is no {what} {error}", name) from None
    return new._replace(**exact)


def _clock(words: Sequence[int]) -> float | None:
    try:
        return clock_of(words) if words else None
    except ValueError as error:
        raise Refused(
            "value", f"not a valid time: {error}", f"clock: {_DIGITS.sub('', str(error))}"
        ) from None
