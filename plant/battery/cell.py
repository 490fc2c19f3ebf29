"""What every battery chemistry gives the plant: a source behind a resistance, and losses by cause."""

from typing import NamedTuple


class Source(NamedTuple):
    """A battery as its terminals see it at an instant: a voltage behind a resistance, one for each direction."""

    v_node_v: float
    r_charge_ohm: float
    r_discharge_ohm: float


class Losses(NamedTuple):
    """Where energy goes inside the battery [W], and the current that goes into side reactions [A]."""

    ohmic_w: float
    polarisation_w: float
    side_w: float  # gassing, self-discharge: charge that is not stored
    diffusion_w: float
    hysteresis_w: float
    entropy_w: float  # stored energy that warming adds, through the temperature coefficient of the EMF
    i_side_a: float
