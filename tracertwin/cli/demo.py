"""The demonstration: a plant dials in to a mock firmware, and its readings are shown.

Knows how the parts are put together and when to poll; how a row looks is in `tracertwin.cli.tables.demotable`. Nothing
here is a short cut: the plant moves in its own thread, the line answers in another, and what is shown has come
through a TCP socket.
"""

import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final

from rich.console import Group
from rich.live import Live as Screen
from rich.text import Text

from modbus.device.model import load_model
from modbus.device.tracer import Tracer
from modbus.line.link import Line
from modbus.map.registers import load_map
from modbus.master.mock_firmware import POLLS, MockFirmware, PollRound
from plant.base.clock import DAY_S, STEP_S, WallClock, to_local
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report.output import results_console
from tracertwin.assembly.live import Live
from tracertwin.assembly.options import Address, Options
from tracertwin.cli.options import say, stoppable
from tracertwin.cli.serve import beside
from tracertwin.cli.tables.demotable import HALF_HOUR_S, Seen, heads, row
from tracertwin.promptness import prompt
from tracertwin.rig.serving import Rig

PAGE_SPEED: Final = 60.0  # with a page, unless told: a day in 24 minutes, slow enough to try what happens
LONGEST_PERIOD_S: Final = 1.0  # of wall time from round to round: firmware polls about once a second
SHORTEST_NAP_S: Final = 0.001
OTHER_LINES: Final = 11  # of the screen: heading, table heads, a word of the line's, totals, the prompt


def run_demo(plant: Plant, days: float, speed: float) -> None:
    """Run a plant against the mock firmware and show a row for each half hour; returns after `days`.

    Parameters
    ----------
    plant : Plant
    days : float
        Plant days to run.
    speed : float
        Plant time over wall time. Above some 20000 a round of polls takes longer than half an hour of plant
        time, and half hours without a round are not shown.
    """
    clock = WallClock(plant.start_utc_s, speed)
    live = Live(plant, clock, plant.start_utc_s + days * DAY_S)
    model = load_model(plant.site.controller.model)
    tracer = Tracer(load_map("uart2", plant.site.ratings(), model.optional), live, model=model)
    with MockFirmware(period_s=0.0) as firmware, prompt():
        line = Line(firmware.endpoint, tracer.answer, log=say)
        tally = Tally(plant.snapshot)
        view = View(_heading(plant, speed, str(line.endpoint)))
        rounds = firmware.rounds()
        try:
            line.start()
            view.open()
            for seen in _watch(rounds, live, speed):
                tally.count(seen)
                view.show(seen)
        finally:
            line.stop()  # before the mock firmware hangs up, which the line would remark on
            live.stop()
            view.close()
            view.write(*tally.lines(plant.snapshot))
    live.raise_error()


def run_demo_page(plant: Plant, days: float | None, speed: float, address: Address, site_name: str) -> None:
    """Serve the page of a plant that a mock firmware polls every second; for so many plant days, or until stopped."""
    for_s = None if days is None else days * DAY_S
    with MockFirmware() as firmware:
        options = Options(links=[firmware.endpoint], speed=speed, for_s=for_s, web=address)
        with polling(firmware), Rig([plant], options, say) as rig:
            with beside(rig, site_name), stoppable(), prompt():
                rig.run()
            rig.tell()


@contextmanager
def polling(firmware: MockFirmware) -> Iterator[None]:
    """Have the firmware poll whoever dials in."""
    thread = threading.Thread(target=lambda: deque(firmware.rounds(), maxlen=0), name="firmware", daemon=True)
    thread.start()
    try:
        yield
    finally:
        firmware.stop()
        thread.join(2.0)


def period_s(speed: float) -> int:
    """Plant seconds from round to round: they divide half an hour and lie on the plant's grid.

    At least one round falls to each half hour, and one to each second of wall time where the grid allows.
    """
    periods = (p for p in range(HALF_HOUR_S, 0, -STEP_S) if HALF_HOUR_S % p == 0)
    return next((p for p in periods if p <= speed * LONGEST_PERIOD_S), STEP_S)


def _watch(rounds: Iterator[PollRound], live: Live, speed: float) -> Iterator[Seen]:
    """Rounds of polls with what the plant showed, the first before time begins, the last after its end."""
    yield Seen(live.snapshot(), next(rounds))
    live.start()
    ended = False
    while not ended:
        ended = _wait(live, period_s(speed), speed)
        snapshot, began_s = live.snapshot(), monotonic()
        readings = next(rounds)
        yield Seen(snapshot, readings, monotonic() - began_s)


