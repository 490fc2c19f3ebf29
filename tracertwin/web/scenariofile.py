"""A session kept as a scenario: what was done becomes its timeline, chosen moments become expectations.

The plant of the scenario is the plant of the session, so what it shows at those moments is what it showed then.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from plant.base import configs
from plant.base.clock import STEP_S, on_grid_s, to_local, to_utc_s
from plant.base.problems import ProblemsError
from plant.kernel.snapshot import QUANTITIES, Snapshot
from plant.site.model import Site, load_site
from plant.site.timetable import Upset, parse_upset
from tracertwin.assembly.commands import parse
from tracertwin.catalogue.items import names_of
from tracertwin.web.sight import Sight

KEPT: Final = ("upset", "mend", "fault", "power-cycle", "write")  # the others move time or only look
MOMENT_SLACK_S: Final = 5
USUAL: Final = ("stage", "v_batt_v", "soc")
SLACK: Final = {"V": 0.05, "A": 0.1, "W": 1.0, "Wh": 1.0, "degC": 0.2, "0..1": 0.005}  # or 1 %


class Deed(NamedTuple):
    """Something that was done, in the order of time and of the journal.

    Attributes
    ----------
    what : str
        As the row has it; of a `mend`, which names an upset of the whole timeline, nothing yet.
    number : int
        Of the upset that begins or is mended.
    """

    at_s: float
    entry: int
    action: str
    what: str
    number: int = -1


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
    steps = _steps(sight, begin_s, end_s, zone)
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
                # a browser saves the file wherever it likes
                return str(Path(name).resolve()) if configs.is_file(Path(name)) else name
        except ProblemsError:
            continue
    raise ValueError("the site's file is not known; start serve with a site of config/sites or a path")


def _remarks(sight: Sight) -> Iterator[str]:
    if len(sight.rig.assembly.units) > 1:
        yield "# What was done to neighbours on the line is not in here: a scenario is about the site's own controller."


def _moment(t_utc_s: float, begin_s: float, zone: str) -> str:
    """As the clock shows it; counted from the start where the clock shows it twice."""
    local = to_local(t_utc_s, zone)
    if to_utc_s(local.replace(fold=0), zone) == int(t_utc_s):  # which of the two it is, is lost in its text
        return _text(local.isoformat())
    return _text(f"{int(t_utc_s - begin_s)}s")


def _steps(sight: Sight, begin_s: float, end_s: float, zone: str) -> list[str]:
    """What was given as an option, done by commands and written by a client: a row each, in the order of time."""
    own = sight.rig.assembly.units[0].tracer.unit
    broken = _Broken(sight, end_s)
    deeds = [
        *broken.at_first(),
        *_commands(sight, str(own), broken),
        *(Deed(one.t_utc_s, one.entry, "write", _text(one.texts)) for one in sight.written(0)),
    ]
    deeds = sorted((deed for deed in deeds if not broken.never_acts(deed)), key=lambda deed: deed[:2])
    called = broken.called(deeds)
    return [
        f"  - {{at: {_moment(deed.at_s, begin_s, zone)}, {deed.action}: "
        f"{_text(called[deed.number]) if deed.action == 'mend' and not deed.what else deed.what}}}"
        for deed in deeds
    ]


def _commands(sight: Sight, own: str, broken: "_Broken") -> Iterator[Deed]:
    is_alone = len(sight.rig.assembly.units) == 1
    for done in list(sight.rig.done):
        command, given = parse(done.text)
        # a unit that is alone is meant by every command, whatever its id was then
        if command.name not in KEPT or (not is_alone and given.values.get("unit", own) != own):
            continue
        at_s = float(done.t_utc_s)
        words = [*given.words, *(f"{key}={value}" for key, value in given.values.items() if key != "unit")]
        if command.name == "upset":
            yield broken.upset(int(done.answer.split()[-1]), parse_upset(given.words[0]), at_s, done.entry)
        elif command.name == "mend":
            yield from broken.mend(words, at_s, done.entry)
        else:
            if command.name == "write":
                now = f"clock={to_local(at_s, broken.zone).isoformat()}"
                words = [now if word == "clock=now" else word for word in words]
            what = {"power-cycle": "true", "write": _text(words)}.get(command.name, _text(" ".join(words)))
            yield Deed(at_s, done.entry, command.name, what)


class _Broken:
    """What breaks in a session, by the number that `mend` takes: the site's own first, then the options'."""

    def __init__(self, sight: Sight, end_s: float) -> None:
        plant, options = sight.rig.assembly.plants[0], sight.rig.assembly.options
        self.zone = plant.site.location.timezone
        self._begins_s, self._end_s, self._step_s = sight.rig.assembly.begins_utc_s, end_s, plant.step_s
        self._own = len(plant.site.upsets) - len(options.upsets)
        self._names: dict[int, str] = {}
        self._from_to_s: dict[int, tuple[float, float]] = {}
        self._mended: set[int] = set()
        self._called_off: set[int] = set()
        self._first = [
            self.upset(number, upset, self._begins_s, 0) for number, upset in enumerate(plant.site.upsets)
        ]

    def at_first(self) -> list[Deed]:
        """What was given as an option when the run began."""
        return self._first[self._own :]

    def upset(self, number: int, given: Upset, at_s: float, entry: int) -> Deed:
        """An upset as it begins, at a grid point and with as long as it then lasts."""
        asked_s, over_s = given.moments(int(at_s), self.zone)
        first_s = max(on_grid_s(asked_s, self._step_s), int(self._begins_s))
        last_s = math.inf if over_s is None else on_grid_s(over_s, self._step_s)
        self._names[number], self._from_to_s[number] = given.name, (first_s, last_s)
        lasts = given.lasts
        if over_s is not None and first_s != asked_s:
            lasts = f"{max(last_s - first_s, self._step_s):.0f}s"
        text = str(given.model_copy(update={"at": None, "after": None, "lasts": lasts}))
        return Deed(first_s, entry, "upset", _text(text), number)

    def mend(self, words: Sequence[str], at_s: float, entry: int) -> Iterator[Deed]:
        """What a command mended; what it called off before it began was never done."""
        for number in self._meant(words, at_s):
            self._mended.add(number)
            if number >= self._own and self._from_to_s[number][0] > at_s:
                self._called_off.add(number)
            else:
                yield Deed(at_s, entry, "mend", "", number)

    def _meant(self, words: Sequence[str], at_s: float) -> list[int]:
        name, place = (*words, "")[:2]
        of_name = [number for number in sorted(self._names) if self._names[number] == name]
        if name == "all":
            of_name = [number for number, (first_s, _) in self._from_to_s.items() if first_s <= at_s]
        elif name.isdecimal():
            of_name = [int(name)]
        elif place:
            of_name = of_name[int(place) - 1 : int(place)]
        return [n for n in of_name if n not in self._mended and at_s < self._from_to_s[n][1]]

    def never_acts(self, deed: Deed) -> bool:
        """Whether it is an upset that was called off, or has yet to begin."""
        return deed.action == "upset" and (deed.number in self._called_off or deed.at_s > self._end_s)

    def called(self, deeds: Sequence[Deed]) -> dict[int, str]:
        """How `mend` names each upset in a timeline: by its name, and the place among those of that name."""
        numbers = [*range(self._own), *(deed.number for deed in deeds if deed.action == "upset")]
        names = [self._names[number] for number in numbers]
        return {
            number: name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}"
            for place, (number, name) in enumerate(zip(numbers, names, strict=True))
        }


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
