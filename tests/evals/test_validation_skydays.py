"""Days in a row and their direct light, beside measured places; what PVGIS's plants count as full and empty.

The off-grid plants themselves, of `validation.pvgis`, take minutes: `make validate` runs them.
"""

import numpy as np
import pytest

from plant.kernel.snapshot import Snapshot
from validation import pvgis, skydays
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


def test_a_day_is_full_by_its_charge_or_what_it_refuses_and_empty_by_what_goes_unserved():
    days, hours = 5, 24
    rows = np.zeros((days * hours, len(Snapshot._fields)))
    column = {name: rows[:, n] for n, name in enumerate(Snapshot._fields)}
    column["t_utc_s"][:] = 3600.0 * np.arange(1, days * hours + 1)
    column["soc"][:] = 0.6
    column["soc"][1 * hours + 14] = 0.99
    column["e_untaken_full_wh"][2 * hours + 12 :] = 5.0
    column["e_unserved_wh"][3 * hours + 4 :] = 2.0
    column["e_available_wh"][:] = 10.0 * np.arange(1, days * hours + 1)
    found = pvgis.days_of(rows)
    assert found.full.tolist() == [False, True, True, False, False]
    assert found.empty.tolist() == [False, False, False, True, False]
    assert found.refused_wh.tolist() == [0.0, 0.0, 5.0, 0.0, 0.0]
    assert found.offered_wh[1:] == pytest.approx(240.0)
