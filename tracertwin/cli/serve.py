"""The verbs that serve a plant on lines, and give commands to it while it does.

The options of `serve` are the rows of `tracertwin.assembly.options`; none is written here.
"""

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracertwin.assembly.options import OPTIONS, OptionRow, Options
from tracertwin.cli.building import announce_design, said_unsolved, site_and_start
from tracertwin.cli.options import SiteName, checked, needing, option_of, say, stoppable
from tracertwin.exitcodes import BAD_RESULT, GOOD
from tracertwin.promptness import prompt

if TYPE_CHECKING:
    from tracertwin.rig.serving import Rig


def with_options(verb: Callable[..., int]) -> Callable[..., int]:
    """A verb that takes, beside its own first argument, an option for each row: texts, by the names of the fields."""
    own, _ = inspect.signature(verb).parameters.values()
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_written_default(row), annotation=option_of(row)
        )
        for name, row in OPTIONS.items()
    ]
    verb.__signature__ = inspect.Signature([own, *options])  # type: ignore[attr-defined]
    verb.__annotations__ = {each.name: each.annotation for each in (own, *options)}
    return verb


def _written_default(row: OptionRow) -> Any:
    return row.default if row.metavar else False


def options_from(told: dict[str, Any]) -> Options:
    """Options from the texts of the command line, by the names of the fields; what wasn't given has its default.

    Raises
    ------
    ProblemsError
        Naming the option whose text won't do.
    """
    values: dict[str, Any] = {}
    for name, text in told.items():
        row = OPTIONS[name]
        if row.repeats:
            if text:
                values[name] = [checked(row.flag, each, row.parse) for each in text]
        elif isinstance(text, str):
            values[name] = checked(row.flag, text, row.parse)
        elif text is not None:  # a switch, or a number that is within its limits
            values[name] = text
    return Options(**values)


@contextmanager
def beside(rig: "Rig", site_name: str) -> Iterator[None]:
    """The page and the publisher that the options of a rig ask for, as long as the block lasts."""
    options = rig.assembly.options
    with ExitStack() as stack:
        if options.web is not None:
            with needing("--web", "web"):
                from tracertwin.web.serving import served
            stack.enter_context(served(rig, options.web, say, site_name))
        if options.mqtt is not None:
            with needing("--mqtt", "mqtt"):
                from tracertwin.bridges.publishing import published
            stack.enter_context(published(rig, options.mqtt, say))
        yield


@with_options
def serve(site: SiteName = "cabin", **told: Any) -> int:
    """Answer Modbus on a serial line or socket. By default, dial QEMU's UART2 and act as its charge controller."""
    return _serve(site, options_from(told), lambda rig: rig.run())


@with_options
def mcp(site: SiteName = "cabin", **told: Any) -> int:
    """Serve, and let a coding assistant control the plant: tools over stdio (MCP). Needs the extra mcp."""
    with needing("mcp", "mcp"):
        from tracertwin.bridges.assistant import serve_assistant

    def run(rig: "Rig") -> None:
        thread = threading.Thread(target=rig.run, name="rig", daemon=True)
        thread.start()
        serve_assistant(rig)
        rig.end()
        thread.join()

    return _serve(site, options_from(told), run)


def _serve(site: str, options: Options, run: "Callable[[Rig], None]") -> int:
    """Plants with open lines, as long as `run` takes; the exit code."""
    from tracertwin import locking
    from tracertwin.cli.runoptions import check_weather
    from tracertwin.memory.committing import plants_from, remembered, unit_ids_from
    from tracertwin.rig.serving import Rig

    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)  # one that a killed run left would call us ready too early
    there, start_s = site_and_start(site, options.start)
    there = checked("--upset", options.upsets, there.with_upsets)
    for each in (there, *(there.seen_by(neighbour) for neighbour in there.neighbours)):
        announce_design(each)
    if options.state is not None and not locking.CAN_LOCK:
        say(f"{options.state}: {locking.UNLOCKED}")
    with remembered(options.state) as file:
        plants = plants_from(file, there, options.seed, start_s, say)
        if options.for_s is not None:
            check_weather(plants[0].site, plants[0].t_utc_s, int(plants[0].t_utc_s + options.for_s))
        with Rig(plants, options, say, file, unit_ids_from(file, options.unit, say)) as rig:
            with beside(rig, site), stoppable(), prompt():
                run(rig)
            rig.tell()
    return said_unsolved(plants)


def tell(
    link: Annotated[
        str,
        typer.Argument(metavar="LINK", help="dial:HOST:PORT or unix:PATH, where serve --control listens."),
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="A command, e.g. step 1h; help lists all.")
    ],
) -> int:
    """Send a command to a running serve. Examples: pause, speed 60, jump 2026-07-01T12:00, upset load_short, help."""
    from modbus.line.endpoint import parse_endpoint
    from tracertwin.assembly.commands import FAILS
    from tracertwin.rig.tell import FailedError
    from tracertwin.rig.tell import tell as tell_rig

    endpoint = checked("LINK", link, lambda text: parse_endpoint(text, ("dial", "unix")))
    try:
        if told := tell_rig(endpoint, " ".join(command)):
            print(told)
    except FailedError as error:
        print(error, file=sys.stderr)
        return BAD_RESULT
    fails = " ".join(command).split()[:1] == ["expect"] and told.startswith(f"{FAILS}:")
    return BAD_RESULT if fails else GOOD
