"""Where the energy of a run went: every flow as a part of another one, and the balance error."""

from collections.abc import Iterator
from dataclasses import dataclass

from plant.kernel.flowtable import FLOW, FLOWS
from plant.kernel.snapshot import Snapshot

PARTS_OF_BATTERY = FLOW["batt"].depth + 1


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
    """The account of a run, from the available PV energy down to each loss.

    Parameters
    ----------
    before : Snapshot
        Of the plant when it had not moved yet.
    after : Snapshot

    Notes
    -----
    What the array's cable takes is gone before the point at which the array is measured, and so no part of this.
    """
    flows = list(_flows(before, after))
    placed: list[Flow] = []
    ends = [0.0] * 8  # of the last flow at each depth
    for flow in flows:
        begins = ends[flow.depth]
        ends[flow.depth] = begins + flow.wh
        ends[flow.depth + 1] = begins
        placed.append(Flow(flow.label, flow.wh, flow.depth, begins, flow.always))
    return tuple(placed)


def _flows(before: Snapshot, after: Snapshot) -> Iterator[Flow]:
    for flow in FLOWS:
        if flow.depth >= 0:
            # Not 0 at the start where the battery ages or loses a cell at that moment.
            wh = getattr(after, f"e_{flow.name}_wh") - getattr(before, f"e_{flow.name}_wh")
            yield Flow(flow.label, flow.sign * wh, flow.depth, always=flow.always)
    yield Flow("change in stored energy", after.e_stored_wh - before.e_stored_wh, PARTS_OF_BATTERY)


def leaves(flows: tuple[Flow, ...]) -> list[Flow]:
    """The flows that have no parts."""
    following = [*(flow.depth for flow in flows[1:]), 0]
    return [flow for flow, depth in zip(flows, following, strict=True) if depth <= flow.depth]


def missing_wh(flows: tuple[Flow, ...]) -> float:
    """Balance error [Wh]: available PV energy less all its uses; only rounding and the integrator's error."""
    return flows[0].wh - sum(flow.wh for flow in leaves(flows))


def moved_wh(flows: tuple[Flow, ...]) -> float:
    """Sum of all flows' sizes at the leaves [Wh]: what `missing_wh` is to be seen beside, by night too."""
    return sum(abs(flow.wh) for flow in leaves(flows))
