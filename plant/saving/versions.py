"""What older versions saved of a plant, brought up to the names of `plant.saving.state`, version by version.

A step is for what one version wrote and makes what the next one writes. It spells out the names and orders of its own
time and asks nothing of the program, which may have moved on since: a step that is written stays as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from plant.saving.from3 import to_4

VERSION: Final = 4  # of what `plant.saving.state.as_plain` writes


class UnknownVersionError(ValueError):
    """Saved by a version that this one doesn't know."""


def up_to_date(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A saved state as this version would have written it.

    Raises
    ------
    UnknownVersionError
        It is of a newer version, or of none.
    ValueError, LookupError, TypeError
        It isn't what its version wrote.
    """
    version = plain.get("version")
    if version not in (*STEPS, VERSION):
        raise UnknownVersionError(
            f"saved as version {version}; this TracerTwin can continue from versions 1 to {VERSION}"
        )
    saved = dict(plain)
    while saved["version"] != VERSION:
        saved = STEPS[saved["version"]](saved)
    return saved


# --- version 1 to 2: by name instead of by place --------------------------------------------------------------------


class RuleOf1(NamedTuple):
    """A row of the rules of version 1."""

    machine: str
    from_state: str
    to_state: str
    dwell: str  # as version 2 names it: a set-point or seconds
    reason: str


# Machine, states that it leaves (a row each), state that it enters, dwell, reason.
_RULES_OF_1 = """
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 battery over-voltage
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 heat sink too hot
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 battery too hot
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 battery too cold to charge
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 wrong system voltage
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 PV voltage too high
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE 0.0 charge percentage reached
CHARGE BULK,BOOST,EQUALIZE,FLOAT NONE stop_s PV voltage too low
CHARGE NONE BULK 0.0 PV voltage above battery
CHARGE BULK EQUALIZE 0.0 equalize voltage reached
CHARGE BULK BOOST 0.0 boost voltage reached
CHARGE BOOST FLOAT 0.0 boost time served
CHARGE EQUALIZE FLOAT 0.0 equalize time served
CHARGE BOOST,EQUALIZE FLOAT 0.0 longest time at constant voltage
CHARGE FLOAT BULK reconnect_s battery pulled below boost reconnect
LOAD ON BARRED 0.0 battery too hot
LOAD ON BARRED 0.0 battery too cold to discharge
LOAD ON BARRED 0.0 wrong system voltage
LOAD BARRED ON 0.0 load allowed again
LOAD_CONTROL ON OFF 0.0 load not called for
LOAD_CONTROL OFF ON 0.0 load called for
LOAD ON SHORT 0.0 load short circuit
LOAD ON LOW_VOLTAGE 0.0 load voltage collapsed
LOAD ON LOW_VOLTAGE disconnect_s low-voltage disconnect
LOAD LOW_VOLTAGE ON restore_s low-voltage reconnect
LOAD ON LOW_CHARGE percent_s discharge percentage reached
LOAD LOW_CHARGE ON percent_s above the discharge percentage again
LOAD ON OVERLOAD 0.0 load overload
LOAD ON OVERLOAD 2.0 load overload
LOAD ON OVERLOAD 10.0 load overload
LOAD ON OVERLOAD 30.0 load overload
LOAD ON OVERLOAD 50.0 load overload
LOAD SHORT,OVERLOAD ON 0.0 load switched off
LOAD SHORT ON 5.0 load retry 1
LOAD SHORT ON 10.0 load retry 2
LOAD SHORT ON 15.0 load retry 3
LOAD SHORT ON 20.0 load retry 4
LOAD SHORT ON 25.0 load retry 5
LOAD OVERLOAD ON 5.0 load retry 1
LOAD OVERLOAD ON 10.0 load retry 2
LOAD OVERLOAD ON 15.0 load retry 3
LOAD OVERLOAD ON 20.0 load retry 4
LOAD OVERLOAD ON 25.0 load retry 5
OVER_VOLTAGE NORMAL TRIPPED 0.0 over-voltage disconnect
OVER_VOLTAGE TRIPPED NORMAL 0.0 over-voltage reconnect
WARNING NORMAL UNDER 0.0 under-voltage warning
WARNING UNDER NORMAL 0.0 under-voltage warning recovered
DAYLIGHT DAY NIGHT night_s dusk
DAYLIGHT NIGHT DAY day_s dawn
HEATSINK NORMAL HOT heatsink_look_s heat sink too hot
HEATSINK HOT NORMAL 0.0 heat sink cooled
PRODUCTION READY WAITING 0.0 heat sink too hot
PRODUCTION WAITING READY reacquire_s production resumed
BATTERY_HEAT NORMAL HOT 0.0 battery too hot
BATTERY_HEAT HOT NORMAL 0.0 battery cooled
BATTERY_COLD NORMAL COLD 0.0 battery cold
COLD_CHARGE GIVEN REFUSED 0.0 battery too cold to charge
COLD_DISCHARGE GIVEN REFUSED 0.0 battery too cold to discharge
BATTERY_COLD COLD NORMAL 0.0 battery warmer
COLD_CHARGE REFUSED GIVEN 0.0 battery warmer
COLD_DISCHARGE REFUSED GIVEN 0.0 battery warmer
CHARGE_PERCENT GIVEN REFUSED percent_s charge percentage reached
CHARGE_PERCENT REFUSED GIVEN percent_s below the charge percentage again
SYSTEM_VOLTAGE RIGHT WRONG system_s battery of a higher voltage
SYSTEM_VOLTAGE RIGHT WRONG system_s battery of a lower voltage
SYSTEM_VOLTAGE WRONG RIGHT system_s battery of the voltage that is set
PV_VOLTAGE NORMAL HIGH 0.0 PV voltage too high
PV_VOLTAGE HIGH NORMAL 0.0 PV voltage within its rating
BMS_CHARGE CLOSED OPEN bms_delay_s BMS: over-charge
BMS_CHARGE CLOSED OPEN bms_delay_s BMS: too cold to charge
BMS_CHARGE CLOSED OPEN bms_delay_s BMS: too hot to charge
BMS_CHARGE CLOSED OPEN bms_over_s BMS: charge over-current
BMS_CHARGE OPEN CLOSED bms_delay_s BMS: charging allowed again
BMS_DISCHARGE CLOSED OPEN bms_delay_s BMS: over-discharge
BMS_DISCHARGE CLOSED OPEN bms_delay_s BMS: too cold to discharge
BMS_DISCHARGE CLOSED OPEN bms_delay_s BMS: too hot to discharge
BMS_DISCHARGE CLOSED OPEN bms_over_s BMS: discharge over-current
BMS_DISCHARGE OPEN CLOSED bms_delay_s BMS: discharging allowed again
"""


def _rules_of_1() -> Iterator[RuleOf1]:
    for line in _RULES_OF_1.strip().splitlines():
        machine, left, to_state, dwell, reason = line.split(" ", 4)
        yield from (RuleOf1(machine, from_state, to_state, dwell, reason) for from_state in left.split(","))


RULES_OF_1: Final = tuple(_rules_of_1())
# Their states in the order of their numbers.
_STATES_OF_1: Final[Mapping[str, Sequence[str]]] = {
    "CHARGE": ("NONE", "BULK", "BOOST", "EQUALIZE", "FLOAT"),
    "LOAD": ("ON", "LOW_VOLTAGE", "OVERLOAD", "SHORT", "BARRED", "LOW_CHARGE"),
    "OVER_VOLTAGE": ("NORMAL", "TRIPPED"),
    "WARNING": ("NORMAL", "UNDER"),
    "DAYLIGHT": ("DAY", "NIGHT"),
    "HEATSINK": ("NORMAL", "HOT"),
    "BATTERY_HEAT": ("NORMAL", "HOT"),
    "BMS_CHARGE": ("CLOSED", "OPEN"),
    "BMS_DISCHARGE": ("CLOSED", "OPEN"),
    "LOAD_CONTROL": ("ON", "OFF"),
    "PRODUCTION": ("READY", "WAITING"),
    "BATTERY_COLD": ("NORMAL", "COLD"),
    "COLD_CHARGE": ("GIVEN", "REFUSED"),
    "COLD_DISCHARGE": ("GIVEN", "REFUSED"),
    "CHARGE_PERCENT": ("GIVEN", "REFUSED"),
    "SYSTEM_VOLTAGE": ("RIGHT", "WRONG"),
    "PV_VOLTAGE": ("NORMAL", "HIGH"),
}
_FLOWS_OF_1: Final = (
    "pv", "pv_wiring", "converter_loss", "chg", "batt_wiring", "path_loss", "load", "own", "batt", "ohmic",
    "polarisation", "side", "diffusion", "hysteresis", "entropy", "i_side", "available", "untaken_off", "missed",
    "untaken_full", "untaken_limit", "unserved", "faded",
)  # fmt: skip
_HOURS_OF_1: Final = ("charged_ah", "discharged_ah", "soc", "t_c", "v_v", "frozen")
# Parameters of batteries that version 2 names otherwise, and the one of a battery's life.
_BATTERY_OF_1: Final[Mapping[str, str]] = {
    "q_ah": "full_capacity_ah",
    "e0_v": "ocv_empty_v_cell",
    "e1_v": "ocv_linear_v_cell",
    "e2_v": "ocv_quadratic_v_cell",
    "c": "available_fraction",
    "k_per_h": "diffusion_rate_per_h",
    "rk": "charge_diffusion_ratio",
    "i0_a": "discharge_exchange_a",
    "b_v": "discharge_tafel_v_cell",
    "md": "depletion_strength",
    "cd": "depletion_depth",
    "i0c_a": "charge_exchange_a",
    "bc_v": "charge_tafel_v_cell",
    "mc": "saturation_strength",
    "ig0_a": "gassing_a_per_100ah",
    "cn_ah": "gassing_capacity_ah",
    "c_dl_f": "double_layer_f",
    "c_th_j_k": "heat_capacity_j_k",
    "h_a_w_k": "heat_transfer_w_k",
    "eta": "coulombic_efficiency",
    "i_sd_a": "self_discharge_a",
    "b_cold_k": "arrhenius_cold_k",
    "b_warm_k": "arrhenius_warm_k",
}
_LIFE_OF_1: Final[Mapping[str, str]] = {"z_iec": "full_cycles"}
_METERS_OF_1: Final = ("today", "month", "year", "total")


def words(name: str) -> str:
    """A machine or a state as events tell it: ``LOW_VOLTAGE`` is ``low voltage``."""
    return name.lower().replace("_", " ")


def _to_2(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Timers and events by what their rules do, modes by state, numbers of the books by name.

    What the machines have looked at, and how far that holds, is left out: they look anew with the first step.
    """
    books, battery, memory = plain["books"], plain["battery"], dict(plain["memory"])
    modes = {machine: _STATES_OF_1[machine][mode] for machine, mode in plain["modes"].items()}
    timers = [
        {
            "machine": rule.machine,
            "from": rule.from_state,
            "to": rule.to_state,
            "reason": rule.reason,
            "dwell": rule.dwell,
            "since_utc_s": since,
        }
        for rule, since in zip(RULES_OF_1, books["since"], strict=True)
        if since != "inf"
    ]
    memory["probe_read"] = memory["t_probe_c"] != "nan"  # nan was for "not read", and for "not worked out"
    for name in ("t_probe_c", "t_warm_c"):
        memory[name] = battery["t_c"] if memory[name] == "nan" else memory[name]
    began_utc_s, seen_to_begin, length_s = books["night"]
    tries, last_utc_s = books["tries"]
    after = {
        **{name: value for name, value in plain.items() if name not in ("layout", "events")},
        "version": 2,
        "aged": _renamed(plain["aged"], _BATTERY_OF_1),
        "modes": modes,
        "timers": timers,
        "event_count": int(books["event_count"][0]),
        "watch": None,
        "memory": memory,
        "books": {
            "clock": dict(zip(("ahead_s", "set_utc_s", "gains"), books["clock"], strict=True)),
            "night": {
                "began_utc_s": began_utc_s,
                "seen_to_begin": seen_to_begin == 1.0,
                "length_s": length_s,
            },
            "tries": {"count": int(tries), "last_utc_s": last_utc_s},
            **{
                name: dict(zip(_FLOWS_OF_1, books[name], strict=True))
                for name in ("account", "carry", "today")
            },
            "metered_before": {
                "generated": dict(zip(_METERS_OF_1, books["offset"][:4], strict=True)),
                "consumed": dict(zip(_METERS_OF_1, books["offset"][4:], strict=True)),
            },
            "extremes": dict(
                zip(("v_pv_max", "v_pv_min", "v_batt_max", "v_batt_min"), books["extremes"], strict=True)
            ),
            "hours": [
                dict(zip(_HOURS_OF_1, books["hours"][begin : begin + 6], strict=True))
                for begin in range(0, 144, 6)
            ],
            "overruns": int(books["overruns"][0]),
        },
    }
    if "events" in plain:  # a state file has them in a table of their own
        after["events"] = [[t_utc_s, *_told(RULES_OF_1[row])] for t_utc_s, row in plain["events"]]
    return after


def _told(rule: RuleOf1) -> tuple[str, ...]:
    return (words(rule.machine), words(rule.from_state), words(rule.to_state), rule.reason)


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}


