"""The kernel's steps of the whole plant beside scipy's Radau: each battery behind charger and load that jump.

`battery_steps` shows the rule of the steps with a current that is given; here the node gives it: constant-power load,
converter, load wiring, a held voltage. The same equations go to Radau at rtol 1e-10.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from plant.array.diode import Curve
from plant.battery import model as battery
from plant.battery.file import load_block
from plant.controller.charger import Machine, Stage
from plant.controller.model import ControllerModel, power_stage
from plant.kernel.books import BooksArray, empty_books
from plant.kernel.node import flows, operating_point
from plant.kernel.state import Detailed, Held, PlantState
from plant.kernel.step import grid_step
from plant.power.converter import Limit, LoadDemand, Port, at_first
from plant.power.offer import Offer
from plant.power.tracking import Steady
from plant.site.model import load_site
from validation.check import Check

SOURCE = "scipy Radau, rtol 1e-10"
MODELS = ("agm", "flooded", "gel", "lifepo4")
GRID_S, JUMP_S = 5.0, 3600.0
DARK = Curve(0.0, 1e-10, 1.0, 0.1, 100.0)
UNSEEN = at_first(0.0, 0.0)
HELD_V = 14.2  # reached by the strongest of the jumps: some stretches are at constant voltage


def _held(p_w: float) -> Held:
    """A charger of so much power, or a load for a negative one."""
    offer = Offer(DARK, 18.0, 18.0, p_w) if p_w > 0.0 else Offer(DARK, 0.0, 0.0, 0.0)
    load = LoadDemand(max(-p_w, 0.0), 0.0, 0.0)
    port, limit = Port(0.002, True, True), Limit(40.0, 520.0)
    return Held(offer, max(p_w, 0.0), load, 20.0, HELD_V, p_w > 0.0, True, limit, port, True, 12.0, True)


def _ours(x: Any, held: Held, p: Any, stage: Any, books: BooksArray) -> Any:
    """An hour by the plant's own steps."""
    v_batt_v = operating_point(x, UNSEEN, held, battery.at_temperature(x.t_c, p), stage).v_batt_v
    now = PlantState(x, 0.0, 0.0, 25.0, v_batt_v, x.t_c, True, x.t_c, 0, Steady(0.995))
    for k in range(int(JUMP_S / GRID_S)):
        w = battery.at_temperature(now.x.t_c, p)
        now = grid_step(now, held, w, stage, Detailed(GRID_S), books, GRID_S * k, GRID_S)[0]
    return now.x


def _exact(x: Any, held: Held, p: Any, stage: Any) -> Any:
    """The same hour by scipy."""

    def rhs(_t: float, y: np.ndarray) -> np.ndarray:
        now = type(x)(*y)
        w = battery.at_temperature(now.t_c, p)
        bus = operating_point(now, UNSEEN, held, w, stage)
        return np.array(flows(now, bus, battery.inner(now, w), held, w, stage)[0])

    y = solve_ivp(rhs, (0.0, JUMP_S), np.array(x), method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    return type(x)(*(float(value) for value in y))


def _books(charging: bool) -> BooksArray:
    """Set-points of which none but the held voltage is ever reached."""
    books = empty_books()
    levels = load_site("cabin").setpoints()._replace(boost_v=HELD_V, low_voltage_disconnect_v=1.0)
    books[0].levels.row[:] = levels
    books[0].modes[Machine.CHARGE] = Stage.BULK if charging else Stage.NONE
    return books


def worst(model: str, jumps: int, seed: int = 5) -> tuple[float, float]:
    """Largest error of the terminals' voltage [V] and of the charge, at the end of each stretch."""
    p = load_block(model)
    stage = power_stage(ControllerModel.load("tracer4210n"), 12)._replace(load_rated_a=1e3)
    x = y = battery.rested(0.6, 20.0, p)
    off_v = off_soc = 0.0
    for p_w in np.random.default_rng(seed).uniform(-150.0, 140.0, jumps):
        held = _held(float(p_w))
        x = _ours(x, held, p, stage, _books(p_w > 0.0))
        y = _exact(y, held, p, stage)
        v_x, v_y = (
            operating_point(z, UNSEEN, held, battery.at_temperature(z.t_c, p), stage).v_cells_v
            for z in (x, y)
        )
        off_v = max(off_v, abs(v_x - v_y))
        off_soc = max(off_soc, abs(battery.soc(x, p) - battery.soc(y, p)))
    return off_v, off_soc


def checks() -> Iterator[Check]:
    """A day of hours of which each has its own power."""
    for model in MODELS:
        off_v, off_soc = worst(model, 24)
        what = f"{model} in the plant, a day of jumps"
        yield Check(
            what=f"{what}: voltage", value=off_v, reference=0.0, tolerance=1e-3, unit="V", source=SOURCE
        )
        yield Check(what=f"{what}: charge", value=off_soc, reference=0.0, tolerance=1e-4, source=SOURCE)
