"""The plant without a line: a year, a day, and the battery's ODE in scipy's LSODA beside it."""

from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.table import Result
from plant.base.clock import DAY_S
from plant.battery import leadacid as battery
from plant.battery.acid import LeadAcidState
from plant.battery.leadacid import rested
from plant.plant import Plant
from plant.site.model import load_site

YEAR_DAYS: Final = 365
TRIAL_DAYS: Final = 20
MOST_S: Final = 20.0  # a year that would take longer is scaled from the trial
DAYS: Final = 15
LSODA_DAYS: Final = 3
TRIALS: Final = 3
LSODA: Final = "scipy LSODA, battery alone"
LSODA_NOTE: Final = (
    "the peer integrates the battery at the current of the same day, rtol 1e-6: no sun, no events"
)


def run() -> Iterator[Result]:
    """A year, then a day, both with LSODA on a few days."""
    Plant.new(load_site("cabin")).run(2 * DAY_S, 60)  # compiled code is loaded, tables are read
    # What else runs here makes either slower, never faster.
    lsoda_day_s = median(min(_lsoda_day(number) for _ in range(TRIALS)) for number in range(LSODA_DAYS))
    year_s, note = min(_year() for _ in range(TRIALS))
    yield Result(
        what="year, detailed, 5 s grid, weather included", unit="s", ours=year_s, limit=4.0,
        peer=YEAR_DAYS * lsoda_day_s, peer_name=LSODA + ", day x 365", note=note,
    )  # fmt: skip
    day_ms = 1e3 * median(_days(DAYS))
    yield Result(
        what="day, detailed, weather included", unit="ms", ours=day_ms, limit=12.0,
        peer=1e3 * lsoda_day_s, peer_name=LSODA, note=LSODA_NOTE,
    )  # fmt: skip


def _year() -> tuple[float, str]:
    plant = Plant.new(load_site("cabin"))
    began = perf_counter()
    plant.advance_to(plant.t_utc_s + TRIAL_DAYS * DAY_S)
    trial_s = perf_counter() - began
    if trial_s * YEAR_DAYS / TRIAL_DAYS > MOST_S:
        return trial_s * YEAR_DAYS / TRIAL_DAYS, f"ours is scaled from {TRIAL_DAYS} days"
    plant.advance_to(plant.t_utc_s + (YEAR_DAYS - TRIAL_DAYS) * DAY_S)
    return perf_counter() - began, f"fastest of {TRIALS}"


def _days(count: int) -> Iterator[float]:
    plant = Plant.new(load_site("cabin"))
    plant.advance_to(plant.t_utc_s + DAY_S)
    for _ in range(count):
        began = perf_counter()
        plant.advance_to(plant.t_utc_s + DAY_S)
        yield perf_counter() - began


def _lsoda_day(number: int) -> float:
    """Wall time of scipy on a day of the battery under the current that our plant had on it [s]."""
    site = load_site("cabin")
    plant = Plant.new(site)
    plant.advance_to(plant.t_utc_s + number * DAY_S)
    rows = plant.run(DAY_S, 60)
    fields = type(plant.snapshot)._fields
    t_s = rows[:, fields.index("t_utc_s")] - rows[0, 0]
    i_a = rows[:, fields.index("i_batt_a")]
    block, room_c = site.battery.parameters(), 18.0
    before = rested(float(rows[0, fields.index("soc")]), room_c, block)

    def rhs(t: float, y: np.ndarray) -> LeadAcidState:
        return battery.rates(LeadAcidState(*y), float(np.interp(t, t_s, i_a)), room_c, block)[0]

    rhs(0.0, np.array(before))  # compiles
    began = perf_counter()
    solution = solve_ivp(
        rhs, (0.0, float(t_s[-1])), np.array(before), method="LSODA", rtol=1e-6, atol=1e-6, max_step=300.0
    )
    took_s = perf_counter() - began
    if not solution.success:
        raise RuntimeError(f"LSODA: {solution.message}")
    return took_s
