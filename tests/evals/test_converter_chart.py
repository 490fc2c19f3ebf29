"""Converter losses against every efficiency chart that could be read, and the files that hold them."""

import numpy as np
import pytest
from scipy.optimize import nnls

from plant.base.configs import config_dir
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import converter_loss_w
from validation.converter import BATTERY_V, CHARTS, TOLERANCE_POINTS, efficiency_percent, judged

POINTS = [
    (model, system_v, v_pv, p, percent)
    for model, chart in CHARTS.items()
    for (system_v, v_pv), line in chart.items()
    for p, percent in judged(model, system_v, line).items()
]
MODELS = sorted(path.stem for path in (config_dir() / "controllers").glob("*.yaml"))
SCALED = ["tracer1210n", "tracer2210n", "tracer3210n"]


def test_every_chart_is_judged_up_to_rated_power():
    """A row lost from the table would go unseen: 48 points of one manual and 71 of the other, less those outside."""
    assert len(POINTS) == 48 + 65
    assert max(p for model, system_v, _, p, _ in POINTS if system_v == 24) == 1040
    assert {p for *_, p, _ in POINTS if p < 150} == {100}


@pytest.mark.parametrize(("model", "system_v", "v_pv", "p_w", "percent"), POINTS)
def test_efficiency_is_the_manuals(model, system_v, v_pv, p_w, percent):
    assert efficiency_percent(model, system_v, v_pv, p_w) == pytest.approx(percent, abs=TOLERANCE_POINTS)


@pytest.mark.parametrize("name", CHARTS)
def test_loss_coefficients_are_the_best_fit_to_the_chart(name):
    """Least squares of relative error over the whole chart from 50 W up gives the file's numbers again."""
    rows, losses = [], []
    for (system_v, v), line in CHARTS[name].items():
        for p, percent in line.items():
            i = p / (BATTERY_V * system_v / 12)
            rows.append(np.array([v, v * i, i * i]) / p)
            losses.append(100 / percent - 1)
    fitted, _ = nnls(np.array(rows), np.array(losses))
    model = ControllerModel.load(name)
    assert [model.k_c_w_v, model.k_s_w_va, model.r_eq_ohm] == pytest.approx(list(fitted), rel=5e-4)


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("system_v", [12, 24])
def test_smaller_controllers_are_as_efficient_at_the_same_share_of_their_rating(name, system_v):
    small, large = (power_stage(ControllerModel.load(n), system_v) for n in (name, "tracer4210n"))
    for share in (0.05, 0.3, 1.0):
        losses = [converter_loss_w(40.0, share * s.i_max_a, s) / s.i_max_a for s in (small, large)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_controller_makes_sense(name):
    """A new controller is tested by existing."""
    m = ControllerModel.load(name)
    assert m.charge_rated_w_12v == pytest.approx(BATTERY_V * m.charge_rated_a)
    assert m.charge_rated_w_24v == pytest.approx(2 * m.charge_rated_w_12v)
    assert m.tracking_max_v < m.pv_rated_v
    assert 0.98 < m.tracking_efficiency < 1.0
    assert 0.1 < m.load_path_ohm * m.load_rated_a < 0.25
    assert 0.0 < m.own_w_12v < m.own_w_24v < 1.0
    full = power_stage(m, 12)
    loss = converter_loss_w(34.0, m.charge_rated_a, full)
    assert 0.94 < m.charge_rated_w_12v / (m.charge_rated_w_12v + loss) < 0.97
    assert 25.0 + loss * m.heatsink_k_w < 81.0  # no derating at full power in a room at 25 degC
    assert 1200.0 * 0.3 < m.heatsink_k_w * m.heatsink_j_k < 3600.0  # warms up within a quarter to one hour
