"""The command as a user meets it: what it prints, where it prints it, and how it ends.

Whatever does not need a process of its own runs in this one: each start costs seconds.
"""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
import yaml

from tests.command import CABIN, COMMAND, ROOT, START_S, refusal
from tests.weatherfiles import ALTITUDE, LATITUDE, LONGITUDE, csv_file, year_of_light


@pytest.fixture
def site(tmp_path) -> Callable[..., str]:
    """Path of a cabin with some lines changed: ``site("soc: 1.4")`` has that in place of its own ``soc: ...``.

    A pair (key, line) puts the line in the key's place.
    """

    def write(*changes: str | tuple[str, str]) -> str:
        text = CABIN
        for change in changes:
            key, line = (change.partition(": ")[0], change) if isinstance(change, str) else change
            text, times = re.subn(rf"^( *){key}: [^#\n]*", rf"\1{line} ", text, count=1, flags=re.MULTILINE)
            assert times == 1
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def line_of(key: str) -> int:
    """Number of the cabin's first line with a key."""
    return next(n for n, line in enumerate(CABIN.splitlines(), 1) if line.lstrip().startswith(f"{key}: "))


# --- help -----------------------------------------------------------------------------------------------------

OPTIONS = {
    "serve": "--link --map --unit --speed --start --seed --turnaround --stale --fault --upset --pace --half --for "
    "--once --stats --trace --state",
    "demo": "--days --speed --start --seed",
    "run": "--start --days --fidelity --step --sample --seed --out --plot --iv",
    "size": "--vary --pv --battery --override --years --seeds --step --lolp --lpsp --no --solve --sensitivity --grid "
    "--jobs --cluster --results --shard --merge --out --write",
    "history": "--days --plot --out",
    "poll": "--map --unit --timeout --table --json",
    "write": "--map --unit --timeout --json",
    "registers": "--map --diff",
    "faults": "",
    "sites": "--json",
    "modules": "--json --all",
    "batteries": "--json",
    "controllers": "--json",
    "en50530": "--technology --tick --plot",
    "compile": "",
}


@pytest.mark.parametrize("verb", OPTIONS)
def test_help_of_a_verb_names_its_options(call, verb):
    code, out, err = call(verb, "--help")
    assert (code, err) == (0, "")
    assert set(OPTIONS[verb].split()) <= set(re.findall(r"--[a-z]+", out))


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_versions_of_what_numbers_depend_on_are_printed(call, flag):
    code, out, err = call(flag)
    assert (code, err) == (0, "")
    assert re.fullmatch(r"tracertwin \S+, Python 3\.\d+\.\d+\S*, numba \d+\.\d+\.\d+\S*, \S+\n", out)


@pytest.mark.parametrize("verb", ["", *OPTIONS])
def test_help_has_a_short_form(call, verb):
    long, short = (call(*verb.split(), flag) for flag in ("--help", "-h"))
    assert short == long
    assert long[0] == 0


