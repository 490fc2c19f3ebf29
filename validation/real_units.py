"""What real Tracer AN units reported for whole days, beside the twin's laws and the twin under the same light."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from modbus.device.interface import Shown
from modbus.device.sensors import BULK, FLOAT, HELD, IDLE, NIGHT, Sensors, Spread
from modbus.map.derived import FORMULAS, Operand
from plant.battery import leadacid
from plant.battery.acid import LeadAcid
from plant.controller.charger import Machine
from plant.controller.model import ControllerModel, power_stage
from plant.controller.setpoints import gauge_ends_v
from plant.controller.settings import factory
from plant.kernel.snapshot import Snapshot
from plant.power.converter import Regime
from validation.check import Check
from validation.givenlight import plant_in
from validation.real_logs import BROOKLYN, MELBOURNE, PASSING_V, TARGET_V, Log, light_w_m2, load_a, read

STAGE: Final = power_stage(ControllerModel.load("tracer3210n"), 12)
NEW: Final = factory(1, 12)
LAW: Final = "fitted to the Melbourne log"
# Charge current [A] from, to; and which log has samples there.
BINS: Final = ((0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.7))
HARVEST: Final = {20: 0.89, 50: 0.85, 100: 0.82, 200: 0.80, 400: 0.77}
SINGLE_DIODE: Final = "a single diode of 50 W by the same law, computed apart; irradiance wasn't logged"
BOOST_MIN: Final = 3.0  # from one sample to the next
# Not known: the first is fitted to the charge of the days, the second a guess by how fast the voltage rises.
CAPACITY_AH: Final = {MELBOURNE: 46.0, BROOKLYN: 7.0}


def checks() -> Iterator[Check]:
    """Identities, gauge, dim light, idle voltage, boost, noise; and the logs' days lived through again."""
    yield from _harvest()
    for source in (MELBOURNE, BROOKLYN):
        log = read(source)
        yield from _identities(log)
        yield from _gauge(log)
        yield from _dim_light(log)
        yield from _noise(log)
    yield from _boost_times()
    for replay in (_replayed(MELBOURNE, 2), _replayed(BROOKLYN, 1)):
        yield from _replay(replay)


def _place(log: Log) -> str:
    return "Melbourne" if log.source == MELBOURNE else "Brooklyn"


# --- laws beside the samples ----------------------------------------------------------------------------------------


def _steps(values: np.ndarray) -> np.ndarray:
    return np.rint(100.0 * values).astype(int)


def _made(formula: str, *of: np.ndarray) -> np.ndarray:
    rows = zip(*map(_steps, of), strict=True)
    return np.array([FORMULAS[formula].steps([Operand(int(n), 100.0) for n in row], 100.0) for row in rows])


def _identities(log: Log) -> Iterator[Check]:
    on = log.where((log.i_load_a > 0.0) & np.isfinite(log.p_load_w))
    for what, law, theirs in (
        ("0x3102 PV power is 0x3106 charge power", _made("copy", log.p_chg_w), log.p_pv_w),
        ("0x3106 is 0x3104 x 0x3105, cut off", _made("product", log.v_batt_v, log.i_chg_a), log.p_chg_w),
        ("0x3101 is 0x3106 / 0x3100, cut off", _made("quotient", log.p_chg_w, log.v_pv_v), log.i_pv_a),
        ("0x310C load voltage is 0x3104", _made("copy", on.v_batt_v), on.v_load_v),
        ("0x310E is 0x310C x 0x310D, cut off", _made("product", on.v_load_v, on.i_load_a), on.p_load_w),
    ):
        told = _steps(theirs)
        yield Check(
            what=f"{_place(log)}: {what}: samples", value=100.0 * float((law == told).mean()), reference=100.0,
            tolerance=0.0, unit="%", source=log.source, note=f"{told.size} samples",
        )  # fmt: skip


