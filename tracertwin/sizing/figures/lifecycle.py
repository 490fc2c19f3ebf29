"""What a design costs over its life: the beginning, worn batteries, upkeep, fuel; and what a kilowatt-hour costs."""

from typing import NamedTuple

import numpy as np

from plant.site.costs import Costs
from tracertwin.sizing.figures.plantsize import PlantSize

SAME_TIME = 1e-9  # shares of a life: a battery that is worn out just when the time is up is not replaced


class Beginning(NamedTuple):
    """What is paid at the beginning, in the currency of `Costs`."""

    modules: float
    mounting: float
    controller: float
    battery: float
    other: float


def beginning(size: PlantSize, costs: Costs) -> Beginning:
    """What a design of this size costs to build."""
    return Beginning(
        modules=size.peak_w * costs.module_per_w,
        mounting=size.peak_w * costs.mounting_per_w,
        controller=size.controller_a * costs.controller_per_a,
        battery=size.capacity_ah * size.blocks * costs.battery_price(size.lithium),
        other=costs.other,
    )


def annuity(interest: float, years: int) -> float:
    """Worth today of 1 paid at the end of each year; its inverse is the capital recovery factor."""
    return float(years) if interest == 0.0 else (1.0 - (1.0 + interest) ** -years) / interest


def replacements(life_years: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
    """Batteries bought after the first within the years that count, and what each unit paid for them is worth today.

    Parameters
    ----------
    life_years : array
        How long each lasts; the last one is not bought when the plant's time is up.

    Returns
    -------
    number, worth : arrays like `life_years`
        ``worth`` is the sum over the purchases of ``(1 + interest) ** -t``.
    """
    number = np.maximum(np.ceil(costs.years / life_years - SAME_TIME) - 1.0, 0.0)
    if costs.interest == 0.0:
        return number, number
    of_one = -np.log1p(costs.interest) * life_years  # logarithm of what the first purchase is worth
    worth = np.exp(of_one) * np.expm1(of_one * number) / np.expm1(of_one)
    return number, worth


def life_cycle_cost(size: PlantSize, costs: Costs, life_years: np.ndarray, fuel_l: np.ndarray) -> np.ndarray:
    """LCC: what is paid over the years that count, worth today.

    Parameters
    ----------
    size : PlantSize
    costs : Costs
    life_years : array
        How long a battery lasts.
    fuel_l : array
        Fuel of a year [l].
    """
    first = beginning(size, costs)
    yearly = costs.upkeep_per_year + costs.fuel_per_l * fuel_l
    _, worth = replacements(life_years, costs)
    return np.asarray(sum(first) + first.battery * worth + yearly * annuity(costs.interest, costs.years))


def cost_per_kwh(cost: np.ndarray, served_kwh: np.ndarray, costs: Costs) -> np.ndarray:
    """LCOE: the life-cycle cost in equal yearly parts, over the energy served in a year [kWh]; nan for none."""
    recovery = 1.0 / annuity(costs.interest, costs.years)
    return np.asarray(
        np.divide(cost * recovery, served_kwh, out=np.full_like(cost, np.nan), where=served_kwh > 0.0)
    )
