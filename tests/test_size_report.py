"""The report of a study: what it says, that it fits a telephone and one file, and what a browser makes of it."""

import os
import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import altair as alt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.base.problems import ProblemsError
from plant.kernel.flowtable import FLOWS
from plant.site.costs import Costs
from tests.weatheryears import made
from tracertwin.cli.main import main
from tracertwin.sizing.choosing.inquiry import Answer, inquiry_of
from tracertwin.sizing.choosing.judged import Judged, judged
from tracertwin.sizing.choosing.search import front
from tracertwin.sizing.choosing.sensitivity import TENTH, Changed
from tracertwin.sizing.choosing.targets import lacking, met, targets_of
from tracertwin.sizing.figures.hours import YearHours
from tracertwin.sizing.figures.metrics import worst_year
from tracertwin.sizing.figures.monthly import MonthlyFigures, figures_of
from tracertwin.sizing.figures.printing import below_finest
from tracertwin.sizing.report.balance import BECAME, sensitivity
from tracertwin.sizing.report.document import document, write_report
from tracertwin.sizing.report.reasons import headline, what_would_change_it, why
from tracertwin.sizing.report.seasons import WEEKS_H, worst_weeks
from tracertwin.sizing.report.study import Study
from tracertwin.sizing.report.tables import front_table, sensitivity_table
from tracertwin.sizing.report.tradeoffs import best_of, evenly, heat_map, pareto
from tracertwin.sizing.sweep.stepbounds import bound_told
from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis

YEARS, YEAR_H = 5, 8760
MOST_BYTES = 1_500_000
CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = os.environ.get("TRACERTWIN_REQUIRE_CHROMIUM") == "1"
STEADY = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
AXES = (Axis(PV, (100, 200, 300), "--pv"), Axis(BATTERY, (50, 100, 150, 200), "--battery"))


def year(number: int, lack: float) -> YearHours:
    """A made-up year: days of sun, a load, and dark weeks in which a share of it is not served."""
    rng = np.random.default_rng(number)
    hour = np.arange(YEAR_H)
    season = 0.5 - 0.5 * np.cos(2.0 * np.pi * hour / YEAR_H)
    height = np.maximum(np.sin(2.0 * np.pi * (hour % 24 - 6) / 24), 0.0)
    sun = height * (0.2 + season) * rng.gamma(4.0, 20.0, YEAR_H)
    demand = np.full(YEAR_H, 10.0)
    first = 7900 + 24 * number
    dark = (hour >= first) & (hour < first + lack * 300)
    unserved = np.where(dark, demand, 0.0)
    soc = np.clip(0.55 + 0.4 * season - 0.5 * dark + 0.04 * np.sin(2.0 * np.pi * hour / 24), 0.03, 1.0)
    return made(
        YEAR_H, e_available_wh=sun, e_untaken_full_wh=0.5 * sun, e_pv_wh=0.5 * sun, e_load_wh=demand - unserved,
        e_unserved_wh=unserved, poa_w_m2=10.0 * sun, soc=soc, stage=np.ones(YEAR_H),
    )  # fmt: skip


@cache
def years_of(lack: float) -> tuple[YearHours, ...]:
    return tuple(year(number, lack) for number in range(YEARS))


@cache
def figures(lack: float) -> MonthlyFigures:
    return MonthlyFigures(np.stack([figures_of(hours, 0.05).table for hours in years_of(lack)]))


def lack_of(pv: float, ah: float) -> float:
    """How long the dark weeks are: more modules and more battery leave less of them."""
    return max(0.0, round(1.2 - pv / 250 - ah / 400, 2))


