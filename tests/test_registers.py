"""Registers: every row of both maps, the numbers on the wire, and map files that people get wrong."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.map import quantities
from modbus.map.file import MapError
from modbus.map.registers import TRACER_4210, RegisterMap, differences, load_map
from modbus.map.rows import KINDS, DurationRow, EncodedRow, NumberRow, Row, SettingRow, SwitchRow
from modbus.map.scaling import bounds, counts
from plant.base.configs import config_dir
from plant.controller.settings import RANGES, VOLTAGES, Settings
from plant.kernel.snapshot import Snapshot
from tests.snapshots import EPEVER_WORDS, NEW, NOON, UART2_WORDS, ZERO
from tracertwin.pages import registers as registerpage

EPEVER = load_map("epever", TRACER_4210)
UART2 = load_map("uart2", TRACER_4210)
MAPS = pytest.mark.parametrize(
    ("register_map", "expected"), [(EPEVER, EPEVER_WORDS), (UART2, UART2_WORDS)], ids=["epever", "uart2"]
)


def word(register_map: RegisterMap, address: int, snapshot: Snapshot) -> int:
    return register_map.words["input"][address](snapshot, NEW)


def number(address: int, value: float, quantity: str) -> int:
    """What `epever` sends at a 16-bit address when a quantity has a value."""
    return word(EPEVER, address, ZERO._replace(**{quantity: value}))


# --- the two maps ---------------------------------------------------------------------------------


@MAPS
def test_every_input_register_says_what_the_protocol_says(register_map, expected):
    assert {address: word(register_map, address, NOON) for address in expected} == expected


@MAPS
def test_no_input_register_is_mapped_beyond_those(register_map, expected):
    assert set(register_map.words["input"]) == set(expected)


@pytest.mark.parametrize("path", sorted((config_dir() / "registers").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_map_file_loads_and_is_called_as_its_file(path):
    assert load_map(path.stem, TRACER_4210).spec.name == path.stem


@pytest.mark.parametrize(
    ("stage", "i_chg_a", "status", "uart2_stage"),
    [
        (0, 0.0, 0x0001, 0b0000),  # night: recorded on every family
        (1, 12.0, 0x000B, 0b1000),  # bulk has no code: XTRA4415 shows boost
        (2, 12.0, 0x000B, 0b1000),
        (3, 12.0, 0x000F, 0b1100),
        (4, 2.0, 0x0007, 0b0100),  # float while producing
        (4, 0.0, 0x0005, 0b0100),  # float at 0 A
        (2, 0.0, 0x000B, 0b1000),  # boost at 0 A: AN20, waiting after a trip for its heat
    ],
)
def test_charge_stage_as_recorded(stage, i_chg_a, status, uart2_stage):
    snapshot = ZERO._replace(stage=float(stage), i_chg_a=i_chg_a)
    assert word(EPEVER, 0x3201, snapshot) == status
    assert word(UART2, 0x3201, snapshot) == status
    assert word(UART2, 0x3200, snapshot) == uart2_stage


@given(st.floats(0.0, 0.05))
def test_producing_flag_agrees_in_float_with_the_charge_current_beside_it(i_chg_a):
    snapshot = ZERO._replace(stage=4.0, i_chg_a=i_chg_a)
    producing = bool(word(EPEVER, 0x3201, snapshot) & 0b10)
    assert producing == (word(EPEVER, 0x3105, snapshot) > 0)


@pytest.mark.parametrize("stage", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("night", [0, 1])
def test_uart2_day_flag_needs_day_and_a_charge_stage(stage, night):
    snapshot = ZERO._replace(stage=float(stage), night=float(night))
    assert word(UART2, 0x200C, snapshot) == (8 if stage > 0 and not night else 0)


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_battery_status_is_the_vendors_code(status):
    assert word(EPEVER, 0x3200, ZERO._replace(battery_status=float(status))) == status


@pytest.mark.parametrize("i_batt_a", [-0.25, 0.0, 19.33])
def test_undocumented_current_pairs_split_the_net_current_by_direction(i_batt_a):
    snapshot = ZERO._replace(i_batt_a=i_batt_a)
    into, out_of = word(EPEVER, 0x3316, snapshot), word(EPEVER, 0x3318, snapshot)
    assert (into, out_of) == (round(100 * max(i_batt_a, 0)), round(100 * max(-i_batt_a, 0)))


# --- numbers on the wire --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "quantity", "value", "expected"),
    [
        (0x3104, "v_batt_v", 0.125, 12),  # 12.5
        (0x3104, "v_batt_v", 0.375, 37),  # 37.5
        (0x3104, "v_batt_v", 13.499, 1349),  # cut off, as every register of a real unit
        (0x3104, "v_batt_v", 0.29, 29),  # 28.999999999999996 in binary
        (0x3110, "t_probe_c", -7.259, 0x10000 - 725),
        (0x3104, "v_batt_v", 700.0, 0xFFFF),  # clamped, not 4464
        (0x3104, "v_batt_v", -0.01, 0),
        (0x3110, "t_probe_c", -40.0, 0xF060),  # as recorded at 0x9018
        (0x3110, "t_probe_c", -400.0, 0x8000),
        (0x3110, "t_probe_c", 400.0, 0x7FFF),
        (0x311A, "soc_controller", 0.29, 29),  # 28.999999999999996 in binary
        (0x311A, "soc_controller", 0.8599, 85),
        (0x311A, "soc_controller", 1.0, 100),
        (0x3314, "generated_total_kwh", 392.69, 39),
        (0x3314, "generated_total_kwh", 3.95, 0),  # both recorded
        (0x3104, "v_batt_v", math.nan, 0),
        (0x3104, "v_batt_v", math.inf, 0),
        (0x3104, "v_batt_v", -math.inf, 0),
        (0x3104, "v_batt_v", 1e308, 0xFFFF),
        (0x3201, "stage", math.nan, 1),
        (0x3201, "stage", 17.0, 1),  # a stage that has no code shows as not charging
        (0x3200, "battery_status", 99.0, 15),
    ],
)
def test_number_becomes_word(address, quantity, value, expected):
    assert number(address, value, quantity) == expected


@given(st.lists(st.floats(), min_size=len(Snapshot._fields), max_size=len(Snapshot._fields)))
def test_whatever_the_plant_says_every_register_is_a_word(values):
    snapshot = Snapshot(*values)
    for register_map in (EPEVER, UART2):
        for address, encode in register_map.words["input"].items():
            assert 0 <= encode(snapshot, NEW) <= 0xFFFF, hex(address)


@given(st.floats(), st.sampled_from([(0, 0xFFFF), (-0x8000, 0x7FFF)]), st.booleans())
def test_counts_never_leave_their_range(value, limits, truncate):
    assert limits[0] <= counts(value, 100.0, *limits, truncate) <= limits[1]


ROWS_OF_A_QUANTITY = [row for row in EPEVER.spec.rows if isinstance(row, NumberRow) and row.quantity]


@pytest.mark.parametrize("row", ROWS_OF_A_QUANTITY, ids=lambda row: f"{row.address:04X}")
@given(share=st.floats(0.0, 1.0))
def test_master_gets_the_quantity_back_cut_off_to_a_step(row, share):
    assert row.quantity is not None
    low, high = bounds(row.words, row.signed)
    wanted = (low + share * (high - low)) / row.scale
    # Alone on its battery a controller's net current is the battery's.
    measured = {"i_net_a": "i_batt_a"}.get(row.quantity, row.quantity)
    snapshot = ZERO._replace(**{measured: wanted / row.factor})
    words = [encode(snapshot, NEW) for encode in row.encoders({})]
    lost = (wanted - row.value(words)) * row.scale * math.copysign(1.0, wanted)
    assert -0.0001 <= lost < 1.0001  # steps


@given(
    v_pv_v=st.floats(0.0, 150.0), v_batt_v=st.floats(0.0, 64.0), i_chg_a=st.floats(0.0, 60.0),
    i_load_a=st.floats(0.0, 60.0), load_on=st.sampled_from([0.0, 1.0]),
)  # fmt: skip
def test_powers_and_currents_follow_from_the_digits_that_stand_beside_them(
    v_pv_v, v_batt_v, i_chg_a, i_load_a, load_on
):
    """In every one of 10,512 samples of three units; what the plant's own powers are doesn't matter."""
    snapshot = ZERO._replace(
        v_pv_v=v_pv_v, v_batt_v=v_batt_v, i_chg_a=i_chg_a, i_load_a=i_load_a, load_on=load_on,
        i_pv_a=7.0, p_pv_w=1000.0, p_chg_w=900.0, v_load_v=11.0, p_load_w=77.0,
    )  # fmt: skip
    for register_map in (EPEVER, UART2):

        def pair(address: int, of: RegisterMap = register_map) -> int:
            return word(of, address, snapshot) + (word(of, address + 1, snapshot) << 16)

        v_pv, v_batt, i_chg, v_load, i_load = (
            word(register_map, address, snapshot) for address in (0x3100, 0x3104, 0x3105, 0x310C, 0x310D)
        )
        charge_w = v_batt * i_chg // 100
        assert pair(0x3106) == pair(0x3102) == charge_w
        assert word(register_map, 0x3101, snapshot) == (min(100 * charge_w // v_pv, 0xFFFF) if v_pv else 0)
        assert v_load == (v_batt if load_on else 0)
        assert pair(0x310E) == v_load * i_load // 100
        assert word(register_map, 0x3108, snapshot) == v_load
        assert pair(0x310A) == pair(0x310E)


def test_a_map_of_ones_own_rounds_unless_it_says_otherwise(tmp_path):
    """A map that extends another cuts off as that one does."""
    row = "  - {table: input, address: 0x3500, name: sun, quantity: ghi_w_m2, meaning: m, source: [ME]}\n"
    words = []
    for head in (HEAD, HEAD.replace("rows:", "rounding: truncate\nrows:"), ON_EPEVER):
        (tmp_path / "mine.yaml").write_text(head + row, encoding="utf-8")
        mine = load_map(str(tmp_path / "mine.yaml"), TRACER_4210)
        words.append(word(mine, 0x3500, ZERO._replace(ghi_w_m2=811.7)))
    assert words == [812, 811, 811]


def test_a_derived_row_follows_the_row_that_a_map_has_put_in_place_of_the_one_below(tmp_path):
    own = "  - {table: input, address: 0x3105, name: i, constant: 2, scale: 100, meaning: m, source: [ME]}\n"
    (tmp_path / "mine.yaml").write_text(ON_EPEVER + own, encoding="utf-8")
    mine = load_map(str(tmp_path / "mine.yaml"), TRACER_4210)
    assert word(mine, 0x3106, ZERO._replace(v_batt_v=12.5, i_chg_a=40.0)) == 2500


def test_limits_of_what_may_be_written_are_those_that_a_site_file_has():
    for row in EPEVER.spec.rows:
        if not isinstance(row, SettingRow | DurationRow) or row.setting == "battery_type":
            continue
        if row.setting in VOLTAGES:
            assert row.limits == (9.0, 17.0)  # of a block of 12 V (MAN_A, MAN_XTRA, V26)
        elif isinstance(row, SettingRow) and row.values:
            assert (min(row.values), max(row.values)) == RANGES[row.setting]
        else:
            assert row.limits == RANGES[row.setting], row.name


def test_every_setting_can_be_written():
    written = [row for row in EPEVER.spec.rows if isinstance(row, SettingRow | DurationRow | SwitchRow)]
    assert sorted(row.setting for row in written) == sorted(Settings._fields)


def test_every_derived_quantity_is_used_by_a_row():
    rows = (*EPEVER.spec.rows, *UART2.spec.rows)
    named = {quantity for row in rows for quantity in row.shown_quantities}
    assert {derived.name for derived in quantities.DERIVED} <= named


# --- where the maps disagree ----------------------------------------------------------------------


def test_maps_disagree_at_the_day_flag_the_stage_and_three_energies():
    found = differences(UART2, EPEVER)
    addresses = [0x200C, 0x3200, 0x3300, 0x3301, 0x3302, 0x3303, 0x3306, 0x3307]  # 0x3304/5 are the same
    assert [item.address for item in found] == addresses
    assert all(item.note for item in found)
    assert (found[0].here, found[0].there) == ("charging_by_day", "exception 02, illegal data address")
    assert (found[3].here, found[3].there) == ("energy_generated_today, high word", "pv_voltage_min_today")


def test_a_map_agrees_with_itself():
    assert differences(UART2, UART2) == []


def test_difference_table_is_the_same_from_both_sides():
    there_and_back = [(d.address, d.there, d.here) for d in differences(EPEVER, UART2)]
    assert there_and_back == [(d.address, d.here, d.there) for d in differences(UART2, EPEVER)]


def test_register_page_is_up_to_date():
    assert registerpage.PAGE.read_text(encoding="utf-8") == registerpage.current_page(), (
        "run `python -m tracertwin.pages.registers`"
    )


# --- map files that people write ------------------------------------------------------------------

HEAD = """name: mine
title: my map
unmapped: exception
partial: refuse
units: own
max_count: 125
sources: {ME: a person}
rows:
"""
ON_EPEVER = "name: mine\ntitle: t\nextends: epever\nsources: {ME: a person}\nrows:\n"
GOOD = "table: input, name: a, meaning: m, source: [ME]"


def complaints(folder: Path, text: str, name: str = "mine") -> list[str]:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapError) as caught:
        load_map(str(path), TRACER_4210)
    return [str(problem).removeprefix(str(folder) + "/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            "address: 1, quantity: v_bat_v",
            "rows[0].quantity: unknown quantity v_bat_v (did you mean v_batt_v?)",
        ),
        ("address: 1, quantity: ghi", "rows[0].quantity: unknown quantity ghi (did you mean ghi_w_m2?)"),
        ("address: 1, rating: pv_rated_x", "rows[0].rating: the controller has no rating pv_rated_x"),
        (
            "address: 1, derived: produkt, of: [2, 3]",
            "rows[0].derived: no formula produkt (did you mean product?)",
        ),
        ("address: 1, derived: product, of: [2]", "rows[0]: product is made of 2 registers, not 1"),
        ("address: 1, derived: copy, of: [7]", "rows[0].of: no number begins at 0x0007 of table input"),
        ("address: 1, derived: copy, of: [1]", "rows[0].of: 0x0001 is derived from a itself"),
        (
            "address: 1, derived: copy, of: [1], rounding: truncate",
            "rows[0].rounding: a derived number has no rounding; it has derived,",
        ),
        ("address: 1, quantity: soc, scal: 1", "rows[0].scal: unknown key (did you mean scale?)"),
        ("address: 1, quantity: soc, scale: 0", "rows[0].scale: input should be greater than 0, got 0"),
        ("address: 1, quantity: soc, scale: yes", "rows[0].scale: input should be a valid number, got True"),
        ("address: '1', quantity: soc", "rows[0].address: input should be a valid integer, got '1'"),
        ("address: 0x10000, quantity: soc", "rows[0].address: input should be less than or equal to 65535"),
        ("address: 0xFFFF, words: 2, quantity: soc", "rows[0]: its second word would lie past 0xFFFF"),
        (
            "address: 1",
            "rows[0]: needs exactly one of quantity, rating, constant, setting, derived, bits, action; has none",
        ),
        ("address: 1, quantity: soc, constant: 1", "action; has quantity and constant"),
        ("address: 1, constant: 700, scale: 100", "rows[0].constant: a (0x0001): 700 does not fit 16 bits"),
        ("address: 1, constant: .nan", "rows[0].constant: a (0x0001): nan does not fit 16 bits at x1"),
        ("address: 1, bits: [{bits: 2-3, quantity: stage, meaning: m}]", "rows[0].bits[0].bits: must lie in"),
        ("address: 1, bits: [{bits: x, quantity: stage, meaning: m}]", "rows[0].bits[0].bits: must be a bit"),
        ("address: 1, bits: [{bits: 1, quantity: stag, meaning: m}]", "(did you mean stage?)"),
        ("address: 1, bits: [{bits: 1, constant: 2, meaning: m}]", "2 does not fit the bits; they hold 0..1"),
        (
            "address: 1, bits: [{bits: 3-1, constant: 2, meaning: m}, {bits: 2, constant: 1, meaning: m}]",
            "rows[0]: bits 2-2 are given twice",
        ),
        (
            "address: 1, words: 2, bits: [{bits: 1, constant: 1, meaning: m}]",
            "rows[0].words: a word of bits has no words",
        ),
        (
            "address: 1, quantity: soc, bits: [{bits: 1, constant: 1, meaning: m}]",
            "rows[0].quantity: a word of bits",
        ),
        ("address: 1, bits: []", "rows[0]: bits must name at least one field"),
        (
            "address: 1, encoding: day_hour, quantity: t_device_s, scale: 10",
            "rows[0].scale: an encoded word has no scale; it has quantity, setting, encoding, unit, table,",
        ),
        ("address: 1, encoding: day_hours, quantity: t_device_s", "rows[0].encoding: input should be 'hours"),
        ("address: 1, encoding: day_hour", "rows[0]: needs exactly one of quantity, setting; has none"),
        ("address: 1, quantity: soc, write: alone", "rows[0].write: a number has no write; it has"),
        ("address: 1, quantity: soc, limits: [0, 1]", "rows[0].limits: a number has no limits; it has"),
        (
            "address: 1, setting: boost_v, write: alone",
            "rows[0].table: a written number belongs in table holding, not input",
        ),
        (
            "table: holding, address: 1, setting: boost_v, write: no",
            "rows[0].write: input should be 'alone' or 'block', got False",
        ),
        ("table: holdng, address: 1, quantity: soc", "got 'holdng' (did you mean holding?)"),
        (
            "table: holding, address: 1, setting: bost_v, write: alone",
            "unknown setting bost_v (did you mean boost_v?)",
        ),
        ("table: holding, address: 1, setting: boost_v, write: alone, word: 2", "rows[0].word: unknown key"),
        (
            "table: holding, address: 1, setting: boost_v, write: alone, words: 2",
            "a written number has no words;",
        ),
        (
            "table: holding, address: 1, setting: boost_v, write: alone, needs: {batery_type: [0]}",
            "rows[0].needs.batery_type: unknown setting batery_type (did you mean battery_type?)",
        ),
        (
            "table: holding, address: 1, quantity: soc, encoding: day_hour, write: block",
            "input should be 't_device_s'",
        ),
        ("table: coil, address: 1, quantity: night, words: 1", "rows[0].words: a bit has no words; it has"),
        (
            "table: coil, address: 1, constant: 2",
            "rows[0].constant: input should be less than or equal to 1, got 2",
        ),
        (
            "table: coil, address: 1, quantity: night, write: alone",
            "rows[0].write: a bit has no write; it has",
        ),
        ("table: coil, address: 1, setting: load_on, write: block", "rows[0].write: input should be 'alone'"),
        (
            "table: coil, address: 1",
            "rows[0]: needs exactly one of quantity, constant, setting, action; has none",
        ),
        (
            "table: discrete, address: 1, action: clear_energy, write: alone",
            "rows[0].table: an action belongs in table coil, not discrete",
        ),
        ("table: coil, address: 1, action: clear_energi, write: alone", "rows[0].action: input should be"),
    ],
)
def test_bad_row_is_named_with_its_line_and_what_would_do(tmp_path, row, complaint):
    good = GOOD.partition(", ")[2] if "table:" in row else GOOD
    (told,) = complaints(tmp_path, f"{HEAD}  - {{{good}, {row}}}\n")
    assert told.startswith("mine.yaml:9: rows[0]")
    assert complaint in told


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    rows = f"""  - {{{GOOD}, address: 1, quantity: v_bat_v}}
  - {{{GOOD}, address: 2, words: 2, quantity: soc}}
  - {{{GOOD}, address: 3, quantity: stage}}
  - {{{GOOD.replace("ME", "MEE")}, address: 5, quantity: stage}}
