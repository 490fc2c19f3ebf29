"""A weather year by the hour, from samples of a run: what flowed in each hour, and the state at its end."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from plant.kernel.flowtable import FLOWS
from plant.kernel.snapshot import Snapshot

HOUR_S: Final = 3600.0
ENERGIES: Final = tuple(f"e_{flow.name}_wh" for flow in FLOWS if flow.unit == "Wh")
COUNTERS: Final = ("charger_1_h", "charger_2_h", "charger_1_starts", "charger_2_starts", "fuel_l")
ACCOUNTS: Final = (*ENERGIES, *COUNTERS)
"""Quantities that count up from the start of a run."""
SAMPLED: Final = ("t_utc_s", "poa_w_m2", "stage", "soc", *ACCOUNTS)
"""The quantities that a year needs, and the order of its samples' columns."""
COLUMNS: Final = np.array([Snapshot._fields.index(name) for name in SAMPLED])
"""Where they stand in a row of `Snapshot`."""


@dataclass(frozen=True, eq=False)
class YearHours:
    """A calendar year of the place's solar time, hour by hour; (n,) arrays, n = 8760 or 8784.

    Parameters
    ----------
    t_utc_s : array
        Beginning of each hour; the first is the solar midnight of 1 January.
    counted : (n + 1, accounts) array
        What each of `ACCOUNTS` stood at when the first hour began, and at each hour's end. `hours["e_pv_wh"]` is what
        one of them grew by, hour by hour.
    poa_wh_m2 : array
        Irradiation in the modules' plane.
    soc : array
        State of charge at the hour's end, 0..1.
    stage : array
        Charge stage at the hour's end, a number of `plant.controller.charger.Stage`.
    """

    t_utc_s: np.ndarray
    counted: np.ndarray
    poa_wh_m2: np.ndarray
    soc: np.ndarray
    stage: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """What an account grew by in each hour, by the name of the quantity."""
        return np.diff(self.counted[:, ACCOUNTS.index(name)])

    @cached_property
    def unserved_wh(self) -> np.ndarray:
        """Demand at the load output and behind the inverter that was not served [Wh]."""
        return np.asarray(self["e_unserved_wh"] + self["e_inverter_unserved_wh"])

    @cached_property
    def demand_wh(self) -> np.ndarray:
        """What was asked for at the load output and behind the inverter [Wh], served or not."""
        return np.asarray(self["e_load_wh"] + self["e_inverter_wh"] + self.unserved_wh)


def hours_of(samples: np.ndarray) -> YearHours:
    """The hours of a run's samples.

    Parameters
    ----------
    samples : (n k + 1, sampled) array
        Columns `SAMPLED`, k samples an hour, the first at the instant at which the first hour begins.

    Raises
    ------
    ValueError
        If they don't divide hours, or don't fill whole ones.

    Notes
    -----
    A sample's irradiance is that of the step that it ends. With a sample a step an hour's irradiation is therefore
    exact; with a sample an hour it is that of the hour's last step for the whole of it, some tenths of a per cent off
    over a year.
    """
    t_utc_s = samples[:, SAMPLED.index("t_utc_s")]
    interval_s = float(t_utc_s[1] - t_utc_s[0]) if len(samples) > 1 else 0.0
    if interval_s <= 0.0 or HOUR_S % interval_s or (len(samples) - 1) * interval_s % HOUR_S:
        raise ValueError(
            f"samples must divide whole hours, got {len(samples)} of them, {interval_s:g} s apart"
        )
    each = round(HOUR_S / interval_s)
    ends = samples[each::each]
    first = SAMPLED.index(ACCOUNTS[0])
    poa_w_m2 = samples[1:, SAMPLED.index("poa_w_m2")].reshape(-1, each)
    return YearHours(
        t_utc_s=t_utc_s[:-1:each].copy(),
        counted=samples[::each, first:],
        poa_wh_m2=poa_w_m2.mean(axis=1),
        soc=ends[:, SAMPLED.index("soc")].copy(),
        stage=ends[:, SAMPLED.index("stage")].copy(),
    )
