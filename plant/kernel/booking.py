"""What a step leaves in the books: the day's account of energy, the account of the run, and the log for ageing.

Each flow is booked by a line of its own, for a loop over the fields of a tuple costs compiled code a jump a field; a
test compares these lines with `flowtable.FLOWS`.
"""

import numpy as np

from plant.base.jit import inline_ir
from plant.battery import model as battery
from plant.battery.model import State
from plant.controller.charger import ChargerRun, Machine
from plant.kernel.books import Books
from plant.kernel.flowtable import FLOW_NAMES
from plant.kernel.state import Flows, Held
from plant.power.converter import OperatingPoint, Regime

FLOW_COUNT = len(FLOW_NAMES)
_WHY_NOT_TAKEN = {
    Regime.OFF: "untaken_off",
    Regime.TRACKING: "missed",
    Regime.CONSTANT_VOLTAGE: "untaken_full",
    Regime.LIMITED: "untaken_limit",
    Regime.PASSING: "missed",
}
NOT_TAKEN = np.array(
    [FLOW_NAMES.index(_WHY_NOT_TAKEN[regime]) for regime in Regime]
)  # by the regime's number


@inline_ir
def book(books: Books, h: float, mean: Flows, bus: OperatingPoint, held: Held) -> None:
    """Add a sub-step's flows to the day's account; what the array gave no one goes to the reason."""
    hours = h / 3600.0
    today = books.today
    today.pv += hours * mean.pv
    today.pv_wiring += hours * mean.pv_wiring
    today.converter_loss += hours * mean.converter_loss
    today.chg += hours * mean.chg
    today.batt_wiring += hours * mean.batt_wiring
    today.path_loss += hours * mean.path_loss
    today.load += hours * mean.load
    today.own += hours * mean.own
    today.batt += hours * mean.batt
    today.ohmic += hours * mean.ohmic
    today.polarisation += hours * mean.polarisation
    today.side += hours * mean.side
    today.diffusion += hours * mean.diffusion
    today.hysteresis += hours * mean.hysteresis
    today.entropy += hours * mean.entropy
    today.i_side += hours * mean.i_side
    today.available += hours * held.p_mp_w
    today.row[NOT_TAKEN[bus.regime.value]] += hours * (held.p_mp_w - mean.pv)
    if bus.i_load_a == 0.0 and held.called:
        today.unserved += hours * held.wanted_w
    if held.asked.outfit.some:
        # What flows at the battery's posts; the inverter's power is constant while it draws any.
        asked, modes = held.asked, books.modes
        served_w = mean.inverter_dc * (asked.served_w / asked.drawn_w) if asked.drawn_w > 0.0 else 0.0
        today.charger_1 += hours * mean.charger_1
        today.charger_2 += hours * mean.charger_2
        today.inverter += hours * served_w
        today.inverter_loss += hours * (mean.inverter_dc - served_w)
        if served_w < asked.demand_w * (1.0 - 1e-9):
            today.inverter_unserved += hours * (asked.demand_w - served_w)
        if modes[Machine.CHARGER_1] != ChargerRun.OFF:
            today.charger_1_h += hours
        if modes[Machine.CHARGER_2] != ChargerRun.OFF:
            today.charger_2_h += hours


@inline_ir
def fold(books: Books) -> None:
    """End of a day: its account into that of the run, with Kahan's carry so that years don't round away."""
    today, carry, account = books.today.row, books.carry.row, books.account.row
    for j in range(FLOW_COUNT):
        term = today[j] - carry[j]
        total = account[j] + term
        carry[j] = (total - account[j]) - term
        account[j] = total
        today[j] = 0.0


@inline_ir
def note_extremes(books: Books, v_pv_v: float, v_batt_v: float) -> None:
    """Widen today's ranges of voltage."""
    seen = books.extremes
    seen.v_pv_max = max(seen.v_pv_max, v_pv_v)
    seen.v_pv_min = min(seen.v_pv_min, v_pv_v)
    seen.v_batt_max = max(seen.v_batt_max, v_batt_v)
    seen.v_batt_min = min(seen.v_batt_min, v_batt_v)


@inline_ir
def log_hour(
    books: Books,
    number: int,
    begins: bool,
    hours: float,
    x: State,
    bus: OperatingPoint,
    p: battery.Parameters,
) -> None:
    """Keep the day's log (`wear.Hours`) over a step of so many `hours`, in the hour of that number."""
    hour = books.hours[number]
    if begins:
        hour.charged_ah = hour.discharged_ah = hour.soc = hour.t_c = hour.v_v = hour.frozen = 0.0
    hour.charged_ah += hours * max(bus.i_batt_a, 0.0)
    hour.discharged_ah -= hours * min(bus.i_batt_a, 0.0)
    hour.soc = battery.soc(x, p)
    hour.t_c += hours * x.t_c
    hour.v_v += hours * bus.v_cells_v
    hour.frozen = max(hour.frozen, 1.0 if battery.frozen(x, p) else 0.0)
