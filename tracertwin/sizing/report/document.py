"""The page of a study: one HTML file with everything in it, for a screen, a telephone or a printer."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Final

from plant.report.drafts import draft_of
from plant.report.page import drawn_twice, whole_page
from tracertwin.sizing.choosing.sitefile import site_text
from tracertwin.sizing.choosing.targets import targets_text
from tracertwin.sizing.figures.metrics import METRIC
from tracertwin.sizing.figures.printing import SHARE, formatted, formatted_years
from tracertwin.sizing.report.balance import losses, sensitivity
from tracertwin.sizing.report.reasons import headline, what_would_change_it, why
from tracertwin.sizing.report.seasons import charge_fan, monthly_balance, worst_weeks, worst_weeks_panels
from tracertwin.sizing.report.study import COST, Study
from tracertwin.sizing.report.tables import (
    design_sheet,
    front_table,
    metrics_table,
    pvgis_table,
    sensitivity_table,
)
from tracertwin.sizing.report.tradeoffs import heat_map, pareto, varied

HEADLINES: Final = (
    "lolp", "outages", "no_outage", "autonomy_d", "first_cost", COST, "lcoe", "battery_life_years",
)  # fmt: skip
PVGIS: Final = (
    "Counted as PVGIS counts them, to be laid beside its page: days full and empty, energy lost and missing per such "
    "day, energy delivered per day; then how many days end with how much charge."
)
ICON: Final = '<link rel="icon" href="data:,">\n'  # none: a browser asks for no other
STYLE: Final = """\
body { font-family: sans-serif; color: #222222; margin: 16px auto; padding: 0 12px; max-width: 1000px; }
h1 { font-size: 20px; margin: 0 0 4px; }
h2 { font-size: 16px; margin: 28px 0 4px; border-top: 1px solid #cccccc; padding-top: 14px; }
p, li { font-size: 14px; line-height: 1.4; margin: 0 0 8px; }
ul { padding-left: 20px; }
.note { color: #595959; }
.verdict { font-size: 17px; font-weight: bold; border-left: 5px solid #222222; padding-left: 12px; margin: 12px 0; }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; margin: 12px 0; }
.cards div { border: 1px solid #cccccc; border-radius: 4px; padding: 6px 8px; font-size: 12px; color: #595959; }
.cards b { display: block; font-size: 16px; color: #222222; }
.scrolls {
  overflow-x: auto; margin: 6px 0 10px;
  /* a shadow at the edge behind which there is more: the white that hides it moves with the table */
  background:
    linear-gradient(to right, white 40%, transparent) left / 48px 100% no-repeat local,
    linear-gradient(to left, white 40%, transparent) right / 48px 100% no-repeat local,
    linear-gradient(to right, #00000040, transparent) left / 14px 100% no-repeat scroll,
    linear-gradient(to left, #00000040, transparent) right / 14px 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 0; border-bottom: 1px solid #e4e4e4; }
td:first-child { white-space: nowrap; }
.numbers th + th, .numbers td + td { text-align: right; white-space: nowrap; }
tr.chosen td { font-weight: bold; background: #0000000f; }
pre { font-size: 12px; overflow-x: auto; background: #f6f6f6; padding: 8px; }
summary { font-size: 14px; }
@media (max-width: 600px) {
  .cards { grid-template-columns: repeat(2, 1fr); }
  table { font-size: 12px; }
  th, td { padding-right: 8px; }
}
@media print { .scrolls { overflow: visible; } }
"""


def write_report(path: Path, study: Study) -> None:
    """Write the page; needs no browser and no network, then or later.

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    with draft_of(path) as draft:
        draft.write_text(document(study), encoding="utf-8")


def document(study: Study) -> str:
    """The page of a study as HTML."""
    title = f"Sizing of {study.site.name}"
    return whole_page(title, STYLE, "".join(_body(study, title)), ICON)


def _body(study: Study, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>\n"
    yield _note(_what_was_done(study))
    first, *further = headline(study)
    yield f'<p class="verdict">{escape(first)}</p>\n' + "".join(
        f"<p>{escape(text)}</p>\n" for text in further
    )
    yield _cards(study)
    yield _section("Why, and what would change it", _list(why(study)), _list(what_would_change_it(study)))
    if len(study.designs) > 1:
        yield from _comparison(study)
    yield _section(
        "A mean day of each month", _note(_months_note(study)), drawn_twice(monthly_balance(study))
    )
    yield _section("Charge over the year", _note(_fan_note(study)), drawn_twice(charge_fan(study)))
    yield _section("The worst two weeks", _note(_weeks_note(study)), drawn_twice(worst_weeks_panels(study)))
    if study.changed:
        note = f"{study.name(study.chosen)} with one thing changed, in the same years."
        yield _section(
            "What it depends on", _note(note), drawn_twice(sensitivity(study)), sensitivity_table(study)
        )
    yield _section("Where the energy goes", _note("A mean year."), drawn_twice(losses(study.chosen.figures)))
    yield _section("All figures", metrics_table(study))
    yield _section("PVGIS's numbers", _note(PVGIS), pvgis_table(study))
    yield _section("Design check", design_sheet(study))
    yield _section("Inputs", *_inputs(study))


def _comparison(study: Study) -> Iterator[str]:
    """The charts of many designs."""
    if (chart := heat_map(study)) is not None:
        title = f"{METRIC[study.loss].label} of each design"
        yield _section(title, _note(_map_note(study)), drawn_twice(chart))
    note = (
        "Each point is a design; no other one is both cheaper and better than those on the line. "
        f"The diamond is {study.name(study.chosen)}, with its 95 % interval."
    )
    if study.comparable:
        yield _section("What fewer outages cost", _note(note), drawn_twice(pareto(study)), front_table(study))
    else:
        note = "Costs are in different currencies, so they are not compared."
        yield _section("What fewer outages cost", _note(note), front_table(study))


# Parts of the page


def _section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{''.join(parts)}</section>\n"


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>\n'


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in sentences)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _cards(study: Study) -> str:
    cards = "".join(_card(study, name) for name in HEADLINES)
    return f'<p class="note">{escape(study.name(study.chosen))}</p>\n<div class="cards">\n{cards}</div>\n'


def _card(study: Study, name: str) -> str:
    """A metric's value, its interval below it."""
    value, _, span = formatted(study.chosen.metrics[name], METRIC[name].unit, study.currency).partition(" (")
    return f"<div>{escape(METRIC[name].label)}<b>{escape(value)}</b>{escape(span.rstrip(')'))}</div>\n"


# Notes


def _what_was_done(study: Study) -> str:
    number = len(study.designs)
    designs = f"{number} design{'s' * (number != 1)} in {formatted_years(len(study.chosen.years))} of weather"
    return f"{designs}; target: {targets_text(study.targets)}"


def _map_note(study: Study) -> str:
    axes, values = study.answer.inquiry.axes, study.chosen.design.values
    others = ", ".join(f"{axes[k].heading} {axes[k].formatted(values[k])}" for k in varied(study)[2:])
    unit = "in %, " * (METRIC[study.loss].unit == SHARE)
    frame = f"{unit}darker is worse; the frame is {study.name(study.chosen)}; ✓ meets the target"
    return f"{frame[0].upper()}{frame[1:]}{f'; all with {others}' if others else ''}."


def _months_note(study: Study) -> str:
    name = study.name(study.chosen)
    return f"{name}, means over all years; what is missing is written above its bar, in % of the demand."


def _fan_note(study: Study) -> str:
    number = len(study.hours)
    if number == 1:
        return "Lowest charge of each day."
    return (
        f"Lowest charge of each day in {number} years: the line is the middle one, the dark band holds eight in ten, "
        "the pale one all."
    )


def _weeks_note(study: Study) -> str:
    weeks = worst_weeks(study)
    seed, year = study.chosen.years[weeks.place]
    lost = f"{weeks.unserved_wh:,.0f} Wh not served" if weeks.unserved_wh > 0.0 else "all was served"
    return f"Of the worst year, {year} of seed {seed}: {lost}. Times are civil time."


def _inputs(study: Study) -> Iterator[str]:
    inquiry, when = study.answer.inquiry, study.chosen.years
    seeds, years = sorted({each.seed for each in when}), sorted({each.year for each in when})
    span = f"{years[0]}" if len(years) == 1 else f"{years[0]} to {years[-1]}"
    yield _list(
        (
            f"weather years: {span}; seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}",
            f"steps of {inquiry.step_s / 60:g} min. {study.step_note}",
            *(f"{axis.heading}: {', '.join(map(axis.formatted, axis.values))}" for axis in inquiry.axes),
            f"tracertwin {study.version}",
        )
    )
    yield f"<p>The same again:</p>\n<pre>{escape(study.command)}</pre>\n"
    summary = f"<summary>The site file of {escape(study.name(study.chosen))}</summary>"
    text = site_text(study.chosen, inquiry.base)
    yield f"<details>\n{summary}\n<pre>{escape(text)}</pre>\n</details>\n"
