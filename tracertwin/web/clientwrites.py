"""What a client wrote, as the timeline of a scenario has it: ``NAME=VALUE`` of each register."""

from collections.abc import Iterator
from datetime import UTC, datetime

from modbus.codec.requests import Request, WriteCoil, WriteWord, WriteWords
from modbus.map.encodings import CLOCK, clock_of
from modbus.map.registers import RegisterMap
from modbus.map.rows import ClockRow
from modbus.master.assignments import CLOCK_NAME

ON: int = 0xFF00


def assignments_of(request: Request, register_map: RegisterMap) -> list[str]:
    """The registers of a write with their values in the units of the map; none for another request."""
    published = register_map.published
    match request:
        case WriteCoil(_, address, value):
            row = published.rows["coil"].get(address)
            return [] if row is None else [f"{row.name}={'on' if value == ON else 'off'}"]
        case WriteWord(_, address, value):
            return list(_words(published, address, (value,)))
        case WriteWords(_, address, values):
            return list(_words(published, address, values))
    return []


def _words(register_map: RegisterMap, address: int, words: tuple[int, ...]) -> Iterator[str]:
    place, end = address, address + len(words)
    while place < end:
        row, left = register_map.rows["holding"].get(place), words[place - address :]
        if isinstance(row, ClockRow) and (moment := _moment(left[: len(CLOCK)])) is not None:
            yield f"{CLOCK_NAME}={moment:%Y-%m-%dT%H:%M:%S}"
            place += len(CLOCK)
        else:
            if row is not None:
                yield f"{row.name}={row.value(left[:1]):g}"
            place += 1


def _moment(words: tuple[int, ...]) -> datetime | None:
    """What the words of the clock say; none if too few are left or they are no time: another unit's map may differ."""
    try:
        return datetime.fromtimestamp(clock_of(words), UTC)
    except ValueError:
        return None
