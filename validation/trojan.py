"""The charging curves measured on a Trojan L-16, and the flooded block set up as that battery."""

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from plant.battery import leadacid
from validation.batteries import HOUR_S, bath, run, soc_from_soc20, voltages

CURVES = Path(__file__).parents[1] / "tests" / "data" / "perez1993_l16.csv"
SOURCE = "R. Perez, Home Power 36 (1993) 66-69"
ANTIMONY_IG0_A = 0.214  # that battery has old antimony plates; fitted to its curves


def measured() -> dict[int, np.ndarray]:
    """Charging curves: rate n of C/n -> (points, 2) percent returned and volts."""
    with CURVES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return {
        n: np.array([(float(r["soc_pct"]), float(r["voltage_V"])) for r in rows if r["rate"] == f"+C/{n}"])
        for n in (5, 10, 20, 40)
    }


@cache
def charged(p: Any, i_a: float) -> Any:
    """A block's charge at a constant current from the data sheet's empty to 130 %."""
    empty = leadacid.rested(soc_from_soc20(0.0, p), 25.0, p)
    return run(p, empty, i_a, 1.3 * p.c20_ah / i_a * HOUR_S)


def charge_curve(p: Any, n: int, percents: Any) -> np.ndarray:
    """Voltage of a block charged at C/n, at percents of C20 returned."""
    i_a = p.c20_ah / n
    return voltages(p, charged(p, i_a), i_a, np.asarray(percents) / 100.0 * n * HOUR_S)


def that_battery() -> Any:
    """The flooded block with the old antimony plates of the battery that was measured."""
    return bath("flooded", gassing_a_per_100ah=ANTIMONY_IG0_A)
