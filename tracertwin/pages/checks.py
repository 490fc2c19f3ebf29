"""The table of docs/inspect.md: the checks of a design, each row from the table that runs.

`python -m tracertwin.pages.checks` writes it into the page, whose other text is by hand; a test keeps it up to date.
"""

from pathlib import Path
from typing import Final

from plant.array.thinfilm import ANY, ERRORS
from plant.design.sheet import CHECKS
from tracertwin.pages.between import with_tables

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "inspect.md"
KINDS: Final = {
    "cdte": "20 of CdTe",
    "cigs": "8 of CIGS",
    ANY: "561 of the others, or of no kind that is told",
}


def checks_table() -> str:
    """Every check with what it compares, from where on, and by which source."""
    lines = ["| check | value compared with limit | `check` | `wrong` | source |", "|---|---|---|---|---|"]
    lines += [
        f"| {check.name} | {check.compares} | {check.check_at} | {check.wrong_at} | {check.source} |"
        for check in CHECKS
    ]
    return "\n".join(lines) + "\n"


def thin_film_table() -> str:
    """How far the fit is off, by technology."""
    lines = [
        "| modules of the CEC table | mean at 200 W/m², 25 °C | 19 in 20 within | within at 400 W/m², 45 °C |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {KINDS[kind]} | {error.dim_mean:+g} % | {error.dim_most:g} % | {error.warm_most:g} % |"
        for kind, error in ERRORS.items()
    ]
    return "\n".join(lines) + "\n"


def current(page: str) -> str:
    """The page with its tables as they should be now."""
    tables = (("checks", checks_table()), ("thin film", thin_film_table()))
    return with_tables(page, PAGE, "tracertwin.pages.checks", tables)


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
