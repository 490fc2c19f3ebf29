"""The lines of a journal: what each says, to JSON and back.

The first line is the head, then a line for each file that the run was made from, then an entry for everything that
came from outside, in order. Knows neither files on disk nor plants.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from modbus.codec.requests import LAST_UNIT, crc16, is_unknown, request_size
from modbus.line.conversation import Burst, Transmission
from modbus.line.endpoint import parse_endpoint
from modbus.line.faults.text import parse_fault
from plant.base.clock import iso_utc

FORMAT: Final = 1  # of the lines; another one when an old reader would go wrong
Sent: TypeAlias = bytes | Transmission | None  # for a request; None: silence
Row: TypeAlias = dict[str, Any]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class UnitHead(_Record):
    """One of the controllers on the line."""

    unit: int = Field(ge=1, le=LAST_UNIT)
    unit_after_power_cycle: int = Field(ge=1, le=LAST_UNIT)
    site: dict[str, Any]  # see `plant.site.copying`
    state: dict[str, Any] | None = None  # see `plant.saving.state`; none: the site's beginning


class Head(_Record):
    """How the run was set up. What a replay doesn't need is there for people."""

    journal: Literal[1] = FORMAT
    program: str
    versions: dict[str, str]  # of what the numbers depend on
    began: str  # wall time, UTC
    start: str  # plant time, UTC
    seed: int
    map: str  # a file of the journal
    polled_s: float | None  # as `tracertwin.assembly.options.Options` has it
    for_s: float | None
    speed: float
    turnaround_s: float
    stale_s: float
    faults: Annotated[tuple[str, ...], Field(strict=False)] = ()  # beside those of the site
    # as `modbus.line.pacing.Pace` has it
    pace: Annotated[tuple[int, float, float] | None, Field(strict=False)] = None
    links: Annotated[tuple[str, ...], Field(strict=False)]
    units: Annotated[tuple[UnitHead, ...], Field(strict=False, min_length=1)]

    @field_validator("began", "start")
    @classmethod
    def _is_a_moment(cls, text: str) -> str:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError(f"{text!r} has no zone")
        return text

    @field_validator("faults")
    @classmethod
    def _are_faults(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parse_fault(text)
        return texts

    @field_validator("links")
    @classmethod
    def _are_links(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parse_endpoint(text)
        return texts

    @property
    def start_utc_s(self) -> int:
        """The beginning [s UTC]."""
        return int(datetime.fromisoformat(self.start).timestamp())


@dataclass(frozen=True, slots=True)
class File:
    """A file that the run was made from."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and what was sent for it; `failure` instead of that if it couldn't be answered for a bug."""

    request: bytes
    sent: Sent
    asked_s: float  # of the wall: when the request's last byte came
    failure: str = ""
    refused: str = ""  # why a write got an exception: for people, never compared
    transaction: int | None = None  # on a link of Modbus/TCP; request and reply stand here as RTU has them
    struck: tuple[str, ...] = ()  # line faults that changed what was sent: for people, never compared

    @property
    def frame(self) -> bytes:
        """What the device said; nothing for silence."""
        return self.sent.frame if isinstance(self.sent, Transmission) else self.sent or b""


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that were no request."""

    data: bytes
    why: str


@dataclass(frozen=True, slots=True)
class Stale:
    """A request that was dropped, since a newer one stood behind it."""

    WHY: ClassVar[str] = "dropped: it had waited too long, and a newer request was queued behind it"
    request: bytes


@dataclass(frozen=True, slots=True)
class Peer:
    """The master came or went."""

    is_there: bool


@dataclass(frozen=True, slots=True)
class GivenCommand:
    """A command, see `tracertwin.assembly.commands`."""

    text: str
    refused: str | None  # why nothing was done; empty where it was done, None where a journal doesn't say


@dataclass(frozen=True, slots=True)
class End:
    """The run was ended, not killed."""


What: TypeAlias = Exchange | Noise | Stale | Peer | GivenCommand | End


@dataclass(frozen=True, slots=True)
class Entry:
    """Something from outside.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    times_s : tuple of int
        Where each of the plants stood [s UTC].
    wall_s : float
        Since the journal began; different in every run, never compared.
    line : int or None
        On which of the links, from 0; None: on none of them.
    """

    number: int
    times_s: tuple[int, ...]
    wall_s: float
    line: int | None
    what: What


class JournalError(ValueError):
    """A line of a journal that can't be read."""


def head_line(head: Head) -> str:
    """The first line."""
    return _json(head.model_dump(mode="json"))


def file_line(file: File) -> str:
    """A line that holds a file."""
    return _json({"file": file.name, "text": file.text})


def entry_line(entry: Entry) -> str:
    """The line of an entry."""
    row: Row = {
        "n": entry.number,
        "t": [_stamp(t_s) for t_s in entry.times_s],
        "wall": round(entry.wall_s, 6),
    }
    if entry.line is not None:
        row["line"] = entry.line
    return _json(row | _row(entry.what))


def read_head(text: str) -> Head:
    """The head out of the first line.

    Raises
    ------
    JournalError
        If it is none, or one of another format.
    """
    try:
        row = _mapping(text)
    except JournalError as error:
        raise JournalError(f"is not a journal: {error}") from None
    if "journal" not in row:
        raise JournalError("is not a journal: the first line must have the key journal")
    if row["journal"] != FORMAT:
        raise JournalError(f"is a journal of format {row['journal']!r}; this version reads format {FORMAT}")
    try:
        return Head.model_validate(row)
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        where = ".".join(map(str, item["loc"]))
        raise JournalError(f"is a journal whose head can't be read: {where}: {item['msg']}") from None


def read_line(text: str) -> File | Entry:
    """What any line but the first says.

    Raises
    ------
    JournalError
    """
    row = _mapping(text)
    try:
        if "file" in row:
            return File(_text(row["file"]), _text(row["text"]))
        times_s = tuple(_seconds(_text(stamp)) for stamp in row["t"])
        line = None if row.get("line") is None else _whole(row["line"])
        return Entry(_whole(row["n"]), times_s, _finite(row["wall"]), line, _what(row))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise JournalError(f"not an entry: {error!r}") from None


def _json(row: Row) -> str:
    return json.dumps(row, separators=(",", ":"))


def _mapping(text: str) -> Row:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise JournalError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise JournalError("not a JSON object")
    return row


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"expected a number, got {value!r}")
    return float(value)


def _request(text: Any) -> bytes:
    raw = bytes.fromhex(_text(text))
    if len(raw) < 4 or not (request_size(raw) == len(raw) or is_unknown(raw[1]) or crc16(raw) == 0):
        raise ValueError(f"not a request: {text!r}")
    return raw


@lru_cache(64)
def _stamp(t_s: int) -> str:
    return iso_utc(t_s)


@lru_cache(64)
def _seconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).astimezone(UTC).timestamp())


