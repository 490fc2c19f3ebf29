"""Plants and batteries that several test files need, made from plain numbers."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from plant.array.diode import Curve
from plant.base.clock import parse_local, to_utc_s
from plant.battery import leadacid as battery
from plant.battery.acid import LeadAcid, LeadAcidState
from plant.battery.cell import Source
from plant.battery.file import load_block
from plant.controller.charger import SetPoints
from plant.controller.model import ControllerModel, power_stage
from plant.kernel.books import BooksArray, empty_books
from plant.kernel.flowtable import FLOW_NAMES
from plant.kernel.node import flows, operating_point
from plant.kernel.rungekutta import rk4
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Detailed, Held, Parameters, PlantState
from plant.kernel.step import grid_step
from plant.plant import Plant
from plant.power.converter import (
    Limit,
    LoadDemand,
    OperatingPoint,
    Port,
    at_first,
    node_of,
    solve,
    with_powers,
)
from plant.power.offer import Offer
from plant.power.stage import PowerStage
from plant.power.tracking import Steady
from plant.site.model import Site, load_site

# Quantities of what hangs on the battery beside the controller, in the order of the snapshot.
AT_THE_BATTERY = (
    "inverter", "i_inverter_a", "p_inverter_w", "p_inverter_load_w",
    "charger_1", "i_charger_1_a", "p_charger_1_w", "charger_1_h", "charger_1_starts",
    "charger_2", "i_charger_2_a", "p_charger_2_w", "charger_2_h", "charger_2_starts", "fuel_l",
)  # fmt: skip
ENERGIES_AT_THE_BATTERY = (
    "e_charger_1_wh", "e_charger_2_wh", "e_inverter_wh", "e_inverter_loss_wh", "e_inverter_unserved_wh",
)  # fmt: skip
# A short is tried again by the manual's table, five times.
RETRIES = {("LOAD", "SHORT", "load short circuit")}
MOST_AN_HOUR = 20
FARM = Path(__file__).parents[1] / "config" / "sites" / "farm.yaml"
NO_SUN = Offer(Curve(0.0, 1e-10, 1.0, 0.1, 100.0), 0.0, 0.0, 0.0)


def agm() -> LeadAcid:
    """The 100 Ah class AGM block of the published check values."""
    return load_block("agm")


def isothermal(p: LeadAcid) -> LeadAcid:
    """The same battery in a bath: the check values are for a constant temperature."""
    return p._replace(heat_capacity_j_k=1e15)


def site(**changes: dict) -> Site:
    """The cabin with some records changed: ``site(battery={"soc": 0.3})``."""
    data = load_site("cabin").model_dump()
    for key, value in changes.items():
        if isinstance(value, dict):
            data[key] = {**data[key], **value}
        else:
            data[key] = value
    return Site.model_validate(data)


def plant(seed: int = 1, start_utc_s: int | None = None, **changes: dict) -> Plant:
    """A running cabin with some records changed."""
    return Plant.new(site(**changes), seed, start_utc_s)


def parameters(p: LeadAcid, setpoints: SetPoints | None = None) -> Parameters:
    """A plant's constants around a battery; no load is too much for the switch."""
    return Parameters(
        p,
        power_stage(ControllerModel.load("tracer4210n"), 12)._replace(load_rated_a=1e3),
        Detailed(5.0),
        Steady(0.995),
        np.array(setpoints or load_site("cabin").setpoints()),
        batt_cable_ohm=0.0,
        nominal_v=12.0,
        connected=True,
        extra_w=0.0,
        extra_a_v=0.0,
        probe_broken=False,
        probe_c=0.0,
        ages=False,
    )


def books(par: Parameters) -> BooksArray:
    """Empty books, with the set-points as they are at 25 degC."""
    fresh = empty_books()
    fresh[0].levels.row[:] = par.setpoints
    return fresh


def memory(x: LeadAcidState) -> PlantState:
    """A controller that remembers nothing."""
    return PlantState(x, 0.0, 0.0, 25.0, x.v_node_v, x.t_c, True, x.t_c, 0, Steady(0.995))


def held(demand_w: float = 0.0, p_pv_w: float = 0.0, v_pv_v: float = 18.0, target_v: float = 1e3) -> Held:
    """Inputs of a step: a load, and a source of constant power at a fixed PV voltage."""
    offer = NO_SUN._replace(p_track_w=p_pv_w, v_track_v=v_pv_v, v_oc_v=v_pv_v) if p_pv_w else NO_SUN
    limit, port = Limit(40.0, 520.0), Port(0.0, True, True)
    load = LoadDemand(demand_w, 0.0, 0.0)
    return Held(offer, p_pv_w, load, 25.0, target_v, p_pv_w > 0.0, True, limit, port, True, demand_w, True)


def step(now: PlantState, inputs: Held, par: Parameters, open_books: BooksArray, t_s: float) -> PlantState:
    """One step of the grid."""
    w = battery.at_temperature(now.x.t_c, par.battery)
    return grid_step(now, inputs, w, par.stage, par.method, open_books, t_s, par.method.step_s)[0]


