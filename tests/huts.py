"""Small plants with an inverter and chargers at their battery, and what happened to them."""

from plant.controller.charger import Machine
from plant.load.inverter import Inverter
from plant.plant import Plant
from tests.plants import site

HOUR, DAY = 3600, 86400
DARK = "2026-12-20T18:00"  # of the cabin; dawn is fourteen hours away
AC = {"rated_w": 500.0, "idle_w": 5.0, "efficiency": [[0.2, 0.9], [1.0, 0.85]]}
MAINS = {"name": "mains", "current_a": 20.0, "voltage_v": 14.4}
GENERATOR = {
    "name": "generator", "current_a": 30.0, "voltage_v": 14.4, "efficiency": 0.8, "start_below_v": 12.2,
    "stop_above_v": 14.0, "start_after_s": 60.0, "stop_after_s": 600.0, "minimum_run_min": 20.0,
    "fuel_idle_l_h": 0.3, "fuel_l_kwh": 0.5,
}  # fmt: skip


def flat(watts: float) -> dict:
    return {"hourly_w": (watts,) * 24}


def inverter(watts: float, **keys) -> dict:
    own = {key: keys.pop(key) for key in list(keys) if key in Inverter.model_fields}
    return {"inverter": {**AC, **own}, "demand": flat(watts), **keys}


def hut(
    start: str = DARK, seed: int = 1, sizing_s: int | None = None, controller_w: float = 0.0, **battery
) -> Plant:
    """The cabin without a load of its own, and so much at its battery."""
    there = site(start=start, load=flat(controller_w), battery={"soc": 0.8, "capacity_ah": 200.0, **battery})
    return Plant.new(there, seed, **({"fidelity": "sizing", "step_s": sizing_s} if sizing_s else {}))


def happened(p: Plant, machine: Machine) -> list[tuple[str, str, float]]:
    """Where to, why, hours after the start."""
    return [(e.to, e.reason, (e.t_utc_s - p.start_utc_s) / HOUR) for e in p.events() if e.machine is machine]
