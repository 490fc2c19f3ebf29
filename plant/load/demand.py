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