def _row(what: What) -> Row:
    match what:
        case Exchange(request, sent, asked_s, failure, refused, transaction, struck):
            row = {"asked": round(asked_s, 6), "request": request.hex(" ")} | _row_of_sent(sent)
            if transaction is not None:
                row["transaction"] = transaction
            if struck:
                row["struck"] = list(struck)
            return row | {key: text for key, text in (("failure", failure), ("refused", refused)) if text}
        case Noise(data, why):
            return {"junk": data.hex(" "), "why": why}
        case Stale(request):
            return {"stale": request.hex(" ")}
        case Peer(is_there):
            return {"peer": "there" if is_there else "gone"}
        case GivenCommand(text, refused):
            return {"command": text} | ({} if refused is None else {"refused": refused})
        case End():
            return {"end": True}


def _row_of_sent(sent: Sent) -> Row:
    if not isinstance(sent, Transmission):
        return {"reply": None if sent is None else sent.hex(" ")}
    return {"reply": sent.frame.hex(" "), "bursts": [_row_of_burst(burst) for burst in sent.bursts]}


def _row_of_burst(burst: Burst) -> list[float | str]:
    row: list[float | str] = [burst.after_s, burst.data.hex(" ")]
    return [*row, burst.driven_s] if burst.driven_s else row


def _what(row: Mapping[str, Any]) -> What:
    if "request" in row:
        failure, refused = (_text(row.get(key, "")) for key in ("failure", "refused"))
        transaction = None if row.get("transaction") is None else _whole(row["transaction"])
        asked_s = _finite(row["asked"])
        struck = tuple(map(_text, row.get("struck", ())))
        return Exchange(_request(row["request"]), _sent(row), asked_s, failure, refused, transaction, struck)
    if "junk" in row:
        return Noise(bytes.fromhex(row["junk"]), _text(row["why"]))
    if "stale" in row:
        return Stale(_request(row["stale"]))
    if "peer" in row:
        return Peer(row["peer"] == "there")
    if "command" in row:
        return GivenCommand(_text(row["command"]), _text(row["refused"]) if "refused" in row else None)
    if "end" in row:
        return End()
    raise ValueError("none of request, junk, stale, peer, command, end")


def _sent(row: Mapping[str, Any]) -> Sent:
    if row["reply"] is None:
        return None
    frame = bytes.fromhex(row["reply"])
    if "bursts" not in row:
        return frame
    return Transmission(frame, tuple(_burst(*burst) for burst in row["bursts"]))


def _burst(after_s: Any, data: Any, driven_s: Any = 0.0) -> Burst:
    return Burst(_finite(after_s), bytes.fromhex(_text(data)), _finite(driven_s))
