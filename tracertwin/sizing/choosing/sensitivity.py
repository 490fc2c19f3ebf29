"""How much the answer depends on what nobody knows exactly: a tenth more or less light, load, capacity, price."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from plant.site.costs import Costs
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.sweep.designs import Base, Design, if_possible, load_of
from tracertwin.sizing.sweep.vary import BATTERY

TENTH: Final = 0.1
IRRADIANCE: Final = "sky.irradiance_scale"
PRICES: Final = (
    "module_per_w",
    "mounting_per_w",
    "controller_per_a",
    "other",
    "upkeep_per_year",
    "fuel_per_l",
)


class Changed(NamedTuple):
    """A design with one input changed."""

    what: str
    by: float  # 0.1 for a tenth more
    judged: Judged

    @property
    def told(self) -> str:
        """``load, more``."""
        return f"{self.what}, {'less' if self.by < 0.0 else 'more'}"


def sensitivities(base: Base, one: Judged, judge: Callable[[list[Design]], list[Judged]]) -> list[Changed]:
    """A design with a tenth less and more of light, load, capacity and prices, input by input.

    Parameters
    ----------
    base : Base
        What the design was made out of.
    one : Judged
    judge : callable
        Judges several designs.

    Notes
    -----
    What the site's keys don't allow is left out: of light, an `irradiance_scale` above 1.5.
    """
    site = one.design.site
    light, ah = site.sky.irradiance_scale, site.battery.capacity_ah
    changes: dict[str, Callable[[float], dict[str, Any]]] = {
        "irradiance": lambda times: {IRRADIANCE: light * times},
        "load": lambda times: load_of(site, times),
        "battery capacity": lambda times: {BATTERY: ah * times},
    }
    designs: dict[tuple[str, float], Design] = {}
    for what, change in changes.items():
        for by in (-TENTH, TENTH):
            design = if_possible(partial(base.changed, one.design, change(1.0 + by)))
            if design is not None:
                designs[what, by] = design
    rows = [Changed(*key, told) for key, told in zip(designs, judge(list(designs.values())), strict=True)]
    prices = (
        Changed("prices", by, one.with_costs(_at_prices(one.costs, one.size.lithium, 1.0 + by)))
        for by in (-TENTH, TENTH)
    )
    return [*rows, *prices]


def _at_prices(costs: Costs, lithium: bool, times: float) -> Costs:
    """All prices times this."""
    changed = {name: getattr(costs, name) * times for name in PRICES}
    return costs.model_copy(update={**changed, "battery_per_ah": costs.battery_price(lithium) * times})
