"""Register map files: YAML to rows, with everything that is wrong with a file said at once.

It knows files and keys, not requests. A map extends another by naming it: its rows take the places of the
rows they overlap, and settings that it does not give are those of the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modbus.map.bitfield import BitField
from modbus.map.forms import TABLES, RegisterRow, Rounding, ScaledForm, Table
from modbus.map.rows import KINDS, ROW, DerivedRow, NumberRow, Row
from plant.base import configs
from plant.base.problems import Problem, ProblemsError, did_you_mean, near_or_known
from plant.base.textfile import text_of
from plant.base.yamlfile import Document, KeyPath, load_yaml, problems_of

Unmapped = Literal["zero", "exception"]
Partial = Literal["refuse", "cut"]
Units = Literal["any", "own"]
SETTINGS = ("unmapped", "partial", "units", "max_count")
RefusalCase = Literal[
    "unmapped",
    "count",
    "malformed",
    "coil_value",
    "read_only",
    "incomplete",
    "value",
    "needs",
    "conflict",
    "login",
    "identification",
]
# Exceptions of a map that does not name them: "MODBUS application protocol specification V1.1b3", 7.
STANDARD: Mapping[str, int] = MappingProxyType(
    {
        "unmapped": 2, "count": 3, "malformed": 3, "coil_value": 3, "read_only": 2, "incomplete": 4, "value": 3,
        "needs": 4, "conflict": 4, "login": 3, "identification": 3,
    }
)  # fmt: skip


class MapError(ProblemsError):
    """A register map that can't be used."""


class Refusal(BaseModel):
    """The exception that one kind of request gets."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    case: RefusalCase
    code: int = Field(ge=1, le=4)
    meaning: str
    source: Annotated[tuple[str, ...], Field(strict=False)] = ()
    guess: bool = False


class LeftOut(BaseModel):
    """Addresses that a source knows and the map does not have."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    table: Table
    addresses: str
    why: str
    source: Annotated[tuple[str, ...], Field(strict=False)] = ()


