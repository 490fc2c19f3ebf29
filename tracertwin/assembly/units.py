"""The controllers of a line: a plant that keeps step with a clock, and the Tracer that shows it, for each of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from modbus.device.bus import MultidropBus
from modbus.device.model import load_model
from modbus.device.sensors import Sensors
from modbus.device.tracer import Tracer, WriteRefusal
from modbus.line.conversation import Answer
from modbus.map.registers import Difference, load_map
from plant.base.clock import SteppedClock, WallClock
from plant.plant import Plant
from tracertwin.assembly.live import Live
from tracertwin.assembly.options import Options


class Unit(NamedTuple):
    """One of the controllers on the line."""

    live: Live
    tracer: Tracer


def units_of(
    plants: Sequence[Plant],
    clock: WallClock | SteppedClock,
    options: Options,
    say: Callable[[str], None],
    unit_ids: Sequence[tuple[int, int]] = (),
    refused: Callable[[WriteRefusal], None] = lambda _: None,
) -> tuple[Unit, ...]:
    """A unit for each plant; the first warns when firmware reads what a real Tracer has elsewhere.

    Parameters
    ----------
    plants, options, say, unit_ids
        See `tracertwin.assembly.assemble.Assembly`.
    clock : WallClock or SteppedClock
        Of all of them.
    refused : callable
        Told of each write that a unit refuses.

    Raises
    ------
    MapError
        The map can't be used.
    """
    ids = list(unit_ids) or [(plant.site.unit, plant.site.unit) for plant in plants]
    if options.unit is not None and not unit_ids:
        ids[0] = (options.unit, options.unit)
    end_utc_s = None if options.for_s is None else plants[0].t_utc_s + options.for_s

    def warn(difference: Difference) -> None:
        say(
            f"{difference.address:#06x} is read as {difference.here}; a real Tracer has {difference.there} "
            "there (tracertwin registers --diff uart2 epever)"
        )

    units = []
    for plant, (now, later) in zip(plants, ids, strict=True):
        live = Live(plant, clock, end_utc_s, sample_s=60 if options.trace else 0, warn=say)
        model = load_model(plant.site.controller.model)
        tracer = Tracer(
            load_map(options.map_name, plant.site.ratings(), model.optional),
            live,
            now,
            model,
            warn_once=warn if now == ids[0][0] else None,
            alone=len(plants) == 1,
            new_unit=later,
            any_order=plant.site.controller.settings_order == "any",
            sensors=sensors_of(plant),
            refused=refused,
            needs_v=plant.equipment.stage.awake_v,
            unpowered=_dark(plant, now, say),
        )
        units.append(Unit(live, tracer))
    return tuple(units)


def _dark(plant: Plant, unit: int, say: Callable[[str], None]) -> Callable[[float], None]:
    """What says that a unit without power is asked."""
    needs_v = plant.equipment.stage.awake_v

    def tell(v_batt_v: float) -> None:
        why = f"{v_batt_v:.2f} V at its battery terminals, it needs {needs_v:g} V"
        say(f"unit {unit} has no power and doesn't answer: {why}")

    return tell


def sensors_of(plant: Plant) -> Sensors | None:
    """What reads the plant for the registers; nothing where they show it as it is."""
    controller = plant.site.controller
    if controller.sensors == "exact":
        return None
    return Sensors(
        plant.seed,
        plant.site.unit,
        plant.site.battery.system_v,
        controller.sensor_dips_h,
        controller.sensor_outliers_day,
    )


def twins(units: Sequence[Unit]) -> list[str]:
    """A warning for each unit id that several units have."""
    names: dict[int, list[str]] = {}
    for unit in units:
        names.setdefault(unit.tracer.unit, []).append(unit.live.plant.site.name)
    return [
        f"{' and '.join(alike)} have the same unit id {number}: their replies will collide"
        for number, alike in sorted(names.items())
        if len(alike) > 1
    ]


def answer_of(units: Sequence[Unit], say: Callable[[str], None]) -> Answer:
    """What answers a request to the units: the only one, or all on one bus."""
    tracers = [unit.tracer for unit in units]
    return tracers[0].answer if len(tracers) == 1 else MultidropBus(tracers, say).answer
