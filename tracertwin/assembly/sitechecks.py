"""What a site file says of its line, read by those who know lines: plant does not.

For whoever loads a site or changes one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from modbus.line.faults.text import parse_fault
from modbus.line.pacing import parse_pace

SITE_CHECKS: Final[Mapping[str, Callable[[str], Any]]] = {"line.faults": parse_fault, "line.pace": parse_pace}
