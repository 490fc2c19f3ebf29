"""Solar modules by name: from our files, from a person's own, or from the CEC table that pvlib ships."""

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import ValidationError

from plant.array.datasheet import DataSheet, fit
from plant.array.diode import Module
from plant.array.panfile import pan_sheet
from plant.base import configs
from plant.base.arraycache import cached_array
from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.base.records import Record
from plant.base.yamlfile import Document, KeyPath, load_yaml, problems_of, read_numbers

CEC_COLUMNS = (
    "alpha_sc", "a_ref", "I_L_ref", "I_o_ref", "R_sh_ref", "R_s", "Adjust", "I_mp_ref", "V_mp_ref", "V_oc_ref",
)  # fmt: skip


class _SheetFile(Record):
    """A module file that holds a data sheet."""

    title: str = ""
    source: str = ""
    datasheet: DataSheet


@lru_cache(maxsize=32)
def find_module(name: str) -> Module:
    """A module by the name of a file in ``config/modules``, a path (also to a PVsyst file), or its CEC name.

    Raises
    ------
    ProblemsError
        If there is none; suggests a near name.
    """
    ours = configs.config_dir() / "modules"
    if name.lower().endswith(".pan"):
        return fit(pan_sheet(name))
    if name.endswith((".yaml", ".yml")) or configs.is_file(ours / f"{name}.yaml"):
        return _from_file(name)
    with suppress(KeyError):
        *values, cells = cached_array(_cec_row, name).tolist()
        return Module(*values)._replace(cells_in_series=cells)
    known = sorted(path.stem for path in ours.glob("*.yaml"))
    hint = _nearest(name, [*known, *cec_table().columns])
    told = f"no such module in config/modules ({', '.join(known)}) nor in the CEC table{hint}"
    raise ProblemsError([Problem(name, 0, "", told)])


@lru_cache(maxsize=32)
def find_sheet(name: str) -> DataSheet | None:
    """The data sheet that a module of a name is fitted to; None where parameters are given."""
    if name.lower().endswith(".pan"):
        return pan_sheet(name)
    ours = configs.config_dir() / "modules"
    if not name.endswith((".yaml", ".yml")) and not configs.is_file(ours / f"{name}.yaml"):
        return None
    document = load_yaml(configs.find("modules", name))
    return _sheet(document) if "datasheet" in document.data else None


@lru_cache(maxsize=1)
def cec_table() -> Any:
    """The CEC table: a data frame with a column for each of 21,535 modules; takes a second."""
    from pvlib import pvsystem

    return pvsystem.retrieve_sam("CECMod")


def _cec_row(name: str) -> np.ndarray:
    """A module's parameters and its number of cells in series, as the table has them."""
    row = cec_table()[name]
    return np.array([float(row[column]) for column in (*CEC_COLUMNS, "N_s")])


def _nearest(name: str, known: list[str]) -> str:
    """The hint, blind to case and to what stands between words: the CEC table writes underscores for all of it."""
    plain = {plain_name(one): one for one in reversed(known)}
    if plain_name(name) in plain:
        return f" (did you mean {plain[plain_name(name)]}?)"
    hint = did_you_mean(plain_name(name), plain)
    return re.sub(r"mean (\S+)\?", lambda found: f"mean {plain[found[1]]}?", hint)


def plain_name(name: str) -> str:
    """A name as it is looked for: lower case, an underscore for whatever is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _from_file(name: str) -> Module:
    document = load_yaml(configs.find("modules", name))
    if "datasheet" in document.data:
        return fit(_sheet(document))
    fields = tuple(field for field in Module._fields if field not in Module._field_defaults)
    given = tuple(field for field in Module._field_defaults if field in document.data)
    return Module(**read_numbers(document, (*fields, *given), about=("title", "source")))


def _sheet(document: Document) -> DataSheet:
    try:
        return _SheetFile.model_validate(document.data).datasheet
    except ValidationError as error:
        sheet_keys = list(DataSheet.model_fields)
        known: dict[KeyPath, list[str]] = {(): list(_SheetFile.model_fields), ("datasheet",): sheet_keys}
        raise ProblemsError(problems_of(error, document, known)) from None
