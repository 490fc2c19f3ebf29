"""The tables of a state file, and what each of their columns means: data, made into SQL here.

Names carry their units; `columns` of the file itself says the rest.
"""

from typing import Final, NamedTuple

from plant.controller.charger import STATES, Stage
from plant.controller.rules import RULES
from plant.kernel.flowtable import FLOW


class Sampled(NamedTuple):
    """A column of `samples`."""

    name: str
    field: str  # of `plant.kernel.snapshot.Snapshot`
    unit: str
    meaning: str


SAMPLES: Final = (
    Sampled("sun_w_m2", "poa_w_m2", "W/m2", "irradiance in the modules' plane"),
    Sampled("air_c", "t_amb_c", "degC", "air"),
    Sampled("array_could_give_w", "p_mp_w", "W", "what a perfect tracker would take"),
    Sampled("pv_v", "v_pv_v", "V", "array, at the controller"),
    Sampled("pv_a", "i_pv_a", "A", "array"),
    Sampled("pv_w", "p_pv_w", "W", "array"),
    Sampled("stage", "stage", "", "charge stage: none, bulk, boost, equalize or float"),
    Sampled("charge_a", "i_chg_a", "A", "from the controller towards the battery"),
    Sampled("charge_target_v", "v_target_v", "V", "what the controller holds the battery to at most"),
    Sampled("battery_v", "v_batt_v", "V", "battery, at the controller"),
    Sampled("battery_a", "i_batt_a", "A", "battery; positive when it is charged"),
    Sampled("battery_soc", "soc", "0..1", "true state of charge"),
    Sampled("battery_soc_shown", "soc_controller", "0..1", "state of charge as the controller believes"),
    Sampled("battery_c", "t_batt_c", "degC", "battery"),
    Sampled("heatsink_c", "t_heatsink_c", "degC", "controller's heat sink"),
    Sampled("load_on", "load_on", "0, 1", "load output"),
    Sampled("load_v", "v_load_v", "V", "load output"),
    Sampled("load_a", "i_load_a", "A", "load"),
    Sampled("load_w", "p_load_w", "W", "load"),
    Sampled("available_wh", "e_available_wh", "Wh", FLOW["available"].meaning),
    Sampled("missed_wh", "e_missed_wh", "Wh", FLOW["missed"].meaning),
    Sampled("untaken_full_wh", "e_untaken_full_wh", "Wh", FLOW["untaken_full"].meaning),
    Sampled("untaken_limit_wh", "e_untaken_limit_wh", "Wh", FLOW["untaken_limit"].meaning),
    Sampled("untaken_off_wh", "e_untaken_off_wh", "Wh", FLOW["untaken_off"].meaning),
    Sampled("pv_wh", "e_pv_wh", "Wh", FLOW["pv"].meaning),
    Sampled("charge_wh", "e_chg_wh", "Wh", FLOW["chg"].meaning),
    Sampled("load_wh", "e_load_wh", "Wh", FLOW["load"].meaning),
    Sampled("unserved_wh", "e_unserved_wh", "Wh", FLOW["unserved"].meaning),
    Sampled("meter_generated_kwh", "generated_total_kwh", "kWh", "the controller's own meter, total"),
    Sampled("meter_consumed_kwh", "consumed_total_kwh", "kWh", "the controller's own meter, total"),
)  # fmt: skip
SAMPLE_FIELDS: Final = ("t_utc_s", *(sampled.field for sampled in SAMPLES))
STAGE_PLACE: Final = SAMPLE_FIELDS.index("stage")
SINCE_START: Final = " since the run began"

STAGES: Final = tuple(stage.name.lower() for stage in Stage)


class Daily(NamedTuple):
    """A column of `days` and the SQL that makes it from the day's samples."""

    name: str
    unit: str
    meaning: str
    sql: str


def _energy(column: str) -> str:
    """What an energy since the start grew by in the day."""
    before = f"SELECT {column} FROM samples WHERE controller = :controller AND utc_s <= :begin"
    return f"coalesce(max({column}), 0) - coalesce(({before} ORDER BY utc_s DESC LIMIT 1), 0)"


DAYS: Final = (
    Daily("samples", "", "how many samples; 1440 in a whole day of 24 h", "count(*)"),
    Daily("sun_kwh_m2", "kWh/m2", "irradiation of the modules' plane", "coalesce(sum(sun_w_m2), 0) / 60000.0"),
    Daily("available_wh", "Wh", FLOW["available"].meaning, _energy("available_wh")),
    Daily("pv_wh", "Wh", FLOW["pv"].meaning, _energy("pv_wh")),
    Daily("charge_wh", "Wh", FLOW["chg"].meaning, _energy("charge_wh")),
    Daily("load_wh", "Wh", FLOW["load"].meaning, _energy("load_wh")),
    Daily("unserved_wh", "Wh", FLOW["unserved"].meaning, _energy("unserved_wh")),
    Daily("battery_min_v", "V", "lowest of the samples", "min(battery_v)"),
    Daily("battery_max_v", "V", "highest of the samples", "max(battery_v)"),
    Daily("battery_soc_min", "0..1", "lowest true state of charge", "min(battery_soc)"),
    Daily("battery_soc_max", "0..1", "highest true state of charge", "max(battery_soc)"),
    *(
        Daily(f"{stage}_h", "h", f"in charge stage {stage}", f"coalesce(sum(stage = '{stage}'), 0) / 60.0")
        for stage in STAGES
    ),
    Daily("load_on_h", "h", "with the load output on", "coalesce(sum(load_on), 0) / 60.0"),
    Daily(
        "events", "", "transitions, see the table events",
        "(SELECT count(*) FROM events WHERE controller = :controller AND utc_s >= :begin AND utc_s < :end)",
    ),
)  # fmt: skip

