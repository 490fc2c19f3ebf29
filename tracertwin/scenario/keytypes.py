"""What may stand for a key of an expectation or an action: how its text is read, and its JSON Schema.

And of an override: values in proportion to a rating of the controller, ``1.25 * controller.charge_rated_a``, so that a
test loads a small controller as it loads a large one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from modbus.codec.functions import READ_FUNCTION
from plant.base.problems import near_or_known, shown
from tracertwin.scenario.conditions import parse_condition, parse_event
from tracertwin.scenario.times import duration_s, parse_moment
from tracertwin.scenario.vocabulary import ADDRESS, Subject, Vocabulary

_AMOUNT = re.compile(r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)\s*(\D.*)?")
_MULTIPLE: Final = re.compile(r"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?)\s*\*\s*controller\.(\w+)\s*")
Read = Callable[[Any, Vocabulary], Any]


class KeyType(NamedTuple):
    """A kind of value.

    Attributes
    ----------
    name : str
        For people.
    read : callable
        Makes the value of what stands in the file; ValueError: what is wrong with it and what would do.
    schema : mapping
        JSON Schema.
    """

    name: str
    read: Read
    schema: Mapping[str, Any]


def text(given: Any) -> str:
    """A text.

    Raises
    ------
    ValueError
        It is none.
    """
    if not isinstance(given, str):
        raise ValueError(f"must be a text, got {shown(given)}")
    return given


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e300:
        raise ValueError(f"must be a number, got {shown(given)}")
    return float(given)


def _whole(given: Any, _: Vocabulary) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(f"must be a whole number from 0 on, got {shown(given)}")
    return given


def _event(given: Any, words: Vocabulary) -> Any:
    """An event; a moment will do as well."""
    told = text(given)
    try:
        return parse_event(told, words)
    except ValueError as error:
        if re.search(r"\b(becomes|begins|ends)\b|[=<>]", told):
            raise
        try:
            return parse_moment(told)
        except ValueError as no_moment:
            raise ValueError(f"{error}; or a time, {no_moment}") from None


def _time(given: Any, words: Vocabulary) -> Any:
    """A moment; the first such event will do as well."""
    told = text(given)
    if re.search(r"\b(becomes|begins|ends)\b|[=<>]", told):
        return parse_event(told, words)
    return parse_moment(told)


def _events(given: Any, words: Vocabulary) -> tuple[Any, ...]:
    if not isinstance(given, list) or len(given) < 2:
        raise ValueError(f"must list two events or more, got {shown(given)}")
    return tuple(_event(one, words) for one in given)


def amount_in(given: Any, subject: Subject) -> float:
    """A number, or a text of a number with a unit, in the unit of a subject.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if not isinstance(given, str):
        return subject.amount(_number(given), "")
    found = _AMOUNT.fullmatch(given.strip())
    if found is None:
        raise ValueError(f"must be a number with or without its unit, got {shown(given)}")
    return subject.amount(float(found[1]), (found[2] or "").strip())


def _range(given: Any, _: Vocabulary) -> tuple[Any, Any]:
    """Two limits; their unit is known once the subject is."""
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError(f"must be two limits, [10.5 V, 14.8 V], got {shown(given)}")
    return given[0], given[1]


def _percent(given: Any, _: Vocabulary) -> float:
    found = _AMOUNT.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None or found[2] != "%" or not 0.0 <= float(found[1]) <= 100.0:
        raise ValueError(f"must be a share from 0 % to 100 %, written 90 %, got {shown(given)}")
    return float(found[1]) / 100.0


def _word(given: Any) -> str:
    """A name, or an address, which YAML reads as a number."""
    is_address = isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= 0xFFFF
    return f"0x{given:04X}" if is_address else text(given)


def _addresses(given: Any, words: Vocabulary) -> tuple[tuple[int, int], ...]:
    """Function that reads it and address, of each register; an address that the map doesn't have will do."""
    found = []
    for one in given if isinstance(given, list) else [given]:
        word = _word(one)
        try:
            register = words.register(word)
        except ValueError:
            if not ADDRESS.fullmatch(word):
                raise
            found.append((READ_FUNCTION["input"], int(word, 16)))
        else:
            found.append((READ_FUNCTION[register.table], register.address))
    return tuple(found)


