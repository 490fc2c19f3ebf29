"""The equations of lead-acid against check values computed elsewhere.

Check values: the equations with the parameters of `battery_tables.PUBLISHED`, solved before and apart from this code
with scipy 1.17.1 (Radau), at a constant temperature, 25 degC unless named. Where a reference states no tolerance it is
half of its last digit, or what a note says.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from plant.battery import acid, leadacid
from plant.battery.electrode import reaction
from validation.batteries import (
    HOUR_S,
    as_published,
    bath,
    discharged,
    held_at,
    hours_to,
    last,
    run,
    soc_from_soc20,
    terminal_v,
    voltages,
)
from validation.battery_figures import figures
from validation.battery_steps import a_day, some_minutes
from validation.battery_tables import (
    ANTIMONY,
    ANTIMONY_IG0_A,
    CAPACITY,
    COLD,
    COLD_C,
    DAILY,
    FAST_S,
    FLOAT_MA,
    FLOAT_V,
    FREEZING,
    MAKERS_TABLE,
    MONTH,
    MONTH_C,
    OCV,
    RECHARGE,
    RECOVER_S,
    RECOVER_V,
    RELAX,
    RELAX_S,
    REMOVED,
    RETURNED,
    RISE,
    SAG,
    SOC20,
    TROJAN_OCV,
)
from validation.check import Check
from validation.trojan import charge_curve, charged

__all__ = ["QUICK", "SLOW", "checks", "figures"]

MODEL = "model computed apart (scipy)"


def open_circuit() -> Iterator[Check]:
    """Rested voltage by the data sheet's state of charge."""
    for model, volts in OCV.items():
        p = bath(model)
        for soc20, v in zip(SOC20, volts, strict=True):
            shown = acid.emf(soc_from_soc20(soc20, p), 25.0, p)
            yield Check(what=f"{model}: rested at SOC20 {soc20:.0%}", value=shown, reference=v, tolerance=5.1e-4,
                        unit="V", source=MODEL)  # fmt: skip
    p = bath("flooded")
    for soc20, v in zip(SOC20, TROJAN_OCV, strict=False):
        shown = acid.emf(soc_from_soc20(soc20, p), 25.0, p)
        yield Check(what=f"flooded: rested at SOC20 {soc20:.0%}", value=shown, reference=v, tolerance=0.015, unit="V",
                    source="Trojan's table")  # fmt: skip


def freezing() -> Iterator[Check]:
    """Freezing point of the acid by its open-circuit voltage."""
    p = bath("flooded")
    for volts, t_c in FREEZING:
        fills = np.linspace(0.0, 1.0, 4001)
        h1 = np.interp(volts, [acid.emf(h, 25.0, p) for h in fills], fills)
        yield Check(what=f"flooded: acid of {volts} V freezes at", value=acid.freezing_point_c(h1, p),
                    reference=t_c, tolerance=0.5, unit="degC", source="Polaris freezing chart")  # fmt: skip


def capacity_by_rate() -> Iterator[Check]:
    """Constant-current discharge from full."""
    for model, rows in CAPACITY.items():
        p = as_published(model)
        for i_a, cut_v, hours in rows:
            half_digit = 5.1e-4 if hours < 100 and round(hours, 2) != hours else 5.1e-3
            yield Check(what=f"{model}: {i_a:g} A to {cut_v} V", value=hours_to(p, i_a, cut_v), reference=hours,
                        tolerance=half_digit, unit="h", source=MODEL)  # fmt: skip


def makers_table() -> Iterator[Check]:
    """The published AGM set beside its maker's table of currents: the weak spot is above 0.6C with a high cut-off."""
    p = as_published("agm")
    for cut_v, rows in MAKERS_TABLE:
        for hours, i_a, percent in rows:
            off = 100.0 * (hours_to(p, i_a, cut_v) / hours - 1.0)
            yield Check(what=f"agm as published: {i_a:g} A to {cut_v} V beside the maker's {hours:g} h", value=off,
                        reference=percent, tolerance=0.06, unit="%", source=MODEL)  # fmt: skip


