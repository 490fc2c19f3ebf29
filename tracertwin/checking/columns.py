"""Samples of a plant as columns by the names that conditions use: its quantities, and registers decoded by the map."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

import numpy as np

from modbus.device.interface import Shown
from plant.controller.settings import Settings
from plant.kernel.snapshot import Snapshot
from tracertwin.assembly.units import Unit, sensors_of
from tracertwin.scenario.judging import judge, parse_one_expectation
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary


class PlantColumns(Mapping[str, np.ndarray]):
    """Samples by `Subject.key`: quantities of the plant, and registers as the device shows them at each sample.

    Parameters
    ----------
    rows : (n, fields) array
        Rows of `Snapshot`.
    settings : callable
        The controller's settings at a moment [s UTC].
    unit : Unit
    heard : mapping
        `Subject.key` -> moments and values of what a client read there, in order: its register has the last of them;
        before the first what the device shows.
    """

    def __init__(
        self,
        rows: np.ndarray,
        settings: Callable[[float], Settings],
        unit: Unit,
        heard: Mapping[str, list[tuple[float, float]]],
    ) -> None:
        self._rows, self._settings, self._unit, self._heard = rows, settings, unit, heard
        self._made: dict[str, np.ndarray] = {}

    def __getitem__(self, key: str) -> np.ndarray:
        if key in Snapshot._fields:
            return np.asarray(self._rows[:, Snapshot._fields.index(key)])
        if key not in self._made:
            self._made[key] = self._register(*key.split())
        return self._made[key]

    def at(self, places: np.ndarray) -> "PlantColumns":
        """The same of some samples only; registers of all take longer than the run."""
        return PlantColumns(self._rows[places], self._settings, self._unit, self._heard)

    def __iter__(self) -> Iterator[str]:
        return iter(Snapshot._fields)

    def __len__(self) -> int:
        return len(Snapshot._fields)

    def _register(self, table: str, address: str, form: str = "value") -> np.ndarray:
        shown = np.array(list(self._shown(table, int(address, 16), form == "word")))
        key = f"{table} {address}{' word' * (form == 'word')}"
        heard = np.array(self._heard.get(key, ())).reshape(-1, 2)
        last = np.searchsorted(heard[:, 0], self._rows[:, 0], side="right") - 1
        shown[last >= 0] = heard[last[last >= 0], 1]
        return shown

    def _shown(self, table: str, address: int, as_word: bool) -> Iterator[float]:
        tracer, sensors = self._unit.tracer, sensors_of(self._unit.live.plant)
        register_map = tracer.register_map.answering(table)
        row = register_map.rows[table][address]
        cells = [register_map.words[table][place] for place in row.addresses]
        for values in self._rows:
            snapshot, settings = Snapshot(*values.tolist()), self._settings(values[0])
            if sensors is not None:
                snapshot, settings = sensors.read(Shown(snapshot, settings))
            words = tuple(cell(snapshot, settings) for cell in cells)
            yield words[0] if as_word else row.value(words)


# --- a single sample: now ---


def judged_now(condition: str, unit: Unit, map_name: str) -> tuple[bool, str]:
    """Whether a condition holds, and that in words with its margin.

    Raises
    ------
    ValueError
        It is not a condition.
    """
    verdict = judge(parse_one_expectation({"always": condition}, vocabulary(map_name)), record_of_now(unit))
    margin = verdict.margin_words
    return verdict.holds, f"{condition}{f', margin {margin}' if margin else ''}"


def record_of_now(unit: Unit) -> RunRecord:
    """A record of one sample: what the plant and its device show now."""
    live = unit.live
    snapshot = live.snapshot()
    span = Span(snapshot.t_utc_s, snapshot.t_utc_s, live.plant.site.location.timezone, _no_sun)
    rows = np.array([snapshot], dtype=float)
    columns = PlantColumns(rows, lambda _: live.plant.settings, unit, {})
    return RunRecord(rows[:, 0], columns, span)


def _no_sun(_: date) -> SunTimes:
    return SunTimes(None, 0.0, None)
