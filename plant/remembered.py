"""What a plant remembers of one instant, beside the site it is made of: enough to go on from there to the same bits.

Knows which things those are and not how they are written down; that is `plant.keeping`.
"""

from typing import Literal, NamedTuple

from plant.battery import model as battery
from plant.battery.ageing import AgeingState
from plant.controller.clock import DeviceClock
from plant.controller.settings import Settings
from plant.kernel.books import BooksArray
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import PlantState

Fidelity = Literal["detailed", "sizing"]


class Turn(NamedTuple):
    """Something that breaks, or is mended, at a moment."""

    t_utc_s: int
    number: int  # which upset
    begins: bool


class Remembered(NamedTuple):
    """A plant at one grid point. Nothing of it is shared with the plant, which may go on meanwhile."""

    seed: int
    fidelity: Fidelity
    step_s: int
    start_utc_s: int  # where the run began
    t_utc_s: int  # where it stands
    memory: PlantState
    books: BooksArray
    settings: Settings  # the length of nights is in the books
    clock: DeviceClock
    upsets: tuple[tuple[str, dict[str, float]], ...]  # the site's own, then those since
    turns: tuple[Turn, ...]  # yet to come
    broken: tuple[int, ...]  # in the order in which they began
    age: AgeingState | None
    aged: battery.Parameters
    days_since_equalize: int
    snapshot: Snapshot