@cache
def study(lolp: float | None = 0.01, axes: tuple[Axis, ...] = AXES) -> Study:
    """Designs of which more serve more; the cheapest that meets the target is recommended."""
    targets = targets_of(lolp, None, None)
    inquiry = inquiry_of("cabin", {"name": "Hut <b> & sons"}, axes, YEARS, (7,), 900, targets)
    own = judged(inquiry.own, inquiry.years, figures(lack_of(95.0, 100.0)))
    designs = (own,)
    if axes:
        lacks = [lack_of(*design.values) for design in inquiry.designs]
        designs = tuple(
            judged(design, inquiry.years, figures(lack))
            for design, lack in zip(inquiry.designs, lacks, strict=True)
        )
    enough = [one for one in designs if met(targets, one.metrics)]
    best = min(enough, key=lambda one: one.cost) if enough else None
    nearest = best or min(designs, key=lambda one: lacking(targets, one.metrics))
    answer = Answer(inquiry, own, designs, best, nearest, tuple(front(designs)))
    lack = lack_of(*(nearest.design.values or (95.0, 100.0)))

    def with_lack(each: float) -> Judged:
        return judged(nearest.design, nearest.years, figures(max(0.0, lack + each)))

    changed = (
        Changed("load", -TENTH, with_lack(-0.1)),
        Changed("load", TENTH, with_lack(0.1)),
        Changed("battery capacity", -TENTH, with_lack(0.05)),
        Changed("battery capacity", TENTH, with_lack(-0.05)),
        Changed("prices", -TENTH, nearest.with_costs(nearest.costs)),
        Changed("prices", TENTH, nearest.with_costs(nearest.costs)),
    )
    command = "tracertwin size hut.yaml --pv 100:300:100 --battery 50:200:50 --lolp 0.01 --report out.html"
    return Study(
        (answer,),
        "No: it fails",
        "",
        years_of(lack),
        changed,
        "Off by less than 1 %.",
        command,
        "0.1.0",
    )


@cache
def page() -> str:
    return document(study())


def in_two_currencies() -> Study:
    """The study, and beside it the same site with prices of another country."""
    one = study().answer
    there = Costs(currency="KES", module_per_w=60.0)

    def priced(judged_one):
        site = judged_one.design.site.model_copy(update={"costs": there})
        return replace(judged_one.with_costs(there), design=replace(judged_one.design, site=site))

    designs = tuple(map(priced, one.designs))
    nearest = designs[one.designs.index(one.nearest)]
    other = Answer(one.inquiry, priced(one.own), designs, nearest, nearest, tuple(front(designs)))
    return replace(study(), answers=(one, other))


def test_costs_in_different_currencies_each_have_their_own_and_are_not_compared():
    both = in_two_currencies()
    assert both.chosen is study().chosen
    assert not both.comparable
    html = document(both)
    table = html.partition("What fewer outages cost")[2].partition("</section>")[0]
    assert " EUR" in table
    assert " KES" in table
    assert "<svg" not in table
    assert "Costs are in different currencies, so they are not compared." in table
    assert not any("the least of" in text for text in why(both))
    assert not any(text.endswith(("less.", "more.")) and "EUR" in text for text in what_would_change_it(both))


def test_the_headline_says_that_the_site_as_it_is_will_do_and_is_cheaper():
    answer = study().answer
    cheap = judged(answer.own.design, answer.own.years, figures(0.0)).with_costs(
        Costs(module_per_w=0.0, mounting_per_w=0.0, controller_per_a=0.0, battery_per_ah=0.5)
    )
    first, *_ = headline(replace(study(), answers=(replace(answer, own=cheap),)))
    assert first.startswith("Hut <b> & sons as it is will do, and nothing that will do is cheaper: ")


def test_what_load_is_carried_is_told_where_it_was_asked_for():
    told = "Hut as it is carries 1.2 times its load"
    assert f"{told}." in list(headline(replace(study(), load=told)))
    assert f"{told}." in list(headline(replace(study(axes=()), load=told)))


# --- the page ---


def test_the_page_has_all_that_a_decision_needs():
    headings = re.findall(r"<h2>(.*?)</h2>", page())
    assert headings == [
        "Why, and what would change it", "LOLP of each design", "What fewer outages cost", "A mean day of each month",
        "Charge over the year", "The worst two weeks", "What it depends on", "Where the energy goes", "All figures",
        "PVGIS&#x27;s numbers", "Design check", "Inputs",
    ]  # fmt: skip
    for text in (
        "will do: ", "as it is, 95 W, 100 Ah: No: it fails.", study().command, "seed 7", "steps of 15 min",
        "capacity_ah: ",
    ):  # fmt: skip
        assert text in page()