class _MapFile(BaseModel):
    """What a map file may hold."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    title: str
    extends: str | None = None
    unmapped: Unmapped | None = None
    partial: Partial | None = None
    units: Units | None = None
    max_count: int | None = Field(default=None, ge=1, le=125)  # a reply's length byte ends at 255
    # of rows that don't say; half to even unless the map below says otherwise
    rounding: Rounding | None = None
    sources: dict[str, str] = {}
    refusals: list[Refusal] = []
    left_out: list[LeftOut] = []
    rows: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSpec:
    """A map as its files give it, `extends` resolved."""

    name: str
    title: str
    unmapped: Unmapped
    partial: Partial
    units: Units
    max_count: int
    rounding: Rounding
    sources: Mapping[str, str]
    refusals: tuple[Refusal, ...]
    left_out: tuple[LeftOut, ...]
    rows: tuple[Row, ...]  # by table, then address
    extends: "MapSpec | None"

    @property
    def exceptions(self) -> Mapping[str, int]:
        """RefusalCase -> exception code."""
        return {**STANDARD, **{refusal.case: refusal.code for refusal in self.refusals}}


def read_map(name: str, ratings: Mapping[str, float]) -> MapSpec:
    """Read a map and the maps it extends.

    Parameters
    ----------
    name : str
        Name of a map in ``config/registers``, or path of a file of one's own.
    ratings : mapping
        The controller's ratings that rows may name.

    Raises
    ------
    MapError
        With every problem of the first file that has any.
    """
    try:
        return _read(configs.find("registers", name), ratings, ())
    except MapError:
        raise
    except ProblemsError as error:
        raise MapError(error.problems) from None


def _read(path: Path, ratings: Mapping[str, float], below: tuple[Path, ...]) -> MapSpec:
    document = _document(path)
    problems: list[Problem] = []
    file: _MapFile | None = None
    try:
        file = _MapFile.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, document, KNOWN_KEYS)
    parent = _parent(document, path, ratings, below, problems)
    rows = list(enumerate(file.rows) if file else _good_rows(document.data.get("rows")))
    sources = {**(parent.sources if parent else {}), **_mapping(document.data.get("sources"))}
    problems += _row_problems(document, rows, ratings, sources)
    problems += _overlaps(document, rows, parent)
    if document.data.get("extends") is None:
        problems += [
            document.problem((key,), "missing; a map that extends no other must give it")
            for key in SETTINGS
            if document.data.get(key) is None
        ]
    if problems or file is None:
        raise MapError(sorted(problems, key=lambda problem: problem.line))
    settings = {key: getattr(file, key) or getattr(parent, key) for key in SETTINGS}
    rounding = file.rounding or (parent.rounding if parent else "half-even")
    merged = _merged([_rounded(row, rounding) for _, row in rows], parent.rows if parent else ())
    if told := list(_loose_ends(document, rows, merged)):
        raise MapError(told)
    return MapSpec(
        name=file.name,
        title=file.title,
        sources=sources,
        refusals=(*(parent.refusals if parent else ()), *file.refusals),
        left_out=tuple(file.left_out),
        rounding=rounding,
        rows=merged,
        extends=parent,
        **settings,
    )


def _parent(
    document: Document,
    path: Path,
    ratings: Mapping[str, float],
    below: tuple[Path, ...],
    problems: list[Problem],
) -> MapSpec | None:
    """The map a file extends; what is wrong with naming it is added to `problems`."""
    name = document.data.get("extends")
    if not isinstance(name, str):
        return None
    chain = (*below, path.resolve())
    try:
        found = _extended(path, name)
    except ProblemsError as error:
        problems += [document.problem(("extends",), problem.message) for problem in error.problems]
        return None
    if found.resolve() in chain:
        problems.append(document.problem(("extends",), f"{name} extends itself"))
        return None
    return _read(found, ratings, chain)


def _extended(path: Path, name: str) -> Path:
    beside = path.parent / f"{name}.yaml"  # maps of one's own may extend each other
    return beside if configs.is_file(beside) else configs.find("registers", name)


def _document(path: Path) -> Document:
    """A file as YAML, parsed once for as long as its text is the same: nothing here changes what it holds."""
    try:
        text = text_of(path)
    except OSError:
        return load_yaml(path)  # it says what is wrong
    return _parsed(path, text)


@lru_cache(maxsize=8)
def _parsed(path: Path, _text: str) -> Document:
    return load_yaml(path)


def map_files(name: str) -> list[Path]:
    """The file of a good map, and those of the maps below it."""
    paths = [configs.find("registers", name)]
    while (below := _document(paths[-1]).data.get("extends")) is not None:
        paths.append(_extended(paths[-1], below))
    return paths


def _merged(own: list[Row], inherited: tuple[Row, ...]) -> tuple[Row, ...]:
    taken = {(row.table, address) for row in own for address in row.addresses}
    kept = [row for row in inherited if not any((row.table, address) in taken for address in row.addresses)]
    return tuple(sorted([*own, *kept], key=lambda row: (TABLES.index(row.table), row.address)))


def _rounded(row: Row, rounding: Rounding) -> Row:
    """A row that doesn't say how it rounds, as its map does."""
    if isinstance(row, NumberRow) and row.rounding is None:
        return row.model_copy(update={"rounding": rounding})
    return row


def _loose_ends(
    document: Document, rows: list[tuple[int, Row]], merged: tuple[Row, ...]
) -> Iterator[Problem]:
    """Rows derived from registers that aren't there, that are no numbers, or that follow from the row itself."""
    there: dict[tuple[str, int], Row] = {(row.table, row.address): row for row in merged}
    for index, row in rows:
        for address in row.of if isinstance(row, DerivedRow) else ():
            here = ("rows", index, "of")
            if not isinstance(there.get((row.table, address)), ScaledForm):
                yield document.problem(here, f"no number begins at 0x{address:04X} of table {row.table}")
            elif _leads_to(there, (row.table, address), row):
                yield document.problem(here, f"0x{address:04X} is derived from {row.name} itself")


