"""The array's validation, as a test."""

import pytest

from validation.array import checks


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.what)
def test_value_lies_where_it_was_published(check):
    assert check.passes, f"{check.value:g} {check.unit}, published {check.reference:g}, +-{check.tolerance:g}"
