"""The rows of the validation of the shipped batteries beside data sheets and measured batteries."""

import pytest

from validation import battery_sheets
from validation.check import MissingEvidence


@pytest.mark.parametrize("group", battery_sheets.QUICK, ids=lambda group: group.__name__)
def test_every_row_is_within_its_tolerance(group):
    try:
        checks = list(group())
    except MissingEvidence as reason:
        pytest.skip(str(reason))
    assert checks
    assert [check for check in checks if not check.passes] == []
