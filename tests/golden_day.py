"""One day of one plant, kept in ``tests/golden``: what was sampled, what happened, what was answered on the line.

``python -m tests.golden_day`` says what differs from the files, ``--write`` writes them anew; nothing else does. Who
writes them says in the change log what the same site and seed now does otherwise.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from modbus.codec.requests import ReadBits, ReadWords
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from plant.base.clock import to_local
from plant.kernel.snapshot import Snapshot
from plant.plant import Event, Plant
from tests.plants import plant
from tests.snapshots import Still
from tracertwin.assembly.forms import FORMS

FOLDER = Path(__file__).parent / "golden"
ORIGIN = (
    "computed by TracerTwin 0.1.0, commit 7754476; rewritten by `python -m tests.golden_day --write` only"
)

HOUR_S, DAY_S, SAMPLE_S = 3600, 86400, 300
SEED = 10  # a day that has what the comment below says
ZONE = "Europe/Zurich"
# 23:00 at the site: midnight is in the day.
START_UTC_S = int(datetime(2026, 6, 26, 21, tzinfo=UTC).timestamp())
# The cabin with twice the modules, a small battery nearly empty, and a load of several kinds: in this order the load is
# cut off, dawn comes, the load comes back, boost is reached and served, float ends, and dusk comes.
CHANGES = {
    "array": {"parallel": 2},
    "controller": {"boost_min": 30},
    "battery": {"capacity_ah": 60.0, "soc": 0.1, "room_c": "outdoor", "cable_ohm": 0.012},
    "load": {
        "noise": 0.2,
        "items": (
            {"name": "radio", "kind": "telecom", "base_w": 2.0, "bursts_per_hour": 20.0},
            {
                "name": "lamp", "kind": "lighting", "power_w": 6.0, "after_dusk_h": 4.0,
                "mix": {"current": 0.5, "resistance": 0.5},
            },
        ),
    },
}  # fmt: skip

# What is asked in every hour: function, address, count.
POLLS = {
    "uart2": (
        (4, 0x3100, 8), (4, 0x310C, 3), (4, 0x3110, 1), (4, 0x311A, 1), (4, 0x3200, 1), (4, 0x200C, 1), (4, 0x3300, 8),
        (4, 0x3114, 1), (4, 0x331B, 2),
    ),
    "epever": (
        (4, 0x3100, 20), (4, 0x311A, 2), (4, 0x3200, 3), (4, 0x3300, 31), (2, 0x2000, 1), (2, 0x200C, 1),
        (3, 0x9013, 3), (4, 0x3114, 1),
    ),
}  # fmt: skip

# What others say in a run of one day, e_chg_wh and e_load_wh or t_utc_s; day_ends.csv and the replies have them.
LEFT_OUT = (
    "t_device_s", "load_share", "generated_month_kwh", "generated_year_kwh", "generated_total_kwh",
    "consumed_month_kwh", "consumed_year_kwh", "consumed_total_kwh",
)  # fmt: skip
SAMPLED = tuple(field for field in Snapshot._fields if field not in LEFT_OUT)
TRACE_DIGITS, TIME_DIGITS = 6, 10
# Half a unit of the last digit that is written, and a hundredth for values that lie between two.
TRACE_UNITS = 0.51
END_DIGITS = 12
END_REL = 1e-9
EVENT_S = 0.06  # an event is placed to 0.05 s, and written to 0.01 s

PROMISE = f"""\
# What it promises: site, seed and start give this day in every later version. An empty cell repeats the one above.
# Values have {TRACE_DIGITS} significant digits and are compared to {TRACE_UNITS} units of the last of them.
# Processors and maths libraries round last digits differently: that was seen to move no value of this day by more than
# 3e-14 of itself (AVX-512 with FMA beside plain SSE2, in numba, NumPy and glibc). So what the comparison finds is a
# change of the model."""
END_PROMISE = f"""\
# Each form of the plant that the kernel is compiled for, a day after its start: integrals over the
# day, so that small changes add up. {END_DIGITS} digits, compared to {END_REL:g} of each value."""


@dataclass(frozen=True)
class Day:
    """The day as it is lived now."""

    rows: np.ndarray  # (samples, quantities) of `SAMPLED`
    events: tuple[Event, ...]
    transcripts: dict[str, tuple[str, ...]]  # lines, by map


