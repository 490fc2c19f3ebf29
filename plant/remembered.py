"""What a plant remembers of one instant, beside the site it is made of: enough to go on from there to the same bits.

Knows which things those are and not how they are written down; that is `plant.saving.state`.
"""

from typing import Literal, NamedTuple

from plant.battery import model as battery
from plant.battery.ageing import AgeingState
from plant.controller.flash import Flash
from plant.kernel.books import BooksArray
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import PlantState
from plant.site.breakages import Breakages

Fidelity = Literal["detailed", "sizing"]


class Remembered(NamedTuple):
    """A plant at one grid point. Nothing of it is shared with the plant, which may go on meanwhile."""

    seed: int
    fidelity: Fidelity
    step_s: int
    start_utc_s: int  # where the run began
    t_utc_s: int  # where it stands
    memory: PlantState
    books: BooksArray
    flash: Flash
    breakages: Breakages
    age: AgeingState | None
    aged: battery.Parameters  # the battery that is left of the new one, with nothing broken
    snapshot: Snapshot | None  # None before the plant has shown anything: at its start
