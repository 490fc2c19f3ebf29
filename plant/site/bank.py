"""The battery bank of a site file: a block by its file, grown to the bank's capacity and voltage.

A lead-acid block may be fitted to its data sheet's capacities by rate.
"""

import itertools
import re
from contextlib import suppress
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, field_validator, model_validator

from plant.base import configs
from plant.base.clock import parse_duration_s
from plant.base.records import NotNegative, Positive, Record, Temperature
from plant.battery.acid import LeadAcid
from plant.battery.ageing import AgeingState, aged, fresh, laws_for
from plant.battery.bms import Bms
from plant.battery.file import blocks_in_series, load_block, load_bms, read_block
from plant.battery.model import Parameters, scaled
from plant.battery.ratefit import CUT_OFF_V_CELL, Rates, errors_pct, fitted
from plant.battery.wear import Life, Loss
from plant.power.posts import AnyOutfit
from plant.site.connected import Chargers, Loads, check_connected, connected_setpoints, outfit_of

RATED_H = 20.0  # the rate of `capacity_ah`
SHORTEST_H, LONGEST_H = 0.5, 240.0
WORST_FIT_PCT = 10.0  # beyond it the numbers are not a battery's, or of another cut-off


def _as_rates(given: Any) -> Any:
    """``{20h: 150, 1h: 88}``, longest first."""
    if not isinstance(given, dict):
        raise ValueError(f"must be a mapping like {{20h: 150, 10h: 137, 1h: 88}}, got {given!r}")
    return tuple(sorted(((_hours(rate), ah) for rate, ah in given.items()), reverse=True))


def _hours(rate: Any) -> float:
    """Hours of a rate: ``20h``, ``20`` or ``90min``; ``C20`` is another way to write it."""
    text = str(rate).strip()
    if text.upper().startswith("C"):
        text = text[1:].lstrip("/")
    hours = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else parse_duration_s(text) / 3600.0
    if not SHORTEST_H <= hours <= LONGEST_H:
        raise ValueError(f"{rate}: must be {SHORTEST_H:g}h to {LONGEST_H:g}h")
    return hours


def _as_mapping(rates: Rates) -> dict[str, float]:
    return {f"{hours:g}h": ah for hours, ah in rates}


CapacityByRate = Annotated[
    tuple[tuple[float, Positive], ...],
    BeforeValidator(_as_rates),
    PlainSerializer(_as_mapping, return_type=dict[str, float]),
]


