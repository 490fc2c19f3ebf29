"""The command away from home: full disks, other alphabets, readers that leave, caches that are read-only."""

import errno
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest
from numba.core.caching import IndexDataCacheFile

from plant.base import codecache
from plant.base.codecache import CodeCache, cache_dir
from plant.base.jit import kernel
from plant.kernel.step import run_steps
from plant.plant import Plant
from plant.report.trace import Trace
from plant.site.model import load_site
from tests.command import COMMAND, ROOT, refusal
from tests.conftest import Call
from tracertwin import exitcodes
from tracertwin.cli.building import STEPS, announce_compiling

SHORT = ("run", "--days", "0.05")


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- what can't be printed ---


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "arguments",
    [SHORT, ("registers",), ("registers", "--diff", "uart2", "epever"), ("faults",)],
    ids=" ".join,
)
def test_a_terminal_without_our_characters_gets_those_that_look_like_them(
    call, monkeypatch, arguments, encoding
):
    printed = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", printed)
    code, _, err = call(*arguments)
    printed.flush()
    text = printed.buffer.getvalue().decode(encoding)
    assert (code, err) == (0, "")
    assert "-----" in text
    assert "?" not in text.replace("(did you mean", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [SHORT, ("registers",), ("--version",)], ids=" ".join)
