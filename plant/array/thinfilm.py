"""Thin film among data sheets: how it is known, and how far the fit of `plant.array.datasheet` is off for it.

The fit takes what a sheet does not say from crystalline silicon. The errors below are those of its power against
the 589 thin-film modules of the CEC table (pvlib's copy): each fitted to the three points and two coefficients of its
row, and compared with the row's six parameters, both as shares of their power in full sun. Of silicon the same
comparison gives -2 % on average, and 7 % for 19 in 20. Both are single diodes; how far a single diode is off what
thin film does besides (light soaking, spectrum) is not in it. ``efficiency_200_pct`` mends the error in dim light.
"""

from typing import Final, Literal, NamedTuple

Technology = Literal["c-si", "cdte", "cigs", "a-si"]
ANY: Final = "any"  # thin film of a kind that nobody told

# Crystalline silicon of the table: fill factors of 0.73 to 0.79, 0.60 to 0.68 V a cell (5 to 95 %).
LEAST_FILL: Final = 0.70
MOST_CELL_V: Final = 0.78  # heterojunction cells have 0.75
CELL_V: Final = {"c-si": (0.4, 0.85), "thin film": (0.3, 2.8)}  # tandems and triple cells count as one


class FitError(NamedTuple):
    """Error of the fitted power [%], positive where the fit gives too much."""

    dim_mean: float  # at 200 W/m2 and 25 degC
    dim_most: float  # absolute; 19 in 20 modules stay below
    warm_most: float  # the same at 400 W/m2 and 45 degC, where much of a year's energy comes from


ERRORS: Final = {
    "cdte": FitError(-4.3, 4.6, 3.0),
    "cigs": FitError(-13.1, 18.8, 12.3),
    ANY: FitError(-6.4, 16.5, 12.4),
}


def kind_of(technology: Technology | None, fill_factor: float, cell_v: float) -> str | None:
    """Which thin film a sheet is of, a key of `ERRORS`; None for crystalline silicon.

    Parameters
    ----------
    technology : str or None
        As the sheet says; without it the numbers tell.
    fill_factor, cell_v : float
        Of the sheet; open-circuit voltage a cell.
    """
    if technology == "c-si":
        return None
    if technology is not None:
        return technology if technology in ERRORS else ANY
    return ANY if fill_factor < LEAST_FILL or cell_v > MOST_CELL_V else None
