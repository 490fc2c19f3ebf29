// The page: what goes on comes in over a WebSocket, what is done goes out as commands of the API.

import { Actions } from "./actions.js";
import { Charts } from "./charts.js";
import { $, api, ask, command, h, local, say, token, zone } from "./parts.js";
import { schematic } from "./schematic.js";
import { Keep, Registers, Traffic, showEvents, showHealth, showSeen } from "./tables.js";

const SPEEDS = [0.1, 1, 10, 60, 600, 1440, 10000];
const AGAIN_MS = 1500; // to the next dial, after the connection has ended
let about, state, draw, charts, actions, registers, traffic;
let place = 0; // of the unit that is shown
let past = null; // the moment that is looked at [s UTC]; null: now
let values = null; // what is shown
let mark = "", loading = false;

const unit = () => about.units[place];
const lower = (word) => (word || "").toString().toLowerCase().replaceAll("_", " ");
const moment = () => (past === null ? state.t_utc_s : past);

function showPlant() {
  const code = (name) => about.quantities[name].codes[values[name]];
  const load = values.load_on ? lower(code("load_state")) || "on" : "off";
  draw(values, { model: `${unit().model}`, stage: code("stage") === "NONE" ? "NOT CHARGING" : code("stage"), regime: lower(code("regime")), load: `load ${load}` });
}

/** Registers, and what is true beside them: of one moment, however far apart the plant's are. */
async function loadRegisters() {
  const mine = past;
  await registers.load(unit().unit, mine);
  if (mine === past) showSeen(values, about, registers.list);
}

function showTime() {
  const stepped = about.clock === "stepped";
  $("local").textContent = state.local.replace("T", " ");
  $("zone").textContent = zone.name;
  $("pause").textContent = state.paused ? "Go" : "Pause";
  document.body.classList.toggle("paused", state.paused || stepped);
  for (const id of ["pause", "speed"]) $(id).disabled = stepped || !token;
  if (document.activeElement !== $("speed") && state.speed) {
    if (![...$("speed").options].some((one) => Number(one.value) === state.speed)) $("speed").append(h("option", { value: state.speed }, `× ${state.speed}`));
    $("speed").value = state.speed;
  }
  const scrub = $("scrub");
  scrub.min = about.begins_utc_s;
  scrub.max = state.t_utc_s;
  if (past === null) scrub.value = state.t_utc_s;
  $("scrub-time").textContent = past === null ? "now" : local(past);
  scrub.setAttribute("aria-valuetext", $("scrub-time").textContent);
}

/** A unit's id is another one once function 45 has set it and the power was cycled. */
function knowIds() {
  if (about.units.every((one, number) => one.unit === state.units[number].unit)) return;
  about.units.forEach((one, number) => { one.unit = state.units[number].unit; });
  charts.unit = actions.unit = unit().unit;
  showTabs();
}

function hear(message) {
  state = message;
  const now = state.units[place];
  knowIds();
  if (past === null) values = now.values;
  charts.add(now.values);
  showTime();
  showPlant();
  actions.show(state, now);
  const broken = [...Object.values(now.broken).map(lower), ...(state.faults.length ? ["the line"] : [])];
  $("plant-note").textContent = broken.length ? `Broken: ${broken.join(", ")}` : "";
  showHealth(state.lines);
  if (state.frames) traffic.add(state.frames);
  const text = JSON.stringify([place, state.mark]);
  if (text !== mark && !loading) {
    mark = text;
    loadEvents();
  }
}

async function loadEvents() {
  loading = true;
  try {
    charts.events = await api(`events?unit=${unit().unit}`);
    showEvents(charts.events, look);
    charts.mark(past);
  } finally {
    setTimeout(() => { loading = false; }, 1000); // no more than one a second, however fast the plant goes
  }
}

/** Look at an earlier moment, or at what goes on. */
let asked = 0;
async function look(t) {
  const begin = about.begins_utc_s;
  past = t === null || t >= state.t_utc_s ? null : Math.max(begin, Math.round(t / about.step_s) * about.step_s);
  document.body.classList.toggle("past", past !== null);
  $("live").setAttribute("aria-pressed", String(past === null));
  if (past !== null) $("scrub").value = past;
  showTime();
  charts.mark(past);
  const mine = ++asked;
  const told = past === null ? state.units[place].values : await api(`quantities?unit=${unit().unit}&at=${past}`);
  if (mine !== asked) return; // somebody dragged on meanwhile
  values = told;
  await loadRegisters();
  showPlant();
}

