"""The OpenAPI document, made from the rows of the API; ``python -m tracertwin.web.openapi`` writes it."""

import json
from pathlib import Path
from typing import Any, Final

from tracertwin.web.endpoints import ENDPOINTS, Endpoint, Schema

FILE: Final = Path(__file__).with_name("openapi.json")
ERRORS: Final = {
    "400": "the request is invalid; the error says what is allowed",
    "401": "the token is missing",
    "403": "the page that asks is of another origin",
    "413": "the body is too large",
    "421": "the Host header names no address of this server",
    "429": "too many actions a second",
}
ANSWERS: Final[dict[str, Schema]] = {
    "application/json": {},
    "application/octet-stream": {"type": "string", "format": "binary"},
    "application/yaml": {"type": "object"},  # once it is read
}


def document() -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for row in ENDPOINTS:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TracerTwin",
            "version": "1",
            "description": "A simulated off-grid solar plant: read it, control it. What changes something needs the "
            "token that `serve --web` prints.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": error},
            "responses": {
                code: {
                    "description": meaning,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for code, meaning in ERRORS.items()
            },
        },
    }


def _operation(row: Endpoint) -> dict[str, Any]:
    schema = ANSWERS.get(row.answer, {"type": "string"})
    operation: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.meaning,
        "security": [{"token": []}] if row.changes else [{}, {"token": []}],
        "parameters": [
            {
                "name": query.name,
                "in": query.place,
                "required": query.place == "path",
                "description": query.meaning,
                "schema": query.schema,
            }
            for query in row.queries
        ],
        "responses": {
            "200": {
                "description": "done" if row.changes else row.meaning,
                "content": {row.answer: {"schema": schema}},
            },
            **{code: {"$ref": f"#/components/responses/{code}"} for code in ERRORS},
        },
    }
    if row.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": row.body}}}
    return operation


def text() -> str:
    """The document as it stands in the file."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {FILE}")
