"""How much of a day's light is direct: a daily diffuse law, and the beam of a day's minutes scaled to it."""

import numpy as np

from plant.base.jit import kernel
from plant.weather.sun import ClearBlock

# Daily diffuse share over the daily clearness index, DTU Lyngby 2015 to 2017 (55.8 N; minutes of global and shaded
# diffuse light, days with at least 1300 of 1440 minutes): November to January with the noon sun at 11 to 17 deg, April
# to September at 35 to 57 deg. The daily law of Erbs, Klein & Duffie (1982) is within 0.06 of the winter column, and
# in summer up to 0.07 above.
CLEARNESS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.67)
LOW_SUN = (1.00, 1.00, 0.94, 0.77, 0.60, 0.40, 0.26)
HIGH_SUN = (1.00, 0.99, 0.89, 0.75, 0.62, 0.47, 0.24)
LOW_SUN_DEG, HIGH_SUN_DEG = 15.0, 40.0  # noon elevations that the columns stand for
MOST_DIRECT = 0.85  # of the light above the air, on any day
LEAST_BEAM_W_M2 = 1e-12  # less than this counts as none: scaled up to a day's sum it would overflow


def direct_on_level(index: np.ndarray, ghi: np.ndarray, cleaner: np.ndarray, clear: ClearBlock) -> np.ndarray:
    """Direct light on the level [W/m2] where the sun is up, (lit,): of each day as much as its clearness says.

    Parameters
    ----------
    index, ghi : (days, n) array
        Clear-sky index and global light on the level [W/m2].
    cleaner : (days,) array
        How much brighter each day's own cloudless sky is than the month's, 1 and up.
    clear : ClearBlock
        The month's cloudless sky.
    """
    days, points = ghi.shape
    starts = np.searchsorted(clear.lit, np.arange(days + 1) * points)
    beam, most, sums = _by_minute(
        index.ravel(), ghi.ravel(), clear.ghi_w_m2.ravel(), clear.dni_w_m2.ravel(), clear.lit, clear.cos_zenith,
        starts, cleaner, clear.dni_extra_w_m2,
    )  # fmt: skip
    day_ghi, above, day_clear, clear_beam = sums
    share = diffuse_share(
        _over(day_ghi, above), 90.0 - clear.zenith_deg.min(axis=1),
        _over(day_clear, above), 1.0 - _over(clear_beam, day_clear),
    )  # fmt: skip
    return scaled_to(beam, most, starts, (1.0 - share) * day_ghi)


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.0))


def diffuse_share(
    clearness: np.ndarray, noon_elevation_deg: np.ndarray, k_clear: np.ndarray, clear_share: np.ndarray
) -> np.ndarray:
    """Diffuse share of whole days, (days,), by the measured table, between its columns by the height of the noon sun.

    Parameters
    ----------
    clearness, noon_elevation_deg : (days,) array
    k_clear, clear_share : (days,) array
        Clearness and diffuse share of the day without clouds: from the table's last point a straight line leads there.
    """
    high = np.clip((noon_elevation_deg - LOW_SUN_DEG) / (HIGH_SUN_DEG - LOW_SUN_DEG), 0.0, 1.0)
    low_sun, high_sun = (np.interp(clearness, CLEARNESS, column) for column in (LOW_SUN, HIGH_SUN))
    share = (1.0 - high) * low_sun + high * high_sun
    last = CLEARNESS[-1]
    way = np.where(
        k_clear > last, np.clip((clearness - last) / np.maximum(k_clear - last, 1e-3), 0.0, 1.0), 0.0
    )
    return np.asarray(share + way * (clear_share - share))


@kernel
def minute_share(index: float) -> float:
    """Share of the clear-sky beam at a clear-sky index, before the day's sum is set.

    ``(k - 0.38 (1 - k))^4``: the form of the Heliosat law (Mueller et al. 2009) with a steeper end. Its own exponent of
    2.5 has 1.3 to 3.5 times the beam that minutes at Lyngby have at indices of 0.5 to 0.9.
    """
    base = min(max(1.38 * index - 0.38, 0.0), 1.0)
    return base * base * base * base


@kernel
def _by_minute(
    index: np.ndarray, ghi: np.ndarray, clear_ghi: np.ndarray, clear_dni: np.ndarray, lit: np.ndarray,
    cos_zenith: np.ndarray, starts: np.ndarray, cleaner: np.ndarray, dni_extra: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Beam on the level by the law of the minutes and the largest there can be, (lit,), and sums of days, (4, days).

    The sums: global light, light above the air, global light and beam of the day's own cloudless sky. Cleaner air has
    more direct light and no more diffuse.
    """
    beam, most = np.empty(lit.size), np.empty(lit.size)
    sums = np.zeros((4, cleaner.size))
    for d in range(cleaner.size):
        gain = cleaner[d]
        for n in range(starts[d], starts[d + 1]):
            point = lit[n]
            above = dni_extra[d] * cos_zenith[n]
            beam_clear = clear_dni[point] * cos_zenith[n]
            cloudless = min(beam_clear + (gain - 1.0) * clear_ghi[point], MOST_DIRECT * above)
            beam[n] = minute_share(index[point] / gain) * cloudless
            most[n] = min(cloudless, ghi[point])
            sums[0, d] += ghi[point]
            sums[1, d] += above
            sums[2, d] += gain * clear_ghi[point]
            sums[3, d] += cloudless
    return beam, most, sums


@kernel
def scaled_to(beam: np.ndarray, most: np.ndarray, starts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Beam of days, each scaled so that its sum is what is wanted, and nowhere above what it can be.

    Parameters
    ----------
    beam, most : (n,) array
        By the law of the minutes, and the largest there can be [W/m2]; day after day.
    starts : (days + 1,) array of int
        Where each day begins and the last one ends.
    wanted : (days,) array
        Sum of each day.

    Returns
    -------
    (n,) array
        A day that can't have as much, for want of bright minutes, has all that it can.

    Notes
    -----
    The sum of ``min(times beam, most)`` bends downwards as `times` grows, so Newton's steps from 0 come to the answer
    from below, and as each but the last caps one minute more, they end.
    """
    out = np.empty_like(beam)
    for d in range(wanted.size):
        times, capped_before = 0.0, -1
        while True:
            free, full, capped = 0.0, 0.0, 0
            for n in range(starts[d], starts[d + 1]):
                if beam[n] < LEAST_BEAM_W_M2:
                    continue
                if times * beam[n] > most[n]:
                    capped += 1
                    full += most[n]
                else:
                    free += beam[n]
            if capped == capped_before or free <= 0.0:
                break
            capped_before = capped
            times = max((wanted[d] - full) / free, times)
        for n in range(starts[d], starts[d + 1]):
            out[n] = min(times * beam[n], most[n]) if beam[n] >= LEAST_BEAM_W_M2 else 0.0
    return out
