"""How an array's modules hang together: which strings there are, which of their cells lie in shade, what is broken.

Strings that are alike in everything are one kind; a simple array has one. What the sky does is not known here.
"""

from collections import Counter
from typing import Literal, NamedTuple

import numpy as np

from plant.array.parts import Array, SubArray
from plant.array.strings import CABLE_OHM, COUNT, DIM, GROUPS, KIND_COLUMNS, LIT, MODULE, SIGN


class Defect(NamedTuple):
    """Something broken in an array. Strings are taken from the last one, those of a shadow from the first."""

    what: Literal["open", "shorted", "reversed", "shaded"]
    sub_array: int = 0
    strings: int = 1  # how many are broken so
    modules: int = 1  # shorted: modules bridged in each of them
    depth: float = 1.0  # shaded: share of the beam that is taken, all day
    substrings: float = 1.0  # shaded: share of the string's groups of cells


class _Kind(NamedTuple):
    lit: int
    dim: int
    depth: float | None  # of the shadow; none when it follows the hour
    sign: int


class Layout(NamedTuple):
    """Every kind of string of an array; arrays of one row a kind."""

    kinds: np.ndarray  # (k, KIND_COLUMNS)
    part: np.ndarray  # (k,) which sub-array it hangs in
    depth: np.ndarray  # (k,) share of the beam that a lasting shadow takes; nan for one that follows the hour

    @property
    def is_simple(self) -> bool:
        """Whether one single diode says it all."""
        kinds = self.kinds
        return bool(kinds.shape[0] == 1 and kinds[0, DIM] == 0 and kinds[0, SIGN] > 0 and kinds[0, LIT] > 0)


def layout_of(array: Array, defects: tuple[Defect, ...] = ()) -> Layout:
    """The strings of an array with what is broken in it.

    Raises
    ------
    ValueError
        If a defect names a sub-array, strings or modules that are not there.
    """
    rows, parts, depths = [], [], []
    for number, part in enumerate(array.parts):
        ours = tuple(defect for defect in defects if defect.sub_array == number)
        for kind, count in Counter(_strings(part, ours)).items():
            rows.append(_row(part, kind, count))
            parts.append(number)
            depths.append(np.nan if kind.depth is None else kind.depth)
    if any(not 0 <= defect.sub_array < len(array.parts) for defect in defects):
        raise ValueError(f"a defect's sub_array must lie in 0..{len(array.parts) - 1}")
    return Layout(
        np.array(rows).reshape(-1, KIND_COLUMNS),
        np.array(parts, dtype=np.int64),
        np.array(depths, dtype=float),
    )


def _strings(part: SubArray, defects: tuple[Defect, ...]) -> list[_Kind]:
    """Each string of a sub-array."""
    groups = part.groups * part.series
    strings = [_Kind(groups, 0, 0.0, 1)] * part.parallel
    if part.shading is not None:
        dim = _covered(part.shading.substrings, groups)
        for j in range(part.shading.strings or part.parallel):
            strings[j] = _Kind(groups - dim, dim, None, 1)
    for defect in defects:
        if not 1 <= defect.strings <= part.parallel:
            raise ValueError(f"{defect.strings} strings, but there are {part.parallel}")
        for j in range(part.parallel - defect.strings, part.parallel):
            strings[j] = _broken(strings[j], part, defect)
    return [kind for kind in strings if kind.lit + kind.dim > 0]


def _covered(share: float, groups: int) -> int:
    """Groups that a shadow lies on: it darkens all of a group that it touches."""
    return min(groups, int(np.ceil(share * groups - 1e-9)))


def _broken(kind: _Kind, part: SubArray, defect: Defect) -> _Kind:
    if defect.what == "open":
        return _Kind(0, 0, 0.0, 1)
    if defect.what == "reversed":
        return kind._replace(sign=-1)
    if defect.what == "shaded":
        dim = _covered(defect.substrings, kind.lit + kind.dim)
        return kind._replace(lit=kind.lit + kind.dim - dim, dim=dim, depth=defect.depth)
    if not 1 <= defect.modules < part.series:
        raise ValueError(f"{defect.modules} of {part.series} modules of a string; one must be left")
    gone = defect.modules * part.groups
    from_dim = max(0, gone - kind.lit)
    return kind._replace(lit=kind.lit - (gone - from_dim), dim=kind.dim - from_dim)


def _row(part: SubArray, kind: _Kind, count: int) -> np.ndarray:
    row = np.empty(KIND_COLUMNS)
    row[COUNT], row[LIT], row[DIM], row[GROUPS] = count, kind.lit, kind.dim, part.groups
    row[CABLE_OHM] = part.losses.cable_ohm * part.parallel
    row[SIGN] = kind.sign
    row[MODULE:] = part.module_parameters()
    return row
