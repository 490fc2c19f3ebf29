"""What a test writes as Python, in the words of scenarios: keyword arguments made into conditions and expectations."""

from collections.abc import Mapping
from typing import Any

from tracertwin.scenario.conditions import OPERATORS
from tracertwin.scenario.vocabulary import Vocabulary


def condition_of(condition: str, equal: Mapping[str, Any], words: Vocabulary) -> str:
    """One condition of a text and of ``name=value``; a value may begin with an operator, ``v_batt_v=">= 14.3 V"``.

    Raises
    ------
    ValueError
        There is none, or a quantity that is hardly ever equal to a number is to be so.
    """
    parts = [condition] if condition else []
    for name, value in equal.items():
        text = f"{value}".strip()
        if text.startswith(OPERATORS):
            parts.append(f"{name} {text}")
            continue
        subject = words.subject(name)
        if not subject.is_state and "+-" not in text and subject.unit != "0, 1":
            raise ValueError(
                f"{name} is hardly ever {text} exactly; write {name}='>= {text}', or with +- a tolerance"
            )
        parts.append(f"{name} = {int(value) if isinstance(value, bool) else text}")
    if not parts:
        raise ValueError("give a condition, e.g. until(stage='float') or until('v_batt_v >= 14.3 V')")
    return " and ".join(parts)


def expectation_of(condition: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping that a scenario would have; a condition alone is expected now, that is, at the end."""
    given: dict[str, Any] = {key.removesuffix("_"): _plain(value) for key, value in keys.items()}
    if condition:
        given = {"expect": condition, **(given or {"at": "end"})}
    return given


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
