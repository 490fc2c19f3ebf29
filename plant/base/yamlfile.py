"""YAML as plain data that remembers on which line each key stood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError

from plant.base.configs import no_file
from plant.base.problems import AtKeyError, Problem, ProblemsError, near_or_known, shown
from plant.base.textfile import text_of

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its data, and the line of every key path in it."""

    file: str
    data: Any
    lines: dict[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Line of a key, or of the nearest key above it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a key of this file."""
        return Problem(self.file, self.line(path), dotted(path), message)


DEEPEST = 50  # libyaml composes by recursion in C, without a bound: some 50,000 brackets end the process
MOST_VALUES = 50_000  # counting what anchors repeat; the largest file of ours has 4,000
LARGEST = 2**63  # numbers beyond it are typing errors, and Python won't print those of 4,300 digits
TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader of numbers, texts, lists and mappings: no dates, ``2026-06-21T10:00`` is for the site to read.

    Nor numbers to the base of 60: YAML 1.1 takes 11:00 for 660.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node; YAMLError also for an ``!!int`` that isn't one, which yaml itself trips over."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError) as error:
            raise _not_a(node) from error
        if isinstance(value, int) and abs(value) > LARGEST:
            raise _not_a(node)
        return value


def _not_a(node: yaml.Node) -> yaml.YAMLError:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    what = f"{shown(node.value)} is not a usable {kind}"
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _without_colons(regexp: re.Pattern[str]) -> re.Pattern[str]:
    """The same for texts that have no colon."""
    return re.compile(f"(?![^:]*:)(?:{regexp.pattern})", regexp.flags)


_Loader.yaml_implicit_resolvers = {
    key: [
        (tag, _without_colons(regexp) if tag.endswith((":int", ":float")) else regexp)
        for tag, regexp in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
    ]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# As YAML 1.2, JSON and every programming language have it: 1e3 is a number, which YAML 1.1 takes for a text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)
_Loader.yaml_constructors = {
    tag: construct for tag, construct in yaml.SafeLoader.yaml_constructors.items() if tag in {*TAGS, None}
}


def dotted(path: KeyPath) -> str:
    """``('array', 'strings', 0)`` -> ``array.strings[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def load_yaml(path: Path) -> Document:
    """Read a file of one mapping.

    Raises
    ------
    ProblemsError
        If it can't be read, is not YAML, has a key twice, or is not a mapping at the top.
    """
    file = str(path)
    try:
        text = text_of(path)
    except (FileNotFoundError, IsADirectoryError):
        raise ProblemsError([Problem(file, 0, "", no_file(path))]) from None
    except OSError as error:
        raise ProblemsError([Problem(file, 0, "", f"can't be read: {error.strerror or error}")]) from None
    try:
        return _parse(file, text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark is not None else 0
        raise ProblemsError([Problem(file, line, "", f"not YAML: {what}")]) from None


def value_of(text: str) -> Any:
    """What a text would be as the value of a key: number, text, list or mapping.

    Raises
    ------
    ValueError
        If it can't stand there.
    """
    try:
        _check_depth("", text)
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ProblemsError):
        raise ValueError(f"{shown(text)} is not a value that a site file could have") from None


def _check_depth(file: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise ProblemsError([Problem(file, line, "", f"nested too deeply: more than {DEEPEST} levels")])


def _parse(file: str, text: str) -> Document:
    _check_depth(file, text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ProblemsError([Problem(file, 1, "", "must be a mapping of keys to values")])
        lines: dict[KeyPath, int] = {}
        twice: list[Problem] = []
        _walk(file, node, (), lines, twice)
        if twice:
            raise ProblemsError(twice)
        return Document(file, loader.construct_document(node), lines)
    finally:
        loader.dispose()


def _walk(file: str, node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], twice: list[Problem]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(lines) > MOST_VALUES or len(path) > DEEPEST:
        what = "too large: a reference to itself, or more than {:,} values with references expanded"
        raise ProblemsError([Problem(file, lines[path], dotted(path[:3]), what.format(MOST_VALUES))])
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ProblemsError([Problem(file, line, dotted(path), "a key must be a word or a number")])
            here = (*path, str(key.value))
            if here in lines:
                twice.append(Problem(file, line, dotted(here), f"given twice (first on line {lines[here]})"))
            lines[here] = line
            _walk(file, value, here, lines, twice)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(file, value, (*path, index), lines, twice)


def read_numbers(
    document: Document,
    fields: tuple[str, ...],
    about: tuple[str, ...],
    symbols: Mapping[str, str] = MappingProxyType({}),
    defaults: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, float]:
    """The numbers of a flat parameter file, all there and nothing else.

    Parameters
    ----------
    document : Document
    fields : tuple of str
        Keys that must be there and be numbers.
    about : tuple of str
        Keys of text that may stand beside them.
    symbols : mapping
        What papers and formulas call a field -> its key here, for the near-name hint.
    defaults : mapping
        Those of the fields that needn't be there.

    Raises
    ------
    ProblemsError
    """
    data = {key: value for key, value in document.data.items() if key not in about}
    problems = [document.problem((key,), "missing") for key in fields if key not in {**defaults, **data}]
    for key, value in data.items():
        if key not in fields:
            problems.append(document.problem((str(key),), f"unknown key{_near(str(key), fields, symbols)}"))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(document.problem((key,), f"must be a number, got {shown(value)}"))
    if problems:
        raise ProblemsError(problems)
    return {key: float({**defaults, **data}[key]) for key in fields}


def _near(key: str, fields: tuple[str, ...], symbols: Mapping[str, str]) -> str:
    """A symbol is too short to be like any key, or is like the wrong one."""
    meant = symbols.get(key)
    return near_or_known(key, fields) if meant not in fields else f" (did you mean {meant}?)"


def problems_of(error: ValidationError, document: Document, known: dict[KeyPath, list[str]]) -> list[Problem]:
    """A pydantic error as problems of a file, in the user's words.

    Parameters
    ----------
    error : ValidationError
    document : Document
        The file that was being validated.
    known : dict
        Key path of a mapping (``*`` for any place in a list) -> the keys it may have, for the near-name hint. Where
        a mapping is one of several kinds, its path with the kind's tag behind it -> the keys of that kind.
    """
    told: dict[KeyPath, list[str]] = {}
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        loc = (*item["loc"], *(cause.path if isinstance(cause, AtKeyError) else ()))
        path = _users_path(loc, document, item["type"] == "missing")
        messages = told.setdefault(path, [])
        message = _in_words(item, path, known)
        if message not in messages:
            messages.append(message)
    return [document.problem(path, " or ".join(messages)) for path, messages in told.items()]


def _users_path(loc: KeyPath, document: Document, missing: bool) -> KeyPath:
    """The part of pydantic's path that the user wrote: it also names the members of unions it tried."""
    path: KeyPath = ()
    for part in loc:
        # A key may be a number.
        named = (*path, part) if (*path, part) in document.lines else (*path, str(part))
        if named in document.lines or (missing and part == loc[-1]):
            path = named
    return path


def _in_words(item: Any, path: KeyPath, known: dict[KeyPath, list[str]]) -> str:
    kind, given = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return _unknown_key(item["loc"], path, known)
    if kind == "missing":
        return "missing"
    text = str(item["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return text
    if kind in {"model_type", "dict_type", "mapping_type"}:
        text = "must be a mapping of keys to values"
    if kind in {"tuple_type", "list_type"}:
        text = "must be a list"
    text = text[0].lower() + text[1:]
    scalar = isinstance(given, str | int | float) or given is None
    return f"{text}, got {shown(given)}" if scalar else text


def _unknown_key(loc: KeyPath, path: KeyPath, known: dict[KeyPath, list[str]]) -> str:
    """A key that is not there at all, or not for this kind of mapping."""
    key, (mapping, of_kind) = str(loc[-1]), (_anywhere(path[:-1]), _anywhere(loc[:-1]))
    keys = known.get(mapping, [])
    if of_kind in known and of_kind != mapping:
        if key in keys:
            return f"{loc[-2]} has no {key}; it has {', '.join(known[of_kind])}"
        keys = known[of_kind]
    return f"unknown key{near_or_known(key, keys)}"


def _anywhere(path: KeyPath) -> KeyPath:
    return tuple("*" if isinstance(part, int) else part for part in path)
