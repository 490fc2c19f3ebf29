"""Temperature coefficients of modules: which ones are plausible, and in which unit one that is not was likely meant.

A coefficient in the wrong unit makes a design that fails in the cold look sound: so it is refused, not believed.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple


class Plausible(NamedTuple):
    """What modules have [%/K]."""

    least: float
    most: float
    usual: tuple[float, float]
    # Smaller ones are likely in another unit, if one of those gives what is usual.
    told_apart_from_0: float = 0.0


# All but 15 of the CEC table's 21,535 modules lie within; 13 of those have %/K where the table has V/K and A/K. The 18
# that an alpha is too close to 0 for have, as First Solar's, a share per kelvin there.
PLAUSIBLE: Final = {
    "alpha": Plausible(-0.1, 0.25, (0.02, 0.12), told_apart_from_0=0.0016),
    "beta": Plausible(-0.7, -0.15, (-0.25, -0.4)),
    "gamma": Plausible(-0.7, -0.1, (-0.25, -0.5)),
}
_UNITS: Final = {"alpha": ("A/K", "mA/K"), "beta": ("V/K", "mV/K"), "gamma": ()}


class Coefficient(NamedTuple):
    """A temperature coefficient as it stands in a file.

    Parameters
    ----------
    name : {"alpha", "beta", "gamma"}
        Of the short-circuit current, of the open-circuit voltage, of the power.
    value : float
    unit : str
        ``%/K``, ``A/K``, ``mA/K``, ``V/K`` or ``mV/K``.
    rated : float
        Current [A] or voltage [V] that it is the coefficient of; of no account for gamma.
    keys : mapping
        Unit -> the key that the file has for a coefficient in it; that of `unit` is among them.
    """

    name: str
    value: float
    unit: str
    rated: float
    keys: Mapping[str, str]

    @property
    def key(self) -> str:
        """Key that it stands under."""
        return self.keys[self.unit]


def _pct_k(unit: str, rated: float) -> float:
    """Size of a unit [%/K]; ``1/K`` is a share per kelvin."""
    if unit in {"%/K", "1/K"}:
        return 1.0 if unit == "%/K" else 100.0
    return (0.1 if unit.startswith("m") else 100.0) / rated


def doubt(coefficient: Coefficient) -> str:
    """Why a coefficient can't be believed, and what it may have been meant as; empty where it can."""
    plausible = PLAUSIBLE[coefficient.name]
    pct_k = coefficient.value * _pct_k(coefficient.unit, coefficient.rated)
    meant = next(_meant(coefficient), "")
    tiny = 0.0 < abs(pct_k) < plausible.told_apart_from_0
    if plausible.least <= pct_k <= plausible.most and not (tiny and meant):
        return ""
    size = "" if coefficient.unit == "%/K" else f", {pct_k:.3g} %/K,"
    usual = f"{plausible.usual[0]:g} to {plausible.usual[1]:g} %/K"
    return f"{coefficient.value:g} {coefficient.unit}{size} is not plausible; usual values are {usual}{meant}"


def _meant(coefficient: Coefficient) -> Iterator[str]:
    """Units in which the number would be a usual coefficient, in words."""
    least, most = sorted(PLAUSIBLE[coefficient.name].usual, key=abs)
    for meant_in in ("1/K", "%/K", *_UNITS[coefficient.name]):
        pct_k = coefficient.value * _pct_k(meant_in, coefficient.rated)
        if meant_in == coefficient.unit or not least / most / 1.5 <= pct_k / most <= 1.5:
            continue
        asked, unit = f"in {meant_in}", meant_in
        if meant_in == "1/K":
            asked, unit = "per K, not in percent" if coefficient.unit == "%/K" else "a share per K", "%/K"
        if unit not in coefficient.keys:
            unit = coefficient.unit
        yield f". Is it {asked}? Then {coefficient.keys[unit]} is {pct_k / _pct_k(unit, coefficient.rated):.4g}"
