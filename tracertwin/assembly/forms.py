"""The forms that a plant's machine code comes in: numba compiles the kernel for each kind of battery, method, tracker
and array, and with or without something at the battery's posts, when it first meets it. Here each is met once.
"""

from collections.abc import Callable
from typing import Any, Final

from plant.plant import Plant
from plant.site.model import Site, load_site


def _cabin(**changes: dict[str, Any]) -> Site:
    """The cabin with some records changed."""
    data = load_site("cabin").model_dump()
    return Site.model_validate(data | {key: {**data[key], **value} for key, value in changes.items()})


def _lithium() -> Site:
    return _cabin(battery={"model": "lifepo4"}, controller={"battery_type": "lifepo4_4s"})


def _shaded() -> Plant:
    made = Plant.new(_cabin(), 1)
    made.upset("string_shaded")
    return made


FORMS: Final[dict[str, Callable[[], Plant]]] = {
    "lead": lambda: Plant.new(_cabin(), 1),
    "lithium": lambda: Plant.new(_lithium(), 1),
    "lead, shaded": _shaded,
    "lead, sizing": lambda: Plant.new(_cabin(), fidelity="sizing"),
    "lead, sizing by the hour": lambda: Plant.new(_cabin(), fidelity="sizing", step_s=3600),
    "lead, dynamic": lambda: Plant.new(_cabin(controller={"tracker": "dynamic"}), 1),
    "lithium, composite": lambda: Plant.new(load_site("motorhome")),
    "lead, inverter and charger": lambda: Plant.new(load_site("cabin_inverter"), 1),
    "lead, inverter and charger, sizing": lambda: Plant.new(load_site("cabin_inverter"), fidelity="sizing"),
    "lithium, sizing": lambda: Plant.new(_lithium(), fidelity="sizing"),
}


def of_site(name: str) -> dict[str, Callable[[], Plant]]:
    """The forms that a site needs, detailed and sizing."""
    site = load_site(name)
    return {
        f"{name}, detailed": lambda: Plant.new(site),
        f"{name}, sizing": lambda: Plant.new(site, fidelity="sizing"),
        f"{name}, sizing by the hour": lambda: Plant.new(site, fidelity="sizing", step_s=3600),
    }


def compile_form(make: Callable[[], Plant]) -> None:
    """Make a plant of a form, and a step of it: all of its machine code is compiled, or read from the cache."""
    made = make()
    made.run(made.step_s, made.step_s)
