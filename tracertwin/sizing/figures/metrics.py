"""The metrics of a design, each a row: name, unit, definition, source, and the function that works it out.

docs/sizing.md has its table from here.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from plant.site.costs import Costs
from tracertwin.sizing.figures.intervals import (
    DAYS_PER_YEAR,
    Estimate,
    finest_share,
    interval,
    rounded_up,
    share_interval,
)
from tracertwin.sizing.figures.lifecycle import beginning, replacements
from tracertwin.sizing.figures.means import WH_KWH, MeanYear, mean_year, ratio
from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.figures.plantsize import PlantSize

OfMeans: TypeAlias = Callable[[MeanYear], np.ndarray]


class Metric(NamedTuple):
    """A row of `METRICS`.

    Parameters
    ----------
    name : str
        Column of tables and files.
    label : str
        Heading.
    unit : str
        "0..1" of a share, which is printed in per cent; "money" of an amount in the currency of `Costs`.
    formula, meaning : str
    source : str
        Where the definition is from, and how others' differ.
    mean : callable, optional
        Of the mean year. Without it the metric is `most` or `share`.
    whole : callable, optional
        Of a metric that counts what is missing: of what it is a part, in its own unit. A few years can't show
        less than a certain part of it.
    most : str
        Figure whose largest value over all years it is; it has no interval.
    share : str
        Figure that is 0 in a share of the years; its interval is the exact one of a share.
    """

    name: str
    label: str
    unit: str
    formula: str
    meaning: str
    source: str = ""
    mean: OfMeans | None = None
    whole: OfMeans | None = None
    most: str = ""
    share: str = ""


def _kwh(name: str) -> OfMeans:
    return lambda year: year[name] / WH_KWH


def _plain(name: str) -> OfMeans:
    return lambda year: year[name]


def _one(year: MeanYear) -> np.ndarray:
    return year.all_draws(1.0)


def _charger(name: str) -> OfMeans:
    return lambda year: year[f"charger_1_{name}"] + year[f"charger_2_{name}"]


PVGIS: Final = "PVGIS 5.3 SHScalc, by its definition"
METRICS: Final = (
    # what the load gets
    Metric(
        "lpsp", "LPSP", "0..1", "Σ unserved / Σ demand",
        "loss of power supply probability: share of the demanded energy that is not served",
        "the literature's; PVsyst calls 1 - LPSP the solar fraction where there is no other source",
        mean=lambda year: ratio(year["unserved_wh"], year["demand_wh"]), whole=_one,
    ),
    Metric(
        "lolp", "LOLP", "0..1", "hours with unserved demand / all hours",
        "loss of load probability: share of the hours in which some demand is not served, even for a minute",
        "the literature's, by hours (times 8760 it is LOLE); PVsyst's LOL is the share of the time with the load "
        "disconnected, PVGIS counts days (f_e)",
        mean=lambda year: ratio(year["unserved_h"], year["hours"]), whole=_one,
    ),
    Metric(
        "unserved_kwh", "not served", "kWh a year", "Σ unserved", "energy not served",
        "ENS, EENS of the literature; PVsyst's E_miss",
        mean=_kwh("unserved_wh"), whole=_kwh("demand_wh"),
    ),
    Metric(
        "outages", "outages", "a year", "number of outages",
        "an outage lasts from the first minute without supply until an hour's demand is served in full; hours that ask "
        "for nothing don't end it",
        mean=_plain("outages"), whole=lambda year: year.all_draws(DAYS_PER_YEAR),
    ),
    Metric(
        "outage_h", "in outages", "h a year", "Σ (end - begin)", "time from beginning to end of the outages",
        mean=_plain("outage_h"), whole=_plain("hours"),
    ),
    Metric("longest_outage_h", "longest outage", "h", "max", "of all years", most="longest_outage_h"),
    Metric(
        "no_outage", "years without outage", "0..1", "years without an outage / years",
        "chance that a year has no outage", "interval: Clopper and Pearson's, exact for a share",
        share="outages",
    ),
    Metric(
        "solar_fraction", "solar fraction", "0..1", "(served - from chargers) / demand",
        "share of the demand that the array serves",
        "PVsyst's SolFrac. What a charger gives counts in full, losses on its way through the battery too",
        mean=lambda year: ratio(year.from_sun_wh, year["demand_wh"]),
    ),
    Metric(
        "autonomy_d", "autonomy", "d", "usable charge x nominal voltage / drawn in a day",
        "how long a full battery carries the mean demand without sun: drawn is what it gives for that, losses of the "
        "inverter (idle too) and the load switch and the controller's own consumption included; usable is what the "
        "50-hour rate at 25 °C gives until the load output or the inverter is disconnected, whichever is first",
        "as IEEE 1013, PVsyst; those take a share of the C100 capacity that the user states",
        mean=lambda year: ratio(year.all_draws(year.size.usable_wh), year.drawn_wh * 24.0 / year["hours"]),
    ),
    # what the array gives
    Metric(
        "performance_ratio", "performance ratio", "0..1", "(served by the sun / Wp) / (plane irradiation / 1000 W/m2)",
        "share of what the plates promise for the light that reaches the load",
        "IEC 61724, PVsyst; in a plant off the grid it falls with every unused kilowatt-hour, so it is no measure of "
        "quality",
        mean=lambda year: ratio(year.from_sun_wh / year.peak_kw, year["poa_wh_m2"]),
    ),
    Metric(
        "specific_yield", "specific yield", "kWh/kWp a year", "PV energy taken / Wp",
        "what the controller takes out of the array, for each kilowatt of plate",
        "PVGIS's and PVsyst's yields are of all that the array could give",
        mean=lambda year: year["e_pv_wh"] / WH_KWH / year.peak_kw,
    ),
    Metric(
        "spilled_kwh", "unused, battery full", "kWh a year", "Σ unused with the battery at its voltage",
        "available PV energy that the full battery left unused", "PVsyst's E_unused",
        mean=_kwh("e_untaken_full_wh"),
    ),
    Metric(
        "clipped_kwh", "unused, rating reached", "kWh a year", "Σ unused at a rating",
        "available PV energy above the controller's rated current or power",
        mean=_kwh("e_untaken_limit_wh"),
    ),
    # the battery
    Metric(
        "mean_soc", "mean charge", "0..1", "Σ charge / hours", "state of charge, mean over all hours",
        mean=lambda year: ratio(year["soc_h"], year["hours"]),
    ),
    Metric("most_drained", "deepest discharge", "0..1", "1 - min charge", "of all years", most="drained"),
    Metric(
        "longest_since_full_d", "longest since full", "d", "max",
        "longest time in a year in which the battery never reached 98.5 %", most="since_full_d",
    ),
    Metric(
        "cycles", "full cycles", "a year", "Σ falls of the charge from hour to hour",
        "equivalent full cycles; what goes in and out within an hour is not seen",
        mean=_plain("cycled"),
    ),
    Metric(
        "battery_life_years", "battery lasts", "years", "1 / share of its life that a year takes",
        "until 80 % of the capacity is left, or `replace_at_health`: by the law of `battery.ageing`; without one by "
        "full cycles and years of the battery's file, added up",
        "lithium without a law: 4000 cycles, 15 years (guess). Ageing of the 20 years is that of a new battery, year "
        "by year",
        mean=lambda year: year.life_years,
    ),
    Metric(
        "replacements", "batteries replaced", "", "purchases after the first within `costs.years`",
        "number of batteries bought later",
        mean=lambda year: replacements(year.life_years, year.costs)[0],
    ),
    # chargers
    Metric("charger_h", "chargers run", "h a year", "Σ hours of both", "of generator or mains", mean=_charger("h")),
    Metric(
        "charger_starts", "charger starts", "a year", "Σ starts of both", "of generator or mains",
        mean=_charger("starts"),
    ),
    Metric("fuel_l", "fuel", "l a year", "Σ fuel", "of both chargers", mean=_plain("fuel_l")),
    # money
    Metric(
        "first_cost", "to build", "money", "modules + mounting + controller + battery + other",
        "paid at the beginning",
        mean=lambda year: year.all_draws(sum(beginning(year.size, year.costs))),
    ),
    Metric(
        "lcc", "life-cycle cost", "money", "first cost + Σ battery (1+r)^-t + Σ (upkeep + fuel) (1+r)^-t",
        "all that is paid over `costs.years`, worth today; no value is left at the end",
        mean=lambda year: year.life_cycle_cost,
    ),
    Metric(
        "lcoe", "cost of a kWh", "money/kWh", "LCC CRF / energy served in a year",
        "CRF = r / (1 - (1+r)^-n); only served energy counts, so unused energy makes it dearer",
        "levelized cost of energy; the literature's without degradation of the array",
        mean=lambda year: year.cost_per_kwh,
    ),
    # PVGIS's own numbers
    Metric(
        "pvgis_days_full", "f_f", "0..1", "days full / days",
        "share of days on which the battery was full (98.5 %) at some time, or refused more than 1 Wh", PVGIS,
        mean=lambda year: ratio(year["days_full"], year["days"]),
    ),
    Metric(
        "pvgis_days_empty", "f_e", "0..1", "days empty / days", "share of days on which more than 1 Wh went unserved",
        PVGIS, mean=lambda year: ratio(year["days_empty"], year["days"]), whole=_one,
    ),
    Metric(
        "pvgis_lost_wh", "E_lost", "Wh a day", "Σ unused on days full / days full",
        "energy not captured because the battery was full, per day full", PVGIS,
        mean=lambda year: ratio(year["lost_wh"], year["days_full"]),
    ),
    Metric(
        "pvgis_missed_wh", "E_miss", "Wh a day", "Σ unserved on days empty / days empty",
        "energy missing, per day empty", PVGIS,
        mean=lambda year: ratio(year["missed_wh"], year["days_empty"]),
    ),
    Metric(
        "pvgis_delivered_wh", "E_d", "Wh a day", "Σ served / days", "energy delivered to the load, per day", PVGIS,
        mean=lambda year: ratio(year.served_wh, year["days"]),
    ),
)  # fmt: skip
METRIC: Final = {metric.name: metric for metric in METRICS}
Metrics: TypeAlias = Mapping[str, Estimate]


def metrics_of(figures: MonthlyFigures, size: PlantSize, costs: Costs) -> Metrics:
    """Every metric of a design, by name, in the order of `METRICS`.

    Parameters
    ----------
    figures : MonthlyFigures
        Of its weather years, ``table`` of shape (years, 12, figures).
    size : PlantSize
    costs : Costs

    Notes
    -----
    All designs draw the same years for their intervals, so differences between designs are less uncertain than either.
    """
    year = mean_year(figures, size, costs)
    return {metric.name: _estimate(metric, figures, year) for metric in METRICS}


def _estimate(metric: Metric, figures: MonthlyFigures, year: MeanYear) -> Estimate:
    years = figures.years
    if metric.most:
        return Estimate(float(figures.yearly(metric.most).max()), np.nan, np.nan, years)
    if metric.share:
        times = int(np.sum(figures.yearly(metric.share) == 0.0))
        return Estimate(times / years, *share_interval(times, years), years)
    assert metric.mean is not None
    values = metric.mean(year)
    low, high = interval(values[1:]) if years > 1 else (np.nan, np.nan)
    finest = 0.0
    if metric.whole is not None:
        whole = float(metric.whole(year)[0])
        finest = rounded_up(finest_share(years) * whole) if whole > 0.0 else 0.0
    return Estimate(float(values[0]), low, high, years, finest)


def worst_year(figures: MonthlyFigures) -> int:
    """Place of the year with most unserved energy; of those alike, the one that drained the battery deepest."""
    order = np.lexsort((-figures.yearly("drained"), -figures.yearly("unserved_wh")))
    return int(order[0])


def worst_month(figures: MonthlyFigures) -> int:
    """Month with the highest loss of power supply probability over all years, 0 for January; else the most drained."""
    unserved = figures["unserved_wh"].sum(axis=0)
    share = np.divide(
        unserved, figures["demand_wh"].sum(axis=0), out=np.zeros_like(unserved), where=unserved > 0.0
    )
    return int(np.lexsort((-figures["drained"].max(axis=0), -share))[0])
