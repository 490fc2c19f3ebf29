"""The sky of some days as a table that can lie on a disk: 22 bytes a step and two sums a day, 199 kB a year of hours.

Light is kept as its shape in single precision, with the day's sums beside it in double: read again, they are exact.
What the diffuse light is made of is kept as shares of it, in half precision.
"""

from typing import NamedTuple

import numpy as np

from plant.base.clock import DAY_S


class LightMeans(NamedTuple):
    """Light of steps, each (days, n)."""

    ghi_w_m2: np.ndarray
    beam_w_m2: np.ndarray  # direct, on the level
    around_w_m2: np.ndarray  # diffuse light from around the sun, on a plane that faces it
    even_w_m2: np.ndarray  # diffuse light from all over the sky, on the level
    # Diffuse light from a band at the horizon, on an upright plane; negative for a dull band.
    band_w_m2: np.ndarray


SHARES = ("around", "even", "band")  # of the diffuse light


def day_type(step_s: int) -> np.dtype[np.void]:
    """One day: columns of `LightMeans`, `t_amb` [degC] and `wind` [m/s], and the sums of `ghi` and `beam` over it."""
    shape = (DAY_S // step_s,)
    return np.dtype([
        ("ghi_sum", "<f8"), ("beam_sum", "<f8"),
        *((name, "<f4", shape) for name in ("ghi", "beam", "t_amb", "wind")),
        *((name, "<f2", shape) for name in SHARES),
    ])  # fmt: skip


def packed(step_s: int, light: LightMeans, t_amb_c: np.ndarray, wind_m_s: np.ndarray) -> np.ndarray:
    """Days, (days,) of `day_type`, out of step means in double precision.

    Parameters
    ----------
    step_s : int
        Length of a step [s].
    light : LightMeans
    t_amb_c, wind_m_s : (days, n) array
        Means of air temperature [degC] and wind [m/s].
    """
    days = np.empty(light.ghi_w_m2.shape[0], day_type(step_s))
    for name, values in (
        ("ghi", light.ghi_w_m2),
        ("beam", light.beam_w_m2),
        ("t_amb", t_amb_c),
        ("wind", wind_m_s),
    ):
        days[name] = values
    days["ghi_sum"], days["beam_sum"] = light.ghi_w_m2.sum(axis=1), light.beam_w_m2.sum(axis=1)
    diffuse = light.ghi_w_m2 - light.beam_w_m2
    for name in SHARES:
        part = getattr(light, f"{name}_w_m2")
        days[name] = np.divide(part, diffuse, out=np.zeros_like(part), where=diffuse > 0.0)
    return days


def light_in(days: np.ndarray) -> LightMeans:
    """Light of days, (days,) of `day_type`: what `packed` was given, to the precision that is kept.

    The day's sums of global and direct light are exact to rounding.
    """
    ghi, beam = (_closed(days[name].astype(float), days[f"{name}_sum"]) for name in ("ghi", "beam"))
    diffuse = np.maximum(ghi - beam, 0.0)
    return LightMeans(ghi, beam, *(days[name] * diffuse for name in SHARES))


def _closed(shape: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Days of light with the sums wanted."""
    have = shape.sum(axis=1)
    return np.asarray(shape * np.divide(wanted, have, out=np.ones_like(have), where=have > 0.0)[:, None])
