"""The page in a browser: a polling stand-in, each button's effect on a register that an independent master reads.

The browser is Debian's Chromium, driven by Playwright; whatever it asks for beside the server is refused and told.
"""

import json
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerType

from modbus.codec.replies import UnitIdReply
from modbus.codec.requests import ReadWords, UnitIdRequest
from modbus.device.tracer import Tracer
from modbus.line.endpoint import parse_endpoint
from modbus.line.faults.kinds import FAULTS
from modbus.map.registers import load_map
from modbus.master.client import Master
from modbus.master.mock_firmware import MockFirmware
from plant.plant import Plant
from plant.site.model import load_site
from plant.site.upsets import UPSETS
from tests.journals import replayed
from tests.pages import Served, served
from tests.plants import FARM, plant
from tests.waiting import until
from tracertwin.checking.preparing import prepare
from tracertwin.checking.running import run as run_scenario
from tracertwin.cli.demo import polling
from tracertwin.scenario.file import load_scenario
from tracertwin.web.serving import TOKEN

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
READY_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if shutil.which(CHROMIUM) is None:
        if os.environ.get("TRACERTWIN_REQUIRE_CHROMIUM") == "1":
            pytest.fail(f"not installed: {CHROMIUM}")
        pytest.skip(f"not installed: {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield made
        made.close()


class Look:
    """A tab, and the rig behind it.

    Attributes
    ----------
    strangers : list of str
        What was asked of anybody but the server.
    """

    def __init__(self, browser: Any, at: Served, token: bool = True, **how: Any) -> None:
        self.at, self.strangers = at, []
        self.errors: list[str] = []
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **how)
        self.context.route(lambda url: not url.startswith(at.server.url), self._refuse)
        self.page = self.context.new_page()
        self.page.set_default_timeout(READY_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{at.server.url}#token={at.server.token}" if token else at.server.url)
        self.page.wait_for_selector("body[data-ready=yes]")

    def _refuse(self, route: Any) -> None:
        self.strangers.append(route.request.url)
        route.abort()

    def until(self, script: str, argument: Any = None) -> None:
        """Wait until a function of the page gives something true; Playwright's own way is against the page's CSP."""
        assert until(lambda: self.page.evaluate(script, argument), READY_MS / 1000), script

    def shows(self, id: str, text: str) -> None:
        """Wait until an element has a text in it."""
        self.until("([id, text]) => document.getElementById(id).textContent.includes(text)", [id, text])

    def said(self, pattern: str) -> str:
        """What the page says once it matches."""
        assert until(lambda: re.search(pattern, self.page.inner_text("#said")), READY_MS / 1000), (
            f"{pattern}: {self.page.inner_text('#said')}"
        )
        return str(self.page.inner_text("#said"))

    def close(self) -> None:
        self.context.close()
        assert self.errors == []
        assert self.strangers == []


@contextmanager
def opened(browser: Any, at: Served, **how: Any) -> Iterator[Look]:
    look = Look(browser, at, **how)
    yield look
    look.close()


@contextmanager
def master_of(at: Served, number: int = 0) -> Iterator[ModbusTcpClient]:
    """Somebody else's master on one of the lines: RTU over TCP."""
    endpoint = at.rig.lines[number].endpoint
    client = ModbusTcpClient(endpoint.host, port=endpoint.port, framer=FramerType.RTU, timeout=2, retries=0)
    assert client.connect()
    try:
        yield client
    finally:
        client.close()


@contextmanager
def running(at: Served) -> Iterator[None]:
    """The plant's time goes on meanwhile."""
    thread = threading.Thread(target=at.rig.run)
    thread.start()
    try:
        yield
    finally:
        at.rig.end()
        thread.join(5)


BLOCKS = ((0x3100, 18), (0x311A, 2), (0x3200, 2), (0x3300, 10))


def registers_of(client: ModbusTcpClient) -> list[list[int]]:
    """Input registers, as pymodbus has them."""
    return [client.read_input_registers(address, count=count).registers for address, count in BLOCKS]


def registers_without(one: Plant, seconds: int) -> list[list[int]]:
    """The same of a plant to which nothing was done."""
    from modbus.codec.replies import decode_reply
    from plant.base.clock import SteppedClock
    from tracertwin.assembly.live import Live

    twin = Plant(one.site, one.remembered())
    twin.advance_to(twin.t_utc_s + seconds)
    tracer = Tracer(load_map("epever", twin.site.ratings()), Live(twin, SteppedClock(twin.t_utc_s)))
    requests = [ReadWords(1, 4, address, count) for address, count in BLOCKS]
    return [list(decode_reply(request, tracer.answer(request)).words) for request in requests]


@pytest.fixture(scope="module")
def look(browser) -> Iterator[Look]:
    """A tab of a plant at noon whose time moves by the page's buttons only; its string has two modules."""
    with served(plant(906, array={"series": 2})) as at:
        at.do("step 2h")
        with opened(browser, at) as look:
            yield look


# --- what it does ---


def test_every_upset_is_a_button_whose_effect_a_master_reads_and_that_can_be_repaired(look):
    """After ten minutes the registers are others than those of a twin to which nothing was done."""
    page, at = look.page, look.at
    page.fill("#step", "10min")
    alike = []
    with master_of(at) as client:
        for name in sorted(set(UPSETS) - {"charger_fails"}):  # the cabin has none
            if name.startswith("load_"):
                at.do("power-cycle")  # an output that has locked out is unlocked
            twin = registers_without(at.rig.assembly.plants[0], 600)
            page.click("#cloud-now" if name == "cloud" else f"#upset-{name}")
            page.wait_for_selector("#broken li")
            page.click("#do-step")
            look.said(r"^step 10min: 2026")
            if registers_of(client) == twin:
                alike.append(name)
            page.click("#broken button")
            page.wait_for_selector("#broken", state="detached")
    assert at.rig.assembly.plants[0].broken() == {}
    assert alike == []


@contextmanager
def slow_upset(page: Any) -> Iterator[Any]:
    """The probe breaks by a click whose request is under way until it goes on; in the end it is mended."""
    held = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/api/v1/commands/upset", hold)
    page.click("#upset-probe_open")
    assert until(lambda: page.wait_for_timeout(20) is None and bool(held), READY_MS / 1000)
    yield held[0]
    page.click("#broken button")
    page.wait_for_selector("#broken", state="detached")
    page.unroute("**/api/v1/commands/upset")


def test_what_is_clicked_first_is_done_first_though_its_request_is_slow(look):
    page = look.page
    page.fill("#step", "10min")
    with slow_upset(page) as request:
        page.click("#do-step")
        page.wait_for_timeout(300)
        assert not re.search("^step", page.inner_text("#said"))
        request.continue_()
        look.said(r"^step 10min: 2026")
        assert look.at.rig.assembly.plants[0].broken()


def test_an_upset_can_be_told_how_much_and_for_how_long(look):
    page = look.page
    page.select_option("#upset-time", "1h")
    page.click("button[aria-label='String open, with other values']")
    page.fill("#dialog input[name=strings]", "9")
    page.click("#dialog-do")
    look.shows("dialog-said", "9 strings, but there are 1")
    page.keyboard.press("Escape")
    page.click("button[aria-label='Load short, with other values']")
    page.fill("#dialog input[name=ohm]", "1000000000")
    page.click("#dialog-do")
    look.shows("dialog-said", "ohm")
    page.fill("#dialog input[name=ohm]", "0.05")
    page.click("#dialog-do")
    look.said(r"upset load_short:ohm=0\.05:lasts=1h unit=1: mend")
    page.wait_for_selector("#broken li")
    look.at.do("step 61min")
    page.wait_for_selector("#broken", state="detached")
    page.select_option("#upset-time", "")


def test_every_line_fault_is_a_button_that_strikes_a_master_once(look):
    """The next poll meets it; after the repair all is as before."""
    page, at = look.page, look.at
    endpoint, request = at.rig.lines[0].endpoint, ReadWords(1, 4, 0x3104, 1).encode()
    page.select_option("#fault-time", "once")
    untouched = []
    for name in FAULTS:
        page.click(f"#fault-{name}")
        page.wait_for_selector("#broken li")
        before = at.rig.assembly.lines[0].counts.get(name, 0)
        with closing(socket.create_connection((endpoint.host, endpoint.port))) as sock:
            sock.sendall(request)
            if not until(
                lambda name=name, before=before: at.rig.assembly.lines[0].counts.get(name, 0) > before, 1.0
            ):
                untouched.append(name)
        # what has struck once is gone by itself, unless it goes on for some of the plant's time
        page.evaluate("document.querySelector('#broken button')?.click()")
        page.wait_for_selector("#broken", state="detached")
    assert untouched == []
    with master_of(at) as client:
        client.read_input_registers(0x3104, count=1)  # what a fault may have kept back
        assert client.read_input_registers(0x3104, count=1).registers


def test_a_register_is_edited_under_a_client_s_rules(look):
    page = look.page
    page.fill("#register-find", "boost_duration")
    page.click("button[aria-label='Edit boost_duration']")
    page.fill("#edit-value", "5")
    page.click("#dialog-do")
    look.shows("dialog-said", "exception 03, illegal data value")
    page.fill("#edit-value", "90")
    page.click("#dialog-do")
    look.said("written: boost_duration = 90 min")
    with master_of(look.at) as client:
        assert client.read_holding_registers(0x906C, count=1).registers == [90]
    page.fill("#register-find", "")


def test_a_register_is_written_after_what_was_clicked_before(look):
    page = look.page
    page.fill("#register-find", "boost_duration")
    with slow_upset(page) as request, master_of(look.at) as client:
        page.click("button[aria-label='Edit boost_duration']")
        page.fill("#edit-value", "75")
        page.click("#dialog-do")
        page.wait_for_timeout(300)
        assert client.read_holding_registers(0x906C, count=1).registers != [75]
        request.continue_()
        look.said("written: boost_duration = 75 min")
        assert client.read_holding_registers(0x906C, count=1).registers == [75]
    page.fill("#register-find", "")


def test_a_power_cycle_and_a_jump_are_done(look):
    look.page.click("#power-cycle")
    look.said("^power-cycle")
    look.page.fill("#jump", "2026-02-23T12:00")
    look.page.click("#do-jump")
    look.said("jump 2026-02-23T12:00: 2026-02-23T12:00:00")
    assert look.at.read("now")["local"] == "2026-02-23T12:00:00"
    look.page.fill("#jump", "2026-02-22T12:00")
    look.page.click("#do-jump")
    assert "can't go back" in look.said("^jump: ")


# --- what it shows ---


def test_scrubbing_shows_an_earlier_moment_everywhere(look):
    page, at = look.page, look.at
    at.do("step 1h")
    begin = int(at.rig.assembly.begins_utc_s) + 1800
    then = at.read(f"quantities?at={begin}")
    page.fill("#register-find", "0x3104")
    page.evaluate(
        "t => { const one = document.getElementById('scrub'); one.value = t; one.dispatchEvent(new Event('input')); }",
        begin,
    )
    look.shows("scrub-time", "2026-02-20 10:30:00")
    look.until(
        "text => document.querySelector('#schematic svg').textContent.includes(text)",
        f"{then['v_batt_v']:.2f} V",
    )
    words = {
        row["map"]: row["text"] for row in at.read(f"registers?at={begin}") if row["address"] == "0x3104"
    }
    look.until(
        "text => document.querySelector('#register-rows .own').textContent.startsWith(text)",
        words["epever"],
    )
    assert page.locator("button[aria-label^=Edit]").count() == 0  # the past is not for writing
    page.click("#live")
    look.shows("scrub-time", "now")
    page.fill("#register-find", "")


def test_a_click_on_an_event_looks_back_at_it(look):
    look.page.click("#event-rows tr:last-child button")
    look.until("() => document.body.classList.contains('past')")
    look.page.click("#live")


def test_traffic_is_decoded_found_held_and_exported(look, tmp_path):
    page = look.page
    with master_of(look.at) as client:
        client.read_input_registers(0x3104, count=1)
        look.shows("traffic-rows", "battery_charge_voltage")
        page.fill("#traffic-find", "0x3104")
        page.click("#hold")
        client.read_input_registers(0x3105, count=1)
        page.fill("#traffic-find", "")
        sleep(0.5)
        assert "0x3105" not in page.inner_text("#traffic-rows")
        page.click("#hold")
        look.shows("traffic-rows", "0x3105")
    page.check("#traffic-bytes")
    assert "01 04 31 05 00 01" in page.inner_text("#traffic-rows")
    with page.expect_download() as saved:
        page.click("#export")
    path = tmp_path / "x.pcapng"
    saved.value.save_as(path)
    assert path.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")
    page.uncheck("#traffic-bytes")


def test_a_session_in_the_browser_is_kept_as_a_scenario_that_passes(browser, tmp_path):
    with served(plant(906), map_name="uart2") as at, opened(browser, at) as look:
        page = look.page
        page.fill("#step", "90min")
        page.click("#do-step")
        look.said("^step")
        page.click("#keep-add")
        page.click("#cloud-now")
        look.said("^upset cloud")
        page.fill("#step", "10min")
        page.click("#do-step")
        look.said("^step 10min")
        look.shows("local", "11:40:00")
        page.select_option("#keep-what", "array and load")
        page.click("#keep-add")
        with page.expect_download() as saved:
            page.click("#keep-do")
        saved.value.save_as(tmp_path / "kept.yaml")
    ran = run_scenario(prepare(load_scenario(tmp_path / "kept.yaml")))
    assert len(ran.verdicts) == 6
    assert [verdict.words(ran.record.span) for verdict in ran.verdicts if not verdict.holds] == []


# --- time, several controllers, hands and eyes ---


def test_a_stand_in_polls_a_running_plant_that_is_paused_hurried_and_recorded(browser, tmp_path):
    """Ten actions, and the journal replays to the same bytes."""
    path = tmp_path / "run.jsonl"
    with MockFirmware(period_s=0.2) as firmware:
        how: dict[str, Any] = {"polled_s": None, "speed": 60.0, "record": path, "map_name": "uart2"}
        links = [firmware.endpoint, parse_endpoint("listen:127.0.0.1:0")]
        with polling(firmware), served(plant(906), links=links, **how) as at:
            with running(at), opened(browser, at) as look:
                page = look.page
                look.shows("sees-rows", " V at ")
                assert "a master is there" in page.inner_text("#lines")
                page.click("#pause")
                look.shows("pause", "Go")
                stands = at.read("now")["t_utc_s"]
                page.keyboard.press("Escape")
                for button in ("#cloud-now", "#upset-probe_open", "#fault-crc", "#power-cycle", "#do-step"):
                    page.click(button)
                    sleep(0.15)
                assert at.read("now")["t_utc_s"] == stands + 600
                page.select_option("#speed", "600")
                look.said("^speed 600")
                page.click("#pause")
                look.shows("pause", "Pause")
                page.click("#broken li:last-child button")
                look.said("^fault off")
                page.click("#upset-load_overload")
                look.said("^upset load_overload")
                assert until(lambda: at.read("now")["t_utc_s"] > stands + 1200)
                with master_of(at, 1) as client:
                    assert client.read_input_registers(0x3104, count=1).registers
            at.rig.tell()
    outcome = replayed(path)
    assert outcome.differences == 0
    assert outcome.commands == 10
    assert outcome.requests > 20


def test_several_controllers_are_tabs(browser):
    site = load_site(str(FARM))
    own = Plant.new(site)
    others = [Plant.new(site.seen_by(other), own.seed, own.start_utc_s) for other in site.neighbours]
    with served(own, *others) as at, opened(browser, at) as look:
        page = look.page
        assert page.locator("[role=tab]").count() == 1 + len(others)
        page.keyboard.press("2")
        page.wait_for_selector("[role=tab]:nth-child(2)[aria-selected=true]")
        page.click("#upset-battery_disconnected")
        page.wait_for_selector("#broken li")
        unit = at.rig.assembly.units[1].tracer.unit
        assert json.loads(at.rig.do("status"))["units"][1] == {
            "unit": unit, "site": others[0].site.name, "broken": {"0": "battery_disconnected"}, "planned": {}
        }  # fmt: skip
        page.keyboard.press("1")
        page.wait_for_selector("#broken", state="detached")


def test_a_page_that_outlives_its_run_shows_the_one_that_is_served_next(browser, monkeypatch):
    """A restart: the same address and token, another site and journal, a plant that stands before the last one."""
    monkeypatch.setenv(TOKEN, "a-token-of-my-own")
    site = load_site(str(FARM))
    own = Plant.new(site)
    others = [Plant.new(site.seen_by(other), own.seed, own.start_utc_s) for other in site.neighbours]
    with served(plant(906)) as at:
        with master_of(at) as client:
            for _ in range(3):
                registers_of(client)
        at.do("step 5h")
        look = Look(browser, at)
        look.shows("local", "15:00:00")
    with served(own, *others, address=at.server.address) as later:
        look.page.wait_for_selector("[role=tab]:nth-child(2)")
        look.page.wait_for_selector("body[data-ready=yes]")
        with master_of(later) as client:
            client.read_input_registers(0x3104, count=1)
        look.shows("local", "10:00:00")
        look.shows("traffic-rows", "read 1 input register from 0x3104")
        assert "0x3100" not in look.page.inner_text("#traffic-rows")
        assert "15:00:00" not in look.page.locator("#chart-list .u-legend").first.inner_text()
        look.page.click("#cloud-now")
        look.said("upset cloud")
        look.close()


def test_a_connection_that_comes_back_has_what_was_missed(browser, monkeypatch):
    """The same run: nothing is loaded anew, so what was chosen stays."""
    with served(plant(906)) as at, opened(browser, at) as look:
        look.page.add_init_script(
            "window.dialled = []; window.WebSocket = class extends WebSocket "
            "{ constructor(url) { super(url); window.dialled.push(this); } };"
        )
        look.page.reload()
        look.page.wait_for_selector("body[data-ready=yes]")
        look.shows("state", "connected")
        look.page.click("#keep-add")
        look.page.evaluate("() => { window.stays = true; window.dialled[0].close(); }")
        look.shows("state", "no connection")
        with master_of(at) as client:
            registers_of(client)
        at.do("step 1min")
        look.shows("state", "connected")
        look.shows("local", "10:01:00")
        look.shows("traffic-rows", "read 18 input registers")
        assert look.page.evaluate("() => window.stays")
        assert look.page.locator("#keep-list li").count() == 1


def test_a_unit_whose_id_is_changed_over_the_line_is_followed(browser):
    """Function 45, and then a power cycle; every button named the old id for as long as the tab was open."""
    with served(plant(906)) as at, opened(browser, at) as look:
        endpoint = at.rig.lines[0].endpoint
        with Master(parse_endpoint(f"dial:{endpoint.host}:{endpoint.port}")) as master:
            assert isinstance(master.ask(UnitIdRequest(0xF8, 7)), UnitIdReply)
        look.page.click("#power-cycle")
        look.said("power-cycle unit=1")
        look.until("() => !document.getElementById('said').textContent.includes('no unit')")
        look.page.click("#do-step")
        look.said("step 10min: ")
        look.page.click("#cloud-now")
        look.said("upset cloud:.* unit=7")


def test_all_that_matters_can_be_done_with_the_keyboard(look):
    page, at = look.page, look.at
    page.evaluate("document.activeElement.blur()")
    page.fill("#step", "10min")
    page.evaluate("document.activeElement.blur()")
    before = at.read("now")["t_utc_s"]
    page.keyboard.press(".")
    look.said("^step 10min")
    assert at.read("now")["t_utc_s"] == before + 600
    page.keyboard.press("ArrowLeft")
    look.until("() => document.body.classList.contains('past')")
    page.keyboard.press("l")
    look.until("() => !document.body.classList.contains('past')")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] kbd")
    page.keyboard.press("Escape")


