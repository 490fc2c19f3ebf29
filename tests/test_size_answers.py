"""Answers of `tracertwin size` that say what is so: with generators, without need, without a load; places, files."""

import re
from pathlib import Path

import pytest
import yaml

from plant.site.model import load_site
from tests.command import CABIN, refusal

QUICK = ("--years", "2", "--step", "1h")
FIRST_TRY = ("--years", "1", "--step", "1h")


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> list[str]:
    """One folder for all: what one has computed, the others find."""
    return ["--results", str(tmp_path_factory.mktemp("results"))]


@pytest.fixture
def site_of(tmp_path):
    """A file of the cabin with other values for some of its keys."""

    def written(**changes) -> str:
        data = yaml.safe_load(CABIN)
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        file = tmp_path / f"{changes.get('name', 'mine')}.yaml"
        file.write_text(yaml.safe_dump(data), encoding="utf-8")
        return str(file)

    return written


# --- the cheapest that will do ---


def test_the_cheapest_is_found_though_more_modules_keep_a_generator_from_starting(call, results, site_of):
    generator = {
        "name": "generator", "current_a": 20, "voltage_v": 28.4, "start_below_soc": 0.4, "stop_above_soc": 0.95,
        "hours": [[17, 20]],
    }  # fmt: skip
    site = site_of(
        array={"series": 2}, controller={"battery_type": "lifepo4_8s"}, load={"hourly_w": [45] * 24},
        battery={"model": "lifepo4", "capacity_ah": 50, "system_v": 24, "chargers": [generator]},
    )  # fmt: skip
    sweep = ("size", site, *QUICK, "--pv", "50,100,200,600", "--no-outage-in", "1")
    code, out, err = call(*sweep, *results)
    assert code == 0, err
    assert "The cheapest that will do: PV 50 W; no outage in 2 years" in out
    _, whole, _ = call(*sweep, "--grid", *results)
    assert whole.partition("The cheapest")[2] == out.partition("The cheapest")[2]


def test_a_site_that_will_do_as_it_is_is_not_sold_a_dearer_design(call, results, tmp_path):
    sweep, file = (
        ("size", "cabin", *FIRST_TRY, "--override", "array.parallel=4", *results),
        tmp_path / "best.yaml",
    )
    code, out, err = call(*sweep, "--pv", "500,600", "--write", str(file))
    assert code == 0, err
    assert "  Yes: no outage in 1 year; " in out
    best = "The cheapest that will do: the site as it is, 942 EUR over 20 years; none of these is cheaper; "
    assert f"{best}the cheapest is PV 500 W (+23 EUR)" in out
    assert load_site(str(file)).array.parallel == 4
    table = tmp_path / "sites.csv"
    table.write_text("site\ncabin\n", encoding="utf-8")
    code, out, err = call("size", str(table), *sweep[2:], "--pv", "500,600")
    assert code == 0, err
    assert "Cabin: as it is, 380 W, 100 Ah; no outage in 1 year; 942 EUR" in out


def test_the_site_as_it_is_is_the_cheapest_where_none_of_the_designs_will_do(call, results):
    code, out, err = call(
        "size", "cabin", *FIRST_TRY, "--override", "array.parallel=4", "--pv", "50,60", *results
    )
    assert code == 0, err
    assert "the site as it is, 942 EUR over 20 years; none of the other designs will do" in out


def test_what_would_do_says_what_the_design_check_calls_wrong_with_it(call, results):
    code, out, err = call("size", "cabin", *FIRST_TRY, "--override", "battery.capacity_ah=40", *results)
    assert code == 0, err
    assert "325 W (+179 EUR; wrong: charge rate) would do" in out


# --- the load ---


def test_without_a_load_there_is_nothing_to_scale(call, results):
    code, out, err = call(
        "size", "cabin", *FIRST_TRY, "--override", "load.scale=0", "--solve", "load", *results
    )
    assert code == 0, err
    assert "  Cabin as it is has no load, so there is nothing to scale\n" in out


def test_a_load_that_is_far_below_what_a_plant_carries_is_told_as_the_least_it_carries(call, results):
    little = ("--override", "load.scale=0.001", "--solve", "load")
    code, out, err = call("size", "cabin", *FIRST_TRY, *little, *results)
    assert code == 0, err
    assert re.search(r"  Cabin as it is carries at least 16 times its load, that is \d+ Wh a day \(", out)


# --- what a key's limit does not allow ---


