"""What breaks and when: a run's timetable, what has been told since, and what that leaves of the plant."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from plant.base.clock import on_grid_s, to_local
from plant.battery import model as battery
from plant.controller.model import power_stage
from plant.site.model import Site
from plant.site.timetable import Upset
from plant.site.upsets import Equipment, applied


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
        zone, turns = site.location.timezone, list[Turn]()
        for number, upset in enumerate(site.upsets):
            turns += turns_of(number, upset, start_utc_s, zone, step_s)
        return cls(tuple((upset.name, dict(upset.values)) for upset in site.upsets), tuple(sorted(turns)))

    def with_upset(self, upset: Upset, t_utc_s: int, timezone: str, step_s: int) -> "Breakages":
        """The same with an upset asked for at `t_utc_s`; its number is the last one."""
        turns = turns_of(len(self.upsets), upset, t_utc_s, timezone, step_s)
        upsets = (*self.upsets, (upset.name, dict(upset.values)))
        return replace(self, upsets=upsets, turns=tuple(sorted([*self.turns, *turns])))

    def mended(self, t_utc_s: int, number: int) -> "Breakages":
        """The same with an upset that ends at `t_utc_s`, before all turns to come, and has none of its own left."""
        left = tuple(turn for turn in self.turns if turn.number != number)
        ends = (Turn(t_utc_s, number, False),) if number in self.broken else ()
        return replace(self, turns=(*ends, *left))

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

    def planned(self) -> dict[int, str]:
        """What has yet to break, by number."""
        return {turn.number: self.upsets[turn.number][0] for turn in self.turns if turn.begins}

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


def turns_of(number: int, upset: Upset, start_utc_s: int, timezone: str, step_s: int) -> Iterator[Turn]:
    """When an upset begins and ends, `after` counted from a start, each turn put off to the next step of `step_s`."""
    begin, end = upset.moments(start_utc_s, timezone)
    first_s = on_grid_s(begin, step_s)
    yield Turn(first_s, number, True)
    if end is not None:  # one that is over within a step acts for that step
        yield Turn(max(on_grid_s(end, step_s), first_s + step_s), number, False)


def check_upset(site: Site, equipment: Equipment, upset: Upset, t_utc_s: int) -> None:
    """Check that an upset asked for at a moment can befall this equipment.

    Raises
    ------
    ValueError
        If its time is past, or the array has no such string.
    """
    zone = site.location.timezone
    if upset.moments(t_utc_s, zone)[0] < t_utc_s:
        raise ValueError(f"{upset}: its time is past; it is now {to_local(t_utc_s, zone).isoformat()}")
    try:
        site.check_equipment(applied(equipment, upset.name, upset.values))
    except ValueError as error:
        raise ValueError(f"{upset.name}: {error}") from None
