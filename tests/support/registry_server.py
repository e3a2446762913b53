"""A local stand-in for ClinicalTrials.gov and PubMed: answers as a test tells it to, and notes what it was asked."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

Query = dict[str, str]


@dataclass
class Answer:
    """One answer: status, body, headers, and how it is sent."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before_seconds: float = 0.0
    drip_seconds: float = 0.0
    break_off: bool = False


def as_json(content: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), status, {"Content-Type": "application/json"})


@dataclass
class Server:
    """The address, what was asked, and the function that answers."""

    url: str = ""
    asked: list[tuple[str, Query]] = field(default_factory=list)
    answer: Callable[[str, Query], Answer] = lambda path, query: Answer(status=404)


@contextmanager
def registry_server() -> Generator[Server]:
    """A server on a free port of this machine, until the block ends."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            told.asked.append((parts.path, query))
            answer = told.answer(parts.path, query)
            try:
                self._send(answer)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.before_seconds)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + (10 if answer.break_off else 0)))
            self.end_headers()
            if not answer.drip_seconds:
                self.wfile.write(answer.body)
                return
            for byte in answer.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(answer.drip_seconds)

        def log_message(self, format: str, *args: object) -> None:
            """Keep tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        with patch.dict(os.environ, {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}):
            yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def study_json(number: str, **changes: Any) -> dict[str, Any]:
    """A study in the form of the API (version 2); a made-up, sound trial of cells in SMA."""
    fields: dict[str, Any] = {
        "title": "Umbilical cord mesenchymal stem cells in spinal muscular atrophy",
        "status": "RECRUITING",
        "start": "2026-01",
        "completion": "2029-12-31",
        "conditions": ["Spinal Muscular Atrophy"],
        "interventions": [
            {
                "type": "BIOLOGICAL",
                "name": "Umbilical cord mesenchymal stem cells",
                "description": "intrathecal injection",
            }
        ],
        "locations": [
            {"facility": "University Hospital", "city": "Lyon", "country": "France", "status": "RECRUITING"}
        ],
        "minimum": "6 Months",
        "maximum": "16 Years",
        "masking": "QUADRUPLE",
    } | changes
    return {
        "protocolSection": {
            "identificationModule": {"nctId": number, "briefTitle": fields["title"]},
            "statusModule": {
                "overallStatus": fields["status"],
                "startDateStruct": {"date": fields["start"], "type": "ACTUAL"},
                "completionDateStruct": {"date": fields["completion"], "type": "ESTIMATED"},
                "lastUpdatePostDateStruct": {"date": "2026-10-01", "type": "ACTUAL"},
            },
            "conditionsModule": {"conditions": fields["conditions"], "keywords": ["SMA"]},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "phases": ["PHASE1", "PHASE2"],
                "designInfo": {"allocation": "RANDOMIZED", "maskingInfo": {"masking": fields["masking"]}},
                "enrollmentInfo": {"count": 40, "type": "ESTIMATED"},
            },
            "armsInterventionsModule": {"interventions": fields["interventions"]},
            "contactsLocationsModule": {"locations": fields["locations"]},
            "eligibilityModule": {"minimumAge": fields["minimum"], "maximumAge": fields["maximum"]},
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "University Hospital", "class": "OTHER"}},
        },
        "hasResults": False,
    }
