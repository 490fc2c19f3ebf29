"""A process as the kernel sees it: what it holds, over time, and whether that stays flat."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from scipy.stats import theilslopes

WARM = 0.35  # share of a run in which caches fill: a year's first weeks bring days of every kind
MB = 1024.0  # kB


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment."""

    t_s: float  # since the first sample
    rss_mb: float
    files: int
    threads: int
    answered: int  # requests so far


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as flat.

    Attributes
    ----------
    drift_mb : float
        Most that memory may grow over the run after its warm-up, by the median of all slopes (Theil and Sen).
    spread_mb : float
        Most that any sample after the warm-up may lie above the first of them, a fifth.
    more : float
        Most that files or threads may be more in the last fifth, by their medians: clients come and go.
    """

    drift_mb: float = 3.0
    spread_mb: float = 10.0
    more: float = 1.0


def look(pid: int, began_s: float, answered: int) -> Sample:
    """What a process holds now."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    )
    rss_mb = int(status["VmRSS"].split()[0]) / MB
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return Sample(monotonic() - began_s, rss_mb, files, int(status["Threads"]), answered)


def warmed(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples after the warm-up."""
    return samples[int(WARM * len(samples)) :]


def drift_mb(samples: Sequence[Sample]) -> float:
    """Growth of memory over the samples [MB]."""
    slope = theilslopes([s.rss_mb for s in samples], [s.t_s for s in samples])[0]
    return float(slope * (samples[-1].t_s - samples[0].t_s))


def growth(samples: Sequence[Sample], limits: Limits) -> list[str]:
    """What isn't flat after the warm-up, in words."""
    told = []
    warm = warmed(samples)
    first = warm[: max(1, len(warm) // 5)]
    drift, base_mb = drift_mb(warm), median(s.rss_mb for s in first)
    highest_mb = max(s.rss_mb for s in warm)
    if drift > limits.drift_mb:
        told.append(f"memory grew by {drift:.1f} MB after the warm-up; {limits.drift_mb:g} MB are allowed")
    if highest_mb - base_mb > limits.spread_mb:
        told.append(f"memory rose to {highest_mb:.1f} MB from {base_mb:.1f} MB after the warm-up")
    for what in ("files", "threads"):
        held = [median(getattr(s, what) for s in part) for part in (first, warm[-len(first) :])]
        if held[1] > held[0] + limits.more:
            told.append(f"{what}: {held[1]:g} at the end, {held[0]:g} after the warm-up")
    return told
