"""The sun and a cloudless sky over the intervals of a series, each as its mean or at its moment."""

from typing import NamedTuple

import numpy as np

from plant.weather import sun
from plant.weather.place import Location

_GRID_S = 60


class SunMeans(NamedTuple):
    """Light of intervals or moments, each (n,)."""

    ghi_w_m2: np.ndarray  # of a cloudless sky, on the level
    dni_w_m2: np.ndarray  # of a cloudless sky
    beam_w_m2: np.ndarray  # its part on the level
    extra_w_m2: np.ndarray  # above the air, on the level
    cos_zenith: np.ndarray  # mean over the part with the sun up; 0 at night


def sun_means(location: Location, start_utc_s: int, step_s: int, size: int, instant: bool) -> SunMeans:
    """The sun and a cloudless sky over the intervals of a series, on a grid of a minute.

    Parameters
    ----------
    location : Location
    start_utc_s, step_s : int
        First moment and length of the intervals [s].
    size : int
        How many.
    instant : bool
        Whether the values are those of the moments at which intervals begin, not their means.

    Returns
    -------
    SunMeans
        Each (size,).
    """
    first = sun.day_of(start_utc_s, location.longitude_deg)
    last = sun.day_of(start_utc_s + size * step_s, location.longitude_deg)
    parts = []
    for day in range(first, last + 1, 32):
        clear = sun.clear_block(day, min(32, last + 1 - day), location, _GRID_S)
        cos_zenith = np.maximum(np.cos(np.radians(clear.zenith_deg)), 0.0)
        extra = clear.dni_extra_w_m2[:, None] * cos_zenith
        columns = (clear.ghi_w_m2, clear.dni_w_m2, clear.dni_w_m2 * cos_zenith, extra, cos_zenith)
        parts.append(np.stack([values[:, :-1].ravel() for values in columns]))
    whole = np.concatenate(parts, axis=1)
    begin = start_utc_s - sun.day_start_utc_s(first, location.longitude_deg)
    if instant:
        at = begin + np.arange(size) * step_s
        minutes = np.arange(whole.shape[1]) * _GRID_S
        return SunMeans(*(np.interp(at, minutes, values) for values in whole))
    offset, off_grid = divmod(begin, _GRID_S)
    if off_grid:
        offset = round(begin / _GRID_S)
    per = step_s // _GRID_S
    cells = whole[:, offset : offset + size * per].reshape(len(whole), size, per)
    mean = cells.mean(axis=2)
    up = np.maximum((cells[4] > 0.0).mean(axis=1), 1.0 / per)
    return SunMeans(mean[0], mean[1], mean[2], mean[3], mean[4] / up)
