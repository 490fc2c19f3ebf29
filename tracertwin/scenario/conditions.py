"""What may hold at a moment, ``v_batt_v >= 14.3 V and stage = boost``, and what may happen, ``stage becomes float``.

A condition is one comparison or several joined by ``and``; a comparison is ``NAME OP VALUE [UNIT]`` with one of
``<= >= < > = !=``. NAME is a quantity, a register by name or address, or bits of one (``0x3201.D3-2``). VALUE is a
number, the word of a state, or another NAME, which may be multiplied by a number and to which one may be added;
``= 14.4 +- 0.1 V`` and ``= boost_voltage +- 1 %`` have a tolerance.
"""

import re
from dataclasses import dataclass
from typing import Final

from plant.base.problems import did_you_mean
from tracertwin.scenario.times import duration_s
from tracertwin.scenario.vocabulary import ADDRESS, UNITS, Subject, Vocabulary

STATE: Final = "state"  # the unit of the margin of a state: 1 or -1
OPERATORS: Final = ("<=", ">=", "!=", "=", "<", ">")
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NAME: Final = r"[A-Za-z_]\w*|0[xX][0-9a-fA-F]{1,4}"
_SUBJECT: Final = rf"(?:{_NAME})(?:\.\w[\w-]*)?"
_COMPARISON = re.compile(rf"({_SUBJECT})\s*(<=|>=|!=|==|=|<|>|≤|≥)\s*(.+)")
_QUANTITY = re.compile(rf"({_NUMBER})\s*([^\d\s+-].*)?")
_OTHER = re.compile(rf"(?:({_NUMBER})\s*\*\s*)?({_SUBJECT})(?:\s*([+-])\s*(.+))?")
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,4}")
_EVENT = re.compile(r"(.+?)\s+(becomes\s+.+?|begins|ends)(?:\s*\+\s*([\d.]+\s*\w+))?")
FORM: Final = "NAME OP VALUE [UNIT], e.g. v_batt_v >= 14.3 V, stage = float or v_batt_v = 14.4 +- 0.1 V"
EVENT_FORM: Final = "NAME becomes VALUE, CONDITION begins or CONDITION ends, e.g. stage becomes float"


@dataclass(frozen=True, slots=True)
class Relation:
    """A value beside a number, or beside another value and a number.

    Attributes
    ----------
    subject : Subject
    operator : str
        One of `OPERATORS`.
    number : float
        In the subject's unit; added to `other`, if there is one.
    other : Subject or None
    tolerance : float
        Of ``=`` and ``!=``, in the subject's unit.
    factor : float
        `other` is multiplied by it.
    tolerance_share : float
        Of ``=`` and ``!=`` as a share of what it is compared with; added to `tolerance`.
    """

    subject: Subject
    operator: str
    number: float
    other: Subject | None = None
    tolerance: float = 0.0
    factor: float = 1.0
    tolerance_share: float = 0.0

    @property
    def unit(self) -> str:
        """Of its margin."""
        return STATE if self.subject.is_state else self.subject.unit


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that hold together."""

    text: str
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The moment at which a condition begins or ends, or a while later."""

    text: str
    condition: Condition
    begins: bool = True
    later_s: float = 0.0


def parse_condition(text: str, words: Vocabulary) -> Condition:
    """The condition that a text means.

    Raises
    ------
    ValueError
        Saying what is wrong with it and what would do.
    """
    parts = re.split(r"\s+and\s+", text.strip())
    return Condition(" ".join(text.split()), tuple(_comparison(part, words) for part in parts))


def parse_event(text: str, words: Vocabulary) -> Occurrence:
    """The event that a text means.

    Raises
    ------
    ValueError
        The same.
    """
    found = _EVENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an event; write {EVENT_FORM}")
    what, verb, later = found.groups()
    if verb.startswith("becomes"):
        what, verb = f"{what} = {verb.removeprefix('becomes').strip()}", "begins"
    later_s = duration_s(later) if later else 0.0
    return Occurrence(" ".join(text.split()), parse_condition(what, words), verb == "begins", later_s)


def _comparison(text: str, words: Vocabulary) -> Relation:
    found = _COMPARISON.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a condition; write {FORM}")
    name, operator, value = found.groups()
    operator = {"==": "=", "≤": "<=", "≥": ">="}.get(operator, operator)
    subject = words.subject(name)
    told, _, slack = (part.strip() for part in value.replace("±", "+-").partition("+-"))
    if "+-" in value.replace("±", "+-") and operator not in ("=", "!="):
        raise ValueError(f"{text!r}: only = and != have a tolerance")
    if subject.is_state and (operator not in ("=", "!=") or slack):
        raise ValueError(f"{text!r}: {name} is a state; compare it with = or !=, without a tolerance")
    width = _QUANTITY.fullmatch(slack)
    if slack and width is None:
        raise ValueError(f"{text!r}: {slack!r} is not a number")
    has_percent = "%" in UNITS.get(subject.unit, {subject.unit: 1.0})
    unit = "" if width is None else _clean(width[2])
    if unit and (unit != "%" or has_percent) and _QUANTITY.fullmatch(told) and not _unit(told):
        told = f"{told} {unit}"  # 14400 +- 100 mV: the unit is of both
    number, other, factor = _value(told, subject, words)
    if width is None:
        return Relation(subject, operator, number, other, factor=factor)
    if float(width[1]) < 0.0:
        raise ValueError(f"{text!r}: a tolerance must not be below 0, got {slack}")
    if _clean(width[2]) == "%" and not has_percent:
        share = float(width[1]) / 100.0
        return Relation(subject, operator, number, other, factor=factor, tolerance_share=share)
    return Relation(
        subject,
        operator,
        number,
        other,
        subject.amount(float(width[1]), _clean(width[2] or _unit(told))),
        factor,
    )


def _value(text: str, subject: Subject, words: Vocabulary) -> tuple[float, Subject | None, float]:
    """A number in the subject's unit, the other subject that it is added to, and what that is multiplied by."""
    found = _OTHER.fullmatch(text)
    if subject.is_state and not subject.codes and _HEX.fullmatch(text):  # a word of bits
        return float(int(text, 16)), None, 1.0
    if found is None or found[1] is None:
        quantity = None if ADDRESS.match(text) else _QUANTITY.fullmatch(text)
        if quantity is not None:
            return subject.amount(float(quantity[1]), _clean(quantity[2])), None, 1.0
        if subject.codes:
            code = subject.codes.get(re.sub(r"[\s-]+", "_", text.lower()))
            if code is None:
                hint = did_you_mean(text, subject.codes)
                raise ValueError(
                    f"{subject.word} is never {text!r}{hint}; it is one of {', '.join(subject.codes)}"
                )
            return float(code), None, 1.0
    if found is None or subject.is_state:
        raise ValueError(f"{text!r} is not a value of {subject.word}; write {FORM}")
    times, name, sign, more = found.groups()
    other = words.subject(name)
    if other.unit != subject.unit:
        raise ValueError(
            f"{subject.word} [{subject.unit or '-'}] can't be compared with {other.word} [{other.unit or '-'}]"
        )
    factor = float(times or 1.0)
    if more is None:
        return 0.0, other, factor
    added, nothing, _ = _value(more.strip(), subject, words)
    if nothing is not None:
        raise ValueError(f"{text!r} is not a value of {subject.word}; write {FORM}")
    return -added if sign == "-" else added, other, factor


def _unit(text: str) -> str:
    found = _QUANTITY.fullmatch(text)
    return _clean(found[2]) if found else ""


def _clean(unit: str | None) -> str:
    return (unit or "").strip()
