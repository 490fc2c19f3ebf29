"""The verb that fills the cache of compiled code, e.g. while an image is built."""

from typing import Annotated

import typer

from tracertwin.cli.options import say


def compile(
    sites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SITE...]", help="Only what these sites need. Default: every kind of plant."),
    ] = None,
) -> None:
    """Compile the plant for this machine. Do this in advance, for example in an image, to make the first start fast."""
    import os
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from time import monotonic

    from plant.base.arraycache import VARIABLE
    from plant.base.codecache import cache_dir, is_kept
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.assembly.forms import FORMS, of_site

    def refuse(why: str) -> ProblemsError:
        return ProblemsError(
            [Problem(str(cache_dir()), 0, "", f"{why}; {VARIABLE}=FOLDER selects another folder")]
        )

    forms = [form for site in sites for form in of_site(site)] if sites else list(FORMS)
    if not is_kept():
        raise refuse("cannot be written")
    began_s = monotonic()
    with ProcessPoolExecutor(min(len(forms), os.cpu_count() or 1)) as workers:
        jobs = {workers.submit(compile_one, form, tuple(sites or ())): form for form in forms}
        for job in as_completed(jobs):
            if why := job.result():
                workers.shutdown(cancel_futures=True)
                raise refuse(why)
            say(f"{jobs[job]}: done after {monotonic() - began_s:.0f} s")
    print(cache_dir())


def compile_one(form: str, sites: tuple[str, ...]) -> str:
    """Compile a form in a process of its own; what kept its code from being written, if anything."""
    from plant.base.codecache import CodeCache
    from tracertwin.assembly.forms import FORMS, compile_form, of_site

    made = {name: make for site in sites for name, make in of_site(site).items()} if sites else FORMS
    CodeCache.must_save = True
    try:
        compile_form(made[form])
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return ""
