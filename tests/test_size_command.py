"""`tracertwin size` as a user meets it: from a site to a decision, shares and a table of places, and bad input."""

import csv
import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from plant.site.model import load_site
from tests.command import COMMAND, ROOT, refusal
from tests.waiting import until

# Two years by the hour: seconds.
QUICK = ("--years", "2", "--step", "1h")
SWEEP = ("size", "cabin", *QUICK, "--pv", "95,200", "--battery", "60,120")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> list[str]:
    """One folder for all that don't test how results are kept: what one has computed, the others find."""
    return ["--results", str(tmp_path_factory.mktemp("results"))]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- an answer ---


def test_a_sweep_prints_designs_a_verdict_the_cheapest_that_will_do_and_how_to_see_its_worst_year(
    call, results
):
    code, out, err = call(*SWEEP, *results)
    assert code == 0, err
    assert len(re.findall(r"^ *(?:95|200) W +\d+ Ah ", out, re.MULTILINE)) == 4
    assert re.search(
        r"No: outages in 2 of 2 years; in the worst, 20\d\d, \d+ outages, \d+ h, first .* would do\n", out
    )
    best = re.search(
        r"The cheapest that will do: PV (\d+) W, battery (\d+) Ah; no outage in 2 years; \d+ EUR", out
    )
    assert best is not None
    assert re.search(rf"^ *{best[1]} W +{best[2]} Ah .*\*", out, re.MULTILINE)
    assert "tracertwin run FILE --seed 906 --start" in out


@pytest.mark.parametrize(("seed", "worst"), [("1", 2026), ("2", 2027)], ids=["first of its run", "second"])
def test_the_run_that_is_printed_shows_the_outages_that_are_claimed(call, results, tmp_path, seed, worst):
    """The years of a plain run of the file that was written, up to the worst one."""
    file, trace, table = tmp_path / "best.yaml", tmp_path / "trace.csv", tmp_path / "all.csv"
    design = ("--seeds", seed, "--step", "1h", "--pv", "110", "--battery", "60", "--out", str(table))
    code, out, err = call("size", "cabin", "--years", "2", *design, "--write", str(file), *results)
    assert code == 0, err
    (both,) = rows_of(table)
    assert int(both["worst_year"]) == worst
    command = next(line.strip() for line in out.splitlines() if "tracertwin run" in line).split()
    code, _, err = call(*command[1:], "--sample", "1h", "--out", str(trace))
    assert code == 0, err
    counted = [float(one["e_unserved_wh"]) for one in rows_of(trace)][90 * 24 - 1 :]  # after the warm-up
    unserved_wh = [after - before for before, after in pairwise(counted)]
    claimed = both
    if worst == 2026:  # then the second year is no part of the run
        code, _, err = call("size", "cabin", "--years", "1", *design, *results)
        assert code == 0, err
        (claimed,) = rows_of(table)
    years = int(claimed["years"])
    assert len(unserved_wh) == 8760 * years
    assert float(claimed["unserved_kwh"]) * years == pytest.approx(sum(unserved_wh) / 1000.0, rel=1e-9)
    hours = sum(wh > 1e-6 for wh in unserved_wh)
    assert float(claimed["lolp"]) * len(unserved_wh) == pytest.approx(hours, abs=1.5)


def test_the_file_that_is_written_is_the_design(call, results, tmp_path):
    file = tmp_path / "best.yaml"
    code, _, err = call(*SWEEP, "--vary", "battery.model=gel", "--write", str(file), *results)
    assert code == 0, err
    there = load_site(str(file))
    assert there.battery.model == "gel"
    assert there.load == load_site("cabin").load
    assert set(yaml.safe_load(file.read_text(encoding="utf-8"))) == {
        "name", "start", "seed", "location", "sky", "weather", "array", "controller", "battery", "load",
    }  # fmt: skip


def test_with_a_target_only_what_the_search_needs_is_run(call, results):
    code, out, err = call(*SWEEP, "--no-outage-in", "0.9", *results)
    assert code == 0, err
    searched = len(re.findall(r"^ *(?:95|200) W +\d+ Ah ", out, re.MULTILINE))
    assert 1 <= searched < 4
    best = re.search(r"The cheapest that will do: .*", out)
    _, whole, _ = call(*SWEEP, "--no-outage-in", "0.9", "--grid", *results)
    assert best is not None
    assert best[0] in whole


def test_a_target_that_nothing_reaches_gives_the_nearest(call, results):
    code, out, err = call("size", "cabin", *QUICK, "--pv", "50,60", "--lolp", "0.001", *results)
    assert code == 2, err
    assert (
        "None of these designs will do (LOLP at most 0.1 %). The nearest: PV 60 W; outages in 2 of 2 years"
        in out
    )


def test_sites_stand_side_by_side_with_what_is_overridden_in_all(call, results):
    code, out, err = call("size", "cabin", "repeater", *QUICK, "--override", "load.scale=0.5", *results)
    assert code == 0, err
    assert re.search(r"^ *Cabin .*\n *Repeater ", out, re.MULTILINE)
    assert "Cabin as it is (95 W, 100 Ah)" in out
    assert "Repeater as it is" in out
    assert (
        out.count("; to see it, size that site alone with --write FILE, then:\n  tracertwin run FILE ") == 2
    )
    assert "once --write" not in out


