"""The pytest plugin: the fixtures in the hands of a test, and whole runs of pytest that use them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modbus.codec.requests import ReadWords
from modbus.line.endpoint import parse_endpoint
from modbus.master.client import Master, NoReplyError
from plant.base.arraycache import VARIABLE, cache_home
from plant.base.clock import DAY_S
from plant.controller.charger import Stage
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from tests import qemu as emulator

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
CACHE = cache_home()
SUMMER = {"start": "2026-06-21T00:00", "overrides": {"sky.clearness": None, "battery.room_c": 25}}


def master_of(tracer) -> Master:
    return Master(parse_endpoint(f"dial:{tracer.host}:{tracer.port}"))


def ask(master: Master, address: int, count: int = 1) -> tuple[int, ...]:
    return master.ask(ReadWords(1, 4, address, count)).words


# --- time ---


@pytest.mark.tracer(**SUMMER)
def test_a_plant_in_a_test_is_the_plant_that_runs_alone(tracer):
    tracer.advance("2h")
    tracer.at("14:30")
    tracer.read("battery_voltage")
    assert f"{tracer.now:%H:%M}" == "14:30"
    alone = Plant.new(tracer._prepared.site, tracer._live.plant.seed, tracer._prepared.start_utc_s)
    assert alone.advance_to(alone.start_utc_s + 14.5 * 3600) == tracer.snapshot


@pytest.mark.tracer(**SUMMER)
def test_until_stops_at_the_first_grid_point_that_shows_it(tracer):
    tracer.until(stage="float")
    assert tracer.stage == "float"
    alone = Plant.new(tracer._prepared.site, tracer._live.plant.seed, tracer._prepared.start_utc_s)
    rows = alone.run(DAY_S, 5)
    floats = rows[:, Snapshot._fields.index("stage")] == Stage.FLOAT
    assert tracer.snapshot.t_utc_s == rows[floats][0, 0]
    tracer.expect(count="stage becomes float", exactly=1)


@pytest.mark.tracer(**SUMMER)
def test_until_gives_up_in_plant_time_and_says_how_near_it_came(tracer):
    began = tracer.now
    with pytest.raises(AssertionError, match=r"v_batt_v >= 20 V did not come within 3h .* away"):
        tracer.until(v_batt_v=">= 20 V", within="3h")
    assert tracer.now == began
    with pytest.raises(ValueError, match="hardly ever"):
        tracer.until(v_batt_v=14.4)


@pytest.mark.tracer(**SUMMER)
def test_times_are_those_of_scenarios(tracer):
    tracer.at("sunrise+1h")
    assert tracer.now.hour in (4, 5, 6)
    tracer.at("noon")
    tracer.at("day 2 06:00")
    assert f"{tracer.now:%d %H:%M}" == "22 06:00"
    with pytest.raises(ValueError, match="is past"):
        tracer.at("day 1 12:00")
    tracer.at("05:00")
    assert tracer.now.day == 23


# --- on the line ---


def test_a_client_reads_what_the_test_reads_and_its_polls_are_kept(tracer):
    with master_of(tracer) as master:
        (word,) = ask(master, 0x3104)
        assert word / 100 == tracer.read("battery_voltage") == tracer.read(0x3104)
        ask(master, 0x5000)
    first, second = tracer.polls
    assert (first.outcome, first.mapped, list(first.addresses)) == ("reply", True, [0x3104])
    assert not second.mapped
    with pytest.raises(AssertionError, match="1 of 2 requests ask for an unmapped register"):
        tracer.expect(only_mapped=True)
    tracer.expect(never_writes=[0x9000])


@pytest.mark.tracer(link="pty")
def test_on_a_pty(tracer):
    assert Path(tracer.path).exists()
    with Master(parse_endpoint(f"serial:{tracer.path}")) as master:
        assert ask(master, 0x3104)[0] == round(100 * tracer.read(0x3104))


@pytest.mark.tracer(link="unix")
def test_on_a_unix_socket(tracer):
    with Master(parse_endpoint(f"unix:{tracer.path}")) as master:
        assert ask(master, 0x3104)[0] == round(100 * tracer.read(0x3104))
    with pytest.raises(AttributeError, match="no port"):
        _ = tracer.port


def test_a_line_fault_strikes_the_client_not_the_test(tracer):
    tracer.line("drop", 1.0)
    with master_of(tracer) as master:
        with pytest.raises(NoReplyError):
            master.ask(ReadWords(1, 4, 0x3104, 1), timeout_s=0.3)
        assert tracer.read(0x3104) > 10.0
    assert [asked.outcome for asked in tracer.polls] == ["silence"]
    tracer.line("off")
    with master_of(tracer) as master:
        assert ask(master, 0x3104)


def test_polled_waits_for_a_whole_round(tracer):
    with pytest.raises(AssertionError, match="no whole round"):
        tracer.polled(within="50ms")


# --- what is done ---


@pytest.mark.tracer(**SUMMER)
def test_what_breaks_shows_and_is_mended(tracer):
    tracer.at("12:00")
    tracer.inject("battery_disconnected")
    tracer.advance("1min")
    broken = tracer.snapshot.i_batt_a
    tracer.mend("battery_disconnected")
    tracer.advance("10min")
    assert broken == 0.0
    assert tracer.snapshot.i_batt_a != 0.0
    with pytest.raises(ValueError, match="load_short"):
        tracer.inject("load_shrot")
    with pytest.raises(ValueError, match="load_short is not broken"):
        tracer.mend("load_short")


@pytest.mark.tracer(map="epever", settings={"boost_duration": 60})
def test_settings_are_written_as_a_client_does(tracer):
    assert tracer.read("boost_duration") == 60
    tracer.write(boost_duration="90min")
    assert tracer.read("boost_duration") == 90
    assert tracer.polls == []
    with pytest.raises(AssertionError, match=r"exception 04.*: boost_voltage can be written only with"):
        tracer.write("boost_voltage=16.9V")


# --- branches ---


@pytest.mark.tracer(**SUMMER)
def test_a_fork_goes_on_as_the_plant_itself_does_to_the_same_bits(tracer):
    tracer.advance("36h")
    saved = tracer.save()
    tracer.inject("load_short")
    tracer.advance("1h")
    one, two = saved.fork(), saved.fork()
    one.inject("load_short")
    one.advance("1h")
    assert one.snapshot == tracer.snapshot
    two.advance("1h")
    assert two.snapshot != tracer.snapshot
    two.expect(always="v_batt_v <= 15 V")
    assert two.record().t_s[0] == tracer.record().t_s[0]
    assert len({tracer.link, one.link, two.link}) == 3
    with master_of(two) as master:
        assert ask(master, 0x3104)[0] == int(100 * two.read(0x3104) + 0.5)


def test_a_tracer_for_many_tests(make_tracer):
    days = make_tracer(**SUMMER).save()
    assert days.fork().now == days.fork().now


@pytest.mark.parametrize(
    "act",
    [
        lambda tracer: tracer.expect("v_batt_v >= 1 V"),
        lambda tracer: tracer.read("soc"),
        lambda tracer: tracer.tell("speed 60"),
        lambda tracer: tracer.close(),
    ],
)
def test_a_plant_whose_thread_was_ended_by_a_bug_passes_no_test(make_tracer, monkeypatch, act):
    def broken(*_):
        raise ZeroDivisionError

    tracer = make_tracer(**SUMMER, clock="wall", speed=1000.0)
    monkeypatch.setattr(tracer._live.plant, "run", broken)
    assert tracer._live.ended.wait(10.0)
    with pytest.raises(ZeroDivisionError):
        act(tracer)
    tracer._live.error = None  # told; the fixture would tell it again


# --- what a failure leaves ---


@pytest.mark.tracer(**SUMMER)
def test_the_journal_replays_to_the_same_bytes(tracer, call):
    tracer.advance("9h")
    tracer.inject("load_short", ohm=0.05, lasts="10min")
    with master_of(tracer) as master:
        for _ in range(3):
            ask(master, 0x3100, 8)
            tracer.advance("1min")
    tracer.close()
    code, said, wrong = call("replay", str(tracer.journal))
    assert code == 0, wrong
    assert "3 " in said


# --- an emulator ---


@pytest.fixture(scope="session")
def kernel(tmp_path_factory) -> Path:
    emulator.require_tools()
    return emulator.builder(tmp_path_factory.mktemp("kernel"))(ROUND_PAUSE_MS=5, TIMEOUT_MS=2000)


@pytest.mark.tracer(**SUMMER)
def test_firmware_sees_what_the_test_does_to_the_plant(tracer, qemu, kernel):
    tracer.at("12:00")
    qemu.boot(kernel)
    qemu.wait_for(r"round 1 pv .*\n")
    tracer.advance("6h")
    tracer.polled()
    qemu.wait_for(f"batt {tracer.read('battery_voltage'):.2f} V")
    tracer.expect(only_mapped=True)
    assert "master up" in qemu.console
    with pytest.raises(AssertionError, match=r"went by before 'no such text'[\s\S]*round"):
        qemu.wait_for("no such text", timeout=0.2)


def test_without_an_emulator_a_test_is_skipped_and_says_so(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.qemu(emulator="qemu-system-none")
        def test_it(qemu):
            pass
        """
    )
    result = run(pytester, "-rs")
    result.assert_outcomes(skipped=1)
    assert "qemu-system-none is not installed" in result.stdout.str()


