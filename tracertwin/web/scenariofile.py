"""A session kept as a scenario: what was done becomes its timeline, chosen moments become expectations.

The plant of the scenario is the plant of the session, so what it shows at those moments is what it showed then.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from plant.base.clock import STEP_S, to_local, to_utc_s
from plant.base.problems import ProblemsError
from plant.kernel.snapshot import QUANTITIES, Snapshot
from plant.site.model import Site, load_site
from plant.site.timetable import parse_upset
from tracertwin.assembly.commands import parse
from tracertwin.catalogue.items import names_of
from tracertwin.rig.serving import Done
from tracertwin.web.sight import Sight

KEPT: Final = ("upset", "mend", "fault", "power-cycle", "write")  # the others move time or only look
MOMENT_SLACK_S: Final = 5
USUAL: Final = ("stage", "v_batt_v", "soc")
SLACK: Final = {"V": 0.05, "A": 0.1, "W": 1.0, "Wh": 1.0, "degC": 0.2, "0..1": 0.005}  # or 1 %


def scenario_text(sight: Sight, name: str, moments: Sequence[Mapping[str, Any]], site_name: str = "") -> str:
    """The file, in YAML.

    Parameters
    ----------
    sight : Sight
    name : str
        Of the scenario.
    moments : sequence of mapping
        ``t_utc_s`` and ``quantities`` each; the present one with the usual quantities if there are none.
    site_name : str
        How the site was named when the run began: a shipped one by name, or the path of a file.

    Raises
    ------
    ValueError
        The run can't be kept so, or a moment or quantity makes no sense.
    """
    assembly = sight.rig.assembly
    plant, options = assembly.plants[0], assembly.options
    if not name.isprintable():
        raise ValueError("a name is one line of printable text")
    if assembly.goes_on:
        raise ValueError(
            "this run goes on from a state file, but a scenario begins with its site; start without --state"
        )
    if options.polled_s:
        raise ValueError(
            "this run is moved by its requests, and a scenario is not; use --clock wall or stepped"
        )
    sight.histories[0].look()
    begin_s, end_s = assembly.begins_utc_s, sight.histories[0].rows()[-1, 0]
    chosen = list(moments) or [{"t_utc_s": end_s, "quantities": list(USUAL)}]
    zone = plant.site.location.timezone
    expects = [line for moment in chosen for line in _expected(sight, moment, (begin_s, end_s), zone)]
    given = [
        f"  site: {_text(_site_name(plant.site, options.upsets, site_name))}",
        f"  seed: {plant.seed}",
        f"  start: {_text(to_local(begin_s, zone).isoformat())}",
        f"  length: {max(int(end_s - begin_s) // STEP_S, 1) * STEP_S}s",
        f"  map: {options.map_name}",
    ]
    if options.faults:
        given.append(f"  faults: {_text([fault.text for fault in options.faults])}")
    steps = [*_at_first(options.upsets, begin_s, zone), *_steps(sight, begin_s, zone)]
    about = [
        f"Kept from a session: {len(steps)} {'thing was' if len(steps) == 1 else 'things were'} done to the plant.",
        "The values are the model's own at the moments that were chosen.",
    ]
    return "\n".join([
        *_remarks(sight),
        f"name: {_text(name)}", "about:", *(f"  - {_text(line)}" for line in about),
        "given:", *given, *(["when:", *steps] if steps else []), "expect:", *expects, "",
    ])  # fmt: skip


def _text(value: object) -> str:
    """As YAML and JSON both write it."""
    return json.dumps(value, ensure_ascii=False)


def _site_name(site: Site, upsets: Sequence[Any], given: str) -> str:
    for name in [given] if given else names_of("sites"):
        try:
            if load_site(name).with_upsets(upsets) == site or name == given:
                return name
        except ProblemsError:
            continue
    raise ValueError("the site's file is not known; start serve with a site of config/sites or a path")


def _remarks(sight: Sight) -> Iterator[str]:
    if len(sight.rig.assembly.units) > 1:
        yield "# What was done to neighbours on the line is not in here: a scenario is about the site's own controller."


def _moment(t_utc_s: float, begin_s: float, zone: str) -> str:
    """As the clock shows it; counted from the start where the clock shows it twice."""
    local = to_local(t_utc_s, zone)
    if to_utc_s(local, zone) == int(t_utc_s):
        return _text(local.isoformat())
    return _text(f"{int(t_utc_s - begin_s)}s")


def _at_first(upsets: Sequence[Any], begin_s: float, zone: str) -> Iterator[str]:
    """What was given as an option when the run began."""
    for upset in upsets:
        begins_s, _ = upset.moments(begin_s, zone)
        timeless = upset.model_copy(update={"at": None, "after": None})
        yield f"  - {{at: {_moment(begins_s, begin_s, zone)}, upset: {_text(str(timeless))}}}"


def _steps(sight: Sight, begin_s: float, zone: str) -> Iterator[str]:
    """What was done by commands and what a client wrote, in the order of time."""
    own = sight.rig.assembly.units[0].tracer.unit
    steps = [
        *_commands(sight, str(own), zone),
        *((t_s, "write", _text(texts)) for t_s, texts in sight.written(own)),
    ]
    for at_s, name, what in sorted(steps, key=lambda step: step[0]):
        yield f"  - {{at: {_moment(at_s, begin_s, zone)}, {name}: {what}}}"


def _commands(sight: Sight, own: str, zone: str) -> Iterator[tuple[float, str, str]]:
    names: dict[int, str] = {}  # of upsets, by the number that mend takes
    for done in list(sight.rig.done):
        command, given = parse(done.text)
        if command.name not in KEPT or given.values.get("unit", own) != own:
            continue
        at_s = float(done.t_utc_s)
        words = [*given.words, *(f"{key}={value}" for key, value in given.values.items() if key != "unit")]
        if command.name == "upset":
            names[int(done.answer.split()[-1])] = given.words[0].partition(":")[0]
            at_s, words = _upset(done, given.words[0], zone)
        elif command.name == "mend" and words != ["all"]:
            words = [names.get(int(words[0]), "all")]
        what = {"power-cycle": "true", "write": _text(words)}.get(command.name, _text(" ".join(words)))
        yield at_s, command.name, what


def _upset(done: Done, text: str, zone: str) -> tuple[float, list[str]]:
    """When it begins, and the upset without that."""
    upset = parse_upset(text)
    begins_s, _ = upset.moments(done.t_utc_s, zone)
    return begins_s, [str(upset.model_copy(update={"at": None, "after": None}))]


def _expected(
    sight: Sight, moment: Mapping[str, Any], span_s: tuple[float, float], zone: str
) -> Iterator[str]:
    try:
        t_s, names = float(moment["t_utc_s"]), list(moment.get("quantities") or USUAL)
    except (KeyError, TypeError, ValueError):
        raise ValueError("a moment has t_utc_s, a number, and quantities, a list of names") from None
    if not span_s[0] <= t_s <= span_s[1]:
        raise ValueError("a moment lies outside of the run so far")
    snapshot = sight.histories[0].shown_at(t_s).snapshot
    for name in names:
        if name not in Snapshot._fields:
            raise ValueError(f"no quantity {name!r}; /api/v1/about lists them")
        condition = _condition(name, getattr(snapshot, name))
        yield f"  - {{expect: {_text(condition)}, at: {_moment(snapshot.t_utc_s, span_s[0], zone)}}}"


def _condition(name: str, value: float) -> str:
    quantity = QUANTITIES[name]
    if quantity.codes is not None:
        return f"{name} = {quantity.codes(int(value)).name.lower()}"
    if quantity.unit == "0, 1":
        return f"{name} = {value:g}"
    if quantity.unit == "s":  # moments since 1970
        return f"{name} = {value:.0f} +- {MOMENT_SLACK_S}"
    slack = max(SLACK.get(quantity.unit, 0.0), 0.01 * abs(value), 1e-3)
    return f"{name} = {value:.4g} +- {slack:.2g}"
