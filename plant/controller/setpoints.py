"""What the controller makes of its settings: the set-points that its rules compare with, and the load's program.

Knows the settings, the battery's own protection and the rated array voltage; nothing here changes a setting.

Sources: as in `settings`.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from plant.battery.bms import NO_BMS, Bms, string_limits
from plant.controller.charger import SetPoints
from plant.controller.loadcontrol import Program
from plant.controller.settings import TYPE_OF_CODE, VOLTAGES, Settings

# Bits of `Settings.lithium_protection` (V26; FORUM has them the other way round).
NO_COLD_CHARGE: Final = 1 << 8
NO_COLD_DISCHARGE: Final = 1 << 9
COLD_RELEASE_K: Final = 5.0  # guess: how much warmer than its limit a lithium battery must be again
BATTERY_RELEASE_K: Final = 10.0  # of the N family; 15 K of the A family
HEATSINK_RELEASE_K: Final = 10.0  # of a new unit, as the volts of a 12 V block here
RELEASES: Final = {
    "over_voltage_reconnect_v": ("over_voltage_disconnect_v", -1.0),
    "under_voltage_recover_v": ("under_voltage_warning_v", 0.2),
    "low_voltage_reconnect_v": ("low_voltage_disconnect_v", 1.5),
}
PERCENT_RELEASE: Final = 0.10  # guess: SOC mode switches back so far from its percentages
SYSTEM_RANGE_V: Final = (8.0, 18.0)  # guess: a battery outside of this, a block, is of another system
BOOST_AWAY_S: Final = 600.0  # weak: 4 min did not, tens of minutes did restart it
# Guess: the second of a sweep at the open circuit trips nothing, unless that is so high that the maximum power point
# lies above the rating, too.
PV_OPEN_HIGH: Final = 1.25  # times the rated array voltage
# Below the rated array voltage (Tracer-BN manual: off at 150 V, on again below 145 V).
PV_RELEASE_V: Final = 5.0


@lru_cache(maxsize=16)
def program_of(settings: Settings) -> Program:
    """What the load follows."""

    def clock_s(edge: str) -> float:
        hour, minute, second = (getattr(settings, f"{edge}_{unit}") for unit in ("hour", "minute", "second"))
        return float(3600 * hour + 60 * minute + second)

    return Program(
        mode=float(settings.load_mode),
        manual_on=float(settings.load_on),
        test=float(settings.load_test),
        forced_on=float(settings.load_forced),
        timer1_s=60.0 * settings.timer1_min,
        timer2_s=60.0 * settings.timer2_min,
        on1_s=clock_s("on1"),
        off1_s=clock_s("off1"),
        on2_s=clock_s("on2"),
        off2_s=clock_s("off2"),
        periods=1.0 + settings.timing_choice,
    )


def _voltages(settings: Settings, blocks: int) -> dict[str, float]:
    """The twelve voltages as they act.

    The load never draws below the discharging limit (V26). Where a unit takes voltages in any order, what would come
    back beyond the voltage at which it went comes back as far behind as in a new unit (guess).
    """
    acts = {name: float(getattr(settings, name)) for name in VOLTAGES}
    acts["low_voltage_disconnect_v"] = max(acts["low_voltage_disconnect_v"], acts["discharging_limit_v"])
    for back, (gone, apart_v) in RELEASES.items():
        acts[back] = _behind(acts[back], acts[gone], apart_v * blocks)
    return acts


def _behind(back: float, gone: float, apart: float) -> float:
    """Where something comes back that went at `gone`: at `back`, or `apart` from there where that isn't behind it."""
    return back if (back - gone) * apart > 0.0 else gone + apart


