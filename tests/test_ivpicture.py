"""The picture of the array's curves: the controller's point lies on what is drawn."""

import numpy as np
import pytest

from plant.plant import Plant
from plant.report.ivpicture import iv_curves, iv_picture_of
from plant.report.picture import save
from tests.plants import plant


@pytest.fixture(scope="module")
def noon() -> Plant:
    """A cabin that tracks under a clear sky."""
    p = plant(sky={"clearness": None}, battery={"soc": 0.5})
    p.run(2 * 3600, 600)
    return p


def test_the_operating_point_lies_on_the_curve_but_for_the_trackers_loss(noon):
    inputs, k, stage = noon.last_step()
    whole, parts = iv_curves(inputs.array, k)
    seen = noon.snapshot
    drawn_a = np.interp(seen.v_pv_v, whole["v"], whole["i"])
    assert seen.i_pv_a == pytest.approx(stage.efficiency * drawn_a, rel=1e-3)
    assert len(parts) == 0


def test_the_highest_power_drawn_is_what_the_array_could_give(noon):
    inputs, k, _ = noon.last_step()
    whole, _ = iv_curves(inputs.array, k)
    assert whole["p"].max() == pytest.approx(noon.snapshot.p_mp_w, rel=1e-3)
    assert whole["i"].iloc[-1] == pytest.approx(0.0, abs=1e-6)
    assert np.all(np.diff(whole["i"]) <= 0.0)


def test_the_picture_says_where_when_and_what_the_controller_does(noon, tmp_path):
    title = iv_picture_of(noon).to_dict()["title"]
    assert title["text"] == "Cabin, 20 Feb 2026 12:00"
    assert "tracking" in title["subtitle"]
    path = tmp_path / "iv.svg"
    save(iv_picture_of(noon), path)
    assert path.read_text(encoding="utf-8").startswith("<svg")


def test_a_night_is_drawn_too():
    p = plant(start_utc_s=1_771_545_600)
    p.run(3600, 600)
    assert iv_picture_of(p).to_dict()["title"]["subtitle"] == "darkness"
