"""Checks of charging: whether the array's voltage reaches the battery's, and whether the battery bears the charge."""

import math
from collections.abc import Iterator

from plant.controller.settings import TYPE_OF_CODE
from plant.design.curves import CurveAt
from plant.design.figures import NOMINAL_V, Figures
from plant.design.finding import Level, Remark, above, told

LOST_CHECK, LOST_WRONG = 0.10, 0.50  # of the power at the hottest or the coldest
ACID_SLOW, ACID_CHECK, ACID_WRONG = 1.0 / 25.0, 1.0 / 5.0, 1.0 / 2.5  # of the capacity, per hour
LITHIUM_CHECK, LITHIUM_WRONG = 0.5, 1.0
VALVE_MOST_V_CELL = 14.7 / 6.0  # a valve-regulated cell loses water above this
VENTED_LEAST_V_CELL = 14.5 / 6.0  # a vented one stratifies below this
CELL_LEAST_V, CELL_MOST_V = 3.4, 3.65  # of lithium iron phosphate: below it is never full
DROP_CHECK, DROP_WRONG = 0.02, 0.05  # of the system's voltage


def reach_when_hot(f: Figures) -> Remark:
    """Power left at the voltage that charging needs, over the maximum power, with cells at their hottest."""
    need = f.settings.boost_v + f.model.tracking_above_v
    curves = f.hot if f.matched else (max(f.hot, key=lambda c: c.v_mp_v),)  # the low ones are told already
    lost = _lost(curves, [max(c.v_mp_v, need) for c in curves])
    volts = min(c.v_mp_v for c in curves)
    level = above(lost, LOST_CHECK, LOST_WRONG)
    fix = (
        f"put more cells in series: the battery's {f.settings.boost_v:.1f} V and the controller's "
        f"{f.model.tracking_above_v:g} V above it are {need:.1f} V"
    )
    if max(c.v_oc_v for c in curves) < need:
        fix = f"nothing is charged then; {fix}"
    return Remark(
        level, volts, "V",
        f"V_mp {volts:.1f} V at {f.hot_cell_c:.0f} °C, {100 * lost:.0f} % of the power lost",
        f"{need:.1f} V at least, or {100 * LOST_CHECK:.0f} % lost",
        told(level, fix), ("array.series", "battery.system_v"),
    )  # fmt: skip


def reach_when_cold(f: Figures) -> Remark | None:
    """The same at the upper end of the tracker's range, with cells at their coldest."""
    most = f.model.tracking_max_v
    if max(c.v_oc_v for c in f.cold) > f.model.pv_rated_v:
        return None  # nothing survives to be tracked; that is told already
    lost = _lost(f.cold, [min(c.v_mp_v, most) for c in f.cold])
    volts = max(c.v_mp_v for c in f.cold)
    level = above(lost, LOST_CHECK, LOST_WRONG)
    fix = f"put fewer modules in series and more in parallel: the tracker ends at {most:g} V"
    return Remark(
        level, volts, "V",
        f"V_mp {volts:.1f} V at {f.extremes.coldest_c:.0f} °C, {100 * lost:.0f} % of the power lost",
        f"{most:g} V at most, or {100 * LOST_CHECK:.0f} % lost", told(level, fix), ("array.series", "controller.model"),
    )  # fmt: skip


def _lost(curves: tuple[CurveAt, ...], held_v: list[float]) -> float:
    """Share of the power lost by sub-arrays that are held at these voltages."""
    kept = sum(
        c.p_mp_w if volts == c.v_mp_v else c.power_at(volts) for c, volts in zip(curves, held_v, strict=True)
    )
    return 1.0 - kept / sum(c.p_mp_w for c in curves)


