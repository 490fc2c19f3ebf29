"""PVsyst's module files (.PAN) as data sheets.

One ``key=value`` a line, sections within sections. What is read stands once in a file, so that the nesting, which
PVsyst's versions and other programs write in different ways, is passed over; keys are taken whatever their case.
PVsyst's one-diode parameters are those of its own model and left alone.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from plant.array.coefficients import Coefficient, doubt
from plant.array.datasheet import DataSheet
from plant.base import configs
from plant.base.problems import Problem, ProblemsError, shown
from plant.base.textfile import text_of

# Key of the data sheet, its key in the file, what turns the file's unit (mA/K, mV/K, %/K) into ours.
_KEYS = (
    ("i_sc_a", "Isc", 1.0),
    ("v_oc_v", "Voc", 1.0),
    ("i_mp_a", "Imp", 1.0),
    ("v_mp_v", "Vmp", 1.0),
    ("cells_in_series", "NCelS", 1.0),
    ("alpha_sc_a_k", "muISC", 1e-3),
    ("beta_voc_v_k", "muVocSpec", 1e-3),
    ("gamma_pmp_pct_k", "muPmpReq", 1.0),
)
_ALSO = {"imp": "impp", "vmp": "vmpp"}  # other spellings
# Temperature coefficient, its key, its unit, the key of what it is a coefficient of.
_COEFFICIENTS = (
    ("alpha", "muISC", "mA/K", "Isc"),
    ("beta", "muVocSpec", "mV/K", "Voc"),
    ("gamma", "muPmpReq", "%/K", ""),
)
_OPTIONAL = ("muPmpReq",)
_TECHNOLOGIES = {"mtsi": "c-si", "mtcdte": "cdte", "mtcis": "cigs", "mtasi": "a-si"}  # how `Technol` begins
_MEANING = {
    "muISC": ": the temperature coefficient of I_sc [mA/K]; add it from the data sheet",
    "muVocSpec": ": the temperature coefficient of V_oc [mV/K]; add it from the data sheet",
}
_REFERENCE = {"GRef": 1000.0, "TRef": 25.0}  # W/m2, degC: where a data sheet is printed
# Below it the cells of both halves of a half-cut module were counted, which lie in parallel.
_LEAST_CELL_V = 0.4
_OBJECT = re.compile(r"PVObject_\s*=\s*(\w+)")


def pan_sheet(name: str) -> DataSheet:
    """The data sheet in a PVsyst module file.

    Parameters
    ----------
    name : str
        Path of the file.

    Raises
    ------
    ProblemsError
        With the line where there is one: it is not such a file, or lacks what a data sheet needs.

    Notes
    -----
    `NCelP` strings of `NCelS` cells lie in parallel in half-cut modules; the sheet's values are the module's. Files
    that count the cells of both halves are known by less than 0.4 V a cell.
    """
    path = Path(name)
    if not configs.is_file(path):
        raise ProblemsError([Problem(name, 0, "", configs.no_file(path))])
    text = text_of(path)
    _check_kind(name, text)
    values = _values(text)
    problems: list[Problem] = []
    given: dict[str, float] = {}
    for ours, key, factor in _KEYS:
        number = _number(name, key, values, problems)
        if number is not None:
            given[ours] = number * factor
    for key, usual in _REFERENCE.items():
        number = _number(name, key, values, problems) if key.lower() in values else None
        if number is not None and number != usual:
            message = f"must be {usual:g}, where data sheets are printed, got {number:g}"
            problems.append(Problem(name, values[key.lower()][0], key, message))
    if not problems:
        problems = list(_doubts(name, values))
    if problems:
        raise ProblemsError(problems)
    told = values.get("technol", (0, ""))[1].lower()
    technology = next((ours for begins, ours in _TECHNOLOGIES.items() if told.startswith(begins)), None)
    cells = given["cells_in_series"]
    if given["v_oc_v"] < _LEAST_CELL_V * cells and cells % 2 == 0:
        given["cells_in_series"] = cells / 2
    try:
        return DataSheet.model_validate({**given, "technology": technology}, strict=False)
    except ValidationError as error:
        lines = {ours: values.get(key.lower(), (0, ""))[0] for ours, key, _ in _KEYS}
        names = {ours: key for ours, key, _ in _KEYS}
        raise ProblemsError([
            Problem(name, lines.get(where, 0), names.get(where, ""), _in_words(one["msg"], names))
            for one in error.errors()
            for where in ["".join(str(part) for part in one["loc"])]
        ]) from None  # fmt: skip


def _check_kind(name: str, text: str) -> None:
    found = _OBJECT.search(text)
    if found is None:
        message = "not a PVsyst module file: no line PVObject_=pvModule"
        if text and "=" not in text:
            message += (
                "; PVsyst before version 6 wrote another form: open the module in a newer one and save it"
            )
        raise ProblemsError([Problem(name, 0, "", message)])
    if found[1].lower() != "pvmodule":
        line = text.count("\n", 0, found.start()) + 1
        raise ProblemsError([Problem(name, line, "", f"not a PVsyst module file: it is of a {found[1]}")])


def _values(text: str) -> dict[str, tuple[int, str]]:
    """Key in lower case -> line and text of its value, the first if a key stands several times."""
    values: dict[str, tuple[int, str]] = {}
    for line, row in enumerate(text.split("\n"), 1):
        key, equals, value = row.partition("=")
        if equals:
            values.setdefault(key.strip().lower(), (line, value.strip()))
    for usual, other in _ALSO.items():
        if usual not in values and other in values:
            values[usual] = values[other]
    return values


def _number(name: str, key: str, values: dict[str, tuple[int, str]], problems: list[Problem]) -> float | None:
    """A value as a number, with a decimal point or comma; none, with a problem, where it can't be had."""
    line, text = values.get(key.lower(), (0, ""))
    if not text:
        if key not in _OPTIONAL:
            problems.append(Problem(name, line, key, f"missing{_MEANING.get(key, '')}"))
        return None
    if re.fullmatch(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?", text) is None:
        problems.append(Problem(name, line, key, f"must be a number, got {shown(text)}"))
        return None
    return float(text.replace(",", "."))


def _doubts(name: str, values: dict[str, tuple[int, str]]) -> Iterator[Problem]:
    """Temperature coefficients that can't be believed, in the file's units."""
    for kind, key, unit, rated_key in _COEFFICIENTS:
        value = _number(name, key, values, [])
        rated = _number(name, rated_key, values, []) if rated_key else 1.0
        if value is not None and rated:
            told = doubt(Coefficient(kind, value, unit, rated, {unit: key}))
            if told:
                yield Problem(name, values[key.lower()][0], key, told)


def _in_words(message: str, names: dict[str, str]) -> str:
    """A message of the data sheet in the file's names."""
    text = message.removeprefix("Value error, ")
    for ours, key in names.items():
        text = re.sub(rf"\b{ours}\b", key, text)
    return text
