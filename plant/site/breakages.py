"""What breaks and when: a run's timetable, what has been broken by hand since, and what that leaves of the plant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from plant.array.layout import layout_of
from plant.battery import model as battery
from plant.controller.model import power_stage
from plant.site.model import Site
from plant.site.upsets import Equipment, applied, check


class Turn(NamedTuple):
    """A moment at which something breaks or is mended."""

    t_utc_s: int
    number: int  # which upset
    begins: bool


@dataclass(frozen=True, slots=True)
class Breakages:
    """Everything that breaks in a run.

    Parameters
    ----------
    upsets : tuple
        Name and values of each upset, the site's own first; its place is the number that `mended` takes.
    turns : tuple of Turn
        Those to come, earliest first.
    broken : tuple of int
        Upsets that act now, in the order in which they began.
    """

    upsets: tuple[tuple[str, dict[str, float]], ...] = ()
    turns: tuple[Turn, ...] = ()
    broken: tuple[int, ...] = ()

    @classmethod
    def of_site(cls, site: Site, start_utc_s: int, step_s: int) -> "Breakages":
        """The site's timetable in a run from `start_utc_s`, each turn put off to the next step of `step_s`."""
        turns = []
        for number, upset in enumerate(site.upsets):
            begin, end = upset.moments(start_utc_s, site.location.timezone)
            first_s = on_grid_s(begin, step_s)
            turns.append(Turn(first_s, number, True))
            if end is not None:  # one that is over within a step acts for that step
                turns.append(Turn(max(on_grid_s(end, step_s), first_s + step_s), number, False))
        return cls(tuple((upset.name, dict(upset.values)) for upset in site.upsets), tuple(sorted(turns)))

    def with_upset(self, t_utc_s: int, name: str, values: Mapping[str, float]) -> "Breakages":
        """The same with something that breaks at `t_utc_s`, before all turns to come; its number is the last one."""
        upsets = (*self.upsets, (name, dict(values)))
        return replace(self, upsets=upsets, turns=(Turn(t_utc_s, len(self.upsets), True), *self.turns))

    def mended(self, t_utc_s: int, number: int) -> "Breakages":
        """The same with an upset that ends at `t_utc_s`, before all turns to come."""
        return replace(self, turns=(Turn(t_utc_s, number, False), *self.turns))

    def due(self, t_utc_s: int) -> tuple[Turn, ...]:
        """Turns at or before a moment."""
        return tuple(turn for turn in self.turns if turn.t_utc_s <= t_utc_s)

    def after(self, due: tuple[Turn, ...]) -> "Breakages":
        """The same once the turns that were due have happened."""
        broken = list(self.broken)
        for turn in due:
            if turn.number in broken:
                broken.remove(turn.number)
            if turn.begins:
                broken.append(turn.number)
        return replace(
            self, turns=tuple(turn for turn in self.turns if turn not in due), broken=tuple(broken)
        )

    def names(self) -> dict[int, str]:
        """What is broken now, by number."""
        return {number: self.upsets[number][0] for number in self.broken}

    def equipment(self, site: Site, bank: battery.Parameters) -> Equipment:
        """What a plant of this site is made of with what is broken now.

        Parameters
        ----------
        site : Site
        bank : battery.Parameters
            The battery as old as it is, with nothing broken.
        """
        cable_ohm = site.array.parts[0].losses.cable_ohm if len(site.array.parts) == 1 else 0.0
        stage = power_stage(site.controller.parameters(), site.battery.system_v, cable_ohm)
        equipment = Equipment(bank, stage, site.battery.cable_ohm)
        for number in self.broken:
            equipment = applied(equipment, *self.upsets[number])
        return equipment


def check_upset(site: Site, equipment: Equipment, name: str, values: Mapping[str, float]) -> None:
    """That an upset can befall this equipment.

    Raises
    ------
    ValueError
        If there is no such upset, it takes no such value, or the array has no such string.
    """
    check(name, values)
    layout_of(site.array, applied(equipment, name, values).defects)


def on_grid_s(t_utc_s: float, step_s: int) -> int:
    """The first grid point at or after a moment, its fraction of a second left out."""
    return -(-int(t_utc_s) // step_s) * step_s
