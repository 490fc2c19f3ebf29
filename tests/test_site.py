"""Site files: what may stand in them, and how a mistake is told."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.base import configs
from plant.base.problems import ProblemsError
from plant.kernel.snapshot import Snapshot
from plant.load.lists import find_appliances
from plant.plant import Plant
from plant.site.model import Site, load_site
from plant.weather.place import Location

SITES = sorted((configs.config_dir() / "sites").glob("*.yaml"))
BATTERIES = sorted(path.stem for path in (configs.config_dir() / "batteries").glob("*.yaml"))
CABIN = (configs.config_dir() / "sites" / "cabin.yaml").read_text(encoding="utf-8")


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        load_site(str(path))
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if needle in line)


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_every_site_we_ship_runs_a_day(path):
    plant = Plant.new(load_site(path.stem))
    rows = plant.run(86400, 900)
    assert len(rows) == 96
    assert plant.overrun_steps == 0
    assert 0.0 < plant.snapshot.soc <= 1.0


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_every_key_of_a_site_we_ship_is_explained(path):
    """Each line with a value carries a comment, or stands in a block that has one above it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for number, line in enumerate(lines)
        if ":" in line and not line.strip().startswith("#") and not line.rstrip().endswith(":")
        and "#" not in line and not any("#" in above for above in lines[max(0, number - 7) : number])
    ]  # fmt: skip
    assert bare == [], f"{path.name}: each line wants a comment, or one within the seven lines above it"


def test_files_of_ones_own_are_looked_for_beside_the_site(tmp_path, monkeypatch):
    """Wherever the program is started; a path of the weather file is counted in the same way."""
    kinds = {"batteries": "agm", "controllers": "tracer4210n", "modules": "philadelphia_ps_m36s_95"}
    text = CABIN
    for kind, name in kinds.items():
        shutil.copy(configs.config_dir() / kind / f"{name}.yaml", tmp_path / f"my_{name}.yaml")
        text = text.replace(f": {name} ", f": my_{name}.yaml ")
    shutil.copy(configs.config_dir() / "loads" / "school.yaml", tmp_path)
    text += "  items: [{name: school, kind: appliances, model: ./school.yaml}]\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir("/")
    site = load_site(str(tmp_path / "mine.yaml"))
    assert site.battery.model == str(tmp_path / "my_agm.yaml")
    assert site.battery.parameters() == load_site("cabin").battery.parameters()
    assert site.controller.parameters() == load_site("cabin").controller.parameters()
    assert site.array.module_parameters() == load_site("cabin").array.module_parameters()
    assert site.load.items[0].appliances() == find_appliances("school")
    assert Site.model_validate(site.model_dump()) == site


def test_a_misspelt_key_is_told_with_line_and_near_name(tmp_path):
    text = CABIN.replace("capacity_ah: 100", "capacity: 100")
    assert problems(tmp_path, text) == [
        f"mine.yaml:{line_of(text, 'battery:')}: battery.capacity_ah: missing",
        f"mine.yaml:{line_of(text, 'capacity: 100')}: battery.capacity: unknown key (did you mean capacity_ah?)",
    ]


def test_a_key_that_nothing_is_near_to_is_told_with_those_that_there_are(tmp_path):
    (told,) = problems(tmp_path, CABIN.replace("location:", "location:\n  colour: red", 1))
    assert told.endswith("location.colour: unknown key; known: " + ", ".join(Location.model_fields))


def test_a_value_where_keys_belong_is_told_in_the_user_s_words(tmp_path):
    text = re.sub(r"^battery:.*?(?=^\w)", "battery: agm\n", CABIN, flags=re.MULTILINE | re.DOTALL)
    assert problems(tmp_path, text) == [
        f"mine.yaml:{line_of(text, 'battery: agm')}: battery: must be a mapping of keys to values, got 'agm'"
    ]


