"""Plants from what the command line says: a site's name, where to begin, a seed."""

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from tracertwin.cli.options import checked, say
from tracertwin.exitcodes import BAD_RESULT, GOOD

STEPS = "run_steps"  # of `plant.kernel.step`; most of a form's time

if TYPE_CHECKING:
    from plant.plant import Plant
    from plant.remembered import Fidelity
    from plant.site.model import Site


def build(
    site_name: str,
    start: str | None,
    seed: int | None,
    fidelity: str = "detailed",
    step: str | None = None,
) -> "Plant":
    """A plant from a site's name and the options of the command line."""
    from plant.plant import Plant
    from tracertwin.cli.runoptions import parse_step_s
    from tracertwin.memory.skies import KeptSkies

    there, start_s = site_and_start(site_name, start)
    announce_design(there)
    step_s = None if step is None else checked("--step", step, partial(parse_step_s, fidelity=fidelity))
    return Plant.new(there, seed, start_s, cast("Fidelity", fidelity), step_s, KeptSkies())


def site_of(site_name: str) -> "Site":
    """A site whose weather file, if it has one, can be used."""
    from plant.site.model import load_site
    from tracertwin.assembly.sitechecks import SITE_CHECKS

    site = load_site(site_name, SITE_CHECKS)
    if site.weather.file is not None:
        from plant.weather.measured.days import file_sky

        file_sky(site.weather, site.location)  # what is wrong with it is told before anything takes long
    return site


def site_and_start(site_name: str, start: str | None) -> "tuple[Site, int | None]":
    """A site and where to begin, looked at before anything takes long."""
    from plant.base.civiltime import moment_utc_s
    from plant.base.clock import STEP_S, parse_local

    site, start_s = site_of(site_name), None
    if start == "now":
        start_s = int(time.time()) // STEP_S * STEP_S
    elif start is not None:
        moment = checked("--start", start, parse_local)
        start_s = checked("--start", moment, lambda local: moment_utc_s(local, site.location.timezone))
    announce_compiling()
    return site, start_s


def announce_design(site: "Site") -> None:
    """Say before anything runs what is wrong with a design, in a line each."""
    from plant.design.sheet import announcements

    for line in announcements(site):
        say(f"{site.name}: {line}")


def said_unsolved(plants: "Iterable[Plant]") -> int:
    """The exit code of plants that have run: 1, and a line, if steps of one could not be solved."""
    from plant.report.ending import unsolved

    lines = list(unsolved(plants))
    for line in lines:
        say(line)
    return BAD_RESULT if lines else GOOD


def announce_compiling() -> None:
    """From here on say why nothing happens for a while, once for each form of the plant that isn't in the cache.

    Most of a form's time is its steps. What is compiled before the first of them is announced with them, and what comes
    after takes no time to speak of.
    """
    from plant.base.codecache import CodeCache

    begun = done = False

    def heard(name: str) -> None:
        nonlocal begun, done
        if name == STEPS or not done:
            if not begun:
                say(_compiling())
            begun, done = name != STEPS, name == STEPS

    CodeCache.on_compiling = heard


def _compiling() -> str:
    from plant.base.arraycache import VARIABLE
    from plant.base.codecache import cache_dir, is_kept

    if is_kept():
        return "compiling this kind of plant for this machine, once; 15 to 45 s ..."
    return (
        f"compiling this kind of plant for this machine, 15 to 45 s at every start: {cache_dir()} cannot be written; "
        f"see {VARIABLE} ..."
    )
