"""What Home Assistant is told of a controller: a device, and a sensor for each quantity of interest.

Pure: topics and payloads, no client. The payloads are those of MQTT discovery
(home-assistant.io/integrations/mqtt, section "MQTT Discovery").
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from plant.kernel.snapshot import QUANTITIES, Quantity, Snapshot, meaning_of
from tracertwin.assembly.units import Unit
from tracertwin.versions import installed

ROOT: Final = "tracertwin"
DISCOVERY: Final = "homeassistant"  # the prefix that Home Assistant listens to unless told otherwise
SENSORS: Final = (
    "poa_w_m2", "t_amb_c", "t_cell_c", "v_pv_v", "i_pv_a", "p_pv_w", "stage", "regime", "i_chg_a", "t_heatsink_c",
    "v_batt_v", "i_batt_a", "soc", "soc_controller", "t_batt_c", "load_on", "i_load_a", "p_load_w", "inverter",
    "p_inverter_w", "charger_1", "p_charger_1_w", "generated_today_kwh", "generated_total_kwh", "consumed_today_kwh",
    "consumed_total_kwh",
)  # fmt: skip
CLASSES: Final = {
    "V": ("voltage", "V"), "A": ("current", "A"), "W": ("power", "W"), "kWh": ("energy", "kWh"),
    "degC": ("temperature", "\u00b0C"), "W/m2": ("irradiance", "W/m\u00b2"),
}  # fmt: skip
SHARE: Final = "0..1"  # told in percent


class Message(NamedTuple):
    """What is published."""

    topic: str
    payload: str
    retained: bool = False


def node_of(unit: Unit) -> str:
    """A controller's name in topics: ``cabin_1``."""
    name = re.sub(r"[^a-z0-9]+", "_", unit.live.plant.site.name.lower()).strip("_")
    return f"{name or 'site'}_{unit.tracer.unit}"


def availability_topic() -> str:
    """Where it says whether the run goes on."""
    return f"{ROOT}/availability"


def state(unit: Unit) -> Message:
    """Every quantity of a moment, as one JSON object; states by their words, shares in percent."""
    snapshot = unit.live.snapshot()
    values = {name: _payload(QUANTITIES[name], getattr(snapshot, name)) for name in Snapshot._fields}
    return Message(f"{ROOT}/{node_of(unit)}/state", json.dumps(values))


def discovery(unit: Unit) -> Iterator[Message]:
    """A message for each sensor; kept by the broker for whoever comes later."""
    node, site = node_of(unit), unit.live.plant.site
    device = {
        "identifiers": [f"{ROOT}_{node}"],
        "name": f"{site.name} {unit.tracer.unit}",
        "manufacturer": "TracerTwin",
        "model": site.controller.model,
        "sw_version": installed("tracertwin"),
    }
    for name in SENSORS:
        config = {
            "name": _name(name),
            "unique_id": f"{ROOT}_{node}_{name}",
            "object_id": f"{node}_{name}",
            "state_topic": f"{ROOT}/{node}/state",
            "value_template": f"{{{{ value_json.{name} }}}}",
            "availability_topic": availability_topic(),
            "device": device,
            **_class(name, QUANTITIES[name]),
        }
        yield Message(f"{DISCOVERY}/sensor/{ROOT}_{node}/{name}/config", json.dumps(config), True)


def _name(name: str) -> str:
    """A quantity's meaning; the numbers of a state are told as words."""
    what, _, more = meaning_of(name).partition(";")[0].partition(": ")
    return what if not more or more[0].isdecimal() else f"{what}, {more}"


def _class(name: str, quantity: Quantity) -> dict[str, Any]:
    if quantity.codes is not None:
        return {"device_class": "enum", "options": [code.name.lower() for code in quantity.codes]}
    if quantity.unit == SHARE:
        is_charge = name.startswith("soc")
        return {"unit_of_measurement": "%", "state_class": "measurement"} | (
            {"device_class": "battery"} if is_charge else {}
        )
    if quantity.unit not in CLASSES:
        return {}
    device_class, unit = CLASSES[quantity.unit]
    kind = "total_increasing" if device_class == "energy" else "measurement"
    return {"device_class": device_class, "unit_of_measurement": unit, "state_class": kind}


def _payload(quantity: Quantity, value: float) -> float | str | None:
    if not math.isfinite(value):
        return None
    if quantity.codes is not None:
        return quantity.codes(int(value)).name.lower()
    return round(100.0 * value, 2) if quantity.unit == SHARE else round(value, 4)
