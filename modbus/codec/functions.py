"""Function codes: which of a device's tables each reads or writes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

READ_INPUTS: Final = 0x04
# Table -> the function that reads it, in the order in which a master that reads everything goes through them.
READ_FUNCTION: Final[Mapping[str, int]] = MappingProxyType(
    {"input": READ_INPUTS, "holding": 0x03, "coil": 0x01, "discrete": 0x02}
)
TABLE_READ: Final[Mapping[int, str]] = MappingProxyType(
    {code: table for table, code in READ_FUNCTION.items()}
)
# Function -> table, of those that a Tracer serves: not 0F.
TABLE_OF: Final[Mapping[int, str]] = MappingProxyType(
    {**TABLE_READ, 0x05: "coil", 0x06: "holding", 0x10: "holding"}
)
