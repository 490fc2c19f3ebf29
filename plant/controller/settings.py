"""What a Tracer keeps in its flash: battery type, voltages, times, load mode, switches.

A frozen record in physical units, in the order of the vendor's registers 0x9000..0x9107 and coils; nothing here knows
registers. What the controller makes of it is in `setpoints`; which values go together is `disorder`.

Sources: Tracer-A manual (MAN_A), TRIRON N and XTRA N manuals (MAN_TRIRON, MAN_XTRA), vendor protocol V2.6 (V26).
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from plant.base.problems import did_you_mean
from plant.controller.charger import SetPoints
from plant.controller.loadcontrol import LoadMode

USER: Final = 0  # the one type whose voltages are the user's own


class BatteryType(NamedTuple):
    """A row of the controller's own table: what it does with a type of battery."""

    code: int  # register 0x9000
    name: str
    volts: tuple[float, ...]  # in the order of `VOLTAGES`
    system_v: int | None = None  # of the row; None for 12 V rows that grow with the system
    lithium: bool = False
    equalizes: bool = True


# Gel is never equalized; what its 0x9006 reads is not known (guess: the boost voltage). 36 and 48 V types are left out:
# the 4210 is a 12/24 V unit. LiNCM rows break the published order (UVWR above LVR by its own table): taken as printed.
BATTERY_TYPES: Final = (
    BatteryType(
        USER, "user", (16.0, 15.0, 15.0, 14.6, 14.4, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6)
    ),
    BatteryType(
        1, "sealed", (16.0, 15.0, 15.0, 14.6, 14.4, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6)
    ),
    BatteryType(
        2, "gel", (16.0, 15.0, 15.0, 14.2, 14.2, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6), equalizes=False
    ),
    BatteryType(
        3, "flooded", (16.0, 15.0, 15.0, 14.8, 14.6, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6)
    ),
    BatteryType(
        4, "lifepo4_4s", (14.8, 14.6, 14.6, 14.5, 14.5, 13.8, 13.2, 12.8, 12.2, 12.0, 11.1, 11.0), 12, True
    ),
    BatteryType(
        5, "lifepo4_8s", (29.6, 29.2, 29.2, 29.0, 29.0, 27.6, 26.4, 25.6, 24.4, 24.0, 22.2, 22.0), 24, True
    ),
    BatteryType(
        8, "lincm_3s", (12.8, 12.6, 12.5, 12.5, 12.5, 12.2, 12.1, 10.5, 12.2, 10.5, 9.3, 9.3), 12, True
    ),
    BatteryType(
        9, "lincm_6s", (25.6, 25.2, 25.0, 25.0, 25.0, 24.4, 24.2, 21.0, 24.4, 21.0, 18.6, 18.6), 24, True
    ),
    BatteryType(
        10, "lincm_7s", (29.8, 29.4, 29.1, 29.1, 29.1, 28.4, 28.2, 24.5, 28.4, 24.5, 21.7, 21.7), 24, True
    ),
)  # fmt: skip
TYPE_OF_CODE: Final[Mapping[int, BatteryType]] = {row.code: row for row in BATTERY_TYPES}
TYPE_OF_NAME: Final[Mapping[str, BatteryType]] = {row.name: row for row in BATTERY_TYPES}


