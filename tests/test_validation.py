"""The evidence can fail: a wrong value, a nan, an exception or missing data never look like agreement."""

import ast
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from validation import evidence, fetch, report, topics
from validation.__main__ import main
from validation.check import Check, MissingEvidence

ROOT = Path(__file__).parents[1]

HEAD = "from validation.check import Check, MissingEvidence\n\ndef checks():\n"
ROW = "    yield Check(what='the answer', value={value}, reference=42.0, tolerance=0.5, source='a book')\n"
GOOD, WRONG, NAN = (HEAD + ROW.format(value=value) for value in ("42.1", "43.0", "float('nan')"))
RAISES = GOOD + "    raise ValueError('no such battery')\n"
MISSING = GOOD + "    raise MissingEvidence('there is no network')\n"
EXITS = HEAD + "    import os\n    os._exit(9)\n    yield\n"
EMPTY = HEAD + "    yield from ()\n"
DRAWS = "import altair as alt\nimport pandas as pd\n" + GOOD + (
    "\ndef figures():\n    frame = pd.DataFrame({'x': [1, 2, 3], 'y': [1, 4, 9]})\n"
    "    yield 'squares', alt.Chart(frame).mark_line().encode(x='x:Q', y='y:Q')\n"
)  # fmt: skip


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write modules into a package of their own; gives its name."""
    numbers = iter(range(100))

    def make(**modules: str) -> str:
        name = f"evidence{next(numbers)}_{tmp_path.name.replace('-', '_')}"
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(f'"""About {module}."""\n{source}', encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


def row(value: float, reference: float = 42.0, tolerance: float = 0.5) -> Check:
    return Check(what="the answer", value=value, reference=reference, tolerance=tolerance)


@pytest.mark.parametrize("value", [41.5, 42.0, 42.5])
def test_a_value_within_its_tolerance_passes(value):
    assert row(value).passes
    assert row(value).error == value - 42.0


@pytest.mark.parametrize(
    "numbers",
    [(41.49,), (42.51,), (math.nan,), (math.inf,), (-math.inf,), (42.0, math.nan), (42.0, 42.0, math.nan),
     (42.0, 42.0, math.inf), (math.inf, math.inf), (42.0, 42.0, -0.1)],
)  # fmt: skip
def test_nothing_else_passes(numbers):
    assert not row(*numbers).passes


def test_values_within_tolerance_exit_with_0(package, capsys):
    assert main([], package(good=GOOD)) == 0
    said = capsys.readouterr().out
    assert re.search(r"ok +the answer +42\.10 +42\.00 +\+0\.10 +0\.50", said)
    assert "[a] a book" in said
    assert "1 values in 1 topic: all within tolerance" in said


@pytest.mark.parametrize(
    "source", [WRONG, NAN, RAISES, EXITS, EMPTY], ids=["wrong", "nan", "raises", "dies", "empty"]
)
def test_anything_wrong_exits_with_1_and_the_others_go_on(package, capsys, source):
    assert main([], package(bad=source, good=GOOD)) == 1
    said = capsys.readouterr().out
    assert re.search(r"^NO .*$", said, re.MULTILINE)
    assert re.search(r"^good  About good$", said, re.MULTILINE)
    assert "1 NOT within tolerance (bad 1)" in said


def test_an_exception_is_told_beside_the_rows_before_it(package, capsys):
    main(["bad"], package(bad=RAISES))
    said = capsys.readouterr().out
    assert "NO  bad raised ValueError: no such battery" in said
    assert "42.10" in said


def test_a_module_that_cant_be_imported_is_a_failure(package, capsys):
    assert main([], package(bad="import nothing_of_that_name\n" + GOOD)) == 1
    assert "nothing_of_that_name" in capsys.readouterr().out


def test_missing_data_is_neither_agreement_nor_failure(package, capsys):
    assert main([], package(far=MISSING)) == 2
    said = capsys.readouterr().out
    assert "--  far: rows are missing: there is no network" in said
    assert "rows are missing in 1 topic" in said
    assert main([], package(far=MISSING, bad=WRONG)) == 1


def test_an_unknown_topic_exits_with_2_and_tells_the_near_name(package, capsys):
    assert main(["batery"], package(battery=GOOD)) == 2
    assert "batery: no such topic (did you mean battery?); there are battery" in capsys.readouterr().err


def test_only_topics_that_are_asked_for_run(package, capsys):
    assert main(["good"], package(good=GOOD, bad=WRONG)) == 0
    assert "bad" not in capsys.readouterr().out


def test_the_page_says_the_same_and_never_anything_else(package, tmp_path, capsys):
    name = package(bad=WRONG, good=GOOD, far=MISSING)
    pages = []
    for number in range(2):
        main(["--markdown", str(tmp_path / f"{number}.md")], name)
        pages.append((tmp_path / f"{number}.md").read_text(encoding="utf-8"))
    assert pages[0] == pages[1]
    assert "| **NO** | the answer | 43.00 | 42.00 | +1.00 | 0.50 |  | a book |" in pages[0]
    assert "| [good](#good) | 1 | 1 |" in pages[0]
    assert "**far: rows are missing: there is no network**" in pages[0]
    capsys.readouterr()


def test_figures_are_the_same_bytes_each_time(package, tmp_path, capsys):
    name = package(picture=DRAWS, plain=GOOD)
    seen = set()
    for number in range(2):
        assert main(["figures", str(tmp_path / f"{number}")], name) == 0
        assert [path.name for path in (tmp_path / f"{number}").iterdir()] == ["squares.svg"]
        seen.add((tmp_path / f"{number}" / "squares.svg").read_bytes())
    assert len(seen) == 1
    assert seen.pop().startswith(b"<svg")
    assert "squares.svg" in capsys.readouterr().out


def test_figures_that_fail_are_told(package, tmp_path, capsys):
    name = package(
        bad=DRAWS.replace("    yield 'squares'", "    raise ValueError('no ink')\n    yield 'squares'")
    )
    assert main(["figures", str(tmp_path)], name) == 1
    assert "bad raised ValueError: no ink" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        (row(8480.31, 8480.0, 8.48), ("8480.3", "8480.0", "+0.3", "8.5")),
        (row(0.6412, 0.64, 0.03), ("0.641", "0.640", "+0.001", "0.030")),
        (row(4821.9, 4821.9, 48.2), ("4822", "4822", "+0", "48")),
        (row(1.0, 1.0, 1e-9), ("1", "1", "+0.0e+00", "1.0e-09")),
        (row(math.nan), ("nan", "42.00", "+nan", "0.50")),
        (row(3.0, 3.0, 0.0), ("3.000000", "3.000000", "+0.000000", "0.000000")),
    ],
)
def test_numbers_have_the_digits_that_the_tolerance_gives_meaning_to(check, shown):
    assert report.figures_of(check) == shown


def test_without_network_the_measured_month_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(MissingEvidence, match=r"BSRN Payerne.*is there a network"):
        fetch.payerne_june_2016()
    assert not list(tmp_path.rglob("*.gz"))


ONLY_IN_VALIDATE = {"plant_steps", "plant_tracker", "pvgis"}  # minutes long: `make validate` runs them


def imported_from_validation(path: Path) -> set[str]:
    """Modules of the evidence that a file imports, by Python's own parser: a name in a comment tests nothing."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "validation":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("validation."):
            found.add(str(node.module).removeprefix("validation."))
    return found


def test_every_topic_stands_on_the_page_and_has_a_test():
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    tested = set().union(
        *map(imported_from_validation, (ROOT / "tests" / "evals").glob("test_validation_*.py"))
    )
    known = set(topics.find("validation"))
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == known
    assert known - tested == ONLY_IN_VALIDATE


def test_the_page_says_how_many_rows_are_measured_and_every_source_on_it_is_of_a_known_kind():
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    counted = Counter()
    for line in page.splitlines():
        if line.startswith(("| ok |", "| **NO** |")):
            source = line.rsplit(" | ", 1)[1].removesuffix(" |")
            counted[
                evidence.kind_of(Check(what="", value=0.0, reference=0.0, tolerance=0.0, source=source))
            ] += 1
    assert counted[evidence.Kind.UNKNOWN] == 0
    top = page.partition("| topic |")[0]
    for kind, number in counted.items():
        assert f"{number} {kind.value}" in top