DAY_OF_SAMPLES: Final = (
    f"INSERT OR REPLACE INTO days SELECT :controller, :day, {', '.join(daily.sql for daily in DAYS)} "
    "FROM samples WHERE controller = :controller AND utc_s > :begin AND utc_s <= :end"
)

SCHEMA: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT, meaning TEXT)",
    "CREATE TABLE columns (table_name TEXT, column_name TEXT, unit TEXT, meaning TEXT, "
    "PRIMARY KEY (table_name, column_name))",
    "CREATE TABLE controllers (controller INTEGER PRIMARY KEY, name TEXT, unit_id INTEGER, "
    "unit_id_after_power_cycle INTEGER, utc_s INTEGER, time_local TEXT, state TEXT)",
    "CREATE TABLE samples (controller INTEGER, utc_s INTEGER, time_local TEXT, "
    + ", ".join(f"{sampled.name} {'TEXT' if sampled.name == 'stage' else 'REAL'}" for sampled in SAMPLES)
    + ", PRIMARY KEY (controller, utc_s)) WITHOUT ROWID",
    "CREATE TABLE days (controller INTEGER, day TEXT, "
    + ", ".join(f"{daily.name} {'REAL' if daily.unit else 'INTEGER'}" for daily in DAYS)
    + ", PRIMARY KEY (controller, day)) WITHOUT ROWID",
    "CREATE TABLE events (controller INTEGER, number INTEGER, utc_s REAL, time_local TEXT, machine TEXT, "
    "from_state TEXT, to_state TEXT, reason TEXT, rule INTEGER, PRIMARY KEY (controller, number)) WITHOUT ROWID",
    "CREATE INDEX events_by_time ON events (controller, utc_s)",
    "CREATE VIEW settings AS SELECT controller, name, key AS setting, value "
    "FROM controllers, json_each(state, '$.settings')",
    "CREATE VIEW now AS SELECT controller, name, time_local, key AS quantity, value "
    "FROM controllers, json_each(state, '$.snapshot')",
)

_OF_MANY = (
    ("controller", "", "1 is the site's own, then its neighbours; see controllers"),
    ("utc_s", "s", "since 1970-01-01 UTC"),
    ("time_local", "", "civil time at the site, about.timezone"),
)
_OTHERS = (
    ("about", "name", "", "what is told about this file"),
    ("about", "value", "", ""),
    ("about", "meaning", "", "what it is"),
    ("controllers", "name", "", "of the site or neighbour"),
    ("controllers", "unit_id", "", "which it answers to on the line"),
    ("controllers", "unit_id_after_power_cycle", "", "another one if function 45 has set it since"),
    ("controllers", "state", "", "what the plant remembers where it stands, JSON; see the views settings and now"),
    ("days", "day", "", "civil day at the site; a sample at midnight is of the day that ends with it"),
    ("events", "number", "", "1 is the first transition of the run"),
    ("events", "machine", "", "which part of the controller; see docs/stages.md"),
    ("events", "from_state", "", ""),
    ("events", "to_state", "", ""),
    ("events", "reason", "", "why"),
    ("events", "rule", "", "its row in the program's table of rules, from 0"),
    ("settings", "setting", "", "what the controller has in its flash, unit in the name"),
    ("settings", "value", "", ""),
    ("now", "quantity", "", "everything there is to know of the plant where it stands, unit in the name"),
    ("now", "value", "", ""),
)  # fmt: skip
COLUMNS: Final = (
    *((table, *column) for table in ("controllers", "samples", "events") for column in _OF_MANY),
    ("days", *_OF_MANY[0]),
    *_OTHERS,
    *(
        ("samples", sampled.name, sampled.unit, sampled.meaning + SINCE_START * sampled.name.endswith("_wh"))
        for sampled in SAMPLES
    ),
    *(("days", daily.name, daily.unit, daily.meaning) for daily in DAYS),
)


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def in_words(row: int, from_state: int) -> tuple[str, str, str, str]:
    """Machine, state before, state after and reason of a transition by the rule in that row."""
    rule = RULES[row]
    left = STATES[rule.machine](from_state)
    return _words(rule.machine.name), _words(left.name), _words(rule.to.name), rule.reason


def from_words(row: int, left: str) -> int:
    """The state before, from what `in_words` called it."""
    return next(int(state) for state in STATES[RULES[row].machine] if _words(state.name) == left)
