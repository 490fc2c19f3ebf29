"""The LiFePO4 block against check values computed elsewhere, at a constant temperature, 25 degC unless named."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.interpolate import PchipInterpolator

from plant.battery import lithium
from validation.batteries import HOUR_S, bath, discharged, held_at, hours_to, last, run, terminal_v, voltages
from validation.check import Check
from validation.lithium_figures import figures

__all__ = ["QUICK", "checks", "figures"]

MODEL = "model computed apart (scipy)"
CAPACITY = ((5.0, 99.62), (20.0, 99.55), (33.0, 99.42), (50.0, 99.20), (100.0, 98.36))
REMOVED = (0.02, 0.25, 0.50, 0.75, 0.90)
SAG = (
    (5.0, (13.342, 13.139, 13.078, 12.864, 12.635)),
    (20.0, (13.229, 13.005, 12.943, 12.726, 12.489)),
    (50.0, (13.020, 12.742, 12.672, 12.450, 12.197)),
    (100.0, (12.679, 12.336, 12.233, 11.993, 11.714)),
)
COLD = ((55.0, 100.1), (10.0, 90.7), (0.0, 84.1), (-10.0, 77.5), (-20.0, 70.9))
# A, V; hours of constant current, charge then, minutes of constant voltage to 5 A
CHARGE = ((20.0, 14.4, 4.999, 0.9976, 1.0), (50.0, 14.4, 1.985, 0.9907, 2.3))


def full(t_c: float = 25.0) -> lithium.LithiumState:
    """Straight off the charger: hysteresis at its upper end."""
    return lithium.LithiumState(1.0, 1.0, 0.0, 0.0, t_c)


def capacity() -> Iterator[Check]:
    """Constant-current discharge from full to 10.0 V."""
    p = bath("lifepo4")
    for i_a, ah in CAPACITY:
        yield Check(what=f"LiFePO4: {i_a:g} A to 10 V", value=hours_to(p, i_a, 10.0, start=full()) * i_a, reference=ah,
                    tolerance=5.1e-3, unit="Ah", source=MODEL)  # fmt: skip
    at_25 = hours_to(p, 33.0, 10.0, start=full())
    for t_c, percent in COLD:
        share = 100.0 * hours_to(p, 33.0, 10.0, t_c, full(t_c)) / at_25
        yield Check(what=f"LiFePO4: C/3 capacity at {t_c:g} degC", value=share, reference=percent, tolerance=0.06,
                    unit="% of 25 degC", source=MODEL)  # fmt: skip


def discharge_voltage() -> Iterator[Check]:
    """Terminal voltage under constant discharge currents."""
    p = bath("lifepo4")
    for i_a, volts in SAG:
        solution = discharged(p, i_a, 10.0, 25.0, full())
        shown = voltages(p, solution, -i_a, np.array(REMOVED) * p.full_capacity_ah / i_a * HOUR_S)
        for removed, value, v in zip(REMOVED, shown, volts, strict=True):
            yield Check(what=f"LiFePO4: {i_a:g} A, {removed:.0%} removed", value=value, reference=v, tolerance=5e-3,
                        unit="V", source=MODEL)  # fmt: skip


def _charged(i_a: float, volts: float) -> tuple[Any, Any, float]:
    """From empty at a constant current, then at a constant voltage down to 5 A: both runs, minutes of the second."""
    p = bath("lifepo4")
    cc = run(
        p,
        lithium.LithiumState(0.0, -1.0, 0.0, 0.0, 25.0),
        i_a,
        6 * HOUR_S,
        until=lambda x: terminal_v(x, i_a, p) - volts,
    )
    charger = held_at(volts, i_a, p)
    cv = run(p, last(p, cc), charger, HOUR_S, until=lambda x: charger(x) - 5.0)
    return cc, cv, float(cv.t[-1]) / 60.0


def charge() -> Iterator[Check]:
    """Charging from empty."""
    p = bath("lifepo4")
    for i_a, volts, hours, soc, minutes in CHARGE:
        cc, _, held_min = _charged(i_a, volts)
        what = f"LiFePO4: {i_a:g} A to {volts} V"
        yield Check(what=f"{what}: hours", value=float(cc.t[-1]) / HOUR_S, reference=hours, tolerance=1.1e-3, unit="h",
                    source=MODEL)  # fmt: skip
        yield Check(what=f"{what}: charge", value=last(p, cc).s, reference=soc, tolerance=2e-4, source=MODEL)
        yield Check(what=f"{what}: held until 5 A", value=held_min, reference=minutes, tolerance=0.06, unit="min",
                    source=MODEL)  # fmt: skip
    cc, _, _ = _charged(20.0, 14.4)
    half = voltages(p, cc, 20.0, [0.5 * p.full_capacity_ah / 20.0 / p.coulombic_efficiency * HOUR_S])[0]
    yield Check(
        what="LiFePO4: 20 A at half charge",
        value=half,
        reference=13.456,
        tolerance=5e-3,
        unit="V",
        source=MODEL,
    )
    cc, cv, _ = _charged(20.0, 14.0)
    for name, value, ref, tol in (
        ("hours", float(cc.t[-1]) / HOUR_S, 4.976, 1.1e-3), ("charge then", last(p, cc).s, 0.993, 5e-4),
        ("charge at 5 A", last(p, cv).s, 0.9965, 1e-4),
    ):  # fmt: skip
        yield Check(
            what=f"LiFePO4: 20 A to 14.0 V: {name}", value=value, reference=ref, tolerance=tol, source=MODEL
        )


def table() -> Iterator[Check]:
    """The compiled open-circuit voltage beside scipy's interpolation and quadrature of the table."""
    pchip = PchipInterpolator(lithium.OCV_TABLE[:, 0], lithium.OCV_TABLE[:, 1])
    s = np.linspace(0.0, 1.0, 2001)[1:]
    off = max(abs(lithium.ocv(v) - float(pchip(v))) for v in s)
    yield Check(what="LiFePO4: open-circuit voltage, worst of 2000", value=off, reference=0.0, tolerance=1e-12,
                unit="V", source="scipy PchipInterpolator")  # fmt: skip
    knots = lithium.OCV_TABLE[1:-1, 0]
    area = quad(lithium.ocv, 0.0, 1.0, points=knots, limit=200)[0] + quad(lithium.ocv, 1.0, 1.05)[0]
    area += quad(lithium.ocv, -lithium.FOOT, 0.0)[0]
    found = lithium.ocv_integral(1.05) - lithium.ocv_integral(-lithium.FOOT)
    yield Check(what="LiFePO4: integral of it from -0.001 to 1.05", value=found, reference=area, tolerance=1e-10,
                unit="V", source="scipy quad")  # fmt: skip


