"""What a failed scenario leaves: a picture of the hours around it, the trace, a journal, how to run it again."""

import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from plant.base.problems import Problem, ProblemsError
from plant.report.trace import Trace
from tracertwin.checking.outcome import CaseOutcome
from tracertwin.checking.preparing import Prepared
from tracertwin.checking.running import Ran, run

AROUND_S: Final = 3 * 3600
FILES: Final = (
    "plot.svg", "trace.csv", "journal.jsonl", "verdicts.txt", "rerun.txt", "console.txt", "transcript.txt",
)  # fmt: skip


def clear(folder: Path) -> None:
    """Remove what an earlier run left here; a folder of anything else stays."""
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= set(FILES):
        with suppress(OSError):
            shutil.rmtree(folder)


def leave(prepared: Prepared, ran: Ran, outcome: CaseOutcome) -> None:
    """Write the folder of a failure, which `clear` has cleared.

    Raises
    ------
    ProblemsError
        It can't be written, or is a folder of something else.
    """
    folder = Path(outcome.folder)
    try:
        folder.mkdir(parents=True)
        _fill(folder, prepared, ran, outcome)
    except FileExistsError:
        raise ProblemsError([Problem(str(folder), 0, "", "exists and was not left by a failure")]) from None
    except OSError as error:
        raise ProblemsError([Problem(str(folder), 0, "", f"cannot write: {error.strerror}")]) from None


def _fill(folder: Path, prepared: Prepared, ran: Ran, outcome: CaseOutcome) -> None:
    from plant.report.picture import draw  # what draws isn't loaded for a run in which nothing fails

    for name, text in ran.left.items():
        (folder / name).write_text(text, encoding="utf-8")
    if not ran.left:  # the same once more: only failures pay for a journal
        run(prepared, ran.seed, folder / "journal.jsonl")
    near = _around(ran)
    near.write(folder / "trace.csv")
    draw(near, folder / "plot.svg")
    lines = [f"{row.mark:5}{row.expected}: {row.words}" for row in outcome.verdicts]
    (folder / "verdicts.txt").write_text("\n".join([*outcome.about, "", *lines, ""]), encoding="utf-8")
    again = [outcome.again, f"tracertwin replay {shlex.quote(str(folder / 'journal.jsonl'))}"]
    (folder / "rerun.txt").write_text("\n".join([*again, ""]), encoding="utf-8")


def _around(ran: Ran) -> Trace:
    """The hours around the first failure that has a time; the whole run if none has."""
    rows = ran.trace.rows
    at_s = next((v.finding.at_s for v in ran.verdicts if v.fails and v.finding.at_s is not None), None)
    if at_s is not None:
        near = np.abs(rows[:, 0] - at_s) <= AROUND_S
        rows = rows[near] if near.sum() > 1 else rows
    return Trace(rows, ran.trace.timezone, ran.trace.events, ran.trace.title)
