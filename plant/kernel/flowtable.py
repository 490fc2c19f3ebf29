"""Every flow of energy that the plant keeps an account of: one list, in the order in which reports print it.

The books have a field for each, the snapshot shows each as ``e_<name>_wh``, and reports and state files take their
words from here.
"""

from typing import Final, NamedTuple


class EnergyFlow(NamedTuple):
    """One flow.

    Parameters
    ----------
    name : str
        Its field in the books.
    meaning : str
    label : str
        In the account of a run; empty where it is not printed.
    depth : int
        How deep it stands in that account: it is a part of the last flow before it that stands one less deep. -1 when
        it is no part of another.
    sign : float
        -1 where the account shows it the other way round.
    always : bool
        Whether it is worth a line when it is nothing.
    unit : str
        Of its integral.
    """

    name: str
    meaning: str
    label: str = ""
    depth: int = -1
    sign: float = 1.0
    always: bool = True
    unit: str = "Wh"


FLOWS: Final = (
    EnergyFlow("available", "PV energy available to a perfect tracker", "available PV energy", 0),
    EnergyFlow("missed", "available PV energy lost by the tracker, or in dim light without it", "tracker loss", 1),
    EnergyFlow("untaken_full", "available PV energy unused with the battery at its voltage", "unused: battery full", 1),
    EnergyFlow(
        "untaken_bms", "available PV energy unused because the battery's protection (BMS, fuse) let no charge in",
        "unused: battery refuses charge (BMS)", 1, always=False,
    ),
    EnergyFlow(
        "untaken_cold", "available PV energy unused because the controller found the battery too cold to charge",
        "unused: too cold to charge", 1, always=False,
    ),
    EnergyFlow("untaken_limit", "available PV energy unused because a rating was reached", "unused: rating reached", 1),
    EnergyFlow(
        "untaken_pv_high", "available PV energy unused because the PV voltage was above its rating",
        "unused: PV voltage too high", 1, always=False,
    ),
    EnergyFlow("untaken_off", "available PV energy unused while the charger was off", "unused: charger off", 1),
    EnergyFlow("pv", "PV energy taken from the array", "PV energy used", 1),
    EnergyFlow("converter_loss", "lost in the converter", "converter loss", 2),
    EnergyFlow("chg", "from the controller towards the battery and load", "charger output", 2),
    EnergyFlow("load", "served to the load", "load", 3),
    EnergyFlow("path_loss", "lost in the load switch and its wiring", "load switch loss", 3),
    EnergyFlow("own", "the controller's own consumption", "controller consumption", 3),
    EnergyFlow("batt", "from the controller to the battery, net", "battery, net", 3),
    EnergyFlow("charger_1", "from the first charger at the battery", "charger 1", 4, sign=-1.0, always=False),
    EnergyFlow("charger_2", "from the second charger at the battery", "charger 2", 4, sign=-1.0, always=False),
    EnergyFlow("inverter", "served by the inverter, or to loads at the battery without one", "inverter's load", 4,
               always=False),
    EnergyFlow("inverter_loss", "lost in the inverter, idle or not", "inverter loss", 4, always=False),
    EnergyFlow(
        "batt_wiring", "lost in the battery's cable and the diodes of its protection", "cable and protection", 4,
        always=False,
    ),
    EnergyFlow("ohmic", "lost in the battery's ohmic resistance", "ohmic loss", 4),
    EnergyFlow("polarisation", "lost in the battery's reaction", "polarisation", 4),
    EnergyFlow("side", "lost in the battery's side reactions", "gassing, self-discharge", 4),
    EnergyFlow("diffusion", "lost between the battery's wells", "diffusion", 4, always=False),
    EnergyFlow("hysteresis", "lost in the battery's hysteresis", "hysteresis", 4, always=False),
    EnergyFlow("entropy", "added to the stored energy by warming", "gained by warming", 4, sign=-1.0, always=False),
    EnergyFlow(
        "faded", "stored in capacity that ageing or a fault has removed", "lost with faded capacity", 4, always=False
    ),
    EnergyFlow("pv_wiring", "lost in the array's cable, before the point at which the array is measured"),
    EnergyFlow("unserved", "load demand that was not served", "load not served"),
    EnergyFlow("inverter_unserved", "demand at the inverter that was not served"),
    EnergyFlow("charger_1_h", "time the first charger ran", unit="h"),
    EnergyFlow("charger_2_h", "time the second charger ran", unit="h"),
    EnergyFlow("charger_1_starts", "starts of the first charger", unit=""),
    EnergyFlow("charger_2_starts", "starts of the second charger", unit=""),
    EnergyFlow("i_side", "charge of the battery's side reactions", unit="Ah"),
)  # fmt: skip
FLOW_NAMES: Final = tuple(flow.name for flow in FLOWS)
FLOW: Final = dict(zip(FLOW_NAMES, FLOWS, strict=True))
