// Forms that begin a run: what was entered stays in the address of the page, and the reader goes on to the run.
const problem = document.getElementById("problem");

function showProblems(problems) {
  const list = document.createElement("ul");
  for (const { where, message } of problems) {
    const item = document.createElement("li");
    item.textContent = where ? `${where.replaceAll("_", " ")}: ${message}` : message;
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
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    problem.hidden = true;
    try {
      const response = await fetch(form.dataset.begin, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query }) });
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
