"""An inverter as its data sheet has it, and what it draws from the battery for what its loads ask for."""

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from plant.base.records import NotNegative, Positive, Record

SURGE = 2.0  # times the rating, where the sheet says no more; most small sine inverters


def _efficiency(given: Any) -> Any:
    """One number, or points of a curve."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        _check_share("efficiency", given)
        return float(given)
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f"must be a number, or points [share of rated_w, efficiency], got {given!r}")
    points: list[tuple[float, float]] = []
    for point in given:
        numbers = isinstance(point, list | tuple) and all(
            isinstance(n, int | float) and not isinstance(n, bool) for n in point
        )
        if not numbers or len(point) != 2:
            raise ValueError(f"each point must be [share of rated_w, efficiency], got {point!r}")
        load, share = map(float, point)
        if not 0.0 < load <= 10.0:
            raise ValueError(f"share of rated_w must be above 0 and at most 10, got {load:g}")
        if points and load <= points[-1][0]:
            raise ValueError(f"shares of rated_w must increase, got {load:g} after {points[-1][0]:g}")
        _check_share("efficiency", share)
        points.append((load, share))
    return tuple(points)


def _check_share(name: str, share: float) -> None:
    if not 0.0 < share <= 1.0:
        raise ValueError(f"{name} must be above 0 and at most 1, got {share:g}")


class Inverter(Record):
    """Makes mains voltage from the battery.

    A curve of efficiency is that of a data sheet, own consumption included; a single number is what it makes of the
    power that it converts, own consumption apart.
    """

    rated_w: Positive
    efficiency: Annotated[Any, BeforeValidator(_efficiency)] = 0.9
    idle_w: NotNegative = 0.0  # without a load
    surge_w: Positive | None = None  # more than this trips it at once
    surge_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 5.0  # how long it bears more than rated_w
    search_below_w: NotNegative = 0.0  # a smaller load doesn't wake it
    search_idle_w: NotNegative = 0.0  # what it draws while it looks for one

    @model_validator(mode="after")
    def _makes_sense(self) -> "Inverter":
        if self.surge_w is not None and self.surge_w < self.rated_w:
            raise ValueError(f"surge_w must be at least rated_w, {self.rated_w:g}, got {self.surge_w:g}")
        if self.search_idle_w > self.idle_w:
            raise ValueError(
                f"search_idle_w must be at most idle_w, {self.idle_w:g}, got {self.search_idle_w:g}"
            )
        loads, drawn = self._points()
        if np.any(np.diff(drawn) <= 0.0):
            at = int(np.argmax(np.diff(drawn) <= 0.0)) + 1
            raise ValueError(
                f"efficiency: at {loads[at] / self.rated_w:g} of rated_w it draws {drawn[at]:g} W, "
                f"no more than the {drawn[at - 1]:g} W at {loads[at - 1] / self.rated_w:g}"
            )
        return self

    def most_w(self) -> float:
        """Load that trips it at once [W]."""
        return SURGE * self.rated_w if self.surge_w is None else self.surge_w

    def served_w(self, load_w: np.ndarray) -> np.ndarray:
        """What of its load it serves while it is on [W]: all, or in search mode nothing below its threshold."""
        return np.where(load_w < self.search_below_w, 0.0, load_w)

    def drawn_w(self, load_w: np.ndarray) -> np.ndarray:
        """What it draws from the battery for that [W]: linear between the points of its curve, and beyond the last."""
        loads, drawn = self._points()
        last = (drawn[-1] - drawn[-2]) / (loads[-1] - loads[-2])
        beyond = np.maximum(load_w - loads[-1], 0.0)
        taken = np.interp(load_w, loads, drawn) + last * beyond
        if self.search_below_w > 0.0:
            taken = np.where(load_w < self.search_below_w, self.search_idle_w, taken)
        return np.asarray(taken)

    def _points(self) -> tuple[np.ndarray, np.ndarray]:
        """Load and power drawn at the points of the curve [W], the first without a load."""
        if isinstance(self.efficiency, float):
            return np.array([0.0, self.rated_w]), self.idle_w + np.array(
                [0.0, self.rated_w / self.efficiency]
            )
        loads = np.array([0.0, *(share * self.rated_w for share, _ in self.efficiency)])
        drawn = [self.idle_w, *(share * self.rated_w / eta for share, eta in self.efficiency)]
        return loads, np.array(drawn)
