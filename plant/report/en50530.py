"""The whole EN 50530 run of a controller: its results, whether they suffice, on paper and as a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.controller.en50530 import (
    CEC,
    EUROPEAN,
    LEVELS,
    RATED_V_MP_V,
    ROWS,
    SAMPLE_S,
    SETTLE_S,
    TECHNOLOGIES,
    V_BATT_V,
    Bench,
    Energies,
    Generator,
    Ramps,
    Shade,
    bench,
    dynamic_row,
    generator,
    shaded_case,
    static_point,
)
from plant.controller.model import ControllerModel
from plant.report.output import HEAD_BOX, results_console

if TYPE_CHECKING:
    import pandas as pd

PICTURED = Ramps("A", 100, 500, 10, 3, 20)
LEAST = {"static": 0.995, "A": 0.98, "B": 0.98, "shaded": 0.98}


@dataclass(frozen=True, slots=True)
class Results:
    """What a controller reached."""

    voltages_v: tuple[float, float, float]  # lowest, rated, highest maximum power voltage
    static: Mapping[tuple[float, float], Energies]  # by voltage and level
    dynamic: Mapping[Ramps, Energies]
    shade: Shade

    def weighted(self, v_mp_v: float, weights: Mapping[float, float], what: str = "tracking") -> float:
        """A static efficiency at one voltage, its levels weighted: ``EUROPEAN`` or ``CEC``."""
        values = [getattr(self.static[v_mp_v, level], what) for level in weights]
        return float(np.average(values, weights=list(weights.values())))

    def mean(self, sequence: str, what: str = "tracking") -> float:
        """Unweighted mean of a sequence's rows."""
        return float(
            np.mean(
                [
                    getattr(energies, what)
                    for row, energies in self.dynamic.items()
                    if row.sequence == sequence
                ]
            )
        )

    def verdict(self) -> dict[str, float]:
        """What is judged, by the names of ``LEAST``; static is the worst of both weightings at all voltages."""
        static = min(self.weighted(v, weights) for v in self.voltages_v for weights in (EUROPEAN, CEC))
        return {
            "static": static,
            "A": self.mean("A"),
            "B": self.mean("B"),
            "shaded": self.shade.after.tracking,
        }

    @property
    def holds(self) -> bool:
        """Whether all of it suffices."""
        return all(value >= LEAST[name] for name, value in self.verdict().items())


def rated_generator(b: Bench, technology: str) -> Generator:
    """The generator of the dynamic rows: the controller's rated power, at a voltage usual for it."""
    return generator(b.rated_w, _voltages_v(b)[1], TECHNOLOGIES[technology])


def _voltages_v(b: Bench) -> tuple[float, float, float]:
    """Lowest, rated and highest voltage of a maximum that the window leaves room to climb about."""
    low, high = b.window_v
    low, high = 1.05 * low, high / 1.05
    return low, min(max(RATED_V_MP_V, low), high), high


def measure(b: Bench, technology: str) -> Results:
    """Run the whole standard."""
    voltages = _voltages_v(b)
    tech, gen = TECHNOLOGIES[technology], rated_generator(b, technology)
    return Results(
        voltages,
        {(v, level): static_point(b, tech, v, level) for v in voltages for level in LEVELS},
        {row: dynamic_row(b, gen, row) for row in ROWS},
        shaded_case(b),
    )


def run_en50530(controller: str, technology: str, tick_s: float, plot: Path | None) -> int:
    """Measure a controller, print the results, draw a row if asked; 0 when they suffice, else 1."""
    model = ControllerModel.load(controller)
    if not 0.01 <= tick_s <= 10.0:
        raise ProblemsError([Problem("--tick", 0, "", f"must lie in 10ms..10s, got {tick_s:g} s")])
    if technology not in TECHNOLOGIES:
        known = ", ".join(TECHNOLOGIES)
        hint = did_you_mean(technology, TECHNOLOGIES)
        raise ProblemsError(
            [Problem("--technology", 0, "", f"must be one of {known}, got {technology!r}{hint}")]
        )
    if plot is not None:
        from plant.report.trace import PICTURES, check_suffix

        check_suffix(plot, PICTURES)
    b = bench(model, tick_s)
    results = measure(b, technology)
    try:
        print_results(results, f"{controller}, {technology}, tracker every {tick_s:g} s")
    finally:
        if plot is not None:
            draw(b, technology, plot)
    return 0 if results.holds else 1


def print_results(results: Results, title: str, console: Console | None = None) -> None:
    """Print static, dynamic and shaded efficiencies, and the verdict."""
    console = console or results_console()
    console.print(f"EN 50530, {title}")
    console.print(f"overall: energy into a battery held at {V_BATT_V:g} V, after converter losses\n")
    console.print(_static_table(results))
    console.print(_dynamic_table(results))
    shade = results.shade
    console.print(
        f"shaded: {shade.modules} modules in series, half of each at 300 W/m2; maxima at {shade.v_mp_v[0]:.1f} V "
        f"and (lower) {shade.v_mp_v[1]:.1f} V. Tracking efficiency on the lower one, until the next sweep: "
        f"{100 * shade.before.tracking:.2f} %; afterwards: {100 * shade.after.tracking:.2f} %."
    )
    console.print(_verdict_table(results))


def _percent(value: float) -> str:
    return f"{100.0 * value:.2f}"


