"""The demonstration's table: a round of polls becomes a line of text.

Time and sun are the plant's own; every other column is decoded from Modbus replies, so it shows what firmware
would show. Knows columns and styles; where the numbers come from is for `tracertwin.cli.demo` to say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from rich.text import Text

from modbus.master.mock_firmware import PollRound
from plant.kernel.snapshot import Snapshot

HALF_HOUR_S: Final = 1800
STAGES: Final = ("none", "float", "boost", "equalize")  # bits 3-2 of 0x3200, as the UART2 firmware reads them
MISSING: Final = "--"  # that poll got no good answer
STYLES: Final = {"float": "green", "boost": "yellow", "equalize": "magenta", "none": "dim"}


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the plant stood when a round of polls began, and what the firmware made of the replies."""

    snapshot: Snapshot
    readings: PollRound
    took_s: float = 0.0  # wall time of the round

    @property
    def local(self) -> datetime:
        """The controller's clock, local civil time."""
        return datetime.fromtimestamp(self.snapshot.t_device_s, UTC)

    @property
    def half_hour(self) -> int:
        """Number of the half hour on the controller's clock."""
        return int(self.snapshot.t_device_s // HALF_HOUR_S)

    @property
    def p_pv_w(self) -> float | None:
        """PV power [W]; the firmware does not poll it, but can multiply."""
        v, i = self.readings.v_pv_v, self.readings.i_pv_a
        return None if v is None or i is None else v * i


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the group it stands in, its head, and how a cell is made.

    Numbers have `decimals`, or fewer where they would not fit `width`.
    """

    group: str
    name: str
    unit: str
    width: int
    value: Callable[[Seen], float | str | None]
    decimals: int = 0
    style: str = ""

    def cell(self, seen: Seen) -> str:
        """Text of a cell, `width` wide."""
        value = self.value(seen)
        if isinstance(value, str):
            return f"{value:<{self.width}}"
        if value is None:
            return f"{MISSING:>{self.width}}"
        fitting = (f"{value:.{decimals}f}" for decimals in range(self.decimals, 0, -1))
        text = next((text for text in fitting if len(text) <= self.width), f"{value:.0f}")
        return f"{text:>{self.width}}"

    def head(self, text: str) -> str:
        """A head's text where the cells stand."""
        return f"{text:<{self.width}}" if self.name in LEFT else f"{text:>{self.width}}"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _named(code: float | None, names: tuple[str, ...]) -> str | None:
    return None if code is None else names[int(code)]


LEFT: Final = ("time", "stage", "day")
COLUMNS: Final = (
    Column("plant", "time", "", 5, lambda seen: f"{seen.local:%H:%M}"),
    Column("plant", "sun", "W/m2", 4, lambda seen: seen.snapshot.poa_w_m2, 0, "yellow"),
    Column("PV", "volts", "V", 5, lambda seen: seen.readings.v_pv_v, 2, "cyan"),
    Column("PV", "amps", "A", 5, lambda seen: seen.readings.i_pv_a, 2, "cyan"),
    Column("PV", "watts", "W", 5, lambda seen: seen.p_pv_w, 1, "bold cyan"),
    Column("battery", "volts", "V", 5, lambda seen: seen.readings.v_batt_v, 2, "bold green"),
    Column("battery", "temp", "degC", 5, lambda seen: seen.readings.t_batt_c, 2, "green"),
    Column("battery", "SOC", "%", 3, lambda seen: _percent(seen.readings.soc), 0, "green"),
    Column("battery", "stage", "", 8, lambda seen: _named(seen.readings.stage, STAGES)),
    Column("load", "watts", "W", 5, lambda seen: seen.readings.p_load_w, 1, "blue"),
    Column("today", "made", "kWh", 4, lambda seen: seen.readings.generated_today_kwh, 2),
    Column("today", "used", "kWh", 4, lambda seen: seen.readings.consumed_today_kwh, 2),
    Column("flag", "day", "", 4, lambda seen: _named(seen.readings.day, ("no", "yes"))),
)
GROUPS: Final = tuple(tuple(columns) for _, columns in groupby(COLUMNS, lambda column: column.group))
BETWEEN_GROUPS: Final = "  "


def _line(cells: Callable[[tuple[Column, ...]], Text]) -> Text:
    line = Text(BETWEEN_GROUPS).join(cells(group) for group in GROUPS)
    line.rstrip()
    return line


def heads(rule: str) -> Iterator[Text]:
    """The table's three head lines: groups, names, units.

    Parameters
    ----------
    rule : str
        The character that a group's name is underlined with.
    """

    def group_head(group: tuple[Column, ...]) -> Text:
        width = sum(column.width + 1 for column in group) - 1
        return Text(f"{group[0].group} ".ljust(width, rule)[:width], "bold")

    yield _line(group_head)
    yield _line(lambda group: Text(" ".join(column.head(column.name) for column in group)))
    yield _line(lambda group: Text(" ".join(column.head(column.unit) for column in group), "dim"))


def row(seen: Seen) -> Text:
    """A round as a line of the table."""

    def styled(column: Column) -> Text:
        text = column.cell(seen)
        return Text(text, column.style or STYLES.get(text.strip(), ""))

    return _line(lambda group: Text(" ").join(styled(column) for column in group))
