"""A moment of a simulated Tracer, from which others go on, each on a line of its own."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from modbus.line.endpoint import Endpoint, ModbusTcpEndpoint, PtyEndpoint, TcpEndpoint, UnixEndpoint
from plant.controller.settings import Settings
from plant.remembered import Remembered
from tracertwin.scenario.record import AskedFor

Past = tuple[list[tuple[float, Settings]], list[AskedFor]]
"""Settings with their times, and requests of the client, of the run so far."""


Forked = TypeVar("Forked")


class SavePoint(Generic[Forked]):
    """A Tracer at a moment; as many as you like go on from it.

    Parameters
    ----------
    plants : sequence of Remembered
        The site's own first.
    samples : sequence of arrays
        Of the run so far.
    past : Past
    fork : callable
        Makes a Tracer of these three and what is said of its line.
    """

    def __init__(
        self,
        plants: Sequence[Remembered],
        samples: Sequence[np.ndarray],
        past: Past,
        fork: Callable[..., Forked],
    ) -> None:
        self._parts = (tuple(plants), tuple(samples), past)
        self._fork = fork

    def fork(self, **line: Any) -> Forked:
        """Another Tracer that goes on from here, on a line of its own; line faults and their chance begin anew."""
        return self._fork(*self._parts, **line)


def beside(endpoint: Endpoint, number: int) -> Endpoint:
    """A link for a fork: another free port, or a path with a number."""
    if isinstance(endpoint, PtyEndpoint) or (isinstance(endpoint, UnixEndpoint) and endpoint.listens):
        return dataclasses.replace(endpoint, path=f"{endpoint.path}{number}")
    if isinstance(endpoint, TcpEndpoint | ModbusTcpEndpoint) and endpoint.listens:
        return dataclasses.replace(endpoint, port=0)
    return endpoint
