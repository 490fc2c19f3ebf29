"""The verbs that judge: scenarios, and what a file of ours may say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracertwin.cli import building
from tracertwin.cli.options import check_file, check_folder, checked, number, one_of, stoppable
from tracertwin.exitcodes import STOPPED
from tracertwin.files import keep_apart

BENCH = "bench"  # the site of suites that test controllers
EN_50530 = "en50530"  # a suite that is not a folder of scenarios

if TYPE_CHECKING:
    from tracertwin.checking.firmware import FirmwareCommand
    from tracertwin.checking.outcome import CaseOutcome
    from tracertwin.scenario.file import Scenario


def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Scenario files, folders with them, or suites of config/scenarios."
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Run this suite, such as iec62509, iec62124, en50530 or line, and print a laboratory's sheet.",
        ),
    ] = None,
    controller: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The controller under test: of config/controllers, or the path of a file."
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(metavar="SITE", help="The site under test: of config/sites, or the path of a file."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="SEEDS", help="Run each with these seeds: 1..50, 7 or 1,5,9. Default: its own."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(parser=number(int, 1, 512), metavar="N", help="Processes. Default: one per processor."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the verdicts to this file as JUnit XML.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
    failures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a folder for each failure: plot, trace, journal and the commands to repeat it. "
            "Default: tracertwin-failures.",
        ),
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="Show only the expectations that do not hold.")
    ] = False,
    tighten: Annotated[
        bool, typer.Option("--tighten", help="Propose tighter limits from the worst margins; needs --seeds.")
    ] = False,
    firmware: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Start this for each run, QEMU or a program, as the client; {host} {port}, {pty} or {socket} in it "
            "are replaced by the address of the link.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="End a run once the firmware prints this (a regular expression)."),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop if the firmware sends no request for this long, in real time. Default: 30s.",
        ),
    ] = None,
    transcripts: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write every request and reply to a file for each run here."),
    ] = None,
) -> int:
    """Run scenarios and judge what they expect. Exit code 0: all hold; 1: some do not; 2: could not run."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.checking import github, many

    wanted = () if seeds is None else checked("--seeds", seeds, many.parse_seeds)
    if tighten and len(wanted) < 2:
        raise ProblemsError([Problem("--tighten", 0, "", "needs several seeds, e.g. --seeds 1..50")])
    check_file("--junit", junit)
    check_folder("--failures", failures)
    check_folder("--transcripts", transcripts)
    peer = _peer(firmware, until, timeout, transcripts)
    if suite == EN_50530:
        without = {"--seeds": seeds, "--site": site, "--firmware": firmware}
        _refuse_given(without, f"does nothing for {EN_50530}, a bench without weather or line; leave it out")
    files = many.files_in(_paths(paths or [], suite))
    keep_apart({**{f"the scenario {file}": file for file in files}, "--junit": junit})
    scenarios, refused = _ready(files, suite, site, controller, peer is not None)
    if not scenarios and suite != EN_50530 and junit is None:
        raise ProblemsError([problem for outcome in refused for problem in outcome.problems])
    tested = replace(many.OWN, peer=peer, site=site, controller=controller)
    cases = many.cases_of(scenarios, wanted, failures or Path("tracertwin-failures"), tested, transcripts)
    outcomes = list(refused)
    if not as_json and not suite:
        _show_refused(refused)
    with stoppable():
        if suite == EN_50530:
            from tracertwin.checking.sheet import en50530_outcome

            outcomes.append(en50530_outcome(controller or "tracer4210n"))
        for outcome in many.check_cases(cases, jobs or many.default_jobs(), building.announce_compiling):
            outcomes.append(outcome)
            if not as_json and not suite:
                _show(outcomes[len(refused) :], len(wanted), brief)
    if len(outcomes) - len(refused) < len(cases):
        return STOPPED
    if suite and not as_json:
        from tracertwin.checking.sheet import print_sheet

        print_sheet(suite, _subject(site, controller), outcomes)
    if as_json:
        told = {"holds": all(each.holds for each in outcomes), "runs": [each.as_json() for each in outcomes]}
        print(json.dumps(told, indent=2))
    else:
        _show_end(outcomes, tighten)
    if junit is not None:
        from tracertwin.checking.junit import junit as as_junit
        from tracertwin.files import write_whole

        write_whole(junit, as_junit(outcomes))
    if github.is_here():
        if not as_json:
            print(*github.annotations(outcomes), sep="\n")
        github.summarize(outcomes)
    if problems := dict.fromkeys(problem for outcome in outcomes for problem in outcome.problems):
        raise ProblemsError(problems)
    return 0 if all(outcome.holds for outcome in outcomes) else 1


