"""The page of what `tracertwin serve` may be told: ``python -m tracertwin.pages.options`` writes `docs/options.md`."""

from pathlib import Path
from typing import Final

from tracertwin.assembly.options import OPTIONS

PAGE: Final = Path(__file__).parents[2] / "docs" / "options.md"
HEAD: Final = """\
# Options of `tracertwin serve`

Written by `python -m tracertwin.pages.options` from the rows in `tracertwin/assembly/options.py`; lines, faults,
clocks, journals and state files are described in [links](links.md), [faults](faults.md), [time](time.md),
[journal](journal.md) and [memory](memory.md).

| option | default | limits | meaning |
|---|---|---|---|
"""


def current_page() -> str:
    """The page as the rows have it, one option a line."""
    lines = []
    for row in OPTIONS.values():
        written = f"`{row.flag} {row.metavar}`" if row.metavar else f"`{row.flag}`"
        default = "" if row.default is None else f"`{row.default}`"
        ends = () if row.limits is None else (row.limits.low, row.limits.high)
        limits = " to ".join(f"{end:,}" if isinstance(end, int) else f"{end:,g}" for end in ends)
        lines.append(f"| {written} | {default} | {limits} | {row.help} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
