"""The rows of the validation of the loads."""

import pytest

from validation.load import checks

CHECKS = list(checks())


@pytest.mark.parametrize("check", CHECKS, ids=[check.what for check in CHECKS])
def test_value_is_within_its_tolerance(check):
    assert check.passes, (
        f"{check.what}: {check.value:.3f} {check.unit}, {check.source} has {check.reference:.3f}"
    )
