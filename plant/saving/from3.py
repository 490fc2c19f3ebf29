"""What plants remembered in version 3, brought up to version 4.

Version 4 has batteries that relax for hours and can be empty, a BMS that looks at each cell and waits before it goes
on, worn batteries that are replaced, loads and chargers of the battery's own, and a name for each thing that refused
energy.
"""

from collections.abc import Mapping
from typing import Any, Final

# --- what a plant keeps ---

# Batteries of version 3 as numbers of version 4: no slow polarisation, the same depletion in the cold.
_LEAD_OF_3: Final[Mapping[str, float]] = {
    "empty_below": 0.01,
    "cold_depletion_per_k": 0.0042,
    "charge_efficiency": 1.0,
    "surface_f": 1e300,
    "surface_charge_v_cell": 0.06,
    "surface_discharge_v_cell": 0.0133,
}
_LITHIUM_OF_3: Final[Mapping[str, float]] = {"locked_per_k": 0.0065, "locked_per_k2": 0.0}
REFUSED: Final = ("untaken_bms", "untaken_cold", "untaken_pv_high")  # flows that were told from now on
_AT_THE_POSTS: Final = (  # of what may hang on the battery beside the controller
    "charger_1", "charger_2", "inverter", "inverter_loss", "inverter_unserved", "charger_1_h", "charger_2_h",
    "charger_1_starts", "charger_2_starts",
)  # fmt: skip
_MODES_THERE: Final[Mapping[str, str]] = {"INVERTER": "ON", "CHARGER_1": "OFF", "CHARGER_2": "OFF"}
_WAITS: Final[Mapping[str, str]] = {  # dwells of rules that waited otherwise
    "BMS: charging allowed again": "bms_release_s",
    "BMS: discharging allowed again": "bms_release_s",
    "pulled below reconnect": "reconnect_s",
}


def to_4(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Version 3 had no replacements and nothing at the battery's posts: those are 0; some dwells have other names."""
    age, books, is_lead = plain["age"], plain["books"], "c20_ah" in plain["aged"]
    timers = [{**timer, "dwell": _WAITS.get(timer["reason"], timer["dwell"])} for timer in plain["timers"]]
    nothing = dict.fromkeys((*REFUSED, *_AT_THE_POSTS), 0.0)
    flows = {name: {**books[name], **nothing} for name in ("account", "carry", "today")}
    return {
        **plain,
        "version": 4,
        "age": None if age is None else {**age, "replaced_utc_s": []},
        "aged": {**plain["aged"], **(_LEAD_OF_3 if is_lead else _LITHIUM_OF_3)},
        "battery": {**plain["battery"], **({"v_slow_v": 0.0} if is_lead else {})},
        "modes": {**plain["modes"], **_MODES_THERE},
        "timers": timers,
        "books": {**books, **flows},
    }


# --- what a site was made of ---

_BATTERY_OF_3: Final[Mapping[str, Any]] = {
    "replace_at_health": 0.8,
    "loads": [],
    "chargers": [],
    "capacity_by_rate": {},
    "rate_cut_off_v_cell": 1.75,
}
_CELLS_OF_12_V: Final = 4  # of the only family that had a BMS
_LIFEPO4_OF_4: Final[Mapping[str, float]] = {  # the limits of the battery of that name are others
    "over_charge_v_cell": 3.65,
    "over_charge_release_v_cell": 3.45,
    "over_discharge_v_cell": 2.5,
    "over_discharge_release_v_cell": 3.0,
    "release_s": 32.0,
}


def site_of_3(site: Mapping[str, Any]) -> dict[str, Any]:
    """What `plant.saving.state.resolved` made of a site in version 3, as version 4 does of one that uses no new key."""
    return {
        **site,
        "sky": {"irradiance_scale": 1.0, **site["sky"]},
        "load": {"scale": 1.0, **site["load"]},
        "battery": {**_BATTERY_OF_3, **site["battery"]},
        "battery_parameters": None,  # blocks were fitted anew; a plant has its own in what it keeps
        "battery_protection": _by_the_cell(site["battery_protection"], site["battery"]),
        "array": _of_no_technology(
            {**site["array"], "sub_arrays": [_of_no_technology(p) for p in site["array"]["sub_arrays"]]}
        ),
        "neighbours": [site_of_3(neighbour) for neighbour in site["neighbours"]],
    }


def _by_the_cell(protection: Mapping[str, Any], battery: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of a BMS, which were those of the whole battery."""
    bms = dict(protection)
    cells = _CELLS_OF_12_V * battery["system_v"] / 12
    for name in ("over_charge", "over_charge_release", "over_discharge", "over_discharge_release"):
        whole_v = bms.pop(f"{name}_v")
        bms[f"{name}_v_cell"] = whole_v if isinstance(whole_v, str) else whole_v / cells
    del bms["diode_v"]  # nothing ever asked for it
    bms["release_s"] = bms["delay_s"]
    return {**bms, **_LIFEPO4_OF_4} if battery["model"] == "lifepo4" else bms


def _of_no_technology(array: Mapping[str, Any]) -> dict[str, Any]:
    module = array["module"]
    if isinstance(module, Mapping) and module["datasheet"] is not None:
        return {**array, "module": {**module, "datasheet": {"technology": None, **module["datasheet"]}}}
    return dict(array)
