"""Off-grid plants of PVGIS at Maputo and Krakow: days full, days empty, energy that found the battery full.

Another model's results, read in public reports: PVGIS 5.3 (SHScalc), SARAH3 and ERA5, 2005 to 2023, hour by hour. It
takes 0.67 of the light in the plane at any season (0.680 by its own figures), ours has cold and warm modules, so the
array is scaled to the same energy: by 0.86 at Maputo, and at Krakow until December and January deliver what PVGIS's do.
Days are counted as `tracertwin size` does: full on which the battery became full at some time (98.5 %, or refused more
than 1 Wh), empty on which load went unserved. No place was measured between 18 and 31 deg of latitude: the width of
days there follows Maputo's (`plant.weather.clearness.spread`), so its rows are no independent check of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from plant.plant import Plant
from plant.site.model import Site
from plant.weather.sun import EPOCH, day_start_utc_s
from tracertwin.sizing.figures.hours import COLUMNS, hours_of
from tracertwin.sizing.figures.monthly import MonthlyFigures, figures_of
from tracertwin.sizing.figures.pvgismonths import pvgis_numbers
from validation.check import Check

MAPUTO = "another model, PVGIS 5.3 SHScalc, Maputo 2005-2023"
KRAKOW = "another model, PVGIS SHScalc, Krakow 2005-2023, worst month"
CONTROLLER = Path(__file__).with_name("pvgis_200a.yaml")
FIRST_YEAR, YEARS = 2005, 19
SEEDS = (1, 2)  # the light of nineteen years differs by 0.9 % from one to the next
STEP_S = 900
CELL_V, COLUMBIC = 25.6, 0.97  # a bank of PVGIS's watt-hours as ours in Ah
MODULE = {
    "i_sc_a": 1.525, "v_oc_v": 45.0, "i_mp_a": 50.0 / 36.0, "v_mp_v": 36.0, "cells_in_series": 72,
    "alpha_sc_pct_k": 0.05, "beta_voc_pct_k": -0.30, "gamma_pmp_pct_k": -0.40,
}  # fmt: skip
MODULE_WP = 50
AT_MAPUTO: dict[str, Any] = {
    "location": {"latitude_deg": -25.97, "longitude_deg": 32.57, "altitude_m": 6.0, "timezone": "Africa/Maputo"},
    # Global Solar Atlas, the month's sum over its days
    "sky": {"ghi_kwh_m2_day": (6.154, 5.902, 5.321, 4.387, 3.948, 3.598, 3.735, 4.344, 4.959, 5.158, 5.654, 6.032)},
    "weather": {"temperature_c": (26.5, 26.4, 25.7, 23.8, 21.5, 19.3, 19.0, 20.3, 21.7, 22.9, 24.2, 25.7)},
}  # fmt: skip
AT_KRAKOW: dict[str, Any] = {
    "location": {"latitude_deg": 50.062, "longitude_deg": 19.937, "altitude_m": 220.0, "timezone": "Europe/Warsaw"},
    # worked back from PVGIS's yields of a plane of 39 deg, +-7 % in winter
    "sky": {"ghi_kwh_m2_day": (
        0.926, 1.587, 2.937, 4.297, 4.898, 5.435, 5.391, 4.730, 3.587, 2.186, 1.160, 0.792)},
    "weather": {"temperature_c": (-2.0, -1.0, 3.0, 9.0, 14.0, 17.0, 19.0, 19.0, 14.0, 9.0, 4.0, 0.0)},
}  # fmt: skip
MAPUTO_SCALE = 0.86
KRAKOW_SCALE = 0.689
KRAKOW_WINTER_KWH_KWP = 77.0  # December and January: 0.680 of 113.2 kWh/m2 in a plane of 60 deg


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An off-grid plant as PVGIS describes it."""

    peak_w: int
    tilt_deg: float
    azimuth_deg: float
    usable_wh: float
    load_wh_day: float


MAPUTO_CASES = {
    # system; days full [%], energy not captured per full day [Wh]
    "A": (System(peak_w=900, tilt_deg=0.0, azimuth_deg=0.0, usable_wh=7200.0, load_wh_day=2400.0), 54.11, 1394.0),
    "B": (System(peak_w=900, tilt_deg=29.0, azimuth_deg=0.0, usable_wh=9600.0, load_wh_day=2400.0), 74.28, 1422.0),
    "C": (System(peak_w=350, tilt_deg=29.0, azimuth_deg=0.0, usable_wh=2880.0, load_wh_day=720.0), 85.72, 728.0),
}  # fmt: skip


