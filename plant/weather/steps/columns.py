"""The sky of some days as a table of single precision that can lie on a disk: 4 bytes a value, 146 kB a year of hours.

Light is kept as its shape, with the day's sums beside it in double precision: read again, they are exact.
"""

import numpy as np

from plant.base.clock import DAY_S


def day_type(step_s: int) -> np.dtype[np.void]:
    """One day: `ghi`, `beam` (direct, on the level), both [W/m2], `t_amb` [degC], `wind` [m/s] and the two sums of light.

    The sums count values, so `ghi_sum` times the step is the day's irradiation.
    """
    values = ("<f4", (DAY_S // step_s,))
    columns = ("ghi", "beam", "t_amb", "wind")
    return np.dtype([*((name, *values) for name in columns), ("ghi_sum", "<f8"), ("beam_sum", "<f8")])


def packed(
    step_s: int, ghi: np.ndarray, beam: np.ndarray, t_amb_c: np.ndarray, wind_m_s: np.ndarray
) -> np.ndarray:
    """Days, (days,) of `day_type`, of step means in double precision, each (days, n)."""
    days = np.empty(ghi.shape[0], day_type(step_s))
    for name, values in (("ghi", ghi), ("beam", beam), ("t_amb", t_amb_c), ("wind", wind_m_s)):
        days[name] = values
    days["ghi_sum"], days["beam_sum"] = ghi.sum(axis=1), beam.sum(axis=1)
    return days


def light_in(days: np.ndarray, name: str) -> np.ndarray:
    """Step means of `ghi` or `beam` [W/m2], (days, n), whose sums are those kept, to rounding."""
    shape = days[name].astype(float)
    wanted, have = days[f"{name}_sum"], shape.sum(axis=1)
    return np.asarray(shape * np.divide(wanted, have, out=np.ones_like(have), where=have > 0.0)[:, None])
