// The page Explore: every change asks the engine again, what is no longer wanted is cancelled, and the address of the page
// always holds all that was entered.
import { preparePlans } from "/static/plans.js";
import { figureOf, fillTable, showFigures } from "/static/pictures.js";
import { clearProblems, problemItem } from "/static/problems.js";

const form = document.getElementById("describe");
const answer = document.getElementById("answer");
const pictures = document.getElementById("pictures");
const statusLine = document.getElementById("status");
const problem = document.getElementById("problem");
const narrow = matchMedia("(max-width: 40rem)");
const WAIT = 60; // ms between changes that follow each other, so that a number being typed is not simulated digit by digit
const APART = 400; // ms after which a change is one of its own, and is simulated at once
const DOUBT_WAIT = 350; // ms of rest before the ranges are worked out
let inWork = new AbortController();
let timer = 0;
let watcher = null;
let changedAt = 0;
const near = new Set(); // topics in or close to the window

function queryOf() {
  const pairs = [];
  for (const [name, value] of new FormData(form)) {
    const plan = /^p\d$/.test(name);
    if (value !== "" || plan) { pairs.push([name, value]); }
  }
  const nothing = !form.elements["present.therapy"].value;
  return new URLSearchParams(pairs.filter(([name]) => !(nothing && name.startsWith("present.")))).toString();
}

async function ask(address, signal) {
  const response = await fetch(address, { signal, headers: { accept: "application/json" } });
  const content = await response.json().catch(() => null);
  if (response.ok) { return content; }
  const problems = content && content.problems ? content.problems : [{ where: "", message: `The server answered ${response.status}.` }];
  throw Object.assign(new Error("refused"), { problems, again: Number(response.headers.get("retry-after")) });
}

function showProblems(problems) {
  const list = document.createElement("ul");
  clearProblems(form);
  list.append(...problems.map((one) => problemItem(one, form, problem)));
  problem.replaceChildren(list);
  problem.hidden = false;
  statusLine.textContent = "";
  document.body.classList.add("stale");
}

async function fill(section, query, signal) {
  const found = await ask(`/explore/pictures/${section.dataset.topic}?${query}${layout()}`, signal);
  if (signal.aborted) { return; }
  await put(section, found, query, signal);
}

const layout = () => (narrow.matches ? "&narrow=1" : "");

async function put(section, found, query, signal) {
  const keep = query.replace(/&?doubt=1/, "");
  const place = section.querySelector(".figures");
  const figures = await showFigures(place, found, (data, shown) => figureOf(data, "/explore/files", keep, { table: `/explore/tables/${data.id}?${query}`, shown }));
  section.dataset.query = query;
  if (!figures.length) {
    const nothing = document.createElement("p");
    nothing.className = "note";
    nothing.textContent = "Nothing to show: too few of these children can be assessed.";
    place.replaceChildren(nothing);
  }
  await Promise.all(figures.map((figure) => figure.querySelector("details")).filter(({ open }) => open).map((details) => fillTable(details, signal)));
}

function arrange(topics) {
  const wanted = Object.keys(topics);
  for (const section of [...pictures.children]) { if (!wanted.includes(section.dataset.topic)) { section.remove(); } }
  wanted.forEach((topic, place) => {
    let section = pictures.querySelector(`[data-topic="${topic}"]`);
    if (!section) {
      section = document.createElement("section");
      section.dataset.topic = topic;
      const heading = document.createElement("h3");
      heading.id = `topic-${topic}`;
      heading.textContent = topics[topic];
      section.setAttribute("aria-labelledby", heading.id);
      const figures = document.createElement("div");
      figures.className = "figures";
      section.append(heading, figures);
    }
    if (pictures.children[place] !== section) { pictures.insertBefore(section, pictures.children[place] || null); }
  });
}

// Topics that the reader sees: they come with the answer, so that one journey brings all that changes before their eyes.
function seen() {
  return [...pictures.children].filter((section) => {
    const box = section.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  }).map((section) => section.dataset.topic);
}

