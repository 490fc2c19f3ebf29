// What all parts of the page share: elements, requests, messages, the dialog, times.

export const $ = (id) => document.getElementById(id);

/** An element; properties that begin with "on" are listeners, the others attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname); // out of sight, and of bookmarks
}
export const token = sessionStorage.getItem("token") || "";
const headers = token ? { Authorization: `Bearer ${token}` } : {};

let sent = Promise.resolve();

/** Ask the API; an error's text is thrown. What changes something is sent once all that was asked for before it is done. */
export function api(path, body) {
  if (body === undefined) return answer(path, { headers });
  const told = sent.then(() => answer(path, { method: "POST", headers, body: JSON.stringify(body) }));
  sent = told.catch(() => {});
  return told;
}

async function answer(path, how) {
  const reply = await fetch(`/api/v1/${path}`, how);
  if (reply.status === 401) throw new Error("This needs the token of the run that is served now: open the address that tracertwin printed.");
  if (!reply.ok) throw new Error((await reply.json()).error);
  return reply.headers.get("content-type").includes("json") ? reply.json() : reply.blob();
}

/** Say something to the user. */
export function say(words, bad = false) {
  $("said").textContent = words;
  $("said").className = bad ? "bad" : "";
}

/** Carry out a command, and say what came of it; whether it was done. */
export async function command(name, words = "") {
  try {
    const { told } = await api(`commands/${name}`, { arguments: words });
    say(`${name} ${words}${told ? `: ${told}` : ""}`);
    return true;
  } catch (error) {
    say(error.message, true);
    return false;
  }
}

/** Save a file that the API gives. */
export async function save(path, name, body) {
  try {
    const url = URL.createObjectURL(await api(path, body));
    h("a", { href: url, download: name }).click();
    URL.revokeObjectURL(url);
    say(`${name} was saved`);
  } catch (error) {
    say(error.message, true);
  }
}

/** Ask in a dialog; `act` may throw, and its words are shown there. */
export function ask(title, body, label, act) {
  const dialog = $("dialog");
  $("dialog-title").textContent = title;
  $("dialog-body").replaceChildren(...body);
  $("dialog-said").textContent = "";
  $("dialog-do").textContent = label || "";
  $("dialog-do").hidden = !act;
  dialog.querySelector("form").onsubmit = async (event) => {
    if (event.submitter?.value !== "do") return;
    event.preventDefault();
    try {
      await act();
      dialog.close();
    } catch (error) {
      $("dialog-said").textContent = error.message;
    }
  };
  dialog.showModal();
}

export const zone = { name: "UTC" };

/** A moment as the site's clocks show it. */
export function local(t_utc_s, seconds = true) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone.name, dateStyle: "short", timeStyle: seconds ? "medium" : "short" });
  return parts.format(new Date(1000 * t_utc_s));
}

/** A value with its unit, as people write it. */
export function shown(value, quantity) {
  if (value === null || value === undefined) return "–";
  if (Object.keys(quantity.codes).length) return (quantity.codes[value] || value).toString().toLowerCase().replaceAll("_", " ");
  if (quantity.unit === "0, 1") return value ? "yes" : "no";
  if (quantity.unit === "0..1") return `${(100 * value).toFixed(1)} %`;
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return `${value.toFixed(digits)} ${quantity.unit.replace("degC", "°C").replace("W/m2", "W/m²")}`;
}

/** Replace rows only where they changed: a table that is made anew each second can't be read. */
export function rows(body, made) {
  const before = [...body.children];
  made.forEach((row, place) => {
    if (!before[place]) body.append(row);
    else if (!before[place].isEqualNode(row) && !before[place].contains(document.activeElement)) before[place].replaceWith(row);
  });
  before.slice(made.length).forEach((row) => row.remove());
}
