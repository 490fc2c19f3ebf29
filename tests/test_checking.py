"""`tracertwin check`: scenarios run, are judged and reported; the same bytes whoever runs them."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pvlib.solarposition import sun_rise_set_transit_spa

from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from tests import golden_scenarios
from tests.weatherfiles import csv_file, year_of_light
from tracertwin.checking.github import annotations, summarize
from tracertwin.checking.junit import junit
from tracertwin.checking.many import Case, cases_of, check_case, check_cases, files_in, parse_seeds, read_all
from tracertwin.checking.outcome import VerdictRow
from tracertwin.checking.preparing import prepare
from tracertwin.checking.running import Ran, run
from tracertwin.checking.tighten import proposals, tightened
from tracertwin.scenario.file import load_scenario
from tracertwin.scenario.record import amount

SUITES = config_dir() / "scenarios"
PAGE = Path(__file__).parents[1] / "docs" / "scenarios.md"
SHORT = """\
name: A short morning
about: |
  What it shows.
  Where its numbers come from.
given:
  site: cabin
  overrides: {sky.clearness: null}
  seed: 1
  start: 2026-06-21T10:00
  length: 30min
  map: epever
"""


def written(tmp_path: Path, rest: str, head: str = SHORT, name: str = "mine.yaml") -> Path:
    path = tmp_path / name
    path.write_text(head + rest, encoding="utf-8")
    return path


def ran(tmp_path: Path, rest: str, head: str = SHORT, seed: int | None = None) -> Ran:
    return run(prepare(load_scenario(written(tmp_path, rest, head))), seed)


def verdicts(result: Ran) -> list[tuple[bool, float]]:
    return [(verdict.holds, verdict.finding.margin) for verdict in result.verdicts]


# --- what happens in a run ---


def test_a_run_has_a_sample_at_its_start_and_at_its_end_and_one_at_each_step_between(tmp_path):
    record = ran(tmp_path, "expect: [always: soc >= 0]\n").record
    assert record.t_s[0] == record.span.start_utc_s
    assert record.t_s[-1] == record.span.end_utc_s
    assert len(record.t_s) == 361


def test_a_start_that_the_clocks_leave_out_is_refused_with_its_line(tmp_path):
    head = SHORT.replace("2026-06-21T10:00", "2026-03-29T02:30")
    with pytest.raises(
        ProblemsError, match=r"mine\.yaml:9: given\.start: there is no 2026-03-29T02:30 in Europe/"
    ):
        ran(tmp_path, "expect: [always: soc >= 0]\n", head)


def test_an_override_changes_the_site_and_a_setting_is_written_before_time_begins(tmp_path):
    head = SHORT.replace("{sky.clearness: null}", f"{{battery.soc: 0.31, load.hourly_w: {[7] * 24}}}")
    head += "  settings: {boost_duration: 33}\n"
    rest = "expect: [{expect: soc = 0.31 +- 0.001, at: start}, {always: boost_duration = 33 min}]\n"
    assert ran(tmp_path, rest, head).holds


def test_an_action_at_a_time_acts_there_and_what_lasts_ends(tmp_path):
    result = ran(
        tmp_path,
        "when: [{at: '10:10', cloud: {depth: 0.9, lasts: 5min}}]\n"
        "expect:\n"
        "  - {expect: 'poa_w_m2 <= 200 W/m2', from: '10:01', by: '10:11'}\n"
        "  - {count: 'poa_w_m2 <= 200 W/m2 begins', exactly: 1}\n"
        "  - {count: 'poa_w_m2 <= 200 W/m2 ends', exactly: 1}\n"
        "  - {expect: 'poa_w_m2 <= 200 W/m2', for_at_least: 5min}\n",
    )
    assert verdicts(result) == [(True, 55.0), (True, 0.0), (True, 0.0), (True, 0.0)]


def test_an_action_after_an_event_acts_once_and_as_much_later_as_it_says(tmp_path):
    result = ran(
        tmp_path,
        "when:\n"
        "  - {at: '10:05', load_short: {ohm: 0.02, lasts: 20s}}\n"
        "  - {after: load_state becomes short + 2min, cloud: {depth: 0.9, lasts: 1min}}\n"
        "expect:\n"
        "  - {order: [load_state becomes short, 'poa_w_m2 <= 200 W/m2 begins']}\n"
        "  - {count: 'poa_w_m2 <= 200 W/m2 begins', exactly: 1}\n",
    )
    assert result.holds
    assert result.verdicts[0].finding.margin == pytest.approx(120.0, abs=5.0)


def test_what_is_mended_works_again_and_a_power_cycle_sets_the_clock_back(tmp_path):
    result = ran(
        tmp_path,
        "when:\n"
        "  - {at: '10:05', battery_disconnected: true}\n"
        "  - {at: '10:10', mend: battery_disconnected}\n"
        "  - {at: '10:20', power-cycle: true}\n"
        "expect:\n"
        "  - {expect: i_batt_a = 0 +- 0.0001 A, for_at_least: 5min}\n"
        "  - {always: i_batt_a >= 0.1 A, from: '10:11', to: '10:19'}\n"
        "  - {always: t_device_s <= 1500000000 s, from: '10:21'}\n",
    )
    assert [verdict.holds for verdict in result.verdicts] == [True] * 3


def test_a_client_writes_through_the_line_and_what_it_wrote_shows_in_registers_and_rules(tmp_path):
    result = ran(
        tmp_path,
        "when: [{at: '10:10', write: [battery_type=user]}, {at: '10:11', write: {boost_voltage: 14.0V}}]\n"
        "expect:\n"
        "  - {expect: boost_voltage = 14.0 +- 0 V, at: '10:12'}\n"
        "  - {expect: boost_voltage = 14.4 +- 0 V, at: '10:05'}\n"
        "  - {never_writes: 0x9001}\n"
        "  - {only_mapped: true}\n",
    )
    assert verdicts(result) == [(True, 0.0)] * 4
    assert sum(asked.is_write for asked in result.record.asked) == 2


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("  settings: {boost_voltage: 14V}\n", ":12: given.settings: boost_voltage=14V: the controller refused it: "),
        ("when: [{at: '10:01', write: boost_voltage=14V}]\n", ":12: when[0].write: boost_voltage=14V: the contro"),
        ("when: [{at: '10:01', string_open: true}, {at: '10:02', clock_lost: true}, {at: '10:03', write-refused: "
         "[battery_type=user, boost_voltage=99V]}]\n", ""),
    ],
)  # fmt: skip
def test_a_write_that_is_refused_doesn_t_pass_unnoticed(tmp_path, call, rest, told):
    code, _, err = call("check", str(written(tmp_path, f"{rest}expect: [{{always: soc >= 0}}]\n")))
    assert code == (2 if told else 0), err
    assert told in err


REFUSED = "when: [{at: '10:01', write-refused: {boost_duration: 60}}]\nexpect: [{always: soc >= 0}]\n"


def test_a_write_that_should_be_refused_and_is_taken_is_an_expectation_that_fails(tmp_path, call):
    code, out, err = call("check", str(written(tmp_path, REFUSED)), "--failures", str(tmp_path / "left"))
    assert (code, err) == (1, "")
    assert "1 of 2 expectations hold" in out
    assert re.search(r"FAIL +write-refused .* 10:01 +-1", out)
    verdict = ran(tmp_path, REFUSED).verdicts[-1]
    assert (verdict.expectation.text, verdict.expectation.line) == ("write-refused boost_duration=60", 12)


def test_a_write_that_is_refused_as_it_should_be_holds_and_one_that_is_never_due_fails(tmp_path):
    refused = REFUSED.replace("boost_duration: 60", "boost_voltage: 99V")
    assert verdicts(ran(tmp_path, refused))[1] == (True, 1.0)
    result = ran(tmp_path, refused.replace("at: '10:01'", "after: load_state becomes short"))
    assert [verdict.fails for verdict in result.verdicts] == [False, True]
    assert result.verdicts[1].finding.found == "not done: the event never came, load_state becomes short"


def test_a_write_that_has_to_be_refused_and_gets_no_reply_has_not_passed(tmp_path, call):
    """The controller may have taken it: the reply is lost, not the request."""
    lost = REFUSED.replace("[{at", "[{at: '10:00:30', fault: 'drop:1'}, {at").replace("60}", "90}")
    result = ran(tmp_path, lost)
    assert [verdict.fails for verdict in result.verdicts] == [False, True]
    assert result.verdicts[1].finding.found == "no reply came"
    assert not result.holds


def test_settings_of_before_the_run_are_no_part_of_the_conversation(tmp_path):
    text = "  settings: {boost_duration: 90}\nexpect: [{never_writes: boost_duration}]\n"
    assert ran(tmp_path, text).verdicts[0].finding.found == "no client asked anything"
    polls = ran(tmp_path, f"  client: {{every: 1min, read: [0x3104]}}\n{text}")
    assert polls.verdicts[0].finding.found == "0 of 31 requests write it"


NEVER = (
    "when:\n  - {after: stage becomes equalize + 2min, cloud: {depth: 0.9}}\n"
    "  - {after: 'soc >= 0.5 begins', write: {boost_duration: 60}}\nexpect: [{always: soc >= 0}]\n"
)


def test_an_action_whose_event_never_comes_is_a_row_that_fails(tmp_path):
    result = ran(tmp_path, NEVER)
    assert not result.holds
    assert [verdict.fails for verdict in result.verdicts] == [False, True, True]
    assert (result.verdicts[1].expectation.text, result.verdicts[1].expectation.line) == (
        "after stage becomes equalize + 2min: upset cloud:depth=0.9", 13,
    )  # fmt: skip
    assert "the event never came" in result.verdicts[1].finding.found


def test_an_action_that_is_done_with_some_seeds_only_is_counted(tmp_path, call):
    """With one of them the sky brings the event, with the other it does not."""
    text = "when: [{after: 'poa_w_m2 <= 450 W/m2 begins', fault: drop}]\nexpect: [{always: soc >= 0}]\n"
    path, rows = written(tmp_path, text), {}
    path.write_text(path.read_text().replace("sky.clearness: null", "battery.soc: 0.5"))
    for seed in range(1, 9):
        rows.setdefault(len(run(prepare(load_scenario(path)), seed).verdicts), seed)
    assert sorted(rows) == [1, 2]
    _, out, err = call(
        "check", str(path), "--seeds", f"{rows[1]},{rows[2]}", "--failures", str(tmp_path / "left")
    )
    assert err == ""
    assert "1 of 2 seeds hold" in out


def test_what_is_not_broken_can_not_be_mended(tmp_path):
    with pytest.raises(ProblemsError, match=r"when\[0\]\.mend: mend: load_short is not broken"):
        ran(tmp_path, "when: [{at: '10:05', mend: load_short}]\nexpect: [{always: soc >= 0}]\n")


def test_one_of_two_upsets_of_a_name_can_be_mended(tmp_path):
    result = ran(
        tmp_path,
        "when:\n"
        "  - {at: '10:05', probe_open: true}\n"
        "  - {at: '10:06', battery_disconnected: true}\n"
        "  - {at: '10:10', battery_disconnected: true}\n"
        "  - {at: '10:15', mend: battery_disconnected 1}\n"
        "  - {at: '10:20', mend: battery_disconnected}\n"
        "expect:\n"
        "  - {always: i_batt_a = 0 +- 0.001 A, from: '10:11', to: '10:19'}\n"
        "  - {expect: i_batt_a >= 0.1 A, at: '10:25'}\n",
    )
    assert result.holds


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_scenario_that_cannot_be_run_to_its_end_costs_nobody_the_others(tmp_path, call, jobs):
    folder, report = tmp_path / "mix", tmp_path / "report.xml"
    folder.mkdir()
    written(folder, "expect: [{always: soc >= 0.1}]\n", name="a.yaml")
    stuck = written(
        folder,
        "when: [{at: '10:01', write: boost_voltage=14V}]\nexpect: [{always: soc >= 0}]\n",
        name="b.yaml",
    )
    written(folder, "expect: [{always: soc >= 0.1}]\n", name="c.yaml")
    told = [
        "check",
        str(folder),
        "--jobs",
        jobs,
        "--failures",
        str(tmp_path / "left"),
        "--junit",
        str(report),
    ]
    code, out, err = call(*told)
    why = f"{stuck}:12: when[0].write: boost_voltage=14V: the controller refused it: "
    assert code == 2
    assert why in err
    assert why in out
    assert "2 of 3 runs hold, 2 of 2 expectations hold, 1 could not be run to its end" in out
    suites = ET.parse(report).getroot()
    assert [(each.get("tests"), each.get("errors")) for each in suites] == [
        ("1", "0"),
        ("1", "1"),
        ("1", "0"),
    ]
    assert suites.get("errors") == "1"
    assert why in suites.find("testsuite/testcase/error").text
    code, out, _ = call(*told, "--json")
    runs = json.loads(out)["runs"]
    assert code == 2
    assert [run["holds"] for run in runs] == [True, False, True]
    assert runs[1]["problems"][0]["where"] == "when[0].write"


def test_seeds_with_which_it_cannot_be_run_are_counted(tmp_path, call):
    rest = "when: [{at: '10:01', write: boost_voltage=14V}]\nexpect: [{always: soc >= 0}]\n"
    code, out, err = call("check", str(written(tmp_path, rest)), "--seeds", "1,2", "--tighten", "--jobs", "1")
    assert code == 2
    assert err.count("the controller refused it") == 1
    assert "0 of 2 seeds hold, 2 could not be run to its end" in out


def test_a_polled_register_is_what_the_client_last_read(tmp_path):
    head = SHORT + "  client: {every: 5min, read: [0x3100]}\n"
    result = ran(tmp_path, "expect: [{always: '0x3100 >= 0 V'}]\n", head)
    shown = result.record.columns["input 0x3100"]
    assert len(set(shown)) == 7
    assert shown[60] == shown[119] != shown[120]


def test_a_client_that_hears_nothing_asks_again_and_gives_up(tmp_path):
    head = SHORT + "  client: {every: 1min, read: [0x3104], timeout: 2s, retries: 3}\n  faults: [drop:1]\n"
    result = ran(
        tmp_path,
        "expect: [{gives_up_after: 4}, {gives_up_after: 3}, {retries_within: 2s}, {retries_within: 1s}, "
        "{polled_every: 1min}]\n",
        head,
    )
    assert verdicts(result) == [(True, 0.0), (False, -1.0), (True, 0.0), (False, -1.0), (False, 0.0)]


# --- the same run, whoever runs it ---


def test_a_run_is_the_same_twice_and_with_any_number_of_processes():
    files = [SUITES / "charge_cycles" / "load_short.yaml", SUITES / "line" / "lost_replies.yaml"]
    cases = [Case(file, seed) for file in files for seed in (1, 2)]
    alone = [outcome.as_json() for outcome in check_cases(cases, 1)]
    together = [outcome.as_json() for outcome in check_cases(cases, 2)]
    assert json.dumps(alone) == json.dumps(together)
    assert alone[0] != alone[1]
    assert check_case(cases[1]).as_json() == alone[1]


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def test_fresh_processes_with_one_two_and_eight_threads_do_the_same_in_every_shipped_scenario():
    """And their registers are those of the golden file: `python -m tests.golden_scenarios --write` writes it anew."""
    command = [sys.executable, "-m", "tests.golden_scenarios", "--threads"]
    told = [
        subprocess.run(
            [*command, f"{number}"], env=os.environ | dict.fromkeys(THREADS, f"{number}"),
            capture_output=True, check=True, encoding="utf-8",
        ).stdout
        for number in (1, 2, 8)
    ]  # fmt: skip
    assert golden_scenarios.differences(told[0]) == []
    assert told[0].count("\n# ") == len(list(SUITES.rglob("*.yaml"))) + 1  # a digest of each, and the head
    assert len(set(told)) == 1


def test_rows_of_the_golden_file_belong_to_their_scenario():
    """Scenarios of one site share rows: compared as a set, one that does what another did would be as it was."""
    lines = golden_scenarios.FILE.read_text(encoding="utf-8").splitlines()
    first, second, *_ = (at for at, line in enumerate(lines) if line.startswith("charge_cycles/"))
    lines[first], lines[second] = lines[second], lines[first]
    assert len(golden_scenarios.differences("\n".join(lines))) >= 4


@pytest.mark.parametrize("name", ["charge_cycles/midnight_and_month", "line/lost_replies"])
def test_the_journal_of_a_run_replays_to_the_same_bytes(tmp_path, call, name):
    prepared, journal = prepare(load_scenario(SUITES / f"{name}.yaml")), tmp_path / "journal.jsonl"
    recorded, plain = run(prepared, journal=journal), run(prepared)
    assert verdicts(recorded) == verdicts(plain)
    assert np.array_equal(recorded.trace.rows, plain.trace.rows)
    code, out, _ = call("replay", str(journal))
    assert code == 0
    assert f"same: all {len(recorded.record.asked)} replies" in out


@pytest.mark.parametrize("path", sorted(SUITES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_scenario_says_where_its_numbers_come_from(path):
    what, whence = load_scenario(path).about
    assert what.endswith(".")
    assert whence.endswith(".")
    assert max(len(what), len(whence)) <= 160


# --- what the shipped scenarios show ---


BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_the_page_holds_as_it_stands_there(tmp_path):
    result = ran(tmp_path, "", BLOCKS[0])
    assert [verdict.words(result.record.span) for verdict in result.verdicts if not verdict.holds] == []


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: block.partition(":")[0])
def test_the_other_rows_of_the_page_are_read(tmp_path, block):
    head, rest = SHORT, block
    if block.startswith("when"):
        rest += "expect: [{always: soc >= 0}]\n"
    assert load_scenario(written(tmp_path, rest, head))


# --- the command ---

FAILS = "expect:\n  - {always: v_batt_v <= 5 V}\n  - {always: soc >= 0.1}\n"


def test_all_that_holds_is_exit_code_0(tmp_path, call):
    path = written(tmp_path, "expect: [{always: soc >= 0.1}]\n")
    code, out, err = call("check", str(path))
    assert (code, err) == (0, "")
    assert "1 of 1 expectations hold" in out
    assert re.search(r"ok +always soc >= 0\.1 .* 10:\d\d.* \+\d", out)


def test_a_failure_is_exit_code_1_and_leaves_a_folder_that_replays(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, FAILS)
    code, out, _ = call("check", str(path))
    assert code == 1
    assert re.search(r"FAIL +always v_batt_v <= 5 V .*-\d", out)
    folder = tmp_path / "tracertwin-failures" / "mine"
    assert {file.name for file in folder.iterdir()} == {
        "plot.svg", "trace.csv", "journal.jsonl", "verdicts.txt", "rerun.txt",
    }  # fmt: skip
    assert folder.joinpath("rerun.txt").read_text().startswith("tracertwin check mine.yaml --seeds 1\n")
    assert call("replay", str(folder / "journal.jsonl"))[0] == 0
    assert len(folder.joinpath("trace.csv").read_text().splitlines()) == 362
    assert call("check", str(path))[0] == 1  # over the folder that is there
    written(tmp_path, FAILS.replace("<= 5 V", "<= 50 V"))
    assert call("check", str(path))[0] == 0
    assert not folder.exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path, call):
    (tmp_path / "left" / "mine").mkdir(parents=True)
    (tmp_path / "left" / "mine" / "thesis.txt").write_text("all of it")
    code, _, err = call("check", str(written(tmp_path, FAILS)), "--failures", str(tmp_path / "left"))
    assert code == 2
    assert "exists and was not left by a failure" in err
    assert (tmp_path / "left" / "mine" / "thesis.txt").exists()


def test_information_is_told_and_decides_nothing(tmp_path, call):
    path = written(
        tmp_path,
        "expect: [{always: soc >= 0.1}, {always: v_batt_v <= 5 V, information: true, note: no source}]\n",
    )
    code, out, _ = call("check", str(path))
    assert code == 0
    assert "note" in out
    assert "no source" in out


def test_seeds_say_how_many_hold_and_the_worst_and_one_of_them_does_the_same_alone(tmp_path, call):
    path = written(
        tmp_path,
        "expect: [{always: poa_w_m2 >= 400 W/m2}]\n",
        SHORT.replace("  overrides: {sky.clearness: null}\n", ""),
    )
    code, out, _ = call(
        "check", str(path), "--seeds", "1..6", "--jobs", "1", "--failures", str(tmp_path / "left")
    )
    held = int(re.search(r"(\d) of 6 seeds hold", out)[1])
    assert code == (held < 6)
    seed = re.search(r"seed (\d)", out)[1]
    margin = re.search(r"seed \d +([+-][\d.e+]+) W/m2", out)[1]
    _, alone, _ = call("check", str(path), "--seeds", seed, "--failures", str(tmp_path / "left"))
    assert margin in alone


def test_tighten_proposes_what_all_seeds_would_have_allowed(tmp_path, call):
    path = written(tmp_path, "expect: [{always: v_batt_v <= 20 V}]\n")
    code, out, _ = call("check", str(path), "--seeds", "1,2", "--tighten", "--jobs", "1")
    assert code == 0
    row = re.search(
        r"mine\.yaml:\d+: always v_batt_v <= 20 V: can be tighter by .*: always v_batt_v <= ([\d.]+) V", out
    )
    spare = float(re.search(r"2 seeds \+([\d.]+) V", row[0])[1])
    assert 5.0 < spare < 7.0
    assert float(row[1]) == pytest.approx(20.0 - 0.9 * spare, abs=0.02)
    assert call("check", str(path), "--tighten")[0] == 2


def test_only_whole_numbers_of_times_can_be_tighter_and_states_not_at_all(tmp_path, call):
    rest = "expect: [{count: stage becomes float, at_most: 2}, {never: stage = float}]\n"
    code, out, _ = call("check", str(written(tmp_path, rest)), "--seeds", "1,2", "--tighten", "--jobs", "1")
    assert code == 0
    assert "at most 2: can be tighter by 1 time (worst of 2 seeds +2 times" in out
    assert "never stage = float: can" not in out


def test_a_great_margin_is_a_plain_number():
    assert amount(1312.4, "kWh") == "1310 kWh"
    assert amount(0.000_012_34, "kWh") == "0.0000123 kWh"
    assert amount(14.449, "V") == "14.4 V"
    assert amount(0.9, "times") == "1 time"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "check: give scenarios, or a suite with --suite"),
        (["line", "--suite", "line"], "check: give scenarios or a suite, not both"),
        (["line", "--timeout", "5s"], "--timeout: needs --firmware"),
        (["line", "--firmware", "x {port}", "--timeout", "0s"], "--timeout: must be more than 0, got 0s"),
        (["--suite", "en50530", "--seeds", "1..3"], "--seeds: does nothing for en50530"),
        (["--suite", "en50530", "--site", "cabin"], "--site: does nothing for en50530"),
        (["line", "--failures", "FILE"], "--failures: FILE is a file; give a folder"),
        (["line", "--failures", "FILE/below"], "--failures: FILE is a file; give a folder"),
        (
            ["line", "--transcripts", "FILE", "--firmware", "x {port}"],
            "--transcripts: FILE is a file; give a",
        ),
    ],
)
def test_options_that_would_do_nothing_or_fail_later_are_refused_at_once(tmp_path, call, words, told):
    (tmp_path / "file").write_text("")
    words = [word.replace("FILE", str(tmp_path / "file")) for word in words]
    code, out, err = call("check", *words)
    assert (code, out) == (2, "")
    assert f"{told.replace('FILE', str(tmp_path / 'file'))}" in err


def test_proposals_are_only_for_what_held_with_every_seed(tmp_path):
    path = written(tmp_path, FAILS)
    lines = list(proposals([check_case(Case(path, seed)) for seed in (1, 2)]))
    assert len(lines) == 1
    assert "soc" in lines[0]


def test_json_has_numbers_and_words(tmp_path, call):
    code, out, _ = call(
        "check", str(written(tmp_path, FAILS)), "--json", "--failures", str(tmp_path / "left")
    )
    told = json.loads(out)
    assert code == 1
    assert not told["holds"]
    row = told["runs"][0]["verdicts"][0]
    assert (row["kind"], row["line"], row["holds"], row["unit"]) == ("always", 13, False, "V")
    assert row["margin"] < -5.0
    assert row["words"].startswith("failed by ")


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_it_fits_the_terminal(tmp_path, call, columns):
    code, out, _ = call(
        "check", str(written(tmp_path, FAILS)), "--failures", str(tmp_path / "left"), columns=columns
    )
    assert code == 1
    table = [line for line in out.splitlines() if not line.startswith(str(tmp_path)) and "left" not in line]
    assert max(map(len, table)) <= columns
    assert "-" in out
    assert "v_batt_v <= 5 V" in out


def test_a_suite_goes_by_its_name_and_what_is_not_there_is_told(tmp_path):
    assert files_in(["line"]) == files_in([str(SUITES / "line")])
    with pytest.raises(ProblemsError, match=r"no such file or folder; suites: .*charge_cycles"):
        files_in(["nothing"])
    with pytest.raises(ProblemsError, match="no scenario files"):
        files_in([str(tmp_path)])


def test_two_scenarios_of_one_name_leave_folders_of_their_own(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [written(tmp_path / each, FAILS) for each in "ab"]
    cases = cases_of(read_all(files)[0], (3,), tmp_path)
    assert [case.folder.name for case in cases] == ["a-mine-seed3", "b-mine-seed3"]


def test_seeds_are_read_and_refused():
    assert parse_seeds("1..3,7") == (1, 2, 3, 7)
    for text in ("3..1", "a", "", "1..", "-1"):
        with pytest.raises(ValueError, match="is not a list of seeds"):
            parse_seeds(text)


# --- what only the plant can tell ---


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("{sky.clearness: null}", "{battery.soc: 1.4}",
         ":7: given.overrides.battery.soc: input should be less than or equal to 1, got 1.4"),
        ("{sky.clearness: null}", "{battery.model: agn}", ":7: given.overrides.battery.model: agn: not one of the"),
        ("{sky.clearness: null}", "{'load.items[3].name': x}", ":7: given.overrides.load.items[3].name: the site has"),
        ("  map: epever", "  settings: {boost_duration: 999h}", ":11: given.settings: boost_duration=999h: boost_dur"),
        ("map: epever\n", "map: epever\nwhen: [{at: '11:00', cloud: true}]\n", ":12: when[0].at: 11:00 is outside the"),
        ("soc >= 0}", "soc >= 0, from: '11:00'}", ":13: expect[0].from: 11:00 is outside the run"),
        ("map: epever\n", "map: epever\nwhen: [{at: '10:10', string_open: {strings: 9}}]\n", "9 strings, but there"),
        ("by: sunset", "by: '10:40'", ":14: expect[1].by: 10:40 is outside the run"),
        ("soc >= 0}", "soc >= 0, to: '11:00'}", ":13: expect[0].to: 11:00 is outside the run"),
        ("soc >= 0}", "soc >= 0, from: 20min, to: 10min}", ":13: expect[0].to: 10min is before from, 20min"),
        ("{sky.clearness: null}", "{location.latitude_deg: 80}", ":14: expect[1].by: sunset: there is no sunset at"),
    ],
)  # fmt: skip
def test_what_is_beyond_the_plant_is_told_with_file_and_line(tmp_path, call, right, wrong, told):
    text = SHORT + "expect:\n  - {always: soc >= 0}\n  - {expect: soc >= 0.0, by: sunset}\n"
    assert text.count(right) == 1
    code, _, err = call("check", str(written(tmp_path, "", text.replace(right, wrong))))
    assert code == 2
    assert told in err


@pytest.mark.parametrize("day", ["2026-03-20", "2026-06-21", "2026-12-21"])
def test_the_sun_rises_and_sets_when_pvlib_has_it(tmp_path, day):
    scenario = load_scenario(
        written(tmp_path, "expect: [{always: soc >= 0}]\n", SHORT.replace("2026-06-21", day))
    )
    prepared = prepare(scenario)
    place = prepared.site.location
    times = pd.DatetimeIndex([f"{day} 12:00"], tz="UTC")
    spa = sun_rise_set_transit_spa(times, place.latitude_deg, place.longitude_deg)
    theirs = [spa[name].iloc[0].timestamp() for name in ("sunrise", "transit", "sunset")]
    assert list(prepared.span.sun(date.fromisoformat(day))) == pytest.approx(theirs, abs=180.0)


def test_a_register_that_this_controller_lacks_is_told(tmp_path, call):
    head = SHORT.replace("{sky.clearness: null}", "{controller.model: tracer4210a}")
    path = written(tmp_path, "expect: [{always: low_temperature_charge_limit >= -40}]\n", head)
    code, _, err = call("check", str(path))
    assert code == 2
    assert ":12: expect[0].always: low_temperature_charge_limit: this controller has no such register" in err


def test_weather_that_ends_before_the_run_is_told(tmp_path, call):
    csv_file(tmp_path / "year.csv", year_of_light())
    weather = (
        "{weather.file: year.csv, weather.utc_offset_h: 1, weather.temperature_c: null, sky.clearness: null}"
    )
    head = SHORT.replace("{sky.clearness: null}", weather).replace("site: cabin", "site: mine.yaml")
    (tmp_path / "mine.yaml").write_text((config_dir() / "sites" / "cabin.yaml").read_text())
    path = written(tmp_path, "expect: [{always: soc >= 0}]\n", head, name="scenario.yaml")
    code, _, err = call("check", str(path))
    assert code == 2
    assert f"{path}:" in err
    assert "2023" in err


# --- reports for machines ---

# Elements, their attributes and children as junit-10.xsd of Jenkins' xUnit plugin has them (MIT); required ones with !.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name!", "tests!", "failures!", "errors!", "group", "time", "skipped", "timestamp", "hostname", "id",
         "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name!", "value!"}, set()),
    "testcase": ({"name!", "time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}  # fmt: skip


def test_a_report_is_not_written_over_a_scenario(tmp_path, call):
    path = tmp_path / "morning.yaml"
    path.write_text(SHORT)
    code, _, problems = call("check", str(tmp_path), "--junit", str(path))
    assert code == 2
    assert f"--junit: {path} is the file of the scenario {path}; give each its own" in problems
    assert path.read_text() == SHORT


def test_the_junit_file_is_as_the_schema_has_it_and_carries_the_margins(tmp_path, call):
    rest = FAILS.replace("soc >= 0.1}", "soc >= 0.1}\n  - {always: v_batt_v <= 5 V, information: true}")
    path, report = (
        written(tmp_path, rest, SHORT.replace("A short", 'A <&"\x07short')),
        tmp_path / "report.xml",
    )
    path.write_text(path.read_text().replace("\x07", ""))
    code, *_ = call("check", str(path), "--junit", str(report), "--failures", str(tmp_path / "left"))
    assert code == 1
    top = ET.parse(report).getroot()
    for element in top.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) <= {name.rstrip("!") for name in attributes}
        assert {name[:-1] for name in attributes if name.endswith("!")} <= set(element.attrib)
        assert {child.tag for child in element} <= children
    (suite,) = top
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    margins = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert re.fullmatch(r"-\d\.\d+ V", margins["margin of: always v_batt_v <= 5 V"])
    assert f"{path}:13" in suite.find("testcase/failure").text


def test_cases_of_several_seeds_have_names_of_their_own_and_shares_no_unit(tmp_path):
    path = written(tmp_path, "expect: [{always: soc >= 0.1}]\n")
    top = ET.fromstring(junit([check_case(Case(path, seed)) for seed in (1, 2)]).encode())
    assert [case.get("classname") for case in top.iter("testcase")] == [f"{path}, seed 1", f"{path}, seed 2"]
    assert float(top.find("testsuite/properties/property[3]").get("value")) > 0.0


def test_what_no_xml_may_hold_is_not_in_it(tmp_path):
    outcome = check_case(Case(written(tmp_path, FAILS), None))
    ET.fromstring(junit([type(outcome)(**{**outcome_fields(outcome), "name": "bell \x07"})]))


def outcome_fields(outcome: object) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in outcome.__slots__}


def test_on_github_failures_are_annotations_at_their_lines_and_the_summary_has_a_table(
    tmp_path, call, monkeypatch
):
    path, summary = written(tmp_path, FAILS), tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    _, out, _ = call("check", str(path), "--failures", str(tmp_path / "left"))
    assert re.search(
        rf"^::error file={path},line=13,title=A short morning::always v_batt_v <= 5 V: failed by", out, re.M
    )
    assert "| FAIL | always v_batt_v <= 5 V: failed by" in summary.read_text()
    monkeypatch.setenv("GITHUB_ACTIONS", "")
    assert "::error" not in call("check", str(path), "--failures", str(tmp_path / "left"))[1]


def test_an_annotation_is_one_line_whatever_stands_in_it(tmp_path):
    outcome = check_case(Case(written(tmp_path, FAILS), None))
    (line,) = annotations([type(outcome)(**{**outcome_fields(outcome), "name": "a,b:\nc%"})])
    assert "title=a%2Cb%3A%0Ac%25::" in line
    # No run is lost for it.
    summarize([outcome], {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "such" / "folder")})


@pytest.mark.parametrize(
    ("kind", "expected", "unit", "when", "margin", "new"),
    [
        (
            "always",
            "always v_batt_v <= 14.6 V, from 06:00",
            "V",
            "",
            0.234,
            "always v_batt_v <= 14.3894 V, from 06:00",
        ),
        ("never", "never v_batt_v > 15 V", "V", "", 0.5, "never v_batt_v > 14.55 V"),
        ("at", "soc >= 50 %, at end", "0..1", "", 0.3, "soc >= 77 %, at end"),
        ("by", "stage = boost, by 13:00", "s", "12:30", 1800.0, "stage = boost, by 12:33"),
        ("by", "stage = boost, by sunset", "s", "day 2 12:30", 1800.0, "stage = boost, by day 2 12:33"),
        ("always", "always v_batt_v <= boost_voltage + 0.1 V", "V", "", 0.05, ""),
        ("always", "always v_batt_v <= 15 V and soc >= 0.1", "V", "", 0.05, ""),
    ],
)
def test_a_tighter_limit_is_written_out(kind, expected, unit, when, margin, new):
    row = VerdictRow(
        expected=expected, kind=kind, line=1, holds=True, information=False, margin=margin, unit=unit,
        margin_words="", when=when, found="", at="", words="", note="",
    )  # fmt: skip
    assert tightened(row, 0.9 * margin) == new


BAD = SHORT.replace("sky.clearness: null", "battery.soc: 2") + "expect: [{expect: soc >= 0, by: '13:00'}]\n"


def test_all_that_is_wrong_is_told_at_once(tmp_path, call):
    """An unknown key, a value out of its range, times outside the run."""
    text = BAD.replace("battery.soc: 2", "battery.soc: 2, battery.sco: 1")
    path = written(tmp_path, "when: [{at: '14:00', cloud: {depth: 3}}, {at: '14:00', cloud: true}]\n", text)
    path.write_text(
        path.read_text().replace("expect: [{expect: soc >= 0, by: '13:00'}]\n", "") + BAD.splitlines()[-1]
    )
    code, _, err = call("check", str(path))
    assert code == 2
    for told in ("unknown key sco", "less than or equal to 1", "depth must be", "when[1].at", "expect[0].by"):
        assert told in err


def test_a_file_that_can_not_be_read_costs_nobody_the_others(tmp_path, call):
    good, report = written(tmp_path, "expect: [{always: soc >= 0}]\n"), tmp_path / "report.xml"
    bad = tmp_path / "bad.yaml"
    bad.write_text("nmae: x\n")
    code, out, err = call("check", str(bad), str(good), "--junit", str(report))
    assert code == 2
    assert "bad.yaml:1: nmae: unknown key" in err
    assert "1 of 1 expectations hold" in out
    tree = ET.parse(report).getroot()
    assert (tree.get("tests"), tree.get("errors"), tree.get("failures")) == ("2", "1", "0")
