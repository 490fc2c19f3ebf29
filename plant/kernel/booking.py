"""What a step leaves in the books: the day's account of energy, the account of the run, and the log for ageing.

Each flow is booked by a line of its own, for a loop over the fields of a tuple costs compiled code a jump a field; a
test compares these lines with `flowtable.FLOWS`.
"""

from typing import Final

import numpy as np

from plant.base.jit import inline_ir, kernel
from plant.battery import model as battery
from plant.battery.model import State
from plant.controller.charger import ChargerRun, Machine, Production, Stage
from plant.controller.rules import BARS_CHARGE
from plant.kernel.books import Books
from plant.kernel.flowtable import FLOW_NAMES
from plant.kernel.state import Flows, Held
from plant.power.converter import OperatingPoint, Regime
from plant.power.posts import AnyPosts, by_posts

FLOW_COUNT = len(FLOW_NAMES)
# What the array could have given and nobody took is booked to what refused it: what limits the converter ...
_BY_REGIME: Final = {
    Regime.OFF: "untaken_off",
    Regime.TRACKING: "missed",
    Regime.CONSTANT_VOLTAGE: "untaken_full",
    Regime.LIMITED: "untaken_limit",
    Regime.PASSING: "missed",
}
# ... and while it is off what bars the charge; where several do, the first of `BARS_CHARGE`. A battery above its
# voltage, or at the percentage that was set for it, counts as full. What has no flow of its own leaves the charger off.
_BY_BAR: Final = {
    "battery over-voltage": "untaken_full",
    "heat sink too hot": "untaken_off",
    "battery too hot": "untaken_off",
    "battery too cold to charge": "untaken_cold",
    "wrong system voltage": "untaken_off",
    "PV voltage too high": "untaken_pv_high",
    "charge percentage reached": "untaken_full",
}
NOT_TAKEN = np.array([FLOW_NAMES.index(_BY_REGIME[regime]) for regime in Regime])  # by the regime's number
BAR_MACHINE = np.array([int(machine) for machine, _ in BARS_CHARGE.values()])
BAR_STATE = np.array([int(state) for _, state in BARS_CHARGE.values()])
BAR_FLOW = np.array([FLOW_NAMES.index(_BY_BAR[reason]) for reason in BARS_CHARGE])
REFUSED = FLOW_NAMES.index("untaken_bms")


@kernel
def who_refused(regime: int, modes: np.ndarray, way_in: bool) -> int:
    """Place in `FLOWS` of the flow that available energy belongs to which nobody took.

    Parameters
    ----------
    regime : int
        `converter.Regime`.
    modes : (machines,) array
    way_in : bool
        Whether charge can get into the battery: its BMS and its fuse let it.
    """
    off = regime == Regime.OFF.value
    if off and modes[Machine.CHARGE] == Stage.NONE:
        for bar in range(BAR_FLOW.size):
            if modes[BAR_MACHINE[bar]] == BAR_STATE[bar]:
                return int(BAR_FLOW[bar])
    elif not way_in and (
        regime == Regime.CONSTANT_VOLTAGE.value or (off and modes[Machine.PRODUCTION] == Production.READY)
    ):
        return REFUSED
    return int(NOT_TAKEN[regime])


def _no_posts(books: Books, hours: float, mean: Flows, held: Held, posts: AnyPosts) -> None:
    pass


@by_posts(elsewhere=_no_posts)
def _book_posts(books: Books, hours: float, mean: Flows, held: Held, posts: AnyPosts) -> None:
    """`book` for what flows at the battery's posts; the inverter's power is constant while it draws any."""
    today, asked, modes = books.today, held.asked, books.modes
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
def book(books: Books, h: float, mean: Flows, bus: OperatingPoint, held: Held) -> None:
    """Add a sub-step's flows to the day's account; what the array gave no one goes to what refused it."""
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
    place = NOT_TAKEN[bus.regime.value]
    if held.p_mp_w > 0.0 and (bus.regime == Regime.OFF or not held.port.charge):
        place = who_refused(bus.regime.value, books.modes, held.port.charge)
    today.row[place] += hours * (held.p_mp_w - mean.pv)
    if bus.i_load_a == 0.0 and held.called:
        today.unserved += hours * held.wanted_w
    _book_posts(books, hours, mean, held, held.posts)


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
def note_extremes(books: Books, v_pv_v: float, v_batt_v: float, awake_v: float) -> None:
    """Widen today's ranges of voltage; without power the controller measures none."""
    if v_batt_v < awake_v:
        return
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