def discharge_voltage() -> Iterator[Check]:
    """Terminal voltage under constant discharge currents."""
    for model, rows in SAG.items():
        p = as_published(model)
        for i_a, volts in zip((p.c20_ah / 20.0, 10.0, 20.0, 100.0), rows, strict=True):
            times = np.array(REMOVED[: len(volts)]) * p.c20_ah / i_a * HOUR_S
            shown = voltages(p, discharged(p, i_a, 9.0), -i_a, times)
            for removed, value, v in zip(REMOVED, shown, volts, strict=False):
                yield Check(what=f"{model}: {i_a:g} A, {removed:.0%} removed", value=value, reference=v,
                            tolerance=5e-3, unit="V", source=MODEL)  # fmt: skip


def charge_voltage() -> Iterator[Check]:
    """Terminal voltage under constant charging currents, from the data sheet's empty."""
    for model, i_a, volts in RISE:
        p = as_published(model)
        solution = charged(p, i_a)
        shown = voltages(p, solution, i_a, np.array(RETURNED) * p.c20_ah / i_a * HOUR_S)
        for share, value, v in zip(RETURNED, shown, volts, strict=True):
            yield Check(what=f"{model}: {i_a:g} A, {share:.0%} returned", value=value, reference=v, tolerance=5e-3,
                        unit="V", source=MODEL)  # fmt: skip


def antimony_charge_voltage() -> Iterator[Check]:
    """Charging from C/5 to C/40 of the flooded block with old antimony plates."""
    p = as_published("flooded", gassing_a_per_100ah=ANTIMONY_IG0_A)
    for n, rows in ANTIMONY.items():
        for (percent, v), value in zip(
            rows, charge_curve(p, n, [percent for percent, _ in rows]), strict=True
        ):
            yield Check(what=f"flooded, antimony: C/{n}, {percent} % returned", value=value, reference=v,
                        tolerance=6e-3, unit="V", source=MODEL)  # fmt: skip


@cache
def _recharged(model: str, i_a: float, volts: float, hours: float) -> tuple[Any, Any, Any]:
    """Recharge after 10 A to 10.8 V: the block, its constant-current part and its constant-voltage part."""
    p = as_published(model)
    empty = last(p, discharged(p, 10.0, 10.8))
    cc = run(p, empty, i_a, hours * HOUR_S, until=lambda x: terminal_v(x, i_a, p) - volts)
    return p, cc, run(p, last(p, cc), held_at(volts, i_a, p), hours * HOUR_S - cc.t[-1])


def recharge() -> Iterator[Check]:
    """Constant current, then constant voltage, for a day."""
    for model, i_a, volts, expected in RECHARGE:
        p, cc, cv = _recharged(model, i_a, volts, 24.0)
        t = np.concatenate([np.linspace(0.0, cc.t[-1], 4001), cc.t[-1] + np.linspace(0.0, cv.t[-1], 12001)])
        y = np.hstack([cc.sol(t[:4001]), cv.sol(t[4001:] - cc.t[-1])])
        current = np.minimum(i_a, (volts - y[2]) / acid.at_temperature(25.0, p).r0_ohm)
        returned = np.concatenate([[0.0], np.cumsum((current[1:] + current[:-1]) / 2 * np.diff(t))]) / HOUR_S
        soc = (y[0] + y[1]) / p.full_capacity_ah
        missing = (1.0 - soc[0]) * p.full_capacity_ah
        made_up = (soc - soc[0]) / (1.0 - soc[0])
        found = (
            soc[0], cc.t[-1] / HOUR_S, returned[4000] / missing, np.interp(0.95, made_up, t) / HOUR_S,
            np.interp(0.99, made_up, t) / HOUR_S, np.interp(16 * HOUR_S, t, current), current[-1],
            returned[-1] / missing,
        )  # fmt: skip
        what = ("charge at the start", "constant current ends", "returned by then, of what was missing",
                "95 % made up", "99 % made up", "current at 16 h", "current at 24 h", "Ah in/out of 24 h")  # fmt: skip
        unit = ("", "h", "", "h", "h", "A", "A", "")
        tolerance = (6e-4, 6e-3, 6e-4, 0.01 * expected[3], 0.01 * expected[4], 6e-4, 6e-4, 6e-4)
        for name, value, ref, tol, u in zip(what, found, expected, tolerance, unit, strict=True):
            yield Check(what=f"{model}: {i_a:g} A, {volts} V: {name}", value=float(value), reference=ref,
                        tolerance=tol, unit=u, source=MODEL,
                        note="reference read off a 5 min grid: 1 %" if "made" in name else "")  # fmt: skip


