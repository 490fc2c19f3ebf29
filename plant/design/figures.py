"""What the checks of a design read: a site's records, and the few figures that several checks share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from plant.array.model import FAIMAN_U0, FAIMAN_U1
from plant.array.parts import SubArray
from plant.base.clock import DAY_S
from plant.battery.bms import Bms, StringLimits, string_limits
from plant.battery.lithium import Lithium
from plant.battery.model import Parameters
from plant.controller.charger import SetPoints
from plant.controller.model import ControllerModel
from plant.controller.settings import Settings
from plant.design.curves import FULL_SUN_W_M2, CurveAt, curve_of
from plant.design.extremes import FIRST_DAY, Extremes
from plant.load.day import demand_day
from plant.load.demand import Demand
from plant.site.connected import MINUTE_S, with_connected
from plant.site.model import Site
from plant.weather import sun

LOADED_DAYS = 14  # drawn for the highest demand: weekends, and chance has had its turn
MIDDLE_V = 13.0  # of a block of 12 V while it is charged hard: the makers rate by it (520 W, 40 A)
NOMINAL_V = 12.0
OC_SPREAD = 0.05  # of the open-circuit voltage: installers have strings in parallel match so far (weak)


def _by_day(steps: int) -> np.ndarray:
    """1 in those steps of a solar day that lie between six and six, else 0."""
    day = np.zeros(steps)
    day[steps // 4 : 3 * steps // 4] = 1.0
    return day


def _at_output_w(demand: Demand) -> np.ndarray:
    return np.asarray(demand.power_w + demand.current_w + demand.resistance_w)


@dataclass(frozen=True)
class Figures:
    """A site as the checks see it."""

    site: Site
    extremes: Extremes

    @cached_property
    def model(self) -> ControllerModel:
        """Ratings of the controller."""
        return self.site.controller.parameters()

    @cached_property
    def settings(self) -> Settings:
        """What the controller is set to."""
        return self.site.settings()

    @cached_property
    def setpoints(self) -> SetPoints:
        """What its rules compare with."""
        return self.site.setpoints()

    @cached_property
    def battery(self) -> Parameters:
        """The bank as it was new."""
        return self.site.battery.new()

    @cached_property
    def bms(self) -> Bms:
        """The bank's own protection."""
        return self.site.battery.bms()

    @cached_property
    def bms_opens(self) -> StringLimits:
        """The same at the terminals of the whole bank."""
        return string_limits(self.bms, self.battery.cells, cell_shorted=False)

    @property
    def bms_rate(self) -> float:
        """Current at which the bank's protection opens, over the capacity [1/h]."""
        return self.bms.over_current_a / self.site.battery.capacity_ah

    @property
    def lithium(self) -> bool:
        """Whether the battery is one."""
        return isinstance(self.battery, Lithium)

    @property
    def vented(self) -> bool:
        """Whether the battery is a lead-acid one that one adds water to."""
        return not isinstance(self.battery, Lithium) and self.battery.vented > 0.5

    @property
    def blocks(self) -> int:
        """Blocks of 12 V in series."""
        return self.site.battery.system_v // 12

    @property
    def parts(self) -> tuple[SubArray, ...]:
        """The sub-arrays."""
        return self.site.array.parts

    @cached_property
    def curves(self) -> tuple[CurveAt, ...]:
        """Of each sub-array, as on its data sheet."""
        return tuple(curve_of(part) for part in self.parts)

    @cached_property
    def cold(self) -> tuple[CurveAt, ...]:
        """Of each sub-array in full sun with cells as cold as the coldest air in daylight: what standards ask for."""
        return tuple(curve_of(part, t_cell_c=self.extremes.coldest_c) for part in self.parts)

    @cached_property
    def hot_cell_c(self) -> float:
        """Cells in full sun and the hottest air, in the wind of the calmest month (Faiman)."""
        wind: float = min(self.site.weather.wind_m_s)
        return self.extremes.hottest_c + FULL_SUN_W_M2 / (FAIMAN_U0 + FAIMAN_U1 * wind)

    @cached_property
    def hot(self) -> tuple[CurveAt, ...]:
        """Of each sub-array with cells that hot."""
        return tuple(curve_of(part, t_cell_c=self.hot_cell_c) for part in self.parts)

    @property
    def matched(self) -> bool:
        """Whether the sub-arrays have about the same voltage, so that they can work side by side."""
        volts = [c.v_oc_v for c in self.curves]
        return min(volts) >= (1.0 - OC_SPREAD) * max(volts)

    @property
    def array_w(self) -> float:
        """Power on the plates [W]."""
        return self.site.array.rated_w

    @property
    def charge_rated_w(self) -> float:
        """What the controller can charge with on this system [W]."""
        return self.model.charge_rated_w_24v if self.blocks == 2 else self.model.charge_rated_w_12v

    @property
    def controller_a(self) -> float:
        """Highest current out of the controller [A]."""
        volts = MIDDLE_V * self.blocks
        return min(self.array_w * self.model.tracking_efficiency / volts, self.model.charge_rated_a)

    @cached_property
    def charge_a(self) -> float:
        """Highest current into the battery [A]: of the controller from six to six, and chargers in their hours."""
        begins = sun.day_start_utc_s(FIRST_DAY, self.site.location.longitude_deg)
        amps = self.controller_a * _by_day(DAY_S // MINUTE_S)
        for charger in self.site.battery.chargers:
            amps += charger.current_a * charger.may_run(begins, self.site.location.timezone)
        return float(amps.max())

    @property
    def load_a(self) -> float:
        """Highest current out of the load output [A]."""
        return self.load_w / (NOMINAL_V * self.blocks)

    @property
    def discharge_a(self) -> float:
        """Highest current out of the battery [A]: load output, and what an inverter draws."""
        return self.drawn_w / (NOMINAL_V * self.blocks)

    @cached_property
    def load_w(self) -> float:
        """Highest demand at the load output [W] of some days of winter and as many of summer, sunset at six."""
        return max(float(_at_output_w(day).max()) for day in self._demands)

    @cached_property
    def drawn_w(self) -> float:
        """Highest demand on the battery [W] of the same days."""
        return max(float((_at_output_w(day) + day.inverter_drawn_w).max()) for day in self._demands)

    @cached_property
    def _demands(self) -> tuple[Demand, ...]:
        return tuple(self._demand_of_days())

    def _demand_of_days(self) -> Iterator[Demand]:
        site = self.site
        light = FULL_SUN_W_M2 / 2.0 * _by_day(DAY_S // 900)
        for day in (FIRST_DAY + 181 * half + k for half in (0, 1) for k in range(LOADED_DAYS // 2)):
            begins = sun.day_start_utc_s(day, site.location.longitude_deg)
            around = site.seed, day, begins, site.location.timezone, light, 60
            yield with_connected(demand_day(site.load, *around), site.battery.loads, (), *around)

    @property
    def battery_v(self) -> float:
        """Of the battery at rest, half full [V]."""
        return (13.2 if self.lithium else 12.4) * self.blocks

    @property
    def system_fits(self) -> bool:
        """Whether the controller takes it for a battery of its own system. If not, no other set-point matters."""
        return self.setpoints.system_low_v <= self.battery_v < self.setpoints.system_high_v

    @property
    def equalizes(self) -> bool:
        """Whether equalizing is ever due."""
        return self.setpoints.equalize_s > 0.0 and self.settings.equalize_cycle_d > 0

    @property
    def hardest_v(self) -> float:
        """Highest voltage that it charges to at 25 degC [V]."""
        volts = self.settings.boost_v
        return max(volts, self.settings.equalize_v) if self.equalizes else volts

    @property
    def coldest_battery_c(self) -> float:
        """Of the battery [degC]: its room, or the coldest air."""
        room = self.site.battery.room_c
        return self.extremes.coldest_c if room == "outdoor" else float(room)

    @property
    def usual_cold_battery_c(self) -> float:
        """Of the battery in the coldest month [degC]."""
        room = self.site.battery.room_c
        return self.extremes.coldest_month_c if room == "outdoor" else float(room)
