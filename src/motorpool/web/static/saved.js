// Saved plans: the form below the results of Explore, and the list in which they are renamed and deleted.
const statusLine = document.getElementById("save-status");
const UNREACHED = "The server cannot be reached. Nothing is lost; try again when it is back.";

async function ask(address, method, content) {
  try {
    const response = await fetch(address, {
      method, headers: { "content-type": "application/json", accept: "application/json" },
      body: content === undefined ? undefined : JSON.stringify(content),
    });
    return { status: response.status, ok: response.ok, ...{ problems: [] }, ...(await response.json()) };
  } catch {
    return { status: 0, ok: false, problems: [{ where: "", message: UNREACHED }] };
  }
}

function words({ problems }) {
  return problems.map(({ where, message }) => (where ? `${where.replaceAll("_", " ")}: ${message}` : message)).join("; ");
}

const form = document.getElementById("save");
if (form) {
  const title = form.elements.title;
  async function save(replace) {
    const found = await ask("/saved", "POST", { query: location.search.slice(1), title: title.value, replace });
    if (found.ok) {
      const link = document.createElement("a");
      link.href = "/saved";
      link.textContent = "see all saved plans";
      statusLine.replaceChildren(`Saved as “${found.title}”: `, link, ".");
      return;
    }
    statusLine.textContent = `Not saved. ${words(found)}.`;
    if (found.status === 409 && found.problems[0].where === "title") {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Replace it";
      button.addEventListener("click", () => save(true));
      statusLine.append(" ", button);
    } else if (found.status === 422) { title.focus(); }
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); save(false); });
  // What is typed here describes nobody: the page around it need not simulate again.
  for (const kind of ["input", "change"]) { form.addEventListener(kind, (event) => event.stopPropagation()); }
}

function counted() {
  const left = document.querySelectorAll("#saved-list > li").length;
  return left === 0 ? "Nothing is saved any more." : `${left} saved.`;
}

for (const item of document.querySelectorAll("#saved-list > li")) {
  const address = `/api/v1/saved/${item.dataset.id}`;
  item.querySelector(".rename").addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = event.target.elements.title.value;
    const found = await ask(address, "PATCH", { title: wanted });
    if (!found.ok) { statusLine.textContent = `Not renamed. ${words(found)}.`; statusLine.scrollIntoView({ block: "nearest" }); return; }
    location.reload();
  });
  item.querySelector(".delete").addEventListener("click", async () => {
    const found = await ask(address, "DELETE");
    if (!found.ok && found.status !== 404) { statusLine.textContent = `Not deleted. ${words(found)}.`; return; }
    const next = item.nextElementSibling || item.previousElementSibling;
    item.remove();
    statusLine.textContent = `Deleted. ${counted()}`;
    (next ? next.querySelector("a, summary") : document.querySelector("main")).focus();
  });
}