def test_completion_can_be_had_for_a_shell(call, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    code, out, _ = call("--show-completion", "bash")
    assert code == 0
    assert "complete -o default -F _tracertwin_completion tracertwin" in out


def test_without_a_verb_the_verbs_are_listed(call):
    code, out, _ = call()
    assert code == 0
    assert all(verb in out for verb in OPTIONS)


# --- bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "cabbin"], r"cabbin: not one of the sites: .*cabin.*\(did you mean cabin\?\)"),
        (["run", "not/there.yaml"], r"not/there\.yaml: no such file"),
        (["run", "tests"], r"tests: is a folder, not a file, and not one of the sites: .*cabin.*"),
        (
            ["serve", "--map", "tests"],
            r"tests: is a folder, not a file, and not one of the register maps: .*uart2.*",
        ),
        (["run", "--seed", "many"], r".*--seed.*must be a whole number from 0 to .*, got .many."),
        (["run", "--seed", "-1"], r".*--seed.*0.*"),
        (["run", "--days", "0"], r".*--days.*"),
        (
            ["run", "--start", "noon"],
            r"--start: 'noon' is not a valid time; write local time as 2026-06-21T06:00",
        ),
        (
            ["run", "--start", "2026-03-29T02:30"],
            r"--start: there is no 2026-03-29T02:30 in Europe/Zurich: .*03:00 or later",
        ),
        (["run", "--start", "2026-02-30"], r"--start: '2026-02-30' is not a valid time: .*"),
        (["run", "--sample", "7s", "--days", "0.01"], r"--sample: .*multiple of 5 s.* got 7s"),
        (["run", "--fidelity", "sizeing"], r".*--fidelity.*detailed or sizing.*\(did you mean sizing\?\)"),
        (
            ["run", "--step", "1min"],
            r"--step: a detailed run has steps of 5 s, got 1min; .*--fidelity sizing",
        ),
        (
            ["run", "--fidelity", "sizing", "--step", "7min"],
            r"--step: .*divide an hour, 1min to 1h, got 7min",
        ),
        (["run", "--iv", "2026-02-20T12:00"], r"--iv: needs --plot FILE"),
        (["run", "--iv", "noon", "--plot", "iv.svg"], r"--iv: 'noon' is not a valid time; .*"),
        (["run", "--iv", "2026-03-20T12:00", "--plot", "iv.svg"], r"--iv: .* is outside the run: .*"),
        (["run", "--out", "trace.xls"], r".*trace\.xls.*\.csv.*"),
        (["run", "--plot", "day.bmp"], r".*day\.bmp.*\.html.*"),
        (["run", "--colour", "red"], r".*--colour.*"),
        (
            ["serve", "--turnaround", "5parsecs"],
            r"--turnaround: '5parsecs' is not a valid duration; write 5ms, .*",
        ),
        (["serve", "--for", "soon"], r"--for: 'soon' is not a valid duration; .*"),
        (
            ["serve", "--state", "a.db", "--ready-file", "./a.db"],
            r"--ready-file: a\.db is the file of --state; give .*",
        ),
        (
            ["serve", "--record", "a.csv", "--trace", "a.csv"],
            r"--trace: a\.csv is the file of --record; give .*",
        ),
        (["serve", "--for", "0s"], r"--for: a run must be longer than 0 s, got '0s'"),
        (["serve", "--speed", "0"], r".*--speed.*"),
        (
            ["serve", "--fault", "drpo:0.1"],
            r"--fault: unknown line fault 'drpo' \(did you mean drop\?\); known: .*",
        ),
        (
            ["serve", "--fault", "drop:5%"],
            r"--fault: drop:5%: the probability must be a number from 0 to 1.*",
        ),
        (
            ["serve", "--upset", "load_shrot"],
            r"--upset: unknown upset 'load_shrot' \(did you mean load_short\?\); known: .*",
        ),
        (
            ["serve", "--upset", "load_short:ohm=0"],
            r"--upset: load_short:ohm=0: ohm must be a number from 1e-06 .*",
        ),
        (["serve", "--upset", "string_open:strings=9"], r"--upset: string_open: 9 strings, but there are 1"),
        (["serve", "--pace", "8"], r"--pace: '8': a baud rate must lie in 300\.\.4000000"),
        (["serve", "--half-duplex"], r"--half-duplex: needs a baud rate, e\.g\. --pace 9600: .*"),
        (["serve", "--link", "127.0.0.1:1235"], r"--link: .*\(did you mean dial:127\.0\.0\.1:1235\?\)"),
        (["serve", "--link", "dial:127.0.0.1"], r"--link: dial:127\.0\.0\.1: .*"),
        (
            ["serve", "--clock", "sundial"],
            r"--clock: 'sundial' is not a valid clock; write wall, polled:10s for .*",
        ),
        (["serve", "--clock", "polled:0"], r"--clock: 'polled:0' is not a valid clock; .*"),
        (["serve", "--clock", "polled:10s", "--speed", "2"], r"--speed: is only valid with --clock wall"),
        (["serve", "--link", "dial:127.0.0.1:70000"], r"--link: .* 1\.\.65535, got '70000'"),
        (["serve", "--link", "pty:"], r"--link: pty:: no name; use pty:LINKNAME, .*"),
        (["serve", "--link", "serial:/dev/ttyUSB0:fast:1"], r"--link: .* 300\.\.4000000, got 1"),
        (["serve", "--ready-file", "no/such/ready"], r"--ready-file: no/such/ready: no such folder: no/such"),
        (["serve", "--stats", "no/stats.json"], r"--stats: no/stats\.json: no such folder: no"),
        (["serve", "--stats", "/"], r"--stats: /: is a folder"),
        (["serve", "--unit", "300"], r".*--unit.*"),
        (["serve", "--map", "uart3"], r"uart3: not one of the register maps: .*\(did you mean uart2\?\)"),
        (["demo", "shed"], r"shed: not one of the sites: .*"),
        (["poll", "1235"], r"1235: unknown kind of link .*"),
        (
            ["serve", "--control", "foo"],
            r"--control: foo: unknown kind of link 'foo'; use listen:HOST:PORT or unix-listen:PATH",
        ),
        (
            ["serve", "--control", "127.0.0.1:99"],
            r"--control: .*unix-listen:PATH \(did you mean listen:127\.0\.0\.1:99\?\)",
        ),
        (
            ["serve", "--control", "pty:x"],
            r"--control: pty:x: pty: won't do here; use listen:.* or unix-listen:PATH",
        ),
        (["tell", "foo", "help"], r"LINK: foo: .* use dial:HOST:PORT or unix:PATH \(dials\)"),
        (
            ["serve", "--web", "foo:bar"],
            r"--web: 'foo:bar' is not an address; write HOST:PORT; .* 0 to 65535",
        ),
        (
            ["serve", "--web", "127.0.0.1:70000"],
            r"--web: '127\.0\.0\.1:70000' is not an address; .* 0 to 65535",
        ),
        (
            ["demo", "--web", "http://127.0.0.1:8080"],
            r"--web: 'http://.*' is not an address; write HOST:PORT; .*",
        ),
        (
            ["serve", "--mqtt", "a:b:c"],
            r"--mqtt: 'a:b:c' is not an address; write HOST or HOST:PORT, of which 1883 .*",
        ),
        (
            ["poll", "serial:/dev/ttyUSB0:9600x"],
            r"serial:.*: baud rate must be a number in 300\.\.4000000, got '9600x'",
        ),
        (
            ["poll", "/dev/ttyUSB0:9600x"],
            r"serial:.*: baud rate must be a number in 300\.\.4000000, got '9600x'",
        ),
        (["poll", "serial:tests"], r"serial:tests: tests is a folder, not a serial port"),
        (
            ["poll", "serial:pyproject.toml"],
            r"serial:pyproject\.toml: pyproject\.toml is a file, not a serial port",
        ),
        (["poll", "serial:/dev/null"], r"serial:/dev/null:115200: cannot connect: it is not a serial port"),
        (
            ["poll", "unix:/nowhere", "--unit", "0"],
            r"--unit: 0 is the broadcast address, at which no unit of the map epever answers; .* 1 to 247",
        ),
        (
            ["poll", "unix:/nowhere", "3100h"],
            r"ADDRESS: '3100h' is not a register address; write 0x3100 or .*",
        ),
        (["poll", "unix:/nowhere", "0x3100", "0"], r".*COUNT.*1.*"),
        (["poll", "unix:/nowhere", "0x2000", "2001"], r".*COUNT.*2,000.*"),
        (
            ["poll", "unix:/nowhere", "batery_voltage"],
            r"ADDRESS: there is no register batery_voltage in map epever \(did you mean battery_voltage\?\); .*",
        ),
        (
            ["poll", "unix:/nowhere", "energy_generated_today", "--map", "uart2"],
            r"ADDRESS: energy_generated_today stands at 0x\w+ \(input\) and 0x\w+ \(input\); give the address",
        ),
        (["poll", "unix:/nowhere", "0x3100", "126"], r"COUNT: .* at most 125 registers, got 126"),
        (["poll", "unix:/nowhere", "--table", "coils"], r".*--table.*\(did you mean coil\?\)"),
        (["poll", "pty:uart2"], r"pty:uart2: would make a new pty; .* serial:uart2"),
        (["registers", "--map", "uart3"], r"uart3: not one of the register maps: .*\(did you mean uart2\?\)"),
        (["registers", "--diff", "uart2"], r".*--diff.*"),
        (["sing"], r".*sing.*"),
        (["run", ""], r"SITE: give a name or a file, got ''"),
        (["size", "cabin", ""], r"SITE: give a name or a file, got ''"),
        (["check", ""], r"PATH: give a file, a folder or a name, got ''"),
        (["check", "line", "--controller="], r"--controller: give a name or a file, got ''"),
        (["check", "line", "--transcripts", ""], r"--transcripts: give a folder, got ''"),
        (["run", "--out", ""], r"--out: give a file, got ''"),
        (["replay", ""], r"FILE: give a file, got ''"),
        (["history", ""], r"FILE: give a file, got ''"),
        (["registers", "--diff", "uart2", ""], r"--diff: give a name or a file, got ''"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_told_in_one_line(call, arguments, says):
    lines = refusal(call(*arguments))
    assert len(lines) == 1
    assert re.fullmatch(says, lines[0])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("soc: 1.4", r"battery.soc: .*1.*got 1\.4"),
        ("soc: 72 %", r"battery.soc: .*number.*'72 %'"),
        ("capacity_ah: 100 Ah", r"battery.capacity_ah: .*number.*'100 Ah'"),
        ("parallel: 1.5", r"array.parallel: .*1\.5"),
        ("system_v: 36", r"battery.system_v: .*12.*24.*36"),
        ("tilt_deg: .nan", r"array.tilt_deg: .*nan"),
        (
            "timezone: localtime",
            r"location.timezone: 'localtime' is this machine's zone; write the site's as .*",
        ),
        ("timezone: Europe/Zuerich", r"location.timezone: .*\(did you mean Europe/Zurich\?\).*"),
        ("module: no_such_thing", r"array.module: .*no_such_thing.*"),
        ("start: 12.3.2026", r"start: '12\.3\.2026' is not a valid time; .*"),
    ],
)
def test_a_bad_value_is_told_with_its_line_and_key(call, site, line, says):
    path = site(line)
    lines = refusal(call("run", path))
    assert len(lines) == 1
    assert re.fullmatch(rf"{re.escape(path)}:{line_of(line.partition(':')[0])}: {says}", lines[0])


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (
            "faults: [drop:0.1,\n    dalay:0.1]",
            r"2: line\.faults\[1\]: unknown line fault 'dalay' \(did you mean delay\?\).*",
        ),
        ("faults: drop:0.1", r"1: line\.faults: must be a list, got 'drop:0\.1'"),
        ("pace: 100", r"1: line\.pace: '100': a baud rate must lie in .*"),
        ("pace: slow", r"1: line\.pace: 'slow' is not a valid pace; write 8/2ms .*"),
        ("fault: [drop]", r"1: line\.fault: unknown key \(did you mean faults\?\)"),
    ],
)
def test_a_bad_line_of_a_site_is_told_with_its_line_and_key(call, site, key, says):
    path = Path(site())
    below = len(CABIN.splitlines()) + 1
    path.write_text(f"{CABIN}line:\n  {key}\n", encoding="utf-8")
    (told,) = refusal(call("run", str(path)))
    number, _, rest = told.removeprefix(f"{path}:").partition(":")
    assert re.fullmatch(says, f"{int(number) - below}:{rest}")


