"""The array: irradiance and air in, current-voltage curve out, for every step of a day.

What the battery does can't change any of this, so a whole day is made before the plant steps through it.
"""

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from plant.array.curvetable import NODES, TableRow, strings_at, tabulate
from plant.array.day import AnyDay, ArrayDay, CompositeDay
from plant.array.diode import Module, curve_at, maximum_power, open_circuit_v
from plant.array.layout import Defect, Layout, layout_of
from plant.array.parts import Array, SubArray
from plant.array.strings import COUNT, GROUPS, LIT
from plant.base.arraycache import cached_array
from plant.base.clock import DAY_S, STEP_S
from plant.base.jit import kernel
from plant.weather.sky import SkyBlock, SkyDay, plane_of_array
from plant.weather.steps.means import SkyMeans, means_in_plane
from plant.weather.sun import month_of

CELL_TEMPERATURE_LAG_S = 300.0  # EN 50530 uses 5 min
LEAST_LIGHT_W_M2 = 1e-9  # on a string in the dark beside others in the light: so little that it gives nothing
FAIMAN_U0, FAIMAN_U1 = 25.0, 6.84  # Faiman (2008): W/(m2 K), and W s/(m3 K)
AnySky: TypeAlias = SkyDay | SkyBlock | SkyMeans
DARK = (1e-10, 1.0, 100.0)  # saturation current, ideality and shunt of a curve that nobody looks at


class Light(NamedTuple):
    """What falls on a plane and what of it the cells see [W/m2], on the sky's grid or as means over its steps."""

    whole: np.ndarray  # before reflection
    beam: np.ndarray  # seen by the cells; a shadow takes it away
    diffuse: np.ndarray  # seen by the cells; stays in the shade


def light_on(
    part: SubArray,
    sky: AnySky,
    albedo: float | tuple[float, ...],
    shadow: np.ndarray | None = None,
) -> Light:
    """Irradiance in a sub-array's plane, and what of it the cells see.

    Parameters
    ----------
    part : SubArray
    sky : SkyDay, SkyBlock or SkyMeans
    albedo : float or tuple of float
        Of the ground, 0..1; twelve values hold for their month each.
    shadow : array of the sky's shape, optional
        Share of all light that it takes, 0..1, as snow does.

    Returns
    -------
    Light
        Arrays of the sky's shape [W/m2].

    Notes
    -----
    Reflection by `iam.physical` for the beam and its integral over sky and ground (Marion 2017) for the
    diffuse parts; soiling, mismatch, light-induced and nameplate losses and age as shares of the light. Twelve values
    of soiling hold for their month each; the tilt is that of the first day.
    """
    months = _months_of(sky)
    tilt = part.tilt_in(int(months[0]))
    whole_ground = 1.0 if isinstance(albedo, tuple) else albedo  # the light off the ground goes with it
    if isinstance(sky, SkyMeans):
        fallen = means_in_plane(sky, tilt, part.azimuth_deg, whole_ground)
    else:
        fallen = plane_of_array(sky, tilt, part.azimuth_deg, whole_ground)
    if isinstance(albedo, tuple):
        fallen["ground"] = fallen["ground"] * _by_day(np.array(albedo)[months], sky)
    whole = fallen["beam"] + fallen["sky"] + fallen["ground"]
    beam = np.zeros_like(whole)
    struck = fallen["beam"] > 0.0
    beam[struck] = fallen["beam"][struck] * beam_iam(fallen["aoi_deg"][struck])
    diffuse_sky, diffuse_ground = _diffuse_iam(tilt)
    diffuse = fallen["sky"] * diffuse_sky + fallen["ground"] * diffuse_ground
    left = _by_day(np.array([part.losses.transmittance(month) for month in range(12)])[months], sky)
    if shadow is not None:
        left = left * (1.0 - shadow)
    return Light(whole, beam * left, diffuse * left)