def charge_rate(f: Figures) -> Remark:
    """Highest charge current over the capacity."""
    rate = f.charge_a / f.site.battery.capacity_ah
    slow, check_at, wrong_at = (
        (0.0, LITHIUM_CHECK, LITHIUM_WRONG) if f.lithium else (ACID_SLOW, ACID_CHECK, ACID_WRONG)
    )
    level = Level.CHECK if rate < slow else above(rate, check_at, min(wrong_at, f.bms_rate))
    most = min(check_at, f.bms_rate)
    harm = "the cells age faster" if f.lithium else "the battery heats and gasses"
    why = "the BMS opens" if f.bms_rate < rate else harm
    less = "less current of array and chargers" if f.site.battery.chargers else "fewer modules"
    fix = (
        f"a bank that is charged so slowly is seldom full: take at most {f.charge_a / slow:.0f} Ah, or more modules"
        if rate < slow
        else f"{why}: take at least {f.charge_a / most:.0f} Ah, or {less}"
    )
    limits = f"{rated(most)} at most" if f.lithium else f"{rated(slow)} to {rated(most)}"
    return Remark(
        level, rate, "1/h", f"{f.charge_a:.1f} A, {rated(rate)}", limits, told(level, fix),
        ("battery.capacity_ah", "array.parallel"),
    )  # fmt: skip


def rated(rate: float) -> str:
    """A current over the capacity as battery people write it."""
    if not 0.0 < rate < 1.0:
        return f"{rate:.2g} C"
    return f"C/{1.0 / rate:.2g}" if rate > 0.1 else f"C/{1.0 / rate:.0f}"


def system_voltage(f: Figures) -> Remark:
    """The battery's voltage, and what the controller is set to and made for."""
    volts, points = f.battery_v, f.setpoints
    level = Level.OK if f.system_fits else Level.WRONG
    set_to = "any, found by itself"
    if math.isfinite(points.system_low_v):
        set_to = f"{points.system_low_v:g} to {points.system_high_v:g} V as set"
    fix = (
        f"set the controller to {f.site.battery.system_v} V: battery_type {TYPE_OF_CODE[f.settings.battery_type].name} "
        f"and system_code {f.settings.system_code} are for another battery, and nothing is charged"
    )
    return Remark(
        level, volts, "V", f"battery of {volts:.1f} V", set_to, told(level, fix),
        ("controller.battery_type", "controller.settings.system_code", "battery.system_v"),
    )  # fmt: skip


def battery_type(f: Figures) -> Remark | None:
    """Charging voltages, compensation and equalizing as set, and what the battery's chemistry bears."""
    if not f.system_fits:
        return None
    cell_v, is_lithium_type = f.hardest_v / f.battery.cells, TYPE_OF_CODE[f.settings.battery_type].lithium
    if f.lithium:
        level, limit, fix = _for_lithium(f, cell_v)
    elif is_lithium_type:
        level, limit = Level.WRONG, "settings of lead-acid"
        fix = "take sealed, gel or flooded: a lithium type neither compensates for temperature nor equalizes"
    elif f.vented:
        level = Level.CHECK if cell_v < VENTED_LEAST_V_CELL - 1e-9 else Level.OK
        limit = f"{VENTED_LEAST_V_CELL:.2f} V a cell at least"
        fix = "take battery_type flooded: a vented battery stratifies and sulphates at lower voltages"
    else:
        level = Level.CHECK if cell_v > VALVE_MOST_V_CELL + 1e-9 else Level.OK
        limit = f"{VALVE_MOST_V_CELL:.2f} V a cell at most"
        fix = "take battery_type sealed or gel: what a valve-regulated battery gasses it never gets back"
    name = TYPE_OF_CODE[f.settings.battery_type].name
    return Remark(
        level, cell_v, "V", f"{name}, up to {cell_v:.2f} V a cell at 25 °C", limit, told(level, fix),
        ("controller.battery_type", "controller.setpoints", "battery.model"),
    )  # fmt: skip