def site_of_1(site: Mapping[str, Any]) -> dict[str, Any]:
    """What `state.resolved` made of a site in version 1, as version 2 does; keys that came since are unused."""
    return {
        **site,
        "weather": {"fill": "none", "on_impossible": "refuse", **site["weather"]},
        "battery_parameters": _renamed(site["battery_parameters"], _BATTERY_OF_1),
        "battery_life": _renamed(site["battery_life"], _LIFE_OF_1),
        "neighbours": [site_of_1(neighbour) for neighbour in site["neighbours"]],
    }


# --- version 2 to 3: dim light, a clock without daylight saving, boost's timer, memory of days, snow -----------------

_SWITCHING_OF_3: Final = 3  # the converter works, as it always did in version 2
_CONTROLLER_OF_3: Final[Mapping[str, Any]] = {
    "clock_dst": False,
    "boost_timer": "restart",
    "settings_order": "documented",
    "sensors": "exact",
    "sensor_dips_h": 0.0,
    "sensor_outliers_day": 3.0,
}
_MODEL_OF_3: Final[Mapping[str, float]] = {
    "dim_below_a": 1.35,
    "dim_drop_v": 1.17,
    "dim_drop_v_root_a": 0.44,
    "dim_bridge_v": 0.9,
    "dim_bridge_from_a": 1.0,
    "dim_bridge_until_a": 0.76,
    "dim_start_a": 0.02,
    "dim_lost_a": 0.001,
    "dark_pv_v": 0.35,
}


