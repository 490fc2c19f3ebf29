"""The test bench of EN 50530: its generator, its rows, its account, and the command that runs it."""

import math
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from plant.controller.en50530 import (
    CEC,
    EUROPEAN,
    LEVELS,
    ROWS,
    TECHNOLOGIES,
    Ramps,
    bench,
    characteristic,
    current_a,
    dynamic_row,
    follow,
    generator,
    maximum_power_v,
    open_circuit_v,
    shaded_case,
    shaded_curve,
    static_point,
)
from plant.controller.model import ControllerModel
from plant.power.converter import converter_loss_w
from plant.power.tracker import climbing_from
from plant.report.en50530 import LEAST, Results, measure, rated_generator, row_frame
from tracertwin.cli import main as command

BENCH = bench(ControllerModel.load("tracer4210n"))
FIXED = BENCH.settings._replace(step_share=0.0, sweep_every_s=math.inf)  # a tracker that never moves
NO_LOG = np.empty((0, 5))
kinds = st.sampled_from(sorted(TECHNOLOGIES))


@pytest.fixture(scope="module")
def results() -> Results:
    return measure(BENCH, "c-si")


# --- generator ------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(kind=kinds, g=st.floats(0.5, 1300.0), t_c=st.floats(-20.0, 85.0), v=st.floats(5.0, 80.0))
def test_the_maximum_is_the_one_that_scipy_finds(kind, g, t_c, v):
    c = characteristic(g, t_c, generator(520.0, v, TECHNOLOGIES[kind]))
    v_oc = brentq(lambda u: current_a(u, c), 1e-6, 3.0 * v)
    theirs = minimize_scalar(
        lambda u: -u * current_a(u, c), bounds=(0.0, v_oc), method="bounded", options={"xatol": 1e-9 * v}
    )
    ours = maximum_power_v(c)
    assert open_circuit_v(c) == pytest.approx(v_oc, rel=1e-9)
    assert ours == pytest.approx(theirs.x, rel=1e-6)
    assert ours * current_a(ours, c) == pytest.approx(-theirs.fun, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "share", "tolerance"), [("c-si", 0.9487, 5e-5), ("c-si", 0.95, 5e-3), ("thin-film", 0.98, 5e-3)]
)
def test_voltage_falls_with_irradiance_as_the_standard_says(kind, share, tolerance):
    gen = generator(520.0, 34.0, TECHNOLOGIES[kind])
    low, high = (maximum_power_v(characteristic(g, 25.0, gen)) for g in (200.0, 1000.0))
    assert low / high == pytest.approx(share, abs=tolerance)


def test_the_generator_of_520_w_and_34_v_has_its_published_maximum():
    c = characteristic(1000.0, 25.0, generator(520.0, 34.0, TECHNOLOGIES["c-si"]))
    assert maximum_power_v(c) == pytest.approx(33.901, abs=5e-4)
    assert maximum_power_v(c) * current_a(maximum_power_v(c), c) == pytest.approx(519.576, abs=5e-4)


def test_without_light_the_generator_is_dead():
    c = characteristic(0.0, 25.0, generator(520.0, 34.0, TECHNOLOGIES["c-si"]))
    assert (maximum_power_v(c), open_circuit_v(c), current_a(0.0, c)) == (0.0, 0.0, 0.0)
    assert current_a(20.0, c) == 0.0


# --- rows and account -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequence", "rows", "total_s"), [("A", 11, 15_939), ("B", 6, 6_987), ("C", 1, 2_320)]
)
def test_the_rows_last_as_long_as_the_standard_prints(sequence, rows, total_s):
    durations = [row.duration_s for row in ROWS if row.sequence == sequence]
    assert len(durations) == rows
    assert sum(durations) == pytest.approx(total_s, abs=0.5)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.sequence}{row.slope_w_m2_s:g}")
