"""Other values for keys of a site file, by dotted path: ``battery.soc``, ``load.items[0].power_w``.

The one way in which a scenario and a sizing run change a site. What a key may be is for the site's own records to say.
"""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plant.base.problems import Problem, ProblemsError
from plant.base.yamlfile import Document, problems_of
from plant.site.line import TextCheck
from plant.site.model import Site, known_keys


def overridden(
    document: Document,
    overrides: Mapping[str, Any],
    line_checks: Mapping[str, TextCheck],
    at_override: Callable[[str, str], Problem],
) -> Site:
    """A site with other values for some of its keys.

    Parameters
    ----------
    document : Document
        The site's file.
    overrides : mapping
        Dotted path -> value, as it would stand in the file.
    line_checks : mapping
        As of `plant.site.model.load_site`.
    at_override : callable
        The problem of an override, from its path and what is wrong with it.

    Raises
    ------
    ProblemsError
        At the override that is wrong, or in the site's own file.
    """
    data = with_values(document.data, overrides, at_override)
    try:
        return Site.model_validate(data, context={"folder": Path(document.file).parent, **line_checks})
    except ValidationError as error:
        problems = problems_of(error, _with_keys(document, overrides), known_keys())
        raise ProblemsError([_caused(problem, overrides, at_override) for problem in problems]) from None


def with_values(
    data: Mapping[str, Any], overrides: Mapping[str, Any], at_override: Callable[[str, str], Problem]
) -> dict[str, Any]:
    """The data of a site file with other values; `data` stays as it is. Arguments and errors of `overridden`."""
    changed: dict[str, Any] = copy.deepcopy(dict(data))
    for path, value in overrides.items():
        try:
            _put(changed, _parts(path), value)
        except (TypeError, KeyError, IndexError, AttributeError):
            raise ProblemsError([at_override(path, "the site has nothing there to override")]) from None
    return changed


def _caused(
    problem: Problem, overrides: Mapping[str, Any], at_override: Callable[[str, str], Problem]
) -> Problem:
    """A problem of the site as one of the override that has caused it, if one has."""
    near = [path for path in overrides if problem.where.startswith(path) or path.startswith(problem.where)]
    if not near:
        return problem
    where = f"{problem.where}: " if len(problem.where) > len(near[0]) else ""
    return at_override(near[0], f"{where}{problem.message}")


def _with_keys(document: Document, overrides: Mapping[str, Any]) -> Document:
    """The document as if the overrides stood in it, on no line: then a problem is told at their keys."""
    added = {tuple(parts[: n + 1]): 0 for parts in map(_parts, overrides) for n in range(len(parts))}
    return replace(document, lines={**added, **document.lines})


def _parts(path: str) -> list[str | int]:
    return [int(index) if index else word for word, index in re.findall(r"(\w+)|\[(\d+)\]", path)]


def _put(data: Any, parts: list[str | int], value: Any) -> None:
    last = parts[-1]
    for part, following in pairwise(parts):
        if isinstance(part, str) and isinstance(following, str) and data.get(part) is None:
            data[part] = {}
        data = data[part]
    if isinstance(last, int) != isinstance(data, list):
        raise TypeError(f"{last!r} of {type(data).__name__}")
    data[last] = value
