"""The evidence as tables on a terminal and as a page of the docs; measures nothing."""

import itertools
import math
import os
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from validation import evidence
from validation.check import Check
from validation.topics import Topic

PLAIN_WIDTH = 120  # columns into a file or a pipe
NOTE_WIDTH = 18


def console() -> Console:
    """On a terminal as wide as that; elsewhere wide enough for the tables, or as ``COLUMNS`` says."""
    made = Console(highlight=False, markup=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PLAIN_WIDTH
    return made


def figures_of(check: Check) -> tuple[str, str, str, str]:
    """Value, reference, error and tolerance as text, with as many digits as the tolerance gives meaning to."""
    tolerance = check.tolerance
    numbers = (check.value, check.reference)
    decimals = 1 - math.floor(math.log10(tolerance)) if 0.0 < tolerance < math.inf else 6
    if decimals > 6:
        shown = [f"{number:.6g}" for number in numbers]
        return shown[0], shown[1], f"{check.error:+.1e}", f"{tolerance:.1e}"
    decimals = max(decimals, 0)
    shown = [f"{number:.{decimals}f}" for number in numbers]
    error = f"{check.error:+.{decimals}f}"
    return shown[0], shown[1], error, f"{tolerance:.{decimals}f}"


def print_topic(out: Console, topic: Topic) -> None:
    """One table: what, ours, theirs, the difference and what it may be, and where theirs is from."""
    out.print(Text.assemble((topic.name, "bold"), "  ", (topic.title, "dim")))
    sources = list(dict.fromkeys(check.source for check in topic.checks if check.source))
    letter = dict(zip(sources, _letters(), strict=False))
    if topic.checks:
        out.print(_table(topic.checks, letter))
    for source in sources:
        out.print(Text(f"[{letter[source]}] {source}", style="dim"))
    for mark, style, text in _remarks(topic):
        out.print(Text(f"{mark}  {text}", style=style))
    out.print()


def _table(checks: Iterable[Check], letter: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("what", overflow="fold")
    for head in ("value", "reference", "error", "within"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("source", no_wrap=True)
    table.add_column("note", overflow="fold", style="dim", max_width=NOTE_WIDTH)
    for check in checks:
        mark, style = ("ok", None) if check.passes else ("NO", "bold red")
        cited = f"[{letter[check.source]}]" if check.source else ""
        table.add_row(mark, check.what, *figures_of(check), check.unit, cited, check.note, style=style)
    return table


def _letters() -> Iterator[str]:
    """a, b, ... z, a1, b1, ..."""
    for number in itertools.count():
        for letter in string.ascii_lowercase:
            yield letter + (str(number) if number else "")


def _remarks(topic: Topic) -> Iterator[tuple[str, str, str]]:
    if topic.raised:
        yield "NO", "bold red", f"{topic.name} raised {topic.raised}"
    if topic.missing:
        yield "--", "yellow", f"{topic.name}: rows are missing: {topic.missing}"
    if not (topic.checks or topic.raised or topic.missing):
        yield "NO", "bold red", f"{topic.name} has no rows"


def summary(topics: Sequence[Topic]) -> str:
    """The last line."""
    rows = sum(len(topic.checks) for topic in topics)
    failed = sum(topic.failed for topic in topics)
    missing = sum(bool(topic.missing) for topic in topics)
    where = ", ".join(f"{topic.name} {topic.failed}" for topic in topics if topic.failed)
    text = f"{rows} values in {_count(len(topics), 'topic')}: "
    text += f"{failed} NOT within tolerance ({where})" if failed else "all within tolerance"
    if missing:
        text += f"; rows are missing in {_count(missing, 'topic')}"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def markdown(topics: Sequence[Topic]) -> str:
    """Everything as a page of the docs: no times, no machine, so that it changes only when a number does."""
    lines = [
        "# Validation",
        "",
        "Made by `python -m validation --markdown docs/validation.md`; don't edit by hand. `make validate` measures "
        "all of this again and fails when a value leaves its tolerance. The models are explained in "
        "[physics.md](physics.md).",
        "",
        " ".join(filter(None, (summary(topics) + ".", evidence.told(topics)))),
        "",
        "| topic | values | within tolerance |",
        "|---|---:|---:|",
    ]
    for topic in topics:
        good = sum(check.passes for check in topic.checks)
        lines.append(f"| [{topic.name}](#{topic.name}) | {len(topic.checks)} | {good} |")
    for topic in topics:
        lines += ["", f"## {topic.name}", "", f"{topic.title}.", ""]
        lines += _markdown_rows(topic.checks) if topic.checks else []
        lines += [f"\n**{text}**" for _mark, _style, text in _remarks(topic)]
    return "\n".join(lines) + "\n"


def _markdown_rows(checks: Iterable[Check]) -> list[str]:
    lines = [
        "| | what | value | reference | error | within | unit | source |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for check in checks:
        source = "; ".join(part for part in (check.source, check.note) if part)
        cells = ("ok" if check.passes else "**NO**", check.what, *figures_of(check), check.unit, source)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines
