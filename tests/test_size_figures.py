"""A weather year in figures: hours, outages, days by PVGIS's definitions, months."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.controller.charger import Stage
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report.periods import by_period
from plant.report.trace import Trace
from plant.site.model import load_site
from tests.weatheryears import YEAR_UTC_S, made, samples
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.figures.hours import ACCOUNTS, COLUMNS, hours_of
from tracertwin.sizing.figures.metrics import metrics_of
from tracertwin.sizing.figures.monthly import FIGURES, NAMES, MonthlyFigures, figures_of
from tracertwin.sizing.figures.outages import outages_of
from tracertwin.sizing.figures.plantsize import size_of
from tracertwin.sizing.figures.pvgis import days_of
from tracertwin.sizing.figures.pvgismonths import pvgis_numbers
from tracertwin.sizing.sweep.designs import base_of
from tracertwin.sizing.sweep.evaluating import tables_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.vary import PV, Axis
from tracertwin.sizing.sweep.years import WeatherYear

HOUR = 3600
YEAR_H = 8760


def minute(t_utc_s: float) -> str:
    """Hour and minute of the first day, ``26:30`` on the second."""
    minutes = round((t_utc_s - YEAR_UTC_S) / 60.0)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def outage_list(served: list[float], unserved: list[float]) -> list[tuple[str, str]]:
    found = outages_of(made(len(served), e_load_wh=served, e_unserved_wh=unserved))
    return [(minute(a), minute(b)) for a, b in zip(found.begin_utc_s, found.end_utc_s, strict=True)]


# --- hours ---


def test_an_hour_is_what_the_accounts_grew_by_and_the_state_at_its_end():
    hours = made(3, e_load_wh=[1.0, 2.0, 3.0], soc=[0.9, 0.8, 0.7], stage=[1, 2, 4])
    assert hours["e_load_wh"].tolist() == [1.0, 2.0, 3.0]
    assert hours.soc.tolist() == [0.9, 0.8, 0.7]
    assert hours.stage.tolist() == [1, 2, 4]
    assert hours.t_utc_s.tolist() == [YEAR_UTC_S, YEAR_UTC_S + HOUR, YEAR_UTC_S + 2 * HOUR]


def test_demand_is_that_of_load_output_and_inverter_served_or_not():
    hours = made(1, e_load_wh=[1.0], e_inverter_wh=[2.0], e_unserved_wh=[4.0], e_inverter_unserved_wh=[8.0])
    assert (hours.demand_wh[0], hours.unserved_wh[0]) == (15.0, 12.0)


def test_the_irradiation_of_an_hour_is_the_mean_of_its_samples():
    quarters = samples(8, poa_w_m2=[0, 100, 200, 300, 400, 400, 0, 0], e_pv_wh=np.ones(8))
    quarters[:, 0] = YEAR_UTC_S + 900 * np.arange(9)
    hours = hours_of(quarters)
    assert hours.poa_wh_m2.tolist() == [150.0, 200.0]
    assert hours["e_pv_wh"].tolist() == [4.0, 4.0]


@pytest.mark.parametrize("interval_s", [0, 7000, 1234])
def test_samples_that_do_not_fill_hours_are_refused(interval_s):
    rows = samples(4)
    rows[:, 0] = YEAR_UTC_S + interval_s * np.arange(5)
    with pytest.raises(ValueError, match="samples must divide whole hours"):
        hours_of(rows)


# --- outages ---


def test_an_outage_begins_and_ends_at_the_minute_that_the_share_of_the_demand_tells():
    assert outage_list([10.0, 7.5, 0.0, 5.0, 10.0], [0.0, 2.5, 10.0, 5.0, 0.0]) == [("01:45", "03:30")]


def test_an_outage_within_an_hour_lies_at_its_end():
    assert outage_list([10.0, 6.0, 10.0], [0.0, 4.0, 0.0]) == [("01:36", "02:00")]


def test_hours_without_demand_do_not_end_an_outage_and_served_ones_do():
    dark_night = [0.0, 5.0, 0.0, 0.0, 5.0]
    assert outage_list([5.0, 0.0, 0.0, 0.0, 0.0], dark_night) == [("01:00", "05:00")]
    assert outage_list([5.0, 0.0, 1.0, 0.0, 0.0], dark_night) == [("01:00", "02:00"), ("04:00", "05:00")]


def test_an_outage_may_reach_over_both_ends_of_the_year():
    assert outage_list([0.0, 5.0, 0.0], [5.0, 0.0, 5.0]) == [("00:00", "01:00"), ("02:00", "03:00")]


@given(st.lists(st.sampled_from([(5.0, 0.0), (0.0, 5.0), (0.0, 0.0), (3.0, 2.0)]), min_size=1, max_size=60))
def test_outages_are_those_that_a_plain_loop_finds(hours):
    served, unserved = (list(column) for column in zip(*hours, strict=True))
    found = outages_of(made(len(hours), e_load_wh=served, e_unserved_wh=unserved))
    runs: list[list[int]] = []
    goes_on = False
    for k, (good, bad) in enumerate(hours):
        if bad:
            runs = [*runs, [k]] if not goes_on else [*runs[:-1], [*runs[-1], k]]
        goes_on = bool(bad) or (goes_on and not good)
    assert found.first_hour.tolist() == [run[0] for run in runs]
    assert found.unserved_wh == pytest.approx([sum(unserved[k] for k in run) for run in runs])
    for run, length_h in zip(runs, found.length_h, strict=True):
        assert run[-1] - run[0] - 1 < length_h <= run[-1] - run[0] + 1


# --- days as PVGIS counts them ---


def test_a_day_is_full_by_charge_or_by_what_it_refused_and_empty_by_what_it_lacked():
    soc = np.repeat([0.5, 0.5, 0.99, 0.5], 24)
    refused, unserved = np.zeros(96), np.zeros(96)
    refused[24:27] = 0.5
    unserved[72:74] = 0.6
    days = days_of(
        made(96, soc=soc, e_untaken_full_wh=refused, e_unserved_wh=unserved, e_load_wh=np.ones(96))
    )
    assert days.full.tolist() == [False, True, True, False]
    assert days.empty.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("soc", "tenth"), [(0.2, 0), (0.15, 0), (0.279, 0), (0.281, 1), (0.61, 5), (0.999, 9), (1.0, 9)]
)
def test_tenths_of_the_charge_go_from_the_cut_off_to_full(soc, tenth):
    assert days_of(made(24, soc=np.full(24, soc)), empty_soc=0.2).tenth.tolist() == [tenth]


def test_pvgis_s_energies_are_means_over_the_days_that_they_are_of():
    unserved, refused = np.zeros(YEAR_H), np.zeros(YEAR_H)
    unserved[[10, 34]] = 30.0, 50.0  # on two days of January
    refused[[5000, 5024, 5048]] = 60.0, 90.0, 30.0  # on three of July
    figures = figures_of(
        made(YEAR_H, e_load_wh=np.ones(YEAR_H), e_unserved_wh=unserved, e_untaken_full_wh=refused)
    )
    numbers = pvgis_numbers(MonthlyFigures(figures.table[None]))
    assert numbers.missed_wh[[0, 12]].tolist() == [40.0, 40.0]
    assert numbers.lost_wh[[6, 12]].tolist() == [60.0, 60.0]
    assert np.isnan(numbers.missed_wh[6])
    assert numbers.days_empty[[0, 12]] == pytest.approx([2 / 31, 2 / 365])
    assert numbers.days_full[[6, 12]] == pytest.approx([3 / 31, 3 / 365])
    assert numbers.delivered_wh[12] == pytest.approx(24.0)
    assert numbers.tenths.sum(axis=1) == pytest.approx(np.ones(13))


# --- months ---


@st.composite
def years(draw):
    """A year of random hours."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    hours = draw(st.sampled_from([YEAR_H, YEAR_H + 24]))
    columns = {name: rng.exponential(5.0, hours) for name in ACCOUNTS}
    columns["e_unserved_wh"] *= rng.random(hours) < 0.1
    columns["e_inverter_unserved_wh"] *= rng.random(hours) < 0.01
    return made(
        hours, **columns, soc=rng.random(hours), stage=rng.integers(0, 5, hours), poa_w_m2=rng.random(hours)
    )