def _leads_to(there: Mapping[tuple[str, int], Row], start: tuple[str, int], wanted: Row) -> bool:
    """Whether the row at an address is a certain one, or derived from it."""
    left, seen = [start], set()
    while left:
        place = left.pop()
        row = there.get(place)
        if row is wanted:
            return True
        if isinstance(row, DerivedRow) and place not in seen:
            seen.add(place)
            left += [(row.table, address) for address in row.of]
    return False


def _good_rows(given: Any) -> Iterator[tuple[int, Row]]:
    """The rows that are right by themselves: checks between rows go on though others are wrong."""
    for index, data in enumerate(given if isinstance(given, list) else ()):
        try:
            yield index, ROW.validate_python(data)
        except ValidationError:
            continue


def _row_problems(
    document: Document, rows: list[tuple[int, Row]], ratings: Mapping[str, float], sources: Mapping[str, str]
) -> Iterator[Problem]:
    for index, row in rows:
        here: KeyPath = ("rows", index)
        for source in row.source:
            if source not in sources:
                hint = did_you_mean(source, sources) or "; describe it under sources"
                yield document.problem((*here, "source"), f"unknown source {source}{hint}")
        if isinstance(row, NumberRow) and (told := _misfit(row, ratings)):
            yield document.problem((*here, row.origin.key), told)


def _misfit(row: NumberRow, ratings: Mapping[str, float]) -> str:
    """What is wrong with the rating or constant of a row; empty if nothing is."""
    key, given = row.origin
    if key == "rating" and given not in ratings:
        return f"the controller has no rating {given}{near_or_known(given, ratings)}"
    number = ratings[given] if key == "rating" else given
    if key not in {"rating", "constant"} or row.fits(number):
        return ""
    what = f"{row.name} (0x{row.address:04X}): {number:g} {row.unit}".rstrip()
    sign = "signed " if row.signed else ""
    return f"{what} does not fit {sign}{16 * row.words} bits at x{row.scale:g}"


def _overlaps(document: Document, rows: list[tuple[int, Row]], parent: MapSpec | None) -> Iterator[Problem]:
    """Two rows at one address, and rows that leave half of an inherited 32-bit pair standing."""
    taken: dict[tuple[str, int], Row] = {}
    for index, row in rows:
        for address in row.addresses:
            other = taken.setdefault((row.table, address), row)
            if other is not row:
                what = f"0x{address:04X} is already {other.name} (0x{other.address:04X})"
                yield document.problem(("rows", index, "address"), what)
    for inherited in parent.rows if parent else ():
        left = [address for address in inherited.addresses if (inherited.table, address) not in taken]
        if left and len(left) < len(inherited.addresses):
            pair = f"{inherited.name} (0x{inherited.address:04X})"
            what = f"0x{left[0]:04X}, half of the inherited {pair}, is left without a row"
            yield document.problem(("rows",), what)


def _mapping(given: Any) -> dict[str, str]:
    return given if isinstance(given, dict) else {}


KNOWN_KEYS: dict[KeyPath, list[str]] = {  # of each mapping, for the near-name hints
    (): list(_MapFile.model_fields),
    ("rows", "*"): sorted({key for kind in KINDS for key in kind.model_fields}),
    **{("rows", "*", kind.KIND): [*kind.own_fields(), *RegisterRow.model_fields] for kind in KINDS},
    ("rows", "*", "bits", "*"): list(BitField.model_fields),
    ("refusals", "*"): list(Refusal.model_fields),
    ("left_out", "*"): list(LeftOut.model_fields),
}
