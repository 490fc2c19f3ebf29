"""Commands to a running plant: any lines of text are done or refused by a ValueError, and the plant goes on."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache

from modbus.device.tracer import Tracer
from modbus.line.faults.kinds import FAULTS
from modbus.line.faults.striking import Faults
from modbus.map.registers import TRACER_4210, RegisterMap, load_map
from plant.base.clock import STEP_S, SteppedClock, WallClock
from plant.plant import Plant
from plant.site.model import Site, load_site
from plant.site.upsets import UPSETS
from tracertwin.assembly.commands import COMMANDS, do
from tracertwin.assembly.live import Live
from tracertwin.assembly.refusals import Refusals
from tracertwin.assembly.rounds import Rounds
from tracertwin.assembly.units import Unit
from tracertwin.checking.columns import judged_now

MOST_LINES = 12
LONGEST_S = 3600.0  # a command may move time by more; computing that is no finding


class _Clock(SteppedClock):
    """Moves by an hour at most."""

    def step(self, seconds: float) -> None:
        super().step(min(seconds, LONGEST_S))


class _Bench:
    """What commands are for."""

    def __init__(self) -> None:
        plant = Plant.new(_site())
        self.clock: WallClock | SteppedClock = _Clock(plant.start_utc_s)
        live = Live(plant, self.clock)
        self.units: Sequence[Unit] = (Unit(live, Tracer(_map(), live)),)
        self.refusals = Refusals(lambda _: None)
        self.rounds = Rounds()
        self.faults = Faults(plant.seed, plant.site.location.timezone)

    def judge(self, condition: str, unit: Unit) -> tuple[bool, str]:
        """As a rig does."""
        return judged_now(condition, unit, "uart2")

    def end(self) -> None:
        """Nothing ends here."""


@cache
def _site() -> Site:
    return load_site("cabin")


@cache
def _map() -> RegisterMap:
    return load_map("uart2", TRACER_4210)


def one(data: bytes) -> None:
    """Tell the plant each line of `data`, then let it go on."""
    bench = _Bench()
    plant = bench.units[0].live.plant
    for line in data.decode("utf-8", "replace").splitlines()[:MOST_LINES]:
        before_s = plant.t_utc_s
        with suppress(ValueError):
            assert isinstance(do(bench, line), str)
        assert plant.t_utc_s >= before_s, f"{line!r} moved time back"
    plant.advance_to(plant.t_utc_s + STEP_S)
    assert 0.0 <= plant.snapshot.soc <= 1.0
    assert plant.overrun_steps == 0


def seeds() -> Iterator[bytes]:
    """Every command, upset and fault in its plainest form."""
    for command in COMMANDS:
        yield f"{command.name}\n{command.name} {command.arguments}\n".encode()
    for name, kind in UPSETS.items():
        text = ":".join([name, *(parameter.written() for parameter in kind.parameters.values())])
        yield f"upset {name}\nstep 1min\nupset {text}:after=5min:lasts=1h\nstep 10min\nmend all\n".encode()
    for name in FAULTS:
        yield f"fault {name}:0.5\nfault {name}:1:from=12:00:to=13:00\nfault off {name}\n".encode()
    yield b"step 5s\njump 2026-02-20T11:00\npower-cycle unit=1\nshow soc v_batt_v\nstatus\nspeed 60\npause\ngo\n"
