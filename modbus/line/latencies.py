"""How long things took, counted in buckets that widen with the time: a year of polls needs no more room than a day."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

PER_OCTAVE: Final = 16  # buckets in a doubling: a quantile is known to 4 %


@dataclass(slots=True)
class Latencies:
    """Durations, counted."""

    longest_s: float = 0.0
    counts: dict[int, int] = field(default_factory=dict)  # by bucket

    def add(self, took_s: float) -> None:
        """Count one."""
        bucket = math.floor(math.log2(max(took_s, 1e-9)) * PER_OCTAVE)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.longest_s = max(self.longest_s, took_s)

    def __add__(self, other: "Latencies") -> "Latencies":
        """Those of both."""
        return Latencies(max(self.longest_s, other.longest_s), added(self.counts, other.counts))

    def quantile_s(self, share: float) -> float:
        """What a share of them didn't exceed, to the bucket's width; nan if there are none."""
        left = share * sum(self.counts.values())
        for bucket, count in sorted(self.counts.items()):
            left -= count
            if left <= 0:
                return min(math.exp2((bucket + 1) / PER_OCTAVE), self.longest_s)
        return math.nan

    def summary_ms(self) -> dict[str, float]:
        """Quantiles and the longest [ms]; nothing if there are none."""
        if not self.counts:
            return {}
        shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
        told = {name: self.quantile_s(share) for name, share in shares.items()} | {"max": self.longest_s}
        return {name: round(1e3 * took_s, 3) for name, took_s in told.items()}


def added(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    """The sum of two counts by key; copied first, for another thread may be counting."""
    return dict(Counter(dict(one)) + Counter(dict(other)))
