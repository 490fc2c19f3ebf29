"""The laws of ageing against the numbers published with them."""

import itertools
from collections.abc import Iterator

import numpy as np

from plant.battery import ageing, miner, naumann, rainflow, weighted_ah
from plant.battery.file import load_block
from plant.battery.wear import Hours, Life
from validation.ageing_figures import figures
from validation.check import Check

__all__ = ["QUICK", "checks", "figures"]

YEAR_S = 365.0 * 86400.0
DEGRADATION = ((0.25, 0.012), (0.5, 0.026), (1.0, 0.123), (1.6, 0.8))
CYCLES = (
    (1.0, 200.0, 200),
    (0.5, 606.0, 600),
    (0.3, 1373.0, 1500),
)  # depth, of the law, of the sheet it is fitted to
ASTM = (-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0)
ASTM_CYCLES = {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}
CALENDAR = ((25.0, 0.5, 0.1344), (40.0, 0.5, 0.1872), (25.0, 1.0, 0.2142), (40.0, 1.0, 0.2982))
CYCLED = ((0.5, 0.8, 3000.0, 0.0792), (0.2, 0.3, 3650.0, 0.0652), (1.0, 1.0, 2000.0, 0.0967))


def weighted() -> Iterator[Check]:
    """Loss by weighted throughput, and the float life."""
    for share, lost in DEGRADATION:
        yield Check(what=f"Schiffer: loss at {share:g} of the cycle life", value=weighted_ah.degradation(share),
                    reference=lost, tolerance=5.1e-4, source="Schiffer 2007")  # fmt: skip
    p, life = load_block("agm"), Life(float_years=10.0)
    still = Hours(*(np.full(24, v) for v in (0.0, 0.0, 1.0, 40.0, 13.8, 0.0)))
    state = ageing.fresh("weighted_ah")
    for _day in range(1826):
        state = ageing.age_one_day(state, still, p, life)
    yield Check(what="Schiffer: five years on float at 40 degC are ten at 25", value=ageing.loss(state, life).q_loss,
                reference=0.2, tolerance=2e-4, source="corrosion doubles every 15 K")  # fmt: skip


def counted() -> Iterator[Check]:
    """Rainflow on the standard's example, and the cycles of a data sheet."""
    closed, pending = rainflow.counted((), ASTM)
    found: dict[float, float] = {}
    half_cycles = [rainflow.Cycle(abs(b - a), 0.5) for a, b in itertools.pairwise(pending)]
    for cycle in (*closed, *half_cycles):
        found[cycle.depth] = found.get(cycle.depth, 0.0) + cycle.times
    for depth in sorted(found | ASTM_CYCLES):
        yield Check(what=f"rainflow: cycles of {depth:g}", value=found.get(depth, 0.0),
                    reference=ASTM_CYCLES.get(depth, 0.0), tolerance=0.0, source="ASTM E1049-85 example")  # fmt: skip
    for depth, cycles, printed in CYCLES:
        yield Check(what=f"lead-acid: cycles of {depth:.0%}", value=miner.cycles_to_end(depth, Life()),
                    reference=cycles, tolerance=0.5, source="power law 200 d^-1.6, fitted to an AGM data sheet",
                    note=f"the sheet: {printed}")  # fmt: skip


def lithium() -> Iterator[Check]:
    """Naumann's calendar and cycle loss, in one stride and in two: virtual time."""
    for t_c, soc, lost in CALENDAR:
        half = naumann.rested_for(naumann.fresh(), 5.0 * YEAR_S, t_c, soc)
        state = naumann.rested_for(half, 5.0 * YEAR_S, t_c, soc)
        yield Check(what=f"Naumann: ten years at {t_c:g} degC, {soc:.0%}", value=naumann.loss(state, Life()).q_loss,
                    reference=lost, tolerance=5.1e-5, source="Naumann 2018")  # fmt: skip
    for c_rate, depth, cycles, lost in CYCLED:
        half = naumann.cycled(naumann.fresh(), 0.3 * cycles, c_rate, depth)
        state = naumann.cycled(half, 0.7 * cycles, c_rate, depth)
        yield Check(what=f"Naumann: {cycles:g} full cycles at {c_rate:g}C, depth {depth:.0%}",
                    value=naumann.loss(state, Life()).q_loss, reference=lost, tolerance=5.1e-5,
                    source="Naumann 2020")  # fmt: skip


QUICK = (weighted, counted, lithium)


def checks() -> Iterator[Check]:
    """Every comparison."""
    for group in QUICK:
        yield from group()
