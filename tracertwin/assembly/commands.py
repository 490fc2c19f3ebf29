"""What a running rig can be told, a row for each command: time, what breaks, the units' power.

A command is a line of text, `upset battery_aged:capacity_lost=0.4 unit=2`, so that a person, a script and a journal
say the same. Knows neither sockets nor threads: whoever calls has the plants to itself.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from modbus.line.faults.striking import Faults
from modbus.master.phrases import phrase
from plant.base.civiltime import moment_utc_s
from plant.base.clock import (
    FASTEST,
    LAST_UTC_S,
    LAST_YEAR,
    SLOWEST,
    SteppedClock,
    WallClock,
    iso_utc,
    parse_duration_s,
    parse_local,
    to_local,
)
from plant.base.problems import did_you_mean
from plant.kernel.snapshot import Snapshot
from plant.site.timetable import parse_upset
from tracertwin.assembly import mending, setting, shown
from tracertwin.assembly.moments import told_local
from tracertwin.assembly.refusals import BadResultError, Refusals
from tracertwin.assembly.rounds import Rounds
from tracertwin.assembly.units import Unit

REGISTERS: Final = "registers"
WAITS: Final = "60s"  # of real time, unless told
HOLDS, FAILS = "holds", "does not hold"  # of `expect`


class Commanded(Protocol):
    """What commands are for."""

    @property
    def clock(self) -> WallClock | SteppedClock:
        """Of all plants."""

    @property
    def units(self) -> Sequence[Unit]:
        """The site's own first."""

    @property
    def faults(self) -> Faults:
        """Of all lines."""

    @property
    def refusals(self) -> Refusals:
        """Writes that the units refused."""

    @property
    def rounds(self) -> Rounds:
        """Requests of all lines."""

    def judge(self, condition: str, unit: Unit) -> tuple[bool, str]:
        """Whether a condition holds now, and by how much in words."""

    def end(self) -> None:
        """Stop serving."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a command is given, cut into words."""

    words: tuple[str, ...]
    values: Mapping[str, str]  # those of the form KEY=VALUE

    def one(self, what: str) -> str:
        """The only word.

        Raises
        ------
        ValueError
            If there are none or several.
        """
        if len(self.words) != 1 or self.values:
            raise ValueError(f"give {what}, and nothing else")
        return self.words[0]


class Command(NamedTuple):
    """A row: how it is written, what it does, and how it is treated."""

    name: str
    arguments: str
    meaning: str
    act: Callable[[Commanded, Arguments], str]
    in_wall_replay: bool = True  # done again where a journal's stamps say how time went
    read_only: bool = False  # changes nothing, so it is neither written down nor done again
    # done with no plant held: it waits for what comes in on the lines, or asks no plant at all
    unheld: bool = False


def _unit(rig: Commanded, given: Arguments) -> tuple[Unit, Arguments]:
    """The unit that ``unit=ID`` names, the first if none is named; and the rest of the command."""
    rest = {key: value for key, value in given.values.items() if key != "unit"}
    asked = given.values.get("unit", str(rig.units[0].tracer.unit))
    for unit in rig.units:
        if str(unit.tracer.unit) == asked:
            return unit, Arguments(given.words, rest)
    known = ", ".join(str(unit.tracer.unit) for unit in rig.units)
    raise ValueError(f"no unit {asked}; known: {known}")


def _wall(rig: Commanded) -> WallClock:
    if not isinstance(rig.clock, WallClock):
        raise ValueError("this clock is only moved by step and jump")
    return rig.clock


def _pause(rig: Commanded, given: Arguments) -> str:
    _nothing(given)
    _wall(rig).pause()
    return _ahead(rig, 0.0)  # it may lag behind its clock, and is to stand still from here on


def _go(rig: Commanded, given: Arguments) -> str:
    _nothing(given)
    _wall(rig).go()
    return ""


def _speed(rig: Commanded, given: Arguments) -> str:
    text = given.one("a speed, e.g. speed 60")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(
            f"the speed must be a number from {SLOWEST:g} to {FASTEST:g}, got {text}; pause stops time"
        )
    _wall(rig).set_speed(speed)
    return ""


def _step(rig: Commanded, given: Arguments) -> str:
    return _ahead(rig, parse_duration_s(given.one("a time, e.g. step 10s")))


def _jump(rig: Commanded, given: Arguments) -> str:
    plant = rig.units[0].live.plant
    zone = plant.site.location.timezone
    moment = parse_local(given.one("a local time, e.g. jump 2026-07-01T12:00"))
    seconds = moment_utc_s(moment, zone) - rig.clock.now_s()
    if seconds < 0.0:
        now = to_local(plant.t_utc_s, zone).isoformat()
        raise ValueError(f"simulated time can't go back: it is {now} in {zone}")
    return _ahead(rig, seconds)


