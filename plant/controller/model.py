"""The charge controller as data: ratings and losses of a model, and what of them a kernel needs."""

from functools import lru_cache
from typing import NamedTuple

from plant.base import configs
from plant.base.yamlfile import load_yaml, read_numbers
from plant.power.stage import PowerStage

ABOUT = ("title", "source", "line")  # keys of a controller's file that are not numbers; `line` is for modbus


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
    # Output below which the array is passed through, not tracked (likely); 0: never.
    dim_below_a: float = 1.35
    dim_drop_v: float = 1.17  # array less battery then: this (sure, rms 0.02 V) ...
    dim_drop_v_root_a: float = 0.44  # ... and this times the root of the current (sure)
    dim_bridge_v: float = 0.90  # the same on a second branch (sure), ...
    dim_bridge_from_a: float = 1.0  # ... entered here (likely: 0.8 to 1.1 A) ...
    dim_bridge_until_a: float = 0.76  # ... and left here (likely: 0.84 to 0.68 A)
    dim_start_a: float = 0.02  # passing begins here at dawn (likely: first currents are 0.01 to 0.06 A)
    dim_lost_a: float = 0.001  # array current that doesn't come out then (guess: mA)
    dark_pv_v: float = 0.35  # at the array's terminals at night (sure of two units; a third has 0)

    @staticmethod
    @lru_cache(maxsize=16)
    def load(name: str) -> "ControllerModel":
        """A model out of ``config/controllers``, or a path to a file of one's own."""
        document = load_yaml(configs.find("controllers", name))
        fields, defaults = ControllerModel._fields, ControllerModel._field_defaults
        return ControllerModel(**read_numbers(document, fields, about=ABOUT, defaults=defaults))

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
        model.dim_below_a,
        model.dim_drop_v,
        model.dim_drop_v_root_a,
        model.dim_bridge_v,
        model.dim_bridge_from_a,
        model.dim_bridge_until_a,
        model.dim_start_a,
        model.dim_lost_a,
        model.dark_pv_v,
    )
