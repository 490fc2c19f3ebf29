"""What a run leaves behind: a table of samples."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plant.base.clock import to_local
from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.controller.charger import Stage
from plant.kernel.events import Event
from plant.kernel.snapshot import Snapshot
from plant.report.drafts import draft_of

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".parquet")
PICTURES = (".html", ".svg", ".png")  # drawn by `plant.report.picture`


class Trace:
    """Samples of a run.

    Parameters
    ----------
    rows : (n, fields) array
        Rows of `Snapshot`.
    timezone : str
        Of the site; times are shown in it.
    events : sequence of Event
        Transitions of the controller during the run.
    title : str
    """

    def __init__(
        self, rows: np.ndarray, timezone: str, events: Sequence[Event] = (), title: str = ""
    ) -> None:
        self.rows = rows
        self.timezone = timezone
        self.events = tuple(events)
        self.title = title

    def __getitem__(self, name: str) -> np.ndarray:
        """A column by the name of its field."""
        if name not in Snapshot._fields:
            raise KeyError(f"{name}: no such quantity{did_you_mean(name, Snapshot._fields)}")
        return np.asarray(self.rows[:, Snapshot._fields.index(name)])

    def frame(self) -> "pd.DataFrame":
        """All columns, with local civil time first."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(Snapshot._fields))
        local = pd.to_datetime(frame["t_utc_s"], unit="s", utc=True).dt.tz_convert(self.timezone)
        frame.insert(0, "time", local.dt.tz_localize(None))
        return frame

    def write(self, path: Path) -> None:
        """Write all samples as CSV or Parquet, by the file's suffix.

        Raises
        ------
        ProblemsError
            If the suffix is another, pyarrow is missing, or the file can't be written.
        """
        check_suffix(path, TABLES)
        try:
            with draft_of(path) as draft:
                if path.suffix == ".csv":
                    self._write_csv(draft)
                else:
                    self.frame().to_parquet(draft, index=False)
        except ImportError:
            raise no_pyarrow(path) from None

    def _write_csv(self, path: Path) -> None:
        """Full precision, so that two runs can be compared byte for byte."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(",".join(("time", *Snapshot._fields)) + "\n")
            for row in self.rows:
                moment = to_local(float(row[0]), self.timezone).isoformat(sep=" ")
                file.write(moment + "," + ",".join(repr(float(value)) for value in row) + "\n")

    def stage_hours(self) -> dict[str, float]:
        """Hours in each charge stage, from the samples."""
        if len(self.rows) < 2:
            return {}
        hours = float(self.rows[1, 0] - self.rows[0, 0]) / 3600.0
        stages = self["stage"]
        return {stage.name.lower(): float(np.sum(stages == stage)) * hours for stage in Stage}


def no_pyarrow(path: Path) -> ProblemsError:
    """That a Parquet file needs pyarrow."""
    message = "Parquet needs pyarrow: pip install 'tracertwin[parquet]'"
    return ProblemsError([Problem(str(path), 0, "", message)])


def check_suffix(path: Path, allowed: tuple[str, ...]) -> None:
    """Refuse a file name we couldn't write, before the run that would fill it."""
    if path.suffix not in allowed:
        raise ProblemsError([Problem(str(path), 0, "", f"must end in {', '.join(allowed)}")])
    if not path.parent.is_dir():
        raise ProblemsError([Problem(str(path), 0, "", f"no such folder: {path.parent}")])
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ProblemsError([Problem(str(path), 0, "", "can't be written: no permission")])
