// The tables: what the firmware sees, registers, traffic, events, the line's health, moments to keep.

import { $, api, ask, h, local, rows, save, say, shown, token } from "./parts.js";

const SEEN = [ // quantity, register
  ["v_pv_v", "0x3100"], ["v_batt_v", "0x3104"], ["soc", "0x311A"], ["t_batt_c", "0x3110"], ["i_chg_a", "0x3105"],
  ["p_load_w", "0x310E"], ["stage", "0x3201"], ["generated_today_kwh", "0x330C"], ["consumed_today_kwh", "0x3304"],
];
const STAGE_BITS = "D3-2 "; // of the status word, whose other bits have nothing to do with the stage
const MOST_FRAMES = 300;
const td = (words, kind = "") => h("td", { class: kind || null }, words ?? "");
const bits = (word) => word.toString(2).padStart(16, "0").replace(/(.{4})(?=.)/g, "$1 ");
const hex = (word) => word.toString(16).toUpperCase().padStart(4, "0");

/** A name that may go on in the next line after each underscore, where the screen is narrow. */
const breakable = (name) => name.split(/(?<=_)/).flatMap((part, place) => (place ? [h("wbr"), part] : [part]));

/** What a register says of a quantity. */
const said = (text) => (text.split(", ").find((one) => one.startsWith(STAGE_BITS)) ?? text).replace(/^D[\d-]+ /, "").replace("degC", "°C");

/** What is true beside what a register shows and a client has read. */
export function showSeen(values, about, registers) {
  const own = about.maps[0];
  const published = own === "uart2" ? { "0x330C": "0x3300", "0x3201": "0x3200" } : {};
  const made = SEEN.map(([name, address]) => {
    const row = registers.find((one) => one.map === own && one.table === "input" && one.address === (published[address] || address));
    const text = row ? said(row.meaning.join(", ") || `${row.text} ${row.unit}`) : "not in this map";
    const read = row?.read ? `${said(row.read.text)} at ${local(row.read.t_utc_s).slice(11)}` : "not yet";
    return h("tr", {}, h("td", { title: about.quantities[name].meaning }, ...breakable(name)), td(shown(values[name], about.quantities[name]), "num"),
      h("td", { class: "wrap", title: row ? `${row.address} ${row.name}` : null }, text), td(read));
  });
  rows($("sees-rows"), made);
}

/** Both maps side by side. */
export class Registers {
  constructor(about) {
    this.about = about;
    this.list = [];
    const heads = ["address", "name", about.maps[0], "raw", about.maps[1], "client last read", "write"];
    $("register-heads").replaceChildren(...heads.map((head) => h("th", { scope: "col" }, head)));
    for (const id of ["register-find", "register-table", "register-read"]) $(id).addEventListener("input", () => this.show());
  }

  async load(unit, at) {
    this.list = await api(`registers?unit=${unit}${at === null ? "" : `&at=${at}`}`);
    this.unit = unit;
    this.past = at !== null;
    this.show();
  }

