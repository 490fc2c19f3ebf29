"""One step of the full model: the battery's ODE in the plant by the classical Runge-Kutta method."""

from plant import battery
from plant.battery import State, Warm
from plant.cell import rk4_mean
from plant.controller import PowerStage
from plant.converter import Bus
from plant.jit import kernel, woven
from plant.node import flows, look
from plant.state import Flows, Held


@kernel
def rk4(x: State, now: Bus, h: float, held: Held, w: Warm, stage: PowerStage) -> tuple[State, Flows, Bus]:
    """One step of fourth order.

    Parameters
    ----------
    x, now : State, Bus
        Battery and node at the beginning.
    h : float
        Length [s].
    held : Held
    w, stage : Warm, PowerStage

    Returns
    -------
    State, Flows, Bus
        Battery at the end, mean of every flow, node at the end.
    """
    k1, f1 = flows(x, now, held, w, stage)
    x2 = battery.moved(x, 0.5 * h, k1, w)
    bus2 = look(x2, now.above_node_v, held, w, stage)
    k2, f2 = flows(x2, bus2, held, w, stage)
    x3 = battery.moved(x, 0.5 * h, k2, w)
    bus3 = look(x3, bus2.above_node_v, held, w, stage)
    k3, f3 = flows(x3, bus3, held, w, stage)
    x4 = battery.moved(x, h, k3, w)
    bus4 = look(x4, bus3.above_node_v, held, w, stage)
    k4, f4 = flows(x4, bus4, held, w, stage)
    end = battery.moved(x, h, battery.mean_slope(k1, k2, k3, k4, w), w)
    return end, _mean(f1, f2, f3, f4), look(end, bus4.above_node_v, held, w, stage)


@woven
def _mean(f1: Flows, f2: Flows, f3: Flows, f4: Flows) -> Flows:
    return Flows(
        rk4_mean(f1.pv, f2.pv, f3.pv, f4.pv),
        rk4_mean(f1.pv_wiring, f2.pv_wiring, f3.pv_wiring, f4.pv_wiring),
        rk4_mean(f1.converter_loss, f2.converter_loss, f3.converter_loss, f4.converter_loss),
        rk4_mean(f1.chg, f2.chg, f3.chg, f4.chg),
        rk4_mean(f1.batt_wiring, f2.batt_wiring, f3.batt_wiring, f4.batt_wiring),
        rk4_mean(f1.path_loss, f2.path_loss, f3.path_loss, f4.path_loss),
        rk4_mean(f1.load, f2.load, f3.load, f4.load),
        rk4_mean(f1.own, f2.own, f3.own, f4.own),
        rk4_mean(f1.batt, f2.batt, f3.batt, f4.batt),
        rk4_mean(f1.ohmic, f2.ohmic, f3.ohmic, f4.ohmic),
        rk4_mean(f1.polarisation, f2.polarisation, f3.polarisation, f4.polarisation),
        rk4_mean(f1.side, f2.side, f3.side, f4.side),
        rk4_mean(f1.diffusion, f2.diffusion, f3.diffusion, f4.diffusion),
        rk4_mean(f1.hysteresis, f2.hysteresis, f3.hysteresis, f4.hysteresis),
        rk4_mean(f1.entropy, f2.entropy, f3.entropy, f4.entropy),
        rk4_mean(f1.i_side, f2.i_side, f3.i_side, f4.i_side),
    )
