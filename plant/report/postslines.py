"""What hung on the battery beside the controller, in words: what the inverter served, what each charger cost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plant.kernel.snapshot import Snapshot
    from plant.plant import Plant


def posts_lines(plant: "Plant", before: "Snapshot") -> Iterator[str]:
    """A line for the loads at the battery and one for each charger, from a snapshot to now."""
    battery, after = plant.site.battery, plant.snapshot
    blocks = battery.system_v // 12
    for load in battery.loads:
        served, lost, left = (
            getattr(after, name) - getattr(before, name)
            for name in ("e_inverter_wh", "e_inverter_loss_wh", "e_inverter_unserved_wh")
        )
        name = "inverter" if load.inverter else "direct  "
        told = f"{_energy(served)} served" + (f", {_energy(lost)} lost in it" if load.inverter else "")
        if left > 0.0:
            told += f"; {100.0 * left / (served + left):.2f} % of its demand not served"
        yield f"{name} {told}"
    for number, charger in enumerate(battery.chargers, 1):
        hours, starts, wh = (
            getattr(after, name) - getattr(before, name)
            for name in (f"charger_{number}_h", f"charger_{number}_starts", f"e_charger_{number}_wh")
        )
        burns = charger.outfit(blocks, works=True)
        fuel_l = burns.fuel_l_h * hours + burns.fuel_l_wh * wh
        told = f"{hours:,.1f} h in {starts:.0f} start{'s' * (starts != 1)}, {_energy(wh)} into the battery"
        yield f"charger  {charger.name}: {told}" + (f", {fuel_l:,.1f} l of fuel" if fuel_l > 0.0 else "")


def _energy(wh: float) -> str:
    return f"{wh:,.0f} Wh" if wh < 1e4 else f"{wh / 1e3:,.1f} kWh"
