"""What every quantity is called wherever it leaves the plant, and what it must be: one table, written by hand.

The values come from the plant's parts (sky, array, battery state, data sheet numbers) and from sums over five-second
steps, never from the code that shows them, so that a name at a wrong place is seen. The afternoon they are taken in is
made for that: no two neighbours agree, no clock shows UTC, and today, this month, this year and ever differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
from pvlib import pvsystem

from plant.array.day import ArrayDay
from plant.array.model import light_on
from plant.base.clock import DAY_S
from plant.battery import leadacid
from plant.battery.leadacid import LeadAcidState
from plant.inputs import inputs_of
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.site.model import Site
from plant.weather import sun
from plant.weather.sky import SkyDay, sky_day
from tests.plants import AT_THE_BATTERY, ENERGIES_AT_THE_BATTERY, plant, site

SEED = 3
STEP_S = 5
AHEAD_S = 20_700  # Kathmandu: UTC + 5:45, and no daylight saving
GAINS_S_DAY = 0.1  # of the controller's clock: its midnight is in the step of civil midnight


def _utc_s(*local: int) -> int:
    """A civil time at the site."""
    return int(datetime(*local, tzinfo=UTC).timestamp()) - AHEAD_S  # type: ignore[misc, arg-type]


START_UTC_S = _utc_s(2025, 12, 29, 10)
YEAR_UTC_S, MONTH_UTC_S, DAY_UTC_S = _utc_s(2026, 1, 1), _utc_s(2026, 2, 1), _utc_s(2026, 2, 2)
MOMENT_UTC_S, MOMENT_LOCAL = _utc_s(2026, 2, 2, 15, 7), "2026-02-02 15:07:00"

CABLE_OHM, PV_WIRING_OHM = 0.011, 0.05
# A Tracer 1210N: what config/controllers/tracer1210n.yaml says, and the guess for the load switch's heat.
RATED_A, PATH_OHM, OWN_W, HEATSINK_K_W, HEATSINK_J_K, SWITCH_OHM = 10.0, 0.018, 0.17, 1.9, 375.0, 0.0115
LVD_V, FLOAT_V, BOOST_V, SLOPE_V_K = 11.1, 13.8, 14.4, -0.018  # sealed, 12 V; 3 mV/K for each of six cells
# Just past midnight a load of twice the rating trips the output for good; dawn forgets that, and one retry has it on. A
# little load lets the battery be full by noon, and more than the array gives has it discharged in the afternoon.
NIGHT_W, NOON_W, AFTERNOON_W, SUNDAY_W = 190.0, 3.0, 115.0, 70.0
CHANGES = {
    "location": {
        "latitude_deg": 27.7, "longitude_deg": 85.3, "altitude_m": 1400, "timezone": "Asia/Kathmandu",
        "linke_turbidity": 3.0,
    },
    "sky": {"clearness": None},
    "weather": {"temperature_c": tuple([14.0] * 12), "wind_m_s": 2.6},
    "array": {"parallel": 2},
    "controller": {"model": "tracer1210n", "clock_drift_s_day": GAINS_S_DAY},
    "battery": {"capacity_ah": 90.0, "soc": 0.93, "room_c": 21.0, "cable_ohm": CABLE_OHM},
    "load": {
        "hourly_w": None,
        "items": ({
            "name": "house", "kind": "profile",
            "weekly_w": (
                (NIGHT_W, *[NOON_W] * 12, *[AFTERNOON_W] * 11),  # Monday: today
                *[(NIGHT_W, *[NOON_W] * 23)] * 5,
                (NIGHT_W, *[NOON_W] * 12, *[SUNDAY_W] * 11),
            ),
        },),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """A day up to a moment of the afternoon, and what it is made of."""

    plant: Plant
    site: Site
    since: dict[str, Snapshot]  # the plant at the begin of `day`, `month`, `year` and `run`
    now: Snapshot
    rows: dict[str, np.ndarray]  # each step of today, (steps,) by quantity
    states: tuple[LeadAcidState, ...]  # of the battery, one more than steps
    steps: range  # of the solar day, those of today
    sky: SkyDay
    array: ArrayDay
    demand_w: np.ndarray

    # sun and array

    def of_sky(self, values: np.ndarray) -> float:
        """The sky in the middle of the last step."""
        t_s = np.arange(values.size) * self.sky.grid_s
        return float(np.interp((self.steps[-1] + 0.5) * STEP_S, t_s, values))

    def curve(self) -> dict[str, float]:
        """The array's curve in the last step, by pvlib."""
        k, a = self.steps[-1], self.array
        found = pvsystem.singlediode(a.i_l_a[k], a.i_0_a[k], a.r_s_ohm, a.r_sh_ohm[k], a.a_v[k])
        return {name: float(found[name]) for name in ("v_oc", "v_mp", "p_mp")}

    # battery and node, from the charge that went in

    @property
    def x(self) -> LeadAcidState:
        return self.states[-1]

    def battery_a(self) -> float:
        """Current that the two wells' charge and the double layer took in the last step."""
        p, (before, after) = self.site.battery.new(), self.states[-2:]
        charge_ah = after.q1_ah + after.q2_ah - before.q1_ah - before.q2_ah
        return float(charge_ah * 3600.0 + p.double_layer_f * (after.v_node_v - before.v_node_v)) / STEP_S

    def cells_v(self) -> float:
        at_temperature = leadacid.at_temperature(self.x.t_c, self.site.battery.new())
        return float(
            self.x.v_node_v
            + self.x.v_slow_v
            + leadacid.series_resistance(self.x, at_temperature) * self.battery_a()
        )

    def terminal_v(self) -> float:
        return self.cells_v() + CABLE_OHM * self.battery_a()

    def load_a(self) -> float:
        """Of a load that takes its power at the far end of the switch."""
        v, w = self.terminal_v(), float(self.demand_w[-1])
        return (v - (v * v - 4.0 * PATH_OHM * w) ** 0.5) / (2.0 * PATH_OHM)

    def load_v(self) -> float:
        return self.terminal_v() - PATH_OHM * self.load_a()

    def charge_a(self) -> float:
        return self.battery_a() + self.load_a() + OWN_W / self.terminal_v()

    def target_v(self) -> float:
        return BOOST_V + SLOPE_V_K * (self.x.t_c - 25.0)

    # through the day

    def heatsink_c(self) -> float:
        """First-order lag to the room and the heat of converter and load switch, from midnight on."""
        converter_w = self.rows["p_pv_w"] - self.rows["p_chg_w"]
        steady_c = 21.0 + HEATSINK_K_W * (converter_w + SWITCH_OHM * self.rows["i_load_a"] ** 2)
        t_c, share = self.since["day"].t_heatsink_c, 1.0 - np.exp(-STEP_S / (HEATSINK_K_W * HEATSINK_J_K))
        for target_c in steady_c:
            t_c += share * (target_c - t_c)
        return float(t_c)

    def night_min(self) -> float:
        """Length of the last whole night, by the transitions."""
        dusk, dawn = [event.t_utc_s for event in self.plant.events() if event.machine.name == "DAYLIGHT"][-2:]
        return (dawn - dusk) / 60.0

    def wh(self, power_w: np.ndarray, where: np.ndarray | bool = True) -> float:
        """Today's integral of a power."""
        return float(np.sum(power_w * where)) * STEP_S / 3600.0

    def float_v(self) -> float:
        """The float voltage at the battery's temperature: where the gauge is full."""
        return FLOAT_V + SLOPE_V_K * (self.x.t_c - 25.0)

    def untaken_wh(self, why: str) -> float:
        """What the array could have given besides; a battery held at its voltage may take no current at all."""
        r = self.rows
        regime, idle = r["regime"], r["regime"] == 0
        held = (r["stage"] > 0) & (r["v_batt_v"] > r["v_target_v"] - 0.01)
        full = (regime == 2) | (idle & held)
        where = {
            "off": idle & ~held,
            "missed": (regime == 1) | (regime == 4),
            "full": full,
            "limit": regime == 3,
        }[why]
        return self.wh(r["p_mp_w"] - r["p_pv_w"], where)

    def kwh_since(self, when: str, account: str) -> float:
        return float(getattr(self.now, account) - getattr(self.since[when], account)) / 1000.0

    def loss_wh(self, name: str) -> float:
        """Today's loss inside the battery, by cause: the battery's own rates at the middle of every step."""
        p, total = self.site.battery.new(), 0.0
        for before, after, i_a in zip(self.states, self.states[1:], self.rows["i_batt_a"], strict=False):
            middle = LeadAcidState(*(0.5 * (a + b) for a, b in zip(before, after, strict=True)))
            total += getattr(leadacid.rates(middle, i_a, 21.0, p)[1], name)
        return total * STEP_S / 3600.0


