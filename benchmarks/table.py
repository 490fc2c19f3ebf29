"""What a benchmark gives, and how all of them are printed."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

PLAIN_WIDTH: Final = 120  # columns into a file or a pipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing measured.

    Parameters
    ----------
    what : str
    unit : str
    ours : float
    limit : float or None
        Largest value that will do, from the design or a promise of the docs; None where nothing is asked.
    peer : float or None
        The same of another program, None where there is none.
    peer_name : str
        What the peer is, or why there is none.
    note : str
        How it was measured, where that is not plain.
    """

    what: str
    unit: str
    ours: float
    limit: float | None
    peer: float | None = None
    peer_name: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the limit is kept."""
        return self.limit is None or self.ours <= self.limit


def console() -> Console:
    """On a terminal as wide as that; elsewhere wide enough for the table, or as ``COLUMNS`` says."""
    made = Console(highlight=False, markup=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PLAIN_WIDTH
    return made


def machine() -> str:
    """Where this runs, in a line or two."""
    packages = ", ".join(f"{name} {_version(name)}" for name in ("numba", "numpy", "scipy", "pymodbus"))
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} cores, load {load} before, {platform.system()}\n{python}, {packages}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def print_results(out: Console, results: list[Result]) -> None:
    """One table of everything."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("what", overflow="fold")
    for head in ("ours", "peer", "ours/peer", "must reach"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("met", no_wrap=True)
    table.add_column("the peer is", overflow="fold")
    for result in results:
        limit = "-" if result.limit is None else f"<= {number(result.limit)} {result.unit}"
        peer = "-" if result.peer is None else f"{number(result.peer)} {result.unit}"
        ratio = "-" if result.peer is None else number(result.ours / result.peer)
        met = "-" if result.limit is None else ("yes" if result.is_met else "NO")
        style = None if result.is_met else "bold red"
        ours = f"{number(result.ours)} {result.unit}"
        table.add_row(result.what, ours, peer, ratio, limit, met, result.peer_name, style=style)
    out.print(table)
    for result in results:
        if result.note:
            out.print(f"\n{result.what}: {result.note}", end="")
    out.print()


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