def _months_of(sky: AnySky) -> np.ndarray:
    """Month of each day, 0 is January, (days,); one for a single day."""
    if isinstance(sky, SkyDay):
        return np.array([month_of(sky.day)])
    return np.array([month_of(sky.first_day + k) for k in range(sky.days)])


def _by_day(values: np.ndarray, sky: AnySky) -> np.ndarray:
    """One value a day, shaped to go with the sky's own arrays."""
    return values if isinstance(sky, SkyDay) else values[:, None]


def beam_iam(aoi_deg: np.ndarray) -> np.ndarray:
    """Share of the beam that enters the glass at an angle of incidence [deg]: `iam.physical`, read from a table."""
    return np.asarray(np.interp(aoi_deg, *_iam_table()))


@lru_cache(maxsize=1)
def _iam_table() -> tuple[np.ndarray, np.ndarray]:
    return _iam_angles(), cached_array(_beam_iam)


def _iam_angles() -> np.ndarray:
    """Every 0.02 deg: linear in between errs by less than 1e-6."""
    return np.linspace(0.0, 90.0, 4501)


def _beam_iam() -> np.ndarray:
    """Share of the beam that enters the glass at each of these angles."""
    from pvlib import iam

    return np.asarray(np.nan_to_num(iam.physical(_iam_angles())))


@lru_cache(maxsize=64)
def _diffuse_iam(tilt_deg: float) -> tuple[float, float]:
    sky, ground = cached_array(_marion_iam, tilt_deg).tolist()
    return sky, ground


def _marion_iam(tilt_deg: float) -> np.ndarray:
    """Share of the sky's light and of the ground's that enters the glass of a tilted module, (2,)."""
    from pvlib import iam

    marion = iam.marion_diffuse("physical", tilt_deg)
    ground = float(marion["ground"])
    # A flat module sees no ground; pvlib's integral is nan then.
    return np.array([float(marion["sky"]), ground if math.isfinite(ground) else 1.0])


def array_days(
    array: Array,
    sky: AnySky,
    albedo: float | tuple[float, ...],
    step_s: float = float(STEP_S),
    defects: tuple[Defect, ...] = (),
    shadows: tuple[np.ndarray | None, ...] = (),
) -> AnyDay:
    """The array's days: a step shorter than the sky's grid sees its middle, a longer one the mean over it.

    Parameters
    ----------
    array : Array
    sky : SkyDay, SkyBlock or SkyMeans
        On a grid that the step is a multiple of, or the other way round; or means over these very steps.
    albedo : float or 12 of them
        Share of the light that the ground gives back, all year or by month.
    step_s : float
        The plant's step.
    defects : tuple of Defect
        What is broken these days.
    shadows : tuple of array or None
        Share of the light that something takes from each sub-array, of the shape of the sky's own arrays.

    Returns
    -------
    ArrayDay or CompositeDay
        One day after the other. Cell temperature: Faiman's steady state through a first-order lag of 5 min that
        starts each day at rest.
    """
    layout = layout_of(array, defects)
    given = shadows or (None,) * len(array.parts)
    lights = [_light_of_days(*one, sky, albedo) for one in zip(array.parts, given, strict=True)]
    steps = round(DAY_S / step_s)

    def seen(values: np.ndarray) -> np.ndarray:
        if isinstance(sky, SkyMeans):
            return values.ravel()
        return _means(np.atleast_2d(values), float(sky.grid_s), step_s, steps)

    ghi, t_amb, wind = seen(sky.ghi_w_m2), seen(sky.t_amb_c), seen(sky.wind_m_s)
    whole = [seen(light.whole) for light in lights]
    t_cell = [_cell_temperature(one, t_amb, wind, step_s, steps) for one in whole]
    if layout.is_simple:
        part, kind = array.parts[0], layout.kinds[0]
        module, series = part.module_parameters(), kind[LIT] / kind[GROUPS]
        lit = seen(lights[0].beam + lights[0].diffuse)
        columns = curves(lit, t_cell[0], module, series, kind[COUNT], part.losses.cable_ohm, steps)
        r_s = module.r_s * series / kind[COUNT] + part.losses.cable_ohm
        return ArrayDay(ghi, whole[0], t_amb, wind, t_cell[0], *columns, r_s)
    beam, diffuse = [seen(light.beam) for light in lights], [seen(light.diffuse) for light in lights]
    g_lit, g_dim = _light_of_kinds(array, layout, beam, diffuse, step_s)
    t_kind = np.array([t_cell[part] for part in layout.part]).reshape(-1, ghi.size)
    v_oc, v_mp, p_mp, row, nodes, v, i, slope = _tables(layout.kinds, g_lit, g_dim, t_kind)
    weight = np.array([part.rated_w for part in array.parts])
    poa, t_mean = (np.average(each, axis=0, weights=weight) for each in (whole, t_cell))
    return CompositeDay(
        ghi, poa, t_amb, wind, t_mean, v_oc, v_mp, p_mp, row, nodes, v, i, slope,
        layout.kinds, g_lit, g_dim, t_kind,
    )  # fmt: skip


