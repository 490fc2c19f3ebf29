"""A mean year of a design: its figures over all weather years, and over each draw of them for the intervals."""

from dataclasses import dataclass

import numpy as np

from plant.site.costs import Costs
from tracertwin.sizing.figures.intervals import resampled_means
from tracertwin.sizing.figures.lifecycle import cost_per_kwh, life_cycle_cost
from tracertwin.sizing.figures.monthly import FIGURES, MonthlyFigures
from tracertwin.sizing.figures.plantsize import PlantSize

ADDED = tuple(figure.name for figure in FIGURES if figure.joined == "sum")
WH_KWH = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class MeanYear:
    """A year as it is on average.

    Parameters
    ----------
    rows : (draws, figures) array
        Of those figures that add up, in the order of `ADDED`; the first row is of all years, the others of years drawn.
    size : PlantSize
    costs : Costs
    """

    rows: np.ndarray
    size: PlantSize
    costs: Costs

    def __getitem__(self, name: str) -> np.ndarray:
        """A figure of the year, (draws,)."""
        return np.asarray(self.rows[:, ADDED.index(name)])

    def all_draws(self, value: float) -> np.ndarray:
        """What no weather changes, (draws,)."""
        return np.full(len(self.rows), value)

    @property
    def peak_kw(self) -> float:
        """Power on the modules' plates [kW]."""
        return self.size.peak_w / WH_KWH

    @property
    def served_wh(self) -> np.ndarray:
        """Demand that was served."""
        return np.asarray(self["demand_wh"] - self["unserved_wh"])

    @property
    def drawn_wh(self) -> np.ndarray:
        """What the battery would give in a year without sun: to the loads, and what is lost on the way to them.

        That is demand, losses of inverter and load switch, and the controller's own consumption. The losses are
        those of what was served; what wasn't would have had as much.
        """
        inverter = loss_of_all(
            self["e_inverter_wh"], self["e_inverter_loss_wh"], self["e_inverter_unserved_wh"]
        )
        output = loss_of_all(self["e_load_wh"], self["e_path_loss_wh"], self["e_unserved_wh"])
        return np.asarray(self["demand_wh"] + inverter + output + self["e_own_wh"])

    @property
    def from_sun_wh(self) -> np.ndarray:
        """Demand served by the array: what chargers gave counts in full as served by them."""
        chargers = self["e_charger_1_wh"] + self["e_charger_2_wh"]
        return np.asarray(np.maximum(self.served_wh - chargers, 0.0))

    @property
    def life_years(self) -> np.ndarray:
        """How long a battery lasts: as `Costs` has it, by the ageing law, or by cycles and years together."""
        if self.costs.battery_life_years is not None:
            return self.all_draws(self.costs.battery_life_years)
        by_file = self["cycled"] / self.size.life_full_cycles + 1.0 / self.size.life_years
        return np.asarray(1.0 / (self["life_used"] if self.size.ages else by_file))

    @property
    def life_cycle_cost(self) -> np.ndarray:
        """LCC, in the currency of `Costs`."""
        return life_cycle_cost(self.size, self.costs, self.life_years, self["fuel_l"])

    @property
    def cost_per_kwh(self) -> np.ndarray:
        """LCOE."""
        return cost_per_kwh(self.life_cycle_cost, self.served_wh / WH_KWH, self.costs)


def mean_year(figures: MonthlyFigures, size: PlantSize, costs: Costs) -> MeanYear:
    """The mean year of a design.

    Parameters
    ----------
    figures : MonthlyFigures
        ``table`` of shape (years, 12, figures).
    size : PlantSize
    costs : Costs
    """
    by_year = np.column_stack([figures.yearly(name) for name in ADDED])
    return MeanYear(resampled_means(by_year), size, costs)


def loss_of_all(served_wh: np.ndarray, lost_wh: np.ndarray, unserved_wh: np.ndarray) -> np.ndarray:
    """What would have been lost if all had been served."""
    share = np.divide(served_wh + unserved_wh, served_wh, out=np.ones_like(served_wh), where=served_wh > 0.0)
    return np.asarray(lost_wh * share)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """``above / below``, nan where there is nothing below."""
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0))
