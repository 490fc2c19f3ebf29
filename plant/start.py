"""The first moment of a run: a battery at rest, a controller just switched on, empty meters."""

from plant.base.civiltime import moment_utc_s
from plant.base.clock import STEP_S, is_step
from plant.battery import model as battery
from plant.constants import tracker_of
from plant.controller.clock import DeviceClock
from plant.controller.flash import Flash
from plant.inputs import Supply
from plant.kernel.books import empty_books
from plant.kernel.controls import see_daylight, set_night_length
from plant.kernel.state import PlantState
from plant.power.tracking import fresh
from plant.remembered import Fidelity, Remembered
from plant.site.breakages import Breakages
from plant.site.model import Site

SIZING_STEP_S = 60


def step_of(fidelity: Fidelity, step_s: int | None = None) -> int:
    """The step of a run [s]: the one asked for, or the fidelity's own.

    Raises
    ------
    ValueError
        If the fidelity has no such step.
    """
    if step_s is None:
        return STEP_S if fidelity == "detailed" else SIZING_STEP_S
    if is_step(step_s, fidelity):
        return step_s
    if fidelity == "detailed":
        raise ValueError(f"a detailed run has steps of {STEP_S} s, got {step_s} s")
    raise ValueError(f"a sizing run's step must be a multiple of 60 s that divides an hour, got {step_s} s")


def start_of(site: Site, start_utc_s: int | None, step_s: int) -> int:
    """Where a run begins [s UTC]: at the moment asked for, or the site's own; a sizing run at the step before it.

    Raises
    ------
    ValueError
        If it lies off the grid of 5 s.
    """
    start = moment_utc_s(site.local_start(), site.location.timezone) if start_utc_s is None else start_utc_s
    if step_s != STEP_S:
        start -= start % step_s
    if start % STEP_S:
        raise ValueError(f"start must lie on the {STEP_S} s grid, got {start}")
    return start


def at_start(
    site: Site, supply: Supply, start_utc_s: int | None = None, fidelity: Fidelity = "detailed"
) -> Remembered:
    """What a plant that hasn't begun remembers: nothing broken yet, nothing shown.

    Parameters
    ----------
    site : Site
    supply : Supply
        Of the same site; carries the run's seed and step.
    start_utc_s : int, optional
        Where to begin, on the grid; the site's own start unless given.
    fidelity : {"detailed", "sizing"}

    Raises
    ------
    ValueError
        If the start lies off the grid.
    """
    start = start_of(site, start_utc_s, supply.step_s)
    controller = site.controller
    clock = DeviceClock(
        site.location.timezone, controller.clock_gains, float(start), follows_dst=controller.clock_dst
    )
    flash = Flash(site.settings(), clock)
    bank = site.battery.parameters()
    whole = Breakages().equipment(site, bank)
    inputs, index = supply.at(start)
    t_room_c = float(inputs.t_room_c[index])
    x = battery.rested(site.battery.soc, t_room_c, bank)
    books = empty_books()
    set_night_length(books, flash.settings.night_length_min)
    see_daylight(books[0], start, dark=bool(inputs.array.v_oc_v[index] < flash.settings.night_v))
    tracker = fresh(tracker_of(site, whole.stage))
    return Remembered(
        seed=supply.seed,
        fidelity=fidelity,
        step_s=supply.step_s,
        start_utc_s=start,
        t_utc_s=start,
        memory=PlantState(
            x=x,
            held_s=0.0,
            equalize_left_s=0.0,
            t_heatsink_c=t_room_c,
            v_batt_v=0.0,
            t_probe_c=t_room_c,
            probe_read=False,
            t_warm_c=x.t_c,
            regime=0,
            tracker=tracker,
        ),
        books=books,
        flash=flash,
        breakages=Breakages.of_site(site, start, supply.step_s),
        age=site.battery.age(),
        aged=bank,
        snapshot=None,
    )
