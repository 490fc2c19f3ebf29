"""What is printed after a run: an account that closes, the months, the events."""

import io
import re
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console

from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report.account import account, leaves, missing_wh, moved_wh
from plant.report.periods import by_period
from plant.report.picture import picture
from plant.report.postslines import posts_lines
from plant.report.summary import BAR_WIDTH, account_table, print_summary
from plant.report.trace import Trace
from tests.plants import plant, site
from tracertwin.cli.runoptions import default_sample_s, parse_moment, parse_sample_s, parse_step_s

DAY = 86400


def run(p: Plant, days: float, sample_s: int = 600) -> tuple[Trace, Snapshot]:
    """A trace, and the snapshot before it."""
    before = p.snapshot
    rows = p.run(days * DAY, sample_s)
    return Trace(rows, p.site.location.timezone, p.events(), p.site.name), before


def printed(p: Plant, trace: Trace, before: Snapshot) -> str:
    """The summary as a plain terminal of 80 columns shows it."""
    out = io.StringIO()
    print_summary(p, trace, before, Console(file=out, width=80, highlight=False, soft_wrap=True))
    return out.getvalue()


@pytest.fixture(scope="module")
def dull() -> tuple[Plant, Trace, Snapshot]:
    """Fifty days of a cabin in November whose battery begins nearly empty."""
    p = plant(seed=27, start_utc_s=1_793_487_600, battery={"soc": 0.2})
    return p, *run(p, 50)


@pytest.mark.parametrize(
    "changes",
    [{}, {"battery": {"soc": 0.2}}, {"battery": {"cable_ohm": 0.05}}, {"sky": {"clearness": None}},
     {"upsets": ({"name": "battery_aged", "after": "2h"},)}],
    ids=["as it is", "nearly empty", "a thin cable", "a clear sky", "a battery that ages at once"],
)  # fmt: skip
def test_the_parts_of_the_account_add_up_to_the_whole(changes):
    p = plant(seed=27, **changes)
    _, before = run(p, 1.2)
    flows = account(before, p.snapshot)
    assert abs(missing_wh(flows)) < 2e-8 * moved_wh(flows)
    assert flows[0].wh == p.snapshot.e_available_wh > 300.0


def test_each_flow_begins_where_the_one_before_it_ends_and_the_first_part_where_its_whole_does(dull):
    p, _, before = dull
    flows = account(before, p.snapshot)
    for first, second in pairwise(flows):
        if second.depth > first.depth:
            assert second.begins_wh == first.begins_wh
        if second.depth == first.depth:
            assert second.begins_wh == first.begins_wh + first.wh
    last = leaves(flows)[-1]
    assert last.begins_wh + last.wh == pytest.approx(flows[0].wh, abs=1e-3)


def test_bars_stay_in_their_column_whatever_the_battery_gave(dull):
    """A battery that was emptied gives more than the array: its bar leads back."""
    p = plant(seed=27, start_utc_s=1_793_487_600, sky={"clearness": (0.3,) * 12})
    _, before = run(p, 2.0)
    assert p.snapshot.e_batt_wh < 0.0
    flows = account(before, p.snapshot)
    bars = list(account_table(flows, 0.0).columns[3].cells)
    assert all(len(str(bar)) <= BAR_WIDTH for bar in bars)
    assert any("░" in str(bar) for bar in bars)


def test_a_run_by_night_is_summed_up_too():
    p = plant(start_utc_s=1_771_545_600)
    trace, before = run(p, 0.1)
    text = printed(p, trace, before)
    assert re.search(r"^available PV energy +0\.0", text, re.MULTILINE)
    assert "nan" not in text


def test_the_summary_fits_80_columns(dull):
    assert max(map(len, printed(*dull).splitlines())) <= 80


def test_the_months_of_a_long_run_add_up_to_the_run(dull):
    p, trace, before = dull
    text = printed(p, trace, before)
    assert re.findall(r"^(20\d\d-\d\d) ", text, re.MULTILINE)[:2] == ["2026-11", "2026-12"]
    for period in ("day", "month", "year"):
        totals = by_period(trace, period)
        assert totals["e_load_wh"].sum() == pytest.approx(p.snapshot.e_load_wh, rel=1e-9)
        assert totals["e_unserved_wh"].sum() == pytest.approx(p.snapshot.e_unserved_wh, rel=1e-9)
    assert len(by_period(trace, "day")) == 50


def test_the_months_count_what_hangs_on_the_battery_as_well_as_the_load_output():
    """The output has no demand at all; the inverter trips on the first hour of each day."""
    house = {"inverter": {"rated_w": 200.0}, "demand": {"hourly_w": (500.0,) + (20.0,) * 23}}
    there = site(load={"scale": 0.0}, battery={"soc": 1.0, "capacity_ah": 300.0, "loads": (house,)})
    p = Plant.new(there, 1, 1_780_264_800, "sizing", 3600)  # the first of June
    text = printed(p, *run(p, 46, 3600))
    lost_wh, served_wh = p.snapshot.e_inverter_unserved_wh, p.snapshot.e_inverter_wh
    assert lost_wh > 5000.0
    months = re.findall(r"^2026-0[67] +\d+ +\S+ +\S+ +(\S+) +(\S+) +(\S+) +(\d+)", text, re.MULTILINE)
    assert len(months) == 2
    load, missing, share, hours = (np.array([float(month[k]) for month in months]) for k in range(4))
    assert load.sum() == pytest.approx(served_wh / 1e3, abs=0.11)
    assert missing.sum() == pytest.approx(lost_wh / 1e3, abs=0.11)
    assert share == pytest.approx(100.0 * load / (load + missing), abs=0.3)
    assert hours.sum() == 2 * 46, "it comes back half a minute into the hour after"
    assert "load and not served: at the load output and at the battery together" in text


