"""A run in one screen: what the sun gave, where it went, how the months were, what happened."""

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from plant.base.clock import DAY_S, to_local
from plant.controller.charger import Machine
from plant.kernel.flowtable import FLOW
from plant.report.account import Flow, account, missing_wh, moved_wh
from plant.report.ending import ending_lines, froze, large_array, too_cold_to_charge, unsolved
from plant.report.lightlosses import light_lines
from plant.report.output import HEAD_BOX, fits, results_console
from plant.report.periods import AT_OUTPUT, by_period, sample_s, unserved
from plant.report.postslines import posts_lines

if TYPE_CHECKING:
    from plant.kernel.events import Event
    from plant.kernel.snapshot import Snapshot
    from plant.plant import Plant
    from plant.report.trace import Trace

EVENTS_SHOWN = 12
# Machines whose events are listed one by one only while there are few.
EVERYDAY = (
    Machine.CHARGE,
    Machine.DAYLIGHT,
    Machine.LOAD_CONTROL,
    Machine.WARNING,
    Machine.CHARGER_1,
    Machine.CHARGER_2,
)
BAR_WIDTH = 22
MONTHS_FROM_DAYS, YEARS_FROM_DAYS = 45, 3 * 366
WIDTH = 80  # of a plain terminal, and of a pipe
HEADS = (
    "\nsun", "PV\navail.", "PV\nused", "\nload", "not\nserved", "served\n%", "outage\nhours",
    "SOC\nmin", "SOC\nmean",
)  # fmt: skip
EIGHTHS = " ▏▎▍▌▋▊▉█"


def print_summary(plant: "Plant", trace: "Trace", before: "Snapshot", console: Console | None = None) -> None:
    """Print the account of energy, the battery's range, the months of a long run, and what happened."""
    console = console or results_console(soft_wrap=True)
    after, zone = plant.snapshot, plant.site.location.timezone
    console.print(
        f"{plant.site.name}, seed {plant.seed}: {_minute(plant.start_utc_s, zone)} to {_minute(after.t_utc_s, zone)}, "
        f"{plant.fidelity}, steps of {_duration(plant.step_s)}"
    )
    for note in _notes(plant):
        console.print(f"weather file: {note}")
    console.print()
    flows = account(before, after)
    table = account_table(flows, after.e_unserved_wh)
    if not fits(console, table):
        table = account_table(flows, after.e_unserved_wh, bars=False)
    console.print(table)
    console.print(_closure(flows))
    for line in unsolved([plant]):
        console.print(line)
    console.print()
    if len(trace.rows):
        for line in (*light_lines(plant, trace), *_battery_lines(plant, trace), *posts_lines(plant, before)):
            console.print(line)
        days = (after.t_utc_s - before.t_utc_s) / DAY_S
        if days >= MONTHS_FROM_DAYS:
            console.print()
            console.print(period_table(trace, yearly=days >= YEARS_FROM_DAYS))
    for line in _happenings(plant, trace):
        console.print(line)
    if len(trace.rows):
        for line in _ending(plant, trace, min(console.width, WIDTH)):
            console.print(line)


def _ending(plant: "Plant", trace: "Trace", width: int) -> Iterator[str]:
    """The state that the plant ended in, where it is out of the ordinary; and what only looks like a fault."""
    ended = list(ending_lines(plant, trace))
    if ended:
        yield "\nended with"
    for line in ended:
        yield from wrap(f"  {line}", width, subsequent_indent="    ")
    for line in (*large_array(plant, trace), *too_cold_to_charge(plant, trace), *froze(trace)):
        yield ""
        yield from wrap(line, width)


def _minute(t_utc_s: float, zone: str) -> str:
    return to_local(t_utc_s, zone).strftime("%Y-%m-%d %H:%M")


def _duration(seconds: float) -> str:
    if seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"


def _notes(plant: "Plant") -> tuple[str, ...]:
    site = plant.site
    if site.weather.file is None:
        return ()
    from plant.weather.measured.days import file_sky

    return file_sky(site.weather, site.location).notes


# The account