async function redraw(doubt) {
  const signal = inWork.signal;
  const described = queryOf();
  const query = doubt ? `${described}&doubt=1` : described;
  const topics = seen();
  const draw = topics.length ? `&draw=${topics.join()}${layout()}` : "";
  const asked = performance.now();
  const found = await ask(`/explore/answer?${query}${draw}`, signal);
  if (signal.aborted) { return; }
  const came = performance.now();
  const open = [...answer.querySelectorAll("details")].map((one) => one.open);
  answer.innerHTML = found.html;
  answer.querySelectorAll("details").forEach((one, place) => { one.open = Boolean(open[place]); });
  problem.hidden = true;
  clearProblems(form);
  document.body.classList.remove("stale");
  arrange(found.topics);
  const worded = performance.now();
  // All at once, so that they are laid out and painted in one frame.
  await Promise.all(Object.entries(found.pictures).map(([topic, figures]) => put(pictures.querySelector(`[data-topic="${topic}"]`), figures, query, signal)));
  if (signal.aborted) { return; }
  // As the browser's own tools and the benchmark read them; only those of the last redraw are kept.
  performance.clearMeasures();
  performance.measure("motorpool: asked and answered", { start: asked, end: came });
  performance.measure("motorpool: words", { start: came, end: worded });
  performance.measure("motorpool: pictures", { start: worded, end: performance.now() });
  if (watcher) { watcher.disconnect(); }
  const failed = (error) => { if (error.name !== "AbortError") { showProblems(error.problems || [{ where: "", message: String(error) }]); } };
  const filled = new Set();
  watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) { near.add(target.dataset.topic); } else { near.delete(target.dataset.topic); }
      if (isIntersecting && target.dataset.query !== query && !filled.has(target)) { filled.add(target); fill(target, query, signal).catch(failed); }
    }
  }, { rootMargin: "600px" });
  [...pictures.children].forEach((section) => watcher.observe(section));
  statusLine.textContent = doubt ? "Up to date, with what we do not know." : "Up to date. Working out what we do not know…";
}

function update(wait) {
  clearTimeout(timer);
  inWork.abort();
  inWork = new AbortController();
  const mine = inWork.signal;
  const described = queryOf();
  history.replaceState(null, "", `/explore?${described}`);
  for (const [id, address] of [["to-sheet", "/sheet"], ["to-scenario", "/explore/scenario.yaml"], ["to-cells", "/cells/addon"]]) {
    document.getElementById(id).href = `${address}?${described}`;
  }
  showCorrected();
  document.getElementById("layers").hidden = form.elements.voice.value !== "expert";
  timer = setTimeout(async () => {
    statusLine.textContent = "Simulating…";
    try {
      await redraw(false);
      await new Promise((done) => { timer = setTimeout(done, DOUBT_WAIT); });
      while (!mine.aborted) {
        try { await redraw(true); break; } catch (error) {
          if (!error.again || mine.aborted) { throw error; }
          statusLine.textContent = "Up to date. Many are asking just now: what we do not know follows.";
          await new Promise((done) => { timer = setTimeout(done, 1000 * error.again); });
        }
      }
    } catch (error) {
      if (error.name === "AbortError" || mine.aborted) { return; }
      showProblems(error.problems || [{ where: "", message: "The server cannot be reached. What you entered is kept in the address of this page." }]);
    }
  }, wait);
}

function showCorrected() {
  const weeks = Number(form.elements.weeks_early.value);
  const age = Number(form.elements.age_months.value);
  const line = document.getElementById("corrected");
  line.hidden = !(weeks > 0);
  line.textContent = weeks > 0 ? `Corrected age: ${Math.max(0, age - (weeks * 7 * 24) / 730.5).toFixed(1)} months. Development is counted from the day the child was due.` : "";
}

let settled = location.href;
form.addEventListener("input", () => {
  const now = performance.now();
  update(now - changedAt > APART ? 0 : WAIT);
  changedAt = now;
});
// A finished change is a step the back button returns from.
function step() {
  const now = `/explore?${queryOf()}`;
  if (settled !== now) {
    history.replaceState(null, "", settled);
    history.pushState(null, "", now);
    settled = now;
  }
}
form.addEventListener("change", step);
document.addEventListener("change", (event) => { if (event.target.form === form && !form.contains(event.target)) { update(0); step(); } });
form.addEventListener("submit", (event) => { event.preventDefault(); update(0); });
addEventListener("popstate", () => location.reload());
document.getElementById("print").addEventListener("click", async () => {
  const query = `${queryOf()}&doubt=1`;
  await Promise.all([...pictures.children].map((one) => (one.dataset.query === query ? null : fill(one, query, inWork.signal)))).catch(() => {});
  window.print();
});
document.getElementById("share").addEventListener("click", async (event) => {
  const button = event.target;
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copy the address of this page instead";
  }
  setTimeout(() => { button.textContent = words; }, 3000);
});
document.getElementById("larger").addEventListener("click", async () => {
  const line = document.getElementById("kept");
  const response = await fetch("/runs", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: queryOf() }) });
  const content = await response.json();
  if (!response.ok) { line.textContent = content.problems.map(({ message }) => message).join("; "); return; }
  const link = document.createElement("a");
  link.href = "/runs";
  link.textContent = "see how far it is";
  line.replaceChildren("A run with 1000 children and 40 sets of parameters has begun: ", link, ".");
});
narrow.addEventListener("change", () => update(0));
preparePlans();
settled = `/explore?${queryOf()}`;
update(0);