@given(years())
def test_months_are_those_of_the_calendar_and_add_up_to_the_year(hours):
    figures = figures_of(hours)
    dates = pd.date_range(
        "2028-01-01" if hours.soc.size > YEAR_H else "2026-01-01", periods=hours.soc.size, freq="h"
    )
    for name, values in {
        "e_pv_wh": hours["e_pv_wh"],
        "demand_wh": hours.demand_wh,
        "soc_h": hours.soc,
    }.items():
        assert figures[name] == pytest.approx(pd.Series(values).groupby(dates.month).sum().to_numpy())
    for name in ACCOUNTS:
        assert figures.yearly(name) == pytest.approx(hours[name].sum())
    assert figures.yearly("hours") == hours.soc.size
    assert (
        sum(figures.yearly(f"days_tenth_{k}") for k in range(10))
        == figures.yearly("days")
        == hours.soc.size / 24
    )
    assert figures.yearly("drained") == 1.0 - hours.soc.min()


@given(years())
def test_outages_are_counted_once_in_the_month_in_which_they_begin(hours):
    figures, found = figures_of(hours), outages_of(hours)
    assert figures.yearly("outages") == found.first_hour.size
    assert figures.yearly("outage_h") == pytest.approx(found.length_h.sum())
    assert figures.yearly("longest_outage_h") == found.length_h.max()
    assert figures.yearly("first_outage_utc_s") == found.begin_utc_s[0]
    assert (figures["longest_outage_h"].max(), figures["first_outage_utc_s"].min()) == (
        found.length_h.max(),
        found.begin_utc_s[0],
    )


