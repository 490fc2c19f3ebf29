"""What the API has, a row for each endpoint: the commands of `tell`, one each, and what can be read beside them.

The routes, the OpenAPI document and the guard are made from these rows. Knows no framework.
"""

from typing import Any, Final, NamedTuple

from modbus.codec.requests import LAST_UNIT
from tracertwin.assembly.commands import COMMANDS
from tracertwin.rig.tell import LONGEST_LINE

BASE: Final = "/api/v1"
Schema = dict[str, Any]
MOMENT: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1e11}
UNIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": LAST_UNIT}
NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 200}


class Query(NamedTuple):
    """A parameter of a query or a path."""

    name: str
    schema: Schema
    meaning: str
    place: str = "query"


class Endpoint(NamedTuple):
    """A row."""

    method: str
    path: str
    name: str  # of the handler, and the operation's id
    meaning: str
    queries: tuple[Query, ...] = ()
    body: Schema | None = None
    answer: str = "application/json"
    changes: bool = False  # and so needs the token


OF_UNIT: Final = Query("unit", UNIT, "a controller on the line; the site's own unless given")
AT: Final = Query("at", MOMENT, "an earlier moment of the run [s UTC]; now unless given")
FROM: Final = Query("from", MOMENT, "the first moment [s UTC]")
TO: Final = Query("to", MOMENT, "the last moment [s UTC]")
ARGUMENTS: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "arguments": {
            "type": "string",
            "maxLength": LONGEST_LINE - 100,
            "description": "as `tracertwin tell` takes them",
        }
    },
}
EXPECTATION: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["expectation"],
    "properties": {
        "expectation": {"type": "object", "description": "a row of `expect` of a scenario"},
        "unit": UNIT,
    },
}
KEPT: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": NAME,
        "moments": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["t_utc_s"],
                "properties": {
                    "t_utc_s": MOMENT,
                    "quantities": {"type": "array", "items": NAME, "maxItems": 50},
                },
            },
        },
    },
}

READS: Final = (
    Endpoint("GET", f"{BASE}/about", "about",
             "sites, maps, quantities with unit and meaning, commands, upsets and line faults with their keys"),
    Endpoint("GET", f"{BASE}/now", "now", "time, quantities, what is broken, the lines"),
    Endpoint("GET", f"{BASE}/quantities", "quantities", "true quantities of the plant", (OF_UNIT, AT)),
    Endpoint("GET", f"{BASE}/registers", "registers",
             "every register of both maps, decoded and raw, and what a client last read there", (OF_UNIT, AT)),
    Endpoint("GET", f"{BASE}/registers/{{address}}", "register",
             "one register of the map that is served, by address or name",
             (OF_UNIT, AT, Query("address", NAME, "e.g. 0x311A or battery_soc", "path"))),
    Endpoint("GET", f"{BASE}/history", "history",
             "samples of the run so far; the older they are, the fewer are kept",
             (OF_UNIT, Query("quantities", {"type": "string", "maxLength": 2000}, "names, separated by commas"),
              FROM, TO)),
    Endpoint("GET", f"{BASE}/events", "events", "transitions of the controller and what was done, oldest first",
             (OF_UNIT, FROM)),
    Endpoint("GET", f"{BASE}/traffic", "traffic", "what was heard and said on the lines, decoded",
             (Query("after", {"type": "integer", "minimum": 0, "maximum": 2**53}, "number of the last entry known"),
              Query("most", {"type": "integer", "minimum": 1, "maximum": 1000}, "newest entries; 200 unless given"))),
    Endpoint("GET", f"{BASE}/traffic.pcapng", "capture", "the newest frames as a capture for Wireshark",
             answer="application/octet-stream"),
    Endpoint("GET", f"{BASE}/stream", "stream", "server-sent events: what `now` tells, a few times a second",
             answer="text/event-stream"),
    Endpoint("POST", f"{BASE}/expectations", "expectation",
             "whether an expectation of scenarios holds from the beginning of the run to now", body=EXPECTATION),
    Endpoint("POST", f"{BASE}/scenario", "scenario",
             "the session as a scenario file: what was done as timeline, chosen moments as expectations",
             body=KEPT, answer="application/yaml"),
    Endpoint("GET", "/metrics", "metrics", "quantities and line counters in the text format of Prometheus",
             answer="text/plain"),
    Endpoint("GET", "/openapi.json", "openapi", "this document"),
)  # fmt: skip
ACTIONS: Final = tuple(
    Endpoint("POST", f"{BASE}/commands/{row.name}", f"command_{row.name.replace('-', '_')}",
             f"`{f'{row.name} {row.arguments}'.rstrip()}`: {row.meaning}", body=ARGUMENTS, changes=not row.read_only)
    for row in COMMANDS
)  # fmt: skip
ENDPOINTS: Final = (*READS, *ACTIONS)
CHANGING: Final = frozenset(row.path for row in ENDPOINTS if row.changes)


def is_free(method: str, path: str) -> bool:
    """Whether it changes nothing."""
    return method in ("GET", "HEAD", "OPTIONS") or path not in CHANGING