def closure() -> Iterator[Check]:
    """Energy over a day of changing current: what is stored and every loss by its own quadrature."""
    p = bath("lifepo4")
    rng = np.random.default_rng(7)
    y = np.array([*lithium.rested(0.5, 25.0, p), 0.0, 0.0])
    before, moved = lithium.stored_wh(lithium.LithiumState(*y[:5]), p), 0.0
    for i_a in rng.uniform(-12.0, 11.0, 144):

        def rhs(_t: float, z: np.ndarray, i_a: float = float(i_a)) -> np.ndarray:
            x = lithium.LithiumState(*z[:5])
            dx, lost = lithium.rates(x, i_a, 25.0, p)
            losses = lost.ohmic_w + lost.polarisation_w + lost.side_w + lost.hysteresis_w
            return np.array([*dx, terminal_v(x, i_a, p) * i_a / HOUR_S, losses / HOUR_S])

        after = solve_ivp(rhs, (0.0, 600.0), y, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
        moved += abs(after[5] - y[5])
        y = after
    gained = lithium.stored_wh(lithium.LithiumState(*y[:5]), p) - before
    yield Check(what=f"LiFePO4: energy missing of {moved:.0f} Wh moved in a day", value=y[5] - gained - y[6],
                reference=0.0, tolerance=1e-6 * moved, unit="Wh", source="conservation of energy")  # fmt: skip


QUICK = (capacity, discharge_voltage, charge, table, closure)


def checks() -> Iterator[Check]:
    """Every comparison."""
    for group in QUICK:
        yield from group()
