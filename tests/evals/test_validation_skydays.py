"""Days in a row and their direct light, beside measured places.

The off-grid plants themselves, of `validation.pvgis`, take minutes: `make validate` runs them.
"""

import pytest

from validation import skydays
from validation.check import MissingEvidence


def test_direct_light_and_tilted_planes_are_as_measured():
    checks = list(skydays.light_checks())
    assert len(checks) == 15
    assert [check for check in checks if not check.passes] == []


def test_days_follow_one_another_as_at_measured_places():
    try:
        checks = list(skydays.place_checks())
    except MissingEvidence as error:
        pytest.skip(str(error))
    assert len({check.what.partition(":")[0] for check in checks}) == 17
    assert [check for check in checks if not check.passes] == []
