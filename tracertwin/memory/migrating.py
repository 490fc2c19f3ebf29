"""State files of older versions, brought up to this one's tables.

A step for each version: what it writes down is the names of its own time, so that no later change of the program
alters it. Views and what `columns` tells of each column are made anew after the last step. The caller has a
transaction open and decides whether it is kept. What plants remember has a version of its own, see
`plant.saving.versions`: it is brought up to date where it is read.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

from plant.saving.from3 import REFUSED, site_of_3
from plant.saving.versions import site_of_1, site_of_2
from tracertwin.memory.tables import COLUMNS, VIEWS

FILE_VERSION: Final = 4  # of the tables; bytes 60 to 63 of the file


def migrate(database: sqlite3.Connection) -> None:
    """Bring the tables up to `FILE_VERSION`.

    Raises
    ------
    sqlite3.Error
    """
    (found,) = database.execute("PRAGMA user_version").fetchone()
    for name, kind in database.execute("SELECT name, type FROM sqlite_master").fetchall():
        if kind == "view":  # SQLite refuses to rename a column under a view
            database.execute(f"DROP VIEW {name}")
    for version in range(found, FILE_VERSION):
        STEPS[version](database)
        database.execute(f"PRAGMA user_version = {version + 1}")
    for statement in VIEWS:
        database.execute(statement)
    database.execute("DELETE FROM columns")
    database.executemany("INSERT INTO columns VALUES (?, ?, ?, ?)", COLUMNS)


# --- version 1 to 2: names as in the snapshot; events without the rows of rules ------------------------------------

_TIME: Final = {"utc_s": "t_utc_s", "time_local": "time"}
RENAMED_IN_2: Final[Mapping[str, Mapping[str, str]]] = {
    "controllers": _TIME,
    "events": _TIME,
    "samples": {
        **_TIME,
        "sun_w_m2": "poa_w_m2",
        "air_c": "t_amb_c",
        "array_could_give_w": "p_mp_w",
        "pv_v": "v_pv_v",
        "pv_a": "i_pv_a",
        "pv_w": "p_pv_w",
        "charge_a": "i_chg_a",
        "charge_target_v": "v_target_v",
        "battery_v": "v_batt_v",
        "battery_a": "i_batt_a",
        "battery_soc": "soc",
        "battery_soc_shown": "soc_controller",
        "battery_c": "t_batt_c",
        "heatsink_c": "t_heatsink_c",
        "load_v": "v_load_v",
        "load_a": "i_load_a",
        "load_w": "p_load_w",
        "available_wh": "e_available_wh",
        "missed_wh": "e_missed_wh",
        "untaken_full_wh": "e_untaken_full_wh",
        "untaken_limit_wh": "e_untaken_limit_wh",
        "untaken_off_wh": "e_untaken_off_wh",
        "pv_wh": "e_pv_wh",
        "charge_wh": "e_chg_wh",
        "load_wh": "e_load_wh",
        "unserved_wh": "e_unserved_wh",
        "meter_generated_kwh": "generated_total_kwh",
        "meter_consumed_kwh": "consumed_total_kwh",
    },
    "days": {
        "sun_kwh_m2": "poa_kwh_m2",
        "available_wh": "e_available_wh",
        "pv_wh": "e_pv_wh",
        "charge_wh": "e_chg_wh",
        "load_wh": "e_load_wh",
        "unserved_wh": "e_unserved_wh",
        "battery_min_v": "v_batt_min_v",
        "battery_max_v": "v_batt_max_v",
        "battery_soc_min": "soc_min",
        "battery_soc_max": "soc_max",
        **{f"{stage}_h": f"stage_{stage}_h" for stage in ("none", "bulk", "boost", "equalize", "float")},
    },
}


def _to_2(database: sqlite3.Connection) -> None:
    for table, renamed in RENAMED_IN_2.items():
        for old, new in renamed.items():
            database.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    database.execute("ALTER TABLE events DROP COLUMN rule")  # a row of the rules that version had
    database.execute("DELETE FROM about WHERE name = 'layout'")
    for (site,) in database.execute("SELECT value FROM about WHERE name = 'site'").fetchall():
        changed = json.dumps(site_of_1(json.loads(site)))
        database.execute("UPDATE about SET value = ? WHERE name = 'site'", (changed,))


# --- version 2 to 3: keys that a site didn't have ------------------------------------------------------------------


def _to_3(database: sqlite3.Connection) -> None:
    for (site,) in database.execute("SELECT value FROM about WHERE name = 'site'").fetchall():
        changed = json.dumps(site_of_2(json.loads(site)))
        database.execute("UPDATE about SET value = ? WHERE name = 'site'", (changed,))


# --- version 3 to 4: what refused available energy; further keys of a site ------------------------------------------


def _to_4(database: sqlite3.Connection) -> None:
    for column in (f"e_{flow}_wh" for flow in REFUSED):  # version 3 told none of them from the others
        database.execute(f"ALTER TABLE samples ADD COLUMN {column} REAL")
        database.execute(f"UPDATE samples SET {column} = 0.0")
    for (site,) in database.execute("SELECT value FROM about WHERE name = 'site'").fetchall():
        changed = json.dumps(site_of_3(json.loads(site)))
        database.execute("UPDATE about SET value = ? WHERE name = 'site'", (changed,))


STEPS: Final[Mapping[int, Callable[[sqlite3.Connection], None]]] = {1: _to_2, 2: _to_3, 3: _to_4}
