"""YAML as data: what a person may have meant is read; what only harms is refused, in words and at once."""

import itertools
from pathlib import Path

import pytest
import yaml

from plant.base.problems import ProblemsError
from plant.base.yamlfile import DEEPEST, load_yaml
from plant.site.model import load_site
from tests.test_site import CABIN


def laughs(line: str) -> str:
    """Nine names, each of which repeats the one before it nine times."""
    names = "abcdefghi"
    return "a: &a {x: 1}\n" + "".join(
        f"{name}: &{name} {line.format(*[f'*{before}'] * 9)}\n" for before, name in itertools.pairwise(names)
    )


REPEATS = laughs("[{}, {}, {}, {}, {}, {}, {}, {}, {}]")
MERGES = laughs("{{<<: [{}, {}, {}, {}, {}, {}, {}, {}, {}]}}")


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ProblemsError) as caught:
        load_yaml(path)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[?"])
def test_nesting_without_end_is_refused_where_libyaml_would_end_the_process(tmp_path, opening):
    told = refused(tmp_path, "a:\n  " + opening * 100_000)
    assert told == f"mine.yaml:2: nested too deeply: more than {DEEPEST} levels"


@pytest.mark.parametrize("text", [REPEATS, MERGES], ids=["lists", "merged mappings"])
def test_references_that_repeat_each_other_are_refused_before_they_have_grown(tmp_path, text):
    assert "more than 50,000 values with references expanded" in refused(tmp_path, text)


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a {<<: *a}\n"])
def test_a_reference_to_itself_is_refused(tmp_path, text):
    assert "a reference to itself" in refused(tmp_path, text)


def test_references_and_merged_mappings_are_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("base: &base {x: 1, y: 2}\nlist: [*base, *base]\nmine: {<<: *base, y: 3}\n")
    data = load_yaml(path).data
    assert data["list"] == [{"x": 1, "y": 2}] * 2
    assert data["mine"] == {"x": 1, "y": 3}


def test_a_time_of_day_is_a_text_and_a_power_of_ten_a_number(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: [11:00, 1:30:15, 12:30.5, 6:00, 1e3, 0x10, 12, -1.5, .5, 1_000]\n")
    assert load_yaml(path).data["a"] == [
        "11:00",
        "1:30:15",
        "12:30.5",
        "6:00",
        1000.0,
        16,
        12,
        -1.5,
        0.5,
        1000,
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("!!int x", "'x' is not a usable int"),
        ("!!float x", "'x' is not a usable float"),
        ("!!bool x", "'x' is not a usable bool"),
        ("0b_", "'0b_' is not a usable int"),
        ("9" * 5000, "999... is not a usable int"),
        ("0x" + "f" * 5000, "is not a usable int"),
        ("!!timestamp 2001-99-99", "not YAML: could not determine a constructor for the tag"),
        ("!!binary '='", "not YAML: could not determine a constructor for the tag"),
        ("!!set {a, b}", "not YAML: could not determine a constructor for the tag"),
        ("!!python/object:os.system x", "not YAML: could not determine a constructor for the tag"),
    ],
)  # fmt: skip
def test_what_is_no_number_text_list_or_mapping_is_refused_with_its_line(tmp_path, value, told):
    said = refused(tmp_path, f"name: x\na: {value}\n")
    assert said.startswith("mine.yaml:2: ")
    assert told in said
    assert len(said) < 200


def test_a_list_is_no_key(tmp_path):
    assert refused(tmp_path, "a:\n  ? [x, y]\n  : 1\n") == "mine.yaml:2: a: a key must be a word or a number"


def test_a_number_as_an_unknown_key_is_told_like_any_other(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: x\n1: y\n")
    with pytest.raises(ProblemsError, match=r":2: 1: "):
        load_site(str(path))


@pytest.mark.parametrize(
    ("section", "key"),
    [("array", "module"), ("battery", "model"), ("controller", "model"), ("weather", "file")],
)
def test_a_name_too_long_for_a_file_is_refused_in_words(tmp_path, section, key):
    """The file system says so by an error of its own."""
    data = yaml.safe_load(CABIN)
    data[section][key] = "x" * 5000 + ".yaml"
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(ProblemsError, match="no such file"):
        load_site(str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_may_be_saved_in_any_encoding(tmp_path, encoding, ends):
    path = tmp_path / "site.yaml"
    path.write_bytes(f"name: Zürich  # Hütte{ends}seed: 3{ends}".encode(encoding))
    document = load_yaml(path)
    assert document.data == {"name": "Zürich", "seed": 3}
    assert document.line(("seed",)) == 2
