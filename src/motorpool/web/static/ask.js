// Forms that begin a run: what was entered stays in the address of the page, and the reader goes on to the run.
const problem = document.getElementById("problem");

const text = document.getElementById("design_text");

// Selects a line of the design file, so that the reader sees what a message speaks of.
function goTo(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] || "").length);
  text.scrollTop = ((line - 1) / lines.length) * text.scrollHeight - text.clientHeight / 3;
}

function showProblems(problems) {
  const list = document.createElement("ul");
  for (const { where, message, line } of problems) {
    const item = document.createElement("li");
    item.textContent = where ? `${where.replaceAll("_", " ")}: ${message}` : message;
    if (line && text) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Line ${line}`;
      button.addEventListener("click", () => goTo(Number(line)));
      item.prepend(button, " ");
    }
    list.append(item);
  }
  problem.replaceChildren(list);
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}

for (const form of document.querySelectorAll("form[data-begin]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== "" || /^p\d$/.test(name))).toString();
    const button = event.submitter || form.querySelector("button[type=submit]");
    button.disabled = true;
    problem.hidden = true;
    try {
      const response = await fetch(button.dataset.begin || form.dataset.begin, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query }) });
      const content = await response.json();
      if (!response.ok) { showProblems(content.problems); return; }
      history.replaceState(null, "", `${location.pathname}?${query}`);
      location.assign(content.page);
    } catch {
      showProblems([{ where: "", message: "The server cannot be reached. Nothing is lost; try again when it is back." }]);
    } finally {
      button.disabled = false;
    }
  });
}
