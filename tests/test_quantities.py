"""The vocabulary: what each quantity is, that it is told everywhere, and that its unit and sign are so."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from modbus.map import quantities as registers
from plant.kernel.flowtable import FLOW
from plant.kernel.snapshot import QUANTITIES, Snapshot, meaning_of
from plant.plant import Plant
from plant.site.model import load_site
from tests.plants import plant
from tracertwin.memory.tables import DAYS, SAMPLES
from tracertwin.pages import quantities as page

DAY = 86400
# What the end of a name says of the unit; the longest that fits counts.
UNITS = {
    "_w_m2": "W/m2", "_m_s": "m/s", "_kwh": "kWh", "_min": "min", "_wh": "Wh", "_s": "s", "_c": "degC", "_v": "V",
    "_a": "A", "_w": "W", "_h": "h", "_l": "l",
}  # fmt: skip
ALL = pytest.mark.parametrize("name", Snapshot._fields)


def test_every_field_has_its_row_in_order():
    assert tuple(QUANTITIES) == Snapshot._fields


@ALL
def test_the_unit_is_the_one_in_the_name(name):
    wanted = [unit for ending, unit in UNITS.items() if name.endswith(ending)][:1] or ["", "0, 1", "0..1"]
    assert QUANTITIES[name].unit in wanted


@ALL
def test_a_quantity_without_a_unit_says_what_its_numbers_are(name):
    quantity = QUANTITIES[name]
    if quantity.unit == "0, 1":
        assert quantity.meaning.startswith("1 ")
    if quantity.codes is not None:
        assert [f"{code.value} " in meaning_of(name) for code in quantity.codes] == [True] * len(
            quantity.codes
        )


def test_energies_mean_what_the_list_of_flows_says():
    energies = {name for name in FLOW if FLOW[name].unit == "Wh"}
    assert {f"e_{name}_wh" for name in energies} | {"e_stored_wh"} == {
        n for n in QUANTITIES if n.startswith("e_")
    }
    for name in energies:
        assert QUANTITIES[f"e_{name}_wh"].meaning == FLOW[name].meaning


# --- what plants show -----------------------------------------------------------------------------------------------

PLANTS: dict[str, Callable[[], Plant]] = {
    "agm": lambda: plant(battery={"soc": 0.5, "room_c": "outdoor", "ageing": "rainflow"}),
    "lithium": lambda: plant(
        battery={"model": "lifepo4", "soc": 0.2},
        controller={"tracker": "dynamic", "battery_type": "lifepo4_4s"},
    ),
    "pump": lambda: Plant.new(load_site("farm").seen_by(load_site("farm").neighbours[0])),
}


@pytest.fixture(scope="module", params=PLANTS)
def rows(request: pytest.FixtureRequest) -> np.ndarray:
    """Five days with an overload in them, and a battery that loses capacity."""
    p = PLANTS[request.param]()
    parts = [p.run(2 * DAY, 300)]
    number = p.upset("load_overload", power_w=700.0)
    parts.append(p.run(DAY // 4, 300))
    p.mend(number)
    p.upset("battery_aged", capacity_lost=0.3)
    return np.concatenate([*parts, p.run(2 * DAY, 300)])


@ALL
def test_numbers_are_what_unit_sign_and_codes_allow(rows, name):
    quantity, column = QUANTITIES[name], rows[:, Snapshot._fields.index(name)]
    assert np.isfinite(column).all()
    if not quantity.sign:
        assert column.min() >= -1e-9
    if quantity.unit == "0, 1":
        assert set(column) <= {0.0, 1.0}
    if quantity.unit == "0..1":
        assert column.max() <= 1.0
    if quantity.codes is not None:
        assert set(column) <= {float(code.value) for code in quantity.codes}


def test_the_battery_current_goes_both_ways(rows):
    current = rows[:, Snapshot._fields.index("i_batt_a")]
    assert current.min() < -0.1 < 0.1 < current.max()


# --- where they are told --------------------------------------------------------------------------------------------


def test_what_is_kept_has_the_names_of_the_snapshot():
    assert set(SAMPLES) <= set(Snapshot._fields)
    for daily in DAYS:
        if daily.of:
            assert daily.of in SAMPLES
            stem = re.sub(r"_(w_m2|v)$", "", daily.of)
            assert daily.name.startswith(stem)


def test_the_page_of_quantities_is_up_to_date():
    assert page.PAGE.read_text(encoding="utf-8") == page.current_page(), (
        "run `python -m tracertwin.pages.quantities`"
    )


@pytest.mark.parametrize("name", registers.NAMES)
def test_every_quantity_that_a_register_may_show_is_on_the_page(name):
    assert page.current_page().count(f"\n| `{name}` |") == 1


@pytest.mark.parametrize(
    ("name", "uart2", "epever", "kept"),
    [
        ("v_batt_v", "0x3104, 0x331A", "0x3104, 0x331A", "`samples.v_batt_v`, `days.v_batt_min_v`"),
        ("generated_today_kwh", "0x3300, 0x330C", "0x330C", ""),
        ("v_pv_max_today_v", "", "0x3300", ""),
        ("night", "0x200C discrete", "0x200C discrete", ""),
        ("ghi_w_m2", "", "", ""),
    ],
)
def test_registers_of_both_maps_and_columns_stand_beside_a_quantity(name, uart2, epever, kept):
    (row,) = re.findall(rf"^\| `{name}` \|.*\|$", page.current_page(), re.MULTILINE)
    *_, file, here, there = (cell.strip() for cell in row.strip("|").split("|"))
    assert (here, there) == (uart2, epever)
    assert file.startswith(kept) if kept else not file
