// Charts of chosen quantities over the run so far: zoom, events as marks, the moment that is looked at.

import { $, api, h, say, zone } from "./parts.js";

const MOST = 9000; // points; then they are asked for anew, thinned out
const WIDE_S = 120; // between two points, of the plant's time: there are samples in between
const AGAIN_MS = 1500;
const APART = 12; // pixels between two marks of stages, which would be a solid bar over the curves otherwise
const DATE_PX = 92; // that a date takes below an axis
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 5]];
const BROAD = { p_mp_w: 5 }; // another curve lies on it for hours: it shows on both sides, and is pale
const OWN = { p_mp_w: "--dim", p_pv_w: "--pv", p_load_w: "--load" }; // as in the drawing; others go by their place
const COLOURS = ["--sun", "--load", "--batt", "--mark", "--bad", "--dim"];
const percent = (unit) => (unit === "0..1" ? 100 : 1); // as the tables show it
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Charts {
  /** `look(t)` is called when somebody clicks on a moment. */
  constructor(about, look) {
    this.about = about;
    this.look = look;
    this.unit = about.units[0].unit;
    this.events = [];
    this.moment = null;
    this.zoomed = null;
    this.columns = { t_utc_s: [] };
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem("charts")); } catch { /* nothing kept */ }
    const known = (names) => names.filter((name) => about.quantities[name]);
    this.charts = (kept || [["p_mp_w", "p_pv_w", "p_load_w"], ["v_batt_v", "soc"]]).map((names) => ({ names: known(names) }));
    $("chart-list").replaceChildren(...this.charts.map((chart) => this.#frame(chart)));
    new ResizeObserver(() => this.charts.forEach((chart) => chart.plot?.setSize(this.#size(chart)))).observe($("chart-list"));
  }

  #frame(chart) {
    chart.chips = h("div", { class: "chips" });
    chart.place = h("div");
    return h("div", {}, chart.chips, chart.place);
  }

  #chips(chart) {
    const chips = chart.names.map((name) => h("span", { class: "chip", title: this.about.quantities[name].meaning }, name,
      h("button", { type: "button", "aria-label": `Remove ${name}`, onclick: () => this.#choose(chart, chart.names.filter((other) => other !== name)) }, "×")));
    const others = Object.keys(this.about.quantities).filter((name) => !name.startsWith("t_utc") && !chart.names.includes(name));
    const select = h("select", { "aria-label": "Add a quantity to this chart", onchange: () => this.#choose(chart, [...chart.names, select.value]) },
      h("option", { value: "" }, "add ..."), ...others.map((name) => h("option", { title: this.about.quantities[name].meaning }, name)));
    chart.chips.replaceChildren(...chips, ...(chart.names.length < COLOURS.length ? [select] : []));
  }

  #choose(chart, names) {
    chart.names = names;
    localStorage.setItem("charts", JSON.stringify(this.charts.map((one) => one.names)));
    this.load();
  }

  /** Ask for the whole run, of the unit that is shown. */
  async load() {
    const names = [...new Set(this.charts.flatMap((chart) => chart.names))];
    try {
      this.columns = await api(`history?unit=${this.unit}&quantities=${names.join(",")}`);
    } catch (error) {
      say(error.message, true);
      return;
    }
    if (this.drawn === JSON.stringify(this.charts.map((chart) => chart.names))) this.charts.forEach((chart) => this.#fill(chart));
    else this.draw();
  }

  /** A new moment at the end. */
  add(values) {
    const t = this.columns.t_utc_s;
    const last = t.length ? t[t.length - 1] : 0;
    if (values.t_utc_s <= last) return;
    if (values.t_utc_s - last > WIDE_S) this.#reload(); // it has samples in between
    for (const name of Object.keys(this.columns)) this.columns[name].push(values[name]);
    if (t.length > MOST) this.#reload();
    for (const chart of this.charts) if (chart.plot) this.#fill(chart);
  }

  #reload() {
    if (this.reloading) return;
    this.reloading = setTimeout(() => { this.reloading = null; this.load(); }, AGAIN_MS);
  }

  #data(chart) {
    return [this.columns.t_utc_s, ...chart.names.map((name) => this.columns[name] || [])];
  }

  #fill(chart) {
    chart.plot.setData(this.#data(chart), false);
    const t = this.columns.t_utc_s;
    const [min, max] = this.zoomed || [t[0], Math.max(t[t.length - 1], t[0] + 60)];
    chart.plot.setScale("x", { min, max });
    chart.plot.setLegend({ idx: chart.plot.cursor.idx ?? null });
  }

  #size(chart) {
    return { width: Math.max(240, chart.place.clientWidth), height: 210 };
  }

  draw() {
    this.drawn = JSON.stringify(this.charts.map((chart) => chart.names));
    for (const chart of this.charts) {
      this.#chips(chart);
      chart.plot?.destroy();
      chart.plot = new uPlot(this.#options(chart), this.#data(chart), chart.place);
      this.#fill(chart);
    }
  }

  #options(chart) {
    const ink = css("--ink"), line = css("--line");
    const unitOf = (name) => this.about.quantities[name].unit || "1";
    const units = [...new Set(chart.names.map(unitOf))];
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    return {
      ...this.#size(chart),
      padding: [10, units.length > 1 ? 0 : 76, 0, 0], // so that all charts have the same times one above the other
      tzDate: (t) => uPlot.tzDate(new Date(1000 * t), zone.name),
      cursor: { sync: { key: "run" }, drag: { x: true, y: false, setScale: false } },
      scales: { x: {}, ...Object.fromEntries(units.map((unit) => [unit, {}])) },
      axes: [{ ...axis, values: TIMES, space: DATE_PX }, ...units.slice(0, 2).map((unit, place) => ({
        ...axis, values: (plot, splits, ...how) => NUMBERS(splits.map((value) => value && value * percent(unit)), how[2] * percent(unit)), scale: unit, side: place ? 1 : 3, grid: { show: !place, stroke: line }, size: 56,
        label: unit === "1" ? "" : unit.replace("0..1", "%").replace("W/m2", "W/m²").replace("degC", "°C"), labelSize: 20,
      }))],
      series: [{ value: (plot, t, _, point) => {
        const shown = (point == null ? plot.data[0].at(-1) : t) ?? null; // the newest, while nothing is pointed at
        return shown === null ? "–" : uPlot.fmtDate("{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}")(uPlot.tzDate(new Date(1000 * shown), zone.name));
      } },
        ...chart.names.map((name, place) => ({
          label: name, scale: unitOf(name), stroke: `${css(OWN[name] || COLOURS[place])}${BROAD[name] ? "80" : ""}`, width: BROAD[name] || 2, dash: DASHES[place], points: { show: false },
          value: (plot, value, series, point) => {
            const shown = (point == null ? plot.data[series].at(-1) : value) ?? null;
            const scaled = shown * percent(unitOf(name));
            return shown === null ? "–" : scaled.toFixed(Math.abs(scaled) < 10 ? 3 : 1);
          },
        }))],
      hooks: {
        setSelect: [(plot) => {
          if (plot.select.width < 4) return;
          const ends = [plot.select.left, plot.select.left + plot.select.width].map((x) => plot.posToVal(x, "x"));
          plot.setSelect({ width: 0, height: 0 }, false);
          this.#zoom(ends);
        }],
        draw: [(plot) => this.#marks(plot)],
        ready: [(plot) => {
          plot.over.addEventListener("dblclick", () => this.#zoom(null));
          plot.over.addEventListener("click", (event) => {
            if (plot.select.width < 4) this.look(plot.posToVal(event.offsetX, "x"));
          });
        }],
      },
    };
  }

  #zoom(ends) {
    this.zoomed = ends;
    this.charts.forEach((chart) => this.#fill(chart));
  }

  #marks(plot) {
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    const stroke = (t, colour, dash, wide) => {
      const x = Math.round(plot.valToPos(t, "x", true));
      if (x < left || x > left + width) return;
      ctx.save();
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide * devicePixelRatio;
      ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.restore();
    };
    const apart = (events) => {
      let last = -Infinity;
      return events.filter((event) => {
        const x = plot.valToPos(event.t_utc_s, "x");
        if (x < 0 || x - last < APART) return false;
        last = x;
        return true;
      });
    };
    const commands = this.events.filter((event) => event.kind === "command" && !/^(pause|go|speed|step|jump)\b/.test(event.what));
    for (const event of apart(this.events.filter((event) => event.kind === "charge"))) stroke(event.t_utc_s, css("--dim"), [2, 4], 1);
    for (const event of apart(commands)) stroke(event.t_utc_s, css("--bad"), [6, 3], 1.5);
    if (this.moment !== null) stroke(this.moment, css("--mark"), [], 2.5);
  }

  mark(moment) {
    this.moment = moment;
    this.charts.forEach((chart) => chart.plot?.redraw(false));
  }
}

/** As many decimals as the step between two labels has: none are alike. */
const NUMBERS = (splits, step) => {
  let decimals = 0;
  while (decimals < 9 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return splits.map((value) => (value === null ? "" : value.toFixed(decimals)));
};

const TIMES = [
  [86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
];
