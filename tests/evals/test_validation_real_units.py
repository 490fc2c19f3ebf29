"""The rows of the validation beside logs of real units; skipped where the logs, which may not travel, aren't there."""

import pytest

from validation.check import MissingEvidence
from validation.real_logs import BROOKLYN, MELBOURNE, read
from validation.real_units import checks


def test_every_row_is_within_its_tolerance():
    try:
        read(BROOKLYN), read(MELBOURNE)
    except MissingEvidence as reason:
        pytest.skip(f"NOT COMPARED WITH REAL UNITS: {reason}")
    found = list(checks())
    assert len(found) == 61
    assert [check for check in found if not check.passes] == []