class Settings(NamedTuple):
    """Everything a client can set. Voltages are those of the whole battery at 25 degC."""

    battery_type: int  # `BatteryType.code`
    capacity_ah: int
    compensation_mv_k_cell: float  # magnitude, per 2 V cell; 0 and fixed for lithium
    over_voltage_disconnect_v: float
    charging_limit_v: float
    over_voltage_reconnect_v: float
    equalize_v: float
    boost_v: float
    float_v: float
    boost_reconnect_v: float
    low_voltage_reconnect_v: float
    under_voltage_recover_v: float
    under_voltage_warning_v: float
    low_voltage_disconnect_v: float
    discharging_limit_v: float
    night_v: float
    day_v: float
    boost_min: int = 120
    equalize_min: int = 120
    system_code: int = 0  # 0 finds out by itself, 1 is 12 V, 2 is 24 V
    low_temperature_charge_c: float = 0.0
    low_temperature_discharge_c: float = 0.0
    equalize_cycle_d: int = 30  # see `plant.controller.clock.equalize_due`
    battery_hot_c: float = 65.0
    battery_cold_c: float = -40.0
    device_hot_c: float = 85.0
    device_cool_c: float = 75.0
    component_hot_c: float = 85.0  # stored, without effect on AN units (AN20)
    component_cool_c: float = 75.0
    line_mohm: float = 0.0
    night_min: int = 10
    day_min: int = 10
    load_mode: int = LoadMode.MANUAL
    timer1_min: int = 60  # after dusk
    timer2_min: int = 60  # before dawn
    on1_second: int = 0
    on1_minute: int = 0
    on1_hour: int = 19
    off1_second: int = 0
    off1_minute: int = 0
    off1_hour: int = 6
    on2_second: int = 0
    on2_minute: int = 0
    on2_hour: int = 19
    off2_second: int = 0
    off2_minute: int = 0
    off2_hour: int = 6
    backlight_s: int = 60
    night_length_min: int = 720
    timing_choice: int = 0  # 0 the first period, 1 both
    load_at_power_up: int = 1
    discharge_pct: int = 30
    charge_pct: int = 100
    management_mode: int = 0  # 0 by voltage, 1 by state of charge
    lithium_protection: int = 0  # bits 8, 9: no charge, no discharge in the cold
    charging_on: int = 1  # coil 0: stored, without effect (AN20)
    load_on: int = 1  # coil 2, in manual mode
    load_default: int = 0  # coil 3: stored, without effect (guess)
    load_test: int = 0  # coil 5
    load_forced: int = 0  # coil 6, in test mode


VOLTAGES: Final = SetPoints.user_voltages()  # names of the twelve of registers 0x9003..0x900E, in their order

# What a client may set beside these voltages. Marked: no source gives a range.
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "capacity_ah": (1, 9999),
    "compensation_mv_k_cell": (0, 9),
    "night_v": (0, 100),  # guess
    "day_v": (0, 100),  # guess
    "boost_min": (10, 180),
    "equalize_min": (0, 180),
    "system_code": (0, 2),  # codes from 36 V on are not for a unit of 12 and 24 V
    "low_temperature_charge_c": (-40, 10),
    "low_temperature_discharge_c": (-40, 10),
    "equalize_cycle_d": (0, 255),  # guess
    "battery_hot_c": (-40, 100),  # guess, as the next five
    "battery_cold_c": (-40, 100),
    "device_hot_c": (-40, 100),
    "device_cool_c": (-40, 100),
    "component_hot_c": (-40, 100),
    "component_cool_c": (-40, 100),
    "line_mohm": (0, 655),  # guess
    "night_min": (0, 999),  # guess
    "day_min": (0, 999),  # guess
    "load_mode": (0, 3),
    "timer1_min": (0, 1440),
    "timer2_min": (0, 1440),
    **{f"{edge}{n}_second": (0, 59) for edge in ("on", "off") for n in (1, 2)},
    **{f"{edge}{n}_minute": (0, 59) for edge in ("on", "off") for n in (1, 2)},
    **{f"{edge}{n}_hour": (0, 23) for edge in ("on", "off") for n in (1, 2)},
    "backlight_s": (0, 999),
    "night_length_min": (0, 1440),
    "timing_choice": (0, 1),
    "load_at_power_up": (0, 1),
    "discharge_pct": (20, 80),
    "charge_pct": (20, 100),
    "management_mode": (0, 1),
    "lithium_protection": (0, 0xFFFF),
    **dict.fromkeys(("charging_on", "load_on", "load_default", "load_test", "load_forced"), (0, 1)),
}
# Those that a site file sets by keys of `controller` itself; the others it presets by name.
ELSEWHERE: Final = ("boost_min", "equalize_min", "compensation_mv_k_cell", "capacity_ah")
PRESET: Final = tuple(name for name in RANGES if name not in ELSEWHERE)
MODES: Final = {mode.name.lower(): int(mode) for mode in LoadMode}