def test_a_year_without_an_outage_has_no_first_one():
    figures = figures_of(made(YEAR_H, e_load_wh=np.ones(YEAR_H)))
    assert np.isinf(figures["first_outage_utc_s"]).all()
    assert figures.yearly("outages") == 0


def test_the_time_since_full_is_the_longest_of_each_month():
    soc = np.full(YEAR_H, 0.5)
    soc[[100, 31 * 24 + 12]] = 1.0
    figures = figures_of(made(YEAR_H, soc=soc))
    assert figures["since_full_d"][0] == pytest.approx((31 * 24 - 1 - 100) / 24)
    assert figures.yearly("since_full_d") == pytest.approx((YEAR_H - 1 - 31 * 24 - 12) / 24)


def test_stages_and_cycles_are_counted_by_the_hour():
    soc = [0.8, 0.6, 0.9, 0.5, 1.0]
    figures = figures_of(
        made(5, soc=soc, stage=[Stage.BOOST, Stage.EQUALIZE, Stage.FLOAT, Stage.BULK, Stage.NONE])
    )
    assert (figures.yearly("absorption_h"), figures.yearly("float_h")) == (2, 1)
    assert figures.yearly("cycled") == pytest.approx(0.2 + 0.4)


def test_the_share_of_life_is_spread_over_the_days():
    figures = figures_of(made(YEAR_H), life_used=0.1)
    assert figures.yearly("life_used") == pytest.approx(0.1)
    assert figures["life_used"][1] == pytest.approx(0.1 * 28 / 365)


def test_every_figure_has_a_name_of_its_own_and_says_what_it_is():
    assert len(set(NAMES)) == len(NAMES)
    assert all(figure.meaning for figure in FIGURES)
    with pytest.raises(KeyError, match="did you mean unserved_wh"):
        figures_of(made(24))["unservd_wh"]


# --- a plant's ---


def test_a_plant_s_months_are_those_of_its_summary():
    """By another road: the trace by civil months, of a site whose solar midnight is civil midnight in winter."""
    cabin = load_site("cabin")
    nearly_empty = cabin.battery.model_copy(update={"soc": 0.1})
    site = cabin.model_copy(update={"start": "2026-01-01T00:00:00", "battery": nearly_empty})
    plant = Plant.new(site, fidelity="sizing", step_s=3600)
    first = np.array(plant.snapshot)
    rows = plant.run(59 * 86400, 3600)
    figures = figures_of(hours_of(np.vstack([first, rows])[:, COLUMNS]))
    table = by_period(Trace(rows, "Europe/Zurich"), "month")
    for mine, theirs in (("e_pv_wh", "e_pv_wh"), ("unserved_h", "unserved_h"), ("e_load_wh", "e_load_wh")):
        assert figures[mine][:2] == pytest.approx(table[theirs].to_numpy()[:2], rel=1e-9)
    assert figures.yearly("unserved_h") > 0