def _to_3(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The clock goes on from what it shows now; what civil time was ahead of UTC then is kept with it."""
    clock = plain["clock"]
    offset_s = plain["books"]["clock"]["ahead_s"] - clock["shift_s"]
    return {
        **plain,
        "version": 3,
        "memory": {**plain["memory"], "conduction": _SWITCHING_OF_3},
        "clock": {**clock, "offset_s": offset_s},
    }


def site_of_2(site: Mapping[str, Any]) -> dict[str, Any]:
    """What `plant.saving.state.resolved` made of a site in version 2, as version 3 does of one that uses no new key."""
    return {
        **site,
        "sky": _sky_of_2(site["sky"]),
        "weather": {"precipitation_days": None, **site["weather"]},
        "array": _snowless(
            {**site["array"], "sub_arrays": [_snowless(p) for p in site["array"]["sub_arrays"]]}
        ),
        "controller": {**_CONTROLLER_OF_3, **site["controller"]},
        "controller_parameters": {**site["controller_parameters"], **_MODEL_OF_3},
        "neighbours": [site_of_2(neighbour) for neighbour in site["neighbours"]],
    }


def _sky_of_2(sky: Mapping[str, Any]) -> dict[str, Any]:
    """The memory of days was one of the constants of the clouds."""
    clouds = dict(sky["clouds"])
    memory = clouds.pop("day_to_day", None)
    return {**sky, "day_to_day": None if memory is None else [memory] * 12, "clouds": clouds}


def _snowless(array: Mapping[str, Any]) -> dict[str, Any]:
    return {**array, "losses": {"snow": 0.0, **array["losses"]}}


STEPS: Final[Mapping[int, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {1: _to_2, 2: _to_3, 3: to_4}
