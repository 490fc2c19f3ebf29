"""Settings of the controller that a site file presets by name: those of `Settings` that have no keys of their own."""

from plant.base.problems import did_you_mean
from plant.controller.loadcontrol import LoadMode
from plant.controller.settings import RANGES, Settings

# These are keys of `controller` itself.
ELSEWHERE = ("boost_min", "equalize_min", "compensation_mv_k_cell", "capacity_ah")
PRESET = tuple(name for name in RANGES if name not in ELSEWHERE)
MODES = {mode.name.lower(): int(mode) for mode in LoadMode}


def known_setting(name: str, value: int | float | str) -> int | float:
    """A preset as `Settings` has it.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if name not in PRESET:
        raise ValueError(f"unknown setting {name}{did_you_mean(name, PRESET)}; known: {', '.join(PRESET)}")
    if name == "load_mode" and value in MODES:
        value = MODES[str(value)]
    least, most = RANGES[name]
    whole = Settings.__annotations__[name] is int
    if isinstance(value, str) or (whole and value != int(value)) or not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        names = f" or one of {', '.join(MODES)}" if name == "load_mode" else ""
        raise ValueError(f"{name} must be {kind} in {least:g}..{most:g}{names}, got {value!r}")
    return int(value) if whole else float(value)
