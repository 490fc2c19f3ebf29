"""The battery at work in the plant: who feeds the node, who draws from it, and what each flow carries."""

from plant.base.jit import inline_ir, inline_llvm
from plant.battery import model as battery
from plant.battery.cell import Losses, Source
from plant.battery.model import AtTemperature, Inner, State
from plant.kernel.state import Flows, Held
from plant.power.converter import LoadDemand, Node, OperatingPoint, node_of, solve, with_powers
from plant.power.stage import PowerStage


@inline_llvm
def operating_point(
    x: State, before: OperatingPoint, held: Held, w: AtTemperature, stage: PowerStage
) -> OperatingPoint:
    """The node at an instant, shortly after another one."""
    now = currents(battery.source_at(x, w), node_of(before), held, stage)
    return with_powers(now, before, held.offer, stage)


@inline_llvm
def currents(source: Source, before: Node, held: Held, stage: PowerStage) -> Node:
    """The node without its powers, with a battery that shows itself as `source`."""
    load = held.load if held.load_on else LoadDemand(0.0, 0.0, 0.0)
    return solve(
        source, held.port, held.v_target_v, held.charging, before, held.offer, load, held.limit, stage
    )


@inline_ir
def flows(
    x: State, bus: OperatingPoint, inner: Inner, held: Held, w: AtTemperature, stage: PowerStage
) -> tuple[State, Flows]:
    """Time derivative of the battery's state, and every flow, at an instant whose node is known."""
    dx, loss = battery.rates_of(inner, x, bus.i_batt_a, held.t_room_c, w)
    return dx, flows_of(bus, loss, stage)


@inline_ir
def no_flows() -> Flows:
    """Nothing flows."""
    return Flows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@inline_ir
def flows_of(bus: OperatingPoint, loss: Losses, stage: PowerStage) -> Flows:
    """Every flow of an instant."""
    i_pv = bus.p_pv_w / bus.v_pv_v if stage.pv_wiring_ohm > 0.0 and bus.p_pv_w > 0.0 else 0.0
    return Flows(
        bus.p_pv_w,
        stage.pv_wiring_ohm * i_pv * i_pv,
        bus.p_converter_loss_w,
        bus.p_chg_w,
        (bus.v_batt_v - bus.v_cells_v) * bus.i_batt_a,
        bus.p_path_loss_w,
        bus.p_load_w,
        bus.p_own_w,
        bus.v_batt_v * bus.i_batt_a,
        loss.ohmic_w,
        loss.polarisation_w,
        loss.side_w,
        loss.diffusion_w,
        loss.hysteresis_w,
        loss.entropy_w,
        loss.i_side_a,
    )
