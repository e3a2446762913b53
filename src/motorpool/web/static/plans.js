// The plans in the form: rows of therapies that are added, switched, removed and numbered anew.
import { beginsBy, facts, fitDiagnosis, fitLeftOut, fitRow, followChoice, part, piece, therapyOf } from "/static/course-fields.js";
import { drawTimeline, horizon } from "/static/timeline.js";

const plans = document.getElementById("plans");
const form = document.getElementById("describe");
const changed = () => form.dispatchEvent(new Event("input", { bubbles: true }));
const finished = () => form.dispatchEvent(new Event("change", { bubbles: true }));
const presentMore = document.getElementById("present-more");
const rowsOf = (plan) => [...plan.querySelectorAll(".course")];
const waitsFor = new WeakMap(); // row -> the row it begins after, or "present"; it stays the same when numbers change

function rename(row, field, id, name) {
  row.querySelector(`label[for="${field.id}"]`).htmlFor = id;
  field.id = id;
  field.name = name;
}

function renumber() {
  plans.querySelectorAll(".plan").forEach((plan) => {
    const place = plan.dataset.plan;
    const rows = rowsOf(plan);
    rows.forEach((row, index) => {
      row.setAttribute("aria-label", `Therapy ${index + 1} of plan ${place}`);
      const base = `p${place}-${index + 1}`;
      const name = `p${place}.${index + 1}`;
      row.querySelectorAll("[data-part]").forEach((field) => rename(row, field, `${base}-${field.dataset.part}`, `${name}.${field.dataset.part}`));
      renumberPieces(row, base, name, `therapy ${index + 1} of plan ${place}`);
      row.querySelector(".switch-course").disabled = rows.length >= facts.most_courses;
      offerEarlier(row, rows.slice(0, index));
    });
    plan.querySelector(".add-course").disabled = rows.length >= facts.most_courses;
  });
  renumberPieces(presentMore, "present", "present", "the present therapy");
  document.getElementById("add-plan").disabled = plans.children.length >= facts.most_plans;
}

function renumberPieces(holder, base, name, whose) {
  for (const kind of ["pause", "dose"]) {
    holder.querySelectorAll(`.piece.${kind}`).forEach((one, number) => {
      one.setAttribute("aria-label", `${kind === "pause" ? "Pause" : "Change of the dose"} ${number + 1} of ${whose}`);
      one.querySelectorAll("[data-piece]").forEach((field) => rename(one, field, `${base}-${kind}.${number + 1}.${field.dataset.piece}`, `${name}.${kind}.${number + 1}.${field.dataset.piece}`));
    });
  }
  holder.querySelectorAll(".add-piece").forEach((button) => { button.disabled = holder.querySelectorAll(`.piece.${button.dataset.kind}`).length >= facts.most_pieces; });
}

// The therapies that one can begin after: those before it in the plan, and the present one.
function offerEarlier(row, earlier) {
  const select = part(row, "after");
  if (select.dataset.value !== "") {
    waitsFor.set(row, select.dataset.value === "0" ? "present" : earlier[Number(select.dataset.value) - 1]);
    select.dataset.value = "";
  }
  const present = form.elements["present.therapy"];
  const options = present.value ? [new Option(`${present.selectedOptions[0].textContent} (now)`, "0", false, waitsFor.get(row) === "present")] : [];
  earlier.forEach((one, place) => options.push(new Option(`${place + 1}. ${part(one, "what").selectedOptions[0].textContent}`, String(place + 1), false, waitsFor.get(row) === one)));
  select.replaceChildren(...options);
}

function rememberEarlier(row) {
  const value = part(row, "after").value;
  waitsFor.set(row, value === "0" ? "present" : rowsOf(row.closest(".plan"))[Number(value) - 1]);
}

function newRow(plan) {
  const row = document.getElementById("course-row").content.firstElementChild.cloneNode(true);
  plan.querySelector(".courses").append(row);
  fitRow(row);
  return row;
}

function drawAll() {
  plans.querySelectorAll(".plan").forEach(drawTimeline);
}

function shown(field) {
  renumber();
  drawAll();
  field.focus();
  changed();
  finished();
}

function addCourse(plan) {
  const row = newRow(plan);
  shown(part(row, "what"));
}