@cache
def lived() -> Lived:
    """Five weeks, then today step by step."""
    made = site(**CHANGES)
    p = plant(SEED, START_UTC_S, **CHANGES)
    since = {"run": p.snapshot}
    for name, t_utc_s in (("year", YEAR_UTC_S), ("month", MONTH_UTC_S), ("day", DAY_UTC_S)):
        since[name] = p.advance_to(t_utc_s)
    states, seen = [p.remembered().memory.x], []
    for t_utc_s in range(DAY_UTC_S + STEP_S, MOMENT_UTC_S + 1, STEP_S):
        seen.append(p.advance_to(t_utc_s))
        states.append(p.remembered().memory.x)
    number = sun.day_of(MOMENT_UTC_S - STEP_S, made.location.longitude_deg)
    inputs = inputs_of(made, SEED, number)
    assert isinstance(inputs.array, ArrayDay)
    steps = range((DAY_UTC_S - inputs.start_utc_s) // STEP_S, (MOMENT_UTC_S - inputs.start_utc_s) // STEP_S)
    rows = dict(zip(Snapshot._fields, np.array(seen).T, strict=True))
    return Lived(
        p, made, since, p.snapshot, rows, tuple(states), steps, sky_day(made, SEED, number), inputs.array,
        inputs.demand.power_w[steps.start : steps.stop],
    )  # fmt: skip


Value = Callable[[Lived], float]


@dataclass(frozen=True)
class Register:
    """Where a map shows a quantity, and the worth of one in its lowest bit."""

    map_name: str
    table: str
    address: int
    step: float = 0.01
    words: int = 1
    signed: bool = False
    turned: bool = False  # shown with the other sign, or 0
    bits: tuple[int, int] = (0, 16)  # lowest bit and width
    codes: tuple[int, ...] = ()  # what stands there for a number

    def number(self, words: tuple[int, ...]) -> float:
        """What words, low word first, say in the quantity's unit."""
        whole = sum(word << (16 * place) for place, word in enumerate(words))
        if self.bits != (0, 16):
            whole = whole >> self.bits[0] & ((1 << self.bits[1]) - 1)
        if self.signed and whole >> (16 * self.words - 1):
            whole -= 1 << (16 * self.words)
        return -whole * self.step if self.turned else whole * self.step

    def shown(self, value: float) -> float:
        """What stands there of a value, but for rounding."""
        if self.codes:
            return self.codes[round(value)]
        if not self.signed:
            return min(0.0, value) if self.turned else max(0.0, value)
        return value


def both(address: int, **how: object) -> tuple[Register, ...]:
    """An input register at the same place in both maps."""
    return tuple(Register(name, "input", address, **how) for name in ("epever", "uart2"))  # type: ignore[arg-type]


def apart(epever: int, uart2: int) -> tuple[Register, ...]:
    """Energies that both maps have at the vendor's place, and `uart2` at its own as well; 32 bits."""
    return (*both(epever, words=2), Register("uart2", "input", uart2, words=2))


STAGE_CODES = (0, 2, 2, 3, 1)  # none, bulk (as boost), boost, equalize, float


@dataclass(frozen=True)
class Boundary:
    """A quantity at every place where it leaves the plant. The columns of a trace have the field's own name."""

    name: str
    value: Value  # an energy of the account: since midnight
    rel: float = 1e-9
    abs: float = 1e-9
    registers: tuple[Register, ...] = ()
    stored: str = ""  # its column in the state file and in `history --out`

    @property
    def is_account(self) -> bool:
        """Counted since the start of the run; compared by what it grew since midnight."""
        return self.name.startswith("e_") or self.name.endswith("total_kwh")

    def wanted(self) -> float:
        """What it must be on the day of `lived`."""
        return _wanted(self)


@cache
def _wanted(row: Boundary) -> float:
    return float(row.value(lived()))


def _last_state(machine: str) -> Callable[[Lived], str]:
    return lambda d: [event.to for event in d.plant.events() if event.machine.name == machine][-1]


def _stage(d: Lived) -> float:
    return ("NONE", "BULK", "BOOST", "EQUALIZE", "FLOAT").index(_last_state("CHARGE")(d))


_row = Boundary
BOUNDARIES = (
    _row("t_utc_s", lambda _: MOMENT_UTC_S),
    _row("t_device_s", lambda _: MOMENT_UTC_S + AHEAD_S + GAINS_S_DAY * (MOMENT_UTC_S - START_UTC_S) / DAY_S, abs=1e-5),

    _row("ghi_w_m2", lambda d: d.of_sky(d.sky.ghi_w_m2), rel=1e-4),
    _row("poa_w_m2", lambda d: d.of_sky(light_on(d.site.array.parts[0], d.sky, 0.2).whole), rel=1e-4,
         stored="poa_w_m2"),
    _row("t_amb_c", lambda d: d.of_sky(d.sky.t_amb_c), rel=1e-4, stored="t_amb_c",
         registers=both(0x3113, signed=True)),
    _row("wind_m_s", lambda d: d.of_sky(d.sky.wind_m_s), rel=1e-4),

    _row("t_cell_c", lambda d: float(d.array.t_cell_c[d.steps[-1]])),
    _row("v_oc_v", lambda d: d.curve()["v_oc"], rel=1e-6),
    _row("p_mp_w", lambda d: d.curve()["p_mp"], rel=1e-6, stored="p_mp_w"),
    _row("v_pv_v", lambda d: d.curve()["v_mp"], rel=0.01, stored="v_pv_v", registers=both(0x3100)),
    _row("i_pv_a", lambda d: 0.995 * d.curve()["p_mp"] / d.curve()["v_mp"], rel=0.01, stored="i_pv_a"),
    _row("p_pv_w", lambda d: 0.995 * d.curve()["p_mp"], rel=1e-3, stored="p_pv_w"),

    _row("stage", _stage, stored="stage", registers=(
        *both(0x3201, step=1, bits=(2, 2), codes=STAGE_CODES)[:1],
        Register("uart2", "input", 0x3200, step=1, bits=(2, 2), codes=STAGE_CODES),
    )),
    _row("regime", lambda _: 1.0),
    _row("i_chg_a", Lived.charge_a, rel=2e-3, stored="i_chg_a", registers=both(0x3105)),
    _row("p_chg_w", lambda d: d.terminal_v() * d.charge_a(), rel=2e-3),
    _row("v_target_v", Lived.target_v, abs=0.002, stored="v_target_v"),
    _row("t_heatsink_c", Lived.heatsink_c, rel=1e-4, stored="t_heatsink_c",
         registers=(*both(0x3111, signed=True), *both(0x3112, signed=True))),
    _row("night", lambda d: float(_last_state("DAYLIGHT")(d) == "NIGHT"),
         registers=(Register("epever", "discrete", 0x200C, step=1), Register("uart2", "discrete", 0x200C, step=1))),
    _row("night_length_min", Lived.night_min),
    _row("battery_status", lambda _: 0.0, registers=(Register("epever", "input", 0x3200, step=1, bits=(0, 4)),)),
    _row("battery_heat", lambda _: 0.0, registers=(Register("epever", "input", 0x3200, step=1, bits=(4, 4)),)),
    _row("heatsink_hot", lambda _: 0.0, registers=(Register("epever", "discrete", 0x2000, step=1),)),
    _row("wrong_voltage", lambda _: 0.0, registers=(Register("epever", "input", 0x3200, step=1, bits=(15, 1)),)),
    _row("pv_too_high", lambda _: 0.0, registers=(Register("epever", "input", 0x3201, step=1, bits=(15, 1)),)),

    _row("v_batt_v", Lived.terminal_v, abs=5e-4, stored="v_batt_v", registers=(*both(0x3104), *both(0x331A))),
    _row("v_cells_v", Lived.cells_v, abs=5e-4),
    _row("i_batt_a", Lived.battery_a, rel=1e-2, stored="i_batt_a", registers=(
        *both(0x331B, words=2, signed=True), *both(0x3316, words=2), *both(0x3318, words=2, turned=True),
    )),
    _row("soc", lambda d: (d.x.q1_ah + d.x.q2_ah) / d.site.battery.new().full_capacity_ah, rel=1e-6, stored="soc"),
    _row("soc_controller", lambda d: (d.terminal_v() - LVD_V) / (d.float_v() - LVD_V), abs=5e-4,
         stored="soc_controller"),
    _row("t_batt_c", lambda d: d.x.t_c, stored="t_batt_c"),
    _row("frozen", lambda _: 0.0),
    _row("t_probe_c", lambda d: d.x.t_c, abs=0.0501, registers=tuple(
        register for address in (0x3110, 0x311B, 0x331D, 0x331E) for register in both(address, signed=True)
    )),

    _row("load_on", lambda d: float(_last_state("LOAD")(d) == "ON"), stored="load_on",
         registers=both(0x3202, step=1, bits=(0, 1))),
    _row("load_called", lambda _: 1.0),
    _row("load_state", lambda _: 0.0, registers=both(0x3202, step=1, bits=(1, 1))),
    _row("load_retries", lambda _: 1.0),
    _row("load_share", lambda d: d.load_a() / RATED_A, rel=1e-4),
    _row("v_load_v", Lived.load_v, abs=5e-4, stored="v_load_v"),
    _row("i_load_a", Lived.load_a, rel=1e-4, stored="i_load_a", registers=(*both(0x310D), *both(0x3109))),
    _row("p_load_w", lambda d: AFTERNOON_W, stored="p_load_w"),

    *(_row(name, lambda _: 0.0) for name in AT_THE_BATTERY),  # see tests/test_connected.py
    _row("generated_today_kwh", lambda d: d.wh(d.rows["p_chg_w"]) / 1e3, rel=1e-3, registers=apart(0x330C, 0x3300)),
    _row("generated_month_kwh", lambda d: d.kwh_since("month", "e_chg_wh"), registers=both(0x330E, words=2)),
    _row("generated_year_kwh", lambda d: d.kwh_since("year", "e_chg_wh"), registers=both(0x3310, words=2)),
    _row("generated_total_kwh", lambda d: d.wh(d.rows["p_chg_w"]) / 1e3, rel=1e-3, stored="generated_total_kwh",
         registers=apart(0x3312, 0x3302)),
    _row("consumed_today_kwh", lambda d: d.wh(d.rows["p_load_w"]) / 1e3, rel=1e-3, registers=apart(0x3304, 0x3304)),
    _row("consumed_month_kwh", lambda d: d.kwh_since("month", "e_load_wh"),
         registers=(Register("epever", "input", 0x3306, words=2),)),
    _row("consumed_year_kwh", lambda d: d.kwh_since("year", "e_load_wh"), registers=both(0x3308, words=2)),
    _row("consumed_total_kwh", lambda d: d.wh(d.rows["p_load_w"]) / 1e3, rel=1e-3, stored="consumed_total_kwh",
         registers=apart(0x330A, 0x3306)),
    _row("v_pv_max_today_v", lambda d: float(d.rows["v_pv_v"].max()),
         registers=(Register("epever", "input", 0x3300),)),
    _row("v_pv_min_today_v", lambda d: float(d.rows["v_pv_v"].min()),
         registers=(Register("epever", "input", 0x3301),)),
    _row("v_batt_max_today_v", lambda d: float(d.rows["v_batt_v"].max()),
         registers=(Register("epever", "input", 0x3302),)),
    _row("v_batt_min_today_v", lambda d: float(d.rows["v_batt_v"].min()),
         registers=(Register("epever", "input", 0x3303),)),

    _row("e_available_wh", lambda d: d.wh(d.rows["p_mp_w"]), rel=1e-6, stored="e_available_wh"),
    _row("e_missed_wh", lambda d: d.untaken_wh("missed"), rel=0.02, stored="e_missed_wh"),
    _row("e_untaken_full_wh", lambda d: d.untaken_wh("full"), rel=0.01, stored="e_untaken_full_wh"),
    _row("e_untaken_bms_wh", lambda _: 0.0, stored="e_untaken_bms_wh"),
    _row("e_untaken_cold_wh", lambda _: 0.0, stored="e_untaken_cold_wh"),
    _row("e_untaken_limit_wh", lambda d: d.untaken_wh("limit"), rel=0.02, stored="e_untaken_limit_wh"),
    _row("e_untaken_pv_high_wh", lambda _: 0.0, stored="e_untaken_pv_high_wh"),
    _row("e_untaken_off_wh", lambda d: d.untaken_wh("off"), rel=0.02, stored="e_untaken_off_wh"),
    _row("e_pv_wh", lambda d: d.wh(d.rows["p_pv_w"]), rel=1e-3, stored="e_pv_wh"),
    _row("e_pv_wiring_wh", lambda d: PV_WIRING_OHM * d.wh(d.rows["i_pv_a"] ** 2), rel=1e-3),
    _row("e_converter_loss_wh", lambda d: d.wh(d.rows["p_pv_w"] - d.rows["p_chg_w"]), rel=1e-3),
    _row("e_chg_wh", lambda d: d.wh(d.rows["p_chg_w"]), rel=1e-3, stored="e_chg_wh"),
    _row("e_batt_wiring_wh", lambda d: CABLE_OHM * d.wh(d.rows["i_batt_a"] ** 2), rel=5e-3),
    _row("e_path_loss_wh", lambda d: PATH_OHM * d.wh(d.rows["i_load_a"] ** 2), rel=1e-3),
    _row("e_load_wh", lambda d: d.wh(d.rows["p_load_w"]), rel=1e-3, stored="e_load_wh"),
    _row("e_own_wh", lambda _: OWN_W * (MOMENT_UTC_S - DAY_UTC_S) / 3600.0, rel=1e-6),
    _row("e_batt_wh", lambda d: d.wh(d.rows["v_batt_v"] * d.rows["i_batt_a"]), rel=2e-3),
    *(_row(name, lambda _: 0.0) for name in ENERGIES_AT_THE_BATTERY),
    _row("e_unserved_wh", lambda d: d.wh(d.demand_w, d.rows["load_on"] == 0.0), rel=0.02, stored="e_unserved_wh"),
    _row("e_ohmic_wh", lambda d: d.loss_wh("ohmic_w"), rel=0.01),
    _row("e_polarisation_wh", lambda d: d.loss_wh("polarisation_w"), rel=0.01),
    _row("e_side_wh", lambda d: d.loss_wh("side_w"), rel=0.01),
    _row("e_diffusion_wh", lambda d: d.loss_wh("diffusion_w"), rel=0.01),
    _row("e_hysteresis_wh", lambda _: 0.0),  # lead-acid has none
    _row("e_entropy_wh", lambda d: d.loss_wh("entropy_w"), rel=0.01, abs=1e-4),
    _row("e_faded_wh", lambda _: 0.0),  # nothing has aged
    _row("e_stored_wh", lambda d: d.wh(d.rows["v_cells_v"] * d.rows["i_batt_a"]) + d.loss_wh("entropy_w") - sum(
        d.loss_wh(f"{name}_w") for name in ("ohmic", "polarisation", "side", "diffusion")
    ), rel=5e-3),
)  # fmt: skip