def _wait(live: Live, period_s: int, speed: float) -> bool:
    """Sleep until the controller's clock shows a multiple of the period; whether the plant has ended."""
    now = live.snapshot()
    due_s = now.t_utc_s + period_s - now.t_device_s % period_s
    while (left_s := due_s - live.snapshot().t_utc_s) > 0.0:
        if live.ended.wait(max(left_s / speed, SHORTEST_NAP_S)):
            break
    return live.ended.is_set()


@dataclass(slots=True)
class Tally:
    """What the mock firmware went through since the plant was at `before`."""

    before: Snapshot
    rounds: int = 0
    lost: int = 0  # polls without a good answer
    timed_polls: int = 0
    timed_s: float = 0.0  # spent in rounds that lost nothing; not the first, which waited for the dial
    last: Seen | None = None

    def count(self, seen: Seen) -> None:
        """Add a round."""
        lost = list(asdict(seen.readings).values()).count(None)
        if seen.took_s and not lost:
            self.timed_polls += len(POLLS)
            self.timed_s += seen.took_s
        self.rounds += 1
        self.lost += lost
        self.last = seen

    def lines(self, after: Snapshot) -> Iterator[str]:
        """The totals, with the plant's own books beside what the registers showed last."""
        mean = f", mean reply {1e3 * self.timed_s / self.timed_polls:.1f} ms" if self.timed_polls else ""
        yield f"{self.rounds} rounds, {self.rounds * len(POLLS)} polls, {self.lost} lost{mean}"
        charged_wh, used_wh = after.e_chg_wh - self.before.e_chg_wh, after.e_load_wh - self.before.e_load_wh
        charge = f"{100 * self.before.soc:.0f} to {100 * after.soc:.0f} %"
        yield f"plant: {charged_wh:.0f} Wh produced, {used_wh:.0f} Wh consumed, battery {charge}"
        total = self.last.readings if self.last else PollRound()
        if total.generated_total_kwh is not None and total.consumed_total_kwh is not None:
            made, used = total.generated_total_kwh, total.consumed_total_kwh
            yield f"registers: {made:.2f} kWh produced, {used:.2f} kWh consumed"


class View:
    """Where rows go: a screen that holds the newest ones, or line after line into a file or a pipe.

    Parameters
    ----------
    heading : list of str
        Stands above the table.
    """

    def __init__(self, heading: list[str]) -> None:
        self._console = results_console()
        self._heads = list(heads("\u2500"))
        self._rows: list[Text] = []
        self._newest: Seen | None = None
        self._kept: Seen | None = None
        live = self._console.is_interactive and sys.stdout.isatty()
        self._screen = Screen(console=self._console, auto_refresh=False) if live else None
        self.write(*heading)

    def write(self, *lines: str | Text) -> None:
        """Print lines that stay."""
        for line in lines:
            self._console.print(line, soft_wrap=True, markup=False)

    def open(self) -> None:
        """Begin the table."""
        if self._screen is None:
            self.write(*self._heads)
        else:
            self._screen.start()

    def close(self) -> None:
        """End the table; its last row is the newest round."""
        if self._screen is not None:
            self._screen.stop()
        elif self._newest is not self._kept and self._newest is not None:
            self.write(row(self._newest))

    def show(self, seen: Seen) -> None:
        """Take the newest round; it stays if it is the first of its half hour."""
        self._newest = seen
        if self._kept is None or seen.half_hour != self._kept.half_hour:
            self._keep(seen)
        if self._screen is not None:
            self._screen.update(self._table(self._console.height - OTHER_LINES), refresh=True)

    def _keep(self, seen: Seen) -> None:
        new_day = self._kept is not None and seen.local.date() != self._kept.local.date()
        lines = [*([Text(f"{seen.local:%Y-%m-%d}", "dim")] if new_day else []), row(seen)]
        self._kept = seen
        if self._screen is None:
            self.write(*lines)
        else:
            self._rows = (self._rows + lines)[-self._console.height :]

    def _table(self, height: int) -> Group:
        unkept = self._newest is not None and self._newest is not self._kept
        rows = self._rows + ([row(self._newest)] if self._newest is not None and unkept else [])
        lines = [*self._heads, *rows[-max(height, 1) :]]
        for line in lines:
            line.no_wrap, line.overflow = True, "crop"
        return Group(*lines)


def _heading(plant: Plant, speed: float, where: str) -> list[str]:
    start = to_local(plant.start_utc_s, plant.site.location.timezone)
    return [
        f"{plant.site.name} from {start:%Y-%m-%d %H:%M}, seed {plant.seed}, speed {speed:g}",
        f"plant dials {where.removeprefix('dial:')} in place of QEMU; mock firmware polls it there",
        "time and sun come from the plant; everything else is decoded from Modbus replies",
    ]
