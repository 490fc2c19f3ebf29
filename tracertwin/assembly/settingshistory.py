"""What a controller was set to, and since when."""

from bisect import bisect_right
from collections.abc import Sequence

from plant.controller.settings import Settings


class SettingsHistory:
    """Settings with the times from which they held, oldest first.

    Parameters
    ----------
    rows : sequence of (float, Settings)
        Of before: since when [s UTC], what.
    most : int, optional
        How many are remembered; the oldest go first.
    """

    def __init__(self, rows: Sequence[tuple[float, Settings]] = (), most: int | None = None) -> None:
        self._rows, self._most = list(rows), most

    def rows(self) -> list[tuple[float, Settings]]:
        """All that is remembered, for another history to go on from."""
        return list(self._rows)

    def note(self, t_utc_s: float, settings: Settings) -> None:
        """Take down what holds from a moment on; nothing where it held before."""
        if self._rows and settings == self._rows[-1][1]:
            return
        self._rows.append((t_utc_s, settings))
        if self._most is not None:
            del self._rows[: -self._most]

    def at(self, t_utc_s: float) -> Settings:
        """What held at a moment; before all that is remembered, the first."""
        place = bisect_right(self._rows, t_utc_s, key=lambda row: row[0]) - 1
        return self._rows[max(place, 0)][1]
