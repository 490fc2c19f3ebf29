"""Modules by name: ours, a file's, the CEC table's; and what is said when there is none."""

import pytest

from plant.array.module import find_module
from plant.base.problems import ProblemsError


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("Zytech Solar ZT155P", "Zytech_Solar_ZT155P"), ("zytech-solar-zt155p", "Zytech_Solar_ZT155P"),
     ("Zytech_Solar_ZT155", "Zytech_Solar_ZT155P"), ("zytec_zt155p", "zytech_zt155p"),
     ("Philadelphia Solar PS-M36S-95", "Philadelphia_Solar_PS_M36S_95")],
)  # fmt: skip
def test_a_near_name_is_suggested(asked, meant):
    with pytest.raises(ProblemsError, match=rf"did you mean {meant}\?"):
        find_module(asked)


def test_cells_come_from_the_cec_table():
    assert find_module("Zytech_Solar_ZT155P").cells_in_series == 36.0
