// The plans in the form: rows of therapies, and a timeline above them whose bars can be dragged. Every drag has a number
// field, which is what a keyboard and a screen reader use.
const facts = JSON.parse(document.getElementById("facts").textContent);
const plans = document.getElementById("plans");
const form = document.getElementById("describe");

const part = (row, name) => row.querySelector(`[data-part="${name}"]`);
const changed = () => form.dispatchEvent(new Event("input", { bubbles: true }));
const horizon = () => 12 * Math.max(0.5, Number(form.elements.years.value) || 2);

function renumber() {
  plans.querySelectorAll(".plan").forEach((plan) => {
    const place = plan.dataset.plan;
    plan.querySelectorAll(".course").forEach((row, index) => {
      row.setAttribute("aria-label", `Therapy ${index + 1} of plan ${place}`);
      row.querySelectorAll("[data-part]").forEach((field) => {
        const id = `p${place}-${index + 1}-${field.dataset.part}`;
        row.querySelector(`label[for="${field.id}"]`).htmlFor = id;
        field.id = id;
        field.name = `p${place}.${index + 1}.${field.dataset.part}`;
      });
    });
    plan.querySelector(".add-course").disabled = plan.querySelectorAll(".course").length >= facts.most_courses;
  });
  document.getElementById("add-plan").disabled = plans.children.length >= facts.most_plans;
}

function fitRow(row) {
  const therapy = part(row, "what").value;
  const kinds = Object.keys(facts.kinds[therapy] || {});
  const how = part(row, "how");
  const wanted = how.value || how.dataset.value;
  how.replaceChildren(...kinds.map((kind) => new Option(kind.replaceAll("_", " "), kind, false, kind === wanted)));
  how.closest(".field").hidden = kinds.length === 0;
  how.disabled = kinds.length === 0;
  const once = facts.once.includes(therapy);
  row.querySelector(".until").hidden = once;
  part(row, "to").disabled = once;
}

function drawTimeline(plan) {
  const line = plan.querySelector(".timeline");
  const months = horizon();
  line.replaceChildren();
  plan.querySelectorAll(".course").forEach((row) => {
    const from = Math.min(months, Number(part(row, "from").value) || 0);
    const ends = part(row, "to").value !== "" && !part(row, "to").disabled;
    const until = ends ? Math.min(months, Number(part(row, "to").value)) : months;
    const track = document.createElement("div");
    track.className = "track";
    const bar = document.createElement("div");
    bar.className = facts.once.includes(part(row, "what").value) ? "bar once" : "bar";
    bar.style.setProperty("left", `${(100 * from) / months}%`);
    bar.style.setProperty("width", `${Math.max(2, (100 * (until - from)) / months)}%`);
    const name = document.createElement("span");
    name.textContent = part(row, "what").selectedOptions[0].textContent;
    bar.append(name);
    for (const side of ["from", "to"]) {
      if (side === "to" && part(row, "to").disabled) { continue; }
      const grip = document.createElement("div");
      grip.className = `grip ${side}`;
      grip.addEventListener("pointerdown", (event) => drag(event, grip, track, row, side));
      bar.append(grip);
    }
    track.append(bar);
    line.append(track);
  });
  const scale = document.createElement("div");
  scale.className = "scale";
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const mark = document.createElement("span");
    mark.textContent = `${Math.round(share * months * 10) / 10}`;
    mark.style.setProperty("left", `${100 * share}%`);
    scale.append(mark);
  }
  line.append(scale);
}

function drag(event, grip, track, row, side) {
  event.preventDefault();
  const box = track.getBoundingClientRect();
  const months = horizon();
  const plan = row.closest(".plan");
  const move = (moved) => {
    const month = Math.round(Math.min(1, Math.max(0, (moved.clientX - box.left) / box.width)) * months);
    if (side === "from") {
      const last = part(row, "to").value === "" ? months : Number(part(row, "to").value) - 1;
      part(row, "from").value = Math.max(0, Math.min(month, last));
    } else {
      part(row, "to").value = month >= months ? "" : Math.max(month, Number(part(row, "from").value) + 1);
    }
    drawTimeline(plan);
    changed();
  };
  const stop = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", stop); form.dispatchEvent(new Event("change", { bubbles: true })); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", stop);
}

function addCourse(plan) {
  const row = document.getElementById("course-row").content.firstElementChild.cloneNode(true);
  plan.querySelector(".courses").append(row);
  fitRow(row);
  renumber();
  drawTimeline(plan);
  part(row, "what").focus();
  changed();
}

export function preparePlans() {
  plans.addEventListener("click", (event) => {
    const plan = event.target.closest(".plan");
    if (event.target.closest(".add-course")) { addCourse(plan); }
    if (event.target.closest(".remove-course")) {
      event.target.closest(".course").remove();
      renumber();
      drawTimeline(plan);
      plan.querySelector(".add-course").focus();
      changed();
    }
    if (event.target.closest(".remove-plan")) {
      plan.remove();
      renumber();
      document.getElementById("add-plan").focus();
      changed();
    }
  });
  document.getElementById("add-plan").addEventListener("click", () => {
    const used = [...plans.children].map((plan) => Number(plan.dataset.plan));
    const free = [1, 2, 3, 4].find((place) => !used.includes(place));
    if (!free) { return; }
    const plan = document.getElementById(`plan-${free}`).content.firstElementChild.cloneNode(true);
    const next = [...plans.children].find((other) => Number(other.dataset.plan) > free);
    plans.insertBefore(plan, next || null);
    addCourse(plan);
  });
  form.addEventListener("input", (event) => {
    const row = event.target.closest && event.target.closest(".course");
    if (row && event.target.dataset.part === "what") { part(row, "how").dataset.value = ""; part(row, "how").replaceChildren(); fitRow(row); }
    plans.querySelectorAll(".plan").forEach(drawTimeline);
    showPresent();
  });
  plans.querySelectorAll(".course").forEach(fitRow);
  renumber();
  plans.querySelectorAll(".plan").forEach(drawTimeline);
  showPresent();
}

function showPresent() {
  const has = form.elements["present.therapy"].value !== "";
  plans.querySelectorAll(".stops-present").forEach((tick) => { tick.hidden = !has; });
}