def test_hours_without_load_are_those_with_the_switch_open(dull):
    """The cabin always asks for something."""
    _, trace, _ = dull
    off_h = float(np.sum(trace["load_on"] == 0)) / 6.0
    assert off_h > 20.0
    switched = np.count_nonzero(np.diff(trace["load_on"]))
    assert by_period(trace, "year")["unserved_h"].sum() == pytest.approx(off_h, abs=switched / 6.0)


def test_what_matters_is_told_and_the_rest_is_counted(dull):
    text = printed(*dull)
    assert re.search(r"load: on to low voltage: low-voltage disconnect", text)
    assert re.search(r"^  charge +none to bulk \d+", text, re.MULTILINE)
    assert "daylight: day to night: dusk" not in text


def test_upsets_are_told_when_they_begin_and_end():
    upsets = (
        {"name": "battery_high_resistance", "after": "2h", "lasts": "1h", "values": {"ohm": 0.05}},
        {"name": "string_open", "after": "3d"},
    )
    p = plant(upsets=upsets)
    told = re.findall(r"(\d\d:\d\d):\d\d +(upset: .*|mended: .*)", printed(p, *run(p, 0.3)))
    assert told == [
        ("12:00", "upset: battery_high_resistance (ohm 0.05)"),
        ("13:00", "mended: battery_high_resistance"),
    ]


def test_health_is_told_of_a_battery_that_ages():
    p = plant(battery={"ageing": "weighted_ah", "health": 0.9})
    assert re.search(r"health +(89\.\d|90\.0) % of the new capacity", printed(p, *run(p, 1.5)))
    p = plant()
    assert "health" not in printed(p, *run(p, 0.1))


def test_a_long_run_is_drawn_as_bars_that_stack_up_to_what_the_array_could_give(dull):
    _, trace, _ = dull
    chart = picture(trace).to_dict()
    assert len(chart["vconcat"]) == 4
    bars = chart["datasets"][chart["vconcat"][0]["data"]["name"]]
    tops: dict[str, float] = {}
    for bar in bars:
        tops[bar["from"]] = max(tops.get(bar["from"], 0.0), bar["high"])
    days = list(by_period(trace, "day")["e_available_wh"])
    assert list(tops.values()) == pytest.approx([*days, days[-1]], abs=1e-3), "the last one up to its end"


def test_steps_samples_and_moments_are_read():
    assert parse_step_s("15min", "sizing") == 900
    assert parse_step_s("5s", "detailed") == 5
    assert parse_sample_s("1h", 900) == 3600
    begins, ends = 1_771_581_600, 1_771_632_000
    assert parse_moment("2026-02-20T12:00:13", "UTC", begins, ends, 5) == 1_771_588_810
    assert parse_moment("2026-02-20T12:07", "UTC", begins, ends, 900) == 1_771_588_800
    assert [default_sample_s(days, step) for days, step in ((1, 5), (365, 60), (365, 3600), (3650, 60))] == [
        60, 600, 3600, 3600,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fidelity"), [("60s", "detailed"), ("90s", "sizing"), ("7min", "sizing"), ("2h", "sizing")]
)
def test_a_step_that_a_run_cant_have_is_refused(text, fidelity):
    with pytest.raises(ValueError, match=f"got {text}"):
        parse_step_s(text, fidelity)


@pytest.mark.parametrize(
    ("text", "step_s"), [("7s", 5), ("2.5s", 5), ("0s", 5), ("7h", 3600), ("60s", 900), ("2d", 5)]
)
def test_samples_that_dont_fit_step_or_day_are_refused(text, step_s):
    with pytest.raises(ValueError, match=f"multiple of {step_s} s.* got {text}"):
        parse_sample_s(text, step_s)


@pytest.mark.parametrize("text", ["2026-02-20T10:00", "2026-02-21T10:05", "2025-02-20T12:00"])
def test_a_moment_outside_of_the_run_is_refused(text):
    with pytest.raises(ValueError, match="is outside the run"):
        parse_moment(text, "UTC", 1_771_581_600, 1_771_581_600 + DAY, 5)


def test_what_hangs_on_the_battery_has_a_line_each():
    """Hours, starts, energy and fuel of a charger; what an inverter served, lost and left out."""
    there = {
        "loads": [
            {"inverter": {"rated_w": 500.0, "idle_w": 4.0}, "demand": {"hourly_w": (900.0,) + (90.0,) * 23}}
        ],
        "chargers": [
            {
                "name": "generator",
                "current_a": 10.0,
                "voltage_v": 14.4,
                "hours": [[8, 10]],
                "fuel_idle_l_h": 0.5,
            }
        ],
    }
    p = plant(battery={**there, "soc": 0.9, "capacity_ah": 400.0}, start="2026-02-20T00:00")
    before = p.snapshot
    p.run(86400, 900)
    inverter, charger = posts_lines(p, before)
    served, lost, left = (float(number.replace(",", "")) for number in re.findall(r"[\d,.]+\d", inverter))
    assert (
        inverter
        == f"inverter {served:,.0f} Wh served, {lost:.0f} Wh lost in it; {left:.2f} % of its demand not served"
    )
    assert served == pytest.approx(90.0 * 23, abs=2.0)  # the first hour is an overload, but for five seconds
    assert lost == pytest.approx(4.0 * 23 + 90.0 * 23 * (1.0 / 0.9 - 1.0), abs=2.0)
    assert left == pytest.approx(100.0 * 900.0 / (900.0 + 90.0 * 23), abs=0.1)
    assert charger.startswith("charger  generator: 2.0 h in 1 start, ")
    assert charger.endswith(" into the battery, 1.0 l of fuel")
    assert not list(posts_lines(plant(), before))
