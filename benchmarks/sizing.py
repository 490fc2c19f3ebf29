"""A year for sizing, one step a minute, beside a loop in C; and the sun's positions beside pvlib's.

The C program gets the same year of sun and load, made by the plant, and does less a step: it has no slow polarisation
and no side reaction of the charge, no dim light, heat sink or meters, and two of the controller's machines.
"""

import struct
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Final
from unittest.mock import patch

import numpy as np

from benchmarks.responders import Missing, compiled_c
from benchmarks.table import Result
from plant.base.clock import DAY_S, SKY_S
from plant.controller.model import power_stage
from plant.inputs import SIZING_BLOCK_DAYS, Inputs, inputs_of
from plant.plant import Plant
from plant.site.model import Site, load_site
from plant.weather import sun
from plant.weather.clearsky import DELTA_T_S, REFRACTION_AT_HORIZON_DEG, STANDARD_TEMPERATURE_C

YEAR_DAYS: Final = 365
DT_S: Final = 60
TRIALS: Final = 9
C_NAME: Final = "a loop of fewer parts in C, cc -O2"
# Fields of the battery, the controller and the set-points in the order of the C program's struct.
BATTERY: Final = (
    "cells", "full_capacity_ah", "available_fraction", "diffusion_rate_per_h", "charge_diffusion_ratio",
    "ocv_empty_v_cell", "ocv_linear_v_cell", "ocv_quadratic_v_cell", "discharge_exchange_a", "discharge_tafel_v_cell",
    "depletion_strength", "depletion_depth", "r0_ohm", "charge_exchange_a", "charge_tafel_v_cell",
    "saturation_strength", "gassing_a_per_100ah", "gassing_capacity_ah", "heat_capacity_j_k", "heat_transfer_w_k",
    "vented",
)  # fmt: skip
STAGE: Final = ("i_max_a", "p_max_w", "above_v", "efficiency", "k_c", "k_s", "r_eq", "own_w", "path_ohm")
SETPOINTS: Final = (
    "boost_v", "float_v", "boost_s", "boost_reconnect_v", "low_voltage_disconnect_v", "low_voltage_reconnect_v",
    "compensation_v_k", "start_above_v",
)  # fmt: skip


def run() -> Iterator[Result]:
    """The year, its kernel, the kernel over C, solar positions."""
    site = load_site("cabin")
    _year(_plant(site), days=2)  # compiled code is loaded, tables are read
    year_s = min(_seconds(lambda: _year(_plant(site))) for _ in range(TRIALS))
    yield Result(
        what="year, sizing fidelity, 1-minute steps, weather included", unit="s", ours=year_s, limit=0.45,
        peer_name="none that makes weather too",
    )  # fmt: skip
    blocks = {first: inputs_of(site, site.seed, first, SIZING_BLOCK_DAYS, DT_S) for first in _blocks(site)}
    kernel_s, pv_wh = _kernel(site, blocks)
    try:
        (c_s, c_pv_wh), why = _in_c(site, blocks), C_NAME
    except Missing as reason:
        c_s, c_pv_wh, why = None, float("nan"), str(reason)
    yield Result(
        what="its kernel alone", unit="s", ours=kernel_s, limit=None, peer=c_s, peer_name=why,
        note="sun and load are made before the clock starts, fastest of nine on either side; PV "
        f"{pv_wh / 1e3:.1f} kWh, in C, whose model has fewer parts, {c_pv_wh / 1e3:.1f} kWh",
    )  # fmt: skip
    if c_s is not None:
        yield Result(
            what="its kernel over the loop in C", unit="x", ours=kernel_s / c_s, limit=1.3, peer_name=why
        )
    yield _solar_positions(site)


def _plant(site: Site) -> Plant:
    return Plant.new(site, fidelity="sizing", step_s=DT_S)


def _year(plant: Plant, days: int = YEAR_DAYS) -> float:
    """PV energy of a year from here on [Wh]."""
    return plant.advance_to(plant.t_utc_s + days * DAY_S).e_pv_wh


