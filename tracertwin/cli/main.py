"""The command: its verbs, and what it says when something is wrong.

Heavy imports stand inside the verbs, so that `serve` answers its first poll without loading what draws pictures.
"""

import sys

import typer

from tracertwin.cli.options import Stop, say
from tracertwin.cli.read import faults, history, poll, registers
from tracertwin.cli.replay import replay
from tracertwin.cli.run import demo, en50530, run
from tracertwin.cli.serve import serve, tell

app = typer.Typer(
    help="A simulated off-grid solar plant that answers on a UART as an EPEVER Tracer charge controller.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for verb in (
    serve,
    tell,
    replay,
    demo,
    run,
    history,
    poll,
    registers,
    faults,
    en50530,
):  # as the help lists them
    app.command()(verb)


def main() -> None:
    """Entry point: bad input is told in one line a problem and ends with exit code 2."""
    from modbus.line.endpoint import LinkError
    from plant.base.problems import ProblemsError

    # Typer carries its own click since 0.21; this is the base of its usage errors, whichever click that is.
    usage_error: type[Exception] = typer.BadParameter.__mro__[2]
    if len(sys.argv) == 1:
        sys.argv.append("--help")

    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except usage_error as error:
        say(" ".join(error.format_message().split()))  # type: ignore[attr-defined]
        sys.exit(2)
    except ProblemsError as error:
        for problem in error.problems:
            say(str(problem))
        sys.exit(2)
    except LinkError as error:
        say(str(error))
        sys.exit(2)
    except (typer.Abort, Stop, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
