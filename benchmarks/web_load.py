"""Load on the web page: requests a second and waiting times with 1, 10 and 50 clients, and memory, on this machine.

    python benchmarks/web_load.py [--seconds 30] [--changes 720] [--most-seconds 240]

Starts a server of its own on a free port. Every client changes a plan to something new every five seconds, as people
do, and waits for the answer in words with the first picture, which the page asks for at once; who is told that too many
wait is counted as refused. `--changes` more are then sent one after the other (720 are an hour of one client), for at
most so many seconds; memory is read before and after.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

CHILD = "copies=2&age_months=6&onset_months=3&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from={start:.3f}"
EVERY_SECONDS = 5.0


def change(server: str, luck: random.Random) -> float:
    """Ask for a plan that nobody asked for before; seconds until words and picture are there."""
    query = CHILD.format(start=luck.uniform(0, 12))
    begun = time.monotonic()
    urllib.request.urlopen(f"{server}/explore/answer?{query}&draw=motor").read()
    return time.monotonic() - begun


def client(server: str, number: int, until: float, waited: list[float], refused: list[int]) -> None:
    luck = random.Random(number)
    time.sleep(luck.uniform(0, EVERY_SECONDS))
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            waited.append(change(server, luck))
        except urllib.error.HTTPError as error:
            refused.append(error.code)
        time.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - begun)))


def megabytes(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--changes", type=int, default=0)
    parser.add_argument("--most-seconds", type=float, default=240.0)
    given = parser.parse_args()
    from motorpool.web import settings

    with tempfile.TemporaryDirectory() as folder:
        code = (
            "import uvicorn, sys; from motorpool.web.app import create_app; from motorpool.web import __main__ as m;"
            "from motorpool.web.settings import Settings; from motorpool.simulation.api import keep_compiled_programs;"
            "from pathlib import Path; keep_compiled_programs();"
            "s = Settings(port=0, folder=Path(sys.argv[1]), burst=10**9); sock = m._socket(s);"
            "print(sock.getsockname()[1], flush=True);"
            "uvicorn.Server(uvicorn.Config(create_app(s), log_level='warning')).run(sockets=[sock])"
        )
        process = subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            server = f"http://{settings.LOCAL_NAMES[0]}:{process.stdout.readline().strip()}"
            for _ in range(3):
                change(server, random.Random(0))
            report = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "clients": {}}
            for clients in (1, 10, 50):
                waited: list[float] = []
                refused: list[int] = []
                until = time.monotonic() + given.seconds
                threads = [
                    threading.Thread(
                        target=client, args=(server, clients * 100 + number, until, waited, refused)
                    )
                    for number in range(clients)
                ]
                begun = time.monotonic()
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                report["clients"][clients] = {
                    "changes": len(waited),
                    "refused": len(refused),
                    "requests_per_second": round(len(waited) / (time.monotonic() - begun), 2),
                    **{
                        f"p{100 * share:g}_ms": round(1e3 * quantile(waited, share), 0)
                        for share in (0.5, 0.95, 0.99)
                    },
                }
            report["megabytes"] = round(megabytes(process.pid))
            luck = random.Random(1)
            ends, sent = time.monotonic() + given.most_seconds, 0
            while sent < given.changes and time.monotonic() < ends:
                change(server, luck)
                sent += 1
            report["changes_before_memory"] = sent
            report["megabytes_after"] = round(megabytes(process.pid))
            report["load_after"] = os.getloadavg()[0]
            print(json.dumps(report, indent=1))
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main()
