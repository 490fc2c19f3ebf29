"""A battery file becomes parameters: which keys a family has, and what each may hold.

A family is a chemistry whose numbers differ from battery to battery. Keys that begin with `bms_` or `life_` are limits
of the battery's own protection and what its maker promises; each may be left out, as may those of `EXTRAS` beside them.
"""

import math
from functools import lru_cache
from typing import NamedTuple

from plant.base import configs
from plant.base.problems import ProblemsError, did_you_mean, shown
from plant.base.yamlfile import Document, load_yaml, read_numbers
from plant.battery import bms
from plant.battery.acid import LeadAcid
from plant.battery.bms import Bms
from plant.battery.lithium import Lithium
from plant.battery.model import Parameters, rated_ah
from plant.battery.wear import Life

FAMILIES: dict[str, type[LeadAcid] | type[Lithium]] = {
    "lead_acid": LeadAcid,
    "lithium_iron_phosphate": Lithium,
}
CELLS_OF_12_V: dict[type, int] = {LeadAcid: 6, Lithium: 4}
EXTRAS: dict[str, dict[str, float]] = {  # optional keys of each family and what they are if left out
    "lead_acid": {f"life_{key}": value for key, value in Life()._asdict().items()}
    | {
        "empty_below": 0.01,
        "cold_depletion_per_k": 0.0042,
        "charge_efficiency": 1.0,
        "surface_f": 1e300,  # no slow polarisation
        "surface_charge_v_cell": 0.06,
        "surface_discharge_v_cell": 0.0133,
    },
    "lithium_iron_phosphate": {f"bms_{key}": value for key, value in Bms()._asdict().items()}
    | {"locked_per_k": 0.0065, "locked_per_k2": 0.0},
}
# All keys but these must be above 0, `MAY_BE_ZERO` not below, and `SHARES` not above 1 either.
ANY_SIGN = {"ocv_linear_v_cell", "ocv_quadratic_v_cell"}
MAY_BE_ZERO = {
    "vented", "r_bms_ohm", "self_discharge_a", "gassing_a_per_100ah", "cold_depletion_per_k", "locked_per_k",
    "locked_per_k2",
}  # fmt: skip
SHARES = {"available_fraction", "coulombic_efficiency", "charge_efficiency", "vented"}
SYMBOLS = {  # of the formulas in docs/physics/battery.md, with their units -> key; for the near-name hint
    "life_z_iec": "life_full_cycles",
    "q_ah": "full_capacity_ah",
    "e0_v": "ocv_empty_v_cell",
    "e1_v": "ocv_linear_v_cell",
    "e2_v": "ocv_quadratic_v_cell",
    "c": "available_fraction",
    "k_per_h": "diffusion_rate_per_h",
    "rk": "charge_diffusion_ratio",
    "i0_a": "discharge_exchange_a",
    "b_v": "discharge_tafel_v_cell",
    "md": "depletion_strength",
    "cd": "depletion_depth",
    "i0c_a": "charge_exchange_a",
    "bc_v": "charge_tafel_v_cell",
    "mc": "saturation_strength",
    "ig0_a": "gassing_a_per_100ah",
    "cn_ah": "gassing_capacity_ah",
    "c_dl_f": "double_layer_f",
    "c_th_j_k": "heat_capacity_j_k",
    "h_a_w_k": "heat_transfer_w_k",
    "eta": "coulombic_efficiency",
    "i_sd_a": "self_discharge_a",
    "b_cold_k": "arrhenius_cold_k",
    "b_warm_k": "arrhenius_warm_k",
}
ORDERED = (  # the first not above the second
    ("bms_over_charge_release_v_cell", "bms_over_charge_v_cell"),
    ("bms_over_discharge_v_cell", "bms_over_discharge_release_v_cell"),
    ("bms_over_discharge_release_v_cell", "bms_over_charge_release_v_cell"),
    ("bms_charge_min_c", "bms_charge_max_c"),
    ("bms_discharge_min_c", "bms_discharge_max_c"),
)


