"""``python -m tests.compiled``: the plant's machine code in all the forms that the tests run, two at a time.

Numba compiles a kernel for each kind of battery, method, tracker and array when it first meets it. Both halves of the
tests meet most of them; made here, before, each is made once.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from plant.plant import Plant
from plant.site.model import load_site
from tests.plants import plant, site


def _shaded() -> Plant:
    made = plant()
    made.upset("string_shaded")
    return made


FORMS: dict[str, Callable[[], Plant]] = {
    "lead": plant,
    "lithium": lambda: plant(battery={"model": "lifepo4"}, controller={"battery_type": "lifepo4_4s"}),
    "lead, shaded": _shaded,
    "lead, sizing": lambda: Plant.new(site(), fidelity="sizing"),
    "lead, dynamic": lambda: plant(controller={"tracker": "dynamic"}),
    "lithium, composite": lambda: Plant.new(load_site("motorhome")),
    "lithium, sizing": lambda: Plant.new(
        site(battery={"model": "lifepo4"}, controller={"battery_type": "lifepo4_4s"}), fidelity="sizing"
    ),
}


def compile_form(name: str) -> None:
    """Make a plant of a form and a step of it."""
    made = FORMS[name]()
    made.run(made.step_s, made.step_s)


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as workers:
        list(workers.map(compile_form, FORMS))
