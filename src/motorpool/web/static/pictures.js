// Draws a Vega-Lite specification as SVG in the page's own colours. Expressions are interpreted, never compiled, so that
// the page needs no permission to evaluate text as a program.
import { expressionInterpreter } from "/static/vendor/vega-interpreter.js";

const PAGE_COLOURS = {
  "#1f2a37": "currentColor", "#dfe3e8": "var(--grid)", "#4b5563": "var(--soft-ink)",
  "#5f6b7a": "var(--comparator)", "#0072b2": "var(--first-arm)",
};
const VIEWS_KEPT = 24;
const views = new Map(); // a figure's structure to its view: a new result of the same structure only brings new data
let count = 0;

function viewOf(structure) {
  const compiled = window.vegaLite.compile(JSON.parse(structure), { logger: window.vega.logger(window.vega.Error) }).spec;
  const runtime = window.vega.parse(compiled, null, { ast: true });
  return new window.vega.View(runtime, { renderer: "none", expr: expressionInterpreter, logLevel: window.vega.Error });
}

// The view of a structure, taken out while it is in use, so that no two drawings mix.
async function draw({ datasets, ...rest }) {
  const structure = JSON.stringify(rest);
  const view = views.get(structure) || viewOf(structure);
  views.delete(structure);
  for (const [name, rows] of Object.entries(datasets || {})) { view.data(name, rows); }
  const text = await view.resize().toSVG();
  if (views.has(structure)) { view.finalize(); } else { views.set(structure, view); }
  if (views.size > VIEWS_KEPT) {
    const [oldest, unused] = views.entries().next().value;
    views.delete(oldest);
    unused.finalize();
  }
  return text;
}

function inPageColours(text) {
  count += 1;
  let changed = text.replace(/(id="|url\(#|href="#)(clip|gradient)/g, `$1picture-${count}-$2`);
  for (const [colour, name] of Object.entries(PAGE_COLOURS)) { changed = changed.split(colour).join(name); }
  return changed;
}

export async function svgOf(spec) {
  const parsed = new DOMParser().parseFromString(inPageColours(await draw(spec)), "image/svg+xml").documentElement;
  parsed.setAttribute("aria-hidden", "true");
  parsed.setAttribute("focusable", "false");
  return parsed;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) { made.setAttribute(key, value); }
  made.append(...children);
  return made;
}

// A table that comes when it is opened.
export async function fillTable(details, signal) {
  if (!details.dataset.table) { return; }
  const address = details.dataset.table;
  delete details.dataset.table;
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) { throw new Error(String(response.status)); }
    details.insertAdjacentHTML("beforeend", await response.text());
  } catch {
    details.dataset.table = address; // asked for again when it is opened again
  }
}

// One figure of the page: picture, caption, table, files to keep. A table that is not there yet has its address.
export async function figureOf(data, files, query, heading = "h4", tableAddress = "") {
  const picture = element("div", { class: "picture", role: "img", "aria-label": data.alt });
  picture.append(await svgOf(data.spec));
  const scroll = element("div", { class: "picture-scroll" }, picture);
  const tools = element("div", { class: "tools" });
  for (const kind of ["svg", "png", "csv"]) {
    const words = kind === "csv" ? "Numbers (CSV)" : `Picture (${kind.toUpperCase()})`;
    tools.append(element("a", { href: `${files}/${data.id}.${kind}?${query}`, download: "", "aria-label": `${words}: ${data.title}` }, words));
  }
  const table = element("details", {}, element("summary", {}, "The numbers as a table"));
  if (data.table === undefined) {
    table.dataset.table = tableAddress;
    table.addEventListener("toggle", () => { if (table.open) { fillTable(table); } });
  } else {
    table.insertAdjacentHTML("beforeend", data.table);
  }
  return element("figure", { id: data.id }, element(heading, {}, data.title), scroll,
    element("figcaption", {}, `${data.caption} ${data.source}`), tools, table);
}