@pytest.mark.parametrize(("target", "code"), [((), 0), (("--no-outage-in", "1"), 1), (("--lolp", "0.5"), 0)])
def test_a_site_that_misses_the_target_that_was_asked_for_is_a_bad_result(
    call, results, tmp_path, target, code
):
    one = ("--override", "array.parallel=1", "--override", "battery.capacity_ah=30")
    got, out, err = call("size", "cabin", *QUICK, *one, *target, *results)
    assert got == code, err
    assert ("  No: " in out) is (target != ("--lolp", "0.5"))
    table = tmp_path / "sites.csv"
    table.write_text("site,battery.capacity_ah\ncabin,30\ncabin,1000\n", encoding="utf-8")
    assert call("size", str(table), *QUICK, *target, *results)[0] == code


def test_the_load_that_is_carried_and_what_a_tenth_changes(call, results):
    code, out, err = call("size", "cabin", *QUICK, "--solve", "load", "--sensitivity", *results)
    assert code == 0, err
    assert re.search(r"Cabin as it is carries 0\.\d+ times its load, that is \d+ Wh a day", out)
    for what in ("irradiance", "load", "battery capacity", "prices"):
        assert re.search(rf"^ *{what}, less ", out, re.MULTILINE)


def test_the_table_fits_a_narrow_terminal(call, results):
    code, out, _ = call(*SWEEP, *results, columns=60)
    assert code == 0
    table = out.partition("* no outage")[0]
    assert max(map(len, table.splitlines())) <= 60


# --- shares, places, files ---


def test_four_shares_in_any_order_one_twice_merge_into_the_table_of_one_run(call, tmp_path):
    alone, merged = tmp_path / "alone.csv", tmp_path / "merged.csv"
    code, _, err = call(*SWEEP, "--jobs", "1", "--results", str(tmp_path / "a"), "--out", str(alone))
    assert code == 0, err
    shared = ["--results", str(tmp_path / "b")]
    for number in (4, 2, 2, 1):
        code, out, err = call(*SWEEP, "--shard", f"{number}/4", *shared)
        assert code == 0, err
        assert f"share {number} of 4" in out
    code, _, err = call(*SWEEP, "--merge", *shared, "--out", str(merged))
    assert code == 2
    assert re.search(r"lacks 1 of the 5 results of Cabin: run the missing shares with the same options", err)
    assert not merged.exists()
    call(*SWEEP, "--shard", "3/4", *shared)
    code, _, err = call(*SWEEP, "--merge", *shared, "--out", str(merged))
    assert code == 0, err
    assert merged.read_bytes() == alone.read_bytes()


def done_in(folder: Path) -> list[Path]:
    """The results that are there, without those that are being written."""
    return sorted(path for path in folder.rglob("*.figures") if not path.name.startswith("."))