def checks() -> Iterator[Check]:
    """Every row of this topic."""
    for name, (system, full_pct, refused_wh) in MAPUTO_CASES.items():
        ours = pvgis_numbers(_all_years(system, MAPUTO_SCALE, "maputo"))
        yield Check(what=f"Maputo {name}: days full", value=100.0 * float(ours.days_full[-1]), reference=full_pct,
                    tolerance=4.0, unit="%", source=MAPUTO)  # fmt: skip
        yield Check(what=f"Maputo {name}: energy not captured on a full day", reference=refused_wh,
                    value=float(ours.lost_wh[-1]), tolerance=0.05 * refused_wh, unit="Wh",
                    source=MAPUTO)  # fmt: skip
        if name == "A":
            yield Check(what="Maputo A: days empty", value=100.0 * float(ours.days_empty[-1]), reference=4.0,
                        tolerance=2.0, unit="%", source=MAPUTO, note="PVGIS: 3.67")  # fmt: skip
    yield from _krakow()


def _krakow() -> Iterator[Check]:
    for peak_w, (low, high), theirs in ((1000, (8.0, 20.0), 14.6), (2000, (0.0, 1.5), 0.0)):
        system = System(peak_w=peak_w, tilt_deg=60.0, azimuth_deg=180.0, usable_wh=7056.0, load_wh_day=1008.0)
        figures = _all_years(system, KRAKOW_SCALE, "krakow")
        worst = 100.0 * float(pvgis_numbers(figures).days_empty[:-1].max())
        yield Check(what=f"Krakow, {peak_w} Wp at 60 deg: days empty in the worst month", value=worst,
                    reference=(low + high) / 2.0, tolerance=(high - low) / 2.0, unit="%", source=KRAKOW,
                    note=f"PVGIS: {theirs}; 38 winters, +-2.5 by chance")  # fmt: skip
        if peak_w == 1000:
            offered_wh = float(figures["e_available_wh"][:, [11, 0]].sum())
            yield Check(
                what="Krakow: what December and January offer", value=offered_wh / peak_w / figures.years,
                reference=KRAKOW_WINTER_KWH_KWP, tolerance=0.03 * KRAKOW_WINTER_KWH_KWP, unit="kWh/kWp",
                source="another model, PVGIS: 0.680 of its light in the plane",
            )  # fmt: skip


def _all_years(system: System, scale: float, where: str) -> MonthlyFigures:
    """Nineteen years of a plant, its array's light scaled, under each of the skies; the battery is full at first."""
    site = _site(system, scale, where)
    years = []
    for seed in SEEDS:
        begins = [_new_year_utc_s(site, FIRST_YEAR + k) for k in range(YEARS + 1)]
        plant = Plant.new(site, seed=seed, start_utc_s=begins[0], fidelity="sizing", step_s=STEP_S)
        for year_s in np.diff(begins):
            first = np.array(plant.snapshot)
            samples = np.vstack([first, plant.run(float(year_s), 3600)])
            years.append(figures_of(hours_of(samples[:, COLUMNS])).table)
    return MonthlyFigures(np.stack(years))


def _new_year_utc_s(site: Site, year: int) -> int:
    return day_start_utc_s((date(year, 1, 1) - EPOCH).days, site.location.longitude_deg)


def _site(system: System, scale: float, where: str) -> Site:
    array = {
        "module": {"datasheet": MODULE}, "tilt_deg": system.tilt_deg, "azimuth_deg": system.azimuth_deg, "series": 1,
        "parallel": system.peak_w // MODULE_WP, "losses": {"soiling": 1.0 - scale},
    }  # fmt: skip
    return Site.model_validate(
        {
            **{"maputo": AT_MAPUTO, "krakow": AT_KRAKOW}[where],
            "name": where,
            "start": "2005-01-01T00:00",
            "array": array,
            "controller": {"model": str(CONTROLLER), "battery_type": "lifepo4_8s"},
            "battery": {
                "model": "lifepo4", "capacity_ah": system.usable_wh / CELL_V / COLUMBIC, "system_v": 24, "soc": 1.0,
                "room_c": 20.0,
            },
            "load": {"hourly_w": (system.load_wh_day / 24.0,) * 24},
        }
    )  # fmt: skip