def _light_of_days(
    part: SubArray,
    shadow: np.ndarray | None,
    sky: AnySky,
    albedo: float | tuple[float, ...],
) -> Light:
    """`light_on` a plane whose tilt may change from month to month."""
    if isinstance(sky, SkyDay):
        return light_on(part, sky, albedo, shadow)
    tilts = [part.tilt_in(month_of(sky.first_day + k)) for k in range(sky.days)]
    turns = [0, *(k for k in range(1, sky.days) if tilts[k] != tilts[k - 1]), sky.days]
    if len(turns) == 2:
        return light_on(part, sky, albedo, shadow)
    if isinstance(sky, SkyMeans):
        spans = [
            light_on(part, sky.span(a, b - a), albedo, None if shadow is None else shadow[a:b])
            for a, b in pairwise(turns)
        ]
        return Light(*(np.concatenate(rows) for rows in zip(*spans, strict=True)))
    shadows = [None] * sky.days if shadow is None else list(shadow)
    days = [light_on(part, sky.day(k), albedo, shadows[k]) for k in range(sky.days)]
    return Light(*(np.stack(rows) for rows in zip(*days, strict=True)))


def _light_of_kinds(
    array: Array, layout: Layout, beam: list[np.ndarray], diffuse: list[np.ndarray], step_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Light [W/m2] on the lit and on the shaded groups of every kind of string, each (k, steps)."""
    steps = beam[0].size
    hour = ((np.arange(steps) + 0.5) * step_s % DAY_S // 3600.0).astype(np.int64)
    g_lit, g_dim = np.zeros((layout.part.size, steps)), np.zeros((layout.part.size, steps))
    for k, number in enumerate(layout.part):
        shading = array.parts[number].shading
        depth: np.ndarray | float = layout.depth[k]
        if shading is not None and np.isnan(layout.depth[k]):
            depth = np.array(shading.by_hour)[hour]
        g_lit[k] = beam[number] + diffuse[number]
        g_dim[k] = beam[number] * (1.0 - depth) + diffuse[number]
    # Under snow a string has no light while others have: they send their current back through its diodes.
    least = np.where(g_lit.max(axis=0, initial=0.0) > 0.0, LEAST_LIGHT_W_M2, 0.0)
    return np.where(g_lit > 0.0, g_lit, least), np.where(g_dim > 0.0, g_dim, least)


@kernel
def _means(values: np.ndarray, grid_s: float, step_s: float, steps: int) -> np.ndarray:
    """Means over the steps of values on an even grid, (days, n), linear in between; one day after the other.

    A step shorter than the grid's is seen at its middle.
    """
    seen = np.empty(values.shape[0] * steps)
    last, ratio = values.shape[1] - 2, step_s / grid_s
    for day in range(values.shape[0]):
        for k in range(steps):
            if ratio > 1.0:
                first, n = round(k * ratio), round(ratio)
                total = 0.5 * (values[day, first] + values[day, first + n])
                for j in range(first + 1, first + n):
                    total += values[day, j]
                seen[day * steps + k] = total / n
                continue
            position = (k + 0.5) * ratio
            j = min(int(position), last)
            share = position - j
            seen[day * steps + k] = values[day, j] + share * (values[day, j + 1] - values[day, j])
    return seen


@kernel
def _cell_temperature(
    whole: np.ndarray, t_amb: np.ndarray, wind: np.ndarray, step_s: float, steps: int
) -> np.ndarray:
    t_cell = np.empty(whole.size)
    keep = math.exp(-step_s / CELL_TEMPERATURE_LAG_S)
    t = t_amb[0]
    for k in range(whole.size):
        if k % steps == 0:
            t = t_amb[k]
        steady = t_amb[k] + whole[k] / (FAIMAN_U0 + FAIMAN_U1 * wind[k])
        t = steady + (t - steady) * keep
        t_cell[k] = t
    return t_cell


@kernel
def curves(
    seen: np.ndarray,
    t_cell: np.ndarray,
    m: Module,
    series: float,
    parallel: float,
    wiring_ohm: float,
    steps: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The single diode of every step and its points.

    Parameters
    ----------
    seen : (n,) array
        Irradiance that the cells see [W/m2].
    t_cell : (n,) array
        Temperature of the cells [degC].
    m : Module
    series, parallel : float
        Modules in a string, strings.
    wiring_ohm : float
        Of the cable to the controller, both ways.
    steps : int
        In a day: each step starts its search where the one before ended that day.

    Returns
    -------
    seven (n,) arrays
        Photocurrent and saturation current [A], thermal voltage [V] and shunt [Ohm] of the whole array; open circuit
        and maximum power point [V, V, W]. In darkness no light, and the curve is `DARK`.
    """
    n = seen.size
    i_l, i_0, a, r_sh = np.zeros(n), np.full(n, DARK[0]), np.full(n, DARK[1]), np.full(n, DARK[2])
    v_oc, v_mp, p_mp = np.zeros(n), np.zeros(n), np.zeros(n)
    vd_oc, below = 0.0, 0.0
    for k in range(n):
        if seen[k] <= 0.0 or k % steps == 0:
            vd_oc, below = 0.0, 0.0
        if seen[k] <= 0.0:
            continue
        c = curve_at(seen[k], t_cell[k], m, series, parallel, wiring_ohm)
        i_l[k], i_0[k], a[k], r_sh[k] = c.i_l_a, c.i_0_a, c.a_v, c.r_sh_ohm
        vd_oc = open_circuit_v(c, vd_oc)
        vd_mp, v, i = maximum_power(c, vd_oc, vd_oc - below if below > 0.0 else 0.0)
        below = vd_oc - vd_mp
        v_oc[k], v_mp[k], p_mp[k] = vd_oc, v, max(v * i, 0.0)
    return i_l, i_0, a, r_sh, v_oc, v_mp, p_mp


@kernel
def _tables(
    kinds: np.ndarray, g_lit: np.ndarray, g_dim: np.ndarray, t_kind: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points and tables of every step of a composite array."""
    n = g_lit.shape[1]
    v_oc, v_mp, p_mp = np.zeros(n), np.zeros(n), np.zeros(n)
    row = np.full(n, -1)
    lit = 0
    for k in range(n):
        if g_lit.shape[0] > 0 and g_dim[:, k].min() > 0.0:
            row[k] = lit
            lit += 1
    rows = max(lit, 1)  # one even in a night without end, for darkness to point at
    nodes = np.zeros(rows, dtype=np.int64)
    v, i, slope = np.empty((rows, NODES)), np.empty((rows, NODES)), np.empty((rows, NODES))
    for k in range(n):
        r = row[k]
        if r < 0:
            continue
        strings = strings_at(kinds, g_lit[:, k], g_dim[:, k], t_kind[:, k])
        nodes[r], v_oc[k], v_mp[k], p_mp[k] = tabulate(strings, kinds, TableRow(v[r], i[r], slope[r]))
    return v_oc, v_mp, p_mp, row, nodes, v, i, slope
