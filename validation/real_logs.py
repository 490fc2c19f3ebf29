"""Logs of two Tracer AN units, and the light on their modules as voltage and current tell it.

The files are other people's and have no licence, so they stay out of the project: rows that need them are missing
where they aren't.
"""

import csv
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from plant.array.diode import R_SH_CAP, Module, curve_at
from plant.base.clock import DAY_S, STEP_S
from validation.check import MissingEvidence

FOLDER: Final = Path(__file__).parents[2] / "shared" / "facts" / "published"
BROOKLYN: Final = "Tracer 3210AN in Brooklyn, log of April and May 2020 (IDMNYU/solarserver)"
MELBOURNE: Final = "Tracer AN in Melbourne, log of March 2022 (tegacodes/SolarProtocolData)"
FILES: Final = {BROOKLYN: "tracer_an_brooklyn.csv", MELBOURNE: "tracer_an_melbourne.csv"}
PASSING_V: Final = 2.4  # array less battery: below it the logs pass through, above they track or regulate
T_CELL_C: Final = 30.0  # not logged
MOST_W_M2: Final = 800.0  # near the open circuit a tenth of a volt is half a sun
# From here on it is held at boost; readings scatter by 0.06 V.
TARGET_V: Final = {BROOKLYN: 14.2, MELBOURNE: 14.2}
IDLE_A: Final = 0.001  # given while the array stands at the battery's voltage and none is charged


@dataclass(frozen=True, slots=True)
class Log:
    """Samples of one unit, each an (n,) array; integers as on the wire are 100 times these."""

    source: str
    first_day: str
    t_s: np.ndarray  # since the first midnight
    v_pv_v: np.ndarray
    i_pv_a: np.ndarray
    p_pv_w: np.ndarray
    v_batt_v: np.ndarray
    i_chg_a: np.ndarray
    p_chg_w: np.ndarray
    v_load_v: np.ndarray
    i_load_a: np.ndarray
    p_load_w: np.ndarray
    soc: np.ndarray

    def where(self, kept: np.ndarray) -> "Log":
        """Some of the samples."""
        columns = (getattr(self, name)[kept] for name in self.__slots__[2:])
        return Log(self.source, self.first_day, *columns)

    @property
    def above_v(self) -> np.ndarray:
        """Array less battery voltage."""
        return np.asarray(self.v_pv_v - self.v_batt_v)

    @property
    def day(self) -> np.ndarray:
        """Number of the day, from 0."""
        return np.asarray((self.t_s // DAY_S).astype(int))


@cache
def read(source: str) -> Log:
    """A log.

    Raises
    ------
    MissingEvidence
        Its file isn't there.
    """
    path = FOLDER / FILES[source]
    if not path.is_file():
        raise MissingEvidence(f"the logs of real units ({path.name}) may not travel with the project")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    times = np.array([datetime.fromisoformat(row["time"]) for row in rows], dtype="datetime64[s]")
    first = times[0].astype("datetime64[D]")
    columns = (np.array([float(row[name] or "nan") for row in rows]) for name in Log.__slots__[3:])
    return Log(source, str(first), (times - first).astype(float), *columns)


def light_w_m2(log: Log, module: Module, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Light that a module must have had to give what the log shows, and its temperature, every 5 s of some days.

    Passing through, the array's current is the charge current; tracking or regulating, it is the output and some 1.5 V
    times it over the array's voltage. Idle at the battery's voltage it gives next to nothing.
    """
    given = log.i_chg_a * np.where(
        log.above_v < PASSING_V, 1.0, (log.v_batt_v + 1.5) / np.maximum(log.v_pv_v, 1.0)
    )
    at_battery = (log.i_chg_a == 0.0) & (log.above_v > -0.3)
    given[at_battery] = IDLE_A
    light = np.zeros(given.size)
    for _ in range(6):  # the shunt depends on the light
        for k in np.flatnonzero(log.v_pv_v > 1.0):
            c = curve_at(max(float(light[k]), 1.0 / R_SH_CAP), T_CELL_C, module, 1.0, 1.0, 0.0)
            vd = log.v_pv_v[k] + given[k] * c.r_s_ohm
            full = given[k] + c.i_0_a * np.expm1(vd / c.a_v) + vd / c.r_sh_ohm
            light[k] = min(1000.0 * full / module.i_l_ref, MOST_W_M2)
    grid = np.arange(days * DAY_S // STEP_S) * float(STEP_S)
    seen = np.interp(grid, log.t_s, light)
    return seen, np.full_like(seen, T_CELL_C)


def load_a(log: Log, days: int) -> np.ndarray:
    """The load's current, every 5 s."""
    return np.interp(np.arange(days * DAY_S // STEP_S) * float(STEP_S), log.t_s, log.i_load_a)
