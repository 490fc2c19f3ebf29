"""How much the answer depends on what nobody knows exactly: a tenth more or less light, load, capacity, price."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from plant.site.costs import Costs
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.sweep.designs import Base, Design, load_of
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


class Sensitivity(NamedTuple):
    """A design with less and with more of something.

    Parameters
    ----------
    what : str
    less, more : Judged
    """

    what: str
    less: Judged
    more: Judged


def sensitivities(
    base: Base, one: Judged, judge: Callable[[list[Design]], list[Judged]]
) -> list[Sensitivity]:
    """A design with a tenth less and more of light, load, capacity and prices.

    Parameters
    ----------
    base : Base
        What the design was made out of.
    one : Judged
    judge : callable
        Judges several designs.
    """
    site = one.design.site
    light, ah = site.sky.irradiance_scale, site.battery.capacity_ah
    changes: dict[str, Callable[[float], dict[str, Any]]] = {
        "irradiance": lambda times: {IRRADIANCE: light * times},
        "load": lambda times: load_of(site, times),
        "battery capacity": lambda times: {BATTERY: ah * times},
    }
    changed = [
        base.changed(one.design, change(times))
        for change in changes.values()
        for times in (1.0 - TENTH, 1.0 + TENTH)
    ]
    judged = judge(changed)
    rows = [Sensitivity(what, judged[2 * k], judged[2 * k + 1]) for k, what in enumerate(changes)]
    cheap, dear = (
        one.with_costs(_at_prices(one.costs, one.size.lithium, by)) for by in (1 - TENTH, 1 + TENTH)
    )
    return [*rows, Sensitivity("prices", cheap, dear)]


def _at_prices(costs: Costs, lithium: bool, times: float) -> Costs:
    """All prices times this."""
    changed = {name: getattr(costs, name) * times for name in PRICES}
    return costs.model_copy(update={**changed, "battery_per_ah": costs.battery_price(lithium) * times})
