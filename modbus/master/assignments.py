"""Settings, coils and the clock as a user writes them, ``boost_voltage=14.4V``, made into words, and back.

Knows names, units and rows; what is sent in which order is for `modbus.master.write`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from modbus.map.bitfield import named_codes
from modbus.map.encodings import CLOCK, ENCODINGS, LONGEST_MIN, YEAR_0, clock_of
from modbus.map.forms import BIT_TABLES, PackedForm, ScaledForm
from modbus.map.registers import RegisterMap
from modbus.map.rows import ClockRow, Row
from modbus.map.scaling import bounds
from plant.base.clock import LAST_YEAR, parse_duration_s, parse_local
from plant.base.problems import did_you_mean

CLOCK_NAME: Final = "clock"
ON_OFF: Final[Mapping[str, int]] = {"on": 1, "1": 1, "true": 1, "off": 0, "0": 0, "false": 0}
DEGREES: Final = {"c": "degc", "°c": "degc"}  # how people write what the rows call degC


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be written where.

    Attributes
    ----------
    text : str
        As it was given.
    table : str
        ``holding`` or ``coil``.
    address : int
        Of the first word.
    words : tuple of int
        One but for the clock, which has three; of a coil 0 or 1.
    row : Row or None
        What the map has there.
    """

    text: str
    table: str
    address: int
    words: tuple[int, ...]
    row: Row | None

    @property
    def name(self) -> str:
        """Of the row; empty if the map has none."""
        if isinstance(self.row, ClockRow) and len(self.words) == len(CLOCK):
            return CLOCK_NAME
        return self.row.name if self.row else ""

    def formatted(self, words: tuple[int, ...]) -> str:
        """Words that stand there, for people, with their unit."""
        if self.name == CLOCK_NAME:
            try:
                return datetime.fromtimestamp(clock_of(words), UTC).strftime("%Y-%m-%dT%H:%M:%S")
            except ValueError:
                return " ".join(f"{word:04X}" for word in words)
        if self.row is None:
            return f"{words[0]}"
        if isinstance(self.row, PackedForm):
            return self.row.text(words)
        remarks = self.row.remarks(words)
        figure = f"{self.row.figure(words)} {self.row.measured_in}".rstrip()
        if self.table in BIT_TABLES:
            return remarks[0] if remarks else figure
        return " ".join((figure, *remarks[:1]))


def assignment(text: str, register_map: RegisterMap, now: datetime) -> Assignment:
    """What ``NAME=VALUE`` means: NAME is that of a register, of a setting, ``clock``, or an address.

    Parameters
    ----------
    text : str
    register_map : RegisterMap
    now : datetime
        Local civil time, for ``clock=now``.

    Raises
    ------
    ValueError
        Saying what was wrong with it and what would do.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r}: write NAME=VALUE, e.g. boost_voltage=14.4V, 0x9001=200 or clock=now")
    try:
        if name == CLOCK_NAME:
            return _clock(text, value, register_map, now)
        table, address, row = _place(name, register_map)
        word = _bit(value) if table == "coil" else _word(value, row)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None
    return Assignment(text, table, address, (word,), row)


def writable(register_map: RegisterMap) -> dict[str, Row]:
    """Rows that can be written, by their names and by those of the settings they hold."""
    rows = [row for row in register_map.spec.rows if row.written != "no" and not isinstance(row, ClockRow)]
    found: dict[str, Row] = {row.origin.given: row for row in rows if row.origin.key == "setting"}
    found.update({row.name: row for row in rows})
    return found


def _place(name: str, register_map: RegisterMap) -> tuple[str, int, Row | None]:
    """Table, address and row of a name."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,4}|\d{1,5}", name):
        address = _integer(name)
        if address > 0xFFFF:
            raise ValueError("an address is 0 to 0xFFFF")
        for table in ("holding", "coil"):
            row = register_map.rows[table].get(address)
            if row is not None:
                return table, address, row
        return "holding", address, None
    rows = writable(register_map)
    row = rows.get(name)
    if row is None:
        known = {each.name for each in register_map.spec.rows}
        if name in known:
            raise ValueError(f"{name} can only be read")
        near = did_you_mean(name, [*rows, CLOCK_NAME])
        raise ValueError(
            f"there is no setting, coil or clock word {name}{near}; tracertwin registers lists them"
        )
    return row.table, row.address, row


