"""Which upsets a `mend` means: a number as `upset` returned it, a name, the second one of a name, or all."""

from collections.abc import Sequence
from typing import Final

from plant.base.grammar import look_up
from plant.plant import Plant
from plant.site.upsets import UPSETS

FORM: Final = "NUMBER, NAME, NAME N for the Nth of that name, or all"


def meant(words: Sequence[str], plant: Plant) -> list[int]:
    """The numbers of the upsets to mend, which are broken or have yet to break; ``all`` are those broken now.

    Raises
    ------
    ValueError
        None of them is, except that ``all`` may be none.
    """
    name, place = (*words, "")[:2]
    if not words or len(words) > 2 or (place and (not place.isdecimal() or name not in UPSETS)):
        raise ValueError(f"write {FORM}")
    broken = plant.broken()
    if name == "all":
        return list(broken)
    active = broken | plant.planned()
    if name.isdecimal():
        found = [number for number in active if str(number) == name]
    else:
        look_up(name, UPSETS, "upset")
        of_name = [at for at, (called, _) in enumerate(plant.remembered().breakages.upsets) if called == name]
        if place:
            of_name = of_name[max(int(place), 1) - 1 : int(place)]
        found = [number for number in of_name if number in active]
    if not found:
        now = ", ".join(f"{number} ({called})" for number, called in active.items()) or "nothing"
        raise ValueError(f"{' '.join(words)} is not broken, nor planned; that is now: {now}")
    return found
