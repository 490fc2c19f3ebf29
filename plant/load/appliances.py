"""When appliances run: a day of use drawn by chance, minute by minute, inside each appliance's windows.

Follows the idea of RAMP (Lombardi et al. 2019, doi 10.1016/j.energy.2019.04.097): an appliance has a time of use a day
that varies, windows it is used in and a shortest time it stays on; when exactly is chance.
"""

from functools import lru_cache

import numpy as np

from plant.base.chance import RandomStream, generator
from plant.base.jit import inline_llvm, kernel
from plant.load.lists import DAY_MIN, DAYS, Appliance, ApplianceList


@lru_cache(maxsize=32)
def list_day(appliances: ApplianceList, number: int, seed: int, civil_day: int, part: int) -> np.ndarray:
    """Power [W] of some equal households in each minute of a civil day.

    Parameters
    ----------
    appliances : ApplianceList
    number : int
        How many households; each is drawn for itself.
    seed : int
    civil_day : int
        Days since 1970-01-01 by the civil calendar.
    part : int
        Which of a site's loads this is; each has its own chance.

    Returns
    -------
    (1440,) array
        Read-only: it is kept for the other solar day that this civil day reaches into.
    """
    rng = generator(seed, RandomStream.LOAD, civil_day, part)
    weekday = DAYS[(civil_day + 3) % 7]  # 1970-01-01 was a Thursday
    power_w = np.zeros(DAY_MIN)
    for _ in range(number):
        for appliance in appliances.appliances:
            # Drawn on every day: no day of rest moves the chance of the rest.
            units = units_on(appliance, rng)
            if weekday in appliance.days:
                power_w += appliance.power_w * units
    power_w.flags.writeable = False
    return power_w


def units_on(appliance: Appliance, rng: np.random.Generator) -> np.ndarray:
    """How many of an appliance's units are on in each minute of a day, shape (1440,)."""
    n, a = appliance.number, appliance
    spread = 1.0 + a.variability * rng.uniform(-1.0, 1.0, n)
    use = np.rint(a.use_min * spread * (rng.random(n) < a.probability)).astype(np.int64)
    if a.every_min is not None:
        cycles = np.array(a.cycles())
        return np.asarray(_units_cycling(use, cycles, rng.random((n, cycles[:, 2].sum()))))
    runs = int(a.use_min * (1.0 + a.variability)) // a.minimum_on_min + 1
    return _units_on(
        use, _window_minutes(appliance), a.minimum_on_min, a.maximum_on_min, rng.random((n, runs, 2))
    )


def _window_minutes(appliance: Appliance) -> np.ndarray:
    free = np.zeros(DAY_MIN, dtype=np.bool_)
    for start, end in appliance.windows_min():
        free[start:end] = True
    return free


@kernel
def _units_on(
    use: np.ndarray, free: np.ndarray, shortest: int, longest: int, chance: np.ndarray
) -> np.ndarray:
    total = np.zeros(free.size)
    for unit in range(use.size):
        if use[unit] > 0:
            total += _one_unit(use[unit], free.copy(), shortest, longest, chance[unit])
    return total


@kernel
def _units_cycling(use: np.ndarray, cycles: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Compressors: each window is parted into equal cycles, and each cycle has one run at a random place in it.

    The runs share the use evenly, to the minute: after any number of cycles as much is served as is due by then.
    """
    total = np.zeros(DAY_MIN)
    room = (cycles[:, 1] - cycles[:, 0]).sum()
    for unit in range(use.size):
        behind, k = 0, 0  # minutes of the windows so far, cycles so far
        for start, end, count in cycles:
            for cycle in range(count):
                begin, stop = (cycle * (end - start)) // count, ((cycle + 1) * (end - start)) // count
                length = _due(use[unit], behind + stop, room) - _due(use[unit], behind + begin, room)
                first = start + begin + int(chance[unit, k] * (stop - begin - length + 1))
                total[first : first + length] += 1.0
                k += 1
            behind += end - start
    return total


@inline_llvm
def _due(use: int, behind: int, room: int) -> int:
    """Minutes of use due after so many minutes of the windows, rounded to the nearest."""
    return (2 * use * behind + room) // (2 * room)


@inline_llvm
def _one_unit(left: int, free: np.ndarray, shortest: int, longest: int, chance: np.ndarray) -> np.ndarray:
    """Minutes one unit is on: runs of random length at random places, none shorter than the shortest."""
    on = np.zeros(free.size, dtype=np.bool_)
    for run in range(chance.shape[0]):
        room = _room(free)
        top = min(left, longest, room.max())
        if top < shortest:
            break
        length = shortest + int(chance[run, 0] * (top - shortest + 1))
        start = _pick(room, length, chance[run, 1])
        on[start : start + length] = True
        free[start : start + length] = False
        left -= length
    _lengthen(on, free, left)
    return on


@inline_llvm
def _room(free: np.ndarray) -> np.ndarray:
    """Free minutes in a row from each minute on."""
    room = np.zeros(free.size, dtype=np.int64)
    count = 0
    for minute in range(free.size - 1, -1, -1):
        count = count + 1 if free[minute] else 0
        room[minute] = count
    return room


@inline_llvm
def _pick(room: np.ndarray, length: int, chance: float) -> int:
    """One of the minutes that have room for a run, all with the same chance."""
    places = 0
    for minute in range(room.size):
        places += room[minute] >= length
    wanted = int(chance * places)
    for minute in range(room.size):
        if room[minute] >= length:
            if wanted == 0:
                return minute
            wanted -= 1
    return 0


@inline_llvm
def _lengthen(on: np.ndarray, free: np.ndarray, left: int) -> None:
    """What is left of the use, too short for a run of its own, lengthens runs: later first, then earlier."""
    for minute in range(1, on.size):
        if left > 0 and free[minute] and on[minute - 1]:
            on[minute], free[minute] = True, False
            left -= 1
    for minute in range(on.size - 2, -1, -1):
        if left > 0 and free[minute] and on[minute + 1]:
            on[minute], free[minute] = True, False
            left -= 1
