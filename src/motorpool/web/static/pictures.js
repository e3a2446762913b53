// Draws Vega-Lite specifications as SVG in the page's own colours. Expressions are interpreted, never compiled, so that the
// page needs no permission to evaluate text. A picture whose structure stays gets new data and words where it stands.
import { expressionInterpreter } from "/static/vendor/vega-interpreter.js";

const PAGE_COLOURS = {
  "#1f2a37": "currentColor", "#dfe3e8": "var(--grid)", "#4b5563": "var(--soft-ink)",
  "#5f6b7a": "var(--comparator)", "#0072b2": "var(--first-arm)",
};
const KEPT = 3; // a quick result has no ranges and one with doubt has them: a picture goes back and forth between structures
const drawn = new WeakMap(); // a figure to its drawings by structure, the last one used at the end

const inPageColours = (value) => PAGE_COLOURS[value] || value;

function viewOf(structure, holder) {
  const coloured = structure.replace(/"(#[0-9a-f]{6})"/g, (whole, colour) => JSON.stringify(inPageColours(colour)));
  const compiled = window.vegaLite.compile(JSON.parse(coloured), { logger: window.vega.logger(window.vega.Error) }).spec;
  const runtime = window.vega.parse(compiled, null, { ast: true });
  return new window.vega.View(runtime, {
    container: holder, renderer: "svg", hover: false, tooltip: () => {}, expr: expressionInterpreter, logLevel: window.vega.Error,
  });
}

function newDrawing(structure) {
  const holder = element("div", { class: "drawing", "aria-hidden": "true" });
  return { holder, view: viewOf(structure, holder) };
}

function forget(drawings, structure) {
  drawings.get(structure).view.finalize();
  drawings.delete(structure);
}

async function bring(view, { datasets, words }) {
  for (const [name, value] of Object.entries(words)) { view.signal(name, value); }
  for (const [name, rows] of Object.entries(datasets)) {
    view.data(name, rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, inPageColours(value)]))));
  }
  await view.resize().runAsync();
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
    const text = await response.text();
    if (details.dataset.table) { return; } // it has the address of a newer one by now
    details.querySelectorAll(":scope > :not(summary)").forEach((one) => one.remove());
    details.insertAdjacentHTML("beforeend", text);
  } catch {
    details.dataset.table = details.dataset.table || address; // asked for again when it is opened again
  }
}

function emptyFigure(heading) {
  const picture = element("div", { class: "picture", role: "img" });
  const table = element("details", {}, element("summary", {}, "The numbers as a table"));
  table.addEventListener("toggle", () => { if (table.open) { fillTable(table); } });
  return element("figure", {}, element(heading, {}), element("div", { class: "picture-scroll" }, picture),
    element("figcaption", {}), element("div", { class: "tools" }), table);
}

function putWords(figure, data, files, query) {
  figure.id = data.id;
  figure.firstElementChild.textContent = data.title;
  figure.querySelector(".picture").setAttribute("aria-label", data.alt);
  figure.querySelector("figcaption").textContent = `${data.caption} ${data.source}`;
  const links = ["svg", "png", "csv"].map((kind) => {
    const words = kind === "csv" ? "Numbers (CSV)" : `Picture (${kind.toUpperCase()})`;
    return element("a", { href: `${files}/${data.id}.${kind}?${query}`, download: "", "aria-label": `${words}: ${data.title}` }, words);
  });
  const tools = figure.querySelector(".tools");
  links.forEach((link, place) => {
    const before = tools.children[place];
    if (!before) { tools.append(link); return; }
    for (const name of ["href", "aria-label"]) { before.setAttribute(name, link.getAttribute(name)); }
  });
}

// One figure of the page: picture, caption, files to keep, table. A table that is not there yet has its address. A figure that
// is shown already is brought up to date, so that a reader's place and focus in it stay.
export async function figureOf(data, files, query, { heading = "h4", table = "", shown = null } = {}) {
  const figure = shown || emptyFigure(heading);
  const drawings = drawn.get(figure) || new Map();
  drawn.set(figure, drawings);
  const { structure } = data.spec;
  const drawing = drawings.get(structure) || newDrawing(structure);
  drawings.delete(structure);
  drawings.set(structure, drawing);
  if (drawings.size > KEPT) { forget(drawings, drawings.keys().next().value); }
  await bring(drawing.view, data.spec);
  const picture = figure.querySelector(".picture");
  if (picture.firstElementChild !== drawing.holder) { picture.replaceChildren(drawing.holder); }
  putWords(figure, data, files, query);
  const details = figure.lastElementChild;
  if (data.table === undefined) {
    details.dataset.table = table;
    if (!details.open) { details.querySelectorAll(":scope > :not(summary)").forEach((one) => one.remove()); }
  } else {
    details.querySelectorAll(":scope > :not(summary)").forEach((one) => one.remove());
    details.insertAdjacentHTML("beforeend", data.table);
  }
  return figure;
}

// The figures of one place: those that stay are brought up to date, others come and go.
export async function showFigures(place, found, make) {
  const old = new Map([...place.children].filter((one) => one.tagName === "FIGURE").map((one) => [one.id, one]));
  const figures = await Promise.all(found.map((data) => make(data, old.get(data.id) || null)));
  const same = figures.length === place.children.length && figures.every((figure, at) => figure === place.children[at]);
  if (!same) { place.replaceChildren(...figures); }
  old.forEach((figure) => {
    const drawings = figures.includes(figure) ? null : drawn.get(figure);
    if (drawings) { [...drawings.keys()].forEach((structure) => forget(drawings, structure)); }
  });
  return figures;
}
