"""How a battery grows old: a day of use goes in, what is gone comes out, and with it the parameters of the day after.

Knows days, not seconds: the plant keeps a log of hours and asks once a day. A law is a module with a record of what
it remembers and the functions `fresh`, `age_one_day` and `loss`.
"""

from typing import Any, NamedTuple, TypeAlias

from plant.battery import miner, naumann, weighted_ah
from plant.battery import model as battery
from plant.battery.acid import LeadAcid
from plant.battery.model import Parameters
from plant.battery.wear import MOST_LOST, Hours, Life, Loss

LawState: TypeAlias = weighted_ah.WeightedAhState | miner.MinerState | naumann.NaumannState

LAWS: dict[str, Any] = {"weighted_ah": weighted_ah, "rainflow": miner, "naumann": naumann}
LEAD_ACID_LAWS = ("weighted_ah", "rainflow")
LITHIUM_LAWS = ("naumann",)
FROST_LOSS = 0.2  # share of the capacity that one freezing destroys (guess)


class AgeingState(NamedTuple):
    """What a battery's age is made of; plain numbers and names, see `as_plain`."""

    law: str
    memory: LawState
    freezings: int = 0
    was_frozen: bool = False
    replaced_utc_s: tuple[int, ...] = ()  # when a new battery took the place of a worn one


def laws_for(p: Parameters) -> tuple[str, ...]:
    """The laws that a chemistry can age by."""
    return LEAD_ACID_LAWS if isinstance(p, LeadAcid) else LITHIUM_LAWS


def fresh(law: str, health: float = 1.0) -> AgeingState:
    """Age of a battery that has `health` of its capacity left when the law takes over."""
    return AgeingState(law, LAWS[law].fresh(1.0 - health))


def age_one_day(state: AgeingState, hours: Hours, p: Parameters, life: Life) -> AgeingState:
    """Age after a day of use.

    Parameters
    ----------
    state : AgeingState
    hours : Hours
        The day, hour by hour.
    p : Parameters
        Of the whole battery as it was new.
    life : Life
        What its maker promises; used by the lead-acid laws.

    Returns
    -------
    AgeingState

    Notes
    -----
    Each time the battery freezes anew (ice in an hour, none in the hour before) counts.
    """
    freezings, was = state.freezings, state.was_frozen
    for ice in hours.frozen:
        freezings += int(bool(ice) and not was)
        was = bool(ice)
    memory = LAWS[state.law].age_one_day(state.memory, hours, p, life)
    return state._replace(memory=memory, freezings=freezings, was_frozen=was)


def loss(state: AgeingState, life: Life) -> Loss:
    """What is gone of the battery, frost damage included."""
    by_law: Loss = LAWS[state.law].loss(state.memory, life)
    left = (1.0 - by_law.q_loss) * (1.0 - FROST_LOSS) ** state.freezings
    return Loss(max(by_law.q_loss, min(MOST_LOST, 1.0 - left)), by_law.r_gain)


def aged(p: Parameters, lost: Loss) -> Parameters:
    """Parameters of the battery, which were `p` when it was new, after a loss."""
    worn: Parameters = battery.aged(p, lost.q_loss, lost.r_gain)
    return worn


def replaced(state: AgeingState, t_utc_s: int) -> AgeingState:
    """Age once a new battery has taken the place of this one at a moment."""
    return fresh(state.law)._replace(replaced_utc_s=(*state.replaced_utc_s, t_utc_s))


def taken_over(x: Any, p: Parameters, other: Parameters) -> Any:
    """State of a battery that replaces another: at rest, with the same energy in it.

    A new battery comes charged from elsewhere, but energy from elsewhere would not be part of the plant's account; so
    it is taken to bring what the old one takes away.
    """
    return battery.at_rest_within(battery.stored_wh(x, p), 1.0, x.t_c, other)


def as_plain(state: AgeingState) -> dict[str, Any]:
    """The age as what JSON can hold."""
    return {**state._asdict(), "memory": state.memory._asdict()}


def from_plain(plain: dict[str, Any]) -> AgeingState:
    """The age that `as_plain` wrote."""
    memory = {key: tuple(value) if key == "pending" else value for key, value in plain["memory"].items()}
    moments = tuple(plain["replaced_utc_s"])
    return AgeingState(**{**plain, "memory": LAWS[plain["law"]].State(**memory), "replaced_utc_s": moments})
