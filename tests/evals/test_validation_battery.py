"""Batteries and their ageing against data sheets, measurements and independent solutions; the slow rows run in
``make validate``."""

import pytest

from validation import ageing, battery, lithium

GROUPS = (*battery.QUICK, *lithium.QUICK, *ageing.QUICK)


@pytest.mark.parametrize(
    "group", GROUPS, ids=lambda group: f"{group.__module__.split('.')[-1]}-{group.__name__}"
)
def test_every_row_is_within_its_tolerance(group):
    rows = list(group())
    assert rows
    assert [row for row in rows if not row.passes] == []
