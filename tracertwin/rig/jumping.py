"""``jump sunset`` in full: a moment as scenarios write it becomes the local time that it means.

So what is written down, and done again by a replay, needs neither the language of scenarios nor the sun.
"""

from contextlib import suppress

from plant.base.clock import parse_local, to_local
from plant.plant import Plant

NAMED = ("clock", "sunrise", "noon", "sunset")


def in_full(command: str, plant: Plant, begins_utc_s: float, now_s: float) -> str:
    """The command, with the next such local time in it if it is a jump to a moment of the clock or the sun.

    Raises
    ------
    ValueError
        There is no such moment, as the sun doesn't rise.
    """
    name, _, text = command.strip().partition(" ")
    if name != "jump":
        return command
    with suppress(ValueError):
        parse_local(text.strip())
        return command
    from tracertwin.checking.preparing import sun_of  # a start doesn't wait for the language of scenarios
    from tracertwin.scenario.times import Span, parse_moment

    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise ValueError(f"jump: {error}") from None
    if moment.anchor not in NAMED:
        raise ValueError(
            f"jump: {text} is no time of day, date, sunrise, noon or sunset; step goes on by a time"
        )
    zone = plant.site.location.timezone
    from_s = now_s if moment.day is None else begins_utc_s
    at_s = moment.utc_s(Span(from_s, from_s, zone, sun_of(plant.site.location)))
    return f"jump {to_local(at_s, zone).isoformat()}"