def float_current() -> Iterator[Check]:
    """Current of 100 Ah after 60 days at a voltage."""
    for model, milliamps in FLOAT_MA.items():
        block = as_published(model)
        p = leadacid.scaled(block, 100.0 * block.c20_ah / block.gassing_capacity_ah, 1)
        for volts, ma in zip(FLOAT_V, milliamps, strict=True):
            charger = held_at(volts, 50.0, p)
            end = last(p, run(p, leadacid.rested(1.0, 25.0, p), charger, 1440 * HOUR_S))
            yield Check(what=f"{model}: float at {volts} V", value=1000.0 * charger(end), reference=ma,
                        tolerance=0.01 * ma, unit="mA per 100 Ah", source=MODEL)  # fmt: skip


def self_discharge() -> Iterator[Check]:
    """Charge lost in 30 days from full."""
    for model, percents in MONTH.items():
        p = as_published(model)
        for t_c, percent in zip(MONTH_C, percents, strict=True):
            end = last(p, run(p, leadacid.rested(1.0, t_c, p), 0.0, 720 * HOUR_S, t_c))
            yield Check(what=f"{model}: a month at {t_c:g} degC", value=100.0 * (1.0 - leadacid.soc(end, p)),
                        reference=percent, tolerance=0.01 if percent < 10 else 0.05, unit="%",
                        source=MODEL)  # fmt: skip


def capacity_by_temperature() -> Iterator[Check]:
    """Capacity beside that at 25 degC, of acid that stays liquid: the reference knows no ice."""
    for model, i_a, cut_v, percents in COLD:
        p = as_published(model)
        at_25 = hours_to(p, i_a, cut_v)
        for t_c, percent in zip(COLD_C, percents, strict=True):
            share = 100.0 * liquid_hours(p, i_a, cut_v, t_c) / at_25
            yield Check(what=f"{model}: {i_a:g} A to {cut_v} V at {t_c:g} degC", value=share, reference=percent,
                        tolerance=0.06, unit="%", source=MODEL)  # fmt: skip


def liquid_hours(p: Any, i_a: float, cut_v: float, t_c: float) -> float:
    """Hours of a discharge whose acid doesn't freeze: at a constant temperature ice is in the resistance alone."""
    node_v = cut_v + i_a * acid.at_temperature(t_c, p).r0_ohm
    full = leadacid.rested(1.0, t_c, p)
    return float(run(p, full, -i_a, 150 * HOUR_S, t_c, until=lambda x: x.v_node_v - node_v).t[-1]) / HOUR_S


def relaxation() -> Iterator[Check]:
    """Open-circuit voltage after 16 h of recharge, and after a discharge."""
    for model, (i_a, volts, expected) in RELAX.items():
        p, _, cv = _recharged(model, i_a, volts, 16.0)
        shown = run(p, last(p, cv), 0.0, RELAX_S[-1]).sol(np.array(RELAX_S))[2]
        for t_s, value, v in zip(RELAX_S, shown, expected, strict=True):
            yield Check(what=f"{model}: {t_s / HOUR_S:.3g} h after {volts} V", value=value, reference=v,
                        tolerance=6e-3, unit="V", source=MODEL)  # fmt: skip
    p = as_published("agm")
    shown = run(p, last(p, discharged(p, 10.0, 11.4)), 0.0, RECOVER_S[-1]).sol(np.array(RECOVER_S))[2]
    for t_s, value, v in zip(RECOVER_S, shown, RECOVER_V, strict=True):
        yield Check(what=f"agm: {t_s / HOUR_S:.3g} h after 10 A to 11.4 V", value=value, reference=v, tolerance=6e-3,
                    unit="V", source=MODEL)  # fmt: skip


