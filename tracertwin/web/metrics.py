"""Quantities and line counters in the text format of Prometheus (exposition format 0.0.4)."""

import math
from collections.abc import Iterator
from typing import Final

from plant.kernel.snapshot import QUANTITIES, Snapshot, meaning_of
from tracertwin.web.pushing import Hub
from tracertwin.web.sight import Sight

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
COUNTERS: Final = {
    "requests": "requests heard",
    "replies": "replies sent",
    "exceptions": "replies that were Modbus exceptions",
    "bad_frames": "frames with a wrong CRC",
    "junk_bytes": "bytes that belonged to no request",
    "stale": "requests dropped because a newer one stood behind them",
}


def metrics_text(sight: Sight, hub: Hub) -> str:
    """The page that a Prometheus server scrapes."""
    return "\n".join([*_plant(sight), *_lines(sight), *_followers(hub), ""])


def _followers(hub: Hub) -> Iterator[str]:
    yield "# HELP tracertwin_page_followers tabs and streams that are told what goes on"
    yield "# TYPE tracertwin_page_followers gauge"
    yield f"tracertwin_page_followers {len(hub)}"
    yield "# HELP tracertwin_page_dropped_total those that did not take what they were told"
    yield "# TYPE tracertwin_page_dropped_total counter"
    yield f"tracertwin_page_dropped_total {hub.dropped}"


def _plant(sight: Sight) -> Iterator[str]:
    units = [(unit, unit.live.snapshot()) for unit in sight.rig.assembly.units]
    for name in Snapshot._fields:
        unit_of = QUANTITIES[name].unit
        yield f"# HELP tracertwin_{name} {_escaped(meaning_of(name))}{f' [{unit_of}]' if unit_of else ''}"
        yield f"# TYPE tracertwin_{name} gauge"
        for unit, snapshot in units:
            labels = _labels(site=unit.live.plant.site.name, unit=str(unit.tracer.unit))
            yield f"tracertwin_{name}{labels} {_number(getattr(snapshot, name))}"


def _lines(sight: Sight) -> Iterator[str]:
    lines = sight.now()["lines"]
    for key, meaning in COUNTERS.items():
        yield f"# HELP tracertwin_line_{key}_total {meaning}"
        yield f"# TYPE tracertwin_line_{key}_total counter"
        yield from (f"tracertwin_line_{key}_total{_labels(link=line['link'])} {line[key]}" for line in lines)
    yield "# HELP tracertwin_line_connected 1 while a master is there"
    yield "# TYPE tracertwin_line_connected gauge"
    yield from (
        f"tracertwin_line_connected{_labels(link=line['link'])} {int(line['connected'])}" for line in lines
    )
    yield "# HELP tracertwin_line_faults_total how often a line fault changed a reply"
    yield "# TYPE tracertwin_line_faults_total counter"
    for line in lines:
        for fault, count in line["struck"].items():
            yield f"tracertwin_line_faults_total{_labels(fault=fault, link=line['link'])} {count}"


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else ("+Inf" if value > 0.0 else "-Inf")
