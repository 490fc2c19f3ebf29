"""The tables of a state file, and what each of their columns means: data, made into SQL here.

A column that holds a quantity has its name in `plant.kernel.snapshot.QUANTITIES`, and unit and meaning from there;
`columns` of the file itself tells them.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from plant.controller.charger import Stage
from plant.kernel.snapshot import QUANTITIES

# What is kept of each minute.
SAMPLES: Final = (
    "poa_w_m2", "t_amb_c", "p_mp_w", "v_pv_v", "i_pv_a", "p_pv_w", "stage", "i_chg_a", "v_target_v",
    "v_batt_v", "i_batt_a", "soc", "soc_controller", "t_batt_c", "t_heatsink_c",
    "load_on", "v_load_v", "i_load_a", "p_load_w",
    "e_available_wh", "e_missed_wh", "e_untaken_full_wh", "e_untaken_limit_wh", "e_untaken_off_wh",
    "e_pv_wh", "e_chg_wh", "e_load_wh", "e_unserved_wh", "generated_total_kwh", "consumed_total_kwh",
    "e_untaken_bms_wh", "e_untaken_cold_wh", "e_untaken_pv_high_wh",
)  # fmt: skip
SAMPLE_FIELDS: Final = ("t_utc_s", *SAMPLES)
SAMPLE_COLUMNS: Final = ("controller", "t_utc_s", "time", *SAMPLES)
EVENT_COLUMNS: Final = (
    "controller",
    "number",
    "t_utc_s",
    "time",
    "machine",
    "from_state",
    "to_state",
    "reason",
)
STAGE_PLACE: Final = SAMPLE_FIELDS.index("stage")
SINCE_START: Final = " since the run began"


def insert(table: str, columns: Sequence[str]) -> str:
    """SQL that adds a row, by the names of its columns: a migrated file may have them in another order."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


STAGES: Final = tuple(stage.name.lower() for stage in Stage)


class Daily(NamedTuple):
    """A column of `days` and the SQL that makes it from the day's samples."""

    name: str
    unit: str
    meaning: str
    sql: str
    of: str = ""  # the quantity that it sums up


def _energy(name: str) -> Daily:
    """What an energy since the start grew by in the day."""
    before = f"SELECT {name} FROM samples WHERE controller = :controller AND t_utc_s <= :begin"
    sql = f"coalesce(max({name}), 0) - coalesce(({before} ORDER BY t_utc_s DESC LIMIT 1), 0)"
    return Daily(name, "Wh", QUANTITIES[name].meaning, sql, name)


def _hours(stage: str) -> Daily:
    sql = f"coalesce(sum(stage = '{stage}'), 0) / 60.0"
    return Daily(f"stage_{stage}_h", "h", f"in charge stage {stage}", sql, "stage")


DAYS: Final = (
    Daily("samples", "", "how many samples; 1440 in a whole day of 24 h", "count(*)"),
    Daily(
        "poa_kwh_m2", "kWh/m2", "irradiation of the modules' plane", "coalesce(sum(poa_w_m2), 0) / 60000.0",
        "poa_w_m2",
    ),
    *(_energy(f"e_{flow}_wh") for flow in ("available", "pv", "chg", "load", "unserved")),
    Daily("v_batt_min_v", "V", "lowest of the samples", "min(v_batt_v)", "v_batt_v"),
    Daily("v_batt_max_v", "V", "highest of the samples", "max(v_batt_v)", "v_batt_v"),
    Daily("soc_min", "0..1", "lowest true state of charge", "min(soc)", "soc"),
    Daily("soc_max", "0..1", "highest true state of charge", "max(soc)", "soc"),
    *(_hours(stage) for stage in STAGES),
    Daily("load_on_h", "h", "with the load output on", "coalesce(sum(load_on), 0) / 60.0", "load_on"),
    Daily(
        "events", "", "transitions, see the table events",
        "(SELECT count(*) FROM events WHERE controller = :controller AND t_utc_s >= :begin AND t_utc_s < :end)",
    ),
)  # fmt: skip

DAY_OF_SAMPLES: Final = (
    f"INSERT OR REPLACE INTO days (controller, day, {', '.join(daily.name for daily in DAYS)}) "
    f"SELECT :controller, :day, {', '.join(daily.sql for daily in DAYS)} FROM samples "
    "WHERE controller = :controller AND t_utc_s > :begin AND t_utc_s <= :end"
)

SCHEMA: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT, meaning TEXT)",
    "CREATE TABLE columns (table_name TEXT, column_name TEXT, unit TEXT, meaning TEXT, "
    "PRIMARY KEY (table_name, column_name))",
    "CREATE TABLE controllers (controller INTEGER PRIMARY KEY, name TEXT, unit_id INTEGER, "
    "unit_id_after_power_cycle INTEGER, t_utc_s INTEGER, time TEXT, state TEXT)",
    "CREATE TABLE samples (controller INTEGER, t_utc_s INTEGER, time TEXT, "
    + ", ".join(f"{name} {'TEXT' if name == 'stage' else 'REAL'}" for name in SAMPLES)
    + ", PRIMARY KEY (controller, t_utc_s)) WITHOUT ROWID",
    "CREATE TABLE days (controller INTEGER, day TEXT, "
    + ", ".join(f"{daily.name} {'REAL' if daily.unit else 'INTEGER'}" for daily in DAYS)
    + ", PRIMARY KEY (controller, day)) WITHOUT ROWID",
    "CREATE TABLE events (controller INTEGER, number INTEGER, t_utc_s REAL, time TEXT, machine TEXT, "
    "from_state TEXT, to_state TEXT, reason TEXT, PRIMARY KEY (controller, number)) WITHOUT ROWID",
    "CREATE INDEX events_by_time ON events (controller, t_utc_s)",
)
VIEWS: Final = (
    "CREATE VIEW settings AS SELECT controller, name, key AS setting, value "
    "FROM controllers, json_each(state, '$.settings')",
    "CREATE VIEW now AS SELECT controller, name, time, key AS quantity, value "
    "FROM controllers, json_each(state, '$.snapshot')",
)

_OF_MANY = (
    ("controller", "", "1 is the site's own, then its neighbours; see controllers"),
    ("t_utc_s", QUANTITIES["t_utc_s"].unit, QUANTITIES["t_utc_s"].meaning),
    ("time", "", "civil time at the site, about.timezone"),
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
    ("settings", "setting", "", "what the controller has in its flash, unit in the name"),
    ("settings", "value", "", ""),
    ("now", "quantity", "", "everything there is to know of the plant where it stands, unit in the name"),
    ("now", "value", "", ""),
)  # fmt: skip


def _meaning(name: str) -> str:
    """What a column of `samples` means."""
    quantity = QUANTITIES[name]
    if quantity.codes is not None:  # by name, not by number
        return f"{quantity.meaning}: {', '.join(code.name.lower() for code in quantity.codes)}"
    return quantity.meaning + SINCE_START * name.endswith("_wh") + f"; {quantity.sign}" * bool(quantity.sign)


COLUMNS: Final = (
    *((table, *column) for table in ("controllers", "samples", "events") for column in _OF_MANY),
    ("days", *_OF_MANY[0]),
    *_OTHERS,
    *(("samples", name, QUANTITIES[name].unit, _meaning(name)) for name in SAMPLES),
    *(("days", daily.name, daily.unit, daily.meaning) for daily in DAYS),
)