@cache
def lived() -> Day:
    """Live the day, poll by poll."""
    p = plant(SEED, START_UTC_S, **CHANGES)
    rows: list[np.ndarray] = []
    transcripts: dict[str, list[str]] = {name: [] for name in POLLS}
    for _ in range(DAY_S // HOUR_S):
        rows.append(p.run(HOUR_S, SAMPLE_S))
        for name in POLLS:
            transcripts[name] += _conversation(p, name)
    columns = [Snapshot._fields.index(name) for name in SAMPLED]
    return Day(
        np.concatenate(rows)[:, columns],
        tuple(p.events()),
        {name: tuple(lines) for name, lines in transcripts.items()},
    )


def _conversation(p: Plant, map_name: str) -> Iterator[str]:
    tracer = Tracer(load_map(map_name, TRACER_4210), Still(p.snapshot, p.settings))
    yield f"# {to_local(p.t_utc_s, ZONE):%Y-%m-%d %H:%M}"
    for function, address, count in POLLS[map_name]:
        ask = ReadBits if function < 3 else ReadWords
        request = ask(1, function, address, count)
        reply = tracer.answer(request)
        assert reply is not None
        yield f"> {request.encode().hex(' ')}"
        yield f"< {reply.hex(' ')}"


@cache
def ends() -> dict[str, Snapshot]:
    """Every form of the plant, a day after its start."""
    found = {}
    for name, form in FORMS.items():
        p = form()
        p.advance_to(p.t_utc_s + DAY_S)
        found[name] = p.snapshot
    return found


# --- as files ---------------------------------------------------------------------------------------------------------


def texts() -> dict[str, str]:
    """What each of the files should say, by name."""
    day = lived()
    return {
        "day_trace.csv": _text(PROMISE, _trace_lines(day.rows)),
        "day_events.csv": _text(
            f"# Times UTC, compared to {EVENT_S} s.",
            ["utc_s,machine,from,to,reason", *_event_lines(day.events)],
        ),
        "day_ends.csv": _text(END_PROMISE, _end_lines(ends())),
        **{
            f"day_{name}.txt": _text(
                f"# Polls of the day through the map {name}, each hour after the plant has lived it. Every byte holds.",
                lines,
            )
            for name, lines in day.transcripts.items()
        },
    }


def _text(about: str, lines: list[str] | tuple[str, ...]) -> str:
    return "\n".join((f"# golden day: {ORIGIN}", about, *lines)) + "\n"


def _trace_lines(rows: np.ndarray) -> list[str]:
    lines, before = [",".join(SAMPLED)], [""] * rows.shape[1]
    for row in rows:
        now = [_time(row[0]), *(f"{value:.{TRACE_DIGITS}g}" for value in row[1:])]
        lines.append(",".join("" if new == old else new for new, old in zip(now, before, strict=True)))
        before = now
    return lines


def _time(t_s: float) -> str:
    assert t_s == int(t_s)
    return str(int(t_s))


def _event_lines(events: tuple[Event, ...]) -> list[str]:
    return [f"{e.t_utc_s:.2f},{e.machine.name},{e.from_},{e.to},{e.reason}" for e in events]


def _end_lines(found: dict[str, Snapshot]) -> list[str]:
    columns = zip(*found.values(), strict=True)
    return [
        ",".join(("quantity", *(name.replace(", ", " ") for name in found))),
        *(
            ",".join((field, *(f"{value:.{END_DIGITS}g}" for value in values)))
            for field, values in zip(Snapshot._fields, columns, strict=True)
        ),
    ]


def _table(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")]


# --- beside the files -------------------------------------------------------------------------------------------------


def trace_differences() -> list[str]:
    """Samples that are not what the file has."""
    (names, *rows), found = _table("day_trace.csv"), []
    lived_rows = lived().rows
    if names != list(SAMPLED) or len(rows) != len(lived_rows):
        return [f"other quantities or another number of samples: {names} {len(rows)}"]
    stored = [""] * len(names)
    for kept, now in zip(rows, lived_rows, strict=True):
        stored = [new or old for new, old in zip(kept, stored, strict=True)]
        for name, text, value in zip(names, stored, now, strict=True):
            digits = TIME_DIGITS if name == "t_utc_s" else TRACE_DIGITS
            # Asked this way round: NaN is near nothing.
            if not abs(value - float(text)) <= TRACE_UNITS * unit_of_last_digit(float(text), digits):
                found.append(f"{name} at {int(now[0])}: was {text}, is {value!r}")
    return found


def unit_of_last_digit(value: float, digits: int) -> float:
    """What one more in the last of so many significant digits is; nothing for 0."""
    return 0.0 if value == 0.0 else 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1)


def event_differences() -> list[str]:
    """Events that are not what the file has."""
    _, *kept = _table("day_events.csv")
    now = [line.split(",") for line in _event_lines(lived().events)]
    if [row[1:] for row in kept] != [row[1:] for row in now]:
        return [f"was {kept}, is {now}"]
    return [
        f"{new[4]}: was at {old[0]}, is at {new[0]}"
        for old, new in zip(kept, now, strict=True)
        if abs(float(old[0]) - float(new[0])) > EVENT_S
    ]


def end_differences() -> list[str]:
    """Quantities after a day of each form that are not what the file has."""
    (head, *rows), found = _table("day_ends.csv"), []
    if head[1:] != [name.replace(", ", " ") for name in FORMS]:
        return [f"other forms: {head[1:]}"]
    if [row[0] for row in rows] != list(Snapshot._fields):
        return [f"other quantities: {[row[0] for row in rows]}"]
    for place, (form, now) in enumerate(ends().items(), 1):
        for row in rows:
            value, text = getattr(now, row[0]), row[place]
            if not abs(value - float(text)) <= END_REL * abs(float(text)):
                found.append(f"{form}: {row[0]} was {text}, is {value!r}")
    return found


def transcript_differences(map_name: str) -> list[str]:
    """Replies that are not what the file has."""
    kept = (FOLDER / f"day_{map_name}.txt").read_text(encoding="utf-8").splitlines()[2:]
    now = lived().transcripts[map_name]
    if len(kept) != len(now):
        return [f"{map_name}: {len(kept)} lines, now {len(now)}"]
    return [f"{map_name}: was {old}, is {new}" for old, new in zip(kept, now, strict=True) if old != new]


def differences() -> list[str]:
    """Everything that is not what the files have."""
    replies = [difference for name in POLLS for difference in transcript_differences(name)]
    return [*trace_differences(), *event_differences(), *end_differences(), *replies]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for file, text in texts().items():
            (FOLDER / file).write_text(text, encoding="utf-8")
    elif found := differences():
        sys.exit("\n".join(found))
