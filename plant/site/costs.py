"""What a plant costs, for those who size one: prices, the interest, the years that count.

Defaults are guesses of 2026 in euros; nothing of it changes how a plant runs.
"""

from typing import Annotated

from pydantic import Field

from plant.base.records import NotNegative, Positive, Record

LEAD_ACID_PER_AH, LITHIUM_PER_AH = 1.9, 3.0  # of a 12 V block


class Costs(Record):
    """Prices of a plant's parts, in one currency."""

    currency: Annotated[str, Field(min_length=1, max_length=8)] = "EUR"
    module_per_w: NotNegative = 0.45  # on the plate
    mounting_per_w: NotNegative = 0.35  # with wiring
    controller_per_a: NotNegative = 3.5  # of its rated current
    battery_per_ah: NotNegative | None = None  # of a 12 V block; by the chemistry unless given
    battery_life_years: Positive | None = None  # by use and age unless given
    other: NotNegative = 0.0  # what else is paid at the beginning
    upkeep_per_year: NotNegative = 0.0
    fuel_per_l: NotNegative = 1.8
    interest: Annotated[float, Field(ge=0.0, le=0.5, allow_inf_nan=False)] = 0.05
    years: Annotated[int, Field(ge=1, le=60)] = 20

    def battery_price(self, lithium: bool) -> float:
        """Of an ampere-hour of a 12 V block."""
        default = LITHIUM_PER_AH if lithium else LEAD_ACID_PER_AH
        return default if self.battery_per_ah is None else self.battery_per_ah
