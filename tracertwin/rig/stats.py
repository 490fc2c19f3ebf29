"""What a rig tells of itself at its end: counts of its lines as JSON has them, totals of its plants in words."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from modbus.line.conversation import LineStats
from plant.plant import Plant


def heard(stats: Sequence[LineStats]) -> str:
    """All lines together, in a few words."""
    asked = sum(sum(line.requests.values()) for line in stats)
    replies = sum(line.replies for line in stats)
    junk = sum(line.junk_bytes for line in stats)
    return (
        f"{asked} request{'s' * (asked != 1)}, {replies} {'reply' if replies == 1 else 'replies'}, "
        f"{junk} junk byte{'s' * (junk != 1)}"
    )


def totals(plant: Plant) -> str:
    """A plant's energies and its battery, in a line."""
    s = plant.snapshot
    return (
        f"{plant.site.name}: PV {s.e_pv_wh:.1f} Wh, charged {s.e_chg_wh:.1f} Wh, load {s.e_load_wh:.1f} Wh, "
        f"battery {100 * s.soc:.1f} %"
    )


def counts(stats: LineStats) -> dict[str, Any]:
    """The counts of a line as JSON has them: functions by their two hexadecimal digits."""
    told = dataclasses.asdict(stats)
    told["requests"] = {f"{function:02X}": n for function, n in sorted(stats.requests.items())}
    told["latencies"] = stats.latencies.summary_ms()
    told["reconnects"] = max(stats.connects - 1, 0)
    return told
