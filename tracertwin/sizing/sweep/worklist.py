"""The one list of work of a sweep: items that anybody may do in any order, to the same bytes.

Threads, a cluster and jobs without any link between them all go through this list; what each result is called is part
of it, so whoever has done an item, its result is found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from plant.site.model import Site
from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.sweep.evaluating import make_days, tables_of
from tracertwin.sizing.sweep.results import KeptResults, content_of, key_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.years import WeatherYear, blocks_of


class WorkItem(NamedTuple):
    """A design through a few weather years: the least that is kept, and done in one go."""

    design: int
    years: tuple[WeatherYear, ...]
    key: str  # of its result


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a sweep is made of.

    Parameters
    ----------
    sites : tuple of Site
        A design each.
    step_s : int
    items : tuple of WorkItem
        Each once, in the order in which they share most: arrays together, and their years.
    parts : tuple of tuple of (str, int)
        Of each design: names of its results in the order of the years, and how many years they have. Designs that are
        alike share theirs.
    """

    sites: tuple[Site, ...]
    step_s: int
    items: tuple[WorkItem, ...]
    parts: tuple[tuple[tuple[str, int], ...], ...]

    def done(self, item: WorkItem, days: SharedDays) -> np.ndarray:
        """Do an item: figures of its years, (years, 12, figures)."""
        site = self.sites[item.design]
        # Threads that work side by side make different days first, rather than wait for each other's.
        make_days(site, item.years, self.step_s, days, first=item.design % len(item.years))
        return tables_of(site, item.years, self.step_s, days)

    def missing(self, items: Sequence[WorkItem], results: KeptResults) -> list[WorkItem]:
        """Those of the items whose results are not there."""
        return [item for item in items if results.get(item.key, len(item.years)) is None]

    def figures(self, design: int, results: KeptResults) -> MonthlyFigures:
        """All years of a design, in their order; they have been done."""
        tables = []
        for key, years in self.parts[design]:
            table = results.get(key, years)
            assert table is not None, f"{key} is not done"
            tables.append(table)
        return MonthlyFigures(np.concatenate(tables))


def work_of(sites: Sequence[Site], years: Sequence[WeatherYear], step_s: int) -> Work:
    """The work of designs of one place, each through the same years."""
    blocks = blocks_of(years)
    arrays = [site.array.model_dump_json() for site in sites]
    contents = [content_of(site) for site in sites]
    parts = [[(key_of(content, block, step_s), len(block)) for block in blocks] for content in contents]
    order = sorted(range(len(sites)), key=lambda design: (arrays[design], design))
    items: dict[str, WorkItem] = {}
    for _, same in groupby(order, key=lambda design: arrays[design]):
        designs = list(same)
        for place, block in enumerate(blocks):
            for design in designs:
                key = parts[design][place][0]
                items.setdefault(key, WorkItem(design, block, key))
    return Work(tuple(sites), step_s, tuple(items.values()), tuple(map(tuple, parts)))


class Share(NamedTuple):
    """One of several equal shares of the work, counted from 1."""

    number: int
    of: int

    def items(self, items: Sequence[WorkItem], place: int) -> Sequence[WorkItem]:
        """Those of the share: neighbours in the list, which have days in common.

        Each site takes its turn, `place` among all, so that sites of few items don't leave them all to the same share.
        """
        turn = (self.number - 1 + place) % self.of
        first, end = (k * len(items) // self.of for k in (turn, turn + 1))
        return items[first:end]


def parse_share(text: str) -> Share:
    """``2/4`` as a share.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    found = re.fullmatch(r"\s*(\d{1,6})/(\d{1,6})\s*", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"must be i/N with i from 1 to N, as in 2/4, got {text!r}")
    return Share(int(found[1]), int(found[2]))