def _system_range_v(settings: Settings) -> tuple[float, float]:
    """Voltages [V] of a battery of the system that is set, by code or type; all when the unit finds out by itself."""
    type_v = TYPE_OF_CODE[settings.battery_type].system_v
    blocks = ([settings.system_code] if settings.system_code else []) + ([type_v // 12] if type_v else [])
    if not blocks:
        return -math.inf, math.inf
    return SYSTEM_RANGE_V[0] * max(blocks), SYSTEM_RANGE_V[1] * min(blocks)


def _percent_v(settings: Settings, percent: float) -> float:
    """Voltage [V] at which the unit's gauge (`show.gauge`) shows a percentage at 25 degC; `compensate` moves it."""
    low_v = settings.low_voltage_disconnect_v
    return low_v + percent / 100.0 * (settings.float_v - low_v)


def _compensation_v_k(settings: Settings, system_v: int) -> float:
    """How much [V/K] the charge voltages of the whole battery fall above 25 degC: six cells in each 12 V block."""
    return settings.compensation_mv_k_cell * 1e-3 * 6 * (system_v // 12)


def gauge_ends_v(settings: Settings, system_v: int, t_probe_c: float) -> tuple[float, float]:
    """Voltages [V] at which the unit's gauge (`show.gauge`) shows 0 and 100 % with the battery at a temperature."""
    raised_v = _compensation_v_k(settings, system_v) * (25.0 - t_probe_c)
    float_v = min(settings.float_v + raised_v, settings.charging_limit_v)
    return settings.low_voltage_disconnect_v, float_v


def _by_percent(settings: Settings) -> dict[str, float]:
    """Set-points of SOC mode; none when the unit goes by voltage."""
    if settings.management_mode == 0:
        return {}
    back = 100.0 * PERCENT_RELEASE
    return {
        "charge_percent_v": _percent_v(settings, settings.charge_pct),
        "charge_percent_release_v": _percent_v(settings, settings.charge_pct - back),
        "discharge_percent_v": _percent_v(settings, settings.discharge_pct),
        "discharge_percent_release_v": _percent_v(settings, settings.discharge_pct + back),
    }


def _in_the_cold(settings: Settings) -> dict[str, float]:
    """Set-points of the low-temperature protection of lithium (LTPT); none where it isn't asked for."""
    points: dict[str, float] = {}
    if TYPE_OF_CODE[settings.battery_type].lithium:
        for way, bit, limit_c in (
            ("charge", NO_COLD_CHARGE, settings.low_temperature_charge_c),
            ("discharge", NO_COLD_DISCHARGE, settings.low_temperature_discharge_c),
        ):
            if settings.lithium_protection & bit:
                points |= {f"cold_{way}_c": limit_c, f"cold_{way}_release_c": limit_c + COLD_RELEASE_K}
    return points


def _restarting(settings: Settings) -> dict[str, float]:
    """Set-points of a boost timer that restarts."""
    return {
        "boost_kept_s": 0.0,
        "boost_away_s": BOOST_AWAY_S,
        "boost_restart_v": settings.boost_reconnect_v,
    }


def _of_bms(bms: Bms, cells: float, cell_shorted: bool) -> dict[str, float]:
    """Set-points of the battery's own protection."""
    limits = string_limits(bms, cells, cell_shorted)
    return {
        "bms_over_v": limits.over_charge_v,
        "bms_over_release_v": limits.over_charge_release_v,
        "bms_under_v": limits.over_discharge_v,
        "bms_under_release_v": limits.over_discharge_release_v,
        "bms_charge_cold_c": bms.charge_min_c,
        "bms_charge_cold_release_c": bms.charge_min_c + bms.resume_k,
        "bms_charge_hot_c": bms.charge_max_c,
        "bms_charge_hot_release_c": bms.charge_max_c - bms.resume_k,
        "bms_discharge_cold_c": bms.discharge_min_c,
        "bms_discharge_cold_release_c": bms.discharge_min_c + bms.resume_k,
        "bms_discharge_hot_c": bms.discharge_max_c,
        "bms_discharge_hot_release_c": bms.discharge_max_c - bms.resume_k,
        "bms_over_a": bms.over_current_a,
        "bms_delay_s": bms.delay_s,
        "bms_over_s": bms.over_current_s,
        "bms_release_s": bms.release_s,
    }


def setpoints_of(
    settings: Settings,
    system_v: int,
    bms: Bms = NO_BMS,
    cells: float = 1.0,
    cell_shorted: bool = False,
    pv_rated_v: float = math.inf,
    boost_restarts: bool = True,
    connected: Mapping[str, float] = MappingProxyType({}),
) -> SetPoints:
    """What the controller's rules compare with.

    Parameters
    ----------
    settings : Settings
    system_v : int
        Of the battery that is connected.
    bms : Bms
        Limits of the battery's own protection.
    cells : float
        How many of its cells in series are sound.
    cell_shorted : bool
        Whether there are others beside them.
    pv_rated_v : float
        Highest voltage at its PV terminals that the unit works at.
    boost_restarts : bool
        Whether boost's time begins anew after an interruption, or adds up the time at its voltage.
    connected : mapping
        Set-points of inverter and chargers at the battery, by name.
    """
    system_low_v, system_high_v = _system_range_v(settings)
    return SetPoints(
        **_voltages(settings, system_v // 12),
        compensation_v_k=_compensation_v_k(settings, system_v),
        boost_s=settings.boost_min * 60.0,
        equalize_s=settings.equalize_min * 60.0 * TYPE_OF_CODE[settings.battery_type].equalizes,
        **(_restarting(settings) if boost_restarts else {}),
        night_v=settings.night_v,
        day_v=settings.day_v,
        night_s=max(settings.night_min * 60.0, 1.0),  # guess: the unit looks once a second
        day_s=max(settings.day_min * 60.0, 1.0),
        heatsink_hot_c=settings.device_hot_c,
        # guess; AN20 stayed off with its limit below the release
        heatsink_cool_c=_behind(settings.device_cool_c, settings.device_hot_c, -HEATSINK_RELEASE_K),
        battery_hot_c=settings.battery_hot_c,
        battery_cool_c=settings.battery_hot_c - BATTERY_RELEASE_K,
        battery_cold_c=settings.battery_cold_c,
        battery_warmer_c=settings.battery_cold_c + 2.0,
        **_in_the_cold(settings),
        **_by_percent(settings),
        system_low_v=system_low_v,
        system_high_v=system_high_v,
        pv_high_v=pv_rated_v,
        pv_open_high_v=PV_OPEN_HIGH * pv_rated_v,
        pv_high_release_v=pv_rated_v - PV_RELEASE_V,
        **_of_bms(bms, cells, cell_shorted),
        **connected,
    )
