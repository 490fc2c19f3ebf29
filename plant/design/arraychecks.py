"""Checks of the array: against the controller's ratings, against the sun, among its own parts."""

import math
from typing import Final

import numpy as np

from plant.array.parts import SubArray
from plant.array.thinfilm import ERRORS
from plant.base.records import in_month
from plant.design.curves import together_w
from plant.design.extremes import DAYS, declination_rad
from plant.design.figures import OC_SPREAD, Figures
from plant.design.finding import Level, Remark, above, below, told

NEAR_RATING = 0.97  # modules may give 3 % more than their sheet says
WARM_SHARE = 0.92  # of the rating, at 25 degC: the manuals' 92 V of 100
POWER_CHECK, POWER_WRONG = 1.5, 3.0  # times the rated charge power
CURRENT_CHECK, CURRENT_WRONG = 1.0, 1.5  # times the rated current
MISMATCH_WRONG = 0.10  # of the power
FACING_CHECK, FACING_WRONG = 0.90, 0.60  # of the sun that the same tilt facing the equator gets
DROP_CHECK, DROP_WRONG = 0.05, 0.10  # of the array's voltage
QUARTERS: Final = (np.arange(96) + 0.5) / 4.0  # solar time of a day's quarters [h]


def coldest_open_circuit(f: Figures) -> Remark:
    """Open-circuit voltage in full sun on modules as cold as the coldest air in daylight."""
    volts, rated = max(c.v_oc_v for c in f.cold), f.model.pv_rated_v
    warm_v, warm_most_v = max(c.v_oc_v for c in f.curves), WARM_SHARE * rated
    part = f.parts[int(np.argmax([c.v_oc_v for c in f.cold]))]
    level = above(volts, NEAR_RATING * rated, rated)
    fits = int(rated // (volts / part.series))
    fix = (
        f"put {fits} in series instead of {part.series}, or take a controller for a higher voltage"
        if 0 < fits < part.series
        else "take modules of fewer cells, or a controller for a higher voltage"
    )
    if level is Level.CHECK:
        fix = f"leave a margin of {100 * (1 - NEAR_RATING):.0f} %: modules may exceed their sheet by as much"
    elif level is Level.OK and warm_v > warm_most_v:
        level = Level.CHECK
        less = "put fewer in series" if part.series > 1 else "take modules of fewer cells"
        fix = f"the manuals allow {warm_most_v:g} V at 25 °C, and it has {warm_v:.1f} V: {less}"
    cold = f"{volts:.1f} V at {f.extremes.coldest_c:.0f} °C"
    return Remark(
        level,
        volts,
        "V",
        cold,
        f"{rated:g} V at most",
        told(level, fix),
        ("array.series", "controller.model"),
    )


def array_power(f: Figures) -> Remark:
    """Power on the plates over what the controller can charge with."""
    share = f.array_w / f.charge_rated_w
    level = above(share, POWER_CHECK, POWER_WRONG)
    most = POWER_CHECK * f.charge_rated_w
    fix = f"power above the rating is never used: install at most {most:.0f} W, or take a larger controller"
    return Remark(
        level, share, "1", f"{f.array_w:.0f} W, {share:.2f} of the rated {f.charge_rated_w:.0f} W",
        f"{POWER_CHECK:g} of it at most", told(level, fix), ("array.parallel", "controller.model"),
    )  # fmt: skip


def short_circuit_current(f: Figures) -> Remark | None:
    """Short-circuit current of all strings over the controller's rated current; nothing where its power is told."""
    if array_power(f).level is not Level.OK:
        return None
    amps, rated = sum(c.i_sc_a for c in f.curves), f.model.charge_rated_a
    level = above(amps, CURRENT_CHECK * rated, CURRENT_WRONG * rated)
    fix = "put more modules in series and fewer in parallel, or take a larger controller"
    return Remark(
        level, amps, "A", f"{amps:.1f} A", f"{rated:g} A at most", told(level, fix),
        ("array.parallel", "controller.model"),
    )  # fmt: skip


def unequal_strings(f: Figures) -> Remark | None:
    """Sub-arrays side by side: open-circuit voltages apart, and what they lose by sharing one voltage."""
    if len(f.curves) < 2:
        return None
    volts = [c.v_oc_v for c in f.curves]
    spread = 1.0 - min(volts) / max(volts)
    lost = 1.0 - together_w(f.curves) / sum(c.p_mp_w for c in f.curves)
    level = Level.WRONG if lost > MISMATCH_WRONG else Level.OK if f.matched else Level.CHECK
    odd = int(np.argmin(volts))
    fix = (
        f"give each string the same number of cells in series: sub_arrays[{odd}] has {min(volts):.1f} V, "
        f"another {max(volts):.1f} V; or a controller for each"
    )
    return Remark(
        level, 100.0 * spread, "%", f"V_oc {100 * spread:.0f} % apart, {100 * lost:.0f} % of the power lost",
        f"{100 * OC_SPREAD:.0f} % apart at most", told(level, fix), ("array.sub_arrays",),
    )  # fmt: skip


def facing(f: Figures) -> Remark:
    """Direct sun in a year on each plane over what the same tilt gets when it faces the equator; the worst of them."""
    latitude = f.site.location.latitude_deg
    towards = 180.0 if latitude >= 0.0 else 0.0
    shares = [
        _yearly_sun(part, latitude, part.azimuth_deg) / _yearly_sun(part, latitude, towards)
        for part in f.parts
    ]
    worst = int(np.argmin(shares))
    share, part = shares[worst], f.parts[worst]
    level = below(share, FACING_CHECK, FACING_WRONG)
    where = f"sub_arrays[{worst}].azimuth_deg" if len(f.parts) > 1 else "azimuth_deg"
    fix = f"turn it: {where} counts from north clockwise, {towards:.0f} faces the equator here"
    return Remark(
        level, 100.0 * share, "%",
        f"an azimuth of {part.azimuth_deg:g} deg gets {100 * share:.0f} % of the sun that {towards:.0f} deg would",
        f"{100 * FACING_CHECK:.0f} % at least", told(level, fix),
        ("array.azimuth_deg", "array.tilt_deg"),
    )  # fmt: skip


def _yearly_sun(part: SubArray, latitude_deg: float, azimuth_deg: float) -> float:
    """Direct sun above the air on a plane in a year, in units that cancel."""
    declination = declination_rad(np.arange(15.0, DAYS, 30.4))[:, None]
    hour, latitude = np.radians(15.0 * (QUARTERS - 12.0)), math.radians(latitude_deg)
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour)
    north = np.cos(latitude) * np.sin(declination) - np.sin(latitude) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    tilt = np.radians([in_month(part.tilt_deg, month) for month in range(12)])[:, None]
    turn = math.radians(azimuth_deg)
    met = np.cos(tilt) * up + np.sin(tilt) * (math.cos(turn) * north + math.sin(turn) * east)
    return float(np.sum(np.where(up > 0.0, np.maximum(met, 0.0), 0.0)))


