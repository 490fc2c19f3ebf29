"""Charts of many designs: the loss of each as a map, and what less of it costs."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.search import front
from tracertwin.sizing.choosing.targets import limit_of
from tracertwin.sizing.figures.metrics import METRIC
from tracertwin.sizing.figures.printing import below_finest, formatted_value
from tracertwin.sizing.report.look import HEIGHT, INK, MUTED, PALE_TO_DARK, finished, sized
from tracertwin.sizing.report.study import COST, Study, in_print, titled

CELL_PX, LOW_CELL_PX = 30, 18  # with numbers in them, and without
MOST_LINES: Final = 20  # of a map, either way: of more only some are drawn
MOST_POINTS: Final = 300  # beside the front
MANY_COLUMNS: Final = 12  # with more of them numbers would not fit on a telephone
DARK: Final = 0.6  # of the scale: numbers on darker cells are white
LEAST_LOSS: Final = 1e-6  # of a loss that could be nothing, on an axis of powers
TICKS: Final = tuple(step * 10.0**power for power in range(-5, 5) for step in (1.0, 2.0, 5.0))
PLAIN, TOO_LITTLE, ON_FRONT = "a design", "too little to tell", "on the front"


def varied(study: Study) -> list[int]:
    """Places of the axes that have more than one value."""
    return [place for place, axis in enumerate(study.answer.inquiry.axes) if len(axis.values) > 1]


def heat_map(study: Study) -> Any | None:
    """Loss over the first two things that are varied, the others as in the chosen design; none with fewer."""
    places = varied(study)
    if len(places) < 2:
        return None
    across, up = (study.answer.inquiry.axes[place] for place in places[:2])
    same = places[2:]
    chosen = study.chosen
    columns, lines = (
        evenly(axis.values, MOST_LINES, chosen.design.values[place])
        for axis, place in ((across, places[0]), (up, places[1]))
    )
    shown = [
        one
        for one in study.answer.designs
        if all(one.design.values[k] == chosen.design.values[k] for k in same)
        and one.design.values[places[0]] in columns
        and one.design.values[places[1]] in lines
    ]
    most = max(_told_apart(one, study.loss) for one in shown)
    numbers = len(columns) <= MANY_COLUMNS
    rows = [
        {
            "across": across.formatted(one.design.values[places[0]]),
            "up": up.formatted(one.design.values[places[1]]),
            "loss": (loss := _told_apart(one, study.loss)),
            "text": " ".join(["✓"] * study.meets(one) + [_bare(one, study)] * numbers),
            "dark": most > 0.0 and math.sqrt(loss / most) > DARK,
            "chosen": one is chosen,
        }
        for one in shown
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            "across:O", title=across.heading, sort=[across.formatted(value) for value in columns],
            axis=alt.Axis(labelAngle=0, labelOverlap=True),
        ),
        y=alt.Y("up:O", title=up.heading, sort=[up.formatted(value) for value in reversed(lines)]),
    )  # fmt: skip
    scale = alt.Scale(type="sqrt", domain=[0.0, max(most, 1e-9)], range=list(PALE_TO_DARK), interpolate="lab")
    legend = None if numbers else alt.Legend(title=titled(study.loss), type="symbol", symbolType="square")
    layers = [
        base.mark_rect(stroke="#ffffff").encode(color=alt.Color("loss:Q", scale=scale, legend=legend)),
        base.transform_filter("datum.chosen").mark_rect(fill=None, stroke=INK, strokeWidth=3),
    ]
    ink = alt.condition("datum.dark", alt.value("#ffffff"), alt.value(INK))
    layers.append(base.mark_text(fontSize=10 if numbers else 7).encode(text="text:N", color=ink))
    return finished(sized(alt.layer(*layers), (CELL_PX if numbers else LOW_CELL_PX) * len(lines)))


def evenly(values: Sequence[Any], most: int, kept: Any) -> list[Any]:
    """At most about so many of a row of things, evenly spread, the first, the last and `kept` among them."""
    if len(values) <= most:
        return list(values)
    places = {round(k * (len(values) - 1) / (most - 1)) for k in range(most)}
    return [value for place, value in enumerate(values) if place in places or value == kept]


def _told_apart(one: Judged, name: str) -> float:
    """A loss as it is printed; nothing where so few years can't tell it apart from that."""
    estimate = one.metrics[name]
    return 0.0 if below_finest(estimate) else in_print(estimate.value, name)