"""
    told = complaints(tmp_path, HEAD.replace("units: own", "units: all") + rows)
    assert told == [
        "mine.yaml:5: units: input should be 'any' or 'own', got 'all'",
        "mine.yaml:9: rows[0].quantity: unknown quantity v_bat_v (did you mean v_batt_v?)",
        "mine.yaml:11: rows[2].address: 0x0003 is already a (0x0002)",
        "mine.yaml:12: rows[3].source: unknown source MEE (did you mean ME?)",
    ]


def test_half_of_an_inherited_pair_may_not_be_left_behind(tmp_path):
    (told,) = complaints(tmp_path, f"{ON_EPEVER}  - {{{GOOD}, address: 0x3305, constant: 1}}\n")
    pair = "the inherited energy_consumed_today (0x3304)"
    assert told == f"mine.yaml:5: rows: 0x3304, half of {pair}, is left without a row"


def test_base_map_must_give_its_rules(tmp_path):
    told = complaints(tmp_path, "name: mine\ntitle: t\nrows: []\n")
    assert [line.split(": ")[1] for line in told] == ["unmapped", "partial", "units", "max_count"]


def test_unknown_and_circular_extends_are_refused(tmp_path):
    extending = "name: a\ntitle: t\nextends: {}\nrows: []\n"
    (told,) = complaints(tmp_path, extending.format("epevr"))
    assert told.startswith("mine.yaml:3: extends: ")
    assert told.endswith("(did you mean epever?)")
    (tmp_path / "b.yaml").write_text(extending.format("mine"), encoding="utf-8")
    (told,) = complaints(tmp_path, extending.format("b"))
    assert told == "b.yaml:3: extends: mine extends itself"


def test_own_map_may_extend_a_built_in_one_with_one_row(tmp_path):
    path = tmp_path / "mine.yaml"
    row = f"  - {{{GOOD}, address: 0x3500, quantity: ghi_w_m2, unit: W/m2}}\n"
    path.write_text(ON_EPEVER + row, encoding="utf-8")
    mine = load_map(str(path), TRACER_4210)
    assert word(mine, 0x3500, ZERO._replace(ghi_w_m2=812.0)) == 812
    assert set(mine.words["input"]) == {*EPEVER.words["input"], 0x3500}
    assert mine.spec.max_count == EPEVER.spec.max_count


def test_example_on_the_page_is_a_map_that_works(tmp_path):
    example = registerpage.PAGE.read_text(encoding="utf-8").split("```yaml\n# mine.yaml\n")[1].split("```")[0]
    path = tmp_path / "mine.yaml"
    path.write_text(example, encoding="utf-8")
    assert word(load_map(str(path), TRACER_4210), 0x3500, ZERO._replace(ghi_w_m2=812.0)) == 812


def test_rows_of_every_kind_are_mapped():
    kinds = {type(row) for row in (*EPEVER.spec.rows, *UART2.spec.rows)}
    assert {*KINDS} - kinds == {EncodedRow}  # a duration that can't be written: in neither map


def test_encoded_quantity_reads_as_hours_and_minutes(tmp_path):
    path = tmp_path / "mine.yaml"
    row = f"  - {{{GOOD}, address: 0x3500, setting: night_length_min, encoding: hours_minutes, unit: min}}\n"
    path.write_text(ON_EPEVER + row, encoding="utf-8")
    mine = load_map(str(path), TRACER_4210)
    encoded = mine.rows["input"][0x3500]
    words = [mine.words["input"][0x3500](ZERO, NEW._replace(night_length_min=753))]
    assert words == [12 << 8 | 33]
    assert (encoded.value(words), encoded.figure(words), encoded.text(words)) == (753, "753", "12:33")


WORDS = st.integers(0, 0xFFFF) | st.sampled_from([0, 0x00FF, 0x133C, 0x7FFF, 0x8000, 0xFFFF])


@given(st.sampled_from([*EPEVER.spec.rows, *UART2.spec.rows]), st.tuples(WORDS, WORDS))
def test_every_row_reads_any_words_that_a_device_may_send(row, both):
    words = both[: len(row.addresses)]
    assert math.isfinite(row.value(words))
    assert all(isinstance(text, str) for text in (row.figure(words), row.text(words), row.flaw(words)))
    assert row.figure(words) or row.remarks(words) or row.origin.key == "bits"


def test_map_that_is_not_there_is_a_map_error():
    with pytest.raises(MapError, match=r"uart.*did you mean uart2"):
        load_map("uart", TRACER_4210)


def test_missing_rating_is_told_with_its_line():
    ratings = {key: value for key, value in TRACER_4210.items() if key != "system_v"}
    told = r"epever\.yaml:\d+: rows\[\d+\]\.rating: the controller has no rating system_v"
    with pytest.raises(MapError, match=told):
        load_map("uart2", ratings)


def test_rows_can_not_be_changed():
    row: Row = EPEVER.spec.rows[0]
    with pytest.raises(ValueError, match="frozen"):
        row.address = 1  # type: ignore[misc]