def test_upsets_of_the_command_line_are_the_sites_own_to_journal_and_state_file(call, tmp_path):
    state, journal = tmp_path / "run.sqlite", tmp_path / "run.jsonl"
    link = f"unix-listen:{tmp_path / 'line'}"
    serve = ["serve", "--link", link, "--speed", "100000", "--for", "1h", "--state", str(state)]
    upset = ["--upset", "battery_high_resistance:ohm=0.2:after=30min"]
    code, _, err = call(*serve, *upset, "--record", str(journal))
    assert code == 0, err
    head = json.loads(journal.read_text(encoding="utf-8").splitlines()[0])
    (broken,) = head["units"][0]["site"]["upsets"]
    assert (broken["name"], broken["after"], broken["values"]) == (
        "battery_high_resistance", "30min", {"ohm": 0.2},
    )  # fmt: skip
    assert call("replay", str(journal))[0] == 0
    assert call(*serve, *upset)[0] == 0
    (told,) = refusal(call(*serve))
    assert "belongs to another site: upsets" in told


def test_what_breaks_is_listed_with_its_keys_and_limits(call):
    code, out, err = call("faults")
    assert (code, err) == (0, "")
    assert re.search(r"^delay +by=200ms +The reply leaves ", out, re.MULTILINE)
    assert re.search(r"^dead +for=20s ", out, re.MULTILINE)
    assert re.search(r"^battery_aged +capacity_lost=0.3 \(0..0.95\) +A battery with less ", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100


def test_an_unknown_key_is_told_with_its_line_and_the_key_that_was_meant(call, site):
    path = site(("tilt_deg", "tild_deg: 25"))
    number = line_of("tilt_deg")
    assert f"{path}:{number}: array.tild_deg: unknown key (did you mean tilt_deg?)" in refusal(
        call("run", path)
    )


def test_all_problems_of_a_file_are_told_at_once(call, site):
    path = site(("capacity_ah", "capacity: 100"), "soc: 1.4", ("tilt_deg", "# tilt_deg: 25"))
    keys = {line.split(": ")[1] for line in refusal(call("run", path))}
    assert keys == {"battery.capacity", "battery.capacity_ah", "battery.soc", "array.tilt_deg"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: Cabin\nload: [1, 2\nstart: x\n", r":\d: not YAML: .*"),
        ("name: a\nname: b\n", r":2: name: given twice \(first on line 1\)"),
        ("- cabin\n", r":1: must be a mapping of keys to values"),
        ("", r":1: must be a mapping of keys to values"),
        ("name: !!python/object/apply:os.getcwd []\n", r".*not YAML: .*"),
    ],
)
def test_a_file_that_is_no_site_is_told_with_its_line(call, tmp_path, text, says):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    lines = refusal(call("run", str(path)))
    assert len(lines) == 1
    assert re.fullmatch(re.escape(str(path)) + says, lines[0])


def test_a_port_in_use_is_told_in_one_line(call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        link = f"listen:127.0.0.1:{taken.getsockname()[1]}"
        lines = refusal(call("serve", "--link", link))
    assert len(lines) == 1
    assert lines[0].startswith(f"{link}: cannot listen: Address already in use")


# --- what the verbs do ----------------------------------------------------------------------------------------


def test_one_seed_gives_the_same_bytes_in_every_process_and_another_seed_gives_others(call, tmp_path):
    here, there, other = (tmp_path / f"{name}.csv" for name in ("here", "there", "other"))
    asked = ("run", "cabin", "--days", "1")
    subprocess.run(
        [*COMMAND, *asked, "--seed", "7", "--out", str(there)], cwd=ROOT, check=True, capture_output=True
    )
    assert call(*asked, "--seed", "7", "--out", str(here))[0] == 0
    assert call(*asked, "--seed", "8", "--out", str(other))[0] == 0
    assert here.read_bytes() == there.read_bytes()
    assert here.read_bytes() != other.read_bytes()


def test_a_moment_is_drawn_and_the_run_goes_on_to_its_end(call, tmp_path):
    path = tmp_path / "iv.svg"
    code, out, _ = call("run", "--days", "0.5", "--iv", "2026-02-20T12:00", "--plot", str(path))
    assert code == 0
    assert "Cabin, 20 Feb 2026 12:00" in path.read_text(encoding="utf-8")
    assert "2026-02-20 10:00 to 2026-02-20 22:00, detailed, steps of 5 s" in out


def test_a_sizing_run_takes_samples_no_closer_than_its_steps(call, tmp_path):
    path = tmp_path / "trace.csv"
    code, out, _ = call("run", "--days", "3", "--fidelity", "sizing", "--step", "1h", "--out", str(path))
    assert code == 0
    assert "sizing, steps of 1 h" in out
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 72


@pytest.fixture
def never_runs(monkeypatch):
    """A plant that must not move."""

    def run(*_: object) -> None:
        raise AssertionError("the plant has moved")

    monkeypatch.setattr("plant.plant.Plant.run", run)


def weather_site(tmp_path: Path, rows: int, hole: slice = slice(0, 0)) -> str:
    """Path of a cabin whose sky is a CSV file beside it: hours of a made-up May 2023."""
    place = yaml.safe_load(CABIN)
    place |= {"start": "2023-05-02T00:00", "sky": {}, "weather": {"file": "may.csv"}}
    place["location"] = {"latitude_deg": LATITUDE, "longitude_deg": LONGITUDE, "altitude_m": ALTITUDE}
    hours = year_of_light().loc["2023-05-01":].iloc[:rows]
    csv_file(tmp_path / "may.csv", hours.drop(hours.index[hole]))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(place), encoding="utf-8")
    return str(tmp_path / "mine.yaml")


def test_a_weather_file_beside_the_site_file_is_its_sky_and_what_was_mended_is_told(call, tmp_path):
    code, out, _ = call("run", weather_site(tmp_path, 24 * 30, slice(58, 60)), "--days", "2")
    assert code == 0
    assert re.search(r"^weather file: .*2 ", out, re.MULTILINE)


def test_a_weather_file_with_a_long_hole_is_refused_with_file_and_moment(call, tmp_path, never_runs):
    lines = refusal(call("run", weather_site(tmp_path, 24 * 30, slice(80, 90)), "--days", "1"))
    assert len(lines) == 1
    assert re.match(re.escape(str(tmp_path / "may.csv")) + ": .* from 2023-05-04 08:00; ", lines[0])


def test_a_line_of_a_weather_file_that_cant_be_read_is_told_with_its_number(call, tmp_path, never_runs):
    site = weather_site(tmp_path, 24 * 30)
    path = tmp_path / "may.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[99] = lines[99].replace(",", ",x", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = refusal(call("run", site))
    assert len(told) == 1
    assert told[0].startswith(f"{path}:100: ")


def test_a_run_beyond_its_weather_file_is_refused_before_it_begins(call, tmp_path, never_runs):
    lines = refusal(call("run", weather_site(tmp_path, 24 * 30), "--days", "60"))
    assert len(lines) == 1
    assert re.match(re.escape(str(tmp_path / "may.csv")) + ": holds .* run within its dates, or ", lines[0])


def test_a_sizing_run_may_use_a_weather_file_to_its_last_day(call, tmp_path):
    site = weather_site(tmp_path, 24 * 30)
    assert call("run", site, "--days", "28", "--fidelity", "sizing", "--step", "1h")[0] == 0


def test_the_demo_shows_a_row_for_each_half_hour_and_ends_by_itself(call):
    code, out, _ = call("demo", "--start", "2026-03-12T10:00", "--days", "0.05", "--speed", "2500")
    assert code == 0
    assert re.findall(r"^(\d\d:\d\d) ", out, re.MULTILINE) == ["10:00", "10:30", "11:00", "11:12"]
    assert "plant dials 127.0.0.1:" in out
    assert re.search(r"^\d+ rounds, \d+ polls, 0 lost, mean reply \d", out, re.MULTILINE)
    assert "--" not in "".join(re.findall(r"^\d\d:\d\d .*$", out, re.MULTILINE))
    assert "\x1b" not in out


def test_a_fast_demo_ends_by_itself_and_fits_80_columns(call):
    code, out, _ = call("demo", "--days", "0.05", "--speed", "20000")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80


def test_a_start_given_in_local_time_is_answered_in_local_time_and_faults_with_how_often_they_strike(
    call, tmp_path
):
    link = f"unix-listen:{tmp_path / 'line'}"
    faults = ["--fault", "drop", "--fault", "delay:0.25:by=300ms"]
    code, _, said = call(
        "serve", "--link", link, "--start", "2026-06-21T12:00", "--for", "1h", "--speed", "100000", *faults
    )
    assert code == 0
    assert "Cabin from 2026-06-21T12:00:00+02:00 Europe/Zurich, seed " in said
    assert "ended at 2026-06-21T13:00:00+02:00 Europe/Zurich: " in said
    (echo,) = re.findall("line faults: (.*)", said)
    assert sorted(echo.split(", ")) == ["delay:0.25:by=300ms (25 % of the requests)", "drop (all requests)"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_served_plant_can_be_polled_and_ends_cleanly_on_a_signal(call, tmp_path, number):
    path, pty, ready, stats = (tmp_path / name for name in ("uart2", "pty", "ready", "stats.json"))
    command = [
        *COMMAND,
        "serve",
        "--link",
        f"unix-listen:{path}",
        "--link",
        f"pty:{pty}",
        "--turnaround",
        "0ms",
    ]
    command += ["--ready-file", str(ready), "--stats", str(stats)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as served:
        try:
            give_up_s = monotonic() + START_S
            while not ready.exists() and served.poll() is None and monotonic() < give_up_s:
                sleep(0.02)
            block = call("poll", f"unix:{path}", "0x3100", "8")
            whole = call("poll", f"unix:{path}", "--map", "uart2")
            refused = call("poll", f"unix:{path}", "0xFFFF", "2")
            scripted = call("poll", f"serial:{pty}", "0x9003", "12", "--table", "holding", "--json")
        finally:
            served.send_signal(number)
            said = served.communicate(timeout=10.0)[1]
    assert served.returncode == 0
    heard, came_of_it = said.splitlines()[-2:]
    assert re.search(r"ended at .*: \d+ requests, \d+ replies, 0 junk bytes$", heard)
    assert re.search(r"Cabin: PV [\d.]+ Wh", came_of_it)
    assert "Traceback" not in said
    assert [file.name for file in tmp_path.iterdir()] == ["stats.json"]  # links and ready file are gone
    assert [line["reconnects"] for line in json.loads(stats.read_text())["lines"]] == [2, 0]
    assert [line["unit"] for line in json.loads(scripted[1])["registers"]] == 12 * ["V"]

    assert [ended[0] for ended in (block, whole, refused)] == [0, 0, 1]
    assert re.search(r"^0x3100 +pv_voltage +\d+\.\d\d +V +[0-9A-F]{4}\s*$", block[1], re.MULTILINE)
    assert re.search(r"^0x3102 +pv_power +\d+\.\d\d +W +[0-9A-F]{4} [0-9A-F]{4}\s*$", block[1], re.MULTILINE)
    assert re.search(r"^0x3200 +charge_stage +[0-9A-F]{4} +D3-2 ", whole[1], re.MULTILINE)
    assert re.search(r"^0x3306 +energy_consumed_total +0\.00 +kWh ", whole[1], re.MULTILINE)
    assert "exception 02, illegal data address" in refused[1]


def test_a_silent_device_is_told_in_one_line(call, tmp_path):
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        lines = refusal(call("poll", f"unix:{path}", "0x3100", "--timeout", "10ms"), because=3)
    assert len(lines) == 1
    assert re.fullmatch(r"unix:.*: no reply to .* within 0\.01 s in 3 tries", lines[0])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["poll", "unix:/nowhere/at-all"], r"unix:\S+: cannot connect: No such file or directory"),
        (["poll", "serial:/dev/nowhere"], r"serial:\S+: cannot connect: No such file .*"),
        (["poll", "dial:127.0.0.1:1"], r"dial:127\.0\.0\.1:1: cannot connect: Connection refused"),
        (
            ["tell", "unix:/nowhere/at-all", "status"],
            r"unix:\S+: No such file .*; is serve --control there\?",
        ),
        (["tell", "dial:127.0.0.1:1", "status"], r"dial:\S+: Connection refused; is serve --control there\?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_where_nobody_listens_scripts_see_another_code_than_for_wrong_input(call, arguments, says):
    (line,) = refusal(call(*arguments), because=3)
    assert re.fullmatch(says, line)


def test_a_map_is_listed_with_address_name_unit_and_source(call):
    code, out, err = call("registers", "--map", "epever")
    assert (code, err) == (0, "")
    assert re.search(r"^0x3100 +pv_voltage +V +x100 [^\]]*V26\]", out, re.MULTILINE)
    assert re.search(r"^0x331B\+1 +battery_net_current +A +x100 32 bits \+- ", out, re.MULTILINE)
    assert re.search(r"^0x9008 +float_voltage +13\.80 +V +x100 ", out, re.MULTILINE)  # what a new unit holds
    assert re.search(r"^0x200C +night +bit +1 night, 0 day ", out, re.MULTILINE)
    assert re.search(r"^0x0014 +clear_energy_statistics +bit ", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100


def test_the_two_maps_differ_at_the_addresses_that_mislead_firmware(call):
    code, out, _ = call("registers", "--diff", "uart2", "epever")
    assert code == 0
    found = re.findall(r"^input +(0x[0-9A-F]{4}) +(\S.*?)  +(\S.*?)\s*$", out.split("\n\n")[1], re.MULTILINE)
    assert {address for address, _, _ in found} >= {"0x200C", "0x3200", "0x3300"}
    assert ("0x3200", "charge_stage", "battery_status") in found
    assert out.count("energy generated today is 0x330C") == 1  # the note of both halves of the pair


def test_a_map_does_not_differ_from_itself(call):
    assert (
        call("registers", "--diff", "epever", "epever")[1] == "epever and epever read every register alike\n"
    )
