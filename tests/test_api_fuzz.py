"""The API under schemathesis: whatever is asked, no server error, and answers as the OpenAPI document has them.

`make api-fuzz` runs it with a thousand examples for each endpoint.
"""

import os
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.pages import Served, served
from tracertwin.web import guard, openapi
from tracertwin.web.endpoints import CHANGING, ENDPOINTS

EXAMPLES = int(os.environ.get("TRACERTWIN_API_EXAMPLES", "6"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ASKED = [row for row in ENDPOINTS if row.name != "stream"]  # which never ends
SCHEMA = schemathesis.openapi.from_dict(openapi.document())


@pytest.fixture(scope="module")
def at() -> Iterator[Served]:
    """A run that ends after an hour, so that no step takes long; its actions come as fast as they like."""
    patch = pytest.MonkeyPatch()
    patch.setattr(guard.Bucket, "passes", lambda _: True)
    with served(for_s=3600.0) as at:
        yield at
    patch.undo()


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row.name)
def test_whatever_is_asked_is_answered_as_the_document_says(at, row):
    """What the document allows, and what it does not; with the token and, where it is needed, without."""
    operation = SCHEMA[row.path][row.method]
    modes = [
        operation.as_strategy(mode) for mode in GenerationMode if mode.is_positive or row.queries or row.body
    ]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.one_of(modes), st.booleans())
    def ask(case, with_token):
        may = with_token or row.path not in CHANGING
        headers = {"Authorization": f"Bearer {at.server.token}"} if with_token else {}
        before = None if may else at.read("now")
        response = case.call(base_url=at.server.url, headers=headers)
        case.validate_response(response, checks=CHECKS)
        if not may:
            assert response.status_code in (401, 413)
            assert at.read("now") == before

    ask()


def test_waiting_holds_nobody_up(at):
    """Commands that wait, more than there may be at once, and reading goes on."""
    waiting = [threading.Thread(target=at.do, args=("wait polled within=500ms",)) for _ in range(12)]
    for thread in waiting:
        thread.start()
    assert at.ask("api/v1/registers").status == 200
    for thread in waiting:
        thread.join()
