"""What a device shows at this moment: its registers, read as a master reads them but without a line."""

import difflib
import json
from collections.abc import Iterable, Iterator

from modbus.codec.functions import READ_FUNCTION
from modbus.codec.replies import Reply, decode_reply
from modbus.codec.requests import Request
from modbus.device.tracer import Tracer
from modbus.map.forms import BIT_TABLES
from modbus.master.client import NoReplyError
from modbus.master.poll import PolledDevice, Question, Reading, read
from plant.kernel.snapshot import QUANTITIES, Snapshot


class Within:
    """Asks a device that is in this process; the time-out has no meaning here."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def ask(self, request: Request, timeout_s: float = 0.0, retries: int = 0) -> Reply:
        """The device's reply, or `NoReplyError`."""
        answered = self._tracer.answer(request)
        reply = None if answered is None else decode_reply(request, answered)
        if reply is None:
            raise NoReplyError(f"no reply to {request}")
        return reply


def quantity(name: str, value: float) -> object:
    """A quantity of the plant; a state by its word."""
    codes = QUANTITIES[name].codes
    return value if codes is None else codes(int(value)).name.lower()


def registers(tracer: Tracer) -> str:
    """All registers, a line of JSON for each: table, address, name, value, unit and what the value means."""
    return "\n".join(json.dumps(_object(line)) for line in _read(tracer, Question()))


def register(tracer: Tracer, address: int) -> dict[str, object]:
    """What the device shows at an address: in the first of its tables that has one there, input registers first.

    Raises
    ------
    ValueError
        The map has nothing there.
    """
    register_map = tracer.register_map
    for table in sorted(READ_FUNCTION, key=lambda table: table in BIT_TABLES):
        row = register_map.rows[table].get(address)
        if row is not None:
            question = Question(address=row.address, count=len(row.addresses), table=table)
            for line in _read(tracer, question):
                return _object(line)
    raise ValueError(
        f"no register 0x{address:04X} in map {register_map.spec.name}; show registers lists them"
    )


def unknown(name: str, tracer: Tracer) -> str:
    """What to say of a word that is not a quantity: those like it, and the registers so named."""
    if name[:2].lower() == "0x":
        return f"no address {name}: addresses are 0x0000 to 0xFFFF"
    rows = {row.name: row.address for row in tracer.register_map.spec.rows}
    if name in rows:
        return f"no quantity {name}, but a register: show 0x{rows[name]:04X}"
    alike = [*_near(name, Snapshot._fields), *(f"0x{rows[row]:04X} ({row})" for row in _near(name, rows))]
    hint = f"; similar: {', '.join(alike)}" if alike else "; docs/quantities.md lists them"
    return f"no quantity {name}{hint}"


def _near(word: str, known: Iterable[str]) -> list[str]:
    """Up to three known words like one, those that hold it as a part first: `soc` is in `soc_controller`."""
    words = list(known)
    holding = [each for each in words if word in each.split("_")]
    return [*dict.fromkeys([*holding, *difflib.get_close_matches(word, words, n=3, cutoff=0.6)])][:3]


def _read(tracer: Tracer, question: Question) -> Iterator[Reading]:
    return read(PolledDevice(Within(tracer), tracer.unit, 0.0, "the device"), tracer.register_map, question)


def _object(line: Reading) -> dict[str, object]:
    told: dict[str, object] = {"table": line.table, "address": f"0x{line.address:04X}", "name": line.name}
    if line.exception is not None:
        return told | {"exception": line.exception, "meaning": line.meaning}
    return told | {"value": line.value, "unit": line.unit, "meaning": line.meaning}
