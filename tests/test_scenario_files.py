"""Scenario files: what is read, and that a wrong word is told with file, line and the nearest one before a plant is."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from plant.base.yamlfile import load_yaml
from tracertwin.pages import scenarios as page
from tracertwin.scenario import wordlist
from tracertwin.scenario.conditions import parse_condition
from tracertwin.scenario.file import load_scenario
from tracertwin.scenario.judging import parse_one_expectation
from tracertwin.scenario.schema import scenario_schema
from tracertwin.scenario.vocabulary import vocabulary

SHIPPED = sorted((config_dir() / "scenarios").rglob("*.yaml"))
GOOD = """\
name: Everything once
about:
  - It has a key of every kind.
  - No number in it means anything.
given:
  site: cabin
  overrides:
    battery.soc: 0.5
    array.losses.soiling: 0.02
  seed: 7
  start: 2026-06-21T00:00
  length: 1d
  sample: 1min
  clock: stepped
  map: epever
  settings:
    boost_duration: 60
  faults: [drop:0.1]
  client:
    every: 1min
    read: [0x3104, battery_soc]
    retries: 2
when:
  - at: 11:00
    cloud: {depth: 0.8, lasts: 20min}
  - at: sunrise+1h
    upset: load_short:ohm=0.05:lasts=10min
  - after: stage becomes boost
    write: [boost_voltage=14.2V]
  - at: day 1 noon
    fault: delay:0.1:by=300ms
  - at: end-1h
    mend: load_short
  - at: 22:00
    power-cycle: true
expect:
  - always: v_batt_v <= 14.6 V
    from: 06:00
    to: sunset
  - expect: stage = float
    by: 18:00
  - expect: v_batt_v >= 14.3 V and load_on = on
    within: 30min
    after: stage becomes boost
  - stays_within: [10.5 V, 15 V]
    of: battery_voltage
  - expect: charging_status.D3-2 = 1
    for_share: 10 %
  - count: load_state becomes short
    at_most: 9
    information: true
    note: no source
  - order: [stage becomes bulk, stage becomes boost]
  - rises_only: generated_total_kwh
    tolerance: 1 Wh
  - polled_every: 2min
    registers: [0x3104]
  - never_writes: 0x9000
