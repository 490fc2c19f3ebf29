"""What a unit's sensors make of the plant: readings with noise, dips and outliers, in place of exact numbers.

Only what registers show is touched, never the plant. Every reading is keyed by (seed, register, time), so it is the
same whoever asks, however often. Measured are PV and battery voltage, charge and load current; the gauge and the net
current follow from those as shown.

Spreads are from whole days of two Tracer AN units of 12 V (sure in kind; single figures lie between the two units,
whose light moved during most of them). How often dips come is weak: none on quiet days, one in ten minutes on a
restless one.
"""

from typing import Final, NamedTuple

import numpy as np

from modbus.device.interface import Shown
from plant.base.chance import RandomStream, generator
from plant.controller.charger import Stage
from plant.controller.setpoints import gauge_ends_v
from plant.kernel.show import gauge
from plant.kernel.snapshot import Snapshot
from plant.power.converter import Regime

V_PV, V_BATT, I_CHG, I_LOAD, DIPS, OUTLIERS = 0x3100, 0x3104, 0x3105, 0x310D, 1, 2  # parts of the stream
SLOT_S: Final = 60  # dips and outliers last whole minutes: in the logs, one sample or a few
DIP_MIN: Final = (12, 16, 17, 18)  # of 18 dips so many last at most 1, 2, 3 and 4 minutes
DIP_V: Final = (0.35, 1.15)  # so far does the battery's reading fall
DIP_ABOVE_V: Final = (0.6, 3.0)  # and so far above it stands the array's then
OUTLIER_V: Final = (0.3, 1.5)  # so far does the battery's reading rise
OUTLIER_SHARE: Final = (0.5, 1.6)  # and by that share the charge current's


class Spread(NamedTuple):
    """Standard deviation of single readings, of a 12 V system."""

    v_batt_v: float
    v_pv_v: float
    i_chg_a: float
    i_load_a: float


NIGHT: Final = Spread(0.004, 0.02, 0.0, 0.012)
IDLE: Final = Spread(0.006, 0.03, 0.0, 0.012)
BULK: Final = Spread(0.016, 0.03, 0.010, 0.013)
HELD: Final = Spread(0.060, 0.15, 0.012, 0.016)  # at the boost or equalize voltage
FLOAT: Final = Spread(0.045, 0.13, 0.012, 0.016)


def spread_of(s: Snapshot) -> Spread:
    """How much readings scatter in a state of the plant."""
    if s.i_chg_a <= 0.0:
        return NIGHT if s.night else IDLE
    if s.regime != Regime.CONSTANT_VOLTAGE:
        return BULK
    return FLOAT if s.stage == Stage.FLOAT else HELD


class Sensors:
    """The sensors of one unit.

    Parameters
    ----------
    seed : int
        Of the run.
    unit : int
        Of the line: units of one line have noise of their own.
    system_v : int
        12 or 24: voltages scatter in proportion (guess).
    dips_per_h, outliers_per_day : float
        How often the readings fall for a minute or a few while the battery is held at its voltage, and rise for a
        minute while it is charged.
    """

    def __init__(
        self, seed: int, unit: int, system_v: int, dips_per_h: float, outliers_per_day: float
    ) -> None:
        self._seed, self._unit, self._system_v = seed, unit, system_v
        self._dip_chance = dips_per_h / 60.0
        self._outlier_chance = outliers_per_day / 1440.0
        self._last: tuple[Shown | None, Shown | None] = (None, None)  # set as a whole: lines share it

    def read(self, shown: Shown) -> Shown:
        """The same instant as the unit's sensors have it."""
        before, seen = self._last
        if before is not shown or seen is None:
            seen = Shown(self._readings(shown), shown.settings)
            self._last = shown, seen
        return seen

    def _readings(self, shown: Shown) -> Snapshot:
        s, settings = shown
        spread, blocks = spread_of(s), self._system_v / 12.0
        v_batt = s.v_batt_v + blocks * spread.v_batt_v * self._noise(V_BATT, s)
        v_pv = s.v_pv_v + blocks * spread.v_pv_v * self._noise(V_PV, s)
        i_chg = s.i_chg_a + spread.i_chg_a * self._noise(I_CHG, s) if s.i_chg_a > 0.0 else 0.0
        i_load = s.i_load_a + spread.i_load_a * self._noise(I_LOAD, s) if s.i_load_a > 0.0 else 0.0
        if s.regime == Regime.CONSTANT_VOLTAGE and (dip := self._dip(s)) is not None:
            v_batt -= blocks * dip.uniform(*DIP_V)
            v_pv = min(v_pv, v_batt + blocks * dip.uniform(*DIP_ABOVE_V))
        if s.i_chg_a > 0.0 and (outlier := self._outlier(s)) is not None:
            v_batt += blocks * outlier.uniform(*OUTLIER_V)
            i_chg *= 1.0 + outlier.uniform(*OUTLIER_SHARE)
        v_batt, v_pv, i_chg, i_load = (max(value, 0.0) for value in (v_batt, v_pv, i_chg, i_load))
        return s._replace(
            v_batt_v=v_batt,
            v_pv_v=v_pv,
            i_chg_a=i_chg,
            i_load_a=i_load,
            i_batt_a=s.i_batt_a + (i_chg - s.i_chg_a) - (i_load - s.i_load_a),
            # Of the readings so far nothing is kept, but none lies outside of what is shown as the day's range.
            v_batt_max_today_v=max(s.v_batt_max_today_v, v_batt),
            v_batt_min_today_v=min(s.v_batt_min_today_v, v_batt),
            v_pv_max_today_v=max(s.v_pv_max_today_v, v_pv),
            v_pv_min_today_v=min(s.v_pv_min_today_v, v_pv),
            soc_controller=gauge(v_batt, *gauge_ends_v(settings, self._system_v, s.t_probe_c)),
        )

    def _at(self, number: int, part: int) -> np.random.Generator:
        return generator(self._seed, RandomStream.SENSORS, number, part | self._unit << 16)

    def _noise(self, register: int, s: Snapshot) -> float:
        return float(self._at(int(s.t_utc_s), register).standard_normal())

    def _dip(self, s: Snapshot) -> np.random.Generator | None:
        """The chance of a dip that is under way; None without one."""
        if self._dip_chance <= 0.0:
            return None
        for minutes in range(len(DIP_MIN)):
            chance = self._at(int(s.t_utc_s) // SLOT_S - minutes, DIPS)
            begins = chance.random() < self._dip_chance
            if begins and chance.integers(DIP_MIN[-1]) >= (DIP_MIN[minutes - 1] if minutes else 0):
                return chance
        return None

    def _outlier(self, s: Snapshot) -> np.random.Generator | None:
        if self._outlier_chance <= 0.0:
            return None
        chance = self._at(int(s.t_utc_s) // SLOT_S, OUTLIERS)
        return chance if chance.random() < self._outlier_chance else None