  show() {
    const both = new Map();
    for (const row of this.list) {
      const key = `${row.table} ${row.address}`;
      both.set(key, { ...both.get(key), [row.map]: row, key: row });
    }
    const find = $("register-find").value.trim().toLowerCase(), table = $("register-table").value, read = $("register-read").checked;
    const wanted = [...both.values()].filter(({ key }) => (!table || key.table === table) && (!read || key.read)
      && (!find || key.address.toLowerCase().includes(find) || key.name.includes(find.replaceAll(" ", "_"))));
    rows($("register-rows"), wanted.map((row) => this.#row(row)));
  }

  #row(pair) {
    const [own, other] = this.about.maps.map((name) => pair[name]);
    const row = own || other;
    const words = (one) => (one ? [`${one.text} ${one.unit}`.trim(), one.meaning.join(", ")].filter(Boolean).join(": ") : "–");
    const raw = row.words.map((word) => (row.bits?.length ? bits(word) : hex(word))).join(" ");
    const differs = own && other && (own.text !== other.text || own.name !== other.name);
    const read = row.read ? `${row.read.text} at ${local(row.read.t_utc_s).slice(5)}` : "";
    const edit = row.writable && !this.past && token
      ? h("button", { type: "button", "aria-label": `Edit ${row.name}`, onclick: () => this.#edit(row) }, "edit") : null;
    return h("tr", { class: differs ? "differs" : null },
      td(`${row.address}${row.table === "input" ? "" : ` ${row.table}`}`, "mono"), td(row.name), td(words(own), "wrap own"), td(raw, "mono"),
      td(other && own && !differs ? "the same" : `${differs && other.name !== own.name ? `${other.name}: ` : ""}${words(other)}`, "wrap"), td(read, "mono"), h("td", {}, edit));
  }

  #edit(row) {
    const input = h("input", { value: row.value === null ? "on" : `${row.table === "coil" ? (row.value ? "on" : "off") : row.value}`, id: "edit-value", size: 16 });
    ask(`Write ${row.name} (${row.address})`, [
      h("p", {}, `A client's rules apply: a value that the controller refuses is answered by an exception.`),
      h("label", {}, `Value${row.unit ? ` in ${row.unit}` : ""} `, input)], "Write", async () => {
      const { told } = await api("commands/write", { arguments: `${row.name}=${input.value.trim()} unit=${this.unit}` });
      say(`written: ${told}`);
    });
  }
}

/** Frames as they come; they can be held while one reads. */
export class Traffic {
  constructor() {
    this.frames = [];
    this.held = null;
    $("hold").addEventListener("click", () => {
      this.held = this.held ? null : [...this.frames];
      $("hold").setAttribute("aria-pressed", String(Boolean(this.held)));
      $("hold").textContent = this.held ? "Go on" : "Hold";
      this.show();
    });
    $("export").addEventListener("click", () => save("traffic.pcapng", "tracertwin.pcapng"));
    for (const id of ["traffic-find", "traffic-kind", "traffic-bytes"]) $(id).addEventListener("input", () => this.show());
  }

  async load() {
    this.frames = await api(`traffic?most=${MOST_FRAMES}`);
    this.show();
  }

  add(frames) {
    const last = this.frames.length ? this.frames[this.frames.length - 1].number : 0;
    this.frames = [...this.frames, ...frames.filter((frame) => frame.number > last)].slice(-MOST_FRAMES);
    if (!this.held) this.show();
  }

  show() {
    const find = $("traffic-find").value.trim().toLowerCase(), kind = $("traffic-kind").value, bytes = $("traffic-bytes").checked;
    const wanted = (this.held || this.frames).filter((frame) => (!kind || frame.kind === kind)
      && (!find || `${frame.asked} ${frame.answered || ""} ${frame.why || ""}`.toLowerCase().includes(find))).slice(-120).reverse();
    rows($("traffic-rows"), wanted.map((frame) => {
      const remark = [frame.struck?.length ? `line fault: ${frame.struck.join(", ")}` : "", frame.why || "", frame.pieces > 1 ? `in ${frame.pieces} pieces` : ""].filter(Boolean).join("; ");
      const cell = (words, data) => h("td", { class: "wrap" }, words || "", ...(bytes && data ? [h("br"), h("span", { class: "mono" }, data)] : []));
      return h("tr", { class: ["exception", "fault", "silence", "junk", "stale"].includes(frame.kind) ? "bad" : null },
        td(local(frame.t_utc_s).slice(5), "mono"), td(frame.gap_s ? `${(1000 * frame.gap_s).toFixed(0)} ms` : "", "num"),
        cell(frame.kind === "command" ? `> ${frame.asked}` : frame.asked, frame.bytes), cell(frame.answered, frame.sent), td(remark, "wrap"));
    }));
  }
}

/** What happened; a click looks back at it. */
export function showEvents(events, look) {
  rows($("event-rows"), events.slice(-200).reverse().map((event) => h("tr", {},
    h("td", { class: "mono" }, h("button", { type: "button", "aria-label": `Look at ${local(event.t_utc_s)}`, onclick: () => look(event.t_utc_s) }, local(event.t_utc_s).slice(5))),
    td(`${event.kind === "command" ? ">" : `${event.kind.replaceAll("_", " ")}:`} ${event.what.toLowerCase().replaceAll("_", " ").replace("->", "→")}`, "wrap"), td(event.why, "wrap"))));
}

/** Each line in words. */
export function showHealth(lines) {
  const made = lines.map((line) => {
    const struck = Object.entries(line.struck).map(([name, count]) => `${name} ${count}×`).join(", ");
    const counts = [`${line.requests} requests`, `${line.replies} replies`, line.exceptions && `${line.exceptions} exceptions`,
      line.bad_frames && `${line.bad_frames} bad CRCs`, line.junk_bytes && `${line.junk_bytes} junk bytes`, line.stale && `${line.stale} dropped as stale`,
      line.p99_ms && `99 % of replies within ${line.p99_ms.toFixed(1)} ms`, struck && `line faults: ${struck}`].filter(Boolean).join(", ");
    const found = [...line.found].reverse().slice(0, 4).map((words) => h("li", {}, words));
    return h("div", { class: `line${line.connected ? "" : " off"}` }, h("strong", {}, line.link), ` ${line.connected ? "a master is there" : "nobody there"}`,
      h("p", {}, counts), h("ul", { class: "found" }, ...found));
  });
  rows($("lines"), made);
}

/** Moments that become expectations. */
export class Keep {
  constructor(about, moment) {
    this.moments = [];
    const sets = { "stage, battery voltage, charge": ["stage", "v_batt_v", "soc"], "array and load": ["p_pv_w", "v_pv_v", "p_load_w"] };
    const names = Object.keys(about.quantities).filter((name) => !/^t_(utc|device)_s$/.test(name));
    $("keep-what").replaceChildren(...Object.entries(sets).map(([label, list]) => h("option", { value: list.join(",") }, label)),
      ...names.map((name) => h("option", { value: name }, name)));
    $("keep-add").addEventListener("click", () => {
      this.moments.push({ t_utc_s: moment(), quantities: $("keep-what").value.split(",") });
      this.show();
    });
    $("keep-do").addEventListener("click", () => save("scenario", "kept.yaml", { name: $("keep-name").value || "A session kept", moments: this.moments }));
  }

  show() {
    $("keep-list").replaceChildren(...this.moments.map((one, place) => h("li", {}, `${local(one.t_utc_s)}: ${one.quantities.join(", ")} `,
      h("button", { type: "button", "aria-label": "Remove", onclick: () => { this.moments.splice(place, 1); this.show(); } }, "×"))));
  }
}

