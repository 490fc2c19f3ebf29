"""The plant's state as a `Snapshot`."""

import numpy as np

from plant.array.day import AnyDay
from plant.base.jit import kernel
from plant.battery import model as battery
from plant.controller.charger import (
    BatteryHeat,
    BatteryStatus,
    Heat,
    LoadControl,
    LoadOutput,
    Machine,
    OverVoltage,
    UnderVoltageWarning,
)  # fmt: skip
from plant.kernel.books import Books
from plant.kernel.machines import device_s
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Held, Parameters, PlantState
from plant.power.converter import OperatingPoint
from plant.power.jointnode import there


@kernel
def gauge(v_batt_v: float, low_v: float, float_v: float) -> float:
    """State of charge as N-family controllers show it: linear in the voltage between LVD and float as compensated now.

    Sure of the line, unfiltered: 8,934 samples of two AN units lie within 0.5 points rms, and three other units fit.
    That its upper end moves with the float voltage is likely: it is lower in the warm afternoon.
    """
    if not float_v > low_v:
        return 1.0 if v_batt_v >= low_v else 0.0
    share = (v_batt_v - low_v) / (float_v - low_v)
    return max(0.0, min(1.0, share))


@kernel
def _battery_status(modes: np.ndarray) -> float:
    if modes[Machine.OVER_VOLTAGE] == OverVoltage.TRIPPED:
        return float(BatteryStatus.OVER_VOLTAGE.value)
    if modes[Machine.LOAD] in (LoadOutput.LOW_VOLTAGE, LoadOutput.LOW_CHARGE):  # of the second a guess
        return float(BatteryStatus.LOW_VOLTAGE_DISCONNECT.value)
    if modes[Machine.WARNING] == UnderVoltageWarning.UNDER:
        return float(BatteryStatus.UNDER_VOLTAGE.value)
    return float(BatteryStatus.NORMAL.value)


@kernel
def _battery_heat(modes: np.ndarray) -> float:
    """0x3200 D7-4."""
    if modes[Machine.BATTERY_HEAT] == Heat.HOT:
        return float(BatteryHeat.TOO_HOT.value)
    cold = modes[Machine.BATTERY_COLD] + modes[Machine.COLD_CHARGE] + modes[Machine.COLD_DISCHARGE]
    return float(BatteryHeat.TOO_COLD.value) if cold > 0 else float(BatteryHeat.NORMAL.value)


@kernel
def _over(dividend: float, divisor: float) -> float:
    """A quotient, 0 where there is nothing to divide by."""
    return dividend / divisor if divisor > 0.0 else 0.0


@kernel
def _today(measured: bool, extreme_v: float, now_v: float) -> float:
    """An extreme of the day; before anything was measured the present voltage."""
    return extreme_v if measured else now_v


