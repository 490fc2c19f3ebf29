"""The shelf of modules: files of ``config/modules``, the CEC table of pvlib, files of one's own."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from plant.array.datasheet import DataSheet
from plant.array.diode import Module, current_at, curve_at, open_circuit_v
from plant.array.module import CEC_COLUMNS, cec_table, find_module
from plant.array.panfile import pan_sheet
from plant.base import configs
from plant.base.yamlfile import load_yaml
from tracertwin.catalogue.items import (
    Figure,
    FigureColumn,
    Item,
    Shelf,
    WholeItem,
    in_words,
    is_path,
    names_of,
    shown_file,
)

COLUMNS = (
    FigureColumn("p_mp_w", "P_mp", "W", 0),
    FigureColumn("v_oc_v", "V_oc", "V", 1),
    FigureColumn("i_sc_a", "I_sc", "A", 2),
    FigureColumn("v_mp_v", "V_mp", "V", 1),
    FigureColumn("i_mp_a", "I_mp", "A", 2),
    FigureColumn("cells_in_series", "cells"),
    FigureColumn("technology", "technology"),
)
# Columns of the CEC table that a module file has no key for, with their units; a comment each.
_BESIDE = {
    "Technology": "", "Bifacial": "(1: yes)", "STC": "W", "PTC": "W", "A_c": "m2", "Length": "m", "Width": "m",
    "I_sc_ref": "A", "beta_oc": "V/K", "gamma_r": "%/K", "T_NOCT": "degC", "BIPV": "", "Version": "", "Date": "",
}  # fmt: skip
_CEC_TITLE = "CEC module table that pvlib ships"


def _ours() -> Iterator[Item]:
    for name in names_of("modules"):
        yield _item(name)


def _item(name: str) -> Item:
    """An item of a file, whose short-circuit current follows from its curve."""
    module = find_module(name)
    is_pan = name.lower().endswith(".pan")
    title = "" if is_pan else load_yaml(configs.find("modules", name)).data.get("title", "")
    figures = _figures(module.v_oc_ref, _short_circuit_a(module), module.v_mp_ref, module.i_mp_ref)
    cells: dict[str, Figure] = {"cells_in_series": round(module.cells_in_series), "technology": ""}
    return Item(name, {**figures, **cells}, str(title))


def _figures(v_oc_v: float, i_sc_a: float, v_mp_v: float, i_mp_a: float) -> dict[str, Any]:
    values = {
        "p_mp_w": v_mp_v * i_mp_a,
        "v_oc_v": v_oc_v,
        "i_sc_a": i_sc_a,
        "v_mp_v": v_mp_v,
        "i_mp_a": i_mp_a,
    }
    return {key: round(value, 3) for key, value in values.items()}


def _short_circuit_a(module: Module) -> float:
    curve = curve_at(1000.0, 25.0, module, 1.0, 1.0, 0.0)
    return current_at(curve, 0.0) if open_circuit_v(curve) > 0.0 else 0.0


def _all() -> Iterator[Item]:
    yield from _ours()
    table = cec_table().T
    columns = ["V_oc_ref", "I_sc_ref", "V_mp_ref", "I_mp_ref"]
    rows = zip(
        table.index, table[columns].astype(float).values, table["N_s"], table["Technology"], strict=True
    )
    for name, values, cells, technology in rows:
        yield Item(
            str(name),
            {**_figures(*map(float, values)), "cells_in_series": int(cells), "technology": str(technology)},
        )


def _show(name: str) -> WholeItem | None:
    if name.lower().endswith(".pan"):
        return _of_pan(name)
    if is_path(name) or name in names_of("modules"):
        return shown_file("modules", name, _item)
    table = cec_table()
    return _of_table(name, table[name]) if name in table else None


def _of_table(name: str, row: Any) -> WholeItem:
    """A row of the CEC table as a module file, with what such a file has no key for in comments."""
    values = dict(zip(Module._fields, (float(row[column]) for column in CEC_COLUMNS), strict=False))
    parameters = {**values, "cells_in_series": int(row["N_s"])}
    figures = _figures(*(float(row[key]) for key in ("V_oc_ref", "I_sc_ref", "V_mp_ref", "I_mp_ref")))
    item = Item(name, {**figures, "cells_in_series": int(row["N_s"]), "technology": str(row["Technology"])})
    record = {str(key): _plain(value) for key, value in row.items()}
    beside = {key: unit for key, unit in _BESIDE.items() if record[key] is not None}
    lines = [_key_figures(item), *(f"# {key}: {row[key]} {unit}".rstrip() for key, unit in beside.items())]
    titled = {"title": name.replace("_", " "), "source": f"{name} in the {_CEC_TITLE}"}
    return WholeItem(item, "\n".join([*lines, _as_yaml({**titled, **parameters})]), record)


def _key_figures(item: Item) -> str:
    """The key figures as a comment."""
    return "# " + ", ".join(in_words(item, column) for column in COLUMNS if item.figures[column.key] != "")


def _plain(value: Any) -> Any:
    """A cell of the table as JSON has it; none where the table has nothing."""
    if isinstance(value, str):
        return value
    number = float(value)
    if math.isnan(number):
        return None
    return int(number) if number == round(number) else number


def _of_pan(name: str) -> WholeItem:
    """A PVsyst file as the module file that it means."""
    sheet: DataSheet = pan_sheet(name)
    given = sheet.model_dump(exclude_none=True)
    item = _item(name)
    file = {"title": Path(name).stem, "source": "a PVsyst module file", "datasheet": given}
    return WholeItem(item, f"{_key_figures(item)}\n{_as_yaml(file)}", {"datasheet": given}, name)


def _as_yaml(record: dict[str, Any]) -> str:
    return str(yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=200))


MODULES = Shelf(
    kind="modules",
    usage="array: {module: NAME}",
    columns=COLUMNS,
    items=_all,
    show=_show,
    first=_ours,
    tells=False,
    more="21,535 more in the CEC table: give some words of maker and type, `tracertwin modules canadian 250`",
)
