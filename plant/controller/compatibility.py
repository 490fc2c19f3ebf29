"""Which settings go together, and which come with others: what a controller checks before it takes new ones.

Knows settings and the voltage of the battery, not who changes them.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from plant.controller.settings import (
    LEAD_COMPENSATION_MV_K,
    TYPE_OF_CODE,
    USER,
    VOLTAGES,
    Settings,
    disorder,
    preset,
)  # fmt: skip

SYSTEM_OF_CODE: Final[Mapping[int, int]] = {1: 12, 2: 24}


def system_of(settings: Settings, battery_v: int) -> int:
    """System voltage in use: the one that is set, or that of the battery."""
    return SYSTEM_OF_CODE.get(settings.system_code, battery_v)


def with_system(settings: Settings, code: int, battery_v: int) -> Settings:
    """The settings after a change of the system voltage: all voltages go with it (guess).

    Raises
    ------
    KeyError
        There is no such code.
    """
    if code not in {0, *SYSTEM_OF_CODE}:
        raise KeyError(code)
    new = settings._replace(system_code=code)
    times = system_of(new, battery_v) / system_of(settings, battery_v)
    if times == 1.0:
        return new
    grown = {name: round(getattr(settings, name) * times, 2) for name in (*VOLTAGES, "night_v", "day_v")}
    return new._replace(**grown)  # names of voltages only


def with_type(settings: Settings, code: int, battery_v: int) -> Settings:
    """The settings after a change of the battery type: its voltages come with it, those of the user type stay.

    Raises
    ------
    KeyError
        There is no such type.
    """
    row, before = TYPE_OF_CODE[code], TYPE_OF_CODE[settings.battery_type]
    if row == before:
        return settings
    new = settings._replace(battery_type=code)
    if row.lithium:
        new = new._replace(compensation_mv_k_cell=0.0)
    elif before.lithium and code != USER:
        new = new._replace(compensation_mv_k_cell=LEAD_COMPENSATION_MV_K)
    return new if code == USER else new._replace(**preset(code, system_of(settings, battery_v)))  # type: ignore[arg-type]


class Strictness(NamedTuple):
    """How much a unit minds; documents and what owners report differ."""

    any_order: bool = False  # it takes the voltages in whatever order
    user_with_auto: bool = True  # it takes type user with a system voltage that it finds out by itself


USUAL: Final = Strictness()


class Conflict(NamedTuple):
    """Settings that do not go together: by which rule, and in words with their numbers."""

    rule: str
    words: str


def conflicts(settings: Settings, battery_v: int, minds: Strictness = USUAL) -> Iterator[Conflict]:
    """What of the settings does not go together.

    Parameters
    ----------
    settings : Settings
    battery_v : int
        System voltage of the battery that is connected.
    minds : Strictness
    """
    row = TYPE_OF_CODE[settings.battery_type]
    if not minds.any_order:
        yield from _out_of_order(settings)
    if settings.system_code == 0 and (row.lithium or (row.code == USER and not minds.user_with_auto)):
        # V25, V26; MAN_XTRA
        yield _said(f"battery type {row.name} needs a system voltage that is set, not auto")
    if row.system_v not in {None, system_of(settings, battery_v)}:
        yield _said(
            f"battery type {row.name} is for {row.system_v} V, not {system_of(settings, battery_v)} V"
        )
    if row.lithium and settings.compensation_mv_k_cell != 0.0:
        yield _said(f"battery type {row.name} has no temperature compensation")  # MAN_XTRA, MAN_TRIRON


def _out_of_order(settings: Settings) -> Iterator[Conflict]:
    for higher, lower, _ in disorder(settings):
        upper_v, lower_v = getattr(settings, higher), getattr(settings, lower)
        is_not = "is below" if upper_v < lower_v else "is not above"
        yield Conflict(
            f"{higher} below {lower}", f"{higher} {upper_v:.2f} V {is_not} {lower} {lower_v:.2f} V"
        )


def _said(words: str) -> Conflict:
    """A conflict whose words hold no number that a client could go through."""
    return Conflict(words, words)