def _gauge(log: Log) -> Iterator[Check]:
    """The line through the samples that are neither 0 nor 100 %: where it has its ends, and how far ours is off."""
    low_v, high_v = gauge_ends_v(NEW, 12, 25.0)
    inside = log.where((log.soc > 0.0) & (log.soc < 1.0))
    slope, zero = np.polyfit(inside.v_batt_v, inside.soc + 0.005, 1)  # cut off: half a point low on average
    for what, ours, theirs in (("0 %", low_v, -zero / slope), ("100 %", high_v, (1.0 - zero) / slope)):
        yield Check(
            what=f"{_place(log)}: gauge 0x311A, voltage of {what}", value=ours, reference=float(theirs), tolerance=0.05,
            unit="V", source=log.source, note=f"{inside.soc.size} samples; ours at 25 degC",
        )  # fmt: skip
    hour = (inside.t_s % 86400.0 // 3600.0).astype(int)
    ends = low_v + (inside.v_batt_v - low_v) / (inside.soc + 0.005)
    then_v = np.array([np.median(ends[hour == h]) for h in hour])
    shares = np.clip((inside.v_batt_v - low_v) / (then_v - low_v), 0.0, 1.0)
    near = np.abs(np.floor(100.0 * shares) - 100.0 * inside.soc) < 1.5
    yield Check(
        what=f"{_place(log)}: gauge 0x311A within a point, its upper end as of the hour", unit="%",
        value=100.0 * float(near.mean()), reference=98.0, tolerance=2.0, source=log.source,
        note="the float voltage goes with the temperature, which isn't logged",
    )  # fmt: skip


def _passing(log: Log) -> Log:
    return log.where((log.i_chg_a > 0.0) & (log.above_v < PASSING_V) & (log.v_batt_v < 13.7))


def _dim_light(log: Log) -> Iterator[Check]:
    passing = _passing(log)
    tolerance = 0.08 if log.source == MELBOURNE else 0.14
    for low, high in BINS if log.source == MELBOURNE else BINS[1:]:  # below that Brooklyn hunts
        here = passing.where((passing.i_chg_a >= low) & (passing.i_chg_a < high))
        if here.i_chg_a.size < 12:
            continue
        i_a = float(np.median(here.i_chg_a))
        law = STAGE.dim_drop_v + STAGE.dim_drop_v_root_a * i_a**0.5
        yield Check(
            what=f"{_place(log)}: array less battery, passing {low:g} to {high:g} A", value=law,
            reference=float(np.median(here.above_v)), tolerance=tolerance, unit="V", source=log.source,
            note=f"{here.i_chg_a.size} samples; {LAW}",
        )  # fmt: skip
    second = passing.where((passing.i_chg_a > 1.0) & (passing.i_chg_a < 1.3))
    if second.i_chg_a.size:
        yield Check(
            what=f"{_place(log)}: array less battery on the second branch", value=STAGE.dim_bridge_v,
            reference=float(np.median(second.above_v)), tolerance=0.05, unit="V", source=log.source,
            note=f"{second.i_chg_a.size} samples; {LAW}",
        )  # fmt: skip
    first = passing.where((passing.above_v > 1.2) & (passing.i_chg_a > 0.5))
    if second.i_chg_a.size and first.i_chg_a.size:
        yield Check(
            what=f"{_place(log)}: where the second branch begins", value=STAGE.dim_bridge_from_a,
            reference=float(first.i_chg_a.max()), tolerance=0.15, unit="A", source=log.source,
            note="the largest current seen on the first",
        )  # fmt: skip


def _harvest() -> Iterator[Check]:
    """A module of 50 W at 12.9 V."""
    for g, share in HARVEST.items():
        p = plant_in(np.full(17280, float(g)), battery={"capacity_ah": 1000.0, "soc": 0.75})
        s = p.advance_to(p.t_utc_s + 600)
        yield Check(
            what=f"50 W module at {g} W/m2, share of the maximum that is charged", value=12.9 * s.i_chg_a / s.p_mp_w,
            reference=share, tolerance=0.025, source=SINGLE_DIODE,
        )  # fmt: skip


class _State(NamedTuple):
    """A state of the unit, the samples of it, and the spread that we give it."""

    name: str
    spread: Spread
    tolerance_v: float  # the two units differ by about twice as much
    kept: np.ndarray


def _noise(log: Log) -> Iterator[Check]:
    """Robust standard deviation of one reading, from neighbours: the light's drift between them counts for little."""
    hour = log.t_s % 86400.0 / 3600.0
    held = log.above_v > PASSING_V
    charging = log.i_chg_a > 0.0
    for state in (
        _State("night", NIGHT, 0.004, (hour < 4.0) & ~charging),
        _State("idle by day", IDLE, 0.004, (log.v_pv_v > 5.0) & ~charging),
        _State("passing through", BULK, 0.010, charging & ~held & (log.v_batt_v < 13.4)),
        _State("boost", HELD, 0.028, charging & held & (log.v_batt_v > TARGET_V[log.source])),
        _State("float", FLOAT, 0.028, charging & held & (np.abs(log.v_batt_v - 13.78) < 0.25)),
    ):
        both = state.kept[1:] & state.kept[:-1] & (np.diff(log.t_s) < 200.0)
        steps = np.abs(np.diff(log.v_batt_v))[both]
        if steps.size < 50:
            continue
        theirs = float(np.median(steps[steps > 0.0] if (steps > 0.0).mean() > 0.5 else steps)) * 1.048
        if state.name in ("night", "idle by day"):
            theirs = float(np.sqrt(np.mean(np.minimum(steps, 0.03) ** 2) / 2.0))  # most neighbours are equal
        ours = _spread_of_ours(state.spread)
        yield Check(
            what=f"{_place(log)}: scatter of the battery's reading, {state.name}", value=ours, reference=theirs,
            tolerance=state.tolerance_v, unit="V", source=log.source, note=f"{steps.size} neighbours",
        )  # fmt: skip


@cache
def _spread_of_ours(spread: Spread) -> float:
    """What the sensors make of a plant that stands still in a state."""
    regimes = {
        HELD: (2.0, Regime.CONSTANT_VOLTAGE),
        FLOAT: (4.0, Regime.CONSTANT_VOLTAGE),
        BULK: (1.0, Regime.PASSING),
    }
    stage, regime = regimes.get(spread, (0.0, Regime.OFF))
    still = Snapshot(*[0.0] * len(Snapshot._fields))._replace(
        v_batt_v=13.0, i_chg_a=0.3 if spread in regimes else 0.0, stage=stage, regime=float(regime),
        night=float(spread == NIGHT), t_probe_c=25.0,
    )  # fmt: skip
    sensors = Sensors(1, 1, 12, 0.0, 0.0)
    seen = [sensors.read(Shown(still._replace(t_utc_s=60.0 * k), NEW)).snapshot.v_batt_v for k in range(1500)]
    return float(np.std(seen))


def _boost_min(log: Log, day: int) -> float:
    """First to last sample at the boost voltage on a day without an interruption [min]."""
    t_s = log.t_s[(log.day == day) & (log.v_batt_v > TARGET_V[log.source])]
    return float(t_s.max() - t_s.min()) / 60.0


def _boost_times() -> Iterator[Check]:
    """How long a new unit boosts, beside days without an interruption."""
    for source, days in ((BROOKLYN, (0,)), (MELBOURNE, (0, 1))):
        log = read(source)
        for day in days:
            yield Check(
                what=f"{_place(log)} day {day + 1}: boost", value=NEW.boost_min, reference=_boost_min(log, day),
                tolerance=BOOST_MIN, unit="min", source=source, note="to a sample",
            )  # fmt: skip


# --- the days lived through again -----------------------------------------------------------------------------------


class _Replay(NamedTuple):
    """A log, and the twin at the moments of its samples."""

    log: Log
    twin: dict[str, np.ndarray]
    boosts_min: list[float]


@cache
def _replayed(source: str, days: int) -> _Replay:
    """The twin with a 50 W module under the light that the log tells of, and the log's load."""
    log = read(source)
    log = log.where(log.day < days)
    battery: dict[str, object] = {"capacity_ah": CAPACITY_AH[source], "model": "agm", "room_c": 25.0}
    dark = plant_in(np.zeros(17280), start=f"{log.first_day}T00:00", battery=battery)
    module = dark.site.array.parts[0].module_parameters()
    bank = dark.site.battery.parameters()
    assert isinstance(bank, LeadAcid)
    socs = np.linspace(0.3, 1.0, 141)
    rest_v = [leadacid.rested(float(soc), 25.0, bank).v_node_v for soc in socs]
    soc = float(np.interp(np.median(log.v_batt_v[:30]), rest_v, socs))
    light, t_cell = light_w_m2(log, module, days)
    p = plant_in(
        light,
        t_cell,
        load_a(log, days),
        start=f"{log.first_day}T00:00",
        battery=battery | {"soc": soc},
    )
    rows = p.run(days * 86400, 60)
    t_s = rows[:, Snapshot._fields.index("t_utc_s")] - p.start_utc_s
    at = np.clip(np.searchsorted(t_s, log.t_s), 0, len(rows) - 1)
    twin = {name: rows[at, place] for place, name in enumerate(Snapshot._fields)}
    events = [event for event in p.events() if event.machine is Machine.CHARGE]
    boosts = [
        (b.t_utc_s - a.t_utc_s) / 60.0 for a, b in pairwise(events) if (a.to, b.to) == ("BOOST", "FLOAT")
    ]
    return _Replay(log, twin, boosts)


def _replay(replay: _Replay) -> Iterator[Check]:
    """Differences printed; how the battery takes its charge is the model's, and another matter than the unit."""
    log, twin = replay.log, replay.twin
    place, note = _place(log), "the twin under the light that the log tells of"

    def rms(name: str, kept: np.ndarray) -> float:
        return float(np.sqrt(np.mean((twin[name] - getattr(log, name))[kept] ** 2)))

    passing = (
        (log.i_chg_a > 0.02)
        & (log.above_v < PASSING_V)
        & (log.v_batt_v < 13.7)
        & (twin["regime"] == Regime.PASSING)
    )
    idle = (log.i_chg_a == 0.0) & (np.abs(log.above_v) < 0.3)
    night = (log.v_pv_v < 1.0) & (twin["v_oc_v"] == 0.0)
    above = twin["v_pv_v"] - twin["v_batt_v"]
    for what, value, reference, tolerance, unit in (
        (
            "charge of a day",
            _ah(log, twin["i_chg_a"]),
            _ah(log, log.i_chg_a),
            0.35 * _ah(log, log.i_chg_a),
            "Ah",
        ),
        ("current passed through, rms of the difference", rms("i_chg_a", passing), 0.0, 0.06, "A"),
        (
            "array less battery, passing through",
            np.median(above[passing]),
            np.median(log.above_v[passing]),
            0.12,
            "V",
        ),
        ("array less battery, idle by day", np.median(above[idle]), np.median(log.above_v[idle]), 0.2, "V"),
        (
            "array's voltage at night",
            np.median(twin["v_pv_v"][night]),
            np.median(log.v_pv_v[night]),
            0.4,
            "V",
        ),
        ("battery voltage, rms of the difference", rms("v_batt_v", np.isfinite(log.v_batt_v)), 0.0, 0.5, "V"),
    ):
        yield Check(
            what=f"{place} again: {what}", value=float(value), reference=float(reference), tolerance=float(tolerance),
            unit=unit, source=log.source, note=note,
        )  # fmt: skip
    for day, minutes in enumerate(replay.boosts_min):
        yield Check(
            what=f"{place} again: boost of day {day + 1}", value=minutes, reference=_boost_min(log, day),
            tolerance=BOOST_MIN, unit="min", source=log.source, note="to a sample",
        )  # fmt: skip


def _ah(log: Log, i_a: np.ndarray) -> float:
    """Charge of a mean day [Ah]."""
    days = log.day.max() + 1
    return float(np.trapezoid(i_a, log.t_s)) / 3600.0 / days
