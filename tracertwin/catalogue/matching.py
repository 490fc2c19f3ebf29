"""Which items some words mean: every word occurs in the name or beside it, blind to case and punctuation."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from plant.array.module import plain_name
from tracertwin.catalogue.items import Item

_MOST_NEAR = 3


def words_of(text: str) -> list[str]:
    """The words of a text: lower case, parted at whatever is neither letter nor digit."""
    return [word for word in plain_name(text).split("_") if word]


def matching(text: str, items: Iterable[Item]) -> list[Item]:
    """The items in which every word of a text occurs; all of them for a text without words."""
    words = words_of(text)
    return [item for item in items if all(word in _searched(item) for word in words)]


def named(text: str, items: Sequence[Item]) -> str | None:
    """The one name that a text is but for case and punctuation, or none."""
    exact = [item.name for item in items if item.name == text]
    alike = exact or [item.name for item in items if plain_name(item.name) == plain_name(text)]
    return alike[0] if len(alike) == 1 else None


def why_none(text: str, items: Sequence[Item]) -> str:
    """Why no item matches, with near words: which of the words occur nowhere, or that none has all of them."""
    searched = [_searched(item) for item in items]
    vocabulary = sorted({word for each in searched for word in each.split("_")})
    lost = [word for word in words_of(text) if not any(word in each for each in searched)]
    if not lost:
        return "each of these words occurs, but nothing has all of them; leave one out"
    told = []
    for word in lost:
        near = get_close_matches(word, vocabulary, n=_MOST_NEAR, cutoff=0.7)
        told.append(f"{word!r} occurs nowhere" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    return "; ".join(told)


def _searched(item: Item) -> str:
    said = " ".join(
        [item.name, item.about, *(each for each in item.figures.values() if isinstance(each, str))]
    )
    return re.sub(r"[^a-z0-9]+", "_", said.lower())
