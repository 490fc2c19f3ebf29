"""A made-up noon, and what a Tracer must say about it: written by hand, not by the code under test."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from modbus.device.interface import Shown
from plant.controller.settings import Settings, factory
from plant.kernel.snapshot import Snapshot

NEW = factory(1, 12)  # a new unit on a sealed 12 V battery


@dataclass
class Still:
    """A device whose plant stands still; it does what it is told to its settings, clock and meters."""

    snapshot: Snapshot
    settings: Settings = NEW
    new: Settings = NEW  # what restoring defaults brings
    asked: int = 0
    done: list[str] = field(default_factory=list)

    def shown(self) -> Shown:
        self.asked += 1
        return Shown(self.snapshot, self.settings)

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    def configure(self, settings: Settings) -> None:
        self.settings = settings
        self.done.append("configure")

    def set_clock(self, t_device_s: float) -> None:
        self.snapshot = self.snapshot._replace(t_device_s=t_device_s)
        self.done.append("set_clock")

    def clear_energy(self) -> None:
        cleared = {f"generated_{period}_kwh": 0.0 for period in ("today", "month", "year", "total")}
        self.snapshot = self.snapshot._replace(**cleared)
        self.done.append("clear_energy")

    def restore_defaults(self) -> None:
        self.settings = self.new
        self.done.append("restore_defaults")


ZERO = Snapshot(*[0.0] * len(Snapshot._fields))

NOON = ZERO._replace(
    t_amb_c=-12.5,
    v_pv_v=36.42,
    i_pv_a=32.59,
    p_pv_w=1186.83,
    stage=2.0,
    i_chg_a=83.12,
    p_chg_w=1152.88,
    t_heatsink_c=41.5,
    battery_status=2.0,
    v_batt_v=13.87,
    i_batt_a=-700.25,
    soc=0.5,
    soc_controller=0.876,
    t_batt_c=-7.25,
    t_probe_c=-7.25,
    load_on=1.0,
    v_load_v=13.69,
    i_load_a=54.18,
    p_load_w=741.72,
    generated_today_kwh=1.5,
    generated_month_kwh=45.67,
    generated_year_kwh=700.0,
    generated_total_kwh=12345.67,
    consumed_today_kwh=0.8,
    consumed_month_kwh=23.45,
    consumed_year_kwh=656.0,
    consumed_total_kwh=2345.67,
    v_pv_max_today_v=44.71,
    v_pv_min_today_v=0.61,
    v_batt_max_today_v=14.41,
    v_batt_min_today_v=12.06,
)

# The words of `epever` at NOON on a 4210 with a 12 V battery. 65536 = 0x1_0000; the low word comes first.
EPEVER_WORDS = {
    0x3000: 10000,  # 100 V
    0x3001: 4000,  # 40 A
    0x3002: 38464,  # 1040 W = 1 * 65536 + 38464
    0x3003: 1,
    0x3004: 2400,  # 24 V even on a 12 V system
    0x3005: 4000,
    0x3006: 38464,
    0x3007: 1,
    0x3008: 2,  # MPPT
    0x300D: 2400,
    0x300E: 4000,
    0x300F: 38464,
    0x3010: 1,
    0x3100: 3642,
    0x3101: 3165,  # 1152.87 W / 36.42 V, cut off
    0x3102: 49751,  # the charge power
    0x3103: 1,
    0x3104: 1387,
    0x3105: 8312,
    0x3106: 49751,  # 13.87 V x 83.12 A = 1152.87 W, cut off, = 1 * 65536 + 49751
    0x3107: 1,
    0x3108: 1387,
    0x3109: 5418,
    0x310A: 9611,  # 13.87 V x 54.18 A = 751.47 W, cut off, = 1 * 65536 + 9611
    0x310B: 1,
    0x310C: 1387,  # the battery's, while the load is on
    0x310D: 5418,
    0x310E: 9611,
    0x310F: 1,
    0x3110: 64811,  # -7.25 degC = 65536 - 725
    0x3111: 4150,
    0x3112: 4150,
    0x3113: 64286,  # -12.5 degC = 65536 - 1250
    0x311A: 87,  # 87.6 %, cut off
    0x311B: 64811,
    0x311D: 1200,
    0x3200: 2,  # under-voltage
    0x3201: 0x000B,  # running, producing, boost
    0x3202: 1,
    0x3300: 4471,
    0x3301: 61,
    0x3302: 1441,
    0x3303: 1206,
    0x3304: 80,
    0x3305: 0,
    0x3306: 2345,
    0x3307: 0,
    0x3308: 64,  # 656.00 kWh = 1 * 65536 + 64
    0x3309: 1,
    0x330A: 37959,  # 2345.67 kWh = 3 * 65536 + 37959
    0x330B: 3,
    0x330C: 150,
    0x330D: 0,
    0x330E: 4567,
    0x330F: 0,
    0x3310: 4464,  # 700.00 kWh = 1 * 65536 + 4464
    0x3311: 1,
    0x3312: 54919,  # 12345.67 kWh = 18 * 65536 + 54919
    0x3313: 18,
    0x3314: 1230,  # 12345.67 kWh * 0.997 kg = 12.3086 t, cut off
    0x3315: 0,
    0x3316: 0,  # discharging: nothing flows in
    0x3317: 0,
    0x3318: 4489,  # 700.25 A = 1 * 65536 + 4489
    0x3319: 1,
    0x331A: 1387,
    0x331B: 61047,  # -700.25 A: 65536 - 4489, and the carry in the high word
    0x331C: 0xFFFE,
    0x331D: 64811,
    0x331E: 64811,
}

# Where `uart2` says something else.
UART2_WORDS = EPEVER_WORDS | {
    0x200C: 0b1000,  # day and charging
    0x3200: 0b1000,  # boost in bits 3-2
    0x3300: 150,  # produced today
    0x3301: 0,
    0x3302: 54919,  # produced ever
    0x3303: 18,
    0x3304: 80,  # consumed today
    0x3305: 0,
    0x3306: 37959,  # consumed ever
    0x3307: 3,
}
