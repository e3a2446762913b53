"""An example client of the web API: compare two plans for an infant. Needs nothing but Python.

Start the server with `motorpool serve`, then run `python web_api_client.py http://127.0.0.1:8765`.
"""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

DESCRIPTION = {
    "copies": 2,
    "age_months": 6,
    "years": 1,
    "plans": [{"name": "No drug"}, {"courses": [{"therapy": "nusinersen", "from_months": 0}]}],
}


def post(server: str, address: str, content: Any) -> Any:
    """Send JSON and return the JSON that is answered."""
    request = urllib.request.Request(
        server.rstrip("/") + "/api/v1" + address,
        json.dumps(content).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        problems = json.load(error)["problems"]
        sys.exit("; ".join(f"{problem['where']}: {problem['message']}" for problem in problems))


def main(server: str) -> None:
    """Print how many of 100 can sit at the end under each plan."""
    answer = post(server, "/explore", DESCRIPTION)
    last = max(row.get("visit_month", 0) for row in answer["summary"])
    for arm, label in answer["plans"].items():
        for row in answer["summary"]:
            if (row["quantity"], row["measure"], row.get("arm")) == ("sit_5s", "able_share", arm):
                if row["visit_month"] == last:
                    share = 100 * row["values"]["knowledge.mean"]
                    print(f"{label}: of 100 children like this, about {share:.0f} sit after {last:g} months")
    print(answer["note"])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8765")