class Block(NamedTuple):
    """One block as its file has it: of 6 V, 12 V or what else its cells come to."""

    title: str
    parameters: Parameters
    bms: Bms
    life: Life


@lru_cache(maxsize=32)  # an ageing plant asks anew each day
def read_block(name: str) -> Block:
    """A block from ``config/batteries``.

    Raises
    ------
    ProblemsError
        If there is no such battery, or its file lacks or holds what a block of its family doesn't have.
    """
    document = load_yaml(configs.find("batteries", name))
    family = document.data.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        near = did_you_mean(str(family), FAMILIES)
        message = f"must be one of {', '.join(FAMILIES)}, got {shown(family)}{near}"
        raise ProblemsError([document.problem(("family",), message)])
    record, extras = FAMILIES[family], EXTRAS[family]
    filled = Document(document.file, {**extras, **document.data}, document.lines)
    numbers = read_numbers(filled, (*record._fields, *extras), about=("family", "title"), symbols=SYMBOLS)
    _check(document, numbers, record._fields)
    return Block(
        str(document.data.get("title", name)),
        record(**{key: numbers[key] for key in record._fields}),
        Bms(**_group(numbers, "bms_")),
        Life(**_group(numbers, "life_")),
    )


def load_block(name: str) -> Parameters:
    """Parameters of a block from ``config/batteries``; errors as `read_block`."""
    return read_block(name).parameters


def nominal_v(block: Parameters) -> float:
    """What such a block is sold as [V], lithium counted as what it replaces: 6, 12, 24."""
    return 12.0 * block.cells / CELLS_OF_12_V[type(block)]


def blocks_in_series(block: Parameters, system_v: int) -> int:
    """How many blocks make a bank of a system voltage [V].

    Raises
    ------
    ValueError
        No number of them does.
    """
    count = system_v / nominal_v(block)
    if count < 1.0 or count != round(count):
        needed = CELLS_OF_12_V[type(block)] * system_v // 12
        raise ValueError(
            f"blocks of {block.cells:g} cells cannot make a {system_v} V bank, which has {needed} cells in series"
        )
    return round(count)


def load_bms(name: str, capacity_ah: float) -> Bms:
    """Limits of the protection of a bank made of such blocks, wide open if it has none."""
    block = read_block(name)
    return bms.scaled(block.bms, capacity_ah / rated_ah(block.parameters))


def _group(numbers: dict[str, float], prefix: str) -> dict[str, float]:
    return {key.removeprefix(prefix): value for key, value in numbers.items() if key.startswith(prefix)}


def _check(document: Document, numbers: dict[str, float], fields: tuple[str, ...]) -> None:
    """Every number of a battery within what physics allows, and each limit of a BMS above the one it must be above."""
    problems = []
    for key in fields:
        value = numbers[key]
        if not math.isfinite(value):
            problems.append(document.problem((key,), f"must be finite, got {value:g}"))
        elif key not in ANY_SIGN and (value < 0.0 or (value == 0.0 and key not in MAY_BE_ZERO)):
            least = "not be negative" if key in MAY_BE_ZERO else "be above 0"
            problems.append(document.problem((key,), f"must {least}, got {value:g}"))
        elif key in SHARES and value > 1.0:
            problems.append(document.problem((key,), f"must not be above 1, got {value:g}"))
        elif key == "cells" and value != round(value):
            problems.append(document.problem((key,), f"must be a whole number, got {value:g}"))
    for key, value in numbers.items():
        if key.startswith("life_") and not (0.0 < value < math.inf):
            problems.append(document.problem((key,), f"must be above 0, got {value:g}"))
    for low, high in ORDERED:
        if low in numbers and numbers[low] > numbers[high]:
            problems.append(
                document.problem(
                    (low,), f"must not be above {high}, got {numbers[low]:g} and {numbers[high]:g}"
                )
            )
    if problems:
        raise ProblemsError(problems)
