"""More module or a larger battery brings no outage to a plant without, for random sites under the same weather.

More modules never serve less. With a larger battery an outage may last longer: the controller gives the load back at a
voltage, which a larger battery takes more charge to reach. A plant that is short for weeks may so serve a little less.
With a charger that waits for a low charge none of this holds.
"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.sweep.designs import base_of
from tracertwin.sizing.sweep.evaluating import tables_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis
from tracertwin.sizing.sweep.years import WeatherYear

HOUR = 3600
ROUNDING_WH = 1e-6
DAYS = SharedDays(KeptSkies())
# A controller that is set for its battery; one that isn't has a lithium battery's own protection open when it is full.
TYPE_OF = {"agm": "sealed", "gel": "gel", "flooded": "flooded", "lifepo4": "lifepo4_4s"}


@st.composite
def sites(draw):
    """Keys of a site, a seed, watts and ampere-hours."""
    model = draw(st.sampled_from(sorted(TYPE_OF)))
    keys = {
        "location.latitude_deg": draw(st.integers(-50, 55)),
        "sky.clearness": draw(st.sampled_from([0.3, 0.45, 0.6])),
        "array.tilt_deg": draw(st.sampled_from([10, 30, 50])),
        "array.azimuth_deg": draw(st.sampled_from([0, 90, 180])),
        "array.losses.wiring_ohm": draw(st.sampled_from([0.0, 0.05])),
        "load.scale": draw(st.sampled_from([0.4, 0.8, 1.2, 2.0])),
        "load.noise": draw(st.sampled_from([0.0, 0.3])),
        "battery.model": model,
        "controller.battery_type": TYPE_OF[model],
    }
    return keys, draw(st.integers(0, 10**6)), draw(st.integers(50, 400)), draw(st.integers(30, 300))


def lived(keys: dict, seed: int, watts: float, ah: float) -> MonthlyFigures:
    design = base_of("cabin", keys).design([Axis(PV, (watts,)), Axis(BATTERY, (ah,))], [watts, ah])
    return MonthlyFigures(tables_of(design.site, [WeatherYear(seed, 2026)], HOUR, DAYS)[0])


@settings(max_examples=12)
@given(sites(), st.sampled_from([1.05, 1.2, 2.0]))
def test_more_module_never_serves_less_and_a_larger_battery_brings_no_outage_where_none_was(drawn, times):
    keys, seed, watts, ah = drawn
    small = lived(keys, seed, watts, ah)
    more_module, more_battery = lived(keys, seed, watts * times, ah), lived(keys, seed, watts, ah * times)
    assert more_module.yearly("unserved_wh") <= small.yearly("unserved_wh") + ROUNDING_WH
    if small.yearly("unserved_wh") <= ROUNDING_WH:
        assert more_battery.yearly("unserved_wh") <= ROUNDING_WH


def test_an_outage_of_a_larger_battery_lasts_longer_for_it_has_to_be_charged_more_before_the_load_comes_back():
    """Two outages of a dull winter, 298 Ah and a fifth more."""
    keys = {
        "location.latitude_deg": -26.3, "sky.clearness": 0.44, "array.tilt_deg": 50, "load.scale": 0.94,
        "load.noise": 0.3, "weather.temperature_c": 5.0, "battery.room_c": 20.0,
    }  # fmt: skip
    small, large = (lived(keys, 318667, 201.0, 298.0 * times) for times in (1.0, 1.2))
    assert small.yearly("outages") == large.yearly("outages") == 2
    assert large.yearly("outage_h") > 1.1 * small.yearly("outage_h")
    at_once = {**keys, "controller.setpoints": {"low_voltage_reconnect_v": 11.2}}
    small, large = (lived(at_once, 318667, 201.0, 298.0 * times) for times in (1.0, 1.2))
    assert large.yearly("unserved_wh") < small.yearly("unserved_wh")


@pytest.mark.parametrize("metric", ["unserved_wh", "unserved_h"])
def test_the_loss_falls_steeply_at_first_and_then_slowly(metric):
    """The shape of every published curve of loss against size."""
    keys = {"load.scale": 2.0}
    losses = [float(lived(keys, 1, watts, 100.0).yearly(metric)) for watts in (100, 150, 200, 250, 300)]
    falls = [a - b for a, b in pairwise(losses)]
    assert all(a > b for a, b in pairwise(falls)), losses
    assert falls[-1] >= 0.0
