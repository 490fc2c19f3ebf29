"""What power, settings and clock of the controller do to the kernel's state between its steps."""

import numpy as np

from plant.base.clock import DAY_S
from plant.controller.charger import Daylight, Machine
from plant.controller.loadcontrol import Program
from plant.controller.rules import RULES
from plant.kernel.books import OF_MACHINES, Books, BooksArray
from plant.kernel.state import PlantState
from plant.power.tracker import Tracker
from plant.power.tracking import Steady

AT_THE_BATTERY = (  # the controller's power doesn't touch them
    Machine.BMS_CHARGE, Machine.BMS_DISCHARGE, Machine.INVERTER, Machine.CHARGER_1, Machine.CHARGER_2,
)  # fmt: skip
OF_THE_CONTROLLER = [machine for machine in Machine if machine not in AT_THE_BATTERY]
COUNTED = ("charger_1_starts", "charger_2_starts")
RULES_OF_THE_CONTROLLER = np.array([rule.machine in OF_THE_CONTROLLER for rule in RULES])


def power_up(
    memory: PlantState, books: Books, tracker: Tracker | Steady, t_utc_s: float, dark: bool
) -> PlantState:
    """Have all machines of the controller start anew. Equalizing that was still owed is forgotten (guess).

    Parameters
    ----------
    memory : PlantState
    books : Books
        Written into.
    tracker : Tracker or Steady
        One that has not begun.
    t_utc_s, dark
        See `see_daylight`.

    Returns
    -------
    PlantState
    """
    books.since[RULES_OF_THE_CONTROLLER] = np.inf
    books.modes[OF_THE_CONTROLLER] = 0
    books.tries = (0, 0.0)
    see_daylight(books, t_utc_s, dark)
    return memory._replace(held_s=0.0, equalize_left_s=0.0, probe_read=False, tracker=tracker)


def see_daylight(books: Books, t_utc_s: float, dark: bool) -> None:
    """Take it for night or day at power-up; a night under way is one whose beginning the controller hasn't seen."""
    books.modes[Machine.DAYLIGHT] = Daylight.NIGHT if dark else Daylight.DAY
    books.night.began_utc_s, books.night.seen_to_begin = t_utc_s, False


def take_up_settings(memory: PlantState, equalize_s: float, equalize_before_s: float) -> PlantState:
    """Go by other set-points: equalizing under way is as much longer or shorter as its whole time now is [s]."""
    owed_s = memory.equalize_left_s
    if owed_s > 0.0:
        owed_s = max(0.0, owed_s + equalize_s - equalize_before_s)
    return memory._replace(equalize_left_s=owed_s, probe_read=False)


def follow(books_array: BooksArray, program: Program, clock: tuple[float, float, float]) -> None:
    """Give the kernel the load's program and the clock's `DeviceClock.terms`; it looks at all rules if they changed.

    Once a simulated day, so by the array: see `meters`.
    """
    for name, now in (("program", program), ("clock", clock)):
        if books_array[name].item() != now:
            books_array[name] = now
            books_array["must_examine"] = True


def night_length_min(books_array: BooksArray) -> int:
    """How long nights last, as the controller has learned or was set.

    `Plant.settings` asks at every stride of a live plant, so by the array: see `meters`.
    """
    return min(round(float(books_array["night"]["length_s"][0]) / 60.0), DAY_S // 60)


def set_night_length(books_array: BooksArray, minutes: int) -> None:
    """Set how long nights last; what was learned stays, to the second, where it shows these minutes already."""
    if minutes != night_length_min(books_array):
        books_array["night"]["length_s"] = minutes * 60.0


def take_over_machines(books: Books, of: Books) -> None:
    """Take over states, timers and events of the machines from other books, and of the meters only what they count."""
    for name in OF_MACHINES:
        books[name] = of[name]
    for name in COUNTED:
        since = of.account[name] + of.today[name] - books.account[name] - books.today[name]
        books.today[name] += since
