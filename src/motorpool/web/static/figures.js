// Draws the pictures of a page whose parts are known to the server: each holder names where its pictures are asked for.
import { figureOf, showFigures } from "/static/pictures.js";

const narrow = matchMedia("(max-width: 40rem)");

async function fill(holder) {
  const address = new URL(holder.dataset.pictures, location.href);
  if (narrow.matches) { address.searchParams.set("narrow", "1"); }
  const response = await fetch(address, { headers: { accept: "application/json" } });
  if (!response.ok) { return; }
  const found = await response.json();
  const parts = Array.isArray(found) ? { [holder.id]: found } : found;
  for (const [id, figures] of Object.entries(parts)) {
    const place = document.getElementById(Array.isArray(found) ? id : `figures-${id}`);
    if (place) { await showFigures(place, figures, (data, shown) => figureOf(data, holder.dataset.files, "", { heading: "h3", shown })); }
  }
}

for (const holder of document.querySelectorAll("[data-pictures]")) {
  fill(holder);
  narrow.addEventListener("change", () => fill(holder));
}