def account_table(flows: tuple[Flow, ...], unserved_wh: float, *, bars: bool = True) -> Table:
    """The flows with their shares, and a bar for each that begins where the one before it ends, if there is room."""
    unit, per = _unit(max(abs(flow.wh) for flow in flows))
    table = Table(box=HEAD_BOX, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("energy", no_wrap=bars)  # else it makes room for the numbers
    table.add_column(unit, justify="right", no_wrap=True)
    table.add_column("%", justify="right", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True, width=BAR_WIDTH)
    whole = flows[0].wh
    most = max(max(flow.begins_wh, flow.begins_wh + flow.wh) for flow in flows)
    for flow in flows:
        if flow.always or abs(flow.wh) / per >= 0.05:
            table.add_row(
                "  " * flow.depth + flow.label,
                _figure(flow.wh / per),
                _share(flow.wh, whole),
                *([_bar(flow, most)] if bars else []),
            )
    table.add_row(FLOW["unserved"].label, _figure(unserved_wh / per))
    return table


def _unit(most_wh: float) -> tuple[str, float]:
    """Unit that shows the largest value in at most five figures before the point, and Wh in it."""
    return ("Wh", 1.0) if most_wh < 2e4 else ("kWh", 1e3) if most_wh < 2e7 else ("MWh", 1e6)


def _figure(value: float) -> str:
    return f"{value:,.1f}".replace("-0.0", "0.0") if abs(value) < 0.05 else f"{value:,.1f}"


def _share(wh: float, whole_wh: float) -> str:
    return _figure(100.0 * wh / whole_wh) if whole_wh >= 0.05 else ""


def _bar(flow: Flow, most_wh: float) -> str:
    """From where a flow begins to where it ends; shaded where it leads back."""
    if most_wh <= 0.0:
        return ""
    low, high = sorted((flow.begins_wh, flow.begins_wh + flow.wh))
    low, high = (round(8 * max(0.0, edge) / most_wh * BAR_WIDTH) / 8 for edge in (low, high))
    first = int(low + 0.5)
    if flow.wh < 0.0:
        return " " * first + "░" * (int(high + 0.5) - first)
    first = min(int(low), BAR_WIDTH - 1)
    if int(high) == first:
        return " " * first + EIGHTHS[int(8 * (high - low))].strip()
    head = "█" if low - first < 0.5 else "▐"
    return " " * first + head + "█" * (int(high) - first - 1) + EIGHTHS[int(8 * (high - int(high)))].strip()


def _closure(flows: tuple[Flow, ...]) -> str:
    missing, moved = missing_wh(flows), moved_wh(flows)
    if missing == 0.0 or moved == 0.0:
        return "balance error: none"
    return f"balance error: {missing:+.1g} Wh, {abs(missing) / moved:.0e} of throughput"


# Battery and load


def _battery_lines(plant: "Plant", trace: "Trace") -> Iterator[str]:
    v, soc, now = trace["v_batt_v"], trace["soc"], plant.snapshot
    yield f"battery  {v.min():.2f} to {v.max():.2f} V, {100 * soc.min():.1f} to {100 * soc.max():.1f} % full"
    yield f"now      {100 * now.soc:.1f} % full; the controller shows {100 * now.soc_controller:.0f} %"
    if plant.site.battery.ageing != "none" or plant.health != plant.site.battery.health:
        left, first = 100 * plant.health, 100 * plant.site.battery.health
        yield f"health   {left:.1f} % of the new capacity remains, {first:.1f} % at the start"
        if replaced := len(_replacements(plant)):
            yield f"         the battery was replaced {replaced} time{'s' * (replaced > 1)}"
    hours = trace.stage_hours()
    total = sum(hours.values())
    spent = ", ".join(f"{name} {_hours(h)}" for name, h in hours.items() if h)
    if total:
        yield f"stages   {spent}"
    yield f"load     {_served(trace)}"


def _replacements(plant: "Plant") -> tuple[int, ...]:
    """When the battery was replaced [s UTC]."""
    age = plant.remembered().age
    return () if age is None else age.replaced_utc_s


def _hours(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 1000.0 else f"{hours:,.0f} h"


def _served(trace: "Trace") -> str:
    load, lost = trace["e_load_wh"][-1], trace["e_unserved_wh"][-1]
    if load + lost <= 0.0:
        return "no demand"
    if lost <= 0.0:
        return "fully served"
    hours = float(np.sum(unserved(trace, AT_OUTPUT))) * sample_s(trace) / 3600.0
    return f"{100 * load / (load + lost):.2f} % served; unserved demand during {_hours(hours)}"


def period_table(trace: "Trace", *, yearly: bool = False) -> Table:
    """Months, or years, of a long run; load is what was served at the output and behind an inverter together."""
    totals = by_period(trace, "year" if yearly else "month")
    served = totals["e_load_wh"] + totals["e_inverter_wh"]
    missing = totals["e_unserved_wh"] + totals["e_inverter_unserved_wh"]
    totals = totals.assign(served_wh=served, missing_wh=missing, asked_wh=served + missing)
    unit, per = ("Wh", 1.0) if totals["e_available_wh"].max() < 2e3 else ("kWh", 1e3)
    name = "year" if yearly else "month"
    table = Table(box=HEAD_BOX, pad_edge=False, collapse_padding=True, show_edge=False)
    table.title = f"by {name}: energies in {unit}, sun in kWh/m² in the plane of the modules, SOC in %"
    if totals[["e_inverter_wh", "e_inverter_unserved_wh"]].any(axis=None):
        table.title += "\nload and not served: at the load output and at the battery together"
    table.title_style, table.title_justify = "", "left"
    table.add_column("\n" + name, no_wrap=True)
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    for begins, row in totals.iterrows():
        energies = ("e_available_wh", "e_pv_wh", "served_wh", "missing_wh")
        table.add_row(
            f"{begins:%Y}" if yearly else f"{begins:%Y-%m}",
            f"{row['poa_wh_m2'] / 1e3:.0f}",
            *(_figure(row[energy] / per) for energy in energies),
            f"{100 * row['served_wh'] / row['asked_wh']:.1f}" if row["asked_wh"] > 0.0 else "",
            f"{row['unserved_h']:.0f}",
            *(f"{100 * row[soc]:.0f}" for soc in ("soc_min", "soc_mean")),
        )
    return table


# What happened


def _happenings(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """Upsets and transitions, oldest first; of many, the everyday ones only counted and the last ones told."""
    zone = plant.site.location.timezone
    told = [(event.t_utc_s, _told(event)) for event in trace.events]
    everyday: Counter[str] = Counter()
    if len(told) > EVENTS_SHOWN:
        everyday.update(_kind(event) for event in trace.events if event.machine in EVERYDAY)
        told = [(event.t_utc_s, _told(event)) for event in trace.events if event.machine not in EVERYDAY]
    told = sorted(told + list(_upsets(plant)))
    shown = told[-EVENTS_SHOWN:]
    if shown:
        yield "\nevents" + (f", the last {len(shown)} of {len(told)}" if len(told) > len(shown) else "")
    for t_utc_s, text in shown:
        yield f"  {to_local(t_utc_s, zone):%Y-%m-%d %H:%M:%S}  {text}"
    if everyday:
        yield "\nroutine transitions"
        yield from _counted(everyday)


def _counted(kinds: Counter[str]) -> Iterator[str]:
    """A line for each machine: its transitions, the most frequent first."""
    machines: dict[str, list[str]] = {}
    for kind, times in kinds.most_common():
        machine, _, change = kind.partition(": ")
        machines.setdefault(machine, []).append(f"{change} {times}")
    for machine, changes in machines.items():
        yield from wrap(f"  {machine:8s}  {', '.join(changes)}", WIDTH, subsequent_indent=" " * 12)


def _told(event: "Event") -> str:
    return f"{_kind(event)}: {event.reason}"


def _kind(event: "Event") -> str:
    machine, from_, to = (
        text.lower().replace("_", " ") for text in (event.machine.name, event.from_, event.to)
    )
    return f"{machine}: {from_} to {to}"


def _upsets(plant: "Plant") -> Iterator[tuple[float, str]]:
    """Beginnings and ends of the site's upsets within the run."""
    for upset in plant.site.upsets:
        begin, end = upset.moments(plant.start_utc_s, plant.site.location.timezone)
        values = ", ".join(f"{key} {value:g}" for key, value in upset.values.items())
        if plant.start_utc_s <= begin < plant.t_utc_s:
            yield begin, f"upset: {upset.name}" + f" ({values})" * bool(values)
        if end is not None and plant.start_utc_s <= end < plant.t_utc_s:
            yield end, f"mended: {upset.name}"