def _bare(one: Judged, study: Study) -> str:
    """Its loss without the unit."""
    name, limit = study.loss, limit_of(study.targets, study.loss)
    return (
        formatted_value(one.metrics[name], METRIC[name].unit, limit=limit)
        .removesuffix(" %")
        .replace("< ", "<")
    )


def pareto(study: Study) -> Any:
    """Loss against life-cycle cost: every design, the front, the target, the chosen design with its interval."""
    frame = pd.DataFrame(list(_points(study)))
    limits = [in_print(target.limit, study.loss) for target in study.targets if target.metric == study.loss]
    limits = [limit for limit in limits if limit > 0.0]
    least, most = 0.7 * min([*frame["loss"], *limits]), 1.3 * max([*frame["high"], *limits])
    x = alt.X(
        "cost:Q", title=f"life-cycle cost [{study.currency}]", scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=8),
    )  # fmt: skip
    y = alt.Y(
        "loss:Q", title=titled(study.loss), scale=alt.Scale(type="log", nice=False, domain=[least, most]),
        axis=alt.Axis(values=[tick for tick in TICKS if least <= tick <= most], format="~g"),
    )  # fmt: skip
    fills = alt.Scale(domain=[PLAIN, TOO_LITTLE, ON_FRONT], range=["#9db4c8", "#ffffff", "#1f4e79"])
    base = alt.Chart(frame).encode(x=x, y=y)
    own = base.transform_filter("datum.chosen")
    layers = [
        base.transform_filter("datum.front").mark_line(color=MUTED, interpolate="step-after", strokeWidth=2),
        base.mark_point(size=34, strokeWidth=1.2).encode(
            fill=alt.Color("what:N", title=None, scale=fills, legend=alt.Legend(symbolStrokeColor=INK)),
            stroke=alt.value("#33475b"),
        ),
        own.mark_rule(strokeWidth=2, color=INK).encode(y="low:Q", y2="high:Q"),
        own.mark_point(size=200, shape="diamond", color=INK, strokeWidth=2.5),
        own.mark_text(**_beside(frame), dy=-10, fontSize=11).encode(text="name:N"),
    ]
    if limits:
        rule = alt.Chart(pd.DataFrame({"limit": limits, "text": "target"})).encode(y="limit:Q")
        layers.append(rule.mark_rule(strokeDash=[5, 4], color=INK))
        words = rule.mark_text(align="left", dx=4, dy=-6, fontSize=11)
        layers.append(words.encode(text="text:N", x=alt.value(0)))
    return finished(sized(alt.layer(*layers), HEIGHT + 60))


def _beside(frame: pd.DataFrame) -> dict[str, Any]:
    """Where a text has room beside the chosen point: to its right, unless it stands in the right half."""
    own = float(frame.loc[frame["chosen"], "cost"].iloc[0])
    right = own > 0.5 * (frame["cost"].min() + frame["cost"].max())
    return {"align": "right", "dx": -10} if right else {"align": "left", "dx": 10}


def best_of(study: Study) -> Sequence[Judged]:
    """The front of cost and the loss that the charts show."""
    return front(study.designs, study.loss)


def _points(study: Study) -> Iterator[dict[str, Any]]:
    """A loss too small to be told apart from nothing stands at the least that could be."""
    on_front = best_of(study)
    told = {id(one) for one in (*on_front, study.chosen)}
    others = [one for one in study.designs if id(one) not in told]
    drawn = {*told, *map(id, evenly(others, MOST_POINTS, None))}
    for one in (one for one in study.designs if id(one) in drawn):
        estimate = one.metrics[study.loss]
        floor = estimate.finest or LEAST_LOSS
        value = in_print(max(estimate.value, floor), study.loss)
        ends = (in_print(max(end, floor), study.loss) for end in estimate[1:3])
        low, high = (end if math.isfinite(end) else value for end in ends)
        first = any(one is other for other in on_front)
        yield {
            "cost": round(one.metrics[COST].value, 2), "loss": value, "low": low, "high": high,
            "name": study.name(one), "front": first, "chosen": one is study.chosen,
            "what": TOO_LITTLE if below_finest(estimate) else ON_FRONT if first else PLAIN,
        }  # fmt: skip
