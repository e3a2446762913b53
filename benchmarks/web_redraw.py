"""Time from a change on Explore to its redraw, in a real browser: one person, one change after the other.

    python -m benchmarks.web_redraw [--changes 40] [--before FOLDER]

Starts a server of its own on a free port and a headless Chromium (from PATH or MOTORPOOL_CHROMIUM). A change is a new
start of a drug, which the engine has not simulated before; it ends when the first picture on the page shows it and the
browser has painted it. `--before` names the `src` folder of another checkout: both are then measured by turns, so that
they share whatever else the machine does. `layers` in the report says where the time goes, in medians: what the server
says of its own work (`Server-Timing`), and what the page and the browser do with the answer.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.web_load import quantile

HERE = Path(__file__).resolve().parents[1] / "src"
CHILD = (
    "/explore?copies=2&age_months=6&onset_months=3&years=2&voice={voice}"
    "&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from=0"
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROUND = 2  # changes of one checkout before it is the other's turn
PATIENCE_SECONDS = 30.0
# Puts a number into the field, as a keystroke does, and resolves when the topic's picture shows the new address.
CHANGE = """(month) => new Promise((done) => {
    const topic = document.querySelector('#pictures [data-topic="motor"]');
    const field = document.getElementById('p2-1-from');
    const begun = performance.now();
    const look = new MutationObserver(() => {
        if (!(topic.dataset.query || '').includes(`p2.1.from=${month}`)) { return; }
        look.disconnect();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun), 0));
    });
    look.observe(topic, { attributes: true });
    performance.clearResourceTimings();
    field.value = month;
    field.dispatchEvent(new Event('input', { bubbles: true }));
})"""

# Milliseconds by layer of the last redraw, in the order of time.
LAYERS = """(whole) => {
    const asked = performance.getEntriesByType('resource').find(({ name }) =>
        name.includes('/explore/answer') && !name.includes('doubt=1'));
    if (!asked) { return {}; }
    const found = { 'server in all': asked.responseStart - asked.requestStart };
    for (const { name, duration } of asked.serverTiming) { found[`server: ${name}`] = duration; }
    found.transfer = asked.responseEnd - asked.responseStart;
    let named = found['server in all'] + found.transfer;
    for (const { name, duration } of performance.getEntriesByType('measure')) {
        if (name === 'motorpool: words' || name === 'motorpool: pictures') {
            found[name.replace('motorpool', 'page')] = duration;
            named += duration;
        }
    }
    found['debounce, layout and painting'] = whole - named;
    return found;
}"""


@contextlib.contextmanager
def server(source: Path) -> Iterator[str]:
    """The address of a server that runs the sources of a folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "motorpool.web", "--port", "0", "--folder", folder]
        environment = {**os.environ, "PYTHONPATH": str(source)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rstrip("/")
        finally:
            process.terminate()
            process.wait(20)


def opened(browser: Any, address: str, voice: str) -> Any:
    """A page that has drawn its first picture and everything it works out afterwards."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address + CHILD.format(voice=voice))
    ends = time.monotonic() + 4 * PATIENCE_SECONDS
    while (
        not page.locator("#pictures figure svg").count()
        or "Up to date, with" not in page.locator("#status").inner_text()
    ):
        assert time.monotonic() < ends, f"the page only says: {page.locator('#status').inner_text()}"
        page.locator("#pictures").scroll_into_view_if_needed()
        page.wait_for_timeout(50)
    page.locator("#pictures").scroll_into_view_if_needed()
    return page


def changes(
    page: Any, count: int, luck: random.Random, pause: float, layers: dict[str, list[float]] | None = None
) -> list[float]:
    """Milliseconds of each of so many changes, with a pause before each; those of each layer are put into `layers`."""
    waited: list[float] = []
    for _ in range(count):
        page.wait_for_timeout(1e3 * pause)
        waited.append(page.evaluate(CHANGE, round(luck.uniform(0, 12), 3)))
        for name, value in page.evaluate(LAYERS, waited[-1]).items():
            if layers is not None:
                layers.setdefault(name, []).append(value)
    return waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds of rest before each change")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--voice", choices=("plain", "expert"), default="plain")
    given = parser.parse_args()
    found = os.environ.get("MOTORPOOL_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    from playwright.sync_api import sync_playwright

    sources = {"now": HERE} | ({"before": given.before.resolve()} if given.before else {})
    waited: dict[str, list[float]] = {name: [] for name in sources}
    layers: dict[str, dict[str, list[float]]] = {name: {} for name in sources}
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=found, args=sandbox)
        pages = {
            name: opened(browser, stack.enter_context(server(source)), given.voice)
            for name, source in sources.items()
        }
        luck = random.Random(1)
        for page in pages.values():
            changes(page, 3, luck, given.pause)
        while any(len(one) < given.changes for one in waited.values()):
            for name, page in pages.items():
                count = min(ROUND, given.changes - len(waited[name]))
                waited[name] += changes(page, count, luck, given.pause, layers[name])
        browser.close()
    report = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "voice": given.voice} | {
        name: {"changes": len(one)}
        | {f"p{100 * share:g}_ms": round(quantile(one, share)) for share in (0.5, 0.95, 0.99)}
        | {"layers": {layer: round(quantile(ms, 0.5), 1) for layer, ms in layers[name].items()}}
        for name, one in waited.items()
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
