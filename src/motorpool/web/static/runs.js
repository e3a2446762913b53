// Long runs: how far each is, and what can be done with it. The list is asked for again while something runs.
const list = document.getElementById("runs");
const statusLine = document.getElementById("status");
const problem = document.getElementById("problem");
const LOOK = 1000;
const { only, state: stateThen } = list.dataset; // on the page of one run

function timeWords(seconds) {
  if (seconds === null) { return ""; }
  if (seconds < 90) { return `, about ${Math.max(1, Math.round(seconds))} seconds left`; }
  return `, about ${Math.round(seconds / 60)} minutes left`;
}

async function act(address, method) {
  const response = await fetch(address, { method });
  if (!response.ok) {
    const { problems } = await response.json();
    problem.textContent = problems.map(({ message }) => message).join("; ");
    problem.hidden = false;
  }
  await look();
}

function button(words, job, address, method) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.setAttribute("aria-label", `${words}: ${job.title}`);
  made.addEventListener("click", () => act(address, method));
  return made;
}

function entry(job) {
  const item = document.createElement("li");
  item.dataset.id = job.id;
  const heading = document.createElement("h2");
  const way = document.createElement("a");
  way.href = job.page;
  way.textContent = job.title;
  heading.append(...(only ? ["How far it is"] : [way]));
  const line = document.createElement("p");
  line.className = "note";
  line.textContent = `${job.stage} – ${Math.round(100 * job.share)} %${timeWords(job.seconds_left)}${job.message ? `. ${job.message}` : ""}`;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = job.share;
  bar.setAttribute("aria-label", `Progress of ${job.title}`);
  const row = document.createElement("div");
  row.className = "row";
  const base = `/api/v1/jobs/${job.id}`;
  if (job.results) {
    const links = [["What it found", only || job.task === "simulate" ? null : job.page], ["Report", job.report],
      ["Page for a funder", job.task === "trial power" ? `${base}/funder` : null], ["Results (JSON)", job.results]];
    for (const [words, address] of links.filter(([, address]) => address)) {
      const link = document.createElement("a");
      link.className = "button";
      link.href = address;
      link.textContent = words;
      link.setAttribute("aria-label", `${words}: ${job.title}`);
      row.append(link);
    }
  }
  if (job.state === "waiting" || job.state === "running") { row.append(button("Cancel", job, `${base}/cancel`, "POST")); }
  if (job.state === "cancelled" || job.state === "failed") { row.append(button("Go on", job, `${base}/resume`, "POST")); }
  if (job.state !== "waiting" && job.state !== "running") { row.append(button("Remove", job, base, "DELETE")); }
  item.append(heading, ...(job.state === "done" ? [] : [bar]), line, row);
  return item;
}

let before = "";
async function look() {
  try {
    const response = await fetch("/api/v1/jobs");
    const every = await response.json();
    const jobs = only ? every.filter(({ id }) => id === only) : every;
    if (only && jobs.length === 0) { location.assign("/runs"); return; }
    if (only && jobs[0].state === "done" && stateThen !== "done") { location.reload(); return; }
    const now = JSON.stringify(jobs.map(({ seconds_left, ...rest }) => ({ ...rest, seconds_left: seconds_left && Math.round(seconds_left) })));
    if (now !== before) {
      const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
      list.replaceChildren(...jobs.map(entry));
      const again = focused && [...list.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused);
      if (again) { again.focus(); }
      before = now;
    }
    const open = jobs.filter(({ state }) => state === "waiting" || state === "running").length;
    const words = only ? `This run: ${jobs[0].state}.` : jobs.length === 0 ? "No runs yet." : open === 0 ? "All runs have ended." : `${open} of ${jobs.length} still to finish.`;
    if (statusLine.textContent !== words) { statusLine.textContent = words; }
  } catch {
    statusLine.textContent = "The server cannot be reached; the runs are kept and go on when it is back.";
  }
}
setInterval(() => { if (!document.hidden) { look(); } }, LOOK);
look();
