"""Where every watt-hour went: the plant's account of energy, at the bus and inside each battery.

The bus closes by algebra, so its rows show that nothing is counted twice or left out, over a year and at every
step. The battery's losses are integrals of their own, so its rows show how well the integrator conserves energy: each
is added up from its own formula, and nothing is a remainder. (A step of sizing books the remainder as polarisation.)
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from plant.base.clock import DAY_S
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.site.model import Site, load_site
from validation.check import Check

SOURCE = "conservation of energy"
BATTERIES = ("agm", "flooded", "gel", "lifepo4")
STEPS_S = (None, 60, 900, 3600)  # None: the full model
LFP_VOLTS = {
    "boost_v": 14.2, "equalize_v": 14.2, "float_v": 13.6, "boost_reconnect_v": 13.3,
    "low_voltage_disconnect_v": 12.0, "low_voltage_reconnect_v": 12.9,
}  # fmt: skip
ROUNDING = 1e-9
QUADRATURE = 1e-6


def cabin(battery: str, bank: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> Site:
    """The cabin with another battery and the charging voltages that go with it, out in the weather."""
    data = load_site("cabin").model_dump()
    data["battery"] = {**data["battery"], "model": battery, "room_c": "outdoor", **bank}
    kind = {"flooded": "flooded", "gel": "gel"}.get(battery, "sealed")
    data["controller"]["battery_type"] = kind
    if battery == "lifepo4":
        data["controller"].update(setpoints=LFP_VOLTS, compensation_mv_k_cell=0.0, equalize_min=0)
    data["load"] = {"hourly_w": data["load"]["hourly_w"], "noise": 0.3}
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    return Site.model_validate(data)


def columns(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Samples by name."""
    return {name: rows[:, j] for j, name in enumerate(Snapshot._fields)}


def bus_rests(e: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What each account of the bus leaves over [Wh], as it stands at every sample."""
    untaken = sum(wh for name, wh in e.items() if name.startswith("e_untaken_"))
    used = e["e_load_wh"] + e["e_path_loss_wh"] + e["e_own_wh"] + e["e_batt_wh"]
    return {
        "available, taken and not": e["e_available_wh"] - e["e_pv_wh"] - e["e_missed_wh"] - untaken,
        "converter": e["e_pv_wh"] - e["e_converter_loss_wh"] - e["e_chg_wh"],
        "battery node": e["e_chg_wh"] - used,
    }


def battery_rest(e: Mapping[str, Any]) -> Any:
    """What the battery's account leaves over [Wh], beside a constant: what was in store when it began."""
    lost = sum(
        e[f"e_{name}_wh"]
        for name in ("batt_wiring", "ohmic", "polarisation", "side", "diffusion", "hysteresis", "faded")
    )
    return e["e_batt_wh"] - lost - e["e_stored_wh"] + e["e_entropy_wh"]


def _run(site: Site, days: int, step_s: int | None) -> tuple[dict[str, np.ndarray], Snapshot]:
    plant = Plant.new(site, fidelity="detailed" if step_s is None else "sizing", step_s=step_s)
    first = plant.snapshot
    return columns(plant.run(days * DAY_S, 3600)), first


def bus_checks(days: int, steps_s: tuple[int | None, ...] = STEPS_S) -> Iterator[Check]:
    """The cabin's bus over so many days, at each step."""
    site = cabin("agm")
    for step_s in steps_s:
        e, _ = _run(site, days, step_s)
        step = "in full" if step_s is None else f"steps of {step_s // 60} min"
        for account, rest in bus_rests(e).items():
            yield Check(
                what=f"{days} days {step}, {account}: left over, of what was available", reference=0.0,
                value=float(np.abs(rest).max() / e["e_available_wh"][-1]), tolerance=ROUNDING, source=SOURCE,
            )  # fmt: skip


def battery_checks(days: int) -> Iterator[Check]:
    """The inside of each battery over days of weather, in full and for sizing."""
    for battery in BATTERIES:
        for step_s in (None, 60):
            e, first = _run(cabin(battery), days, step_s)
            rest = battery_rest(e) - battery_rest(first._asdict())
            moved = float(np.abs(np.diff(e["e_batt_wh"])).sum())
            step = "in full" if step_s is None else f"steps of {step_s // 60} min"
            yield Check(
                what=f"{battery}, {days} days {step}: left over, of what moved", reference=0.0,
                value=float(np.abs(rest).max()) / moved, tolerance=QUADRATURE, source=SOURCE,
                note="" if step_s is None else "the remainder is booked as polarisation",
            )  # fmt: skip


def checks() -> Iterator[Check]:
    """A year of the bus, five days of each battery."""
    yield from bus_checks(365)
    yield from battery_checks(5)


def some_days() -> Iterator[Check]:
    """A short one, for every run of the tests."""
    yield from bus_checks(20)
    yield from battery_checks(2)