def _for_lithium(f: Figures, cell_v: float) -> tuple[Level, str, str]:
    odd = list(_acid_habits(f))
    if CELL_MOST_V + 1e-9 < cell_v < f.bms_opens.over_charge_v / f.battery.cells:
        odd.append(f"{cell_v:.2f} V a cell")  # more is told of the BMS
    if cell_v < CELL_LEAST_V:
        odd.append(f"only {cell_v:.2f} V a cell")
    limit = f"no compensation, no equalizing, {CELL_LEAST_V:g} to {CELL_MOST_V:g} V a cell"
    kind = "lifepo4_4s" if f.blocks == 1 else "lifepo4_8s"
    fix = f"take battery_type {kind}, or set these to what lithium wants: {', '.join(odd)}"
    return (Level.WRONG if odd else Level.OK), limit, fix


def _acid_habits(f: Figures) -> Iterator[str]:
    """What lead-acid wants and lithium doesn't, as set."""
    if f.settings.compensation_mv_k_cell > 0.0:
        yield f"compensation_mv_k_cell {f.settings.compensation_mv_k_cell:g}"
    if f.equalizes and f.settings.equalize_v > f.settings.boost_v:
        yield f"equalizing at {f.settings.equalize_v:g} V"


def bms_over_charge(f: Figures) -> Remark | None:
    """Highest charging voltage, and where the battery's own protection opens."""
    limit = f.bms_opens.over_charge_v
    if not math.isfinite(limit) or not f.system_fits or any(_acid_habits(f)):
        return None  # settings of lead-acid are told already
    volts = min(f.hardest_v, f.settings.charging_limit_v)
    level = Level.WRONG if volts >= limit else Level.OK
    fix = f"lower boost_v and equalize_v below {limit:g} V: else the BMS opens while the charger is at work"
    return Remark(
        level, volts, "V", f"charged to {volts:.1f} V",
        f"below {limit:g} V, where the BMS opens",
        told(level, fix), ("controller.setpoints.boost_v", "controller.battery_type"),
    )  # fmt: skip


def cold_charging(f: Figures) -> Remark | None:
    """The battery's lowest temperature, where its protection refuses to charge, and the controller's own limit."""
    least = f.bms.charge_min_c
    if not math.isfinite(least):
        return None
    coldest, usual, guarded = f.coldest_battery_c, f.usual_cold_battery_c, f.setpoints.cold_charge_c >= least
    level = Level.OK
    if usual < least:
        level = Level.CHECK if guarded else Level.WRONG
    elif coldest < least and not guarded:
        level = Level.CHECK
    kind = "lifepo4_4s" if f.blocks == 1 else "lifepo4_8s"
    fix = "keep the battery warm: it is not charged for weeks"
    if not guarded:
        fix = (
            f"give the controller the limit too: battery_type {kind} with settings.lithium_protection 256 and "
            f"low_temperature_charge_c {least:g}; or keep the battery warm"
        )
    own = f", the controller stops at {f.setpoints.cold_charge_c:g} °C" if guarded else ""
    return Remark(
        level, coldest, "°C", f"battery down to {coldest:.0f} °C{own}", f"{least:g} °C, where the BMS refuses charge",
        told(level, fix), ("battery.room_c", "controller.settings.lithium_protection"),
    )  # fmt: skip


def battery_cable(f: Figures) -> Remark:
    """Voltage lost between controller and battery at the highest current of either way."""
    amps = max(f.controller_a, f.load_a)
    nominal = f.blocks * NOMINAL_V
    drop = f.site.battery.cable_ohm * amps / nominal
    level = above(drop, DROP_CHECK, DROP_WRONG)
    most = DROP_CHECK * nominal / amps if amps > 0.0 else math.inf
    fix = (
        f"take a thicker or shorter cable, at most {1e3 * most:.1f} mOhm: the controller sees a wrong voltage"
    )
    return Remark(
        level, 100.0 * drop, "%", f"{100 * drop:.1f} % at {amps:.1f} A", f"{100 * DROP_CHECK:g} % at most",
        told(level, fix), ("battery.cable_ohm",),
    )  # fmt: skip