def test_all_problems_are_told_at_once(tmp_path):
    text = (
        CABIN.replace("soc: 0.72", "soc: 72")
        .replace("tilt_deg: 23", "tilt_deg: steep")
        .replace("series: 1", "series: 1.5")
    )
    told = problems(tmp_path, text)
    assert len(told) == 3
    assert any("battery.soc: input should be less than or equal to 1, got 72" in line for line in told)
    assert any("array.tilt_deg: input should be a valid number, got 'steep'" in line for line in told)
    assert any("array.series:" in line and "got 1.5" in line for line in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("timezone: Europe/Zurich", "timezone: Europe/Zürich", "(did you mean Europe/Zurich?)"),
        ("start: 2026-02-20T10:00", "start: 2026-03-29T02:30", "start: there is no 2026-03-29T02:30 in Europe/Zurich"),
        (
            "start: 2026-02-20T10:00",
            "start: 12.3.2026",
            "'12.3.2026' is not a valid time; write local time as 2026-06-21T06:00",
        ),
        ("model: agm", "model: agmm", f"agmm: not one of the batteries: {', '.join(BATTERIES)} (did you mean agm?)"),
        ("model: tracer4210n", "model: tracer", "not one of the controllers: tracer1210n, "),
        ("module: philadelphia_ps_m36s_95", "module: philadelphia_ps_m36s_59", "did you mean philadelphia_ps_m36s_95?"),
        ("setpoints: {}", "setpoints: {boost: 14.2}", "unknown set-point boost (did you mean boost_v?)"),
        ("setpoints: {}", "setpoints: {boost_v: 13.0}", "boost_v (13 V) must lie at or above float_v (13.8 V)"),
        ("system_v: 12", "system_v: 36", "input should be 12 or 24, got 36"),
        ("room_c: 18", "room_c: .nan", "room_c"),
        ("seed: 906", "seed: one", "input should be a valid integer, got 'one'"),
        ("wind_m_s: 1.4", "wind_m_s: [1, 2, 3]", "weather.wind_m_s: must be 12 numbers, or one for all, got 3"),
        ("battery_type: sealed", "battery_type: lead", "controller.battery_type"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_in_the_users_words(tmp_path, old, new, told):
    assert old in CABIN
    text = CABIN.replace(old, new)
    lines = problems(tmp_path, text)
    assert len(lines) == 1
    assert told in lines[0]
    assert lines[0].startswith("mine.yaml:")


def test_a_key_given_twice_is_refused(tmp_path):
    text = CABIN.replace("seed: 906 ", "seed: 906 # \nseed: 17 ")
    assert problems(tmp_path, text) == [
        f"mine.yaml:{line_of(text, 'seed: 17')}: seed: given twice (first on line {line_of(text, 'seed: 906')})"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "must be a mapping"), ("- a\n- b\n", "must be a mapping"), ("name: [\n", "not YAML"),
     ("a: b: c\n", "not YAML"), ("name: !!python/object:os.system x\n", "not YAML")],
)  # fmt: skip
def test_broken_yaml_is_one_clear_line(tmp_path, text, told):
    lines = problems(tmp_path, text)
    assert len(lines) == 1
    assert told in lines[0]


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ProblemsError, match="no such file"):
        load_site(str(tmp_path / "gone.yaml"))


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
)
KEYS = [key for key, value in yaml.safe_load(CABIN).items() if isinstance(value, dict)]


@settings(max_examples=60, deadline=None)
@given(section=st.sampled_from(KEYS), data=st.data())
def test_any_value_anywhere_is_read_or_refused_but_never_raises(section, data):
    document = yaml.safe_load(CABIN)
    document["start"] = "2026-03-12T10:00"
    key = data.draw(st.sampled_from(sorted(document[section])))
    document[section][key] = data.draw(leaves)
    try:
        site = Site.model_validate(document)
    except ValueError:
        return
    assert site.setpoints().boost_v > 0.0


def test_the_cabins_first_noon_is_near_the_values_firmware_was_written_against():
    """The script that this replaces answered 18.72 V 4.2 A from the array, 13.45 V battery, 13.40 V 2.00 A load.

    The mean of twenty minutes about the sun's highest, 12:34: clouds move the current by half an ampere.
    """
    plant = Plant.new(load_site("cabin"))
    plant.advance_to(plant.start_utc_s + 2 * 3600 + 24 * 60)
    noon = Snapshot(*plant.run(20 * 60, 60).mean(axis=0))
    assert noon.v_pv_v == pytest.approx(18.7, abs=0.3)
    assert noon.i_pv_a == pytest.approx(4.2, abs=0.2)
    assert noon.v_batt_v == pytest.approx(13.4, abs=0.25)
    assert noon.i_load_a == pytest.approx(2.0, abs=0.1)