def _cycle(p: Any, x: Any, depth_ah: float, absorb_v: float) -> tuple[Any, float, float]:
    """A day: 5 A out, 10 A in, 2 h of absorption, float at 13.8 V; energy and charge out over in."""
    out_s, r0 = depth_ah / 5.0 * HOUR_S, acid.at_temperature(25.0, p).r0_ohm
    wh, ah = [0.0, 0.0], [0.0, 0.0]

    def part(solution: Any, side: int, volts: float = 1e9, limit_a: float = 10.0) -> Any:
        t = np.concatenate([[0.0], np.geomspace(0.01, solution.t[-1], 3000)])
        node = solution.sol(t)[2]
        amps = np.minimum(limit_a, np.maximum(0.0, (volts - node) / r0)) if side else np.full(t.size, -5.0)
        wh[side] += abs(np.trapezoid((node + r0 * amps) * amps, t))
        ah[side] += abs(np.trapezoid(amps, t))
        return last(p, solution)

    x = part(run(p, x, -5.0, out_s), 0)
    cc = run(p, x, 10.0, 20 * HOUR_S, until=lambda s: terminal_v(s, 10.0, p) - absorb_v)
    x = part(cc, 1)
    for volts, seconds in ((absorb_v, 2 * HOUR_S), (13.8, 22 * HOUR_S - out_s - cc.t[-1])):
        x = part(run(p, x, held_at(volts, 10.0, p), seconds), 1, volts)
    return x, wh[0] / wh[1], ah[0] / ah[1]


def daily_cycle() -> Iterator[Check]:
    """Efficiency by energy and by charge of the third day of a daily cycle."""
    for model, absorb_v, depth_ah, energy, charge in DAILY:
        p = as_published(model)
        x = leadacid.rested(1.0, 25.0, p)
        by_energy = by_charge = 0.0
        for _day in range(3):
            x, by_energy, by_charge = _cycle(p, x, depth_ah, absorb_v)
        for name, value, ref in (("energy", by_energy, energy), ("charge", by_charge, charge)):
            yield Check(what=f"{model}: daily {depth_ah:g} Ah, efficiency by {name}", value=value, reference=ref,
                        tolerance=6e-4, source=MODEL)  # fmt: skip


def _time_constants(p: Any, i_a: float) -> np.ndarray:
    """Time constants [s] at 70 % charge, 10 min into a current, fast to slow, by the Jacobian."""
    x = leadacid.rested(0.7, 25.0, p)
    y = np.array(last(p, run(p, x, i_a, 600.0)) if i_a else x)
    jacobian = np.zeros((3, 3))  # wells and electrode; the slow polarisation is apart from them
    for k in range(3):
        up, down = y.copy(), y.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        slopes = [np.array(leadacid.rates(acid.LeadAcidState(*z), i_a, 25.0, p)[0]) for z in (up, down)]
        jacobian[:, k] = (slopes[0] - slopes[1])[:3] / 2e-5
    return np.sort(-1.0 / np.linalg.eigvals(jacobian).real)


def time_constants() -> Iterator[Check]:
    """How fast the electrode node and the wells answer."""
    for model, fast in FAST_S.items():
        p = as_published(model)
        for i_a, seconds in zip((0.0, -p.c20_ah / 20.0, -20.0, -100.0, 10.0), fast, strict=True):
            yield Check(what=f"{model}: electrode at {i_a:g} A", value=_time_constants(p, i_a)[0], reference=seconds,
                        tolerance=0.05 * seconds, unit="s", source=MODEL,
                        note="the reference doesn't name the charge: 5 %")  # fmt: skip
    p = as_published("flooded")
    for volts, seconds in ((14.8, 40.0), (15.5, 2.2)):
        here = reaction(volts - acid.emf(1.0, 25.0, p), 1.0, acid.at_temperature(25.0, p))
        well_ah = p.available_fraction * p.full_capacity_ah
        yield Check(what=f"flooded: full well at {volts} V", value=HOUR_S * well_ah / here.per_h,
                    reference=seconds, tolerance=0.05 * seconds, unit="s",
                    source="closed form 3600 c Q Mc / (I0c sinh)")  # fmt: skip
    for model, i_a, seconds in (
        ("agm", 10.0, 2300),
        ("gel", 0.0, 4100),
        ("agm", -20.0, 4600),
        ("gel", -5.0, 6300),
    ):
        p = as_published(model)
        yield Check(what=f"{model}: wells at {i_a:g} A", value=_time_constants(p, i_a)[1], reference=seconds,
                    tolerance=0.02 * seconds, unit="s", source=MODEL, note="ends of the named range, 2 %")  # fmt: skip


QUICK = (
    open_circuit, freezing, capacity_by_rate, makers_table, discharge_voltage, charge_voltage, antimony_charge_voltage,
    recharge, float_current, self_discharge, capacity_by_temperature, relaxation, time_constants, some_minutes,
)  # fmt: skip
SLOW = (daily_cycle, a_day)


def checks() -> Iterator[Check]:
    """Every comparison, a minute of them."""
    for group in (*QUICK, *SLOW):
        yield from group()