def _ahead(rig: Commanded, seconds: float) -> str:
    live = rig.units[0].live
    if rig.clock.now_s() + seconds > LAST_UTC_S:
        raise ValueError(f"simulated time ends with the year {LAST_YEAR}")
    rig.clock.step(seconds)
    for unit in rig.units:
        unit.live.follow()
    reached = told_local(live.plant.t_utc_s, live.plant.site.location.timezone)
    if live.is_stopped:
        raise ValueError(f"serving ended on the way, at {reached}")
    return reached


def _upset(rig: Commanded, given: Arguments) -> str:
    unit, given = _unit(rig, given)
    if len(given.words) == 1 and given.values:
        text = ":".join([*given.words, *(f"{key}={value}" for key, value in given.values.items())])
        raise ValueError(f"values follow the name after colons: write upset {text}")
    if len(given.words) != 1 or given.values:
        raise ValueError("give an upset, e.g. upset load_short, or upset load_short:ohm=0.05:lasts=10min")
    return f"mend {unit.live.plant.plan(parse_upset(*given.words))}"


def _mend(rig: Commanded, given: Arguments) -> str:
    unit, given = _unit(rig, given)
    for number in mending.meant((*given.words, *given.values), unit.live.plant):
        unit.live.plant.mend(number)
    return ""


def _fault(rig: Commanded, given: Arguments) -> str:
    what, names = given.words[:1], given.words[1:]
    if not what or given.values or (names and what != ("off",)) or len(names) > 1:
        raise ValueError("give a line fault, e.g. fault drop:0.05, or off, or off NAME")
    if what == ("off",):
        return f"{rig.faults.clear(*names)} off"
    rig.faults.set(*what)
    return ", ".join(rig.faults.echoes())


def _write(rig: Commanded, given: Arguments) -> str:
    unit, given = _unit(rig, given)
    texts = [*given.words, *(f"{key}={value}" for key, value in given.values.items())]
    if not texts:
        raise ValueError("give a setting and its value, e.g. write capacity_ah=150")
    plant = unit.live.plant
    now = to_local(plant.t_utc_s, plant.site.location.timezone)
    return setting.write(unit.tracer, texts, now, rig.refusals.taken)


def _power_cycle(rig: Commanded, given: Arguments) -> str:
    unit, given = _unit(rig, given)
    _nothing(given)
    unit.live.power_cycle()
    unit.tracer.power_cycle()
    return ""


def _show(rig: Commanded, given: Arguments) -> str:
    unit, given = _unit(rig, given)
    if given.words == (REGISTERS,) and not given.values:
        return shown.registers(unit.tracer)
    snapshot, values = unit.live.plant.snapshot, {}
    for name in (*given.words, *given.values) or Snapshot._fields:
        if name in Snapshot._fields:
            values[name] = shown.quantity(name, getattr(snapshot, name))
        elif re.fullmatch("0[xX][0-9a-fA-F]{1,4}", name):
            values[name] = shown.register(unit.tracer, int(name, 16))
        else:
            raise ValueError(shown.unknown(name, unit.tracer))
    return json.dumps(values)


def _status(rig: Commanded, given: Arguments) -> str:
    _nothing(given)
    units = []
    for unit in rig.units:
        plant = unit.live.plant
        about = {"unit": unit.tracer.unit, "site": plant.site.name}
        units.append({**about, "broken": plant.broken(), "planned": plant.planned()})
    plant = rig.units[0].live.plant
    zone = plant.site.location.timezone
    local = to_local(plant.t_utc_s, zone).isoformat()
    time: dict[str, object] = {"local": local, "timezone": zone, "utc": iso_utc(plant.t_utc_s)}
    if isinstance(rig.clock, WallClock):
        time |= {"speed": rig.clock.speed, "paused": not rig.clock.goes}
    return json.dumps({**time, "units": units, "faults": rig.faults.texts()})


def _refusals(rig: Commanded, given: Arguments) -> str:
    _nothing(given)
    return json.dumps(rig.refusals.rows())


def _wait(rig: Commanded, given: Arguments) -> str:
    rest = {key: value for key, value in given.values.items() if key != "within"}
    within_s = parse_duration_s(given.values.get("within", WAITS))
    if given.words == ("polled",) and not rest:
        if rig.rounds.wait_round(within_s):
            return ""
        names = (
            ", ".join(phrase(request) for request in rig.rounds.missing()[:3]) or "nothing was asked twice"
        )
        raise BadResultError(f"no whole round of requests within {within_s:g} s; not asked since: {names}")
    if len(given.words) == 2 and given.words[1] in ("requests", "request") and not rest:
        if not re.fullmatch(r"\d{1,12}", given.words[0]):
            raise ValueError(f"{given.words[0]!r} is not a number of requests, e.g. wait 100 requests")
        before = rig.rounds.requests
        if rig.rounds.wait_requests(int(given.words[0]), within_s):
            return ""
        raise BadResultError(f"only {rig.rounds.requests - before} requests within {within_s:g} s")
    raise ValueError("write wait polled or wait 100 requests, and within=2min if that takes long")