class Battery(Record):
    """The battery bank."""

    model: str = "agm"
    capacity_ah: Positive  # 20-hour rating, at the bank's voltage
    capacity_by_rate: CapacityByRate = ()  # of its data sheet
    # Voltage down to which the sheet states them.
    rate_cut_off_v_cell: Annotated[float, Field(ge=1.5, le=1.95)] = CUT_OFF_V_CELL
    system_v: Literal[12, 24] = 12
    soc: Annotated[float, Field(ge=0.0, le=1.0)] = 0.7
    room_c: Temperature | Literal["outdoor"] = "outdoor"
    cable_ohm: NotNegative = 0.0
    health: Annotated[float, Field(ge=0.3, le=1.0)] = 1.0  # share of the capacity left at the start
    ageing: Literal["none", "weighted_ah", "rainflow", "naumann"] = "none"
    loads: Loads = ()  # at its own posts, beside the controller
    chargers: Chargers = ()
    replace_at_health: Annotated[float, Field(ge=0.0, le=0.95)] | None = 0.8  # 0 or none: never

    @field_validator("model")
    @classmethod
    def _known_model(cls, given: str, info: ValidationInfo) -> str:
        name = configs.beside(given, info.context)
        load_block(name)
        return name

    @field_validator("ageing")
    @classmethod
    def _law_of_the_family(cls, law: str, info: ValidationInfo) -> str:
        if law != "none" and "model" in info.data:
            fitting = laws_for(load_block(info.data["model"]))
            if law not in fitting:
                raise ValueError(
                    f"{law} does not apply to {info.data['model']}; use {', '.join(fitting)} or none"
                )
        return law

    @model_validator(mode="before")
    @classmethod
    def _capacity_of_the_sheet(cls, given: Any) -> Any:
        """The sheet's 20-hour capacity is the bank's unless another one is given: blocks in parallel."""
        if not isinstance(given, dict) or "capacity_ah" in given:
            return given
        rates = given.get("capacity_by_rate")
        if isinstance(rates, dict):
            with suppress(ValueError, KeyError):  # each has a line of its own
                return {**given, "capacity_ah": dict(_as_rates(rates))[RATED_H]}
        return given

    @model_validator(mode="after")
    def _rates_of_one_battery(self) -> "Battery":
        rates = self._rates()
        if not self.capacity_by_rate:
            return self
        block = load_block(self.model)
        if not isinstance(block, LeadAcid):
            raise ValueError(
                f"capacity_by_rate is for lead-acid; that of {self.model} hardly depends on the rate"
            )
        for (longer_h, more_ah), (hours, ah) in itertools.pairwise(rates):
            if ah > more_ah:
                raise ValueError(
                    f"capacity_by_rate: {ah:g} Ah in {hours:g} h is more than {more_ah:g} Ah in {longer_h:g} h; "
                    "a battery gives less when it is discharged faster"
                )
        bank = self.new()
        assert isinstance(bank, LeadAcid)
        off = errors_pct(bank, self._rates(self.capacity_ah), self.rate_cut_off_v_cell)
        worst = int(np.argmax(np.abs(off)))
        if abs(off[worst]) > WORST_FIT_PCT:
            raise ValueError(
                f"capacity_by_rate: no {self.model} battery gives these; the nearest is {abs(off[worst]):.0f} % off "
                f"at {rates[worst][0]:g} h (rate_cut_off_v_cell is {self.rate_cut_off_v_cell:g})"
            )
        return self

    def _rates(self, bank_ah: float | None = None) -> Rates:
        """The sheet's capacities with that of 20 h among them, grown to another one if asked for."""
        rates = self.capacity_by_rate
        if rates and RATED_H not in dict(rates):
            rates = tuple(sorted((*rates, (RATED_H, self.capacity_ah)), reverse=True))
        by = 1.0 if bank_ah is None or not rates else bank_ah / dict(rates)[RATED_H]
        return tuple((hours, ah * by) for hours, ah in rates)

    def _of_the_sheet(self, block: LeadAcid) -> LeadAcid:
        sheet: LeadAcid = scaled(block, dict(self._rates())[RATED_H], 1)
        return sheet

    @model_validator(mode="after")
    def _whole_blocks(self) -> "Battery":
        blocks_in_series(load_block(self.model), self.system_v)
        check_connected(self.loads, self.chargers, self.system_v // 12)
        return self

    def new(self) -> Parameters:
        """The block scaled to this bank, as it left the factory."""
        block = load_block(self.model)
        if isinstance(block, LeadAcid) and self.capacity_by_rate:
            block = fitted(self._of_the_sheet(block), self._rates(), self.rate_cut_off_v_cell)
        bank: Parameters = scaled(block, self.capacity_ah, blocks_in_series(block, self.system_v))
        return bank

    def parameters(self) -> Parameters:
        """The bank as it is at the start: with the capacity it has left, and the resistance that goes with that."""
        if self.health == 1.0:
            return self.new()
        return aged(self.new(), Loss(1.0 - self.health, 1.0 / self.health - 1.0))

    def bms(self) -> Bms:
        """Limits of the bank's own protection, wide open if it has none."""
        return load_bms(self.model, self.capacity_ah)

    def connected_setpoints(self) -> dict[str, float]:
        """What the rules of its loads and chargers compare with."""
        return connected_setpoints(self.loads, self.chargers, self.system_v // 12)

    def outfit(self, failed: tuple[int, ...] = ()) -> AnyOutfit:
        """Its loads and chargers as the kernel takes them."""
        return outfit_of(self.loads, self.chargers, self.system_v // 12, failed)

    def life(self) -> Life:
        """What the maker promises."""
        return read_block(self.model).life

    @property
    def replaced_at(self) -> float:
        """Share of the capacity at which a new battery takes its place; 0 for never, as for one that begins so worn."""
        at = self.replace_at_health or 0.0
        return at if at < self.health else 0.0

    def age(self) -> AgeingState | None:
        """Age at the start, none if the bank doesn't age."""
        return None if self.ageing == "none" else fresh(self.ageing, self.health)