// Another therapy begins when this one ends; the months of the one follow the end of the other.
function switchCourse(row) {
  const plan = row.closest(".plan");
  if (!therapyOf(row).once && part(row, "to").value === "" && !part(row, "to").disabled) {
    const from = beginsBy(row) === "month" ? Number(part(row, "from").value) || 0 : 0;
    part(row, "to").value = Math.round((from + horizon()) / 2);
  }
  const next = newRow(plan);
  const therapy = part(row, "what").value === "risdiplam" ? "nusinersen" : "risdiplam";
  part(next, "what").value = therapy;
  part(next, "begins").dataset.value = "after";
  part(next, "begins").replaceChildren();
  waitsFor.set(next, row);
  fitRow(next);
  shown(part(next, "what"));
}

function addPiece(holder, kind) {
  const one = document.getElementById(`${kind}-row`).content.firstElementChild.cloneNode(true);
  holder.querySelector(".pieces").append(one);
  const row = holder === presentMore ? null : holder;
  const begin = row && beginsBy(row) === "month" ? Number(part(row, "from").value) || 0 : 0;
  const middle = Math.round((begin + horizon()) / 2);
  piece(one, "from").value = middle;
  if (kind === "pause") { piece(one, "to").value = middle + 3; } else { piece(one, "percent").value = 100; }
  shown(piece(one, kind === "pause" ? "from" : "percent"));
}

function addPlan() {
  const used = [...plans.children].map((plan) => Number(plan.dataset.plan));
  const free = [1, 2, 3, 4].find((place) => !used.includes(place));
  if (!free) { return; }
  const plan = document.getElementById(`plan-${free}`).content.firstElementChild.cloneNode(true);
  const next = [...plans.children].find((other) => Number(other.dataset.plan) > free);
  plans.insertBefore(plan, next || null);
  showPresent();
  addCourse(plan);
}

function remove(what, then) {
  what.remove();
  renumber();
  drawAll();
  then.focus();
  changed();
  finished();
}

function showPresent() {
  const present = form.elements["present.therapy"];
  const stops = present.value !== "" && !facts.therapies[present.value].once;
  plans.querySelectorAll(".stops-present").forEach((box) => {
    box.hidden = !stops;
    const tick = box.querySelector("[type=checkbox]");
    if (!stops) { tick.checked = false; }
    box.querySelector(".stop-month").hidden = !tick.checked;
    box.querySelector(".stop-month input").disabled = !tick.checked;
  });
  const how = document.getElementById("present-how");
  const kinds = present.value ? Object.entries(facts.therapies[present.value].kinds) : [];
  const wanted = how.value || how.dataset.value;
  how.dataset.value = "";
  how.replaceChildren(...kinds.map(([kind, words], place) => new Option(words, place ? kind : "", false, kind === wanted)));
  how.disabled = kinds.length === 0;
  document.getElementById("present-how-field").hidden = kinds.length === 0;
  fitLeftOut(presentMore, presentMore, present.value ? facts.therapies[present.value].refuses : ["pause", "dose", "missed", "missed_percent", "late"]);
}

export function preparePlans() {
  plans.addEventListener("click", ({ target }) => {
    const plan = target.closest(".plan");
    const row = target.closest(".course");
    if (target.closest(".add-course")) { addCourse(plan); }
    if (target.closest(".switch-course")) { switchCourse(row); }
    if (target.closest(".remove-course")) { remove(row, plan.querySelector(".add-course")); }
    if (target.closest(".remove-plan")) { remove(plan, document.getElementById("add-plan")); }
  });
  form.addEventListener("click", ({ target }) => {
    const holder = target.closest(".course, #present-more");
    if (target.closest(".add-piece")) { addPiece(holder, target.closest(".add-piece").dataset.kind); }
    if (target.closest(".remove-piece")) { remove(target.closest(".piece"), holder.querySelector(".add-piece")); }
  });
  document.getElementById("add-plan").addEventListener("click", addPlan);
  form.addEventListener("input", ({ target }) => {
    const row = target.closest && target.closest(".course");
    const name = row && target.dataset.part;
    if (name === "what") { fitRow(row, true); }
    if (name === "after") { rememberEarlier(row); }
    if (name) { followChoice(row, name); }
    showPresent();
    if (name === "what" || target.name === "present.therapy") { renumber(); }
    fitDiagnosis([...plans.querySelectorAll(".course")]);
    drawAll();
  });
  plans.querySelectorAll(".course").forEach((row) => fitRow(row));
  fitDiagnosis([...plans.querySelectorAll(".course")]);
  showPresent();
  renumber();
  drawAll();
}