def _expect(rig: Commanded, given: Arguments) -> str:
    words = [*given.words, *(f"{key}={value}" for key, value in given.values.items() if key != "unit")]
    if not words:
        raise ValueError("give a condition, e.g. expect v_batt_v >= 14.3 V")
    unit, _ = _unit(rig, given)
    holds, told = rig.judge(" ".join(words), unit)
    return f"{HOLDS if holds else FAILS}: {told}"


def _end(rig: Commanded, given: Arguments) -> str:
    _nothing(given)
    rig.end()
    return ""


def _help(_rig: Commanded, _given: Arguments) -> str:
    return listing()


def _nothing(given: Arguments) -> None:
    if given.words or given.values:
        raise ValueError("takes no arguments")


COMMANDS: Final = (
    Command("pause", "", "stop time", _pause, in_wall_replay=False),
    Command("go", "", "resume time after a pause", _go, in_wall_replay=False),
    Command("speed", "X", "run plant time at X times real time from now on", _speed, in_wall_replay=False),
    Command("step", "TIME", "advance plant time at once, e.g. step 10min", _step, in_wall_replay=False),
    Command("jump", "TIME", "advance plant time to a time: jump 2026-07-01T12:00, jump 13:00, jump sunset", _jump,
            in_wall_replay=False),
    Command("upset", "NAME[:KEY=VALUE...] [unit=ID]",
            "break something in the plant, see tracertwin faults; returns the number for mend", _upset),
    Command("mend", "NUMBER|NAME [N]|all [unit=ID]",
            "repair what upset broke, or cancel what it planned: by the number it returned, by name, or the Nth of it",
            _mend),
    Command("fault", "NAME[:PROBABILITY][:KEY=VALUE...]|off [NAME]",
            "set a line fault, see tracertwin faults; or clear all, or those of a name", _fault),
    Command("write", "NAME=VALUE ... [unit=ID]",
            "write settings, coils or the clock as a client does, under the same rules, e.g. write capacity_ah=150",
            _write),
    Command("power-cycle", "[unit=ID]", "cut a controller's power for a moment", _power_cycle),
    Command("show", "[QUANTITY|ADDRESS ...|registers] [unit=ID]",
            "as JSON: true quantities of the plant, e.g. soc; what the device shows, e.g. 0x311A; or all its registers",
            _show, read_only=True),
    Command("status", "", "time, speed and what is broken, as JSON", _status, read_only=True),
    Command("refusals", "", "writes that a unit refused, why and how often, as JSON", _refusals, read_only=True),
    Command("wait", "polled|N requests [within=TIME]",
            "wait until every register has been read again (polled), or for N requests; gives up after 60 s unless "
            "within= is set", _wait, read_only=True, unheld=True),
    Command("expect", "CONDITION [unit=ID]",
            "whether a condition of scenarios holds now, and by how much, e.g. expect v_batt_v >= 14.3 V", _expect,
            read_only=True),
    Command("end", "", "stop serving", _end, in_wall_replay=False),
    Command("help", "", "this list", _help, read_only=True, unheld=True),
)  # fmt: skip
BY_NAME: Final = {command.name: command for command in COMMANDS}


def parse(text: str) -> tuple[Command, Arguments]:
    """A line cut into command and words.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    name, *rest = text.split() or [""]
    if name not in BY_NAME:
        raise ValueError(
            f"unknown command {name!r}{did_you_mean(name, BY_NAME)}; known: {', '.join(BY_NAME)}"
        )
    words: list[str] = []
    values: dict[str, str] = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():  # fault delay:0.1:by=300ms is a word
            words.append(word)
            continue
        values[key] = value
    return BY_NAME[name], Arguments(tuple(words), values)


def unheld(text: str) -> bool:
    """Whether a line says to do what is done with no plant held."""
    return (command := _named(text)) is not None and command.unheld


def only_looks(text: str) -> bool:
    """Whether a line says to do what changes nothing."""
    return (command := _named(text)) is not None and command.read_only


def _named(text: str) -> Command | None:
    return BY_NAME.get("".join(text.split()[:1]))


def do(rig: Commanded, text: str) -> str:
    """Do what a line says; gives what there is to tell.

    Raises
    ------
    ValueError
        Saying what was wrong with it and what would do; nothing is done then.
    """
    command, given = parse(text)
    try:
        answer = command.act(rig, given)
        if not command.read_only:
            rig.rounds.changed()
        return answer
    except ValueError as error:
        kind = BadResultError if isinstance(error, BadResultError) else ValueError
        raise kind(f"{command.name}: {error}") from None


def listing() -> str:
    """All commands, a line each."""
    heads = [f"{command.name} {command.arguments}".rstrip() for command in COMMANDS]
    width = max(map(len, heads))
    return "\n".join(
        f"{head:{width}}  {command.meaning}" for head, command in zip(heads, COMMANDS, strict=True)
    )
