"""Checks of discharging: the load against its output and the battery, and where discharging ends."""

import math

from plant.controller.settings import USER
from plant.design.chargechecks import LITHIUM_CHECK, LITHIUM_WRONG, battery_type, rated
from plant.design.figures import Figures
from plant.design.finding import Level, Remark, above, told

LOAD_CHECK, LOAD_WRONG = 0.9, 1.0  # of the rated load current
ACID_CHECK, ACID_WRONG = 1.0 / 5.0, 1.0  # of the capacity, per hour
FLOOR_CHECK_V_CELL, FLOOR_WRONG_V_CELL = 1.80, 1.75  # of lead-acid
BMS_MARGIN_V = 0.5  # of a block of 12 V


def discharge_rate(f: Figures) -> Remark:
    """Highest current out of the battery over its capacity."""
    rate = f.discharge_a / f.site.battery.capacity_ah
    check_at, wrong_at = (LITHIUM_CHECK, LITHIUM_WRONG) if f.lithium else (ACID_CHECK, ACID_WRONG)
    level = above(rate, check_at, min(wrong_at, f.bms_rate))
    most = min(check_at, f.bms_rate)
    why = "the BMS opens first" if f.bms_rate < rate else "the faster it is drained the less it gives"
    fix = f"take at least {f.discharge_a / most:.0f} Ah: {why}"
    return Remark(
        level, rate, "1/h", f"{f.discharge_a:.1f} A, {rated(rate)}", f"{rated(most)} at most", told(level, fix),
        ("battery.capacity_ah", "load"),
    )  # fmt: skip


def load_output(f: Figures) -> Remark:
    """Highest load current over the rating of the load output."""
    amps, most = f.load_a, f.model.load_rated_a
    level = above(amps, LOAD_CHECK * most, LOAD_WRONG * most)
    fix = "connect the largest loads to the battery, or take a larger controller: the output trips at 102 %"
    return Remark(
        level, amps, "A", f"{amps:.1f} A ({f.load_w:.0f} W)", f"{most:g} A at most", told(level, fix),
        ("load", "controller.model"),
    )  # fmt: skip


def disconnect_floor(f: Figures) -> Remark | None:
    """Low-voltage disconnect, and how deep the battery may be drained."""
    kind = battery_type(f)
    if kind is None or (kind.level is Level.WRONG and f.settings.battery_type != USER):
        return None  # a type for another battery is told already
    volts = f.settings.low_voltage_disconnect_v
    if f.lithium:
        floor = f.bms_opens.over_discharge_v
        if not math.isfinite(floor):
            return None
        least = floor + BMS_MARGIN_V * f.blocks
        level = Level.WRONG if volts <= floor else Level.CHECK if volts < least else Level.OK
        what = f"{least:.1f} V at least; the BMS opens at {floor:.1f} V"
        fix = f"raise low_voltage_disconnect_v to {least:.1f} V or more: else the BMS opens first"
    else:
        cells = f.battery.cells
        least, floor = FLOOR_CHECK_V_CELL * cells, FLOOR_WRONG_V_CELL * cells
        level = Level.WRONG if volts < floor - 1e-9 else Level.CHECK if volts < least - 1e-9 else Level.OK
        what = f"{least:.1f} V at least; {floor:.1f} V is empty"
        fix = f"raise low_voltage_disconnect_v to {least:.1f} V or more: lead-acid that is drained so deep soon dies"
    return Remark(
        level, volts, "V", f"disconnects at {volts:.1f} V", what, told(level, fix),
        ("controller.setpoints.low_voltage_disconnect_v", "controller.battery_type"),
    )  # fmt: skip
