"""Which row of a file made its reader stumble: the first that is unlike the others.

For formats whose readers say only in their library's words what went wrong. Knows nothing of any format.
"""

import re
from collections import Counter
from contextlib import suppress

from plant.base.problems import shown
from plant.weather.measured.table import of_width

_SEPARATORS = ",;\t"
_ALIKE = 0.9  # share of the rows that must agree before one of the others is called odd
_NUMBER = "number"
_BEGINS_A_ROW = re.compile(r"[\"\d+-]")  # a note at the end of a file doesn't


def odd_row(text: str) -> tuple[int, str] | None:
    """Line of the first odd row and what is odd about it; none if all are alike.

    Parameters
    ----------
    text : str
        Of the file: header lines of any form, then rows of values between commas, semicolons, tabs or spaces.
    """
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        return None
    middle = lines[len(lines) // 2][1]
    separator = max(_SEPARATORS, key=middle.count)
    splitter = re.escape(separator) if separator in middle else r"\s+"
    rows = [(n, [value.strip() for value in re.split(splitter, line.strip())]) for n, line in lines]
    usual = Counter(len(values) for _, values in rows).most_common(1)[0][0]
    whole = [values for _, values in rows if len(values) == usual]
    common = [Counter(_shape(values[j]) for values in whole).most_common(1)[0] for j in range(usual)]
    first = next((k for k, (_, values) in enumerate(rows) if _is_like(values, common)), len(rows))
    body = [(n, values) for n, values in rows[first:] if _BEGINS_A_ROW.match(values[0])]
    header = rows[first - 1][1] if 0 < first < len(rows) and len(rows[first - 1][1]) == usual else []
    for n, values in body:
        if len(values) != usual:
            return n, of_width(len(values), usual)
        for j, (shape, count) in enumerate(common):
            value = values[j]
            if value and shape and _shape(value) != shape and count >= _ALIKE * len(body):
                name = header[j] if header else f"value {j + 1}"
                what = "must be a number" if shape == _NUMBER else "is not written as in the other rows"
                return n, f"{name}: {what}, got {shown(value)}"
    return None


def _is_like(values: list[str], common: list[tuple[str, int]]) -> bool:
    """Whether these are values as in most rows, and not a heading."""
    if len(values) != len(common) or _shape(values[0]) != common[0][0]:
        return False
    alike = sum(_shape(value) == shape for value, (shape, _) in zip(values, common, strict=True))
    return 2 * alike >= len(values)


def _shape(value: str) -> str:
    with suppress(ValueError):
        float(value)
        return _NUMBER
    return re.sub(r"\d", "9", value)