"""

# What is written wrong, what stands in its place, and what is said of it.
TYPOS = (
    ("name:", "nam:", "1: nam: unknown key (did you mean name?)"),
    ("about:", "abuot:", "2: abuot: unknown key (did you mean about?)"),
    ("expect:\n  - always", "expects:\n  - always", "36: expects: unknown key (did you mean expect?)"),
    ("  site: cabin", "  sit: cabin", "6: given.sit: unknown key (did you mean site?)"),
    ("site: cabin", "site: cabbin", "6: given.site: not one of the sites"),
    ("battery.soc", "battery.sco", "8: given.overrides.battery.sco: unknown key sco of battery (did you mean soc?)"),
    ("losses.soiling", "loses.soiling", "9: given.overrides.array.loses.soiling: unknown key loses of array (did"),
    ("seed: 7", "seed: seven", "10: given.seed: input should be a valid integer"),
    ("2026-06-21T00:00", "2026-06-31T00:00", "11: given.start: '2026-06-31T00:00' is not a valid time"),
    ("length: 1d", "length: 1day", "12: given.length: '1day' is not a valid duration"),
    ("sample: 1min", "sample: 7s", "13: given.sample: must be a multiple of 5 s that divides a day, got '7s'"),
    ("clock: stepped", "clock: steped", "14: given.clock: 'steped' is not a valid clock"),
    ("map: epever", "map: epver", "15: given.map: not one of the register maps: epever, uart2 (did you mean epever?)"),
    ("boost_duration: 60", "boost_duraton: 60", "17: given.settings.boost_duraton: there is no setting, coil or "
     "clock word 'boost_duraton' (did you mean boost_duration?)"),
    ("[drop:0.1]", "[dorp:0.1]", "18: given.faults: unknown line fault 'dorp' (did you mean drop?)"),
    ("    every: 1min", "    evry: 1min", "20: given.client.evry: unknown key (did you mean every?)"),
    ("    every: 1min", "    every: 0s", "20: given.client.every: must lie between 1 ms and a day, got '0s'"),
    ("battery_soc]", "battery_sock]", "21: given.client.read: no quantity or register 'battery_sock' "
     "(did you mean battery_soc?)"),
    ("at: 11:00", "at: 25:00", "24: when[0].at: '25:00' is not a time of day"),
    ("    cloud:", "    clowd:", "25: when[0].clowd: unknown action (did you mean cloud?)"),
    ("{depth: 0.8", "{dept: 0.8", "25: when[0].cloud: cloud has no key 'dept' (did you mean depth?)"),
    ("depth: 0.8", "depth: 1.8", "25: when[0].cloud: cloud: depth must be a number from 0 to 1, got '1.8'"),
    ("at: sunrise+1h", "at: sunrize+1h", "26: when[1].at: 'sunrize+1h' is not a valid time (did you mean sunrise?)"),
    ("load_short:ohm=0.05", "load_shrt:ohm=0.05", "27: when[1].upset: unknown upset 'load_shrt' (did you mean "
     "load_short?)"),
    ("after: stage becomes boost\n    write", "after: stage becomes bost\n    write",
     "28: when[2].after: stage is never 'bost' (did you mean boost?)"),
    ("boost_voltage=14.2V", "boost_votage=14.2V", "29: when[2].write: there is no setting, coil or clock word "
     "'boost_votage' (did you mean boost_voltage?)"),
    ("delay:0.1:by", "delay:0.1:bye", "31: when[3].fault: delay:0.1:bye=300ms: delay has no key 'bye' (did you "
     "mean by?)"),
    ("always: v_batt_v", "allways: v_batt_v", "37: expect[0].allways: unknown key (did you mean always?)"),
    ("v_batt_v <= 14.6 V", "v_bat_v <= 14.6 V", "37: expect[0].always: no quantity or register 'v_bat_v' (did you "
     "mean v_batt_v?)"),
    ("14.6 V", "14.6 v", "37: expect[0].always: v_batt_v has no unit 'v' (did you mean V?)"),
    ("14.6 V", "14.6 A", "37: expect[0].always: v_batt_v has no unit 'A'"),
    ("    to: sunset", "    till: sunset", "39: expect[0].till: unknown key"),
    ("stage = float", "stage = flaot", "40: expect[1].expect: stage is never 'flaot' (did you mean float?)"),
    ("within: 30min", "within: 30", "43: expect[2].within: '30' is not a valid duration"),
    ("of: battery_voltage", "of: batery_voltage", "46: expect[3].of: no quantity or register 'batery_voltage' (did"),
    ("D3-2 = 1", "D2-3 = 1", "47: expect[4].expect: 'D2-3' is not a bit of charging_status"),
    ("for_share: 10 %", "for_share: 10", "48: expect[4].for_share: must be a share from 0 % to 100 %"),
    ("becomes short", "become short", "49: expect[5].count: 'load_state become short' is not an event"),
    ("at_most: 9", "at_mots: 9", "50: expect[5].at_mots: unknown key (did you mean at_most?)"),
    ("tolerance: 1 Wh", "tolerance: 1 W", "55: expect[7].tolerance: generated_total_kwh has no unit 'W'"),
    ("registers: [0x3104]", "register: [0x3104]", "57: expect[8].register: unknown key (did you mean registers?)"),
)  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_is_read(tmp_path):
    scenario = load_scenario(written(tmp_path, GOOD))
    assert [step.action.name for step in scenario.when] == [
        "upset",
        "upset",
        "write",
        "fault",
        "mend",
        "power-cycle",
    ]
    assert scenario.when[0].action.words == ("cloud:depth=0.8:lasts=20min",)
    assert len(scenario.expect) == 10
    assert scenario.expect[3].values["stays_within"] == (10.5, 15.0)
    assert scenario.expect[7].values["tolerance"] == 0.001
    assert scenario.expect[5].information


def test_there_are_thirty_typos_and_more():
    assert len(TYPOS) >= 30


@pytest.mark.parametrize(("right", "wrong", "told"), TYPOS, ids=[wrong.strip() for _, wrong, _ in TYPOS])
def test_a_typo_is_told_with_file_line_and_near_name(tmp_path, call, right, wrong, told):
    assert GOOD.count(right) == 1
    path = written(tmp_path, GOOD.replace(right, wrong))
    code, out, err = call("check", str(path))
    assert code == 2
    assert out == ""
    assert f"tracertwin: {path}:{told}" in err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"length": 1}, "given.length: 1 is not a valid duration; write 10s, 2min, 1.5h or 3d"),
        ({"sample": 5}, "given.sample: 5 is not a valid duration; write 10s"),
        (
            {"client": {"every": 60, "read": [0x3100]}},
            "given.client.every: 60 is not a valid duration; write",
        ),
        ({"client": {"every": "1min", "read": []}}, "given.client.read: must list one at least, got []"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_the_words_of_scenarios(tmp_path, given, told):
    file = {
        "name": "x",
        "about": ["a", "b"],
        "given": {"length": "1h", **given},
        "expect": [{"always": "soc >= 0"}],
    }
    with pytest.raises(ProblemsError) as caught:
        load_scenario(written(tmp_path, json.dumps(file)))
    assert [str(each).partition(": ")[2].startswith(told) for each in caught.value.problems] == [True]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"expect": []}, "expect: must list one at least, got []"),
        (
            {"about": "just one"},
            "about: must be two lines of text, what it shows and where its numbers come from, got ",
        ),
        ({"about": ["a", "b", "c"]}, "about: must be two lines of text"),
        (
            {"expect": [{"expect": "soc >= 0", "by": "25:00"}]},
            "expect[0].by: '25:00' is not a time of day, 00:00 to 24:00; write 11:00, day 2 11:00",
        ),
    ],
)
def test_a_list_that_is_too_short_or_a_time_that_is_none_says_what_would_do(tmp_path, change, told):
    file = {"name": "x", "about": ["a", "b"], "given": {"length": "1h"}, "expect": [{"always": "soc >= 0"}]}
    with pytest.raises(ProblemsError) as caught:
        load_scenario(written(tmp_path, json.dumps(file | change)))
    assert [str(each).partition(": ")[2].startswith(told) for each in caught.value.problems] == [True]


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = GOOD
    for right, wrong in (
        ("map: epever", "map: epver"),
        ("cloud:", "clowd:"),
        ("14.6 V", "14.6 A"),
        ("at_most", "at_mots"),
    ):
        text = text.replace(right, wrong)
    with pytest.raises(ProblemsError) as caught:
        load_scenario(written(tmp_path, text))
    lines = [problem.line for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert {15, 25, 37, 50} <= set(lines)


LOAD_ALL = """
import sys, time
from pathlib import Path
from plant.base.problems import ProblemsError
from tracertwin.scenario.file import load_scenario
for path in map(Path, sys.argv[1:]):
    began = time.process_time()
    try:
        load_scenario(path)
        sys.exit(f"{path} was taken")
    except ProblemsError:
        pass
    if time.process_time() - began > 0.5:
        sys.exit(f"{path} took too long")
