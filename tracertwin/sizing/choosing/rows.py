"""One row for each design, for files: what it is, how large, every metric with its interval."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from plant.report.drafts import draft_of
from plant.report.trace import TABLES, check_suffix, no_pyarrow
from tracertwin.sizing.choosing.inquiry import Answer
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.figures.metrics import METRICS, worst_month, worst_year
from tracertwin.sizing.sweep.vary import Axis

SIZES: Final = ("peak_w", "capacity_ah", "usable_wh", "controller_a")


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """The designs of an answer, in the order of its axes."""
    return [row_of(answer.inquiry.name, one, answer.inquiry.axes) for one in answer.designs]


def row_of(site: str, one: Judged, axes: Sequence[Axis]) -> dict[str, Any]:
    """A design as a row.

    Parameters
    ----------
    site : str
        What it is called.
    one : Judged
    axes : sequence of Axis
        Each has a column.

    Returns
    -------
    dict
        Shares are 0..1; ``..._low`` and ``..._high`` bound a metric's interval; a month is a number, 1 is January.
    """
    values = dict(zip((axis.key for axis in axes), one.design.values, strict=False))
    worst = one.years[worst_year(one.figures)]
    row = {"site": site, **values, **{name: getattr(one.size, name) for name in SIZES}}
    row |= {"years": len(one.years), "worst_year": worst.year, "worst_seed": worst.seed}
    row["worst_month"] = worst_month(one.figures) + 1
    for metric in METRICS:
        found = one.metrics[metric.name]
        row |= {metric.name: found.value, f"{metric.name}_low": found.low, f"{metric.name}_high": found.high}
    return row


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as CSV or Parquet, by the file's suffix; the same rows give the same bytes.

    Raises
    ------
    ProblemsError
        If the suffix is another, pyarrow is missing, or the file can't be written.
    """
    import pandas as pd

    check_suffix(path, TABLES)
    frame = pd.DataFrame(list(rows))
    try:
        with draft_of(path) as draft:
            if path.suffix == ".csv":
                frame.to_csv(draft, index=False, lineterminator="\n")
            else:
                frame.to_parquet(draft, index=False)
    except ImportError:
        raise no_pyarrow(path) from None
