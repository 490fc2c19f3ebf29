"""The plant for MQTT, Home Assistant and coding assistants, beside mosquitto and the MCP SDK's own client."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from modbus.line.endpoint import parse_endpoint
from plant.kernel.snapshot import QUANTITIES
from tests.plants import FARM, plant
from tests.qemu import free_port
from tests.waiting import until
from tracertwin.assembly.commands import BY_NAME
from tracertwin.assembly.options import Address, Options, parse_broker
from tracertwin.bridges.discovery import SENSORS, _name, discovery, node_of, state
from tracertwin.bridges.publishing import published
from tracertwin.bridges.tools import MOST, OFFERED, tools
from tracertwin.rig.serving import Rig

ROOT = Path(__file__).parents[1]


def rig_of(**options: object) -> Rig:
    links = [parse_endpoint("listen:127.0.0.1:0")]
    return Rig([plant()], Options(links=links, polled_s=0.0, **options), lambda _: None)


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Address]:
    """Mosquitto on a free port."""
    if shutil.which("mosquitto") is None or shutil.which("mosquitto_sub") is None:
        if os.environ.get("TRACERTWIN_REQUIRE_MOSQUITTO") == "1":
            pytest.fail("not installed: mosquitto, mosquitto-clients")
        pytest.skip("not installed: mosquitto, mosquitto-clients")
    port = free_port()
    with subprocess.Popen(["mosquitto", "-p", str(port)], stderr=subprocess.DEVNULL) as process:
        assert until(lambda: listens(port) or process.poll() is not None, 30.0)
        assert process.poll() is None
        yield Address("127.0.0.1", port)
        process.terminate()


def listens(port: int) -> bool:
    """Whether a program that was started takes connections by now."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def heard(broker: Address, topic: str, count: int) -> dict[str, str]:
    """Topic -> payload of the first messages that somebody else's client gets."""
    done = subprocess.run(
        ["mosquitto_sub", "-p", str(broker.port), "-v", "-t", topic, "-C", str(count), "-W", "15"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_home_assistant_finds_a_device_whose_sensors_have_what_the_plant_shows(broker):
    said: list[str] = []
    with rig_of() as rig, published(rig, broker, said.append):
        assert until(lambda: said == [f"mqtt {broker}: connected"], 10.0)
        configs = heard(broker, "homeassistant/sensor/#", len(SENSORS))
        told = {name.split("/")[3]: json.loads(payload) for name, payload in configs.items()}
        assert set(told) == set(SENSORS)
        assert len({config["unique_id"] for config in told.values()}) == len(SENSORS)
        (topic,) = {config["state_topic"] for config in told.values()}
        (payload,) = heard(broker, topic, 1).values()
        values, snapshot = json.loads(payload), rig.assembly.units[0].live.snapshot()
        assert values["v_batt_v"] == round(snapshot.v_batt_v, 4)
        assert values["soc"] == round(100 * snapshot.soc, 2)
        assert values["stage"] in told["stage"]["options"]
        assert heard(broker, "tracertwin/availability", 1) == {"tracertwin/availability": "online"}
    assert heard(broker, "tracertwin/availability", 1) == {"tracertwin/availability": "offline"}


def test_a_plant_that_is_killed_is_offline_by_its_last_will(broker):
    options = ["--link", "listen:127.0.0.1:0", "--mqtt", str(broker)]
    command = [sys.executable, "-m", "tracertwin", "serve", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        online = {"tracertwin/availability": "online"}
        # what an earlier plant left at the broker comes first
        assert until(lambda: heard(broker, "tracertwin/availability", 1) == online, 120.0)
        process.kill()
    assert until(
        lambda: heard(broker, "tracertwin/availability", 1) == {"tracertwin/availability": "offline"}
    )


def test_a_broker_that_is_not_there_is_told_once_and_the_run_goes_on():
    said: list[str] = []
    with rig_of() as rig, published(rig, Address("127.0.0.1", free_port()), said.append):
        assert until(lambda: bool(said))
        sleep(1.5)
        assert rig.do("step 10s")
    assert len(said) == 1
    assert "not connected, still trying" in said[0]


def test_each_sensor_has_a_class_that_fits_its_unit():
    with rig_of() as rig:
        unit = rig.assembly.units[0]
        messages, shown = list(discovery(unit)), state(unit)
    for message in messages:
        name, config = message.topic.split("/")[3], json.loads(message.payload)
        assert message.retained
        if QUANTITIES[name].unit == "kWh":
            assert config["state_class"] == "total_increasing"
        if QUANTITIES[name].codes:
            assert config["device_class"] == "enum"
    assert set(json.loads(shown.payload)) == set(QUANTITIES)


def test_neighbours_are_devices_of_their_own():
    from plant.plant import Plant
    from plant.site.model import load_site

    site = load_site(str(FARM))
    own = Plant.new(site)
    plants = [own, *(Plant.new(site.seen_by(other), own.seed, own.start_utc_s) for other in site.neighbours)]
    with Rig(plants, Options(links=[parse_endpoint("listen:127.0.0.1:0")]), lambda _: None) as rig:
        units = rig.assembly.units
        assert len({node_of(unit) for unit in units}) == len(units)


@pytest.mark.parametrize(
    ("text", "address"),
    [("broker", ("broker", 1883)), ("10.0.0.5:1884", ("10.0.0.5", 1884)), ("[::1]", ("::1", 1883))],
)
def test_a_broker_is_a_host_with_or_without_a_port(text, address):
    assert parse_broker(text) == address


# --- coding assistants ---


def test_the_tools_are_commands_and_there_are_at_most_twelve():
    assert len(tools()) == len(set(OFFERED)) <= MOST
    for tool in tools():
        row = BY_NAME[tool.command]
        assert row.meaning[1:] in tool.meaning
        assert tool.read_only == row.read_only


def test_an_assistant_advances_breaks_reads_and_expects_over_stdio(tmp_path):
    """With the SDK's client; what it did is in the journal."""
    path = tmp_path / "run.jsonl"
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tracertwin", "mcp", "cabin", "--clock", "stepped", "--link", "listen:127.0.0.1:0",
              "--record", str(path)],
        cwd=str(ROOT), env=dict(os.environ),
    )  # fmt: skip

    async def talk() -> list[tuple[bool, str]]:
        answers = []
        async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            offered = await session.list_tools()
            assert {tool.name for tool in offered.tools} == {tool.name for tool in tools()}
            for name, arguments in (
                ("step", "2h"), ("upset", "battery_disconnected"), ("show", "v_batt_v"), ("mend", "0"),
                ("expect", "v_batt_v >= 1 V"), ("upset", "battery_disconected"),
            ):  # fmt: skip
                result = await session.call_tool(name, {"arguments": arguments})
                answers.append((bool(result.is_error), result.content[0].text))
        return answers

    step, upset, show, mend, expect, wrong = anyio.run(talk)
    assert step == (False, "2026-02-20T12:00:00+01:00 Europe/Zurich")
    assert upset == (False, "mend 0")
    assert "v_batt_v" in json.loads(show[1])
    assert mend == (False, "done")
    assert expect[1].startswith("holds")
    assert wrong[0]
    assert "did you mean battery_disconnected?" in wrong[1]
    assert '"command":"upset battery_disconnected"' in path.read_text()


def test_home_assistant_s_sensors_are_called_what_they_mean():
    names = [_name(name) for name in SENSORS]
    assert len(set(names)) == len(names)
    assert names[0] == "irradiance in the modules' plane, before reflection"
    assert "controller's meter of charge, today" in names
