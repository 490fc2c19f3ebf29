"""A picture as a web page: drawn twice, for a screen and for a telephone, without scripts and without a network."""

import copy
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

import altair as alt
import vl_convert

from plant.report.longpicture import WIDTH

NARROW: Final = 290  # of a panel on a telephone [px]: 390 less axis, titles and margins
NARROW_BELOW: Final = 1000  # where the wide one would not fit [px]
DATA: Final = "datasets"  # of a drawing: tables, by the names that panels call them
WIDEST_FONT: Final = 1.15  # a browser's sans-serif beside the one that texts are measured with: DejaVu Sans
FONTS: Final = {  # where a chart says nothing [px]; a bold title would be wider still
    "axis": {"labelFontSize": 10, "titleFontSize": 11, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 10, "titleFontSize": 11, "titleFontWeight": "normal"},
    "header": {"labelFontSize": 10, "titleFontSize": 11},
    "title": {"fontSize": 13, "subtitleFontSize": 11},
    "text": {"fontSize": 11},
}
OPENING: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""
# Shows one of the two drawings of `drawn_twice`.
ONE_DRAWING: Final = f"""\
svg {{ max-width: 100%; height: auto; }}
.narrow {{ display: none; }}
@media (max-width: {NARROW_BELOW}px) {{ .wide {{ display: none; }} .narrow {{ display: block; }} }}
"""
STYLE: Final = """\
body { font-family: sans-serif; margin: 12px; }
h1 { font-size: 17px; margin: 0 0 4px; }
p { color: #666666; font-size: 14px; margin: 0 0 8px; }
"""


def page(chart: Any) -> str:
    """A chart as a whole HTML page, with its title as heading."""
    drawn = _spec(chart)
    title, subtitle = _words(drawn.pop("title", ""))
    below = f"<p>{escape(subtitle)}</p>\n" if subtitle else ""
    return whole_page(title, STYLE, f"<h1>{escape(title)}</h1>\n{below}{_twice(drawn)}")


def whole_page(title: str, style: str, body: str, links: str = "") -> str:
    """A whole HTML page around a body that may have charts of `drawn_twice` in it; `links` are of its head."""
    return (
        f"{OPENING}{links}<title>{escape(title)}</title>\n<style>\n{style}{ONE_DRAWING}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def drawn_twice(chart: Any) -> str:
    """A chart as HTML, of which the style of `whole_page` shows one drawing: for a screen or for a telephone."""
    return _twice(_spec(chart))


def _spec(chart: Any) -> dict[str, Any]:
    with alt.data_transformers.enable("default", max_rows=None):  # a page holds what a picture does
        drawn: dict[str, Any] = chart.to_dict()
    return drawn


def _twice(drawn: dict[str, Any]) -> str:
    both = (("wide", drawn), ("narrow", _narrowed(drawn)))
    return "".join(f'<div class="{name}">{_svg(spec)}</div>\n' for name, spec in both)


def _words(title: Any) -> tuple[str, str]:
    """Title and subtitle, each in one line."""
    if not isinstance(title, dict):
        return str(title), ""
    lines = (title.get(name, "") for name in ("text", "subtitle"))
    head, below = (" ".join(each) if isinstance(each, list) else str(each) for each in lines)
    return head, below


def svg_text(chart: Any) -> str:
    """A chart as SVG."""
    return _svg(_spec(chart))


def _svg(spec: dict[str, Any]) -> str:
    """Drawn to a tenth of a pixel, which is a third of the file; texts stay as they are.

    They are laid out larger than they are drawn, so that in a browser's wider font none runs into another, or out of
    the picture.
    """
    roomy = _copied(spec)
    config = roomy.setdefault("config", {})
    for part, fonts in FONTS.items():
        config[part] = fonts | config.get(part, {})
    for named in _parts(roomy):
        for name, size in named.items():
            if name.lower().endswith("fontsize") and isinstance(size, int | float):
                named[name] = WIDEST_FONT * size
    text: str = vl_convert.vegalite_to_svg(roomy)
    text = re.sub(
        r'font-size="([\d.]+)px"', lambda size: f'font-size="{float(size[1]) / WIDEST_FONT:g}px"', text
    )
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d)\d+", r"\1", tag[0]), text)


def _narrowed(spec: dict[str, Any]) -> dict[str, Any]:
    """The same with panels as wide as a telephone, legends below them and fewer labels."""
    narrow = _copied(spec)
    for part in _parts(narrow):
        if part.get("width") == WIDTH:
            part["width"] = NARROW
    config = narrow.setdefault("config", {})
    config["legend"] = config.get("legend", {}) | {"orient": "bottom", "columns": 2}
    config["axis"] = config.get("axis", {}) | {"labelOverlap": "greedy", "labelSeparation": 6}
    config["axisX"] = {"tickCount": 4}
    return narrow


def _copied(spec: dict[str, Any]) -> dict[str, Any]:
    """A drawing to change; its data, most of it by far, are those of the other."""
    return copy.deepcopy({name: part for name, part in spec.items() if name != DATA}) | {
        name: part for name, part in spec.items() if name == DATA
    }


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """A drawing and everything in it that has names, but its data."""
    if isinstance(node, dict):
        yield node
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, each in inside:
        if name != DATA:
            yield from _parts(each)
