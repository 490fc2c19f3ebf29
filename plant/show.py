"""The plant's state as a `Snapshot`."""

from plant import battery
from plant.array import ArrayDay
from plant.charger import SetPoints
from plant.converter import Bus
from plant.jit import kernel
from plant.snapshot import Snapshot
from plant.state import Books, Held, Memory, Parameters


@kernel
def _gauge(v_batt_v: float, s: SetPoints) -> float:
    """State of charge as N-family controllers show it: linear in the voltage between LVD and float.

    Fits the three recorded AN units: ``trunc(100 (V - LVD) / (FLT - LVD))``, clamped.
    """
    share = (v_batt_v - s.low_voltage_disconnect_v) / (s.float_v - s.low_voltage_disconnect_v)
    return max(0.0, min(1.0, share))


@kernel
def _battery_status(books: Books) -> float:
    if books.modes[2] == 1:
        return 1.0
    if books.modes[1] == 1:
        return 3.0
    return 2.0 if books.modes[3] == 1 else 0.0


@kernel
def snapshot(
    memory: Memory, held: Held, bus: Bus, day: ArrayDay, k: int,
    par: Parameters, books: Books, t_utc_s: float, device_offset_s: float,
) -> Snapshot:  # fmt: skip
    """What the plant shows at the end of step `k` of a day, at `t_utc_s`."""
    x, e, off = memory.x, books.account, books.offset
    i_pv = bus.p_pv_w / bus.v_pv_v if bus.p_pv_w > 0.0 else 0.0
    regime = bus.regime if bus.i_chg_a > 0.0 else 0.0
    load_on = 1.0 if held.load_on else 0.0
    v_load = load_on * (bus.v_batt_v - par.stage.path_ohm * bus.i_load_a)
    return Snapshot(
        t_utc_s,
        t_utc_s + device_offset_s,
        day.ghi_w_m2[k],
        day.poa_w_m2[k],
        day.t_amb_c[k],
        day.wind_m_s[k],
        day.t_cell_c[k],
        day.v_oc_v[k],
        day.p_mp_w[k],
        bus.v_pv_v,
        i_pv,
        bus.p_pv_w,
        float(books.modes[0]),
        regime,
        bus.i_chg_a,
        bus.p_chg_w,
        held.v_target_v,
        memory.t_heatsink_c,
        float(books.modes[4]),
        _battery_status(books),
        bus.v_batt_v,
        bus.i_batt_a,
        battery.soc(x, par.battery),
        _gauge(bus.v_batt_v, par.setpoints),
        x.t_c,
        load_on,
        v_load,
        bus.i_load_a,
        bus.p_load_w,
        (e[3] - off[0]) / 1000.0,
        (e[3] - off[1]) / 1000.0,
        (e[3] - off[2]) / 1000.0,
        (e[3] - off[3]) / 1000.0,
        (e[5] - off[4]) / 1000.0,
        (e[5] - off[5]) / 1000.0,
        (e[5] - off[6]) / 1000.0,
        (e[5] - off[7]) / 1000.0,
        books.extremes[0],
        books.extremes[1],
        books.extremes[2],
        books.extremes[3],
        e[0],
        e[1],
        e[2],
        e[3],
        e[4],
        e[5],
        e[6],
        e[7],
        e[8],
        e[9],
        e[10],
        e[11],
        e[12],
        e[13],
        battery.stored_wh(x, par.battery),
    )