@kernel
def snapshot(
    memory: PlantState, held: Held, bus: OperatingPoint, day: AnyDay, k: int,
    par: Parameters, books: Books, t_utc_s: float,
) -> Snapshot:  # fmt: skip
    """What the plant shows at the end of step `k` of a day, at `t_utc_s`."""
    x, modes, extremes = memory.x, books.modes, books.extremes
    whole, today = books.account, books.today  # of whole days, and of the one at hand
    generated, consumed = books.metered_before.generated, books.metered_before.consumed
    charged_wh, used_wh = whole.chg + today.chg, whole.load + today.load
    charged_1_wh, charged_2_wh = whole.charger_1 + today.charger_1, whole.charger_2 + today.charger_2
    run_1_h, run_2_h = whole.charger_1_h + today.charger_1_h, whole.charger_2_h + today.charger_2_h
    posts, first, second = there(bus, held.port, held.posts), par.outfit.first, par.outfit.second
    measured = extremes.v_batt_max >= extremes.v_batt_min  # today: a unit without power measures nothing
    ice = 1.0 if battery.frozen(x, par.battery) else 0.0
    i_pv = bus.p_pv_w / bus.v_pv_v if bus.p_pv_w > 0.0 else 0.0
    regime = bus.regime.value if bus.i_chg_a > 0.0 else 0
    load_on = 1.0 if held.load_on and bus.v_batt_v > 0.0 else 0.0
    called = 1.0 if modes[Machine.LOAD_CONTROL] == LoadControl.ON else 0.0
    return Snapshot(
        t_utc_s=t_utc_s,
        t_device_s=device_s(books, t_utc_s),
        ghi_w_m2=day.ghi_w_m2[k],
        poa_w_m2=day.poa_w_m2[k],
        t_amb_c=day.t_amb_c[k],
        wind_m_s=day.wind_m_s[k],
        t_cell_c=day.t_cell_c[k],
        v_oc_v=day.v_oc_v[k],
        p_mp_w=day.p_mp_w[k],
        v_pv_v=bus.v_pv_v,
        i_pv_a=i_pv,
        p_pv_w=bus.p_pv_w,
        stage=float(modes[Machine.CHARGE]),
        regime=float(regime),
        i_chg_a=bus.i_chg_a,
        p_chg_w=bus.p_chg_w,
        v_target_v=held.v_target_v,
        t_heatsink_c=memory.t_heatsink_c,
        night=float(modes[Machine.DAYLIGHT]),
        night_length_min=books.night.length_s / 60.0,
        battery_status=_battery_status(modes),
        battery_heat=_battery_heat(modes),
        heatsink_hot=float(modes[Machine.HEATSINK]),
        wrong_voltage=float(modes[Machine.SYSTEM_VOLTAGE]),
        pv_too_high=float(modes[Machine.PV_VOLTAGE]),
        v_batt_v=bus.v_batt_v,
        i_batt_a=bus.i_batt_a,
        soc=battery.soc(x, par.battery),
        soc_controller=gauge(bus.v_batt_v, books.levels.low_voltage_disconnect_v, books.levels.float_v),
        t_batt_c=x.t_c,
        t_probe_c=memory.t_probe_c,
        frozen=ice,
        v_cells_v=bus.v_cells_v,
        load_on=load_on,
        load_called=called,
        load_state=float(modes[Machine.LOAD]),
        load_retries=float(books.tries.count),
        load_share=bus.i_load_a / par.stage.load_rated_a,
        v_load_v=load_on * (bus.v_batt_v - par.stage.path_ohm * bus.i_load_a),
        i_load_a=bus.i_load_a,
        p_load_w=bus.p_load_w,
        inverter=float(modes[Machine.INVERTER]),
        i_inverter_a=_over(posts.inverter_w, posts.v_v),
        p_inverter_w=posts.inverter_w,
        p_inverter_load_w=_over(posts.inverter_w * held.asked.served_w, held.asked.drawn_w),
        charger_1=float(modes[Machine.CHARGER_1]),
        i_charger_1_a=_over(posts.charger_1_w, posts.v_v),
        p_charger_1_w=posts.charger_1_w,
        charger_1_h=run_1_h,
        charger_1_starts=whole.charger_1_starts + today.charger_1_starts,
        charger_2=float(modes[Machine.CHARGER_2]),
        i_charger_2_a=_over(posts.charger_2_w, posts.v_v),
        p_charger_2_w=posts.charger_2_w,
        charger_2_h=run_2_h,
        charger_2_starts=whole.charger_2_starts + today.charger_2_starts,
        fuel_l=first.fuel_l_h * run_1_h
        + first.fuel_l_wh * charged_1_wh
        + second.fuel_l_h * run_2_h
        + second.fuel_l_wh * charged_2_wh,
        generated_today_kwh=(charged_wh - generated.today) / 1000.0,
        generated_month_kwh=(charged_wh - generated.month) / 1000.0,
        generated_year_kwh=(charged_wh - generated.year) / 1000.0,
        generated_total_kwh=(charged_wh - generated.total) / 1000.0,
        consumed_today_kwh=(used_wh - consumed.today) / 1000.0,
        consumed_month_kwh=(used_wh - consumed.month) / 1000.0,
        consumed_year_kwh=(used_wh - consumed.year) / 1000.0,
        consumed_total_kwh=(used_wh - consumed.total) / 1000.0,
        v_pv_max_today_v=_today(measured, extremes.v_pv_max, bus.v_pv_v),
        v_pv_min_today_v=_today(measured, extremes.v_pv_min, bus.v_pv_v),
        v_batt_max_today_v=_today(measured, extremes.v_batt_max, bus.v_batt_v),
        v_batt_min_today_v=_today(measured, extremes.v_batt_min, bus.v_batt_v),
        e_available_wh=whole.available + today.available,
        e_missed_wh=whole.missed + today.missed,
        e_untaken_full_wh=whole.untaken_full + today.untaken_full,
        e_untaken_bms_wh=whole.untaken_bms + today.untaken_bms,
        e_untaken_cold_wh=whole.untaken_cold + today.untaken_cold,
        e_untaken_limit_wh=whole.untaken_limit + today.untaken_limit,
        e_untaken_pv_high_wh=whole.untaken_pv_high + today.untaken_pv_high,
        e_untaken_off_wh=whole.untaken_off + today.untaken_off,
        e_pv_wh=whole.pv + today.pv,
        e_pv_wiring_wh=whole.pv_wiring + today.pv_wiring,
        e_converter_loss_wh=whole.converter_loss + today.converter_loss,
        e_chg_wh=whole.chg + today.chg,
        e_batt_wiring_wh=whole.batt_wiring + today.batt_wiring,
        e_path_loss_wh=whole.path_loss + today.path_loss,
        e_load_wh=whole.load + today.load,
        e_own_wh=whole.own + today.own,
        e_batt_wh=whole.batt + today.batt,
        e_charger_1_wh=charged_1_wh,
        e_charger_2_wh=charged_2_wh,
        e_inverter_wh=whole.inverter + today.inverter,
        e_inverter_loss_wh=whole.inverter_loss + today.inverter_loss,
        e_inverter_unserved_wh=whole.inverter_unserved + today.inverter_unserved,
        e_unserved_wh=whole.unserved + today.unserved,
        e_ohmic_wh=whole.ohmic + today.ohmic,
        e_polarisation_wh=whole.polarisation + today.polarisation,
        e_side_wh=whole.side + today.side,
        e_diffusion_wh=whole.diffusion + today.diffusion,
        e_hysteresis_wh=whole.hysteresis + today.hysteresis,
        e_entropy_wh=whole.entropy + today.entropy,
        e_faded_wh=whole.faded + today.faded,
        e_stored_wh=battery.stored_wh(x, par.battery),
    )