heavy = [name for name in ("numba", "scipy", "pandas", "plant.kernel.step", "plant.site.model") if name in sys.modules]
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_no_plant_and_no_compiled_code_is_loaded_for_it(tmp_path):
    paths = []
    for number, (right, wrong, _) in enumerate(TYPOS):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(GOOD.replace(right, wrong), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_refuses_a_typo_within_a_second_of_processor_time(tmp_path):
    path = written(tmp_path, GOOD.replace("14.6 V", "14.6 A"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "tracertwin", "check", str(path)], capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 2
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"always": "stage = float", "never": "stage = boost"}, "give one of always and never"),
        ({"expect": "stage = float"}, "names no kind of expectation"),
        ({"count": "stage becomes float"}, "give one of at_least, at_most, exactly"),
        ({"expect": "stage = float", "within": "3min"}, "after: missing"),
        ({"always": "stage >= boost"}, "stage is a state"),
        ({"always": "v_batt_v <= i_batt_a"}, "can't be compared"),
        ({"always": "v_batt_v >= 3 +- 1"}, "only = and != have a tolerance"),
        ({"always": 3}, "must be a text, got 3"),
        ({"order": ["stage becomes boost"]}, "must list two events or more"),
        ({"stays_within": [1, 2, 3], "of": "soc"}, "must be two limits"),
        ({"always": "0x3FFF >= 1"}, "the map has no register 0x3FFF"),
        ({"at": "noon", "expect": "soc >= 0", "from": "11:00"}, "unknown key"),
        ({"count": "stage becomes float", "at_least": 0}, "at_least: 0 holds whatever happens"),
        ({"expect": "stage = float", "for_at_least": "0s"}, "for_at_least: 0s holds whatever happens"),
        ({"expect": "stage = float", "for_share": "0 %"}, "for_share: 0 % holds whatever happens"),
        ({"count": "stage becomes float", "at_least": 3, "at_most": 1}, "3 is more than at_most 1"),
        ({"rises_only": "soc", "tolerance": "-1 %"}, "tolerance: must not be below 0, got -1 %"),
    ],
)  # fmt: skip
def test_an_expectation_that_makes_no_sense_is_refused(tmp_path, given, told):
    data = load_yaml(written(tmp_path, GOOD)).data
    data["expect"] = [given]
    with pytest.raises(ProblemsError, match=told):
        load_scenario(written(tmp_path, json.dumps(data)))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"cloud": True}, "give its time"),
        ({"at": "11:00", "after": "stage becomes boost", "cloud": True}, "give its time"),
        ({"at": "11:00"}, "give one action"),
        ({"at": "11:00", "cloud": True, "fault": "drop"}, "give one action"),
        ({"at": "11:00", "upset": "cloud:after=3h"}, "say after beside the upset"),
        ({"at": "11:00", "mend": "clod"}, "did you mean cloud"),
        ({"at": "11:00", "mend": "cloud 0"}, "NAME N for the Nth upset of that name"),
        ({"at": "11:00", "mend": "all 2"}, "NAME N for the Nth upset of that name"),
        ({"at": "11:00", "fault": "off dorp"}, "did you mean drop"),
        ({"at": "11:00", "write": "battery_soc=3"}, "can only be read"),
        ({"at": "11:00", "write": "battery_type"}, "write NAME=VALUE"),
        ({"at": "11:00", "power-cycle": "now"}, "must be true"),
        ({"at": "11:00", "cloud": {"lasts": "20"}}, "is not a valid duration"),
        ("at 11:00", "must be a mapping"),
    ],
)  # fmt: skip
def test_an_action_that_makes_no_sense_is_refused(tmp_path, row, told):
    data = load_yaml(written(tmp_path, GOOD)).data
    data["when"] = [row]
    with pytest.raises(ProblemsError, match=told):
        load_scenario(written(tmp_path, json.dumps(data)))


