"""Two days of four whole plants stay beside another program's runs of them."""

from validation import reference_runs


def test_every_energy_time_and_voltage_agrees():
    checks = list(reference_runs.checks())
    assert len(checks) >= 42
    assert [check for check in checks if not check.passes] == []
