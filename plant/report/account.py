"""Where the energy of a run went: every flow as a part of another one, and what the parts leave over."""

from collections.abc import Iterator
from dataclasses import dataclass

from plant.kernel.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of the account.

    Parameters
    ----------
    label : str
    wh : float
        Its energy [Wh]; negative where it gave instead of taking, as a battery that was emptied.
    depth : int
        How deep it stands: it is a part of the last flow before it that stands one less deep.
    begins_wh : float
        What its siblings before it, and its parents' siblings before them, add up to [Wh].
    always : bool
        Whether it is worth a line when it is nothing.
    """

    label: str
    wh: float
    depth: int
    begins_wh: float = 0.0
    always: bool = True


def account(before: Snapshot, after: Snapshot) -> tuple[Flow, ...]:
    """The account of a run, from what the array could give down to each loss.

    Parameters
    ----------
    before : Snapshot
        Of the plant when it had not moved yet.
    after : Snapshot

    Notes
    -----
    What the array's cable takes is gone before the point at which the array is measured, and so no part of this.
    """
    flows = list(_flows(after, after.e_stored_wh - before.e_stored_wh))
    placed: list[Flow] = []
    ends = [0.0] * 8  # of the last flow at each depth
    for flow in flows:
        begins = ends[flow.depth]
        ends[flow.depth] = begins + flow.wh
        ends[flow.depth + 1] = begins
        placed.append(Flow(flow.label, flow.wh, flow.depth, begins, flow.always))
    return tuple(placed)


def _flows(run: Snapshot, stored_wh: float) -> Iterator[Flow]:
    yield Flow("the array could give", run.e_available_wh, 0)
    yield Flow("missed by the tracker", run.e_missed_wh, 1)
    yield Flow("not taken: battery full", run.e_untaken_full_wh, 1)
    yield Flow("not taken: rating reached", run.e_untaken_limit_wh, 1)
    yield Flow("not taken: charger off", run.e_untaken_off_wh, 1)
    yield Flow("taken from the array", run.e_pv_wh, 1)
    yield Flow("lost in the converter", run.e_converter_loss_wh, 2)
    yield Flow("charger output", run.e_chg_wh, 2)
    yield Flow("load", run.e_load_wh, 3)
    yield Flow("lost in the load switch", run.e_path_loss_wh, 3)
    yield Flow("controller's own use", run.e_own_wh, 3)
    yield Flow("battery, net", run.e_batt_wh, 3)
    yield Flow("its cable and protection", run.e_batt_wiring_wh, 4, always=False)
    yield Flow("ohmic loss", run.e_ohmic_wh, 4)
    yield Flow("polarisation", run.e_polarisation_wh, 4)
    yield Flow("gassing, self-discharge", run.e_side_wh, 4)
    yield Flow("diffusion", run.e_diffusion_wh, 4, always=False)
    yield Flow("hysteresis", run.e_hysteresis_wh, 4, always=False)
    yield Flow("brought in by warming", -run.e_entropy_wh, 4, always=False)
    yield Flow("gone with lost capacity", run.e_faded_wh, 4, always=False)
    yield Flow("more in store than before", stored_wh, 4)


def leaves(flows: tuple[Flow, ...]) -> list[Flow]:
    """The flows that have no parts."""
    following = [*(flow.depth for flow in flows[1:]), 0]
    return [flow for flow, depth in zip(flows, following, strict=True) if depth <= flow.depth]


def missing_wh(flows: tuple[Flow, ...]) -> float:
    """What the array could give less all that it went to [Wh]: nothing but rounding and the integrator's error."""
    return flows[0].wh - sum(flow.wh for flow in leaves(flows))


def moved_wh(flows: tuple[Flow, ...]) -> float:
    """Sum of all flows' sizes at the leaves [Wh]: what `missing_wh` is to be seen beside, by night too."""
    return sum(abs(flow.wh) for flow in leaves(flows))
