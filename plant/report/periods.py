"""A trace by days, months or years: energies, the range of the charge, hours without load."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from plant.report.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["day", "month", "year"]
ENERGIES = (
    "e_available_wh", "e_missed_wh", "e_untaken_full_wh", "e_untaken_bms_wh", "e_untaken_cold_wh",
    "e_untaken_limit_wh", "e_untaken_pv_high_wh", "e_untaken_off_wh", "e_pv_wh", "e_load_wh", "e_unserved_wh",
    "e_charger_1_wh", "e_charger_2_wh", "e_inverter_wh", "e_inverter_unserved_wh",
)  # fmt: skip
AT_OUTPUT, AT_BATTERY = "e_unserved_wh", "e_inverter_unserved_wh"
UNSERVED_W = 1e-6  # less than this is rounding of the meter's sum


def by_period(trace: Trace, period: Period) -> "pd.DataFrame":
    """Totals of each civil day, month or year.

    Parameters
    ----------
    trace : Trace
        Of a run from its beginning: the account of the first sample began at zero.
    period : {"day", "month", "year"}

    Returns
    -------
    DataFrame
        Index: local midnight that the period begins with. Columns: `ENERGIES` [Wh]; `poa_wh_m2`; `soc_min`, `soc_max`,
        `soc_mean`, `v_batt_min`, `v_batt_max`; `unserved_h`, at the load output or behind the inverter. First and last
        period hold what the run has of them.

    Notes
    -----
    A sample shows the interval that ends with it, so it belongs to the day of the interval's middle.
    """
    import pandas as pd

    interval_s = sample_s(trace)
    frame = pd.DataFrame(
        {name: np.diff(trace[name], prepend=0.0) for name in ENERGIES}
        | {
            "poa_wh_m2": trace["poa_w_m2"] * interval_s / 3600.0,
            "unserved_h": unserved(trace, AT_OUTPUT, AT_BATTERY) * interval_s / 3600.0,
            "soc": trace["soc"],
            "v_batt_v": trace["v_batt_v"],
        }
    )
    middle = pd.to_datetime(trace["t_utc_s"] - interval_s / 2.0, unit="s", utc=True)
    local = middle.tz_convert(trace.timezone).tz_localize(None)
    begins = local.to_period({"day": "D", "month": "M", "year": "Y"}[period]).to_timestamp()
    groups = frame.groupby(np.asarray(begins))
    totals = groups[[*ENERGIES, "poa_wh_m2", "unserved_h"]].sum()
    ranges = groups.agg(
        soc_min=("soc", "min"),
        soc_max=("soc", "max"),
        soc_mean=("soc", "mean"),
        v_batt_min=("v_batt_v", "min"),
        v_batt_max=("v_batt_v", "max"),
    )
    return totals.join(ranges)


def sample_s(trace: Trace) -> float:
    """Time between samples [s]; 0 with fewer than two of them."""
    return float(trace["t_utc_s"][1] - trace["t_utc_s"][0]) if len(trace.rows) > 1 else 0.0


def unserved(trace: Trace, *accounts: str) -> np.ndarray:
    """Whether any of these accounts of demand in vain grew in the interval that each sample ends, (n,)."""
    grew = sum(np.diff(trace[account], prepend=0.0) for account in accounts)
    return np.asarray(grew > UNSERVED_W * sample_s(trace) / 3600.0)
