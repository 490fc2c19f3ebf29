"""The sky's rows of evidence all hold."""

import pytest

from validation.sky import checks


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.what)
def test_sky_meets_its_references(check):
    assert check.passes, f"{check.value:g}, reference {check.reference:g} +- {check.tolerance:g} {check.unit}"
