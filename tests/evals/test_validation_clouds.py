"""The month of clouds stays in its bands: the model's rows, which need no network."""

from validation import clouds


def test_every_statistic_of_the_model_lies_in_its_band():
    checks = list(clouds.model_checks())
    assert {check.what for check in checks} == {f"model: {clouds.WHAT[name][0]}" for name in clouds.BANDS}
    assert [check for check in checks if not check.passes] == []
