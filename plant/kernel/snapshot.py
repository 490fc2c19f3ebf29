"""Every physical quantity of the plant at one instant, unit in its name: the vocabulary of the whole project.

Register rows name these fields; traces, state files, CSV files and pages have them as columns and take unit, sign and
meaning from `QUANTITIES`.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from plant.controller.charger import (
    BatteryHeat,
    BatteryStatus,
    ChargerRun,
    Daylight,
    InverterRun,
    LoadOutput,
    Stage,
)  # fmt: skip
from plant.kernel.flowtable import FLOW
from plant.power.converter import Regime


class Quantity(NamedTuple):
    """What a field of `Snapshot` says."""

    unit: str  # "0, 1" of a flag, "0..1" of a share that can't pass 1, nothing of other bare numbers
    meaning: str
    sign: str = ""  # which way is positive; nothing: it never falls below 0
    codes: type[IntEnum] | None = None  # what its numbers stand for


ABOVE_FREEZING: Final = "positive above freezing"
INTO_BATTERY: Final = "positive into the battery"


class Snapshot(NamedTuple):
    """The plant at one grid point. Energies `e_..._wh` are integrals since the start of the run.

    All fields are floats; the kernel makes the tuple, and what stands in `Annotated` costs it nothing.
    """

    t_utc_s: Annotated[float, Quantity("s", "since 1970-01-01 UTC")]
    t_device_s: Annotated[
        float, Quantity("s", "controller's own clock, read as if it were UTC; it began with civil time")
    ]

    # sun and air
    ghi_w_m2: Annotated[float, Quantity("W/m2", "irradiance on level ground")]
    poa_w_m2: Annotated[float, Quantity("W/m2", "irradiance in the modules' plane, before reflection")]
    t_amb_c: Annotated[float, Quantity("degC", "air temperature", ABOVE_FREEZING)]
    wind_m_s: Annotated[float, Quantity("m/s", "wind speed at the modules")]

    # array
    t_cell_c: Annotated[float, Quantity("degC", "temperature of the modules' cells", ABOVE_FREEZING)]
    v_oc_v: Annotated[float, Quantity("V", "open-circuit voltage of the array")]
    p_mp_w: Annotated[float, Quantity("W", "power at the maximum power point")]
    v_pv_v: Annotated[float, Quantity("V", "array voltage at the controller")]
    i_pv_a: Annotated[float, Quantity("A", "array current")]
    p_pv_w: Annotated[float, Quantity("W", "array power")]

    # controller
    stage: Annotated[float, Quantity("", "charge stage", codes=Stage)]
    regime: Annotated[float, Quantity("", "what sets the converter's current", codes=Regime)]
    i_chg_a: Annotated[float, Quantity("A", "current from the controller towards battery and load")]
    p_chg_w: Annotated[float, Quantity("W", "power from the controller towards battery and load")]
    v_target_v: Annotated[
        float, Quantity("V", "voltage at which the converter holds the battery, temperature compensated")
    ]
    t_heatsink_c: Annotated[
        float, Quantity("degC", "temperature of the controller's heat sink", ABOVE_FREEZING)
    ]
    night: Annotated[
        float, Quantity("", "time of day as the controller sees it, with its delays", codes=Daylight)
    ]
    night_length_min: Annotated[float, Quantity("min", "length of the night as learned so far, or as set")]
    battery_status: Annotated[
        float, Quantity("", "battery status reported by the controller", codes=BatteryStatus)
    ]
    battery_heat: Annotated[
        float, Quantity("", "the battery at its probe, as the controller reports it", codes=BatteryHeat)
    ]
    heatsink_hot: Annotated[float, Quantity("0, 1", "1 while the heat sink is too hot")]
    wrong_voltage: Annotated[
        float, Quantity("0, 1", "1 while the battery does not match the system voltage that is set")
    ]
    pv_too_high: Annotated[
        float, Quantity("0, 1", "1 while the charger is off because the PV voltage was too high")
    ]

    # battery
    v_batt_v: Annotated[float, Quantity("V", "battery voltage at the controller's terminals")]
    v_cells_v: Annotated[float, Quantity("V", "voltage at the battery's own terminals")]
    i_batt_a: Annotated[float, Quantity("A", "battery current", INTO_BATTERY)]
    soc: Annotated[float, Quantity("0..1", "true state of charge")]
    soc_controller: Annotated[float, Quantity("0..1", "state of charge as estimated by the controller")]
    t_batt_c: Annotated[float, Quantity("degC", "battery temperature", ABOVE_FREEZING)]
    frozen: Annotated[float, Quantity("0, 1", "1 while there is ice in the battery")]
    t_probe_c: Annotated[
        float,
        Quantity("degC", "battery temperature as the controller last read it", ABOVE_FREEZING),
    ]

    # load
    load_on: Annotated[float, Quantity("0, 1", "1 while there is voltage at the load output")]
    load_called: Annotated[float, Quantity("0, 1", "1 when the load's mode calls for it")]
    load_state: Annotated[float, Quantity("", "state of the load output's protection", codes=LoadOutput)]
    load_retries: Annotated[float, Quantity("", "retries so far after the load output tripped")]
    load_share: Annotated[float, Quantity("", "load current over its rating")]
    v_load_v: Annotated[float, Quantity("V", "voltage of the load output")]
    i_load_a: Annotated[float, Quantity("A", "load current")]
    p_load_w: Annotated[float, Quantity("W", "load power")]

    # what hangs on the battery's posts beside the controller, `battery.loads` and `battery.chargers` of the site
    inverter: Annotated[float, Quantity("", "the inverter at the battery", codes=InverterRun)]
    i_inverter_a: Annotated[float, Quantity("A", "current that the inverter draws from the battery")]
    p_inverter_w: Annotated[float, Quantity("W", "power that the inverter draws from the battery")]
    p_inverter_load_w: Annotated[float, Quantity("W", "power that the inverter's loads get")]
    charger_1: Annotated[float, Quantity("", "the first charger at the battery", codes=ChargerRun)]
    i_charger_1_a: Annotated[float, Quantity("A", "current of that charger")]
    p_charger_1_w: Annotated[float, Quantity("W", "power of that charger into the battery")]
    charger_1_h: Annotated[float, Quantity("h", FLOW["charger_1_h"].meaning)]
    charger_1_starts: Annotated[float, Quantity("", FLOW["charger_1_starts"].meaning)]
    charger_2: Annotated[float, Quantity("", "the second charger at the battery", codes=ChargerRun)]
    i_charger_2_a: Annotated[float, Quantity("A", "current of that charger")]
    p_charger_2_w: Annotated[float, Quantity("W", "power of that charger into the battery")]
    charger_2_h: Annotated[float, Quantity("h", FLOW["charger_2_h"].meaning)]
    charger_2_starts: Annotated[float, Quantity("", FLOW["charger_2_starts"].meaning)]
    fuel_l: Annotated[float, Quantity("l", "fuel that both chargers used")]

    # meters of the controller, in its own days
    generated_today_kwh: Annotated[float, Quantity("kWh", "controller's meter of charge: today")]
    generated_month_kwh: Annotated[float, Quantity("kWh", "controller's meter of charge: this month")]
    generated_year_kwh: Annotated[float, Quantity("kWh", "controller's meter of charge: this year")]
    generated_total_kwh: Annotated[
        float, Quantity("kWh", "controller's meter of charge: since it was last cleared")
    ]
    consumed_today_kwh: Annotated[float, Quantity("kWh", "controller's meter of the load: today")]
    consumed_month_kwh: Annotated[float, Quantity("kWh", "controller's meter of the load: this month")]
    consumed_year_kwh: Annotated[float, Quantity("kWh", "controller's meter of the load: this year")]
    consumed_total_kwh: Annotated[float, Quantity("kWh", "controller's meter of the load: since the start")]
    v_pv_max_today_v: Annotated[float, Quantity("V", "highest array voltage today")]
    v_pv_min_today_v: Annotated[float, Quantity("V", "lowest array voltage today")]
    v_batt_max_today_v: Annotated[float, Quantity("V", "highest battery voltage today")]
    v_batt_min_today_v: Annotated[float, Quantity("V", "lowest battery voltage today")]

    # account since the start of the run, see `flowtable.FLOWS`
    e_available_wh: Annotated[float, Quantity("Wh", FLOW["available"].meaning)]
    e_missed_wh: Annotated[float, Quantity("Wh", FLOW["missed"].meaning)]
    e_untaken_full_wh: Annotated[float, Quantity("Wh", FLOW["untaken_full"].meaning)]
    e_untaken_bms_wh: Annotated[float, Quantity("Wh", FLOW["untaken_bms"].meaning)]
    e_untaken_cold_wh: Annotated[float, Quantity("Wh", FLOW["untaken_cold"].meaning)]
    e_untaken_limit_wh: Annotated[float, Quantity("Wh", FLOW["untaken_limit"].meaning)]
    e_untaken_pv_high_wh: Annotated[float, Quantity("Wh", FLOW["untaken_pv_high"].meaning)]
    e_untaken_off_wh: Annotated[float, Quantity("Wh", FLOW["untaken_off"].meaning)]
    e_pv_wh: Annotated[float, Quantity("Wh", FLOW["pv"].meaning)]
    e_pv_wiring_wh: Annotated[float, Quantity("Wh", FLOW["pv_wiring"].meaning)]
    e_converter_loss_wh: Annotated[float, Quantity("Wh", FLOW["converter_loss"].meaning)]
    e_chg_wh: Annotated[float, Quantity("Wh", FLOW["chg"].meaning)]
    e_batt_wiring_wh: Annotated[float, Quantity("Wh", FLOW["batt_wiring"].meaning)]
    e_path_loss_wh: Annotated[float, Quantity("Wh", FLOW["path_loss"].meaning)]
    e_load_wh: Annotated[float, Quantity("Wh", FLOW["load"].meaning)]
    e_own_wh: Annotated[float, Quantity("Wh", FLOW["own"].meaning)]
    e_batt_wh: Annotated[float, Quantity("Wh", FLOW["batt"].meaning, INTO_BATTERY)]
    e_charger_1_wh: Annotated[float, Quantity("Wh", FLOW["charger_1"].meaning)]
    e_charger_2_wh: Annotated[float, Quantity("Wh", FLOW["charger_2"].meaning)]
    e_inverter_wh: Annotated[float, Quantity("Wh", FLOW["inverter"].meaning)]
    e_inverter_loss_wh: Annotated[float, Quantity("Wh", FLOW["inverter_loss"].meaning)]
    e_inverter_unserved_wh: Annotated[float, Quantity("Wh", FLOW["inverter_unserved"].meaning)]
    e_unserved_wh: Annotated[float, Quantity("Wh", FLOW["unserved"].meaning)]
    e_ohmic_wh: Annotated[float, Quantity("Wh", FLOW["ohmic"].meaning)]
    e_polarisation_wh: Annotated[float, Quantity("Wh", FLOW["polarisation"].meaning)]
    e_side_wh: Annotated[float, Quantity("Wh", FLOW["side"].meaning)]
    e_diffusion_wh: Annotated[float, Quantity("Wh", FLOW["diffusion"].meaning)]
    e_hysteresis_wh: Annotated[float, Quantity("Wh", FLOW["hysteresis"].meaning)]
    e_entropy_wh: Annotated[float, Quantity("Wh", FLOW["entropy"].meaning, "positive when it adds")]
    e_faded_wh: Annotated[float, Quantity("Wh", FLOW["faded"].meaning, "positive when it is gone")]
    e_stored_wh: Annotated[float, Quantity("Wh", "what is in the battery at this instant")]


QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType(
    {name: hint.__metadata__[0] for name, hint in Snapshot.__annotations__.items()}
)


def meaning_of(name: str) -> str:
    """A quantity in words, with what its numbers stand for."""
    quantity = QUANTITIES[name]
    if quantity.codes is None:
        return quantity.meaning
    codes = (f"{code.value} {code.name.lower().replace('_', ' ')}" for code in quantity.codes)
    return f"{quantity.meaning}: {', '.join(codes)}"
