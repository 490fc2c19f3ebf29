"""What the kernel takes for constant until something breaks, ages or is set."""

import numpy as np

from plant.base.clock import STEP_S
from plant.controller.charger import SetPoints
from plant.controller.setpoints import setpoints_of
from plant.controller.settings import Settings
from plant.kernel.state import Detailed, Parameters, QuasiStatic
from plant.power.stage import PowerStage
from plant.power.tracker import TrackerSettings, tracker_settings
from plant.power.tracking import Steady
from plant.site.model import Site
from plant.site.upsets import Equipment

EVENT_SHARE = 1.0 / 30.0  # of a long step, to which transitions are placed in it


def site_setpoints(site: Site, settings: Settings, equipment: Equipment) -> SetPoints:
    """Set-points at 25 degC of a site's controller and battery, with these settings in the flash.

    The BMS's are those of the cells that are sound now.
    """
    battery = site.battery
    controller = site.controller
    return setpoints_of(
        settings,
        battery.system_v,
        battery.bms(),
        equipment.battery.cells,
        equipment.cell_shorted,
        controller.parameters().pv_rated_v,
        boost_restarts=controller.boost_timer == "restart",
        connected=battery.connected_setpoints(),
    )


def tracker_of(site: Site, stage: PowerStage) -> TrackerSettings | Steady:
    """How the site's controller finds the maximum power point: climbing, or with a steady efficiency."""
    return tracker_settings(stage) if site.controller.tracker == "dynamic" else Steady(stage.efficiency)


def parameters_of(site: Site, step_s: int, equipment: Equipment, setpoints: SetPoints) -> Parameters:
    """The kernel's constants.

    Parameters
    ----------
    site : Site
    step_s : int
        The grid's step: 5 s for the full model, a minute or more for the quasi-static battery.
    equipment : Equipment
        What the plant is made of now.
    setpoints : SetPoints
    """
    return Parameters(
        equipment.battery,
        equipment.stage,
        Detailed(float(STEP_S))
        if step_s == STEP_S
        else QuasiStatic(float(step_s), max(1.0, EVENT_SHARE * step_s)),
        tracker_of(site, equipment.stage),
        np.array(setpoints),
        equipment.batt_cable_ohm,
        float(site.battery.system_v),
        equipment.connected,
        equipment.extra_w,
        equipment.extra_a_v,
        equipment.probe_broken,
        equipment.probe_c,
        site.battery.ageing != "none",
        site.battery.outfit(equipment.chargers_failed),
    )
