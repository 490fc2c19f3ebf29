"""How far a year in long steps is off one in steps of 5 s, as measured: docs/physics/fidelity.md has how."""

from typing import Final, NamedTuple


class StepBound(NamedTuple):
    """The largest difference over a year, of four plants with 60 to 700 hours of outage."""

    pv_pct: float
    served_pct: float
    outage_h: float


STEP_BOUNDS: Final = {
    60: StepBound(0.02, 0.01, 0.8),
    900: StepBound(0.35, 0.08, 8.0),
    3600: StepBound(0.93, 0.08, 9.0),
}
"""By step [s]."""


def bound_told(step_s: int) -> str:
    """The bound of a step, or of the next longer one that was measured, in a sentence."""
    bound = STEP_BOUNDS[min(step for step in STEP_BOUNDS if step >= step_s)]
    return (
        f"Against steps of 5 s a year was off by at most {bound.pv_pct:g} % of the PV energy, {bound.served_pct:g} % "
        f"of the served energy and {bound.outage_h:g} h of outages."
    )
