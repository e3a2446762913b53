// The timeline of a plan: a bar for each therapy, its pauses and changes of the dose on it. Whatever can be dragged has a number
// field, which is what a keyboard and a screen reader use.
import { beginsBy, facts, part, piece, therapyOf } from "/static/course-fields.js";

const form = document.getElementById("describe");
const DAYS_PER_MONTH = 730.5 / 24;
export const horizon = () => 12 * Math.max(0.5, Number(form.elements.years.value) || 2);
const number = (field) => (field.value === "" || field.disabled ? null : Number(field.value));

// The months in which a therapy begins and ends; `known` is false where a rule decides about the begin or the end.
function spanOf(row, rows, plan) {
  const months = horizon();
  const by = beginsBy(row);
  let from = 0;
  let known = true;
  if (by === "month") { from = number(part(row, "from")) || 0; }
  else if (by === "after" && part(row, "after").value === "0") { from = presentEnd(plan) || 0; }
  else if (by === "after") {
    const earlier = rows[Number(part(row, "after").value) - 1];
    const end = earlier && earlier !== row ? number(part(earlier, "to")) : null;
    known = end !== null;
    from = end || 0;
  } else { known = false; }
  if (by === "after") { from += (number(part(row, "wait")) || 0) / DAYS_PER_MONTH; }
  const to = number(part(row, "to"));
  const byRule = !part(row, "ends").disabled && Boolean(facts.rules[part(row, "ends").value]);
  return { from: Math.min(months, from), to: to === null ? months : Math.min(months, to), known, openEnd: byRule };
}

function presentEnd(plan) {
  if (!plan.querySelector("[name$='.stop_present']").checked) { return null; }
  return Number(plan.querySelector("[name$='.stop_month']").value) || 0;
}

function element(className, text = "") {
  const made = document.createElement("div");
  made.className = className;
  if (text) { const words = document.createElement("span"); words.textContent = text; made.append(words); }
  return made;
}

function place(mark, from, to) {
  const months = horizon();
  mark.style.setProperty("left", `${(100 * from) / months}%`);
  if (to !== undefined) { mark.style.setProperty("width", `${Math.max(1, (100 * (to - from)) / months)}%`); }
}

// Lets a mark be dragged: `put` is given the month under the pointer, and the one where it was taken, and writes the number fields.
function draggable(mark, track, plan, put) {
  mark.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const box = track.getBoundingClientRect();
    const months = horizon();
    const monthAt = ({ clientX }) => Math.round(Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * months);
    const taken = monthAt(event);
    const move = (moved) => {
      put(monthAt(moved), months, taken);
      drawTimeline(plan);
      form.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const stop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", stop);
      removeEventListener("pointercancel", stop);
      form.dispatchEvent(new Event("change", { bubbles: true }));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", stop);
    addEventListener("pointercancel", stop);
  });
}

function grip(side, bar, track, plan, put) {
  const made = element(`grip ${side}`);
  draggable(made, track, plan, put);
  bar.append(made);
}

// Taken in its middle, a bar moves as a whole, with the pauses and changes of the dose on it.
function movable(bar, row, track, plan) {
  const fields = [part(row, "from"), part(row, "to"), ...row.querySelectorAll("[data-piece='from'], [data-piece='to']")].filter(({ value, disabled }) => value !== "" && !disabled);
  const before = fields.map(({ value }) => Number(value));
  draggable(bar, track, plan, (month, months, taken) => {
    const by = Math.min(months - before[0], Math.max(-before[0], month - taken));
    fields.forEach((field, place) => { field.value = Math.round(100 * (before[place] + by)) / 100; });
  });
}

function drawCourse(row, rows, plan) {
  const track = element("track");
  const span = spanOf(row, rows, plan);
  const once = therapyOf(row).once;
  const rule = beginsBy(row);
  const words = part(row, "what").selectedOptions[0].textContent + (span.known ? "" : " – if") + (span.openEnd ? " – until a rule" : "");
  const bar = element(`bar${once ? " once" : ""}${span.known ? "" : " rule"}${span.openEnd ? " open" : ""}`);
  place(bar, span.from, Math.max(span.from, span.to));
  const to = part(row, "to");
  const from = part(row, "from");
  if (rule === "month" && from.value !== "") { movable(bar, row, track, plan); }
  if (rule === "month") {
    grip("from", bar, track, plan, (month, months) => { from.value = Math.max(0, Math.min(month, to.value === "" || to.disabled ? months : Number(to.value) - 1)); });
  }
  if (!to.disabled) {
    grip("to", bar, track, plan, (month, months) => { to.value = month >= months ? "" : Math.max(month, Math.floor(span.from) + 1); });
  }
  track.append(bar);
  row.querySelectorAll(".piece").forEach((one) => drawPiece(one, track, plan));
  return [element("track-name", words), track];
}

function drawPiece(one, track, plan) {
  const from = piece(one, "from");
  if (from.value === "") { return; }
  const start = Math.min(horizon(), Number(from.value));
  if (one.dataset.kind === "dose") {
    const mark = element("dose-mark", `${piece(one, "percent").value || "?"} %`);
    place(mark, start);
    draggable(mark, track, plan, (month) => { from.value = month; });
    track.append(mark);
    return;
  }
  const to = piece(one, "to");
  const end = Math.min(horizon(), to.value === "" ? start : Number(to.value));
  const gap = element("pause-mark");
  place(gap, start, Math.max(start, end));
  grip("from", gap, track, plan, (month) => { from.value = Math.max(0, Math.min(month, Number(to.value) - 1)); });
  grip("to", gap, track, plan, (month) => { to.value = Math.max(month, Number(from.value) + 1); });
  track.append(gap);
}

function drawPresent(plan) {
  const select = form.elements["present.therapy"];
  if (!select.value) { return []; }
  const track = element("track");
  const end = presentEnd(plan);
  const bar = element("bar present");
  place(bar, 0, end === null ? horizon() : Math.min(horizon(), end));
  if (!facts.therapies[select.value].once) {
    grip("to", bar, track, plan, (month, months) => {
      plan.querySelector("[name$='.stop_present']").checked = month < months;
      plan.querySelector("[name$='.stop_month']").value = month < months && month > 0 ? month : "";
    });
  }
  track.append(bar);
  document.querySelectorAll("#present-more .piece").forEach((one) => { if (end === null || Number(piece(one, "from").value) < end) { drawPiece(one, track, plan); } });
  return [element("track-name", `${select.selectedOptions[0].textContent} (now)`), track];
}

export function drawTimeline(plan) {
  const rows = [...plan.querySelectorAll(".course")];
  const scale = element("scale");
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const mark = document.createElement("span");
    mark.textContent = `${Math.round(share * horizon() * 10) / 10}`;
    mark.style.setProperty("left", `${100 * share}%`);
    scale.append(mark);
  }
  plan.querySelector(".timeline").replaceChildren(...drawPresent(plan), ...rows.flatMap((row) => drawCourse(row, rows, plan)), scale);
}