def test_irradiance_goes_up_and_down_at_the_rows_slope(row):
    at, g = row.corners()
    assert at[-1] == pytest.approx(row.duration_s)
    assert at.size == g.size == 2 + 4 * row.times
    slopes = np.diff(g)[1:] / np.diff(at)[1:]
    assert slopes[0::2] == pytest.approx([row.slope_w_m2_s, -row.slope_w_m2_s] * row.times)
    assert not slopes[1::2].any()
    assert set(g) == {row.low_w_m2, row.high_w_m2}


@pytest.mark.parametrize("weights", [EUROPEAN, CEC], ids=["european", "cec"])
def test_weights_add_up_and_name_measured_levels(weights):
    assert sum(weights.values()) == pytest.approx(1.0)
    assert set(weights) <= set(LEVELS)


def test_energy_on_a_ramp_is_the_integral_that_scipy_finds():
    """A tracker that never moves, cells at 25 degC: what it takes is ``V int I dt``."""
    from scipy.integrate import quad

    gen, v = generator(520.0, 34.0, TECHNOLOGIES["c-si"]), 33.0
    row = Ramps("A", 100.0, 500.0, 10.0, 1, 20.0)
    got = follow(gen, *row.corners(5.0), True, climbing_from(v, 42.5, FIXED), FIXED, BENCH.load, 5.0, NO_LOG)[
        1:3
    ]

    def curve(at_s):
        return characteristic(float(np.interp(at_s, *row.corners(5.0))), 25.0, gen)

    def most(at_s):
        c = curve(at_s)
        return maximum_power_v(c) * current_a(maximum_power_v(c), c)

    corners = row.corners(5.0)[0][1:]
    for energy, power in zip(got, (most, lambda at_s: v * current_a(v, curve(at_s))), strict=True):
        theirs = quad(power, 5.0, corners[-1], points=list(corners), limit=200)[0]
        assert energy == pytest.approx(theirs, rel=1e-5)


def test_the_tracker_measures_at_the_end_of_its_tick():
    gen, t = generator(520.0, 34.0, TECHNOLOGIES["c-si"]), climbing_from(30.0, 42.5, BENCH.settings)
    at, g = np.array([0.0, BENCH.settings.tick_s]), np.array([100.0, 200.0])
    t = follow(gen, at, g, True, t, BENCH.settings, BENCH.load, 0.0, NO_LOG)[0]
    assert t.p_before_w == pytest.approx(30.0 * current_a(30.0, characteristic(200.0, 25.0, gen)))


def test_cells_follow_the_sun_with_a_lag_of_five_minutes():
    row = Ramps("A", 100.0, 500.0, 300.0, 1, 1e5)
    frame = row_frame(BENCH, "c-si", row)
    gen = rated_generator(BENCH, "c-si")

    def v_mp(t_c):
        return maximum_power_v(characteristic(500.0, t_c, gen))

    before, after = 25.0 - 3.0 + 0.03 * 100.0, 25.0 - 3.0 + 0.03 * 500.0
    at = frame.set_index("t_s")["v_mp_v"]
    assert at[at.index > 0.1].iloc[0] == pytest.approx(v_mp(before), rel=1e-4)
    assert at[at.index < 300.0].iloc[-1] == pytest.approx(v_mp(after + (before - after) / math.e), rel=1e-4)


def test_what_is_delivered_is_what_was_taken_less_the_converters_losses():
    stage, v_mp, p = BENCH.load.stage, 34.0, 260.0
    got = static_point(BENCH, TECHNOLOGIES["c-si"], v_mp, 0.5)
    i = got.delivered_j / 600.0 / BENCH.load.v_batt_v
    assert got.available_j == pytest.approx(600.0 * p, rel=1e-9)
    conversion = got.delivered_j / got.taken_j
    assert conversion == pytest.approx(1.0 - converter_loss_w(v_mp, i, stage) / p, abs=1e-3)
    assert got.overall == pytest.approx(got.tracking * conversion)


