"""How large a plant is: the few numbers of a design that its metrics and costs need."""

import math
from functools import lru_cache
from typing import Final, NamedTuple

from plant.battery.acid import LeadAcid
from plant.battery.lithium import Lithium, ocv
from plant.battery.ratefit import hours_to
from plant.load.model import Load
from plant.site.model import Site

NOMINAL_V: Final = {LeadAcid: 2.0, Lithium: 3.2}  # of a cell
RATE_H: Final = 50.0  # of the discharge that tells the usable charge: an autonomy of two days
LITHIUM_FULL_CYCLES, LITHIUM_YEARS = 4000.0, 15.0  # to 80 % of the capacity, without an ageing law [guess]


class PlantSize(NamedTuple):
    """The size of a design."""

    peak_w: float  # on the modules' plates
    controller_a: float  # rated charge current
    capacity_ah: float  # rating of the bank
    blocks: int  # of 12 V in series
    lithium: bool
    empty_soc: float  # state of charge at which the first load is disconnected
    usable_wh: float  # from full to there, at the nominal voltage
    life_full_cycles: float  # what the battery's file promises: full cycles, and years without any
    life_years: float
    ages: bool  # whether the site has an ageing law; then the law tells its life


def size_of(site: Site) -> PlantSize:
    """The size of a site's plant.

    Parameters
    ----------
    site : Site

    Notes
    -----
    The usable charge is what a full battery of the site's health gives at 25 degC and its 50-hour rate until its
    voltage, or its protection, disconnects the first of the loads: that at the output, or those at the battery that
    have a cut-off of their own. Where the controller disconnects by its percentage, it is no more than that leaves.
    """
    battery, life = site.battery.parameters(), site.battery.life()
    lithium = isinstance(battery, Lithium)
    settings, rated_ah = site.settings(), site.battery.capacity_ah
    output = _output_counts(site)
    own_v = max(settings.low_voltage_disconnect_v, settings.discharging_limit_v)
    least_v = max([*_cut_offs_v(site), *[own_v] * output])
    if isinstance(battery, Lithium):
        opens_v = site.battery.bms().over_discharge_v_cell * battery.cells
        share = 1.0 - _lithium_empty(battery, max(least_v, opens_v), rated_ah / RATE_H)
    else:
        share = _lead_acid_hours(rated_ah / RATE_H, least_v / battery.cells, battery) / RATE_H
    empty = 1.0 - min(1.0, share * rated_ah / battery.full_capacity_ah)
    if settings.management_mode and output:
        empty = max(empty, settings.discharge_pct / 100.0)
    usable_ah = (1.0 - empty) * battery.full_capacity_ah
    return PlantSize(
        # modules that were scaled to so many watts have them but for the last bit
        peak_w=round(site.array.rated_w, 6),
        controller_a=site.controller.parameters().charge_rated_a,
        capacity_ah=rated_ah,
        blocks=site.battery.system_v // 12,
        lithium=lithium,
        empty_soc=empty,
        usable_wh=usable_ah * battery.cells * NOMINAL_V[type(battery)],
        life_full_cycles=LITHIUM_FULL_CYCLES if lithium else life.full_cycles,
        life_years=LITHIUM_YEARS if lithium else life.float_years,
        ages=site.battery.ageing != "none",
    )


def _cut_offs_v(site: Site) -> list[float]:
    """Where loads at the battery are cut off; of those that have any demand."""
    blocks = site.battery.system_v // 12
    volts = (load.voltages(blocks)[0] for load in site.battery.loads if _asks(load.demand))
    return [cut_off_v for cut_off_v in volts if math.isfinite(cut_off_v)]


def _output_counts(site: Site) -> bool:
    """Whether the controller's disconnect matters: it has a load to disconnect, or nothing else has one."""
    return _asks(site.load) or not _cut_offs_v(site)


def _asks(load: Load) -> bool:
    """Whether there is any load."""
    return load.scale > 0.0 and (bool(load.items) or any(load.hourly_w or ()))


# Designs that differ in their arrays alone have their batteries in common.
_lead_acid_hours = lru_cache(maxsize=256)(hours_to)


def _lithium_empty(battery: Lithium, least_v: float, i_a: float) -> float:
    """State of charge at which lithium comes down to a voltage under a discharge current."""
    resistance = battery.r0_ohm + battery.r1_ohm + battery.r2_ohm + battery.r_bms_ohm
    rest_v = (least_v + i_a * resistance) / battery.cells
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if ocv(middle) >= rest_v else (middle, high)
    return low
