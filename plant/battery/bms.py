"""What a battery's own protection allows: limits as data, wide open for batteries without one.

Knows numbers only. When a limit trips and what then happens is for the rules of the plant.
"""

import math
from typing import NamedTuple


class Bms(NamedTuple):
    """Limits that a BMS keeps; the defaults are those of a battery without one. Voltages are those of each cell."""

    over_charge_v_cell: float = math.inf  # charging stops above this and may go on below the release
    over_charge_release_v_cell: float = math.inf
    over_discharge_v_cell: float = -math.inf  # discharging stops below this and may go on above the release
    over_discharge_release_v_cell: float = -math.inf
    charge_min_c: float = -math.inf  # charging only between these temperatures
    charge_max_c: float = math.inf
    discharge_min_c: float = -math.inf
    discharge_max_c: float = math.inf
    resume_k: float = 0.0  # how far inside them it must be again to go on
    over_current_a: float = math.inf  # of either sign
    over_current_s: float = 0.0  # for so long
    delay_s: float = 0.0  # how long every other limit must be passed
    release_s: float = 0.0  # how long everything must be within its release before a switch closes again


NO_BMS = Bms()


def scaled(block: Bms, capacity_ratio: float) -> Bms:
    """Limits of a bank of larger cells: only the current grows with them."""
    return block._replace(over_current_a=block.over_current_a * capacity_ratio)


class StringLimits(NamedTuple):
    """What a string's terminals show as a cell comes to a limit of its BMS [V]."""

    over_charge_v: float
    over_charge_release_v: float
    over_discharge_v: float
    over_discharge_release_v: float


def string_limits(bms: Bms, cells: float, cell_shorted: bool) -> StringLimits:
    """Limits at the terminals of a string of equal cells, of which so many are sound.

    A shorted cell stands at 0 V, below any limit of discharge, and the others share all of the voltage between them.
    Too low a voltage opens the way out only (JBD, Texas Instruments BQ769x2: a battery has to be charged out of it).
    That nothing forbids to charge a string with a dead cell is a guess; some protection chips do forbid it.
    """
    never = math.inf if cell_shorted and bms.over_discharge_v_cell > -math.inf else -math.inf
    return StringLimits(
        bms.over_charge_v_cell * cells,
        bms.over_charge_release_v_cell * cells,
        max(bms.over_discharge_v_cell * cells, never),
        max(bms.over_discharge_release_v_cell * cells, never),
    )
