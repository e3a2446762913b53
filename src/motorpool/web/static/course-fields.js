// The fields of one therapy: which of them its therapy and the way it begins and ends leave in the form. What the engine does
// not know is not offered.
export const facts = JSON.parse(document.getElementById("facts").textContent);
export const part = (row, name) => row.querySelector(`[data-part="${name}"]`);
export const piece = (row, name) => row.querySelector(`[data-piece="${name}"]`);
export const therapyOf = (row) => facts.therapies[part(row, "what").value];

const show = (field, shown) => {
  const box = field.closest(".field");
  box.hidden = !shown;
  field.disabled = !shown;
};

// Options of a select; what was chosen stays chosen where it is still offered. The first option has no value: it is the default
// and stays out of the address.
function offer(select, options, wanted, unknown = "") {
  select.replaceChildren(...options.map(([value, words], place) => new Option(words, place ? value : "", false, value === wanted)));
  if (unknown) { select.append(Object.assign(new Option(unknown, ""), { disabled: true })); } // named, so that nobody looks for it in vain
  select.dataset.value = "";
}

function fitKinds(row) {
  const how = part(row, "how");
  const kinds = Object.entries(therapyOf(row).kinds);
  offer(how, kinds, how.value || how.dataset.value);
  show(how, kinds.length > 0);
  const notes = therapyOf(row).notes;
  const note = row.querySelector(".protocol");
  note.textContent = notes[how.value || (kinds[0] || [""])[0]] || "";
  note.hidden = note.textContent === "";
}

const ruleOptions = () => Object.entries(facts.rules).map(([name, { words }]) => [name, words]);
export const beginsBy = (row) => part(row, "begins").value || (part(row, "what").value === "spine_surgery" ? "needed" : "month");

function fitBegin(row) {
  const select = part(row, "begins");
  const surgery = part(row, "what").value === "spine_surgery";
  const first = surgery ? [["needed", facts.needed]] : [];
  offer(select, [...first, ...Object.entries(facts.begins), ...ruleOptions()], select.value || select.dataset.value, facts.not_known);
  showBegin(row);
}

function showBegin(row) {
  const by = beginsBy(row);
  const rule = facts.rules[by];
  show(part(row, "from"), by === "month");
  show(part(row, "level"), Boolean(rule));
  show(part(row, "after"), by === "after");
  show(part(row, "wait"), ["after", "first_signs", "diagnosis"].includes(by));
  part(row, "begins").closest(".field").classList.toggle("whole", Boolean(rule));
  row.querySelector(".by-rule .unit").textContent = rule ? rule.unit : "";
}

function fitEnd(row) {
  const select = part(row, "ends");
  offer(select, [["month", "In a month"], ...ruleOptions()], select.value || select.dataset.value, facts.not_known);
  showEnd(row);
}

function showEnd(row) {
  const once = therapyOf(row).once;
  const rule = facts.rules[part(row, "ends").value];
  show(part(row, "ends"), !once);
  show(part(row, "to"), !once && !rule);
  show(part(row, "ends_level"), !once && Boolean(rule));
  part(row, "ends").closest(".field").classList.toggle("whole", Boolean(rule));
  row.querySelector(".ends-rule .unit").textContent = rule ? rule.unit : "";
  row.querySelector(".switch-course").hidden = part(row, "what").value === "spine_surgery";
}

function fitSettings(row) {
  const box = row.querySelector(".settings");
  const therapy = part(row, "what").value;
  if (box.dataset.of !== therapy) {
    box.replaceChildren(document.getElementById(`settings-${therapy}`).content.cloneNode(true));
    box.dataset.of = therapy;
  }
  fitLeftOut(row, row.querySelector(".more"), therapyOf(row).refuses);
}

// Pauses, changed and missed doses that a therapy can have.
export function fitLeftOut(holder, box, refuses) {
  for (const name of ["missed", "missed_percent", "late"]) { if (part(holder, name)) { show(part(holder, name), !refuses.includes(name)); } }
  holder.querySelectorAll(".add-piece").forEach((button) => { button.hidden = refuses.includes(button.dataset.kind); });
  holder.querySelectorAll(".piece").forEach((one) => { if (refuses.includes(one.dataset.kind)) { one.remove(); } });
  box.hidden = refuses.length === 5;
}

// How long a diagnosis takes is asked only where a therapy waits for it.
export function fitDiagnosis(rows) {
  show(document.getElementById("diagnosis_delay_months"), rows.some((row) => beginsBy(row) === "diagnosis"));
}

// Everything that follows from the therapy; `fresh` forgets what was chosen for another one.
export function fitRow(row, fresh = false) {
  if (fresh) {
    part(row, "how").replaceChildren();
    for (const name of ["begins", "ends"]) { if (!facts.rules[part(row, name).value] && part(row, name).value !== "after") { part(row, name).replaceChildren(); } }
  }
  fitKinds(row);
  fitBegin(row);
  fitEnd(row);
  fitSettings(row);
}

// What follows from a choice within the row.
export function followChoice(row, name) {
  if (name === "how") { fitKinds(row); }
  if (name === "begins") { showBegin(row); }
  if (name === "ends") { showEnd(row); }
}
