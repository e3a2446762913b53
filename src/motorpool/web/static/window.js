// The page of the treatment window: every change asks the engine again; the address holds all that was entered.
import { figureOf, showFigures } from "/static/pictures.js";

const form = document.getElementById("describe");
const statusLine = document.getElementById("status");
const problem = document.getElementById("problem");
const narrow = matchMedia("(max-width: 40rem)");
let inWork = new AbortController();
let timer = 0;

const queryOf = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();

// The words of a part of the page, and the place of its pictures.
function partsOf(part) {
  if (!part.children.length) { part.append(document.createElement("div"), document.createElement("div")); }
  return part.children;
}

async function show(query, signal) {
  const response = await fetch(`/window/pictures?${query}${narrow.matches ? "&narrow=1" : ""}`, { signal });
  const found = await response.json();
  if (!response.ok) { throw new Error(found.problems.map(({ where, message }) => `${where}: ${message}`).join("; ")); }
  for (const [name, part] of Object.entries(found)) {
    const list = document.createElement("ul");
    list.className = "answers";
    list.append(...part.sentences.map((text) => { const item = document.createElement("li"); item.textContent = text; return item; }));
    if (signal.aborted) { return; }
    const [words, place] = partsOf(document.getElementById(name));
    words.replaceChildren(list);
    await showFigures(place, part.figures, (data, shown) => figureOf(data, `/window/files/${name}`, query.replace("&doubt=1", ""), { heading: "h3", shown }));
  }
  problem.hidden = true;
}

function update(wait) {
  clearTimeout(timer);
  inWork.abort();
  inWork = new AbortController();
  const { signal } = inWork;
  const query = queryOf();
  history.replaceState(null, "", `/window?${query}`);
  timer = setTimeout(async () => {
    statusLine.textContent = "Simulating…";
    try {
      await show(query, signal);
      statusLine.textContent = "Up to date. Working out what we do not know…";
      await show(`${query}&doubt=1`, signal);
      if (!signal.aborted) { statusLine.textContent = "Up to date, with what we do not know."; }
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) { return; }
      statusLine.textContent = "";
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }, wait);
}

form.addEventListener("input", () => update(150));
form.addEventListener("submit", (event) => { event.preventDefault(); update(0); });
update(0);
