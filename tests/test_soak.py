"""A soak of seconds, the rule by which a long one is judged, and that it can fail. The long one: `make soak`."""

import sys
from pathlib import Path

import pytest

from tests.endurance.clients import Poller, WrongError
from tests.endurance.process import Limits, Sample, growth
from tests.endurance.soak import Plan, soak, table
from tests.endurance.tabs import watch


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_plant_bears_clients_of_every_manner_for_seconds_and_leaves_nothing_open(tmp_path: Path) -> None:
    """Memory still grows here: caches fill, and clients come and go between the few samples of seconds.

    What is open is judged by the counts before the first client and after the last.
    """
    plan = Plan(requests=5_000, reconnects=50, days=2.0, every_s=0.25, limits=Limits(1e3, 1e3, 1e3))
    outcome = soak(plan, tmp_path)
    assert outcome.wrong == []
    assert outcome.answered >= 5_000
    assert outcome.connects >= 50
    assert outcome.days >= 2.0
    assert len(table(outcome).splitlines()) == 14


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ten_tabs_hear_everything() -> None:
    """Some days; that memory stays flat, and who takes nothing is dropped, a year has to show: `make tabs`."""
    _, wrong = watch(4.0, 0.25, Limits(1e3, 1e3, 1e3))
    assert wrong == []


def samples(**grows: float) -> list[Sample]:
    """A hundred of them, in which some things grow to the end."""
    return [
        Sample(
            t, 300.0 + grows.get("mb", 0.0) * t / 99, 20 + t % 3 + int(grows.get("files", 0.0) * t / 99),
            9 + int(grows.get("threads", 0.0) * t / 99), 1000 * t,
        )
        for t in range(100)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grows", "told"),
    [
        ({}, []),
        ({"mb": 3.0}, []),
        ({"mb": 6.0}, ["memory grew by"]),
        ({"mb": 30.0}, ["memory grew by", "memory rose to"]),
        ({"files": 6.0}, ["files: "]),
        ({"threads": 9.0}, ["threads: "]),
    ],
)
def test_what_grows_is_told(grows: dict[str, float], told: list[str]) -> None:
    said = growth(samples(**grows), Limits())
    assert [line[: len(start)] for line, start in zip(said, told, strict=True)] == told


def test_a_counter_that_goes_back_and_a_reply_that_is_wrong_are_told() -> None:
    poller = Poller("listen:127.0.0.1:1", 1)
    up = bytes(3) + b"\0\2\0\0" + bytes(12) + b"\0\5\0\1" + bytes(2)
    poller._check_counters(up)
    poller._check_counters(up)
    with pytest.raises(WrongError, match="went back"):
        poller._check_counters(bytes(3) + b"\0\2\0\0" + bytes(12) + b"\0\4\0\1" + bytes(2))
