"""The tables of docs/sizing.md: every metric and every monthly figure, each row from the table that runs.

`python -m tracertwin.pages.sizing` writes them into the page, whose other text is by hand; a test keeps it up to date.
"""

from pathlib import Path
from typing import Final

from tracertwin.pages.between import with_tables
from tracertwin.sizing.figures.hours import ACCOUNTS
from tracertwin.sizing.figures.metrics import METRICS
from tracertwin.sizing.figures.monthly import FIGURES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "sizing.md"
JOINED: Final = {"sum": "add up", "most": "the largest counts", "first": "the first counts"}


def metrics_table() -> str:
    """Every metric with its unit, formula and definition, and how other programs' differ."""
    lines = ["| name | unit | formula | meaning | source, differences |", "|---|---|---|---|---|"]
    lines += [
        f"| `{metric.name}` ({metric.label}) | {metric.unit} | {metric.formula} | {metric.meaning} | {metric.source} |"
        for metric in METRICS
    ]
    return "\n".join(lines) + "\n"


def figures_table() -> str:
    """The monthly figures beside the plant's own accounts."""
    lines = ["| name | unit | meaning | months and years |", "|---|---|---|---|"]
    lines += [
        f"| `{figure.name}` | {figure.unit} | {figure.meaning} | {JOINED[figure.joined]} |"
        for figure in FIGURES
        if figure.name not in ACCOUNTS and not figure.name.startswith("days_tenth_")
    ]
    lines.append(
        "| `days_tenth_0` to `days_tenth_9` | d | days that ended in each tenth of the usable charge | add up |"
    )
    return "\n".join(lines) + "\n"


def current(page: str) -> str:
    """The page with its tables as they should be now."""
    tables = (("metrics", metrics_table()), ("figures", figures_table()))
    return with_tables(page, PAGE, "tracertwin.pages.sizing", tables)


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
