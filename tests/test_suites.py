"""Suites: their sheets, what is under test, multiples of ratings, and what is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modbus.line.faults.kinds import FAULTS
from modbus.line.faults.text import parse_fault
from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from tracertwin.checking.many import OWN, Case, cases_of, check_case, read_all, suites
from tracertwin.checking.outcome import CaseOutcome
from tracertwin.checking.preparing import prepare, site_of
from tracertwin.checking.running import run
from tracertwin.checking.sheet import en50530_outcome, print_sheet
from tracertwin.scenario.conditions import parse_condition
from tracertwin.scenario.file import load_scenario
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.signals import signal
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary

SUITES = config_dir() / "scenarios"
IEC = SUITES / "iec62509"
MODELS = sorted(path.stem for path in (config_dir() / "controllers").glob("*.yaml"))
SHORT = (
    "03_compensation_00c",
    "08_standby",
    "10_voltage_drop",
    "11_pv_over_current_150",
    "12_overload_125",
    "14_polarity",
)
HEAD = """\
name: T
about: [What., Whence.]
given:
  site: bench
  start: 2026-03-27T02:00
  length: 1min
  map: epever
"""
SPAN = Span(0.0, 10.0, "UTC", lambda day: SunTimes(None, 0.0, None))


def written(tmp_path: Path, rest: str, head: str = HEAD) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(head + rest, encoding="utf-8")
    return path


def seen(text: str, **values: float) -> tuple[bool, float]:
    condition = parse_condition(text, vocabulary("epever"))
    columns = {name.replace("__", " "): np.array([value]) for name, value in values.items()}
    told = signal(condition, RunRecord(np.array([0.0]), columns, SPAN))
    return bool(told.holds[0]), float(told.margin[0])


# --- multiples and relative tolerances ---


def test_a_value_may_be_compared_with_a_multiple_of_another():
    assert seen("p_chg_w >= 0.95 * p_pv_w", p_chg_w=96.0, p_pv_w=100.0) == (True, pytest.approx(1.0))
    assert seen("p_chg_w >= 0.95 * p_pv_w + 2 W", p_chg_w=96.0, p_pv_w=100.0) == (False, pytest.approx(-1.0))
    assert seen("i_batt_a >= -0.5 * i_chg_a", i_batt_a=-3.0, i_chg_a=4.0) == (False, pytest.approx(-1.0))


@pytest.mark.parametrize(
    ("v", "holds", "margin"), [(14.5, True, 0.044), (14.6, False, -0.056), (14.2, False, -0.056)]
)
def test_a_tolerance_in_percent_is_of_what_the_value_is_compared_with(v, holds, margin):
    assert seen("v_batt_v = 14.4 +- 1 %", v_batt_v=v) == (holds, pytest.approx(margin))
    assert seen("v_batt_v = v_target_v +- 1 %", v_batt_v=v, v_target_v=14.4) == (holds, pytest.approx(margin))


def test_percent_of_a_share_are_points():
    assert seen("soc = 50 % +- 1 %", soc=0.505) == (True, pytest.approx(0.005))
    assert not seen("soc = 10 % +- 1 %", soc=0.085)[0]


def test_an_address_on_the_right_is_a_register():
    assert seen("v_batt_v <= 0x3104 + 0.1 V", v_batt_v=12.0, **{"input 0x3104": 12.0}) == (
        True,
        pytest.approx(0.1),
    )


@pytest.mark.parametrize(
    "text",
    ["p_chg_w >= 0.95 * i_chg_a", "p_chg_w >= x * p_pv_w", "stage = 2 * stage", "soc >= 2 * soc + soc"],
)
def test_what_can_not_be_multiplied_is_refused(text):
    with pytest.raises(ValueError, match=r"can't be compared|is not a value|no quantity|never"):
        parse_condition(text, vocabulary("epever"))


def test_bits_of_a_register_are_those_of_its_word_on_the_line(tmp_path):
    result = run(prepare(load_scenario(written(tmp_path, "expect: [{always: 0x9007.D15-0 = 1440}]\n"))))
    assert result.holds


# --- what is under test ---


@pytest.mark.parametrize(("model", "amperes"), [("tracer1210n", 10), ("tracer4210a", 40)])
def test_a_multiple_of_a_rating_follows_the_controller(model, amperes):
    scenario = load_scenario(IEC / "11_pv_over_current_125.yaml").under_test(None, model)
    site = site_of(scenario)
    assert site.controller.model == model
    assert site.battery.capacity_ah == 20 * amperes
    assert site.array.module.datasheet.i_sc_a == pytest.approx(1.5 * 0.031 * 13 * amperes)


def test_a_multiple_may_stand_deep_in_a_value():
    site = site_of(load_scenario(IEC / "12_overload_110.yaml").under_test(None, "tracer2210n"))
    assert site.load.items[0].hourly_w[19] == pytest.approx(1.1 * 12 * 20)


def test_a_controller_of_ones_own_is_tested(tmp_path):
    text = (config_dir() / "controllers" / "tracer4210n.yaml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.yaml"
    mine.write_text(text.replace("load_path_ohm: 0.0045", "load_path_ohm: 0.0200"), encoding="utf-8")
    outcome = check_case(Case(IEC / "10_voltage_drop.yaml", None, controller=str(mine)))
    failing = [row for row in outcome.verdicts if row.fails]
    assert [row.expected for row in failing] == ["always v_load_v >= v_batt_v - 0.19 V"]
    assert failing[0].margin == pytest.approx(0.19 - 0.0200 * 40, abs=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_every_shipped_controller_passes_the_short_tests(model):
    """All of the suite with each: `tracertwin check --suite iec62509 --controller NAME`, half a minute."""
    for name in SHORT:
        outcome = check_case(Case(IEC / f"{name}.yaml", None, controller=model))
        assert [row.expected for row in outcome.verdicts if row.fails] == [], name


def test_a_site_of_ones_own_is_tested(tmp_path):
    text = (config_dir() / "sites" / "cabin.yaml").read_text(encoding="utf-8")
    mine = tmp_path / "dark.yaml"
    mine.write_text(
        text.replace("parallel: 1 ", "parallel: 1 ").replace("soiling: 0.03", "soiling: 0.97"),
        encoding="utf-8",
    )
    outcome = check_case(Case(SUITES / "iec62124" / "1_functional.yaml", None, site=str(mine)))
    assert not outcome.holds


def test_the_command_to_run_a_failure_again_names_what_was_tested(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "expect: [{always: v_batt_v <= 5 V}]\n")
    code, *_ = call("check", str(path), "--controller", "tracer1210n", "--failures", "left")
    assert code == 1
    assert "--controller tracer1210n" in (tmp_path / "left" / "mine" / "rerun.txt").read_text(
        encoding="utf-8"
    )


def test_every_failure_has_a_folder_of_its_own_and_says_how_to_run_it_again(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("a/x", "b/x", "z", "with space"):
        (tmp_path / place).mkdir(parents=True)
    rest = "expect: [{always: v_batt_v <= 5 V}, {always: v_batt_v <= 4 V, information: true}]\n"
    for place, name in (("a/x", "s.yaml"), ("b/x", "s.yaml"), ("z", "x-s.yaml"), ("with space", "t.yaml")):
        (tmp_path / place / name).write_text(HEAD + rest, encoding="utf-8")
    code, *_ = call("check", "a", "b", "z", "--jobs", "1", "--failures", "left")
    assert code == 1
    left = sorted(path.name for path in (tmp_path / "left").iterdir())
    assert left == ["x-s", "x-s-2", "x-s-3"]
    verdicts = (tmp_path / "left" / "x-s" / "verdicts.txt").read_text(encoding="utf-8")
    assert [line.split()[0] for line in verdicts.splitlines()[-2:]] == ["FAIL", "note"]
    _, out, _ = call("check", "with space", "--seeds", "1..2", "--jobs", "1", "--controller", "tracer1210n")
    again = "again: tracertwin check 'with space/t.yaml' --seeds 1 --controller tracer1210n"
    assert again in " ".join(out.split())


# --- refused ---


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--suite", "iec62059"), "did you mean iec62509?"),
        (
            ("--suite", "iec62509", "--site", "cabin"),
            "--site: the bench of iec62509 is part of it; use --controller",
        ),
        (("--suite", "nothing"), "suites: charge_cycles, en50530, iec62124, iec62509, line"),
        (("--suite", "iec62509", "--controller", "tracer4211n"), "did you mean tracer4210n?"),
        (("--suite", "iec62509", "--controller", "no/such.yaml"), "no such file"),
        (("--suite", "en50530", "--controller", "tracer4211n"), "did you mean tracer4210n?"),
        (("--suite", "iec62124", "--site", "cabbin"), "did you mean cabin?"),
        (("iec62509", "--suite", "iec62509"), "not both"),
        ((), "give scenarios, or a suite"),
    ],
)
def test_a_wrong_suite_controller_or_site_is_exit_code_2(call, words, told):
    code, out, err = call("check", *words)
    assert (code, out) == (2, "")
    assert told in err


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2 * controller.charge_rated", "did you mean charge_rated_a?"),
        ("charge_rated_a * controller.2", "is not a multiple of a rating"),
        ("[1, 2 * controller.load_rated]", "did you mean load_rated_"),
    ],
)
def test_a_wrong_rating_is_told_before_a_plant_is_built(tmp_path, value, told):
    head = HEAD.replace("  site: bench\n", f"  site: bench\n  overrides: {{battery.capacity_ah: {value}}}\n")
    with pytest.raises(ProblemsError) as problems:
        load_scenario(written(tmp_path, "expect: [{always: soc >= 0}]\n", head))
    assert any(told in problem.message and problem.line == 5 for problem in problems.value.problems)


# --- sheets ---


@pytest.fixture(scope="module")
def outcomes() -> list[CaseOutcome]:
    scenarios, _ = read_all([IEC / "01_no_leakage.yaml", IEC / "12_short.yaml"])
    return [
        check_case(case) for case in cases_of(scenarios, (), None, replace(OWN, controller="tracer1210n"))
    ]


def test_a_sheet_has_set_value_limit_found_value_and_margin(outcomes, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    print_sheet("iec62509", "controller tracer1210n", outcomes)
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["what", "set", "limit", "found", "margin"] in lines
    assert "4 V <= 0.35 V +3.65 V" in " ".join(out.split())
    assert "not shown:" in out
    assert "milliseconds" in out


@pytest.mark.parametrize("columns", [40, 80])
def test_a_sheet_fits_a_narrow_terminal(outcomes, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", f"{columns}")
    print_sheet("iec62509", "controller tracer1210n", outcomes)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= (80 if columns == 80 else 140)
    assert out.count("margin") >= 2
    assert "info" in out


def test_information_is_marked_whether_it_holds_or_not(outcomes, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    print_sheet("iec62509", "", outcomes)
    row = next(line for line in capsys.readouterr().out.splitlines() if "unverified" in line)
    assert row.startswith("info")


def test_en_50530_is_a_sheet_of_the_same_form(call):
    code, out, _ = call("check", "--suite", "en50530", columns=120)
    assert code == 0
    assert "static tracking" in out
    assert "99.5 %" in out


def test_en_50530_fails_a_tracker_that_loses_light(monkeypatch):
    monkeypatch.setattr("plant.report.en50530.LEAST", {"static": 1.0, "A": 1.0, "B": 1.0, "shaded": 1.0})
    outcome = en50530_outcome("tracer4210n")
    assert not outcome.holds
    assert all(row.margin < 0 for row in outcome.verdicts)


def test_a_suite_is_one_object_for_scripts(call):
    code, out, _ = call("check", "--suite", "en50530", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["holds"]
    assert {row["set_value"] for row in told["runs"][0]["verdicts"]} == {"99.5 %", "98 %"}


# --- what is shipped ---


def test_there_are_at_least_forty_scenarios_in_the_suites():
    assert len(list(SUITES.rglob("*.yaml"))) >= 40
    assert {"charge_cycles", "iec62124", "iec62509", "line"} <= set(suites())


def test_every_one_of_the_sixteen_topics_has_a_scenario():
    assert {int(load_scenario(path).name.split()[0]) for path in IEC.glob("*.yaml")} == set(range(1, 17))


def test_what_only_unsigned_sources_say_decides_nothing():
    """Marked U in the facts: 0.5 % of reverse current, 30 mA of standby use."""
    notes = [
        one for path in IEC.glob("*.yaml") for one in load_scenario(path).expect if "unverified" in one.note
    ]
    assert len(notes) >= 2
    assert all(one.information for one in notes)


# --- for any controller, for any site ---

OTHERS = {  # name: (A, V): ratings, with losses in step
    "20 A 100 V": (20, 100),
    "40 A 150 V": (40, 150),
    "60 A 150 V": (60, 150),
    "100 A 150 V": (100, 150),
    "100 A 200 V": (100, 200),
}


@pytest.fixture(scope="module", params=OTHERS)
def own_controller(request, tmp_path_factory) -> str:
    """A file of somebody's own: a tracer4210n that became larger or smaller."""
    amperes, volts = OTHERS[request.param]
    text = (config_dir() / "controllers/tracer4210n.yaml").read_text(encoding="utf-8")
    ratings = {
        "charge_rated_a": amperes, "load_rated_a": amperes, "charge_rated_w_12v": 13 * amperes,
        "charge_rated_w_24v": 26 * amperes, "load_rated_w": 26 * amperes, "pv_rated_v": volts,
        "tracking_max_v": 0.72 * volts, "heatsink_k_w": 1.1 * 40 / amperes, "heatsink_j_k": 37.5 * amperes,
        "k_c_w_v": 0.08882 * amperes / 40, "r_eq_ohm": 0.0132 * 40 / amperes, "load_path_ohm": 0.18 / amperes,
    }  # fmt: skip
    for key, value in ratings.items():
        text, count = re.subn(rf"(?m)^{key}: +\S+", f"{key}: {value}", text)
        assert count == 1
    path = tmp_path_factory.mktemp("own") / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_scenario_of_iec62509_can_be_run_with_a_controller_of_ones_own(own_controller):
    for path in sorted(IEC.glob("*.yaml")):
        prepare(load_scenario(path).under_test(None, own_controller))