def _clock(text: str, value: str, register_map: RegisterMap, now: datetime) -> Assignment:
    row = next((row for row in register_map.spec.rows if isinstance(row, ClockRow)), None)
    if row is None:
        raise ValueError("the map has no clock")
    moment = (now if value == "now" else parse_local(value)).replace(tzinfo=UTC)
    if not YEAR_0 <= moment.year <= LAST_YEAR:  # the year's byte goes to 2255, times that are written to 2100
        raise ValueError(f"the clock takes the years {YEAR_0} to {LAST_YEAR}")
    words = tuple(ENCODINGS[each].word(moment.timestamp()) for each in CLOCK)
    return Assignment(text, row.table, row.address, words, row)


def _is_hexadecimal(text: str) -> bool:
    return text[:2].lower() == "0x"


def _integer(text: str) -> int:
    return int(text, 16 if _is_hexadecimal(text) else 10)


def _bit(value: str) -> int:
    if value.lower() not in ON_OFF:
        raise ValueError("a coil is on or off")
    return ON_OFF[value.lower()]


def _word(value: str, row: Row | None) -> int:
    """The register of a value, as the row has it."""
    if isinstance(row, ClockRow):
        raise ValueError(
            "the three words of the clock are written together: clock=2026-06-21T12:00 or clock=now"
        )
    if isinstance(row, PackedForm):
        return _hours_minutes(value)
    if isinstance(row, ScaledForm):
        return _scaled(value, row)
    return _whole(value)


def _whole(value: str) -> int:
    try:
        word = _integer(value)
    except ValueError:
        word = -1
    if not 0 <= word <= 0xFFFF:
        raise ValueError(
            "the map has no such register, so write the word itself: a whole number, 0 to 0xFFFF"
        )
    return word


def _hours_minutes(value: str) -> int:
    """``2:30``, ``150min``, ``2.5h``; a bare number counts minutes, as the register does in `poll`."""
    if found := re.fullmatch(r"(\d{1,3}):([0-5]\d)", value):
        minutes = 60 * int(found[1]) + int(found[2])
    elif re.fullmatch(r"\d+", value):
        minutes = int(value)
    else:
        minutes = round(parse_duration_s(value) / 60.0)
    if minutes > LONGEST_MIN:
        raise ValueError("hours and minutes go up to 255:59")
    return minutes // 60 << 8 | minutes % 60


def _scaled(value: str, row: ScaledForm) -> int:
    """A number with or without its unit, or what one of the row's codes means."""
    codes = row.values or ({} if row.unit else named_codes(row.meaning))
    words = {code: _plain(meaning) for code, meaning in codes.items()}
    named = [code for code, word in words.items() if word == _plain(value)]
    named = named or [code for code, word in words.items() if word.startswith(_plain(value))]
    if len(named) == 1:
        return named[0]
    found = re.fullmatch(r"([-+]?\d+(?:\.\d*)?|[-+]?\.\d+|0[xX][0-9a-fA-F]+)\s*(\D*)", value)
    if found is None:
        listed = (
            f"; it knows {', '.join(f'{code} {meaning}' for code, meaning in codes.items())}" if codes else ""
        )
        raise ValueError(f"expected a number{f' in {row.unit}' if row.unit else ''}{listed}")
    unit = found[2].strip().lower()
    if unit and DEGREES.get(unit, unit) != row.unit.lower():
        raise ValueError(f"{row.name} is in {row.unit}" if row.unit else f"{row.name} has no unit")
    if _is_hexadecimal(found[1]):  # the word itself, whatever stands for one of its units
        if unit or (word := _integer(found[1])) > 0xFFFF:
            raise ValueError("a hexadecimal value is the word itself, 0 to 0xFFFF, without a unit")
        return word
    steps = round(float(found[1]) * row.scale)
    low, high = bounds(1, row.signed)
    if not low <= steps <= high:
        raise ValueError(f"a register holds {low / row.scale:g} to {high / row.scale:g} {row.unit}".rstrip())
    return steps & 0xFFFF


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()
