"""The tracker against EN 50530 and against trackers that were run elsewhere."""

import pytest

from validation.tracker import checks


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.what)
def test_tracker_agrees_with_its_reference(check):
    assert check.passes, (
        f"{check.value:.3f} {check.unit}, reference {check.reference:g} +- {check.tolerance:g}"
    )