def _days(site: Site) -> range:
    """Solar days that a year touches."""
    first = sun.day_of(_plant(site).start_utc_s, site.location.longitude_deg)
    return range(first, first + YEAR_DAYS + 1)


def _blocks(site: Site) -> range:
    """First days of the blocks that the plant asks for in that year."""
    days = _days(site)
    first = days[0] // SIZING_BLOCK_DAYS * SIZING_BLOCK_DAYS
    return range(first, days[-1] + 1 + SIZING_BLOCK_DAYS, SIZING_BLOCK_DAYS)  # one is made ahead


def _seconds(action: Callable[[], object]) -> float:
    began = perf_counter()
    action()
    return perf_counter() - began


def _kernel(site: Site, blocks: dict[int, Inputs]) -> tuple[float, float]:
    """Wall time [s] of the year with sun and load ready, and its PV energy [Wh]."""

    def ready(_site: Site, _seed: int, first_day: int, *_more: object) -> Inputs:
        return blocks[first_day]

    with patch("plant.inputs.inputs_of", ready):
        plants = [_plant(site) for _ in range(TRIALS)]
        return min(_seconds(partial(_year, plant)) for plant in plants), plants[0].snapshot.e_pv_wh


def _in_c(site: Site, blocks: dict[int, Inputs]) -> tuple[float, float]:
    """Wall time [s] of the loop in C over the same year, and its PV energy [Wh]; raises as `compiled_c` does."""
    with compiled_c("sizing.c") as program:
        data = program.parent / "inputs"
        data.write_bytes(_header(site) + _columns(site, blocks).tobytes())
        said = subprocess.run([program, data], check=True, capture_output=True, text=True).stdout.split()
    return float(said[0]), float(said[2])


def _header(site: Site) -> bytes:
    """The struct `parameters` of the C program."""
    battery, setpoints = site.battery.parameters(), site.setpoints()
    stage = power_stage(site.controller.parameters(), site.battery.system_v)
    room_c = site.battery.room_c
    values = [YEAR_DAYS * DAY_S / DT_S, DT_S, site.battery.soc, 20.0 if room_c == "outdoor" else room_c]
    for record, names in ((battery, BATTERY), (stage, STAGE), (setpoints, SETPOINTS)):
        values += [getattr(record, name) for name in names]
    return struct.pack(f"={len(values)}d", *values)


def _columns(site: Site, blocks: dict[int, Inputs]) -> np.ndarray:
    """Power and voltage at the maximum, open-circuit voltage, demand, room, by minute; (5, steps)."""
    series = [
        np.concatenate(parts)
        for parts in zip(
            *(
                (b.array.p_mp_w, b.array.v_mp_v, b.array.v_oc_v, b.demand.power_w, b.t_room_c)
                for b in blocks.values()
            ),
            strict=True,
        )
    ]
    first = (_plant(site).start_utc_s - next(iter(blocks.values())).start_utc_s) // DT_S
    return np.stack([s[first : first + YEAR_DAYS * DAY_S // DT_S] for s in series])


def _solar_positions(site: Site) -> Result:
    """A year of sun: ours every 10 s, pvlib's SPA every minute."""
    from pvlib import spa

    place, days = site.location, _days(site)[:YEAR_DAYS]
    t_utc_s = np.arange(days[0] * DAY_S, (days[-1] + 1) * DAY_S, DT_S, dtype=float)

    def ours() -> None:
        sun._position(days[0], len(days), place, SKY_S)

    def theirs() -> None:
        spa.solar_position(
            t_utc_s,
            place.latitude_deg,
            place.longitude_deg,
            place.altitude_m,
            1013.25,
            STANDARD_TEMPERATURE_C,
            DELTA_T_S,
            REFRACTION_AT_HORIZON_DEG,
        )

    return Result(
        what="solar positions of a year", unit="s", ours=min(_seconds(ours) for _ in range(2)), limit=None,
        peer=min(_seconds(theirs) for _ in range(2)), peer_name="pvlib SPA, numpy, every minute",
        note="ours are six times as many, every 10 s, splined between exact nodes of pvlib's SPA (error < 1e-3 deg)",
    )  # fmt: skip
