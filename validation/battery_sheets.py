"""The shipped batteries beside makers' data sheets and beside batteries that others measured."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from scipy.integrate import solve_ivp

from plant.battery import leadacid, lithium
from plant.battery import model as battery
from plant.battery.ratefit import Rates, fitted
from validation.batteries import HOUR_S, bath, hours_to, last, run, terminal_v
from validation.check import Check
from validation.real_logs import MELBOURNE, Log, read
from validation.trojan import SOURCE, charge_curve, measured, that_battery

MAGNA: Final = "MAGNA MA12-100"
PANASONIC: Final = "Panasonic LC-P12150BP"
BOTH_PCT: Final = 5.3  # MAGNA and Panasonic are 10 % apart at 3 h: no battery is within 5 % of both
SHEETS: Final = (  # block, sheet, its 20-hour capacity [Ah], tolerance [%]; current [A], cut-off [V], capacity [Ah]
    ("agm", MAGNA, 104.0, BOTH_PCT, (
        (5.2, 10.8, 104.0), (10.0, 10.8, 100.0), (17.6, 10.5, 88.0), (25.4, 10.5, 76.2), (65.1, 9.6, 65.1))),
    ("agm", PANASONIC, 150.0, BOTH_PCT, (
        (7.5, 10.5, 150.0), (13.7, 10.5, 137.0), (22.0, 10.5, 132.0), (25.7, 10.5, 128.5), (31.0, 10.5, 124.0),
        (39.8, 10.5, 119.4), (55.8, 10.5, 111.6), (88.0, 10.5, 88.0))),
    ("flooded", "Trojan J305P-AC / 3.3", 100.0, 2.0, (
        (1.112, 10.5, 111.2), (5.0, 10.5, 100.0), (9.21, 10.5, 92.1), (16.42, 10.5, 82.1), (22.73, 10.5, 73.9))),
    ("flooded", "Trojan T-105", 225.0, 2.0, (
        (2.5, 10.5, 250.0), (11.25, 10.5, 225.0), (20.7, 10.5, 207.0), (37.0, 10.5, 185.0))),
    ("gel", "Victron Gel", 100.0, 5.5, (
        (5.0, 10.8, 100.0), (8.7, 10.8, 87.0), (16.0, 10.8, 80.0), (24.33, 10.8, 73.0), (61.0, 9.6, 61.0))),
)  # fmt: skip
PANASONIC_COLD: Final = ((40.0, 102.0), (0.0, 85.0), (-15.0, 65.0))  # degC, % of the 20-hour capacity
PANASONIC_STORED: Final = ((3, 91.0), (6, 82.0), (12, 64.0))  # months at 25 degC, % left
PANASONIC_RATES: Final[Rates] = ((20.0, 150.0), (10.0, 137.0), (3.0, 119.0), (1.0, 88.0))
VICTRON: Final = "Victron LFP Smart 12.8/100"
VICTRON_COLD: Final = ((25.0, 100.0), (0.0, 80.0), (-20.0, 50.0))  # degC, Ah to 11.2 V


def capacity_by_rate() -> Iterator[Check]:
    """Constant-current discharge from full."""
    for model, sheet, c20_ah, tolerance, rows in SHEETS:
        p = leadacid.scaled(bath(model), c20_ah, 1)
        for i_a, cut_v, ah in rows:
            off = 100.0 * (hours_to(p, i_a, cut_v) * i_a / ah - 1.0)
            yield Check(what=f"{model}, {c20_ah:g} Ah: {i_a:g} A to {cut_v} V, capacity beside {ah:g} Ah", value=off,
                        reference=0.0, tolerance=tolerance, unit="%", source=sheet)  # fmt: skip


def a_sheet_of_ones_own() -> Iterator[Check]:
    """A site's `capacity_by_rate`: four of a sheet's rates, and the others that follow from them."""
    p = fitted(leadacid.scaled(bath("agm"), 150.0, 1), PANASONIC_RATES)
    for i_a, cut_v, ah in SHEETS[1][-1]:
        off = 100.0 * (hours_to(p, i_a, cut_v) * i_a / ah - 1.0)
        given = any(abs(hours * i_a - its_ah) < 1.0 for hours, its_ah in PANASONIC_RATES)
        yield Check(what=f"agm with capacity_by_rate: {i_a:g} A to {cut_v} V, capacity beside {ah:g} Ah", value=off,
                    reference=0.0, tolerance=2.5 if given else 6.0, unit="%", source=PANASONIC,
                    note="" if given else "a rate that the site didn't give")  # fmt: skip


def in_the_cold() -> Iterator[Check]:
    """Capacity by temperature."""
    p = leadacid.scaled(bath("agm"), 150.0, 1)
    whole = hours_to(p, 7.5, 10.5)
    for t_c, percent in PANASONIC_COLD:
        yield Check(what=f"agm: 20-hour capacity at {t_c:g} degC", value=100.0 * hours_to(p, 7.5, 10.5, t_c) / whole,
                    reference=percent, tolerance=3.0, unit="% of 25 degC", source=PANASONIC)  # fmt: skip
    p = bath("lifepo4_victron")
    for t_c, ah in VICTRON_COLD:
        full = lithium.LithiumState(1.0, 1.0, 0.0, 0.0, t_c)
        given_ah = 20.0 * hours_to(p, 20.0, 11.2, t_c, full)
        yield Check(what=f"LiFePO4 like Victron's: 20 A to 11.2 V at {t_c:g} degC", value=given_ah,
                    reference=ah, tolerance=5.0, unit="Ah", source=VICTRON)  # fmt: skip


def storage() -> Iterator[Check]:
    """Charge left after months at rest."""
    p = bath("agm")
    for months, percent in PANASONIC_STORED:
        end = last(p, run(p, leadacid.rested(1.0, 25.0, p), 0.0, months * 30.4 * 24 * HOUR_S))
        left = 100.0 * (1.0 - (1.0 - leadacid.soc(end, p)) * p.full_capacity_ah / p.c20_ah)
        yield Check(what=f"agm: left after {months} months of storage at 25 degC", value=left, reference=percent,
                    tolerance=5.0, unit="% of C20", source=PANASONIC)  # fmt: skip


def round_trip() -> Iterator[Check]:
    """Energy out over energy in of a whole cycle at C/2."""
    p = bath("lifepo4_victron")
    x, wh = battery.rested(0.1, 25.0, p), []
    for i_a in (50.0, -50.0, 50.0, -50.0):
        t = np.linspace(0.0, 0.8 * 2.0 * HOUR_S / battery_efficiency(i_a, p), 2001)
        solution = run(p, x, i_a, t[-1], times_s=t)
        states = [lithium.LithiumState(*y) for y in solution.y.T]
        wh.append(abs(float(np.trapezoid([terminal_v(s, i_a, p) * i_a for s in states], t))) / HOUR_S)
        x = states[-1]
    yield Check(what="LiFePO4 like Victron's: energy out over in, 80 % deep at C/2", value=100.0 * wh[3] / wh[2],
                reference=92.0, tolerance=1.5, unit="%", source=VICTRON)  # fmt: skip


def battery_efficiency(i_a: float, p: Any) -> float:
    """Share of a current that is stored."""
    return p.coulombic_efficiency if i_a > 0.0 else 1.0


def charging() -> Iterator[Check]:
    """Charging from C/5 to C/40 beside the measured curves of a Trojan L-16."""
    p, off, late = that_battery(), [], []
    for n, curve in measured().items():
        error = charge_curve(p, n, curve[:, 0]) - curve[:, 1]
        middle = (curve[:, 0] >= 20) & (curve[:, 0] <= 90)
        off.extend(error[middle])
        late.append(float(error[curve[:, 0] >= 80].max()))
    rms = float(np.sqrt(np.mean(np.square(off))))
    yield Check(what=f"flooded, antimony: rms over {len(off)} measured points, C/5 to C/40, 20 to 90 % returned",
                value=rms, reference=0.0, tolerance=0.12, unit="V", source=SOURCE)  # fmt: skip
    for n, most in zip(measured(), late, strict=True):
        yield Check(what=f"flooded, antimony: C/{n}, most that the knee comes early, from 80 % returned on", value=most,
                    reference=0.0, tolerance=0.3, unit="V", source=SOURCE)  # fmt: skip


# --- the battery of the Melbourne log ---

THAT_AH: Final = 46.8  # fitted, as the two below: nothing is written about it
THAT_GASSING: Final = 0.1245  # an old one
THAT_CHARGE: Final = (0.9804, 0.095)  # charge and slow polarisation [V] at the first midnight
OWN_A: Final = 0.02  # the controller's own use, not logged (guess)
NIGHT_H: Final = (19.0, 6.9)
T_C: Final = 25.0  # not logged


@cache
def lived_through() -> tuple[Log, np.ndarray]:
    """The log, and the voltages [V] of an AGM block that was given its currents."""
    log = read(MELBOURNE)
    p = leadacid.scaled(bath("agm", gassing_a_per_100ah=THAT_GASSING), THAT_AH, 1)
    i_a = log.i_chg_a - log.i_load_a - OWN_A
    x = leadacid.rested(THAT_CHARGE[0], T_C, p)._replace(v_slow_v=THAT_CHARGE[1])
    shown = np.empty(len(i_a))
    for k in range(len(i_a)):
        shown[k] = terminal_v(x, i_a[k], p)
        if k + 1 < len(i_a):
            x = _moved(x, float(i_a[k]), float(log.t_s[k + 1] - log.t_s[k]), p)
    return log, shown


def _moved(x: Any, i_a: float, seconds: float, p: Any) -> Any:
    def rhs(_t: float, y: np.ndarray) -> np.ndarray:
        return np.array(battery.rates(type(x)(*y), i_a, T_C, p)[0])

    y = solve_ivp(rhs, (0.0, seconds), np.array(x), method="LSODA", rtol=1e-6, atol=1e-8).y[:, -1]
    return type(x)(*(float(value) for value in y))


def nights() -> Iterator[Check]:
    """Two and a half days of a real battery: its voltage at night, and at all."""
    log, shown = lived_through()
    hour = log.t_s / HOUR_S % 24.0
    night = (log.i_chg_a < 0.005) & ((hour >= NIGHT_H[0]) | (hour < NIGHT_H[1]))
    error = shown - log.v_batt_v
    for what, kept, tolerance in (("at night", night, 0.08), ("at all hours", night | True, 0.12)):
        yield Check(what=f"agm, {THAT_AH:g} Ah, given the currents of a log: rms of {kept.sum()} voltages {what}",
                    value=float(np.sqrt(np.mean(error[kept] ** 2))), reference=0.0, tolerance=tolerance, unit="V",
                    source=MELBOURNE)  # fmt: skip
    late = night & (log.day == 0) & (hour >= 20.0), night & (log.day == 1) & (hour < 6.5) & (hour >= 5.5)
    fall = [float(np.median(volts[late[0]]) - np.median(volts[late[1]])) for volts in (shown, log.v_batt_v)]
    yield Check(what="agm: fall of the voltage through the first night", value=fall[0], reference=fall[1],
                tolerance=0.05, unit="V", source=MELBOURNE)  # fmt: skip


QUICK = (capacity_by_rate, a_sheet_of_ones_own, in_the_cold, storage, round_trip, charging, nights)


def checks() -> Iterator[Check]:
    """Every comparison."""
    for group in QUICK:
        yield from group()
