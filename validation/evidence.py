"""What kind of evidence a row is, told by where its reference is from: something measured, another model, or ourselves.

A source that stands in no row here is of no known kind, which the page then says.
"""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Final

from validation.check import Check
from validation.topics import Topic


class Kind(Enum):
    """What stands on the other side of a comparison."""

    MEASURED = "with a measurement or a manufacturer's sheet"
    MODEL = "with another model or a published law"
    THEIRS = "of others' numbers with each other, which vouch for our statistics alone"
    OWN = "with our own full model, a law of conservation or a promise of ours"
    UNKNOWN = "with a source of no known kind"


# Beginnings of sources; the first that fits.
BEGINNINGS: Final = (
    (Kind.MEASURED, (
        "measured", "measurement", "Panasonic", "MAGNA", "Polaris", "R. Perez", "Trojan", "Victron",
        "TRIRON N manual", "Tracer-A manual", "BSRN", "Tracer 3210AN in",
        "Tracer AN in", "NREL mPERT",
    )),
    (Kind.THEIRS, ("published statistics",)),
    (Kind.OWN, (
        "the plant's full model", "the steady tracker", "the array's global maximum", "conservation of energy",
        "what the project promises",
    )),
    (Kind.MODEL, (
        "another model", "ASTM", "Naumann", "Schiffer", "corrosion doubles", "pvlib", "closed form",
        "model computed apart", "scipy", "RAMP", "busy share", "power law", "log-normal", "EN 50530", "ZT155P",
        "reference simulation", "a single diode", "another program", "Erbs", "HOMER", "ESMAP", "reference run",
    )),
)  # fmt: skip


def kind_of(check: Check) -> Kind:
    """What a row compares with."""
    fitting = (kind for kind, beginnings in BEGINNINGS if check.source.startswith(beginnings))
    return next(fitting, Kind.UNKNOWN)


def told(topics: Sequence[Topic]) -> str:
    """How many rows compare with what, in a sentence."""
    counted = Counter(kind_of(check) for topic in topics for check in topic.checks)
    parts = [f"{counted[kind]} {kind.value}" for kind in Kind if counted[kind]]
    return f"Of these, {', '.join(parts)}." if parts else ""
