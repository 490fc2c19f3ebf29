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
    told_apart_from_0: float = (
        0.0  # smaller ones are likely in another unit, if one of those gives what is usual
    )


# All but 15 of the CEC table's 21,535 modules lie within; 13 of those have %/K where the table has V/K and A/K. The 18
# that an alpha is too close to 0 for have, as First Solar's, a share per kelvin there.
PLAUSIBLE: Final = {
    "alpha": Plausible(-0.1, 0.25, (0.02, 0.12), told_apart_from_0=0.0016),
    "beta": Plausible(-0.7, -0.15, (-0.25, -0.4)),
    "gamma": Plausible(-0.7, -0.1, (-0.25, -0.5)),
}
_UNITS: Final = {"alpha": ("A/K", "mA/K"), "beta": ("V/K", "mV/K"), "gamma": ()}


class Written(NamedTuple):
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
    return {"%": 1.0, "1": 100.0, "m": 0.1 / rated}.get(unit[0], 100.0 / rated)


def doubt(written: Written) -> str:
    """Why a coefficient can't be believed, and what it may have been meant as; empty where it can."""
    plausible, own = PLAUSIBLE[written.name], _pct_k(written.unit, written.rated)
    pct_k = written.value * own
    meant = next(_meant(written), "")
    tiny = 0.0 < abs(pct_k) < plausible.told_apart_from_0
    if plausible.least <= pct_k <= plausible.most and not (tiny and meant):
        return ""
    size = "" if written.unit == "%/K" else f", {pct_k:.3g} %/K,"
    one, other = plausible.usual
    return (
        f"{written.value:g} {written.unit}{size} is not plausible; usual are {one:g} to {other:g} %/K{meant}"
    )


def _meant(written: Written) -> Iterator[str]:
    """Units in which the number would be a usual coefficient, in words."""
    least, most = sorted(PLAUSIBLE[written.name].usual, key=abs)
    for meant_in in ("1/K", "%/K", *_UNITS[written.name]):
        pct_k = written.value * _pct_k(meant_in, written.rated)
        if meant_in == written.unit or not least / most / 1.5 <= pct_k / most <= 1.5:
            continue
        asked, unit = f"in {meant_in}", meant_in
        if meant_in == "1/K":
            asked, unit = "per K, not in percent" if written.unit == "%/K" else "a share per K", "%/K"
        if unit not in written.keys:
            unit = written.unit
        yield f". Is it {asked}? Then {written.keys[unit]} is {pct_k / _pct_k(unit, written.rated):.4g}"
