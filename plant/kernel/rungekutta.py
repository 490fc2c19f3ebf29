"""One step of the full model: the battery's ODE in the plant by the classical Runge-Kutta method."""

from plant.base.jit import inline_ir
from plant.battery import model as battery
from plant.battery.model import AtTemperature, State
from plant.kernel.node import flows, no_flows, operating_point
from plant.kernel.state import Flows, Held
from plant.power.converter import OperatingPoint
from plant.power.stage import PowerStage


@inline_ir
def rk4(
    x: State, now: OperatingPoint, h: float, held: Held, w: AtTemperature, stage: PowerStage
) -> tuple[float, State, Flows, OperatingPoint]:
    """One step of fourth order, no longer than the battery allows.

    Parameters
    ----------
    x, now : State, OperatingPoint
        Battery and node at the beginning.
    h : float
        Longest that is wanted [s].
    held : Held
    w, stage : AtTemperature, PowerStage

    Returns
    -------
    float, State, Flows, OperatingPoint
        How far it went; battery at the end, mean of every flow, node at the end.

    Notes
    -----
    The four slopes are taken in a loop: written out one after another they make so much machine code that it doesn't
    fit the processor's nearest cache.
    """
    at, bus = x, now
    slope, mean = battery.no_slope(w), no_flows()
    for number in range(4):
        inner = battery.inner(at, w)
        if number == 0:
            h = min(h, battery.step_limit_of(inner, x, now.i_batt_a, w))
        dx, flow = flows(at, bus, inner, held, w, stage)
        weight = 1.0 / 6.0 if number in (0, 3) else 1.0 / 3.0
        slope = battery.moved(slope, weight, dx, w)
        mean = _added(mean, weight, flow)
        reach = 0.5 * h if number < 2 else h
        at = battery.moved(x, reach, dx, w) if number < 3 else battery.moved(x, reach, slope, w)
        bus = operating_point(at, bus, held, w, stage)
    return h, at, mean, bus


@inline_ir
def _added(mean: Flows, weight: float, flow: Flows) -> Flows:
    return Flows(
        mean.pv + weight * flow.pv,
        mean.pv_wiring + weight * flow.pv_wiring,
        mean.converter_loss + weight * flow.converter_loss,
        mean.chg + weight * flow.chg,
        mean.batt_wiring + weight * flow.batt_wiring,
        mean.path_loss + weight * flow.path_loss,
        mean.load + weight * flow.load,
        mean.own + weight * flow.own,
        mean.batt + weight * flow.batt,
        mean.inverter_dc + weight * flow.inverter_dc,
        mean.charger_1 + weight * flow.charger_1,
        mean.charger_2 + weight * flow.charger_2,
        mean.ohmic + weight * flow.ohmic,
        mean.polarisation + weight * flow.polarisation,
        mean.side + weight * flow.side,
        mean.diffusion + weight * flow.diffusion,
        mean.hysteresis + weight * flow.hysteresis,
        mean.entropy + weight * flow.entropy,
        mean.i_side + weight * flow.i_side,
    )
