"""docs/stages.md: the rows of `plant.controller.rules` and `plant.controller.postsrules`, as tables in words.

`python -m tracertwin.pages.stages` writes it; a test keeps it up to date.
"""

import math
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Final

from plant.controller.charger import FLAGS, STATES, Machine, SetPoints
from plant.controller.rows import AT_ONCE, Condition, Effect, Is, Rule, When
from plant.controller.rules import RULES
from plant.controller.setpoints import setpoints_of
from plant.controller.settings import factory

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "stages.md"
SETPOINTS: Final[SetPoints] = setpoints_of(factory(1, 12), 12)  # of a new unit, sealed battery
HEAD: Final = """\
<!-- Made by `python -m tracertwin.pages.stages` from plant/controller/rules.py; do not edit. -->
# The controller's rules

The controller is a set of small state machines, one section each. A rule moves a machine once all its conditions have
held without interruption for the time in the column "for". When several rules are due at the same instant, the first
row in `plant/controller/rules.py` goes first, and the others are then evaluated again. A machine starts in the first
of its states, except that the controller looks at the array to see whether it is day.

Set-points are in code style, with their values in a new unit for a sealed 12 V battery. Where no value is given, a
setting or the battery's own protection (BMS) has to supply one; until then the rule never applies. Equalize, boost and
float voltage are those at 25 °C; in a warmer battery they are lower by 3 mV per kelvin and 2 V cell, in a colder one
higher, up to the charging limit. Which register holds which setting: [registers](registers.md).

BMS, inverter and chargers are not part of the controller: they follow the battery, know nothing of the controller and
keep their state when it is restarted. Inverter and chargers are those of [the site file](site.md) (`battery.loads`,
`battery.chargers`), which has their set-points.
"""
WORDS: Final[Mapping[str, str]] = {
    "v_batt_v": "battery voltage",
    "v_pv_v": "PV voltage",
    "v_pv_above_battery_v": "open-circuit PV voltage minus battery voltage",
    "v_oc_v": "open-circuit PV voltage",
    "held_s": "time at constant voltage in this charge",
    "equalize_left_s": "equalizing time still owed",
    "load_collapsed": "the battery cannot carry the load's power",
    "load_share": "load current over its rating",
    "t_heatsink_c": "heat sink temperature",
    "t_probe_c": "battery temperature at the probe",
    "v_cells_v": "voltage at the battery's own terminals",
    "t_batt_c": "battery temperature",
    "i_batt_a": "charge current",
    "i_discharge_a": "discharge current",
    "v_posts_v": "voltage at the battery's posts",
    "soc": "state of charge",
    "inverter_share": "the inverter's load over its rating",
    "inverter_collapsed": "the battery cannot carry the inverter's power",
    "charger_1_allowed": "the first charger works, and it is one of its hours",
    "charger_2_allowed": "the second charger works, and it is one of its hours",
    "load_called": "the load is called for",
    "retries": "retries so far",
}
DOWN: Final[Mapping[str, str]] = {
    "load_collapsed": "the battery can carry the load's power",
    "inverter_collapsed": "the battery can carry the inverter's power",
    "charger_1_allowed": "the first charger does not work, or it is none of its hours",
    "charger_2_allowed": "the second charger does not work, or it is none of its hours",
    "load_called": "the load is not called for",
}
EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.NOTHING: "",
    Effect.DUSK: "a night begins",
    Effect.DAWN: "the length of the night is learned; after a night of `long_night_s` (3 h) the retries are forgotten",
    Effect.TRIPS: "retries longer ago than `retries_forgotten_s` (5 min) are forgotten",
    Effect.RETRIES: "one more retry",
    Effect.FORGETS: "the retries are forgotten",
    Effect.STARTS_1: "one more start is counted",
    Effect.STARTS_2: "one more start is counted",
}
ACRONYMS: Final = ("BMS", "PV")
UNITS: Final[Mapping[str, str]] = {"v": " V", "c": " °C", "a": " A"}
SIGNS: Final[Mapping[str, str]] = {">=": "≥", "<": "<"}


def page() -> str:
    """The rules as a page of the docs."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from HEAD.splitlines()
    for machine in Machine:
        name, states = _words(machine), STATES[machine]
        yield f"\n## {name[0].upper()}{name[1:]}"
        yield ""
        yield f"{states.__doc__} States: {', '.join(map(_words, states))}."
        yield ""
        yield "| from | to | reason | when | for | what else |"
        yield "|---" * 6 + "|"
        yield from (_line(rule) for rule in RULES if rule.machine is machine)


def _line(rule: Rule) -> str:
    else_ = ["the charge starts over"] * rule.restarts_charge + [EFFECTS[rule.effect]]
    cells = (
        ", ".join(map(_words, rule.from_)),
        _words(rule.to),
        rule.reason,
        "<br>".join(map(_condition, rule.when)),
        "at once" if rule.for_ == AT_ONCE else _level(rule.for_, "s"),
        "; ".join(filter(None, else_)),
    )
    return "| " + " | ".join(cells) + " |"


def _words(name: IntEnum) -> str:
    words = name.name.split("_")
    return " ".join(word if word in ACRONYMS else word.lower() for word in words)


def _condition(condition: Condition) -> str:
    if isinstance(condition, When):
        unit = condition.quantity.rpartition("_")[2]
        level = _level(condition.level, unit)
        return f"{WORDS[condition.quantity]} {SIGNS[condition.is_]} {level}"
    if isinstance(condition.what, Machine):
        machine, state = _words(condition.what), STATES[condition.what](condition.value)
        is_ = "is" if isinstance(condition, Is) else "is not"
        return f"[{machine}](#{machine.replace(' ', '-').lower()}) {is_} {_words(state)}"
    if condition.what in FLAGS:
        return (WORDS if isinstance(condition, Is) else DOWN)[condition.what]
    return f"{WORDS[condition.what]}: {condition.value}"


def _level(level: str | float, unit: str) -> str:
    """A number, or a set-point with its value if it has one."""
    if isinstance(level, float):
        return with_unit(level, unit)
    value = getattr(SETPOINTS, level)
    there_is_one = math.isfinite(value) and value != 0.0
    return f"`{level}`" + f" ({with_unit(value, unit)})" * there_is_one


def with_unit(value: float, unit: str) -> str:
    if unit == "s":
        for size_s, name in ((3600, "h"), (60, "min")):
            if value >= size_s and value % size_s == 0:
                return f"{value / size_s:g} {name}"
        return f"{value:g} s"
    return f"{value:g}{UNITS.get(unit, '')}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
