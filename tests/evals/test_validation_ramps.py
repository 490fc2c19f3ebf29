"""Denmark's seasons of ramps stay in their bands; needs the measured minutes, which lie beside the checkout."""

import pytest

from validation import lyngby, ramps


def test_the_seasons_ramps_lie_in_their_bands():
    if not lyngby.FILE.is_file():
        pytest.skip(f"no minutes of DTU Lyngby at {lyngby.FILE}")
    checks = list(ramps.checks())
    assert len(checks) == 5 * len(ramps.WHAT)
    assert [check for check in checks if not check.passes] == []
