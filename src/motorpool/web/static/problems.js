// What is wrong with the entries: told in the words of the form, with a button to the field, which is marked too.
const PARTS = {
  therapy: "what", kind: "how", from_months: "from", to_months: "to", begins: "begins", begins_level: "level", after: "after", wait_days: "wait",
  ends: "ends", ends_level: "ends_level", missed_doses: "missed", missed_percent: "missed_percent", late_days: "late",
};
const WORDS = { pauses: "pause", dose_changes: "dose" };
const OF_PLAN = { stops_present: "stop_present", present_to_months: "stop_month" };

// The name of the field that a problem speaks of, from its place in the description.
export function fieldName(where, form) {
  const steps = where.split(".");
  if (steps[0] === "present" && steps.length > 1) {
    const [, name, number, last] = steps;
    if (WORDS[name]) { return `present.${WORDS[name]}.${Number(number || 0) + 1}.${{ from_months: "from", to_months: "to" }[last] || last || "from"}`; }
    return `present.${{ kind: "how", missed_percent: "missed_percent", late_days: "late", since_months: "since_months" }[name] || "therapy"}`;
  }
  if (steps[0] !== "plans") { return { scores: "score", present: "present.therapy" }[where] || where.replace(/^scores\./, "score."); }
  const plan = form.querySelectorAll(".plan")[Number(steps[1])];
  if (!plan) { return ""; }
  const base = `p${plan.dataset.plan}`;
  if (steps[2] !== "courses") { return OF_PLAN[steps[2]] ? `${base}.${OF_PLAN[steps[2]]}` : base; }
  const row = `${base}.${Number(steps[3]) + 1}`;
  const [name, number, last] = steps.slice(4);
  if (name === "settings") { return `${row}.set.${number}`; }
  if (WORDS[name]) { return `${row}.${WORDS[name]}.${Number(number || 0) + 1}.${{ from_months: "from", to_months: "to" }[last] || last || "from"}`; }
  return `${row}.${PARTS[name] || "what"}`;
}

// What the form calls a field: its label, and the therapy and the plan it belongs to.
function wordsOf(field, where) {
  const label = field.labels && field.labels[0] ? field.labels[0].textContent.trim() : where.replaceAll("_", " ");
  const group = field.closest(".piece, .course");
  const plan = field.closest(".plan");
  const around = group ? group.getAttribute("aria-label") : plan ? `Plan ${plan.dataset.plan}` : "";
  return around ? `${around}, ${label}` : label;
}

export function clearProblems(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) { field.removeAttribute("aria-invalid"); field.removeAttribute("aria-errormessage"); }
}

export function problemItem({ where, message }, form, holder) {
  const item = document.createElement("li");
  const name = where ? fieldName(where, form) : "";
  const field = name ? form.querySelector(`[name="${CSS.escape(name)}"]`) : null;
  const strong = document.createElement("strong");
  strong.textContent = field ? `${wordsOf(field, where)}: ` : where ? `${where.replaceAll("_", " ")}: ` : "";
  item.append(strong, message);
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", holder.id);
    const go = document.createElement("button");
    go.type = "button";
    go.className = "quiet";
    go.textContent = "Go to the field";
    go.addEventListener("click", () => {
      for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) { box.open = true; }
      field.scrollIntoView({ block: "center" });
      field.focus();
    });
    item.append(" ", go);
  }
  return item;
}
