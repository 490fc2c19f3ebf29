"""What the ageing laws share: a day of use in hours, what a maker promises, and what is lost so far."""

from typing import NamedTuple

import numpy as np

HOURS_PER_YEAR = 8766.0
LIFE_LOSS = 0.2  # share of the capacity that is gone when a life is over
MOST_LOST = 0.95  # share of the capacity: what is left still has an equation


class Hours(NamedTuple):
    """A day of use; (24,) arrays of one value an hour of the solar day."""

    charged_ah: np.ndarray  # into the battery in that hour [Ah], not negative
    discharged_ah: np.ndarray  # out of it [Ah], not negative
    soc: np.ndarray  # at the hour's end, 0..1
    t_c: np.ndarray  # mean temperature of the battery [degC]
    v_v: np.ndarray  # mean voltage at the terminals of the whole battery [V]
    frozen: np.ndarray  # 1 where there was ice in it at any time of the hour


class Life(NamedTuple):
    """What the maker of a battery promises."""

    full_cycles: float = 600.0  # throughput of its cycle life, in nominal capacities
    float_years: float = 10.0  # float life at 25 degC
    plate_height_m: float = 0.2
    cycles: float = 200.0  # until 80 % of the capacity is left, at full depth of discharge ...
    cycles_exponent: float = 1.6  # ... and how that grows for depth d: cycles d^-exponent


class Loss(NamedTuple):
    """What is gone of a battery."""

    q_loss: float  # share of the capacity
    r_gain: float  # growth of the resistance over the new one's
