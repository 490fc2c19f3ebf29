"""A lead-acid block fitted to its data sheet's capacities by rate.

Under a constant current the equations of `leadacid` have a closed form: the wells are KiBaM's (Manwell & McGowan 1993),
and the electrode stands where its reaction carries the current. So a discharge is one root, and a fit takes a blink.
Within 0.3 % of the integrated equations from C/20 to 1C, 1.2 % at C/100, where self-discharge takes its part.
"""

import math
from functools import lru_cache

import numpy as np

from plant.base.arraycache import cached_array
from plant.battery.acid import LeadAcid, emf
from plant.battery.electrode import most_a, not_below_zero

CUT_OFF_V_CELL = 1.75  # to which makers state capacities by rate unless they say otherwise
FITTED = ("full_capacity_ah", "available_fraction", "diffusion_rate_per_h", "depletion_strength")
STIFFNESS = 0.5  # percent of error that leaving the block's own parameter by a factor of e is worth
MOST_AVAILABLE = 0.95

Rates = tuple[tuple[float, float], ...]
"""Hours, and the capacity [Ah] that they give."""


def hours_to(i_a: float, cut_off_v_cell: float, p: LeadAcid) -> float:
    """How long [h] a rested, full block gives a current [A] at 25 degC until its terminals reach a voltage.

    Parameters
    ----------
    i_a : float
        Out of the battery, above 0.
    cut_off_v_cell : float
        At the terminals, per cell.
    p : LeadAcid
    """
    from scipy.optimize import brentq

    def above_v(hours: float) -> float:
        return _terminal_v(i_a, hours, p) - cut_off_v_cell * p.cells

    if above_v(0.0) <= 0.0:
        return 0.0
    wells_h = float(brentq(above_v, 0.0, p.full_capacity_ah / i_a, xtol=1e-7))
    # The double layer gives its charge as well.
    node_v = cut_off_v_cell * p.cells + p.r0_ohm * i_a + _surface_v(i_a, p)
    return wells_h + p.double_layer_f * (emf(1.0, 25.0, p) - node_v) / 3600.0 / i_a


def _surface_v(i_a: float, p: LeadAcid) -> float:
    """Where the slow polarisation settles under a discharge current [A]: how far [V] below 0."""
    return float(p.cells * p.surface_discharge_v_cell * (i_a / (p.c20_ah / 20.0)) ** 0.125)


def _terminal_v(i_a: float, hours: float, p: LeadAcid) -> float:
    """Voltage [V] after so many hours of a discharge current [A]."""
    k = p.diffusion_rate_per_h
    gap = i_a / (p.available_fraction * p.full_capacity_ah) * -math.expm1(-k * hours) / k
    h1 = 1.0 - i_a * hours / p.full_capacity_ah - (1.0 - p.available_fraction) * gap
    room = 1.0 - h1
    x = p.depletion_depth - room
    left, _ = not_below_zero(x)
    carried_a = p.discharge_exchange_a * left / (left + p.depletion_strength * room)
    carried_a *= max(1.0 - i_a / max(most_a(h1, p), 1e-30), 0.0)
    overvoltage = p.cells * p.discharge_tafel_v_cell * math.asinh(i_a / max(carried_a, 1e-30))
    return float(emf(h1, 25.0, p)) - overvoltage - _surface_v(i_a, p) - p.r0_ohm * i_a


def with_capacity(p: LeadAcid, full_ah: float) -> LeadAcid:
    """The block with another slow-rate capacity, at the same open-circuit voltage for the same charge missing."""
    q, e1, e2 = full_ah / p.full_capacity_ah, p.ocv_linear_v_cell, p.ocv_quadratic_v_cell
    return p._replace(
        full_capacity_ah=full_ah,
        ocv_empty_v_cell=p.ocv_empty_v_cell + e1 * (1.0 - q) + e2 * (1.0 - q) ** 2,
        ocv_linear_v_cell=e1 * q + 2.0 * e2 * (1.0 - q) * q,
        ocv_quadratic_v_cell=e2 * q * q,
    )


def errors_pct(p: LeadAcid, rates: Rates, cut_off_v_cell: float = CUT_OFF_V_CELL) -> np.ndarray:
    """How far [%] a block's capacities are from a sheet's, (n,)."""
    return np.array([100.0 * (hours_to(ah / hours, cut_off_v_cell, p) / hours - 1.0) for hours, ah in rates])


@lru_cache(maxsize=32)  # an ageing plant asks anew each day
def fitted(p: LeadAcid, rates: Rates, cut_off_v_cell: float = CUT_OFF_V_CELL) -> LeadAcid:
    """A block with the capacities by rate of a sheet.

    Parameters
    ----------
    p : LeadAcid
        The block to begin with, of the sheet's 20-hour capacity.
    rates : tuple of (hours, Ah)
    cut_off_v_cell : float

    Returns
    -------
    LeadAcid
        With other wells and another depletion of the acid. Few rates leave it close to what it was.

    Notes
    -----
    Least squares over `FITTED`; errors are `errors_pct` of the result.
    """
    given = [number for pair in rates for number in pair]
    return _with_factors(p, cached_array(_factors, cut_off_v_cell, *p, *given))


def _with_factors(p: LeadAcid, factors: np.ndarray) -> LeadAcid:
    values = {name: getattr(p, name) * float(by) for name, by in zip(FITTED, factors, strict=True)}
    full_ah = values.pop("full_capacity_ah")
    return with_capacity(p._replace(**values), full_ah)


def _factors(cut_off_v_cell: float, *numbers: float) -> np.ndarray:
    """By what each of `FITTED` is to be multiplied; the numbers are the block's, then hours and Ah by turns."""
    from scipy.optimize import least_squares

    size = len(LeadAcid._fields)
    p, given = LeadAcid(*numbers[:size]), numbers[size:]
    rates = tuple(zip(given[::2], given[1::2], strict=True))
    most = math.log(MOST_AVAILABLE / p.available_fraction)
    bounds = [(-1.0, 1.0), (-2.0, most), (-3.0, 3.0), (-3.0, 3.0)]
    # What it gives within the longest time stays below what it holds.
    least_full = math.log(max(ah for _, ah in rates) / p.full_capacity_ah)
    bounds[0] = (min(max(least_full, -1.0), 0.99), 1.0)

    def off(logs: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [errors_pct(_with_factors(p, np.exp(logs)), rates, cut_off_v_cell), STIFFNESS * logs]
        )

    low, high = np.array(bounds).T
    start = np.clip(np.zeros(len(FITTED)), low + 1e-3, high - 1e-3)
    found: np.ndarray = np.exp(least_squares(off, start, bounds=(low, high), xtol=1e-10).x)
    return found