def array_cable(f: Figures) -> Remark:
    """Voltage lost in the array's cable at the maximum power of full sun; the worst sub-array."""
    drops = [
        part.losses.cable_ohm * curve.i_mp_a / curve.v_mp_v
        for part, curve in zip(f.parts, f.curves, strict=True)
    ]
    worst = int(np.argmax(drops))
    drop, curve = drops[worst], f.curves[worst]
    level = above(drop, DROP_CHECK, DROP_WRONG)
    most = DROP_CHECK * curve.v_mp_v / curve.i_mp_a
    fix = f"take a thicker or shorter cable, at most {1e3 * most:.0f} mOhm, or put more modules in series"
    return Remark(
        level, 100.0 * drop, "%", f"{100 * drop:.1f} % at {curve.i_mp_a:.1f} A", f"{100 * DROP_CHECK:g} % at most",
        told(level, fix), ("array.losses.wiring", "array.losses.wiring_ohm"),
    )  # fmt: skip


def thin_film(f: Figures) -> Remark | None:
    """Error to be expected of a thin-film module that is fitted to its data sheet as if it were silicon."""
    kinds = [
        sheet.thin_film
        for sheet in (part.data_sheet() for part in f.parts)
        if sheet is not None and sheet.thin_film is not None and sheet.efficiency_200_pct is None
    ]
    if not kinds:
        return None
    kind = max(kinds, key=lambda one: ERRORS[one].dim_most)
    error = ERRORS[kind]
    fix = (
        "give efficiency_200_pct of the sheet, or the module's name in the CEC table; "
        "technology: c-si if it is not thin film"
    )
    return Remark(
        Level.CHECK, error.dim_mean, "%",
        f"power in dim light {error.dim_mean:+.0f} % on average, up to {error.dim_most:.0f} % off",
        "crystalline silicon, which the fit is for", fix, ("array.module.datasheet",),
    )  # fmt: skip