# higher, lower, strictly above? The protocol documents print > throughout; units in the field accept equality
# where the manuals do (MAN_XTRA).
ORDERING: Final = (
    ("over_voltage_disconnect_v", "charging_limit_v", True),
    ("over_voltage_disconnect_v", "over_voltage_reconnect_v", True),
    ("charging_limit_v", "equalize_v", False),
    ("equalize_v", "boost_v", False),
    ("boost_v", "float_v", False),
    ("float_v", "boost_reconnect_v", True),
    ("boost_reconnect_v", "low_voltage_reconnect_v", True),
    ("low_voltage_reconnect_v", "low_voltage_disconnect_v", True),
    ("low_voltage_disconnect_v", "discharging_limit_v", False),
    ("under_voltage_recover_v", "under_voltage_warning_v", True),
    ("under_voltage_warning_v", "discharging_limit_v", False),
    ("day_v", "night_v", False),  # guess: no document says so, but a night brighter than the day never ends
)
# Lithium besides: charging ends where the reconnect voltage lies, and equalizing is boost. The documents have OVR = CL;
# the LiNCM rows, as printed, have it below.
LITHIUM_ORDERING: Final = (
    *ORDERING,
    ("charging_limit_v", "over_voltage_reconnect_v", False),
    ("boost_v", "equalize_v", False),
)
LEAD_COMPENSATION_MV_K: Final = 3.0


def preset(code: int, system_v: int) -> dict[str, float]:
    """The twelve voltages that go with a battery type, by name [V]."""
    row = TYPE_OF_CODE[code]
    times = 1 if row.system_v else system_v // 12
    return {name: volt * times for name, volt in zip(VOLTAGES, row.volts, strict=True)}


def factory(code: int, system_v: int) -> Settings:
    """Settings of a new unit for a battery type on a system of 12 or 24 V."""
    row, blocks = TYPE_OF_CODE[code], system_v // 12
    return Settings(
        battery_type=code,
        capacity_ah=200,
        compensation_mv_k_cell=0.0 if row.lithium else LEAD_COMPENSATION_MV_K,
        **preset(code, system_v),  # type: ignore[arg-type]  # names of voltages only
        night_v=5.0 * blocks,
        day_v=6.0 * blocks,
        system_code=blocks if row.lithium or code == USER else 0,  # neither goes with 0 (V26, MAN_XTRA)
    )


