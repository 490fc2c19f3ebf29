"""The charge controller as data: ratings and losses of a model, and what of them a kernel needs."""

from functools import lru_cache
from typing import NamedTuple

from plant.base import configs
from plant.base.yamlfile import load_yaml, read_numbers
from plant.power.stage import PowerStage

ABOUT = ("title", "source", "line")  # keys of a controller's file that are no numbers; `line` is for modbus


class ControllerModel(NamedTuple):
    """Ratings and losses of a controller model; powers and voltages of a 12 V system unless said."""

    charge_rated_a: float
    load_rated_a: float
    charge_rated_w_12v: float
    charge_rated_w_24v: float
    pv_rated_v: float  # highest open-circuit voltage
    tracking_above_v: float  # the tracker works from this far above the battery ...
    tracking_max_v: float  # ... up to here
    tracking_efficiency: float
    k_c_w_v: float  # loss: k_c v_pv + k_s v_pv i + r_eq i^2, i = output current
    k_s_w_va: float
    r_eq_ohm: float
    own_w_12v: float  # own consumption, from the battery, day and night
    own_w_24v: float
    load_path_ohm: float  # load switch and terminals
    heatsink_k_w: float
    heatsink_j_k: float
    battery_rated_v: float  # the highest system voltage, whatever battery is connected
    load_rated_v: float
    load_rated_w: float
    awake_v: float  # lowest battery voltage it works at, of a 12 V system

    @staticmethod
    @lru_cache(maxsize=16)
    def load(name: str) -> "ControllerModel":
        """A model out of ``config/controllers``, or a path to a file of one's own."""
        document = load_yaml(configs.find("controllers", name))
        return ControllerModel(**read_numbers(document, ControllerModel._fields, about=ABOUT))

    def ratings(self, system_v: int) -> dict[str, float]:
        """What the rated-data registers show: powers at the highest system voltage, whatever the battery is."""
        return {
            "pv_rated_v": self.pv_rated_v,
            "pv_rated_a": self.charge_rated_a,
            "pv_rated_w": self.charge_rated_w_24v,
            "battery_rated_v": self.battery_rated_v,
            "charge_rated_a": self.charge_rated_a,
            "charge_rated_w": self.charge_rated_w_24v,
            "load_rated_v": self.load_rated_v,
            "load_rated_a": self.load_rated_a,
            "load_rated_w": self.load_rated_w,
            "system_v": float(system_v),
        }


def power_stage(model: ControllerModel, system_v: int, pv_wiring_ohm: float = 0.0) -> PowerStage:
    """A model working on a battery of 12 or 24 V."""
    high = system_v == 24
    return PowerStage(
        model.charge_rated_a,
        model.charge_rated_w_24v if high else model.charge_rated_w_12v,
        model.tracking_above_v,
        model.tracking_max_v,
        model.tracking_efficiency,
        model.k_c_w_v,
        model.k_s_w_va,
        model.r_eq_ohm,
        model.own_w_24v if high else model.own_w_12v,
        model.load_path_ohm,
        model.heatsink_k_w,
        model.heatsink_j_k,
        model.load_rated_a,
        pv_wiring_ohm,
        model.awake_v * system_v / 12.0,
    )
