"""How charts of a report look: sizes, and colours that differ in lightness too, so that they bear a grey printer."""

from typing import Any, Final

from plant.report.longpicture import WIDTH
from plant.report.picture import styled

HEIGHT: Final = 220
SERVED, CHARGERS, UNSERVED = "#6d9bc6", "#4f8f83", "#8b1a1a"
SUN: Final = "#e8a317"
CHARGE: Final = "#2e6f40"
MUTED: Final = "#b4b4b4"
LESS, MORE = "#b9c6d2", "#3f5668"
INK: Final = "#222222"
PALE_TO_DARK: Final = ("#fffaf2", "#fdd49e", "#ef8a4b", "#b03a1e", "#5a1208")  # of nothing, to the worst


def finished(chart: Any) -> Any:
    """A chart with the house's fonts and lines."""
    return styled(chart, {"orient": "top"}, {"fontSize": 12, "fontWeight": "normal"})


def sized(chart: Any, height: int = HEIGHT) -> Any:
    """A chart as wide as the page."""
    return chart.properties(width=WIDTH, height=height)
