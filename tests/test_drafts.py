"""Files that are written aside: whole under their own name, whoever else writes them at the same moment."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from plant.base.problems import ProblemsError
from plant.report.drafts import draft_of
from tracertwin.files import write_whole


def test_two_threads_that_write_the_same_file_at_once_both_succeed(tmp_path):
    path, meet = tmp_path / "table.csv", threading.Barrier(2, timeout=30.0)

    def write(text: str) -> None:
        with draft_of(path) as draft:
            draft.write_text(text)
            meet.wait()  # both are half done

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, ["one" * 1000, "two" * 1000]))
    assert path.read_text() in ("one" * 1000, "two" * 1000)
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_no_text_is_written_by_its_bytes(tmp_path):
    """The ready file of a socket beneath a folder of another encoding ended in a Python error."""
    write_whole(tmp_path / "ready", os.fsdecode(b"unix-listen:gr\xf6sse.sock\n"))
    assert (tmp_path / "ready").read_bytes() == b"unix-listen:gr\xf6sse.sock\n"


def test_a_draft_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("before")

    def fail() -> None:
        with draft_of(path) as draft:
            draft.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(ProblemsError, match=r"table\.csv: cannot write: No space left on device"):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["file/table.csv", f"{'a' * 250}.csv"])
def test_where_there_can_be_no_draft_the_file_is_named(tmp_path, name):
    """Not the draft, which nobody asked for."""
    (tmp_path / "file").write_text("")

    def write() -> None:
        with draft_of(tmp_path / name) as draft:
            draft.write_text("all")

    with pytest.raises(ProblemsError, match=re.escape(f"{tmp_path / name}: cannot write: ")):
        write()
