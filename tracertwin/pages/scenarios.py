"""The tables of docs/scenarios.md: keys of ``given``, actions, kinds of expectations, each from the code that reads it.

`python -m tracertwin.pages.scenarios` writes them into the page, whose other text is by hand; a test keeps them up to
date.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracertwin.pages.between import with_tables
from tracertwin.scenario.actions import ACTIONS
from tracertwin.scenario.file import MEANINGS, ClientRecord, Given
from tracertwin.scenario.kinds import KINDS, WINDOW

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"


def tables() -> dict[str, str]:
    """The tables as Markdown, by name."""
    return {
        "given": "\n".join(_given()),
        "actions": "\n".join(_actions()),
        "expectations": "\n".join(_kinds()),
    }


def _given() -> Iterator[str]:
    yield "| key | meaning | default |"
    yield "|---|---|---|"
    for record, before in ((Given, ""), (ClientRecord, "client.")):
        for name, field in record.model_fields.items():
            default = "must be given" if field.is_required() else f"`{field.default}`"
            default = "" if field.default in (None, ()) or field.default_factory is not None else default
            yield f"| `{before}{name}` | {MEANINGS[before + name]} | {default} |"


def _actions() -> Iterator[str]:
    yield "| action | value | meaning |"
    yield "|---|---|---|"
    for name, kind in ACTIONS.items():
        yield f"| `{name}` | `{kind.form}` | {kind.meaning} |"
    yield "| the name of an upset | a mapping of its keys and `lasts`, or `true` | the same as `upset` |"


def _kinds() -> Iterator[str]:
    yield "| kind | keys | when it holds, and its margin |"
    yield "|---|---|---|"
    for kind in KINDS.values():
        own = [name for name in kind.keys if name not in WINDOW]
        keys = [f"`{name}`: {kind.keys[name].name}{' (optional)' * (name in kind.optional)}" for name in own]
        window = "" if set(WINDOW) <= set(kind.keys) else " No `from` and `to`."
        yield f"| `{kind.name}` | {'; '.join(keys)} | {kind.definition}{window} |"


def current(page: str) -> str:
    """The page with its tables as they should be now."""
    return with_tables(page, PAGE, "tracertwin.pages.scenarios", tables().items())


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
