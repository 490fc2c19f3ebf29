"""The array's validation, as a test."""

import pytest

from validation.array import computed_checks, measured_checks
from validation.check import MissingEvidence


@pytest.mark.parametrize("check", list(computed_checks()), ids=lambda check: check.what)
def test_value_lies_where_it_was_published(check):
    assert check.passes, f"{check.value:g} {check.unit}, published {check.reference:g}, +-{check.tolerance:g}"


def test_eight_measured_modules_are_met_by_their_data_sheets():
    try:
        checks = list(measured_checks())
    except MissingEvidence as reason:
        pytest.skip(str(reason))
    assert len(checks) == 2 * 8
    assert [check for check in checks if not check.passes] == []