def test_a_full_disk_under_stdout_is_told_in_one_line(arguments):
    with open("/dev/full", "w") as out:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr.splitlines()[-1:] == ["tracertwin: output: No space left on device"]
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_whoever_reads_may_leave_and_the_run_still_writes_its_files(tmp_path):
    out = tmp_path / "day.csv"
    with subprocess.Popen(
        [*COMMAND, *SHORT, "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        command.stdout.close()  # as `head` does when it has its lines
        said = command.stderr.read()
    assert (command.returncode, said) == (0, "")
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1 + 72


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX closes it")
@pytest.mark.parametrize("arguments", ["registers", "run cabin --days 0.05", "poll 1235"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stdout_or_stderr_is_no_error(arguments, closed):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m tracertwin {arguments} {closed}', sys.executable],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if arguments.startswith("poll") else 0), done.stderr
    assert "Traceback" not in done.stderr
    assert "tracertwin:" not in done.stdout


# --- narrow terminals ---


QUICK = (
    "registers", "registers --diff uart2 epever", "faults", "sites", "modules longi", "batteries", "controllers",
    "inspect", "--help", " ".join(SHORT),
)  # fmt: skip


@pytest.mark.parametrize("arguments", QUICK)
def test_no_width_is_too_small(terminal, arguments):
    """0 is what a terminal has that nobody has told its size."""
    for columns in (0, 1, 2, 3, 5, 19, 20, 21, 40):
        assert any(line.strip() for line in terminal(columns, *arguments.split()))


@pytest.fixture
def terminal(call):
    """A call on a terminal with so many columns."""

    def on(columns: int, *arguments: str) -> list[str]:
        code, printed, _ = call(*arguments, columns=columns)
        assert code == 0
        return printed.splitlines()

    return on


def test_where_a_bar_has_no_room_the_numbers_stay(terminal):
    wide, narrow = (terminal(columns, *SHORT) for columns in (80, 40))
    assert any("█" in line for line in wide)
    assert not any("█" in line for line in narrow)

    def figures(lines: list[str]) -> list[str]:
        return re.findall(r"-?[\d,]+\.\d(?=\s)", "\n".join(lines).split("load not served")[0])

    assert figures(wide) == figures(narrow)
    assert len(figures(narrow)) > 20


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "arguments", [("registers", "--map", "epever"), ("registers", "--diff", "uart2", "epever")]
)
def test_an_address_is_never_cut(terminal, columns, arguments):
    wide, narrow = ("\n".join(terminal(width, *arguments)) for width in (120, columns))
    address = re.compile(r"0x[0-9A-F]{4}\b")
    assert len(set(address.findall(narrow))) == len(set(address.findall(wide))) > 5
    assert re.findall(r"0x[0-9A-F]{0,3}\b", narrow) == []


def test_a_map_at_80_columns_is_not_much_longer_than_at_100(terminal):
    assert len(terminal(80, "registers", "--map", "epever")) < 1.7 * len(
        terminal(100, "registers", "--map", "epever")
    )


# --- files ---


def test_the_summary_comes_first_and_a_file_that_does_not_fit_leaves_what_was_there(
    call, tmp_path, monkeypatch
):
    out = tmp_path / "day.csv"
    out.write_text("an older run\n", encoding="utf-8")

    def half(_: Trace, path: Path) -> None:
        path.write_text("time,", encoding="utf-8")
        full()

    monkeypatch.setattr(Trace, "_write_csv", half)
    code, printed, said = call(*SHORT, "--out", str(out))
    assert code == 2
    assert said == f"tracertwin: {out}: cannot write: No space left on device\n"
    assert "battery" in printed
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [
        ("day.csv", "an older run\n")
    ]


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_a_picture_that_does_not_fit_leaves_nothing_behind(call, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(Path, "replace", full)
    path = tmp_path / f"day.{suffix}"
    code, printed, said = call(*SHORT, "--plot", str(path))
    assert code == 2
    assert said == f"tracertwin: {path}: cannot write: No space left on device\n"
    assert "battery" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_could_not_be_solved_ends_with_1(call, monkeypatch):
    monkeypatch.setattr(Plant, "overrun_steps", property(lambda _: 3))
    code, printed, _ = call(*SHORT)
    assert code == 1
    assert "3 steps could not be solved: this is a bug, do not trust this run" in printed


# --- the cache of compiled code ---


def without_rights(folder: Path, *arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """The command for somebody who may write only where permissions say so, and has a home where they don't.

    Root may write anywhere, unless it gives that right up.
    """
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {
        **os.environ, "HOME": str(folder), "TMPDIR": str(temporary), "TRACERTWIN_CACHE": str(cache),
        "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    giving_up = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if giving_up and shutil.which("setpriv") is None:
        pytest.skip("root, and no setpriv")
    done = subprocess.run(
        [*giving_up, *COMMAND, *arguments],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert list(temporary.iterdir()) == []
    return done


def test_a_warm_cache_is_used_without_a_right_to_write_to_it(tmp_path):
    Plant.new(load_site("cabin")).run(5, 5)  # so that it is there
    cache = tmp_path / "cache"
    shutil.copytree(cache_dir(), cache / cache_dir().name)
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(cache.rglob("*"))
    done = without_rights(tmp_path, *SHORT, cache=cache)
    assert (done.returncode, done.stderr) == (0, "")  # it would say that it compiles
    assert sorted(cache.rglob("*")) == before
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o755)


def test_a_verb_that_compiles_nothing_makes_no_cache(tmp_path):
    done = without_rights(tmp_path, "registers", cache=tmp_path / "cache")
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]


def test_where_nothing_can_be_kept_it_is_said_and_the_variable_named(tmp_path):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "cache").mkdir(mode=0o555)
    done = without_rights(tmp_path, "compile", cache=tmp_path / "cache")
    assert done.returncode == 2
    assert re.fullmatch(
        rf"tracertwin: {tmp_path}/cache/\w+: cannot be written; TRACERTWIN_CACHE=FOLDER selects another folder\n",
        done.stderr,
    )


@pytest.fixture
def place(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(codecache, "cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def twice(x: float) -> float:
    return 2.0 * x


def named(name: str) -> FunctionType:
    """`twice` under another name."""
    function = FunctionType(twice.__code__, globals(), name)
    function.__qualname__ = name  # which numba keeps it under
    return function


def test_compiled_code_is_kept_and_found_again(place):
    assert kernel(twice)(1.5) == 3.0
    assert [path.suffix for path in sorted(place.rglob("*.nb*"))] == [".nbc", ".nbi"]
    again = kernel(twice)
    assert again(1.5) == 3.0
    assert sum(again.stats.cache_hits.values()) == 1


def test_a_full_disk_means_no_cache(place, monkeypatch):
    monkeypatch.setattr(IndexDataCacheFile, "_save_data", full)
    assert kernel(twice)(1.5) == 3.0
    assert list(place.rglob("*.nbc")) == []


def test_whoever_compiles_for_the_sake_of_the_cache_is_told_that_the_disk_is_full(place, monkeypatch):
    monkeypatch.setattr(IndexDataCacheFile, "_save_data", full)
    monkeypatch.setattr(CodeCache, "must_save", True)
    with pytest.raises(OSError, match="No space left"):
        kernel(twice)(1.5)


def test_a_cache_that_was_cut_short_is_passed_over(place):
    kernel(twice)(1.5)
    for path in place.rglob("*.nb*"):
        path.write_bytes(path.read_bytes()[:20])
    assert kernel(twice)(2.5) == 5.0


def test_each_form_that_compiles_says_so_once(place, monkeypatch, capsys):
    """A form's code ends with its steps, and what comes before them is announced with it."""
    monkeypatch.setattr(CodeCache, "on_compiling", None)
    announce_compiling()
    before, steps = named("before"), named(STEPS)

    def said() -> int:
        return capsys.readouterr().err.count("compiling this kind of plant for this machine, once")

    kernel(before)(1.5)
    kernel(steps)(1.5)
    assert said() == 1
    kernel(steps)(1.5)  # read from the cache
    assert said() == 0
    kernel(steps)(1.5j)  # a form that was not there
    assert said() == 1


def test_the_steps_have_the_name_that_announcing_knows():
    assert run_steps.py_func.__name__ == STEPS


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TRACERTWIN_CACHE", str(tmp_path))
    cache_dir.cache_clear()
    try:
        assert cache_dir().parent == tmp_path
    finally:
        monkeypatch.undo()
        cache_dir.cache_clear()
        cache_dir()  # once more, before another test sets the variable


def test_a_copy_of_the_sources_uses_the_same_compiled_code(tmp_path):
    for name in ("plant", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    Plant.new(load_site("cabin")).run(5, 5)  # so that it is there
    run = (
        "import plant; from plant.base.codecache import CodeCache; from plant.plant import Plant\n"
        "from plant.site.model import load_site\n"
        "CodeCache.on_compiling = print\n"
        "Plant.new(load_site('cabin')).run(5, 5); print(plant.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [str(tmp_path / "plant" / "__init__.py")]  # nothing that it compiles


def test_exit_codes_are_documented():
    text = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    codes = {exitcodes.GOOD, exitcodes.BAD_RESULT, exitcodes.BAD_INPUT, exitcodes.NOBODY, exitcodes.STOPPED}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_a_master_that_finds_nobody_exits_with_a_code_of_its_own(call: Call, tmp_path):
    assert refusal(call("poll", f"unix:{tmp_path}/nobody"), because=3)
