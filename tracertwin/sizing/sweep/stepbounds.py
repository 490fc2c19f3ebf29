"""How far a year in long steps is off one in steps of 5 s, as measured: docs/physics/fidelity.md has how."""

from typing import Final, NamedTuple


class StepBound(NamedTuple):
    """The largest difference over a year: shipped sites, one to 2.4 times their load, two draws of weather."""

    pv_pct: float
    served_pct: float
    clipped_pct: float  # of a dull month's PV energy; array of 1.8 to 2.4 times the controller's rating
    unserved_pct: float  # of a plant that lacks 0.2 % of its demand; the others are off by a third of it


STEP_BOUNDS: Final = {
    60: StepBound(0.41, 0.23, 0.8, 4.5),
    900: StepBound(0.51, 0.36, 5.2, 25.0),
    1800: StepBound(1.4, 0.42, 6.3, 29.0),
    3600: StepBound(2.0, 0.37, 9.0, 37.0),
}
"""By step [s]."""


def bound_told(step_s: int) -> str:
    """The bound of a step, or of the next longer one that was measured, in a sentence."""
    bound = STEP_BOUNDS[min(step for step in STEP_BOUNDS if step >= step_s)]
    return (
        f"Against steps of 5 s a year of the shipped sites was off by at most {bound.pv_pct:g} % of the PV energy, "
        f"{bound.served_pct:g} % of the served energy and {bound.unserved_pct:g} % of the unserved energy. An array "
        f"well above the controller's rating yields up to {bound.clipped_pct:g} % too much in a dull month."
    )
