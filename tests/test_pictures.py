"""Pictures of a run as somebody looks at them: on a screen, on a telephone, where lines lie on each other."""

import re

import altair as alt
import numpy as np
import pandas as pd
import pytest

from plant.kernel.snapshot import Snapshot
from plant.report.page import NARROW_BELOW, drawn_twice, page
from plant.report.picture import BROAD, heading, picture
from plant.report.trace import Trace

NOON_UTC_S = 1_782_039_600  # 2026-06-21T13:00 in Zurich
FIELDS = Snapshot._fields


def trace_of(minutes: int = 120, every_s: int = 60) -> Trace:
    """A plant that takes all available PV energy, and holds its battery where it should be."""
    rows = np.ones((minutes, len(FIELDS)))
    rows[:, FIELDS.index("t_utc_s")] = NOON_UTC_S + every_s * np.arange(1, minutes + 1)
    return Trace(rows, "Europe/Zurich", (), "Cabin, seed 7")


def test_a_picture_says_whose_run_it_is_and_when():
    assert heading(trace_of()) == "Cabin, seed 7, 21 Jun 2026 13:00 to 15:00"
    assert heading(trace_of(24, 3600)) == "Cabin, seed 7, 21 Jun 2026 13:00 to 22 Jun 2026 13:00"


def test_the_legend_has_only_charge_stages_that_occur():
    behind, _ = picture(trace_of()).to_dict()["vconcat"][0]["layer"]
    assert behind["encoding"]["color"]["scale"]["domain"] == ["bulk"]


def layers_of(panel: int) -> list[tuple[str, float]]:
    """Label and width of each line of a panel, from the lowest layer up."""
    drawn = picture(trace_of()).to_dict()
    data = drawn["datasets"]
    _, lines = drawn["vconcat"][panel]["layer"]
    return [
        (data[layer["data"]["name"]][0]["what"], layer["mark"]["strokeWidth"]) for layer in lines["layer"]
    ]


@pytest.mark.parametrize(
    ("panel", "below", "above"),
    [
        (0, "available PV", "PV"),
        (1, "voltage target", "battery"),
        (2, "shown by the controller", "true"),
    ],
)
def test_a_line_on_which_another_lies_shows_on_both_sides_of_it(panel, below, above):
    widths = layers_of(panel)
    names = [name for name, _ in widths]
    assert names.index(below) < names.index(above)
    assert dict(widths)[below] == BROAD
    assert dict(widths)[above] <= BROAD - 2.0


@pytest.mark.parametrize("made", [trace_of(), trace_of(24 * 20, 3600)], ids=["short", "long"])
def test_a_page_fits_a_telephone_and_has_a_title(made):
    text = page(picture(made))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert f"<title>{heading(made)}</title>" in text
    assert text.count(f"<h1>{heading(made)}</h1>") == 1
    wide, narrow = (float(width) for width in re.findall(r'<svg[^>]* width="([\d.]+)', text))
    assert narrow <= 390 - 2 * 12
    assert wide <= NARROW_BELOW + 200
    assert min(map(float, re.findall(r'font-size="?:? ?([\d.]+)px', text))) >= 10.0
    assert "<script" not in text
    assert len(text) < 500_000


def test_numbers_that_somebody_reads_keep_their_digits():
    """Only places are drawn to a tenth of a pixel."""
    words = pd.DataFrame({"x": [0.0, 1.0], "told": ["0.37 %", "12.05 V"]})
    drawn = drawn_twice(alt.Chart(words).mark_text().encode(x="x:Q", text="told:N"))
    assert drawn.count(">0.37 %<") == drawn.count(">12.05 V<") == 2
    assert not re.search(r"(?:transform|x|y|d)=\"[^\"]*\d\.\d\d", drawn)