def _ready(
    files: Sequence[Path], suite: str | None, site: str | None, controller: str | None, has_peer: bool
) -> "tuple[list[Scenario], list[CaseOutcome]]":
    """The scenarios that can be run with what is under test, and an outcome for each file that can't."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.checking import many

    scenarios, unread = many.read_all(files, has_peer)
    if suite and site and any(scenario.given.site == BENCH for scenario in scenarios):
        told = f"the bench of {suite} is part of it; use --controller"
        raise ProblemsError([Problem("--site", 0, "", told)])
    if unread and not scenarios:
        return [], unread
    building.announce_compiling()
    _check_subject(site, controller)
    ready, unready = many.prepare_all(scenarios, site, controller, has_peer)
    return ready, [*unread, *unready]


def _peer(
    firmware: str | None, until: str | None, timeout: str | None, transcripts: Path | None
) -> "FirmwareCommand | None":
    """The firmware under test, and a folder for what is said with it."""
    if firmware is None:
        given = {"--until": until, "--timeout": timeout, "--transcripts": transcripts}
        _refuse_given(given, "needs --firmware")
        return None
    from tracertwin.checking.firmware import FirmwareCommand

    peer = FirmwareCommand(firmware, checked("--timeout", timeout or "30s", _timeout_s), until or "")
    if transcripts is not None:
        transcripts.mkdir(parents=True, exist_ok=True)
    return peer


def _timeout_s(text: str) -> float:
    from plant.base.clock import parse_duration_s

    if (timeout_s := parse_duration_s(text)) <= 0.0:
        raise ValueError(f"must be more than 0, got {text}")
    return timeout_s


def _refuse_given(options: Mapping[str, object], why: str) -> None:
    """Refuse options that would do nothing.

    Raises
    ------
    ProblemsError
        With each of them.
    """
    from plant.base.problems import Problem, ProblemsError

    if problems := [Problem(flag, 0, "", why) for flag, value in options.items() if value is not None]:
        raise ProblemsError(problems)


def _paths(paths: list[str], suite: str | None) -> list[str]:
    """What is to be run, and no EN 50530, which is not a scenario."""
    from plant.base.problems import Problem, ProblemsError, did_you_mean
    from tracertwin.checking import many

    if bool(paths) == (suite is not None):
        told = "give scenarios or a suite, not both" if paths else "give scenarios, or a suite with --suite"
        raise ProblemsError([Problem("check", 0, "", told)])
    if suite is None:
        return paths
    known = sorted([*many.suites(), EN_50530])
    if suite not in known:
        told = f"no such suite{did_you_mean(suite, known)}; suites: {', '.join(known)}"
        raise ProblemsError([Problem("--suite", 0, "", f"{suite!r}: {told}")])
    return [] if suite == EN_50530 else [suite]


def _check_subject(site: str | None, controller: str | None) -> None:
    """Check that there is what is to be tested.

    Raises
    ------
    ProblemsError
        With what is wrong with it.
    """
    from plant.base.configs import find
    from plant.controller.model import ControllerModel

    if controller is not None:
        ControllerModel.load(controller)
    if site is not None:
        find("sites", site)


def _subject(site: str | None, controller: str | None) -> str:
    named = [f"site {site}"] * bool(site) + [f"controller {controller}"] * bool(controller)
    return ", ".join(named) or "as the suite has it"


def _show_refused(refused: "Sequence[CaseOutcome]") -> None:
    from tracertwin.checking.table import print_case

    for outcome in refused:
        print_case(outcome, False)


def _show(outcomes: "list[CaseOutcome]", seeds: int, brief: bool) -> None:
    """Show the newest outcome, or those of all its seeds once they are complete."""
    from tracertwin.checking.table import print_case, print_seeds

    if seeds <= 1:
        print_case(outcomes[-1], brief)
    elif len(outcomes) % seeds == 0:
        print_seeds(outcomes[-seeds:])


def _show_end(outcomes: "list[CaseOutcome]", tighten: bool) -> None:
    from tracertwin.checking.table import in_groups, print_end
    from tracertwin.checking.tighten import proposals

    if tighten:
        for group in in_groups(outcomes):
            for line in proposals(group):
                print(f"{group[0].file}:{line}")
    print_end(outcomes)


def schema(
    kind: Annotated[
        str, typer.Argument(parser=one_of("site", "scenario"), metavar="KIND", help="site or scenario.")
    ],
) -> None:
    """Print the JSON Schema of site files or scenarios, for editors."""
    if kind == "scenario":
        from tracertwin.scenario.schema import scenario_schema

        print(json.dumps(scenario_schema(), indent=2))
        return
    from plant.site.model import Site

    told = Site.model_json_schema()
    print(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **told}, indent=2))