def test_a_machine_that_cannot_be_booted_is_told_in_a_line(pytester):
    fake = pytester.path / "fake-qemu"
    fake.write_text("#!/bin/sh\necho fake-qemu: unsupported machine type >&2\nexit 1\n")
    fake.chmod(0o755)
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.qemu(machne="x")
        def test_word(qemu):
            pass

        @pytest.mark.qemu(kernel=__file__, emulator={str(fake)!r})
        def test_ends(qemu):
            pass

        @pytest.mark.qemu(kernel="no.elf", emulator={str(fake)!r})
        def test_kernel(qemu):
            pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(errors=3)
    text = result.stdout.str()
    assert "this machine can't be booted: " in text
    assert "machne: unknown key (did you mean machine?); known: kernel, machine, uart" in text
    assert f"{fake} ended at once with exit code 1: fake-qemu: unsupported machine type" in text
    assert "this machine can't be booted: no firmware no.elf" in text


def test_what_is_wrong_with_an_expectation_is_told_with_its_key(tracer):
    with pytest.raises(ValueError, match=r"^alway: unknown key \(did you mean always\?\)"):
        tracer.expect(alway="soc >= 0")


def test_beside_a_device_under_test_of_another_plugin(pytester):
    """As pytest-embedded has it: a fixture `dut` with `expect` of its own, made by a class that it knows as base."""
    pytester.makeconftest(
        """
        import pytest

        class Dut:
            def __init__(self, link):
                self.link = link

            def expect(self, pattern, timeout=1):
                return pattern

        @pytest.fixture
        def dut(tracer):
            yield Dut(tracer.link)
        """
    )
    pytester.makepyfile(
        """
        def test_it(dut, tracer):
            assert dut.expect(str(tracer.port)) in dut.link
            tracer.expect("v_batt_v >= 9 V")
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_beside_the_device_under_test_of_pytest_embedded(pytester):
    pytest.importorskip("pytest_embedded")
    pytester.makepyfile(
        """
        from pytest_embedded import Dut

        def test_it(dut, tracer):
            assert isinstance(dut, Dut)
            dut.write(f"tracer at {tracer.link}")
            dut.expect(r"tracer at listen:127.0.0.1:(\\d+)")
            tracer.expect("v_batt_v >= 9 V")
        """
    )
    run(pytester).assert_outcomes(passed=1)


# --- whole runs of pytest ---


PLUGIN = ("-p", "tracertwin.pytest_plugin", "-p", "no:cacheprovider")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """In this process, where the libraries are loaded already."""
    pytester.makeini("[pytest]\n")
    return pytester.runpytest_inprocess(*PLUGIN, *arguments)


def run_as_a_process(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\n")
    os.environ["PYTHONPATH"] = str(ROOT)  # pytester sets the environment back
    os.environ[VARIABLE] = str(CACHE)  # its home is another one
    return pytester.runpytest_subprocess(*PLUGIN, *arguments)


SCENARIO = """\
name: Bulk at ten
about:
  - The battery is charged in the morning.
  - No number from anywhere.
given: {length: 1h, start: 2026-06-21T10:00}
expect:
  - {always: v_batt_v <= LIMIT V}
"""


def test_a_failing_test_says_where_its_journal_is(pytester):
    pytester.makepyfile(
        """
        def test_it(tracer):
            tracer.advance("10min")
            tracer.expect("v_batt_v >= 20 V")
        """
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    (path,) = {line.split(": ")[1] for line in text.splitlines() if line.startswith("journal: ")}
    assert json.loads(Path(path).read_text(encoding="utf-8").splitlines()[0])
    assert "failed by" in text
    assert "tracertwin replay" in text


def test_a_marker_that_makes_no_sense_is_refused_with_the_near_word(pytester):
    """All in one run of pytest, as each takes seconds to begin."""
    wrong = {
        "site='cabn'": "cabin",
        "sead=3": "did you mean seed",
        "overrides={'battery.socc': 1}": "soc",
        "start='noon'": "noon",
        "settings={'boost_voltage': '99V'}": "boost_voltage",
        "map='uart3'": "uart2",
        "start='yesterday', seed='a'": "can't be made: FILE: seed: input should be a valid integer, got 'a'; FILE: sta",
        "turnaround='soon'": "FILE: turnaround: 'soon' is not a valid duration",
        "unit=300": "FILE: unit: must be a whole number from 1 to 247, got '300'",
        "link='prt'": "this Tracer can't be made: ",
    }
    tests = [
        f"@pytest.mark.tracer({told})\ndef test_{number}(tracer):\n    pass\n"
        for number, told in enumerate(wrong)
    ]
    pytester.makepyfile("import pytest\n" + "\n".join(tests))
    result = run(pytester)
    result.assert_outcomes(errors=len(wrong))
    file = str(pytester.path / f"{pytester._name}.py")
    for told, said in zip(result.stdout.str().split("ERROR at setup of")[1:], wrong.values(), strict=True):
        assert said.replace("FILE", file) in told


def test_scenario_files_are_tests_and_other_yaml_is_not(pytester):
    for name, text in {
        "good.yaml": SCENARIO.replace("LIMIT", "15"),
        "scenarios/bad.yaml": SCENARIO.replace("LIMIT", "12"),
        "scenarios/typo.yml": SCENARIO.replace("LIMIT", "15").replace("always", "allways"),
        "scenarios/compose.yaml": "services: {}\n",
        "compose.yaml": "services:\n  given: 1\n  expect: 2\n",
        "bdd.yaml": "given: something\n",
    }.items():
        (pytester.path / name).parent.mkdir(exist_ok=True)
        (pytester.path / name).write_text(text, encoding="utf-8")
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert "did you mean always" in text
    assert "always v_batt_v <= 12 V: failed by" in text
    assert "journal.jsonl" in text


def test_in_parallel(pytester):
    pytest.importorskip("xdist")
    pytester.makepyfile(
        """
        import pytest

        links = ["listen:127.0.0.1:0", "pty", "unix"]

        @pytest.mark.parametrize("seed", range(4))
        @pytest.mark.parametrize("link", [pytest.param(x, marks=pytest.mark.tracer(link=x)) for x in links])
        def test_it(tracer, seed, link):
            assert tracer.read("battery_voltage") > 0
            tracer.advance("1min")
        """
    )
    run_as_a_process(pytester, "-n", "2").assert_outcomes(passed=12)


def test_nothing_heavy_is_imported_before_a_fixture_is_used():
    heavy = ("numpy", "numba", "plant", "yaml")
    code = f"import sys, tracertwin.pytest_plugin; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