def rk4_step(x: LeadAcidState, h: float, inputs: Held, par: Parameters) -> LeadAcidState:
    """One step of the integrator, without events."""
    w = battery.at_temperature(x.t_c, par.battery)
    now = operating_point(x, at_first(0.0, 0.0), inputs, w, par.stage)
    went_s, end, *_ = rk4(x, now, h, inputs, w, par.stage)
    assert went_s == h
    return end


def account(open_books: BooksArray) -> dict[str, float]:
    """Integral of each flow so far [Wh]."""
    so_far = open_books[0].account.row + open_books[0].today.row
    return dict(zip(FLOW_NAMES, so_far, strict=True))


def radau_plant(x, seconds, inputs, par, t_eval=None):
    """The battery in the plant with held inputs, by scipy at rtol 1e-10."""

    def rhs(_t, y):
        now = LeadAcidState(*y)
        w = battery.at_temperature(now.t_c, par.battery)
        bus = operating_point(now, at_first(0.0, 0.0), inputs, w, par.stage)
        return np.array(flows(now, bus, battery.inner(now, w), inputs, w, par.stage)[0])

    return solve_ivp(rhs, (0.0, seconds), np.array(x), method="Radau", rtol=1e-10, atol=1e-12, t_eval=t_eval)


def imbalance(p: Plant, since: Snapshot) -> dict[str, float]:
    """What each identity of the account lacks between two snapshots, as a share of what went through."""
    e = {name: getattr(p.snapshot, name) - getattr(since, name) for name in since._fields if name[:2] == "e_"}
    through = e["e_available_wh"] + e["e_load_wh"] + e["e_own_wh"] + abs(e["e_batt_wh"]) + 1.0
    through += e["e_inverter_wh"] + e["e_inverter_loss_wh"] + e["e_charger_1_wh"] + e["e_charger_2_wh"]
    battery_has = e["e_stored_wh"] + e["e_faded_wh"] - e["e_entropy_wh"]
    for loss in (
        "batt_wiring", "ohmic", "polarisation", "side", "diffusion", "hysteresis", "inverter", "inverter_loss",
    ):  # fmt: skip
        battery_has += e[f"e_{loss}_wh"]
    battery_has -= e["e_charger_1_wh"] + e["e_charger_2_wh"]
    untaken = e["e_missed_wh"] + sum(wh for name, wh in e.items() if name.startswith("e_untaken_"))
    lacking = {
        "sun": e["e_available_wh"] - e["e_pv_wh"] - untaken,
        "converter": e["e_pv_wh"] - e["e_converter_loss_wh"] - e["e_chg_wh"],
        "node": e["e_chg_wh"] - e["e_load_wh"] - e["e_path_loss_wh"] - e["e_own_wh"] - e["e_batt_wh"],
        "battery": e["e_batt_wh"] - battery_has,
    }
    return {name: abs(wh) / through for name, wh in lacking.items()}


def assert_closes(p: Plant, since: Snapshot, battery: float = 1e-6) -> None:
    """Every identity of the account holds to rounding; the battery's own, of separate quadratures, to `battery`."""
    shares = imbalance(p, since)
    assert max(shares["sun"], shares["converter"], shares["node"]) < 1e-9, shares
    assert shares["battery"] < battery, shares
    assert p.overrun_steps == 0


def assert_no_chatter(p: Plant, but: Collection[tuple[str, str, str]] = ()) -> None:
    """No transition comes about more than twenty times in its busiest hour; a few may be left out, by what they are."""
    often = {name: count for name, count in busiest(p).items() if count > MOST_AN_HOUR and name not in but}
    assert not often, often


def busiest(p: Plant) -> dict[tuple[str, str, str], int]:
    """How often each transition (machine, state, reason) came about in its busiest hour."""
    times = defaultdict(list)
    for e in p.events():
        times[e.machine.name, e.to, e.reason].append(e.t_utc_s)
    counts = {}
    for name, of_one in times.items():
        t = np.array(of_one)
        counts[name] = int((np.searchsorted(t, t + 3600.0) - np.arange(t.size)).max())
    return counts


def solved(
    source: Source, port: Port, v_target_v: float, charging: bool, offer: Offer, load: LoadDemand, limit: Limit,
    stage: PowerStage,
) -> OperatingPoint:  # fmt: skip
    """The node with its powers, of which nothing is known from before."""
    unseen = at_first(0.0, 0.0)
    now = solve(source, port, v_target_v, charging, node_of(unseen), offer, load, limit, stage)
    return with_powers(now, unseen, offer, stage)


def utc(text: str, zone: str = "Europe/Zurich") -> int:
    """UTC second of a local time."""
    return to_utc_s(parse_local(text), zone)


def column(rows: np.ndarray, name: str) -> np.ndarray:
    """A quantity of samples."""
    return rows[:, Snapshot._fields.index(name)]
