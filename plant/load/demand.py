"""What a load asks for, as the kernel takes it."""

from typing import NamedTuple

import numpy as np


class Demand(NamedTuple):
    """Power [W] asked for at nominal voltage, by kind; each (n,).

    At another voltage ``v`` it is ``power_w + current_w v / v0 + resistance_w (v / v0)^2``, with ``v0`` 12 V a block.
    """

    power_w: np.ndarray
    current_w: np.ndarray
    resistance_w: np.ndarray
    inverter_w: np.ndarray  # by what hangs on the battery itself, through an inverter or without
    inverter_served_w: np.ndarray  # of it, while the inverter is on: search mode overlooks small loads
    inverter_drawn_w: np.ndarray  # by the inverter then, losses included
    # Hours in which chargers at the battery may run: 1 for the first, 2 for the second, 3 for both.
    chargers: np.ndarray
