// What can be broken and repaired, each a button made from the rows that the API tells.

import { $, ask, command, h, local, token } from "./parts.js";

const TITLE = (name) => name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase()).replace("Crc", "Wrong CRC");

export class Actions {
  constructor(about, now) {
    this.about = about;
    this.now = now; // gives the newest state
    this.unit = about.units[0].unit;
    const select = (id, label, choices) => h("label", {}, `${label} `, h("select", { id }, ...choices.map(([value, words]) => h("option", { value }, words))));
    const buttons = (kind, list) => h("div", { class: "grid" }, ...list.map((one) => this.#pair(kind, one)));
    this.active = h("div");
    $("actions").replaceChildren(
      this.active,
      h("div", { class: "controls" },
        h("button", { type: "button", class: "main", id: "cloud-now", onclick: () => this.#upset("cloud", ":depth=0.8:lasts=20min") }, "A cloud now, for 20 min"),
        h("button", { type: "button", id: "power-cycle", title: "Cut the controller's power for a moment", onclick: () => command("power-cycle", `unit=${this.unit}`) }, "Power cycle")),
      h("h3", {}, "In the plant"),
      h("div", { class: "controls" }, select("upset-time", "How long", [["", "until repaired"], ["10min", "for 10 min"], ["1h", "for 1 h"], ["1d", "for a day"]])),
      buttons("upset", about.upsets.filter((one) => one.name !== "cloud")),
      h("h3", {}, "On the line"),
      h("div", { class: "controls" }, select("fault-time", "How long", [["once", "once"], ["10", "for 10 min"], ["60", "for 1 h"], ["", "until repaired"]])),
      buttons("fault", about.faults),
    );
    if (!token) $("actions").querySelectorAll("button, select").forEach((one) => { one.disabled = true; });
  }

  #pair(kind, one) {
    const title = TITLE(one.name);
    const act = () => (kind === "upset" ? this.#upset(one.name, this.#lasts()) : command("fault", `${one.name}:1${this.#window()}`));
    const main = h("button", { type: "button", id: `${kind}-${one.name}`, title: `${one.meaning} Then: ${one.then}.`, onclick: act }, title);
    if (!one.keys.length && kind === "upset") return h("span", { class: "pair" }, main);
    return h("span", { class: "pair" }, main,
      h("button", { type: "button", "aria-label": `${title}, with other values`, title: "With other values", onclick: () => this.#form(kind, one) }, "…"));
  }

  #lasts() {
    const time = $("upset-time").value;
    return time ? `:lasts=${time}` : "";
  }

  /** How long a line fault is to strike: once, or in a window of the plant's time. */
  #window() {
    const time = $("fault-time").value;
    if (!time) return "";
    if (time === "once") return ":times=1";
    const begin = this.now().t_utc_s;
    const moment = (t) => local(t).replace(" ", "T");
    return `:from=${moment(begin)}:to=${moment(begin + 60 * Number(time))}`;
  }

  #upset(name, words) {
    return command("upset", `${name}${words} unit=${this.unit}`);
  }

  #form(kind, one) {
    const chance = kind === "fault" ? [{ key: "probability", default: 1, low: 0, high: 1, kind: "number" }] : [];
    const inputs = [...chance, ...one.keys].map((key) => ({ key, input: h("input", {
      name: key.key, value: key.kind === "duration" ? `${key.default}s` : String(key.default), size: 10 }) }));
    const fields = inputs.map(({ key, input }) => h("label", {}, `${key.key} `, input,
      ` ${key.kind === "duration" ? "e.g. 300ms or 2min" : `${key.low} to ${key.high}`}`));
    ask(TITLE(one.name), [h("p", {}, `${one.meaning} Then: ${one.then}.`), ...fields], "Break it", async () => {
      const told = inputs.filter(({ key }) => key.key !== "probability").map(({ key, input }) => `:${key.key}=${input.value.trim()}`).join("");
      const share = kind === "fault" ? `:${inputs[0].input.value.trim()}` : "";
      const words = kind === "fault" ? `${one.name}${share}${told}${this.#window()}` : `${one.name}${told}${this.#lasts()} unit=${this.unit}`;
      if (!(await command(kind, words))) throw new Error($("said").textContent);
    });
  }

  /** What is broken now, each with its repair. */
  show(state, unit) {
    const repair = (label, act) => h("button", { type: "button", onclick: act, disabled: !token }, label);
    const items = [];
    for (const [number, name] of Object.entries(unit.broken))
      items.push(h("li", {}, `${TITLE(name)} `, repair("Repair", () => command("mend", `${number} unit=${unit.unit}`))));
    for (const [number, name] of Object.entries(unit.planned))
      items.push(h("li", {}, `${TITLE(name)}, later `, repair("Cancel", () => command("mend", `${number} unit=${unit.unit}`))));
    for (const text of state.faults)
      items.push(h("li", {}, `Line: ${text} `, repair("Repair", () => command("fault", `off ${text.split(":")[0]}`))));
    const made = items.length ? h("div", { class: "broken" }, h("strong", {}, "Broken now"), h("ul", { id: "broken" }, ...items)) : h("div");
    if (!this.active.firstChild?.isEqualNode(made)) this.active.replaceChildren(made);
  }
}
