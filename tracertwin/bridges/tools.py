"""What a coding assistant can do with a running rig: some of the commands, each as a tool with its meaning."""

from typing import Final, NamedTuple

from tracertwin.assembly.commands import BY_NAME

OFFERED: Final = (
    "step", "jump", "upset", "mend", "fault", "write", "power-cycle", "show", "status", "refusals", "wait", "expect",
)  # fmt: skip
MOST: Final = 12
INSTRUCTIONS: Final = """\
A simulated off-grid solar plant with an EPEVER Tracer charge controller that answers Modbus on a line, where the \
firmware under test polls it. Time goes on by itself unless serve was started with --clock stepped; `step` and `jump` \
advance it. `upset` breaks something in the plant and `fault` something on the line, `mend` and `fault off` repair it. \
`show` tells what is true (quantities) and what the device shows (register addresses). `expect` judges a condition, \
e.g. v_batt_v >= 14.3 V. `wait polled` waits until the firmware has read everything once since the last change.
"""


class Tool(NamedTuple):
    """A tool."""

    name: str
    command: str
    meaning: str
    read_only: bool


def tools() -> tuple[Tool, ...]:
    """All of them, from the rows of the commands."""
    return tuple(_tool(name) for name in OFFERED)


def _tool(name: str) -> Tool:
    row = BY_NAME[name]
    told = f"{row.meaning[0].upper()}{row.meaning[1:]}. Arguments: {row.arguments or 'none'}."
    if name in ("upset", "fault"):
        told += f" Known: {', '.join(_names(name))}."
    return Tool(name.replace("-", "_"), name, told, row.read_only)


def _names(command: str) -> tuple[str, ...]:
    if command == "upset":
        from plant.site.upsets import UPSETS

        return tuple(UPSETS)
    from modbus.line.faults.kinds import FAULTS

    return tuple(FAULTS)