def _static_table(results: Results) -> Table:
    table = Table(
        box=HEAD_BOX,
        pad_edge=False,
        title="static [%], by maximum power voltage",
        title_justify="left",
    )
    table.add_column("of rated\npower", justify="right")
    for what in ("tracking", "overall"):
        for n, v in enumerate(results.voltages_v):
            table.add_column(f"{what if n == 0 else ''}\n{v:.1f} V", justify="right")
    for level in LEVELS:
        cells = [
            _percent(getattr(results.static[v, level], what))
            for what in ("tracking", "overall")
            for v in results.voltages_v
        ]
        table.add_row(f"{100 * level:.0f} %", *cells, end_section=level == LEVELS[-1])
    for name, weights in (("European", EUROPEAN), ("CEC", CEC)):
        cells = [
            _percent(results.weighted(v, weights, what))
            for what in ("tracking", "overall")
            for v in results.voltages_v
        ]
        table.add_row(name, *cells)
    return table


def _dynamic_table(results: Results) -> Table:
    table = Table(box=HEAD_BOX, pad_edge=False, title="dynamic", title_justify="left")
    for head in ("", "W/m2", "slope\nW/m2/s", "times", "ramp\ns", "row\ns", "tracking\n%", "overall\n%"):
        table.add_column(head, justify="right" if head else "left")
    for sequence in dict.fromkeys(row.sequence for row in results.dynamic):
        rows = {row: t for row, t in results.dynamic.items() if row.sequence == sequence}
        for row, t in rows.items():
            table.add_row(
                sequence, f"{row.low_w_m2:g} to {row.high_w_m2:g}", f"{row.slope_w_m2_s:g}", str(row.times),
                f"{row.ramp_s:.1f}", f"{row.duration_s:.0f}", _percent(t.tracking), _percent(t.overall),
            )  # fmt: skip
        if len(rows) == 1:
            continue
        whole_s = sum(row.duration_s for row in rows)
        table.add_row(
            sequence, "mean", "", "", "", f"{whole_s:.0f}",
            _percent(results.mean(sequence)), _percent(results.mean(sequence, "overall")), end_section=True,
        )  # fmt: skip
    return table


def _verdict_table(results: Results) -> Table:
    table = Table(box=HEAD_BOX, pad_edge=False)
    for head in ("tracking", "%", "at least", ""):
        table.add_column(head, justify="right" if head in ("%", "at least") else "left")
    names = {
        "static": "static, worst weighted",
        "A": "dynamic A",
        "B": "dynamic B",
        "shaded": "shaded, after a sweep",
    }
    for name, value in results.verdict().items():
        holds = value >= LEAST[name]
        table.add_row(
            names[name], _percent(value), f"{100 * LEAST[name]:.1f}", "holds" if holds else "[bold]fails[/]"
        )
    return table


def row_frame(b: Bench, technology: str, row: Ramps) -> "pd.DataFrame":
    """Samples of a row from half a minute before its first ramp: time [s], powers [W], voltages [V]."""
    import pandas as pd

    log = np.full((int(row.duration_s / min(b.settings.tick_s, SAMPLE_S)), 5), np.nan)
    dynamic_row(b, rated_generator(b, technology), row, log=log)
    frame = pd.DataFrame(log, columns=["t_s", "available_w", "taken_w", "v_mp_v", "v_ref_v"]).dropna()
    frame["t_s"] -= SETTLE_S
    return frame[frame["t_s"] >= -30.0].reset_index(drop=True)


def draw(b: Bench, technology: str, path: Path, row: Ramps = PICTURED) -> None:
    """Draw a row as HTML, SVG or PNG, by the file's suffix.

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    from plant.report.picture import save

    chart = row_chart(row_frame(b, technology, row), f"EN 50530, ramps of {row.slope_w_m2_s:g} W/m²/s")
    save(chart, path)


def row_chart(frame: "pd.DataFrame", title: str) -> Any:
    """The chart of a row: power taken over the broad line of what was available, and the same for the voltage."""
    import altair as alt

    from plant.report.picture import styled

    power = _panel(frame, ("available_w", "available"), ("taken_w", "taken"), "power [W]", zero=True)
    voltage = _panel(
        frame, ("v_mp_v", "voltage of the maximum"), ("v_ref_v", "reference"), "voltage [V]", zero=False
    )
    stacked = alt.vconcat(power, voltage, spacing=14, title=title).resolve_scale(color="independent")
    return styled(stacked, {"symbolStrokeWidth": 3})


def _panel(
    frame: "pd.DataFrame", below: tuple[str, str], above: tuple[str, str], title: str, *, zero: bool
) -> Any:
    import altair as alt

    colours = alt.Scale(domain=[below[1], above[1]], range=["#f7cf7f", "#b8432f"])

    def line(column: str, label: str, width: float) -> Any:
        return (
            alt.Chart(frame[["t_s", column]].assign(what=label))
            .mark_line(strokeWidth=width, interpolate="step-after")
            .encode(
                x=alt.X("t_s:Q", title="time [s]", scale=alt.Scale(nice=False)),
                y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=zero)),
                color=alt.Color("what:N", title=None, scale=colours, sort=None),
            )
        )

    return alt.layer(line(*below, 5.0), line(*above, 1.0)).properties(width=720, height=190)