def test_a_killed_share_and_a_file_cut_off_lose_nothing_that_was_done(tmp_path):
    """Killed without warning in the middle of its work; one of its files loses its end; the same command goes on."""
    folder = tmp_path / "results"
    sweep = [
        *COMMAND, "size", "cabin", "--override", "load.scale=0.3", "--years", "5", "--step", "1h", "--battery",
        "50:400:5", "--results", str(folder), "--out", str(tmp_path / "all.csv"),
    ]  # fmt: skip
    process = subprocess.Popen(sweep, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert until(lambda: len(done_in(folder)) >= 3, 120.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = done_in(folder)
    assert 3 <= len(kept) < 71
    kept[0].write_bytes(kept[0].read_bytes()[:-100])
    merged = subprocess.run([*sweep, "--merge"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert merged.returncode == 2
    assert re.search(
        rf"lacks {71 - len(kept) + 1} of the 71 results of Cabin, 1 of them cut off", merged.stderr
    )
    times = {path: path.stat().st_mtime_ns for path in kept[1:]}
    again = subprocess.run(sweep, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert len(rows_of(tmp_path / "all.csv")) == 71


def test_ctrl_c_says_that_the_same_command_goes_on(tmp_path):
    folder = tmp_path / "results"
    sweep = [*COMMAND, "size", "cabin", "--years", "20", "--battery", "50:400:5", "--results", str(folder)]
    process = subprocess.Popen(sweep, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert until(lambda: bool(done_in(folder)), 120.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"stopped; results so far are in {folder}; run the same command again to continue" in err
    assert "Traceback" not in err


def test_places_out_of_a_table_have_a_line_and_rows_each(call, results, tmp_path):
    table, out = tmp_path / "sites.csv", tmp_path / "all.parquet"
    table.write_text(
        "site,name,location.latitude_deg,sky.clearness\ncabin,Alps,,\ncabin,South,38,0.55\n", encoding="utf-8"
    )
    code, told, err = call(
        "size", str(table), *QUICK, "--pv", "95,200", "--battery", "60,120", "--out", str(out), *results
    )
    assert code == 0, err
    assert [line.partition(":")[0] for line in told.splitlines()] == ["Alps", "South"]
    import pandas as pd

    frame = pd.read_parquet(out)
    assert frame["site"].tolist() == ["Alps"] * 4 + ["South"] * 4
    assert (frame["lpsp"][4:].to_numpy() <= frame["lpsp"][:4].to_numpy()).all()


# --- bad input: one line, exit 2 ---


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cabin", "--pv", "400:200"], "--pv: '400:200' ends before it begins; write 200:400"),
        (["cabin", "--pv", ""], "--pv: '' has an empty value in it"),
        (["cabin", "--battery", "100,100"], "--battery: '100,100' has 100 twice"),
        (["cabin", "--battery", "agm"], "--battery: must be numbers above 0, got 'agm'"),
        (["cabin", "--vary", "battery.sco=1:3"], "--vary: unknown key sco of battery (did you mean soc?)"),
        (["cabin", "--vary", "foo=1"], "--vary: unknown key foo; known: location, sky, weather, name"),
        (["cabin", "--vary", "array=1"], "--vary array=1: must be a mapping of keys to values, got 1"),
        (["cabin", "--vary", "name=1"], "--vary name=1: input should be a valid string, got 1"),
        (
            ["cabin", "--vary", "array.parallel=1.5"],
            "--vary array.parallel=1.5: input should be a valid integer",
        ),
        (["cabin", "--pv", "1", "--vary", "array.parallel=1:2"], "both say how many modules there are"),
        (
            ["cabin", "--shard", "5/4", "--results", "r"],
            "--shard: must be i/N with i from 1 to N, as in 2/4, got '5/4'",
        ),
        (["cabin", "--shard", "1/4"], "--shard: needs --results DIR"),
        (["cabin", "--merge"], "--merge: needs --results DIR"),
        (
            ["cabin", "--step", "7min"],
            "--step: a sizing run's step must be whole minutes that divide an hour",
        ),
        (["cabin", "--lolp", "2"], "must be a number from 0 to 1, got '2'"),
        (["cabin", "--out", "all.txt"], "all.txt: must end in .csv, .parquet"),
        (["nowhere"], "nowhere: not one of the sites"),
        (
            ["cabin", "--override", "battery.soc=2"],
            "--override battery.soc=2: input should be less than or equal to 1",
        ),
    ],
)
def test_bad_input_is_one_clear_line(call, arguments, told):
    code, out, err = call("size", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,battery.soc\nHut,0.5\n", "sites.csv:1: lacks the column site"),
        (
            "site,battery.sco\ncabin,0.5\n",
            "sites.csv:1: battery.sco: unknown key sco of battery (did you mean soc?)",
        ),
        ("site,battery.soc\ncabin,0.5,3\n", "sites.csv:2: has 3 cells for 2 columns"),
        (
            "site,battery.soc\ncabin,1.5\n",
            "sites.csv:2 battery.soc=1.5: input should be less than or equal to 1",
        ),
        ("site,battery.soc\n,0.5\n", "sites.csv:2: site: missing"),
        ("site,battery.soc\n", "sites.csv: has no places"),
        ("", "sites.csv:1: lacks the column site"),
    ],
)
def test_a_table_of_places_that_can_not_be_used_is_told_by_its_line(call, tmp_path, monkeypatch, text, told):
    monkeypatch.chdir(tmp_path)
    Path("sites.csv").write_text(text, encoding="utf-8")
    code, out, err = call("size", "sites.csv")
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_sizing_is_not_loaded_where_nobody_sizes():
    code = "import sys, tracertwin.cli.main; print([m for m in sys.modules if 'sizing' in m or m == 'distributed'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["cabin", "repeater", "--write", "both.yaml"], "--write: writes one site; 2 are given"),
        (
            ["mine.yaml", "--write", "mine.yaml"],
            "--write: mine.yaml is the site itself; write to another file",
        ),
        (["cabin", "--write", "mine.txt"], "--write: mine.txt: must end in .yaml, .yml"),
    ],
)
def test_a_design_is_not_written_over_what_it_is_made_of(call, tmp_path, monkeypatch, arguments, why):
    monkeypatch.chdir(tmp_path)
    before = (ROOT / "config" / "sites" / "cabin.yaml").read_text(encoding="utf-8")
    Path("mine.yaml").write_text(before, encoding="utf-8")
    assert refusal(call("size", *QUICK, *arguments)) == [why]
    assert Path("mine.yaml").read_text(encoding="utf-8") == before


def test_what_is_wrong_with_the_recommended_design_is_told_with_it(call, results):
    _, out, _ = call("size", "cabin", *QUICK, "--pv", "300", "--battery", "50", *results)
    assert re.search(
        r"The cheapest that will do: PV 300 W, battery 50 Ah; .*\n  wrong: charge rate: 23\.0 A, C/2\.2", out
    )


def test_results_are_kept_in_a_folder(call, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert refusal(call("size", "cabin", *QUICK, "--results", str(tmp_path / "taken"))) == [
        f"--results: {tmp_path / 'taken'} is a file, not a folder"
    ]