@pytest.mark.parametrize("name", ["11_pv_over_current_150", "16_pv_over_voltage", "16_pv_open_too_high"])
def test_the_array_is_as_large_and_its_voltage_as_high_as_the_ratings_ask(own_controller, name):
    ran = run(prepare(load_scenario(IEC / f"{name}.yaml").under_test(None, own_controller)))
    assert [v.words(ran.record.span) for v in ran.verdicts if v.fails] == []


def test_a_stimulus_that_falls_short_leaves_the_topic_not_run(tmp_path, call):
    rest = "expect: [{expect: v_batt_v >= 99 V, at: end, stimulus: true}, {always: soc >= 99 %}]\n"
    code, out, err = call("check", str(written(tmp_path, rest)), "--failures", str(tmp_path / "left"))
    assert code == 2
    assert "could not be run to its end" in out
    assert "mine.yaml:8: expect[0]: the stimulus falls short" in err
    assert "FAIL" not in out


@pytest.mark.parametrize("site", ["cabin_inverter", "repeater", "workshop_24v"])
def test_iec62124_says_something_about_a_site_with_a_generator_and_a_small_one(site):
    """Autonomy without the generator, whose battery a correct disconnect saves; recovery from a disconnect."""
    for name in ("2_autonomy", "3_recovery"):
        ran = run(prepare(load_scenario(SUITES / f"iec62124/{name}.yaml").under_test(site)))
        assert [v.words(ran.record.span) for v in ran.verdicts if v.fails] == []
    assert ran.verdicts[0].finding.found.startswith(("once", "2 times"))


def test_the_line_suite_meets_every_fault_of_a_line():
    """With a share of the replies, and with all of them."""
    struck = [
        parse_fault(step.action.words[0])
        for path in (SUITES / "line").glob("*.yaml")
        for step in load_scenario(path).when
        if step.action.name == "fault" and not step.action.words[0].startswith("off")
    ]
    assert {fault.row.name for fault in struck} == set(FAULTS)
