"""Several controllers on one pair of wires: each is read by its own id, and two of one id can't be read at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.replies import WordsReply, decode_reply
from modbus.codec.requests import ReadWords, UnitIdRequest, WriteCoil, crc16
from modbus.device.bus import MultidropBus, collided
from modbus.device.tracer import Tracer
from modbus.line.endpoint import LinkError, parse_endpoint
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.client import Master
from plant.base.problems import ProblemsError
from plant.plant import Plant
from plant.site.model import load_site
from tests.plants import FARM
from tests.snapshots import NOON, ZERO, Still
from tracertwin.assembly.options import Options
from tracertwin.rig.serving import Rig


def unit(own: int, v_batt_v: float, map_name: str = "epever") -> Tracer:
    """A controller whose battery stands at a voltage, among others."""
    device = Still(ZERO._replace(v_batt_v=v_batt_v))
    return Tracer(load_map(map_name, TRACER_4210), device, own, alone=False)


def two(first: int = 1, second: int = 2, map_name: str = "epever") -> tuple[MultidropBus, list[str]]:
    said: list[str] = []
    return MultidropBus([unit(first, 12.5, map_name), unit(second, 13.25, map_name)], said.append), said


def battery_v(bus: MultidropBus, own: int) -> float | None:
    request = ReadWords(own, 4, 0x331A, 1)
    raw = bus.answer(request)
    if raw is None:
        return None
    reply = decode_reply(request, raw)
    assert isinstance(reply, WordsReply)
    return reply.words[0] / 100


@pytest.mark.parametrize("map_name", ["epever", "uart2"])
def test_each_unit_is_read_by_its_own_id_and_nobody_answers_to_another(map_name):
    bus, said = two(map_name=map_name)
    assert [battery_v(bus, own) for own in (1, 2, 3)] == [12.5, 13.25, None]
    assert said == []


def test_two_units_of_one_id_send_at_once_and_nobody_can_read_it():
    bus, said = two(7, 7)
    raw = bus.answer(ReadWords(7, 4, 0x331A, 1))
    assert raw is not None
    assert crc16(raw) != 0
    assert said == ["collision: 2 units answer to id 7; the replies are unreadable"]
    bus.answer(ReadWords(7, 4, 0x3100, 1))
    assert len(said) == 1  # once for an id


def test_a_broadcast_reaches_every_unit_and_none_answers():
    devices = [Still(NOON), Still(NOON)]
    maps = load_map("epever", TRACER_4210)
    bus = MultidropBus(
        [Tracer(maps, device, own, alone=False) for own, device in enumerate(devices, 1)], print
    )
    before = [device.shown().settings.load_on for device in devices]
    assert bus.answer(WriteCoil(0, 0x0002, 0x0000)) is None
    assert before == [1, 1]
    assert [device.shown().settings.load_on for device in devices] == [0, 0]


def test_the_service_address_among_several_units_is_a_collision():
    """Function 45 is for one controller on the line (V26): with two, both tell their id at once."""
    bus, said = two()
    raw = bus.answer(UnitIdRequest(0xF8, 0xF8))
    assert raw is not None
    assert crc16(raw) != 0
    assert said == ["collision: 2 units answer to id 248; the replies are unreadable"]


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=4))
def test_colliding_replies_last_as_long_as_the_longest_and_equal_ones_cannot_be_told_apart(replies):
    wire = collided(replies)
    assert len(wire) == max(map(len, replies))
    for reply in replies:
        assert all(byte & ~told == 0 for byte, told in zip(wire, reply, strict=False))
    assert collided([replies[0], replies[0]]) == replies[0]


# --- a site with neighbours ---


def test_a_farm_has_a_controller_for_the_house_and_one_for_the_pump():
    site = load_site("farm")
    (pump,) = site.neighbours
    theirs = site.seen_by(pump)
    assert (site.unit, theirs.unit) == (1, 2)
    assert (theirs.location, theirs.sky, theirs.weather) == (site.location, site.sky, site.weather)
    assert theirs.battery != site.battery
    assert theirs.neighbours == ()


def test_what_is_wrong_with_a_neighbour_is_told_by_its_line(tmp_path):
    text = FARM.read_text()
    spoilt = text.replace("tilt_deg: 15", "tilt_deg: 150")
    assert spoilt != text
    (tmp_path / "farm.yaml").write_text(spoilt)
    line = 1 + spoilt[: spoilt.index("tilt_deg: 150")].count("\n")
    with pytest.raises(ProblemsError) as told:
        load_site(str(tmp_path / "farm.yaml"))
    assert f":{line}: neighbours[0].array.tilt_deg" in str(told.value)


def test_a_neighbour_whose_set_points_are_out_of_order_is_named(tmp_path):
    text = FARM.read_text().replace("flooded, setpoints: {}", "flooded, setpoints: {boost_v: 40}")
    (tmp_path / "farm.yaml").write_text(text)
    with pytest.raises(ProblemsError, match=r"neighbour Pump: .*out of order"):
        load_site(str(tmp_path / "farm.yaml"))


def test_one_line_serves_the_whole_farm(tmp_path):
    site = load_site("farm")
    plants = [Plant.new(site), *(Plant.new(site.seen_by(other)) for other in site.neighbours)]
    options = Options(links=[parse_endpoint("listen:127.0.0.1:0")], map_name="epever", turnaround_s=0.0)
    with Rig(plants, options, lambda _: None) as rig:
        where = str(rig.lines[0].endpoint).replace("listen", "dial")
        with Master(parse_endpoint(where)) as master:
            read = {own: master.ask(ReadWords(own, 4, 0x311D, 1), 2.0).words[0] for own in (1, 2)}
            with pytest.raises(LinkError, match="no reply"):
                master.ask(ReadWords(3, 4, 0x311D, 1), 0.1)
    assert read == {1: 1200, 2: 2400}