def test_a_load_is_made_as_large_as_its_scale_may_be_and_no_larger(call, results, site_of):
    there = site_of(load={"hourly_w": [0.001] * 24, "scale": 800})
    code, out, err = call("size", there, *FIRST_TRY, "--solve", "load", *results)
    assert code == 0, err
    assert "carries at least 1.25 times its load, that is 24 Wh a day" in out  # 1000 / 800, by steps of 1.4 %


def test_a_tenth_more_than_a_key_allows_is_left_out_and_the_rest_is_told(call, results, site_of, tmp_path):
    there, page = site_of(sky={"irradiance_scale": 1.45}, load={"scale": 0.01}), tmp_path / "page.html"
    code, out, err = call("size", there, *FIRST_TRY, "--sensitivity", "--report", str(page), *results)
    assert code == 0, err
    assert re.findall(r"^(\w[\w ]+), (less|more)", out, re.MULTILINE) == [
        ("irradiance", "less"), ("load", "less"), ("load", "more"), ("battery capacity", "less"),
        ("battery capacity", "more"), ("prices", "less"), ("prices", "more"),
    ]  # fmt: skip
    told = page.read_text(encoding="utf-8")
    assert "irradiance -10 %" in told
    assert "irradiance +10 %" not in told
    assert "A tenth less or more light" not in told


def test_more_strings_than_may_be_are_no_help_and_no_end_to_the_answer(call, results, site_of):
    there = site_of(array={"parallel": 900}, load={"hourly_w": [5000] * 24})
    code, out, err = call("size", there, *FIRST_TRY, *results)
    assert code == 0, err
    assert "  No: " in out


# --- places ---


def test_more_years_than_a_place_has_are_told_by_its_row_before_any_place_runs(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sites.csv").write_text("site\ncabin\nbench\n", encoding="utf-8")
    (told,) = refusal(call("size", "sites.csv", *QUICK))
    assert told.startswith("sites.csv:3: ")
    assert told.endswith(
        "bench_lamp.csv: holds no whole calendar year with 90 days before it; set weather.repeat: true"
    )
    (told,) = refusal(call("size", "cabin", "bench", *QUICK))
    assert told.startswith("bench: ")


def test_a_site_that_is_not_there_is_told_by_its_cell(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sites.csv").write_text("site\ncabin\nnosuch\n", encoding="utf-8")
    (told,) = refusal(call("size", "sites.csv", *QUICK))
    assert told.startswith("sites.csv:3: site: nosuch: not one of the sites")


def test_what_is_wrong_in_every_row_is_told_once(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sites.csv").write_text("site\ncabin\nrepeater\n", encoding="utf-8")
    assert refusal(call("size", "sites.csv", "--vary", "array.parallel=1.5")) == [
        "sites.csv:2: --vary array.parallel=1.5: input should be a valid integer, got 1.5"
    ]


# --- files and options ---


def test_a_folder_for_a_file_is_refused_before_anything_runs(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("o.csv").mkdir()
    Path("o.html").mkdir()
    assert refusal(call("size", "cabin", "--out", "o.csv")) == ["--out: o.csv: is a folder"]
    assert refusal(call("size", "cabin", "--report", "o.html")) == ["--report: o.html: is a folder"]


def test_the_answer_is_printed_before_files_are_written(call, results, monkeypatch, tmp_path):
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.cli import sizework

    def fail(path, _rows) -> None:
        raise ProblemsError([Problem(str(path), 0, "", "disk full")])

    monkeypatch.setattr(sizework, "write_rows", fail)
    code, out, err = call("size", "cabin", *FIRST_TRY, "--out", str(tmp_path / "o.csv"), *results)
    assert (code, err.count("disk full")) == (2, 1)
    assert "Cabin as it is" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--pv", "100", "--pv", "200"], "--pv: is given 2 times; give all values at once: --pv 100,200"),
        (
            ["--battery", "100", "--battery", "200"],
            "--battery: is given 2 times; give all values at once: --battery 100,200",
        ),
        (
            ["--override", "load.scale=1", "--override", "load.scale=2"],
            "--override: load.scale is given twice: 1 and 2",
        ),
        (
            ["--vary", "costs.currency=EUR,USD"],
            "--vary: costs.currency is what all designs have in common; use --override; costs in several can't be "
            "compared",
        ),
        (
            ["--shard", "1/2", "--merge", "--results", "r"],
            "--shard: does a share of the work, --merge answers when all are done; give one of them",
        ),
    ],
)
def test_what_can_only_be_a_slip_is_refused(call, arguments, told):
    assert refusal(call("size", "cabin", *arguments)) == [told]
