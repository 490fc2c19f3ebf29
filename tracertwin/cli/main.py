"""The command: its verbs, and what it says when something is wrong.

Heavy imports stand inside the verbs, so that `serve` answers its first poll without loading what draws pictures.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Final

import typer

from plant.base.interrupts import handled, interrupt
from tracertwin.cli.check import check, schema
from tracertwin.cli.compiling import compile
from tracertwin.cli.options import Stop, Verb, say, with_bare_values
from tracertwin.cli.read import batteries, controllers, faults, history, modules, poll, registers, sites
from tracertwin.cli.replay import replay
from tracertwin.cli.run import demo, en50530, inspect, run
from tracertwin.cli.serve import mcp, serve, tell
from tracertwin.cli.size import size
from tracertwin.cli.write import write
from tracertwin.exitcodes import BAD_INPUT, GOOD, NOBODY, STOPPED
from tracertwin.promptness import collect_seldom

LEAST_COLUMNS: Final = 20  # of a terminal: nothing narrower is meant

app = typer.Typer(
    help="A simulated off-grid solar plant that answers on a UART as an EPEVER Tracer charge controller.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
VERBS = (  # as the help lists them
    serve, tell, mcp, replay, demo, run, inspect, size, check, history, poll, write, registers,
    faults, sites, modules, batteries, controllers, en50530, schema, compile,
)  # fmt: skip
for verb in VERBS:
    # behind the link all is the rig's command, which may have a word that begins with a dash
    app.command(cls=Verb, context_settings={"allow_interspersed_args": False} if verb is tell else None)(verb)


def _print_version(asked: bool) -> None:
    if asked:
        import platform

        from tracertwin.versions import installed

        print(
            f"tracertwin {installed('tracertwin')}, Python {platform.python_version()}, "
            f"numba {installed('numba')}, {platform.platform()}"
        )
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of this program, Python and numba, and the platform.",
        ),
    ] = False,
) -> None:
    """A simulated off-grid solar plant that answers on a UART as an EPEVER Tracer charge controller."""


def main() -> None:
    """Entry point: problems are reported one per line, and by the exit code."""
    from plant.base.streams import drop_stdout, write_plainly

    collect_seldom()
    _have_streams()
    _drop_absurd_width()
    write_plainly(sys.stdout, sys.stderr)
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    sys.argv[1:] = with_bare_values(sys.argv[1:])
    try:
        with handled(_ctrl_c()):
            code = _call()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        drop_stdout()
        code = GOOD
    except OSError as error:  # a full disk under stdout
        say(f"{error.filename or 'output'}: {error.strerror or error}")
        drop_stdout()  # or Python would try once more at its end
        code = BAD_INPUT
    sys.exit(code)


def _ctrl_c() -> dict[signal.Signals, Callable[..., None]]:
    """What has Ctrl-C raise `KeyboardInterrupt` by `interrupt`; nothing where it is ignored, as after a shell's &."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return {}
    return {signal.SIGINT: lambda *_: interrupt(KeyboardInterrupt())}


def _have_streams() -> None:
    """Write nowhere where the shell has closed stdout or stderr (`>&-`), for which Python has None."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the end


def _drop_absurd_width() -> None:
    """Let tables be as wide as without `COLUMNS`, where that is a width in which there is no room for a word."""
    with suppress(KeyError, ValueError):
        if int(os.environ["COLUMNS"]) < LEAST_COLUMNS:
            del os.environ["COLUMNS"]


def _call() -> int:
    """Do what the command line says; its exit code."""
    from modbus.line.endpoint import LinkError, NobodyError
    from plant.base.problems import ProblemsError

    # Typer carries its own click since 0.21; this is the base of its usage errors, whichever click that is.
    usage_error: type[Exception] = typer.BadParameter.__mro__[2]
    try:
        code = app(prog_name="tracertwin", standalone_mode=False)
    except usage_error as error:
        say(" ".join(error.format_message().split()))  # type: ignore[attr-defined]
        return BAD_INPUT
    except ProblemsError as error:
        for problem in error.problems:
            say(str(problem))
        return BAD_INPUT
    except LinkError as error:
        say(str(error))
        return NOBODY if isinstance(error, NobodyError) else BAD_INPUT
    except (typer.Abort, Stop, KeyboardInterrupt):
        return STOPPED
    return code if isinstance(code, int) else GOOD


if __name__ == "__main__":
    main()