def test_the_page_is_one_file_without_scripts_or_addresses():
    assert len(page().encode()) <= MOST_BYTES
    assert "<script" not in page()
    addresses = set(re.findall(r"""(?:href|src|url)\s*[=(]\s*["']?([^"')\s>]+)""", page()))
    assert addresses == {"data:,"}


def test_a_name_is_text_whatever_it_has_in_it():
    assert "<title>Sizing of Hut &lt;b&gt; &amp; sons</title>" in page()
    assert "Hut <b>" not in page()


def test_the_same_study_is_the_same_file(tmp_path):
    first = page()
    write_report(tmp_path / "out.html", study())
    assert (tmp_path / "out.html").read_text(encoding="utf-8") == first


def test_every_chart_is_drawn_for_a_screen_and_for_a_telephone():
    assert page().count('<div class="wide"><svg') == page().count('<div class="narrow"><svg') == 7


def test_a_study_of_one_design_has_no_charts_of_many():
    alone = study(axes=())
    assert list(headline(alone)) == ["No: it fails"]
    headings = re.findall(r"<h2>(.*?)</h2>", document(replace(alone, changed=())))
    assert {"What fewer outages cost", "LOLP of each design", "What it depends on"} & set(headings) == set()


def test_a_report_that_can_t_be_written_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("tracertwin.sizing.report.document.document", lambda _: "a page")
    with pytest.raises(ProblemsError, match="cannot write"):
        write_report(tmp_path / "gone" / "out.html", study())


# --- what it says ---


def sentences(of: Study) -> list[str]:
    return [*why(of), *what_would_change_it(of)]


def test_of_several_sites_the_page_is_about_the_cheapest_that_meets_the_target_and_tables_all():
    dear, cheap = study(), study(axes=(Axis(PV, (300,), "--pv"), Axis(BATTERY, (50, 200), "--battery")))
    both = replace(dear, answers=(dear.answer, cheap.answer))
    assert both.chosen.cost == min(dear.chosen.cost, cheap.chosen.cost)
    assert front_table(both).count("<tr") == 3
    assert both.name(both.chosen).startswith("Hut <b> & sons, ")


def test_the_reason_names_the_target_the_value_and_the_cost():
    first = sentences(study())[0]
    assert first.startswith(f"{study().name(study().chosen)} meets the target, LOLP at most 1 %: its LOLP ")
    assert re.search(r"It costs [\d,]+ EUR over 20 years, the least of \d+ that do, out of 12\.$", first)


def test_it_says_what_a_little_less_would_save_and_which_input_would_spoil_it():
    texts = "\n".join(sentences(study()))
    assert re.search(r"would do if LOLP of [\d.]+ % were enough: \d+ EUR less", texts)
    assert re.search(r"With 10 % more load it would miss the target: LOLP [\d.]+ %", texts)


def test_a_target_that_no_design_meets_is_told_with_the_nearest():
    few = study(lolp=1e-6, axes=(Axis(PV, (100,), "--pv"), AXES[1]))
    assert next(headline(few)).startswith("None of 4 designs will do; 100 W, 200 Ah comes nearest: ")
    assert sentences(few)[0].startswith("None of 4 designs meets the target, LOLP at most 0.0001 %.")


def test_what_a_little_less_would_save_is_told_by_the_target_that_it_misses():
    """The loss of both is told alike by so few years; what tells them apart is the years without an outage."""
    rare = study(lolp=None, axes=(Axis(PV, (100, 297, 300), "--pv"), Axis(BATTERY, (1,), "--battery")))
    missed, chosen = rare.designs[1:]
    assert below_finest(missed.metrics["lolp"])
    assert (rare.meets(missed), rare.chosen) == (False, chosen)
    (saving,) = [text for text in sentences(rare) if "were enough" in text]
    assert saving.startswith("297 W, 1 Ah would do if no outage in 0 % of years were enough: ")
    assert "LOLP" not in saving


