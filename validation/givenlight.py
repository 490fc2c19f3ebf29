"""A plant whose light and load are given step by step, in place of a sky and a timetable.

It stands at longitude 0 with its clock on UTC, so that days, hours and seconds of what is given are its own.
"""

import numpy as np

from plant.array.day import ArrayDay
from plant.array.layout import Defect
from plant.array.model import curves
from plant.base.clock import DAY_S, STEP_S
from plant.inputs import Inputs, Supply
from plant.load.demand import Demand
from plant.plant import Plant
from plant.remembered import Fidelity
from plant.site.model import Site, load_site
from plant.start import at_start

# A common 36-cell module of 50 W.
SHEET_50_W = {
    "i_sc_a": 3.04, "v_oc_v": 21.6, "i_mp_a": 2.86, "v_mp_v": 17.5, "cells_in_series": 36,
    "alpha_sc_pct_k": 0.06, "beta_voc_pct_k": -0.33, "gamma_pmp_pct_k": -0.43,
}  # fmt: skip


class GivenSupply(Supply):
    """Light on the modules, their temperature and the load's current, held for a step each; the last day repeats.

    Parameters
    ----------
    site : Site
        Of one module, without losses.
    step_s : int
    light_w_m2, t_cell_c, load_a : (days x steps,) arrays
        From the midnight on before the site's start.
    """

    def __init__(
        self, site: Site, step_s: int, light_w_m2: np.ndarray, t_cell_c: np.ndarray, load_a: np.ndarray
    ) -> None:
        super().__init__(site, 1, step_s)
        self._block_days = 1
        self._steps = DAY_S // step_s
        self._days = [a.reshape(-1, self._steps) for a in (light_w_m2, t_cell_c, load_a)]
        self._first: int | None = None

    def _made(self, number: int, defects: tuple[Defect, ...], light: float) -> Inputs:
        if self._first is None:
            self._first = number
        day = min(number - self._first, len(self._days[0]) - 1)
        falls, t_cell, load_a = (a[max(day, 0)] for a in self._days)
        falls = light * falls
        part, n = self.site.array.parts[0], self._steps
        module = part.module_parameters()
        columns = curves(falls, t_cell, module, 1.0, 1.0, 0.0, n)
        zeros, room = np.zeros(n), np.full(n, 25.0)
        array = ArrayDay(falls, falls, t_cell, zeros, t_cell, *columns, module.r_s)
        current_w = load_a * self.site.battery.system_v
        start = number * DAY_S
        return Inputs(start, start, start + DAY_S, array, Demand(zeros, current_w, *[zeros] * 5), room)


def plant_in(
    light_w_m2: np.ndarray,
    t_cell_c: np.ndarray | float = 25.0,
    load_a: np.ndarray | float = 0.0,
    start: str = "2026-06-20T00:00",
    fidelity: Fidelity = "detailed",
    step_s: int = STEP_S,
    sheet: dict[str, float] | None = None,
    **changes: dict[str, object],
) -> Plant:
    """A plant of one module under light that is given [W/m2], for each step of one or several days.

    Parameters
    ----------
    light_w_m2, t_cell_c, load_a : (days x steps,) array, or one number for the last two
    start : str
    fidelity, step_s
        As of `Plant.new`.
    sheet : dict
        Data sheet of the module; `SHEET_50_W` unless given.
    changes : dict
        Records of the site: ``battery={"soc": 0.5}``.
    """
    cabin = load_site("cabin").model_dump()
    given = {
        **cabin,
        "location": {"latitude_deg": 40.0, "longitude_deg": 0.0, "timezone": "UTC"},
        "array": {"module": {"datasheet": sheet or SHEET_50_W}, "tilt_deg": 0},
        "load": {"hourly_w": [0.0] * 24},
        "start": start,
    }
    for name, record in changes.items():
        given[name] = {**given[name], **record} if isinstance(given[name], dict) else record
    site = Site.model_validate(given)
    light = np.asarray(light_w_m2, float)
    supply = GivenSupply(
        site, step_s, light, *(np.broadcast_to(a, light.shape).astype(float) for a in (t_cell_c, load_a))
    )
    return Plant(site, at_start(site, supply, None, fidelity), supply)
