"""What a battery's own protection allows: limits as data, wide open for batteries without one.

Knows numbers only. When a limit trips and what then happens is for the rules of the plant.
"""

import math
from typing import NamedTuple


class Bms(NamedTuple):
    """Limits of the whole battery; the defaults are those of a battery without a BMS."""

    over_charge_v: float = math.inf  # charging stops above this and may go on below the release
    over_charge_release_v: float = math.inf
    over_discharge_v: float = -math.inf  # discharging stops below this and may go on above the release
    over_discharge_release_v: float = -math.inf
    charge_min_c: float = -math.inf  # charging only between these temperatures
    charge_max_c: float = math.inf
    discharge_min_c: float = -math.inf
    discharge_max_c: float = math.inf
    resume_k: float = 0.0  # how far inside them it must be again to go on
    over_current_a: float = math.inf  # of either sign
    over_current_s: float = 0.0  # for so long
    delay_s: float = 0.0  # how long every other limit must be passed
    diode_v: float = 0.0  # drop of a switched-off transistor that conducts the other way


NO_BMS = Bms()


def scaled(block: Bms, capacity_ratio: float, blocks_in_series: int) -> Bms:
    """Limits of a battery of blocks: voltages add up in series, the current grows with capacity."""
    n = float(blocks_in_series)
    return block._replace(
        over_charge_v=block.over_charge_v * n,
        over_charge_release_v=block.over_charge_release_v * n,
        over_discharge_v=block.over_discharge_v * n,
        over_discharge_release_v=block.over_discharge_release_v * n,
        over_current_a=block.over_current_a * capacity_ratio,
        diode_v=block.diode_v * n,
    )
