"""The device behind the registers: what the Tracer asks of whatever keeps the plant.

Knows what can be seen and done, not how: a plant in a thread of its own (`tracertwin.assembly.live`), one that a test
moves by hand, or a record that never changes.
"""

from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from plant.controller.settings import Settings
from plant.kernel.snapshot import Snapshot


class Shown(NamedTuple):
    """Plant and settings at one instant."""

    snapshot: Snapshot
    settings: Settings


class Device(Protocol):
    """A charge controller with its plant. What a method does is shown when it returns."""

    def shown(self) -> Shown:
        """Everything a reply may need, of one instant."""

    def hold(self) -> AbstractContextManager[None]:
        """Let nobody else move or change it, so that what is written starts from what is shown."""

    def configure(self, settings: Settings) -> None:
        """Go on with other settings."""

    def set_clock(self, t_device_s: float) -> None:
        """Set the controller's clock: local civil time read as if it were UTC [s]."""

    def clear_energy(self) -> None:
        """Start the meters of generated energy again."""

    def restore_defaults(self) -> None:
        """Go on with the settings of a new unit."""
