"""Every physical quantity of the plant at one instant, unit in its name.

The register rows of `modbus` name these fields, the trace has them as columns, the live table shows them.
Current is positive into the battery. Energies are cumulative since the start of the run unless the
name says today, month or year.
"""

from typing import NamedTuple


class Snapshot(NamedTuple):
    """The plant at one grid point. All fields are numbers; flags are 0 or 1."""

    t_utc_s: float  # seconds since 1970-01-01 UTC
    t_device_s: float  # the controller's own clock, local civil time read as if it were UTC

    # sun and air
    ghi_w_m2: float
    poa_w_m2: float  # in the modules' plane, before reflection
    t_amb_c: float
    wind_m_s: float

    # array
    t_cell_c: float
    v_oc_v: float
    p_mp_w: float  # what a perfect tracker would take
    v_pv_v: float
    i_pv_a: float
    p_pv_w: float

    # controller
    stage: float  # charger.Stage: 0 none, 1 bulk, 2 boost, 3 equalize, 4 float
    regime: float  # converter.Regime: 0 off, 1 at the maximum power point, 2 constant voltage, 3 limited
    i_chg_a: float
    p_chg_w: float
    v_target_v: float  # the voltage the converter holds the battery to, temperature compensated
    t_heatsink_c: float
    night: float  # 1 after the night delay, 0 after the day delay
    night_length_min: float  # as learned from the nights so far, or set
    battery_status: float  # charger.BatteryStatus: 0 normal, 1 over-voltage, 2 under-voltage, 3 disconnect
    battery_heat: float  # 0 normal, 1 too hot, 2 too cold, at the probe
    heatsink_hot: float
    wrong_voltage: float  # 1 when the battery isn't of the system voltage that is set
    pv_too_high: float  # 1 above the rated array voltage

    # battery
    v_batt_v: float  # at the controller's terminals
    v_cells_v: float  # at the battery's own
    i_batt_a: float
    soc: float  # true state of charge, 0..1
    soc_controller: float  # what the controller believes, 0..1
    t_batt_c: float
    frozen: float  # 1 with ice in the battery
    t_probe_c: float  # as the controller reads it

    # load
    load_on: float
    load_called: float  # 1 when the load's mode calls for it
    load_state: (
        float  # charger.LoadOutput: 0 on, 1 low voltage, 2 overload, 3 short circuit, 4 barred, 5 low charge
    )
    load_retries: float  # of a load that tripped
    load_share: float  # current over the rating
    v_load_v: float
    i_load_a: float
    p_load_w: float

    # meters of the controller, in its own days
    generated_today_kwh: float
    generated_month_kwh: float
    generated_year_kwh: float
    generated_total_kwh: float
    consumed_today_kwh: float
    consumed_month_kwh: float
    consumed_year_kwh: float
    consumed_total_kwh: float
    v_pv_max_today_v: float
    v_pv_min_today_v: float
    v_batt_max_today_v: float
    v_batt_min_today_v: float

    # account since the start of the run
    e_available_wh: float  # at the maximum power point
    e_missed_wh: float  # of that not taken: by the tracker's inaccuracy and its window,
    e_untaken_full_wh: float  # with the battery held at its voltage,
    e_untaken_limit_wh: float  # at the rated current or power,
    e_untaken_off_wh: float  # with the charger off
    e_pv_wh: float
    e_pv_wiring_wh: float  # lost before that in the array's cable
    e_converter_loss_wh: float
    e_chg_wh: float
    e_batt_wiring_wh: float  # battery cable, and diodes of its protection
    e_path_loss_wh: float  # load switch and its wiring
    e_load_wh: float
    e_own_wh: float  # the controller's own consumption
    e_batt_wh: float  # net into the battery terminals
    e_unserved_wh: float  # asked for by the load, not delivered
    e_ohmic_wh: float  # losses inside the battery, by cause
    e_polarisation_wh: float
    e_side_wh: float  # gassing, self-discharge
    e_diffusion_wh: float
    e_hysteresis_wh: float
    e_entropy_wh: float  # stored energy that warming adds (the EMF has a temperature coefficient)
    e_faded_wh: float  # was in store in capacity that age or a fault has taken
    e_stored_wh: float  # what is in the battery at this instant