def test_arrows_look_back_after_a_button_was_clicked(look):
    """A button keeps the focus, and has no use for them; a table moves by them."""
    page = look.page
    page.click("#do-step")
    look.said("step 10min: ")
    before = page.input_value("#scrub")
    page.keyboard.press("ArrowLeft")
    look.until("(t) => Number(document.getElementById('scrub').value) === t - 600", int(before))
    page.keyboard.press("l")
    look.shows("scrub-time", "now")
    page.focus("#register-rows button")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#scrub-time") == "now"


def test_without_the_token_the_page_looks_and_does_nothing(browser):
    with served() as at, opened(browser, at, token=False) as look:
        look.said("^Read only")
        for button in (
            "#cloud-now",
            "#upset-probe_open",
            "#fault-drop",
            "#do-step",
            "#do-jump",
            "#pause",
            "#power-cycle",
        ):
            assert look.page.is_disabled(button), button
        assert "V" in look.page.inner_text("#sees-rows")


def test_axe_finds_nothing_serious_by_day_and_by_night(look):
    from axe_playwright_python.sync_playwright import Axe

    look.at.do("upset cloud")
    look.page.wait_for_selector("#broken li")
    grave = []
    for options in (None, {"runOnly": ["color-contrast"]}):  # colours are all that differs by night
        found = Axe().run(look.page, options=options).response["violations"]
        grave += [
            (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        look.page.click("#theme")
    look.at.do("mend all")
    assert grave == []


def test_on_a_phone_nothing_runs_off_the_side(look):
    look.page.set_viewport_size({"width": 375, "height": 700})
    wide = look.page.evaluate("document.documentElement.scrollWidth")
    look.page.set_viewport_size({"width": 1280, "height": 900})
    assert wide <= 375


def test_neither_table_is_cut_or_squeezed(look):
    for width, id in ((1200, "registers"), (390, "sees")):
        look.page.set_viewport_size({"width": width, "height": 900})
        look.until(
            "id => { const one = document.querySelector(`#${id} .scroll`); return one.scrollWidth <= one.clientWidth }",
            id,
        )
    look.page.set_viewport_size({"width": 1280, "height": 900})
    broken = "[...document.querySelectorAll('#registers td.wrap')].every(cell => cell.clientWidth >= 120)"
    assert look.page.evaluate(broken)


def test_marks_of_stages_leave_the_curves_to_be_seen_and_no_labels_are_alike(look):
    """A canvas tells nothing of what is on it, so what draws on it is listened to."""
    told = look.page.evaluate(
        """async () => {
          const { Charts } = await import('./charts.js');
          const about = { units: [{ unit: 1 }], quantities: { soc: { unit: '0..1', meaning: '' } } };
          const made = new Charts(about, () => {});
          made.charts = [made.charts[0]]; made.charts[0].names = ['soc'];
          const t = [...Array(100).keys()].map((place) => 1.7e9 + 3600 * place);
          made.columns = { t_utc_s: t, soc: t.map((_, place) => 0.72 + 1e-5 * place) };
          made.events = t.map((t_utc_s) => ({ t_utc_s, kind: 'charge', what: '' }));
          const xs = [], labels = [];
          const of = CanvasRenderingContext2D.prototype, { moveTo, fillText, setLineDash } = of;
          let isMark = false;
          Object.assign(of, {
            setLineDash(parts) { isMark = parts[1] === 2 * parts[0]; setLineDash.call(this, parts); },
            moveTo(x, y) { if (isMark) xs.push([this, x]); moveTo.call(this, x, y); },
            fillText(text, ...at) { labels.push([this, text]); fillText.call(this, text, ...at); },
          });
          made.draw();
          await new Promise((go) => setTimeout(go, 200));
          Object.assign(of, { moveTo, fillText, setLineDash });
          const own = (all) => all.filter(([on]) => on === made.charts[0].plot.ctx).map(([, one]) => one);
          return { xs: own(xs), labels: own(labels).filter((text) => text.startsWith('72.0')) };
        }"""
    )
    xs = sorted(set(told["xs"]))
    assert len(xs) > 5
    assert min(b - a for a, b in pairwise(xs)) >= 11
    assert len(set(told["labels"])) >= 4


def test_lines_of_a_chart_differ_without_their_colours(look):
    script = (look.page.request.get(f"{look.at.server.url}charts.js")).text()
    dashes = re.search(r"const DASHES = (\[.*?\]);", script)
    assert dashes is not None
    patterns = [str(one) for one in json.loads(dashes[1])]
    assert len(patterns) == len(set(patterns)) >= 5


SCENES = {  # commands, width, the sections that the picture has
    "day": (("jump 2026-02-20T12:00",), 1280, ["plant", "sees", "charts"]),
    "fault": (("upset battery_disconnected", "step 10min"), 1280, ["plant", "sees", "charts", "events"]),
    "phone": (("mend all", "step 2h"), 390, ["plant", "charts"]),
    "night": (("jump 2026-02-20T22:00",), 1280, ["plant", "sees", "charts", "events"]),
}
ONLY = """names => {
  for (const one of document.querySelectorAll('section')) one.hidden = !names.includes(one.id);
  return Math.max(...names.map(name => document.getElementById(name).getBoundingClientRect().bottom));
}"""


def test_pictures_of_day_fault_phone_and_night_are_kept(browser, tmp_path):
    """In the folder TRACERTWIN_PICTURES, if it is set, for people to look at."""
    folder = Path(os.environ.get("TRACERTWIN_PICTURES", tmp_path))
    how: dict[str, Any] = {"polled_s": None, "speed": 1.0, "map_name": "uart2"}
    with (
        MockFirmware(period_s=0.5) as firmware,
        polling(firmware),
        served(plant(906), links=[firmware.endpoint], **how) as at,
        running(at),
        opened(browser, at) as look,
    ):
        for name, (commands, width, sections) in SCENES.items():
            for command in commands:
                assert at.do(command).status == 200
            if name == "night":
                look.page.click("#theme")
            look.page.set_viewport_size({"width": width, "height": 900})
            look.shows("event-rows", commands[-1].lower())
            sleep(6.0)  # the charts ask for the samples of a jump seconds later, the firmware reads all
            end = look.page.evaluate(ONLY, sections)
            clip = {"x": 0, "y": 0, "width": width, "height": end + 8}
            path = folder / f"page_{name}.png"
            look.page.screenshot(path=path, full_page=True, clip=clip)
            assert path.stat().st_size > 20_000
            assert "–" not in look.page.inner_text("#chart-list")  # the newest values
            assert " V at " in look.page.inner_text("#sees-rows td:last-child")
