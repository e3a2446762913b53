"""Load on the web page: requests a second and waiting times with 1, 10 and 50 clients, and memory, on this machine.

    python -m benchmarks.web_load [--seconds 30] [--changes 720] [--most-seconds 240] [--only-quick] [--workers N]

Starts a server of its own on a free port. Every client does what the page does: it changes a plan to something new
every five seconds and waits for the answer in words with the two pictures that a reader sees; after a rest it asks for
the same with doubt, and gives that up when the next change comes first (`--only-quick` leaves the doubt out). Who is
told that too many wait is counted as refused. `--changes` more are then sent one after the other (720 are an hour of
one client), every fourth with its doubt, for at most so many seconds; memory of all processes is read before and after.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motorpool.web.settings import usual_workers

CHILD = (
    "copies=2&age_months={age}&onset_months=3&years=2&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from={start:.3f}"
    "&draw=abilities,motor"
)
CLIENTS = (1, 10, 50)
EVERY_SECONDS = 5.0
REST_SECONDS = 0.35  # of the page before it asks for the doubt
AGES_MONTHS = (5, 6, 7, 8, 9)  # people of clients differ, as children do
PATIENCE_SECONDS = 60.0


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# As `motorpool serve` starts it, but for the limit of requests of one client: all clients here have one address.
START = """
import sys
from pathlib import Path
import uvicorn
from motorpool.web import __main__ as server
from motorpool.web.app import create_app
from motorpool.web.settings import Settings

settings = Settings(port=0, folder=Path(sys.argv[1]), burst=10**9, workers=int(sys.argv[2])).check()
with server._socket(settings) as listening:
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning")).run(sockets=[listening])
"""


@contextlib.contextmanager
def server(workers: int) -> Iterator[tuple[str, int]]:
    """The address of a server of its own and its process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-c", START, folder, str(workers)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid
        finally:
            process.terminate()
            process.wait(20)


def megabytes(process: int) -> dict[str, int]:
    """Memory that a process and each of its children hold, in MB."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    size = os.sysconf("SC_PAGESIZE") / 1e6
    held = [
        round(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * size)
        for one in (str(process), *children)
    ]
    return {"server": held[0], "workers": sum(held[1:]), "processes": len(held)}


class Client:
    """One person at the page."""

    def __init__(self, http: Any, number: int, *, doubt: bool) -> None:
        """Begin with luck of one's own."""
        self._http, self._luck, self._doubt = http, random.Random(number), doubt
        self._age = AGES_MONTHS[number % len(AGES_MONTHS)]
        self.quick: list[float] = []
        self.full: list[float] = []
        self.refused = self.given_up = 0

    async def change(self, *, doubt: bool | None = None) -> None:
        """Ask for a plan that nobody asked for before, and then for its doubt."""
        query = CHILD.format(age=self._age, start=self._luck.uniform(0, 12))
        begun, redrawn = time.monotonic(), False
        try:
            if not await self._ask(query):
                return
            redrawn = True
            self.quick.append(time.monotonic() - begun)
            if self._doubt if doubt is None else doubt:
                await asyncio.sleep(REST_SECONDS)
                if await self._ask(query + "&doubt=1"):
                    self.full.append(time.monotonic() - begun)
        except asyncio.CancelledError:
            self.given_up += 1
            if not redrawn:
                self.quick.append(time.monotonic() - begun)  # at least so long
            raise

    async def stay(self, until: float) -> None:
        """Change something every five seconds; what was asked for and did not come is given up, as the page does."""
        await asyncio.sleep(self._luck.uniform(0, EVERY_SECONDS))
        now: asyncio.Task[None] | None = None
        while time.monotonic() < until:
            if now is not None:
                now.cancel()
            now = asyncio.create_task(self.change())
            await asyncio.sleep(EVERY_SECONDS)
        if now is not None:
            await asyncio.wait({now}, timeout=PATIENCE_SECONDS)

    async def _ask(self, query: str) -> bool:
        answer = await self._http.get(f"/explore/answer?{query}")
        self.refused += answer.status_code == 503
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200


def told(clients: list[Client], seconds: float) -> dict[str, Any]:
    """What many clients waited for."""
    quick = [one for client in clients for one in client.quick]
    full = [one for client in clients for one in client.full]
    shares = (0.5, 0.95, 0.99)
    return {
        "redraws": len(quick),
        "with_doubt": len(full),
        "given_up": sum(client.given_up for client in clients),
        "refused": sum(client.refused for client in clients),
        "requests_per_second": round((len(quick) + len(full)) / seconds, 2),
        **{f"p{100 * share:g}_ms": round(1e3 * quantile(quick, share)) for share in shares},
        **{f"doubt_p{100 * share:g}_ms": round(1e3 * quantile(full, share)) for share in shares if full},
    }


async def measured(address: str, process: int, given: argparse.Namespace) -> dict[str, Any]:
    """The whole report."""
    import httpx

    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS, limits=limits) as http:
        for number in range(2 * len(AGES_MONTHS)):  # everybody's people are known, in both processes
            await Client(http, number, doubt=not given.only_quick).change()
        report: dict[str, Any] = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "clients": {}}
        for count in CLIENTS:
            clients = [Client(http, 100 * count + one, doubt=not given.only_quick) for one in range(count)]
            begun = time.monotonic()
            await asyncio.gather(*(client.stay(begun + given.seconds) for client in clients))
            report["clients"][count] = told(clients, time.monotonic() - begun)
        report["megabytes"] = megabytes(process)
        one, ends, sent = Client(http, 1, doubt=False), time.monotonic() + given.most_seconds, 0
        while sent < given.changes and time.monotonic() < ends:
            await one.change(doubt=sent % 4 == 0)
            sent += 1
        report["changes_before_memory"] = sent
        report["megabytes_after"] = megabytes(process)
        report["load_after"] = os.getloadavg()[0]
    return report


def main() -> None:
    """Measure, and print the report as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--changes", type=int, default=0)
    parser.add_argument("--most-seconds", type=float, default=240.0)
    parser.add_argument("--only-quick", action="store_true")
    parser.add_argument("--workers", type=int, default=usual_workers())
    given = parser.parse_args()
    with server(given.workers) as (address, process):
        print(json.dumps(asyncio.run(measured(address, process, given)), indent=1))


if __name__ == "__main__":
    main()
