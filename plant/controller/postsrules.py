"""Rules of what hangs on the battery beside the controller: an inverter's cut-off, when chargers start and stop.

Rows as in `rules`; none of them looks at the controller or is looked at by it. Sources: manuals of Victron Phoenix
VE.Direct inverters (INV), Blue Smart IP22 chargers (IP22) and of the generator start of GX devices (GX).
"""

from collections.abc import Iterator
from typing import Final

from plant.controller.charger import ChargerRun, InverterRun, Machine
from plant.controller.rows import Effect, Is, IsNot, Rule, When, rule

RATED: Final = 1.001  # times the rating, with room for rounding
# INV; it tries blindly and stays off after three tries, here it waits for less demand.
OVERLOAD_WAIT_S: Final = 30.0
AGAIN_S: Final = 60.0  # at full current in float, until it begins anew (IP22)

# --- Inverter [INV] -----------------------------------------------------------------------------------------------

_INVERTER = (
    rule(
        Machine.INVERTER, InverterRun.ON, InverterRun.OVERLOAD, "inverter overload",
        When("inverter_share", ">=", "inverter_surge_share"),
    ),
    rule(
        Machine.INVERTER, InverterRun.ON, InverterRun.OVERLOAD, "inverter above its rating for too long",
        When("inverter_share", ">=", RATED), for_="inverter_surge_s",
    ),
    rule(
        Machine.INVERTER, InverterRun.ON, InverterRun.LOW_BATTERY, "inverter's supply collapsed",
        Is("inverter_collapsed"),
    ),
    rule(
        Machine.INVERTER, InverterRun.ON, InverterRun.LOW_BATTERY, "battery below the inverter's cut-off",
        When("v_posts_v", "<", "inverter_cut_off_v"), for_="inverter_cut_off_s",
    ),
    rule(
        Machine.INVERTER, InverterRun.LOW_BATTERY, InverterRun.ON, "battery above the inverter's restart",
        When("v_posts_v", ">=", "inverter_restart_v"), for_="inverter_restart_s",
    ),
    rule(
        Machine.INVERTER, InverterRun.OVERLOAD, InverterRun.ON, "demand within the inverter's rating again",
        When("inverter_share", "<", RATED), for_=OVERLOAD_WAIT_S,
    ),
)  # fmt: skip

# --- Chargers: conditions as for a generator [GX], stages [IP22] --------------------------------------------------
# One that is given no condition runs whenever it may: its `start_v` is above any voltage.

RUNNING: Final = (ChargerRun.STARTED, ChargerRun.CHARGE, ChargerRun.FLOAT)
STARTED_LONG_AGO: Final = (ChargerRun.CHARGE, ChargerRun.FLOAT)


def _charger(machine: Machine, name: str, starts: Effect) -> Iterator[Rule]:
    allowed = f"{name}_allowed"
    for reason, quantity, level in (
        ("battery voltage low", "v_posts_v", "v"),
        ("battery charge low", "soc", "soc"),
    ):
        yield rule(
            machine, ChargerRun.OFF, ChargerRun.STARTED, reason,
            When(quantity, "<", f"{name}_start_{level}"), Is(allowed), for_=f"{name}_start_s", effect=starts,
        )  # fmt: skip
    yield rule(machine, RUNNING, ChargerRun.OFF, "not allowed to run", IsNot(allowed))
    yield rule(
        machine,
        ChargerRun.STARTED,
        ChargerRun.CHARGE,
        "minimum time over",
        Is(allowed),
        for_=f"{name}_least_s",
    )
    for reason, quantity, level in (("voltage reached", "v_posts_v", "v"), ("charge reached", "soc", "soc")):
        yield rule(
            machine, STARTED_LONG_AGO, ChargerRun.OFF, reason,
            When(quantity, ">=", f"{name}_stop_{level}"), for_=f"{name}_stop_s",
        )  # fmt: skip
    yield rule(
        machine, ChargerRun.CHARGE, ChargerRun.FLOAT, "absorption time served",
        When("v_posts_v", ">=", f"{name}_absorbed_v"), for_=f"{name}_absorption_s",
    )  # fmt: skip
    yield rule(
        machine, ChargerRun.FLOAT, ChargerRun.CHARGE, "at full current in float",
        When("v_posts_v", "<", f"{name}_again_v"), for_=AGAIN_S,
    )  # fmt: skip


POSTS_RULES: Final = (
    *_INVERTER,
    *_charger(Machine.CHARGER_1, "charger_1", Effect.STARTS_1),
    *_charger(Machine.CHARGER_2, "charger_2", Effect.STARTS_2),
)
