"""The verb that repeats a recorded run."""

from pathlib import Path
from typing import Annotated

import typer

from tracertwin.cli.building import announce_compiling
from tracertwin.cli.options import check_file, say, seconds, stoppable
from tracertwin.exitcodes import GOOD, STOPPED
from tracertwin.files import keep_apart


def replay(
    journal: Annotated[Path, typer.Argument(metavar="FILE", help="Journal recorded by serve --record.")],
    as_master: Annotated[
        str | None,
        typer.Option(
            metavar="LINK", help="Send its requests to another device and compare the form of the replies."
        ),
    ] = None,
    pause: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="With --as-master: pause between two requests. Default: as recorded."
        ),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="With --as-master: how long to wait for each reply.")
    ] = "1s",
    writes: Annotated[
        bool,
        typer.Option("--writes", help="With --as-master: also send requests that change the device."),
    ] = False,
    pcapng: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Only convert: write its frames to this file for Wireshark."),
    ] = None,
) -> int:
    """Repeat a recorded run and compare every byte. Its peers are not needed; exit code 1 if a reply differs."""
    from plant.base.problems import Problem, ProblemsError

    if as_master is None and (pause is not None or writes):
        given = "--pause" if pause is not None else "--writes"
        raise ProblemsError([Problem(given, 0, "", "needs --as-master LINK")])
    if as_master is not None and pcapng is not None:
        raise ProblemsError([Problem("--pcapng", 0, "", "cannot be combined with --as-master")])
    if pcapng is not None:
        from tracertwin.journal.pcapng import write_pcapng

        check_file("--pcapng", pcapng)
        keep_apart({"the journal": journal, "--pcapng": pcapng})
        write_pcapng(journal, pcapng)
        return GOOD
    if as_master is not None:
        from tracertwin.journal.asmaster import Manner, print_comparison

        pause_s = None if pause is None else seconds("--pause", pause)
        manner = Manner(pause_s, seconds("--timeout", timeout), writes)
        with stoppable():
            return print_comparison(journal, as_master, manner, say)
        return STOPPED
    from tracertwin.journal.replay import print_replay

    announce_compiling()
    return print_replay(journal, say)