def test_a_tracker_twice_as_far_from_the_maximum_wastes_four_times_as_much():
    gen = rated_generator(BENCH, "c-si")
    at, g = np.array([0.0, 100.0]), np.array([1000.0, 1000.0])
    v_mp = maximum_power_v(characteristic(1000.0, 25.0, gen))

    def wasted(off_v):
        t = climbing_from(v_mp - off_v, 42.5, FIXED)
        _, available, taken, _ = follow(gen, at, g, True, t, FIXED, BENCH.load, 0.0, NO_LOG)
        return 1.0 - taken / available

    assert wasted(0.1) / wasted(0.05) == pytest.approx(4.0, rel=0.02)


# --- shade ----------------------------------------------------------------------------------------------------


def test_a_half_shaded_module_has_its_two_published_maxima():
    v, i = shaded_curve()
    p = v * i
    half = p.size // 2
    high, low = np.argmax(p[:half]), half + np.argmax(p[half:])
    assert (p[high], v[high]) == (pytest.approx(65.07, abs=0.02), pytest.approx(7.70, abs=0.01))
    assert (p[low], v[low]) == (pytest.approx(47.53, abs=0.02), pytest.approx(17.92, abs=0.01))


def test_only_a_sweep_leaves_the_lower_maximum():
    shade = shaded_case(BENCH)
    low_v, high_v = BENCH.window_v
    assert low_v < shade.v_mp_v[0] * 1.05 < shade.v_mp_v[1] * 1.05 < high_v
    assert shade.before.tracking == pytest.approx(0.730, abs=2e-3)  # physics: 73.0 % for a P&O from V_oc
    assert shade.after.tracking > 0.995


# --- the whole ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEAST)
def test_the_tracker_reaches_what_the_project_promises(results, name):
    assert results.verdict()[name] >= LEAST[name]
    assert results.holds


def test_no_tracker_takes_more_than_there_is(results):
    for energies in (*results.static.values(), *results.dynamic.values(), results.shade.after):
        assert energies.delivered_j < energies.taken_j <= energies.available_j


def test_a_still_sun_costs_little_more_than_the_sweep(results):
    assert all(0.999 < energies.tracking < 0.9999 for energies in results.static.values())


def test_a_tracker_that_looks_once_a_second_and_once_a_move_loses_its_way_on_ramps():
    plain = BENCH.settings._replace(looks_twice=False, tick_s=1.0, sweep_every_s=math.inf)
    gen = rated_generator(BENCH, "c-si")
    start = climbing_from(34.0, 42.5, plain)
    reached = [dynamic_row(BENCH._replace(settings=plain), gen, row, start).tracking for row in ROWS[:11]]
    assert min(reached) < 0.90
    assert np.mean(reached) < 0.97


# --- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tracertwin", "en50530", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_the_command_prints_every_row_and_fits_80_columns(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = call()
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    rows = re.findall(
        r"^ ?([ABC]) +(\d+) to (\d+) +([\d.]+) +(\d+) +([\d.]+) +(\d+) +([\d.]+) ", out, re.MULTILINE
    )
    assert [(row[0], float(row[3]), int(row[4])) for row in rows] == [
        (row.sequence, row.slope_w_m2_s, row.times) for row in ROWS
    ]
    assert all(98.0 < float(row[-1]) <= 100.0 for row in rows)
    assert out.count("holds") == len(LEAST)


def test_a_slow_tracker_fails_with_exit_code_1(call):
    code, out, _ = call("--tick", "10s")
    assert code == 1
    assert "fails" in out


def test_the_command_draws_a_picture(call, tmp_path):
    path = tmp_path / "row.png"
    assert call("--technology", "thin-film", "--plot", str(path))[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--technology", "c-sj"], r"--technology: must be one of c-si, thin-film, got 'c-sj' \(did you mean c-si\?\)"),
        (["--tick", "1min"], r"--tick: must lie in 10ms\.\.10s, got 60 s"),
        (["--tick", "often"], r"--tick: 'often' is not a valid duration; .*"),
        (["--controller", "tracer"], r"tracer: not one of the controllers: .*tracer4210n.*"),
        (["--plot", "row.bmp"], r".*row\.bmp.*\.svg.*"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_bad_input_is_told_in_one_line(call, arguments, says):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"tracertwin: {says}\n", err)