@pytest.mark.parametrize("name", ["cabin", "motorhome", "cabin_inverter", "workshop_24v", "repeater"])
def test_the_usable_charge_lies_below_what_the_plate_promises(name):
    site = load_site(name)
    size = size_of(site)
    plate_wh = site.battery.capacity_ah * site.battery.system_v
    assert 0.8 * plate_wh < size.usable_wh < 1.1 * plate_wh
    assert 0.0 <= size.empty_soc < 0.2


def test_a_higher_disconnect_leaves_less_to_use():
    cabin = load_site("cabin").model_dump()
    set_high = {
        **cabin["controller"],
        "setpoints": {"low_voltage_disconnect_v": 11.9, "low_voltage_reconnect_v": 12.6},
    }
    site = type(load_site("cabin")).model_validate({**cabin, "controller": set_high})
    assert size_of(site).empty_soc > size_of(load_site("cabin")).empty_soc + 0.1


def test_disconnecting_by_the_controller_s_percentage_limits_the_usable_charge():
    cabin = load_site("cabin").model_dump()
    by_gauge = {**cabin["controller"], "settings": {"management_mode": 1, "discharge_pct": 45}}
    site = type(load_site("cabin")).model_validate({**cabin, "controller": by_gauge})
    assert size_of(site).empty_soc == pytest.approx(0.45)


INVERTER = {"cut_off_v": 11.8, "restart_v": 12.6, "demand": {"hourly_w": [20.0] * 24}}


def test_the_first_of_two_disconnects_limits_the_usable_charge():
    alone = size_of(base_of("cabin", {}).design().site)
    both = size_of(base_of("cabin", {"battery.loads": [INVERTER]}).design().site)
    assert both.empty_soc > alone.empty_soc + 0.1
    lower = size_of(base_of("cabin", {"battery.loads": [{**INVERTER, "cut_off_v": 10.8}]}).design().site)
    assert lower.empty_soc == alone.empty_soc


def test_a_disconnect_that_has_no_load_to_disconnect_does_not_count():
    idle = {**INVERTER, "demand": {"hourly_w": [0.0] * 24}}
    assert size_of(base_of("cabin", {"battery.loads": [idle]}).design().site) == size_of(load_site("cabin"))
    deep = {"battery.loads": [{**INVERTER, "cut_off_v": 10.5}], "load": {"hourly_w": [0.0] * 24}}
    assert size_of(base_of("cabin", deep).design().site).empty_soc < size_of(load_site("cabin")).empty_soc


@pytest.mark.parametrize("cut_off_v", [10.8, 11.8])
def test_a_plant_with_an_inverter_runs_without_sun_as_long_as_its_autonomy(cut_off_v):
    keys = {
        "battery.loads[0].cut_off_v": cut_off_v, "battery.chargers": [], "battery.room_c": 25.0, "battery.soc": 1.0,
    }  # fmt: skip
    sunny = base_of("cabin_inverter", {**keys, "array.parallel": 20}).design().site
    tables = tables_of(sunny, [WeatherYear(3, 2026)], 3600, SharedDays(KeptSkies()))
    promised = metrics_of(MonthlyFigures(tables), size_of(sunny), sunny.costs)["autonomy_d"].value
    dark = base_of("cabin_inverter", keys).design([Axis(PV, (0.1,))], [0.1]).site
    rows = Plant.new(dark, fidelity="sizing", step_s=600).run(6 * 86400, 600)
    lost, lost_ac = (Snapshot._fields.index(f"e_{name}_wh") for name in ("unserved", "inverter_unserved"))
    ran_d = np.flatnonzero(rows[:, lost] + rows[:, lost_ac] > 0.5)[0] / 144
    assert promised == pytest.approx(ran_d, rel=0.1)


def test_watts_of_modules_that_were_scaled_are_told_as_they_were_asked_for():
    assert size_of(base_of("repeater", {}).design([Axis(PV, (300.0,))], [300.0]).site).peak_w == 300.0


def test_a_battery_of_half_the_capacity_carries_half_the_demand():
    worn = load_site("cabin")
    worn = worn.model_copy(update={"battery": worn.battery.model_copy(update={"health": 0.5})})
    assert size_of(worn).usable_wh == pytest.approx(0.5 * size_of(load_site("cabin")).usable_wh, rel=0.05)
