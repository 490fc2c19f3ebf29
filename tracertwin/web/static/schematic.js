// The plant as a drawing: sun, array, controller, battery, load, and what flows between them.

const SVG = "http://www.w3.org/2000/svg";

function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const text = (x, y, kind = "", anchor = "middle") => s("text", { x, y, class: kind, "text-anchor": anchor });

/** Draw it into a place; returns what shows another moment in it. */
export function schematic(place) {
  const rays = [...Array(8).keys()].map((n) => {
    const [c, t] = [Math.cos((n * Math.PI) / 4), Math.sin((n * Math.PI) / 4)];
    return s("line", { x1: 70 + 34 * c, y1: 62 + 34 * t, x2: 70 + 46 * c, y2: 62 + 46 * t, stroke: "var(--sun)", "stroke-width": 4 });
  });
  const sun = s("g", {}, s("circle", { cx: 70, cy: 62, r: 26, fill: "var(--sun)" }), ...rays);
  const moon = s("path", { d: "M82 40 a26 26 0 1 0 12 36 a20 20 0 0 1 -12 -36", fill: "var(--dim)" });
  const cells = [1, 2, 3].map((n) => s("path", { d: `M${24 + 24 * n} 180 l-10 60 M${28 - 3 * n} ${180 + 15 * n} h96`, stroke: "var(--ink)", fill: "none" }));
  const array = s("g", {}, s("path", { d: "M24 180 h96 l-10 60 h-96 z", class: "box" }), ...cells);
  const wires = {
    pv: "M122 212 H236", batt: "M330 246 V300 H430", load: "M364 190 H430 V112 H470",
  };
  const flow = {}, parts = [];
  for (const [name, d] of Object.entries(wires)) {
    flow[name] = s("path", { d, class: "flow still" });
    parts.push(s("path", { d, class: "wire" }), flow[name]);
  }
  const level = s("rect", { x: 434, y: 272, width: 0, height: 56, fill: "var(--batt)", opacity: 0.45 });
  const battery = s("g", {}, level,
    s("rect", { x: 432, y: 270, width: 150, height: 60, rx: 6, class: "box", "fill-opacity": 0 }),
    s("rect", { x: 584, y: 288, width: 8, height: 24, fill: "var(--ink)" }));
  const bulb = s("circle", { cx: 500, cy: 112, r: 26, class: "box" });
  const lamp = s("g", {}, bulb, s("path", { d: "M482 94 l36 36 M518 94 l-36 36", stroke: "var(--ink)", "stroke-width": 2 }));
  const t = {
    sun: text(130, 58, "", "start"), air: text(130, 78, "small", "start"),
    pv: text(176, 200, "big"), array: text(20, 262, "small", "start"), model: text(300, 172, "small"),
    stage: text(300, 202, "stage"), regime: text(300, 224, "small"), batt: text(352, 290, "", "start"),
    soc: text(507, 306, "big"), volts: text(434, 350, "small", "start"), load: text(536, 108, "big", "start"),
    loadmore: text(536, 128, "small", "start"), more: text(434, 368, "small", "start"),
  };
  const root = s("svg", { viewBox: "0 0 660 378", class: "plan", role: "img" },
    sun, moon, ...parts, array, s("rect", { x: 226, y: 150, width: 148, height: 96, rx: 10, class: "box" }), battery, lamp, ...Object.values(t));
  place.replaceChildren(root);

  const n = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits));
  function move(name, amount, colour) {
    const still = Math.abs(amount) < 0.05;
    flow[name].setAttribute("class", `flow${still ? " still" : ""}${amount < 0 ? " back" : ""}`);
    if (!still) flow[name].setAttribute("stroke", `var(--${colour})`);
    else flow[name].removeAttribute("stroke");
  }

  return function show(v, words) {
    const day = v.poa_w_m2 > 1;
    sun.setAttribute("display", day ? "" : "none");
    sun.setAttribute("opacity", Math.max(0.35, Math.min(1, v.poa_w_m2 / 800)));
    moon.setAttribute("display", day ? "none" : "");
    t.sun.textContent = day ? `${n(v.poa_w_m2, 0)} W/m²` : "no sun";
    t.air.textContent = `${n(v.t_amb_c)} °C outside`;
    t.pv.textContent = `${n(v.p_pv_w, v.p_pv_w < 100 ? 1 : 0)} W`;
    t.array.textContent = `${n(v.v_pv_v)} V  ${n(v.i_pv_a, 2)} A, cells ${n(v.t_cell_c, 0)} °C`;
    t.model.textContent = words.model;
    t.stage.textContent = words.stage;
    t.regime.textContent = words.regime;
    t.batt.textContent = `${v.i_batt_a < 0 ? "" : "+"}${n(v.i_batt_a, 2)} A`;
    t.soc.textContent = `${n(100 * v.soc, 1)} %`;
    t.volts.textContent = `${n(v.v_batt_v, 2)} V  ${n(v.t_batt_c)} °C`;
    t.load.textContent = `${n(v.p_load_w)} W`;
    t.loadmore.textContent = words.load;
    bulb.setAttribute("fill", v.p_load_w > 0.05 ? "var(--sun)" : "none");
    level.setAttribute("width", 146 * Math.max(0, Math.min(1, v.soc)));
    const beside = [];
    if (v.p_inverter_w > 0) beside.push(`inverter ${n(v.p_inverter_w, 0)} W`);
    if (v.p_charger_1_w > 0) beside.push(`charger ${n(v.p_charger_1_w, 0)} W`);
    if (v.p_charger_2_w > 0) beside.push(`charger 2 ${n(v.p_charger_2_w, 0)} W`);
    t.more.textContent = beside.join(", ");
    move("pv", v.p_pv_w, "pv");
    move("batt", v.i_batt_a, "batt");
    move("load", v.p_load_w, "load");
    root.setAttribute("aria-label", `Array ${n(v.p_pv_w)} W, controller ${words.stage}, battery ${n(v.v_batt_v, 2)} V, ${n(100 * v.soc)} %, ${n(v.i_batt_a)} A, load ${n(v.p_load_w)} W`);
  };
}