# --- generated files ---


def test_the_words_are_up_to_date():
    assert wordlist.PAGE.read_text(encoding="utf-8") == wordlist.current_page(), (
        "run `python -m tracertwin.scenario.wordlist`"
    )


def test_the_page_of_scenarios_is_up_to_date():
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.current(text), "run `python -m tracertwin.pages.scenarios`"


# --- the schema ---


def as_data(tmp_path: Path, text: str) -> object:
    """As an editor has it: YAML 1.2, in which 11:00 and dates are texts."""
    return load_yaml(written(tmp_path, text)).data


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_is_read_and_fits_the_schema(path):
    assert load_scenario(path).expect
    jsonschema.validate(load_yaml(path).data, scenario_schema())


def test_the_schema_takes_what_the_reader_takes_and_refuses_unknown_keys(tmp_path):
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(as_data(tmp_path, GOOD), schema)
    for right, wrong in (
        ("always:", "allways:"),
        ("site: cabin", "sit: cabin"),
        ("cloud:", "clowd:"),
        ("length: 1d", ""),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(as_data(tmp_path, GOOD.replace(right, wrong)), schema)


@pytest.mark.parametrize("kind", ["site", "scenario"])
def test_the_command_prints_a_schema(call, kind):
    code, out, _ = call("schema", kind)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


@pytest.mark.parametrize("text", ["soc <= 95", "soc = 0.5 +- 5", "soc >= -1"])
def test_a_percentage_without_its_sign_is_refused(text):
    with pytest.raises(ValueError, match=r"share from 0 to 1, got .*; did you mean .* %\?|have a tolerance"):
        parse_condition(text, vocabulary())


def test_limits_of_a_share_are_looked_at_too():
    with pytest.raises(ValueError, match="did you mean 95 %"):
        parse_one_expectation({"stays_within": [0, 95], "of": "soc"}, vocabulary())


def test_a_word_of_bits_may_be_compared_in_hex():
    for name in ("charging_status", "charging_status.D15-0"):
        (relation,) = parse_condition(f"{name} = 0x000F", vocabulary("epever")).relations
        assert relation.number == 15.0


def test_a_site_that_is_not_there_is_told_with_the_path_that_was_tried(tmp_path):
    path = written(tmp_path, GOOD.replace("site: cabin", "site: nowhere.yaml"))
    with pytest.raises(ProblemsError, match=re.escape(f"no such file: {tmp_path}/nowhere.yaml")):
        load_scenario(path)