def _regex(given: Any, _: Vocabulary) -> re.Pattern[str]:
    try:
        return re.compile(text(given))
    except re.error as error:
        raise ValueError(f"{given!r} is not a regular expression: {error}") from None


def _number_regex(given: Any, words: Vocabulary) -> re.Pattern[str]:
    found = _regex(given, words)
    if found.groups != 1:
        raise ValueError(f"{given!r} must have one group, around the number: made ([\\d.]+) kWh")
    return found


def _yes(given: Any, _: Vocabulary) -> bool:
    if given is not True:
        raise ValueError(f"must be true, got {shown(given)}")
    return True


def _flag(given: Any, _: Vocabulary) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"must be true or false, got {shown(given)}")
    return given


_TEXT: Final = {"type": "string"}
_NAMED: Final = {"type": ["string", "integer"]}
_NUMERIC: Final = {"type": ["number", "string"]}
_LISTED: Final = {
    "anyOf": [{"type": ["string", "integer"]}, {"type": "array", "items": {"type": ["string", "integer"]}}]
}
CONDITION: Final = KeyType("condition", lambda given, words: parse_condition(text(given), words), _TEXT)
EVENT: Final = KeyType("event or time", _event, _TEXT)
EVENTS: Final = KeyType("events", _events, {"type": "array", "items": _TEXT, "minItems": 2})
MOMENT: Final = KeyType("time", lambda given, _: parse_moment(text(given)), _TEXT)
TIME: Final = KeyType("time or event", _time, _TEXT)
DURATION: Final = KeyType("duration", lambda given, _: duration_s(f"{given}"), _TEXT)
PERCENT: Final = KeyType("share", _percent, _TEXT)
NUMBER: Final = KeyType("amount", lambda given, _: given, _NUMERIC)  # its unit is known once the subject is
COUNT: Final = KeyType("number", _whole, {"type": "integer", "minimum": 0})
RANGE: Final = KeyType(
    "two limits", _range, {"type": "array", "items": _NUMERIC, "minItems": 2, "maxItems": 2}
)
SUBJECT: Final = KeyType("quantity or register", lambda given, words: words.subject(_word(given)), _NAMED)
ADDRESSES: Final = KeyType("registers", _addresses, _LISTED)
REGEX: Final = KeyType("regular expression", _regex, _TEXT)
NUMBER_REGEX: Final = KeyType("regular expression with a group", _number_regex, _TEXT)
YES: Final = KeyType("true", _yes, {"const": True})
WORDS: Final = KeyType("text", lambda given, _: text(given), _TEXT)
FLAG: Final = KeyType("true or false", _flag, {"type": "boolean"})


def unknown_rating(given: Any, ratings: Sequence[str]) -> str:
    """What is wrong with the multiples in a value, at any depth; empty if nothing is."""
    if isinstance(given, Mapping):
        given = list(given.values())
    if isinstance(given, list):
        return next((told for one in given if (told := unknown_rating(one, ratings))), "")
    if not isinstance(given, str) or "* controller." not in given:
        return ""
    found = _MULTIPLE.fullmatch(given)
    if found is None:
        return f"{given!r} is not a multiple of a rating; write 0.5 * controller.load_rated_a"
    if found[2] not in ratings:
        return f"a controller has no rating {found[2]!r}{near_or_known(found[2], ratings)}"
    return ""


def scaled(given: Any, ratings: Mapping[str, float]) -> Any:
    """A value with all multiples in it worked out."""
    if isinstance(given, Mapping):
        return {key: scaled(one, ratings) for key, one in given.items()}
    if isinstance(given, list):
        return [scaled(one, ratings) for one in given]
    found = _MULTIPLE.fullmatch(given) if isinstance(given, str) else None
    return given if found is None else float(found[1]) * ratings[found[2]]
