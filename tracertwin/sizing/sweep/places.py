"""Many places out of a table: a row each, a site file that it begins with, and other values for keys of it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plant.base import configs
from plant.base.problems import Problem, ProblemsError
from plant.base.textfile import text_of
from plant.base.yamlfile import value_of
from tracertwin.scenario.file import unknown_key
from tracertwin.scenario.vocabulary import vocabulary

SITE: Final = "site"
SUFFIX: Final = ".csv"


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place of a table.

    Parameters
    ----------
    site : str
        A site of ``config/sites`` by name, or the path of a site file.
    overrides : mapping
        Dotted path -> value.
    blamed : mapping
        Dotted path -> where in the table it stands.
    where : str
        For messages: file and line of its row, or the site among several; nothing where there is only one.
    """

    site: str
    overrides: Mapping[str, Any]
    blamed: Mapping[str, str]
    where: str = ""


def read_places(path: Path, overrides: Mapping[str, Any]) -> tuple[PlaceRow, ...]:
    """The places of a CSV file.

    Parameters
    ----------
    path : Path
        Its first line has the columns: ``site``, a name or a path counted from the file's folder, and keys of the site
        such as ``location.latitude_deg``. An empty cell leaves the site's own value.
    overrides : mapping
        For every place; those of the table go before.

    Raises
    ------
    ProblemsError
        With every problem of the table.
    """
    try:
        rows = list(csv.reader(text_of(path).splitlines()))
    except OSError as error:
        raise ProblemsError(
            [Problem(str(path), 0, "", f"can't be read: {error.strerror or error}")]
        ) from None
    keys = [key.strip() for key in rows[0]] if rows else []
    problems = list(_wrong_columns(path, keys))
    if not problems and len(rows) < 2:
        problems.append(Problem(str(path), 0, "", "has no places: add one row per place below the header"))
    if problems:
        raise ProblemsError(problems)
    places = []
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(keys):
            problems.append(Problem(str(path), line, "", f"has {len(row)} cells for {len(keys)} columns"))
            continue
        cells = dict(zip(keys, row, strict=True))
        site = cells.pop(SITE).strip()
        own: dict[str, Any] = {}
        for key, text in cells.items():
            try:
                own |= {key: value_of(text)} if text.strip() else {}
            except ValueError as error:
                problems.append(Problem(str(path), line, key, str(error)))
        name = configs.beside(site, {"folder": path.parent})
        if not site:
            problems.append(Problem(str(path), line, SITE, "missing"))
        else:
            problems += _no_such_site(path, line, name)
        blamed = {**dict.fromkeys(overrides, "--override"), **dict.fromkeys(own, f"{path}:{line}")}
        places.append(PlaceRow(name, {**overrides, **own}, blamed, f"{path}:{line}"))
    if problems:
        raise ProblemsError(problems)
    return tuple(places)


def _no_such_site(path: Path, line: int, name: str) -> list[Problem]:
    """What is wrong with the name of a site: there is none of that name."""
    try:
        configs.find("sites", name)
    except ProblemsError as error:
        return [Problem(str(path), line, SITE, str(problem)) for problem in error.problems]
    return []


def _wrong_columns(path: Path, keys: list[str]) -> list[Problem]:
    """What is wrong with the first line."""
    problems = []
    if SITE not in keys:
        problems.append(
            Problem(str(path), 1, "", f"lacks the column {SITE}: the site file that a place begins with")
        )
    for place, key in enumerate(keys):
        if key in keys[:place]:
            problems.append(Problem(str(path), 1, key, "is there twice"))
        elif key != SITE and (told := unknown_key(key, vocabulary())):
            problems.append(Problem(str(path), 1, key, told))
    return problems