def disorder(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """Pairs of voltages that stand in an order the device refuses: higher, lower, strictly."""
    for higher, lower, strict in (
        LITHIUM_ORDERING if TYPE_OF_CODE[settings.battery_type].lithium else ORDERING
    ):
        above = getattr(settings, higher) - getattr(settings, lower)
        if above < 0.0 or (strict and above == 0.0):
            yield higher, lower, strict


def out_of_range(settings: Settings) -> Iterator[tuple[str, tuple[float, float]]]:
    """Fields outside of `RANGES`, and what these are."""
    for name, (least, most) in RANGES.items():
        if not least <= getattr(settings, name) <= most:
            yield name, (least, most)


def known_setting(name: str, value: int | float | str) -> int | float:
    """The value of a setting that a site file presets by name, as `Settings` has it.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if name not in PRESET:
        raise ValueError(f"unknown setting {name}{did_you_mean(name, PRESET)}; known: {', '.join(PRESET)}")
    if name == "load_mode" and value in MODES:
        value = MODES[str(value)]
    least, most = RANGES[name]
    whole = Settings.__annotations__[name] is int
    if isinstance(value, str) or not least <= value <= most or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        names = f" or one of {', '.join(MODES)}" if name == "load_mode" else ""
        raise ValueError(f"{name} must be {kind} in {least:g}..{most:g}{names}, got {value!r}")
    return int(value) if whole else float(value)


def checked(settings: Settings, any_order: bool = False) -> Settings:
    """The settings.

    Parameters
    ----------
    settings : Settings
    any_order : bool
        Whether the device takes its voltages in whatever order.

    Raises
    ------
    ValueError
        When there is no such battery type, a value is out of its range, or two voltages stand in an order that the
        device refuses.
    """
    if settings.battery_type not in TYPE_OF_CODE:
        known = ", ".join(str(code) for code in TYPE_OF_CODE)
        raise ValueError(f"unknown battery type {settings.battery_type}; known: {known}")
    for name, (least, most) in out_of_range(settings):
        raise ValueError(f"{name} must lie in {least:g}..{most:g}, got {getattr(settings, name):g}")
    for higher, lower, strict in () if any_order else disorder(settings):
        relation = "above" if strict else "at or above"
        raise ValueError(
            f"set-points out of order: {higher} ({getattr(settings, higher):g} V) must lie {relation} "
            f"{lower} ({getattr(settings, lower):g} V)"
        )
    return settings


# What the display derives from the four voltages that its "USE" type asks for [MAN_XTRA]: of which, and how far [V].
DERIVED: Final[Mapping[str, tuple[tuple[str, str, float], ...]]] = {
    "lead-acid": (
        ("over_voltage_disconnect_v", "boost_v", 1.4), ("charging_limit_v", "boost_v", 0.6),
        ("over_voltage_reconnect_v", "boost_v", 0.6), ("equalize_v", "boost_v", 0.2),
        ("boost_reconnect_v", "float_v", -0.6), ("under_voltage_warning_v", "low_voltage_disconnect_v", 0.9),
        ("under_voltage_recover_v", "under_voltage_warning_v", 0.2),
        ("discharging_limit_v", "low_voltage_disconnect_v", -0.5),
    ),
    "lifepo4": (
        ("over_voltage_disconnect_v", "boost_v", 0.3), ("charging_limit_v", "boost_v", 0.1),
        ("over_voltage_reconnect_v", "boost_v", 0.1), ("equalize_v", "boost_v", 0.0),
        ("boost_reconnect_v", "float_v", -0.6), ("under_voltage_warning_v", "low_voltage_disconnect_v", 0.9),
        ("under_voltage_recover_v", "under_voltage_warning_v", 0.2),
        ("discharging_limit_v", "low_voltage_disconnect_v", -0.1),
    ),
    "lincm": (
        ("over_voltage_disconnect_v", "boost_v", 0.3), ("charging_limit_v", "boost_v", 0.1),
        ("over_voltage_reconnect_v", "boost_v", 0.0), ("equalize_v", "boost_v", 0.0),
        ("boost_reconnect_v", "float_v", -0.1), ("under_voltage_warning_v", "low_voltage_disconnect_v", 1.2),
        ("under_voltage_recover_v", "under_voltage_warning_v", 1.7),
        ("discharging_limit_v", "low_voltage_disconnect_v", -0.1),
    ),
}  # fmt: skip


def family(code: int) -> str:
    """Which table of `DERIVED` goes with a battery type."""
    return next((kind for kind in DERIVED if TYPE_OF_CODE[code].name.startswith(kind)), "lead-acid")


def derived(
    boost_v: float,
    float_v: float,
    low_voltage_reconnect_v: float,
    low_voltage_disconnect_v: float,
    kind: str = "lead-acid",
    system_v: int = 12,
) -> dict[str, float]:
    """The twelve voltages that the display makes of four, by name [V].

    Parameters
    ----------
    boost_v, float_v, low_voltage_reconnect_v, low_voltage_disconnect_v : float
        Of the whole battery [V].
    kind : str
        A table of `DERIVED`.
    system_v : int
        12 or 24: distances grow with it.
    """
    volts = {
        "boost_v": boost_v,
        "float_v": float_v,
        "low_voltage_reconnect_v": low_voltage_reconnect_v,
        "low_voltage_disconnect_v": low_voltage_disconnect_v,
    }
    for name, base, distance_v in DERIVED[kind]:
        volts[name] = round(volts[base] + distance_v * (system_v // 12), 2)
    return volts