function choose(number) {
  if (!about.units[number]) return;
  place = number;
  charts.unit = actions.unit = unit().unit;
  mark = "";
  showTabs();
  actions.show(state, state.units[place]);
  charts.load();
  look(past);
}

function showTabs() {
  $("tabs").replaceChildren(...about.units.map((one, number) => h("button", {
    type: "button", role: "tab", "aria-selected": String(number === place), "aria-controls": "main", onclick: () => choose(number),
  }, about.units.length > 1 ? `${one.site} (${one.unit})` : one.site)));
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
  charts?.draw();
}

const KEYS = {
  " ": ["pause or go", () => $("pause").click()],
  ".": ["go ahead by the step", () => $("do-step").click()],
  c: ["a cloud now", () => $("cloud-now").click()],
  l: ["back to the present", () => look(null)],
  ArrowLeft: ["look back 10 min; with Shift 1 h", (event) => look(moment() - (event.shiftKey ? 3600 : 600))],
  ArrowRight: ["look on 10 min; with Shift 1 h", (event) => look(moment() + (event.shiftKey ? 3600 : 600))],
  "?": ["this list", () => $("help").click()],
};

function listen() {
  $("pause").addEventListener("click", () => command(state.paused ? "go" : "pause"));
  $("do-step").addEventListener("click", () => command("step", $("step").value));
  $("step").addEventListener("keydown", (event) => { if (event.key === "Enter") $("do-step").click(); });
  $("do-jump").addEventListener("click", () => command("jump", $("jump").value));
  $("speed").addEventListener("change", () => command("speed", $("speed").value));
  $("speed").replaceChildren(...SPEEDS.map((speed) => h("option", { value: speed }, `× ${speed}`)));
  $("live").addEventListener("click", () => look(null));
  $("scrub").addEventListener("input", () => look(Number($("scrub").value)));
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  $("help").addEventListener("click", () => ask("Keys", [
    h("ul", {}, ...Object.entries({ ...KEYS, "1 to 9": ["another controller"] }).map(([key, [words]]) => h("li", {}, h("kbd", {}, key === " " ? "Space" : key), ` ${words}`))),
    h("p", {}, about.recorded ? `This run is recorded in ${about.recorded}; tracertwin replay repeats it byte for byte.` : "Start serve with --record FILE to have a session that replays byte for byte."),
  ], "", null));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    // they have a meaning there: a button is pressed, a table moves
    if (event.target.closest(event.key === " " ? "button, .scroll" : ".scroll") && /^( |Arrow.*)$/.test(event.key)) return;
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    if (!KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key][1](event);
  });
}

/** After a connection has ended: what was missed; or, if another run is served there now, a page of that one. */
async function catchUp() {
  const { began } = await api("about");
  if (began !== about.began) {
    location.reload();
    return false;
  }
  await Promise.all([charts.load(), traffic.load()]);
  say("connected again");
  return true;
}

function follow(again = false) {
  const socket = new WebSocket(`ws://${location.host}/live`);
  let isOfThisRun = !again;
  socket.onopen = () => {
    socket.send(JSON.stringify({ token }));
    if (!isOfThisRun) catchUp().then((is) => { isOfThisRun = is; }, (error) => { say(error.message, true); socket.close(); });
  };
  socket.onmessage = (event) => {
    if (!isOfThisRun) return;
    $("state").textContent = token ? "connected" : "connected, read only";
    $("state").className = "badge";
    hear(JSON.parse(event.data));
  };
  socket.onclose = () => {
    $("state").textContent = "no connection";
    $("state").className = "badge bad";
    setTimeout(() => follow(true), AGAIN_MS);
  };
}

async function begin() {
  theme(localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  about = await api("about");
  state = await api("now");
  zone.name = about.timezone;
  draw = schematic($("schematic"));
  registers = new Registers(about);
  traffic = new Traffic();
  charts = new Charts(about, look);
  actions = new Actions(about, () => state);
  new Keep(about, moment);
  $("jump").value = state.local.slice(0, 16);
  listen();
  showTabs();
  hear(state);
  for (const id of ["do-step", "do-jump"]) $(id).disabled = !token;
  if (!token) say("Read only: to change something, open the address that tracertwin printed, with its token.");
  document.title = `${about.units[0].site} – TracerTwin`;
  await Promise.all([charts.load(), traffic.load(), loadRegisters()]);
  showPlant();
  follow();
  setInterval(() => { if (past === null && !document.hidden) loadRegisters().catch(() => {}); }, 1000);
  document.body.dataset.ready = "yes";
}

begin().catch((error) => {
  $("state").textContent = "no data";
  $("state").className = "badge bad";
  say(error.message, true);
});