def test_tables_show_what_tells_a_design_that_will_do_from_one_that_will_not():
    for target in (0.01, None):
        one = study(lolp=target)
        for made_table in (front_table(one), sensitivity_table(one)):
            heads = re.findall("<th>(.*?)</th>", made_table)
            assert ("years without outage" in heads) is (target is None)
            assert heads.count("LOLP") == 1


def test_without_a_limit_of_a_loss_the_target_is_years_without_an_outage():
    first = sentences(study(lolp=None))[0]
    assert re.search(r"the target, no outage in 95 % of years: .* of years without", first)


def test_where_no_input_brings_a_loss_the_page_shows_what_each_costs():
    lossless = study(axes=(Axis(PV, (300,), "--pv"), Axis(BATTERY, (400,), "--battery")))
    prices = tuple(row for row in lossless.changed if row.what == "prices")
    assert "life-cycle cost [EUR]" in sensitivity(replace(lossless, changed=prices)).to_json()
    assert "LOLP [%]" in sensitivity(study()).to_json()


# --- the command ---


def test_size_writes_the_page_with_the_command_that_makes_it_again(tmp_path, monkeypatch, capsys):
    path, kept = tmp_path / "out.html", tmp_path / "kept"
    words = [
        "size",
        "cabin",
        "--pv",
        "100,200",
        "--years",
        "1",
        "--step",
        "1h",
        "--results",
        kept,
        "--report",
        path,
    ]
    monkeypatch.setattr("sys.argv", ["tracertwin", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    text = path.read_text(encoding="utf-8")
    assert f"tracertwin size cabin --pv 100,200 --years 1 --step 1h --results {kept} --report {path}" in text
    told = re.search(r"The cheapest that will do: PV (\d+ W); .*; (\d+) EUR over", capsys.readouterr().out)
    assert told
    assert f"{told[1]} will do: " in text
    assert f"{told[2]} EUR over 20 years" in text


@pytest.mark.parametrize(
    ("name", "problem"), [("out.pdf", "must end in .html"), ("gone/out.html", "no such folder")]
)
def test_a_page_that_could_not_be_written_is_refused_before_anything_runs(
    tmp_path, monkeypatch, capsys, name, problem
):
    monkeypatch.setattr("sys.argv", ["tracertwin", "size", "cabin", "--report", str(tmp_path / name)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert problem in capsys.readouterr().err


# --- charts ---


def test_the_map_has_a_cell_for_each_design_and_frames_the_chosen_one():
    data = heat_map(study()).to_dict()["datasets"]
    (cells,) = [rows for rows in data.values() if len(rows) == 12]
    wanted = {(f"{pv} W", f"{ah} Ah") for pv, ah in product(AXES[0].values, AXES[1].values)}
    assert {(cell["across"], cell["up"]) for cell in cells} == wanted
    (framed,) = [cell for cell in cells if cell["chosen"]]
    assert study().name(study().chosen) == f"{framed['across']}, {framed['up']}"
    assert sum(cell["text"].startswith("✓") for cell in cells) == sum(map(study().meets, study().designs))


def test_a_large_sweep_is_thinned_in_its_charts_and_stays_a_small_file():
    pv, ah = tuple(range(50, 300, 10)), tuple(range(50, 175, 5))
    large = study(axes=(Axis(PV, pv, "--pv"), Axis(BATTERY, ah, "--battery")))
    assert len(large.designs) == 625
    cells = [rows for rows in heat_map(large).to_dict()["datasets"].values() if len(rows) > 2]
    assert 300 < len(cells[0]) <= 21 * 21
    assert sum(cell["chosen"] for cell in cells[0]) == 1
    with alt.data_transformers.enable("default", max_rows=None):
        (points,) = [rows for rows in pareto(large).to_dict()["datasets"].values() if len(rows) > 2]
    assert {point["name"] for point in points if point["front"]} == {
        large.name(one) for one in best_of(large)
    }
    assert len(points) < 400
    assert len(document(large).encode()) <= MOST_BYTES


@given(st.integers(1, 90), st.integers(2, 30), st.integers(0, 89))
def test_thinned_rows_keep_their_ends_and_what_has_to_be_there(number, most, kept):
    few = evenly(range(number), most, kept)
    assert len(few) <= most + 1
    assert {0, number - 1, *({kept} & set(range(number)))} <= set(few)


def test_a_single_thing_that_is_varied_makes_no_map():
    assert heat_map(study(axes=(AXES[0], Axis(BATTERY, (100,), "--battery")))) is None


def test_the_trade_off_has_a_point_for_each_design_and_the_front_that_the_table_has():
    data = pareto(study()).to_dict()["datasets"]
    (points,) = [rows for rows in data.values() if len(rows) == 12]
    on_front = {point["name"] for point in points if point["front"]}
    assert on_front == {study().name(one) for one in best_of(study())}
    assert 1 < len(on_front) < 12
    assert [point["name"] for point in points if point["chosen"]] == [study().name(study().chosen)]
    assert [row["limit"] for rows in data.values() for row in rows if "limit" in row] == [1.0]


def test_the_worst_two_weeks_are_those_of_whole_days_with_most_unserved():
    hours = study().hours[worst_year(study().chosen.figures)]
    sums = [hours.unserved_wh[k : k + WEEKS_H].sum() for k in range(0, YEAR_H - WEEKS_H + 1, 24)]
    found = worst_weeks(study())
    assert found.unserved_wh == pytest.approx(max(sums))
    assert found.unserved_wh > 0.0
    assert found.first_hour == 24 * int(np.argmax(sums))


def test_a_year_without_loss_shows_the_weeks_about_its_lowest_charge():
    lossless = study(axes=(Axis(PV, (300,), "--pv"), Axis(BATTERY, (200,), "--battery")))
    found = worst_weeks(lossless)
    lowest = int(np.argmin(lossless.hours[found.place].soc))
    assert found.unserved_wh == 0.0
    assert found.first_hour <= lowest < found.first_hour + WEEKS_H


def test_every_use_of_the_energy_has_its_bar():
    """The leaves of the account. Chargers are a source; what warming adds and fading takes is hardly anything."""
    left_out = {f"e_{name}_wh" for name in ("charger_1", "charger_2", "entropy", "faded")}
    told = [flow for flow in FLOWS if flow.depth >= 0]
    following = [*(flow.depth for flow in told[1:]), 0]
    ends = {f"e_{flow.name}_wh" for flow, after in zip(told, following, strict=True) if after <= flow.depth}
    bars = [name for names in BECAME.values() for name in names]
    assert len(bars) == len(set(bars))
    assert set(bars) == ends - left_out


# --- a browser ---


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; where it has to be there, a missing one is a failure."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if REQUIRED:
            raise
        pytest.skip("playwright is not installed: the report was seen by no browser")
    if not CHROMIUM.exists() and not REQUIRED:
        pytest.skip(f"no {CHROMIUM} (apt-get install chromium): the report was seen by no browser")
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=STEADY)
        yield launched
        launched.close()


@pytest.mark.parametrize(("name", "width"), [("screen", 1200), ("telephone", 390)])
def test_a_browser_shows_it_without_a_network_a_complaint_or_a_line_too_long(browser, tmp_path, name, width):
    path = tmp_path / "report.html"
    path.write_text(page(), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    seen = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    seen.on("console", lambda message: complaints.append(message.text))
    seen.on("pageerror", lambda error: complaints.append(str(error)))
    seen.on("request", lambda request: asked.append(request.url))
    seen.goto(path.as_uri())
    drawings = seen.locator("svg:visible")
    assert drawings.count() == 7
    for place in range(drawings.count()):
        box = drawings.nth(place).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] > 60
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    shot = tmp_path / f"{name}.png"
    seen.screenshot(path=shot, full_page=True)
    assert shot.stat().st_size > 20_000
    assert (asked, complaints) == ([path.as_uri()], [])
    context.close()


@pytest.mark.parametrize(
    ("step_s", "too_much"), [(60, "0.8 %"), (600, "5.2 %"), (1800, "6.3 %"), (3600, "9 %")]
)
def test_the_steps_error_says_of_which_plants_it_is_and_what_a_larger_array_adds(step_s, too_much):
    told = bound_told(step_s)
    assert "a year of the shipped sites was off by" in told
    assert f"above the controller's rating yields up to {too_much} too much" in told
