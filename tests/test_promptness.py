"""Python's housekeeping keeps no reply waiting."""

import gc
import sys

from tracertwin.promptness import OWN_THRESHOLDS, collect_seldom, prompt


def test_a_program_that_starts_looks_for_garbage_less_often_than_one_that_serves():
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.get_threshold()[0] > OWN_THRESHOLDS[0]
        with prompt():
            assert gc.get_threshold() == OWN_THRESHOLDS
    finally:
        gc.set_threshold(*before)


def test_what_is_there_when_serving_begins_is_not_looked_through_and_the_lock_is_handed_over_soon():
    before_s = sys.getswitchinterval()
    with prompt():
        assert gc.get_freeze_count() > 10_000
        assert sys.getswitchinterval() < 1e-4
    assert gc.get_freeze_count() == 0
    assert sys.getswitchinterval() == before_s
