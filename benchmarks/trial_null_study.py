"""Type I error and coverage under the model's null: fixed and group-sequential analyses of simulated patients.

    python -m benchmarks.trial_null_study                                          # prints the table
    python -m benchmarks.trial_null_study --write docs/explanation/trials.md      # and puts it into the page
    python -m benchmarks.trial_null_study --replicates 500                         # a first look

Finished blocks are kept until the table is there: the same command goes on where it was interrupted. About one minute
of one core for 10,000 replicates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.doc_tables import posterior_words, put
from motorpool.simulation.api import keep_compiled_programs
from motorpool.trials.blocks import Settings
from motorpool.trials.design_file import load_design
from motorpool.trials.run import run_trial
from motorpool.trials.truth import NULL
from motorpool.trials.unfinished import unfinished_work

PEOPLE = 1024
NAME = "null study"
LOOK = "interims={information: [0.5], efficacy: %s}"
FIRST = "{name: first, outcome: hfmse, measure: change, at_month: 12}"
EVENT = "event: death_or_permanent_ventilation_16h_21d, measure: time_to_event"
RESPONSE = "measure: response, at_month: 9.9, change_at_least"
SITTERS = (
    f"endpoints=[{FIRST}, {{name: mixed, outcome: hfmse, measure: change, at_month: 12, analysis: mmrm}}, "
    "{name: arms, outcome: rulm, measure: change, at_month: 12}, "
    "{name: response, outcome: hfmse, measure: response, change_at_least: 3, at_month: 12}]"
)
INFANTS = (
    f"endpoints=[{{name: cox, {EVENT}, analysis: cox}}, {{name: mean, {EVENT}, analysis: restricted_mean}}, "
    "{name: death, event: death, measure: time_to_event, analysis: logrank}, "
    f"{{name: hine2, outcome: hine2, {RESPONSE}: 2}}, {{name: chop, outcome: chop_intend, {RESPONSE}: 4}}]"
)
WHOLE = "data_cut=null"
# Who, the shipped design, what is changed in it, and each endpoint in words.
TRIALS: tuple[tuple[str, str, list[str], dict[str, str]], ...] = (
    (
        "children who sit",
        "cells_addon_sitters",
        [SITTERS],
        {
            "first": "change of HFMSE, ANCOVA",
            "mixed": "change of HFMSE, MMRM with Kenward-Roger",
            "arms": "change of RULM, ANCOVA",
            "response": "HFMSE response by Cochran-Mantel-Haenszel",
        },
    ),
    (
        "",
        "cells_addon_sitters",
        [f"endpoints=[{FIRST}]", LOOK % "obrien_fleming"],
        {"first": "two looks, O'Brien-Fleming"},
    ),
    ("", "cells_addon_sitters", [f"endpoints=[{FIRST}]", LOOK % "pocock"], {"first": "two looks, Pocock"}),
    (
        "infants with type 1, 2:1",
        "endear",
        [INFANTS, WHOLE],
        {
            "cox": "event-free survival, Cox",
            "mean": "event-free survival, restricted mean",
            "death": "death, log-rank",
            "hine2": "HINE-2 response by Cochran-Mantel-Haenszel",
            "chop": "CHOP INTEND response by Cochran-Mantel-Haenszel",
        },
    ),
    ("", "endear", [], {"event_free": "event-free survival, Cox, ended at a date"}),
    (
        "",
        "endear",
        [
            f"endpoints=[{{name: events, {EVENT}, analysis: logrank}}]",
            "data_cut={events: 60}",
            LOOK % "obrien_fleming",
        ],
        {"events": "event-free survival, log-rank after 60 events, look after 30"},
    ),
)


def table(replicates: int) -> str:
    """The table and what stands around it, in Markdown."""
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for who, name, changes, endpoints in TRIALS:
        design = load_design(name, changes)
        told = f"{who} ({design.patients})" if who else ""
        settings = Settings(replicates, NULL, 0, PEOPLE)
        found = run_trial(design, settings, progress=tell).summary["characteristics"]
        by_name = {row["endpoint"]: row for row in found}
        for place, (endpoint, words) in enumerate(endpoints.items()):
            rows.append((told if place == 0 else "", words, by_name[endpoint]))
    lines = [
        f"{replicates:,} replicates under the null of the model ({posterior_words()}, central values, pool of "
        f"{PEOPLE}), per cent with Monte-Carlo errors; significant at a two-sided 5 %, and intervals of 95 % "
        "that hold the truth:",
        "",
        "| trial | analysis | type I error | coverage | adjusted for the looks | no answer |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for who, words, row in rows:
        both = row["estimation"]
        adjusted = "" if both is None else _percent(both["adjusted"]["coverage"])
        cells = (who, words, _percent(row["rejection"]), _percent(row["coverage"]), adjusted)
        lines.append(f"| {' | '.join(cells)} | {100 * row['no_answer']:.1f} |")
    apart = "; ".join(_apart(rows))
    lines += [
        "",
        f"Further than two Monte-Carlo errors from nominal: {apart or 'nothing'}. With {len(rows)} errors and "
        f"{len(rows)} coverages about {2 * len(rows) / 20:.1f} are expected there by chance alone.",
    ]
    return "\n".join(lines)


def _apart(rows: list[tuple[str, str, dict[str, Any]]]) -> Iterator[str]:
    """What lies further than two Monte-Carlo errors from nominal; the adjusted coverage where there is one."""
    for _, words, row in rows:
        both = row["estimation"]
        coverage = row["coverage"] if both is None else both["adjusted"]["coverage"]
        for what, figure, nominal in (
            ("error", row["rejection"], 0.05),
            ("coverage", coverage, 0.95),
        ):
            value, error = figure["value"], figure["monte_carlo_error"]
            if value is None or abs(value - nominal) > 2.0 * error:
                yield f"{what} of {words}"


def _percent(figure: dict[str, float | None]) -> str:
    value, error = figure["value"], figure["monte_carlo_error"]
    return "-" if value is None or error is None else f"{100 * value:.1f} ± {100 * error:.1f}"


def tell(stage: str, share: float) -> None:
    """Progress on standard error."""
    print(f"\r{stage}: {100 * share:.0f} %   ", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Print the table, and put it into a page where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    keep_compiled_programs()
    with unfinished_work({"study": NAME, "replicates": given.replicates}):
        text = table(given.replicates)
        print(f"\n{text}")
        if given.write is not None:
            put(given.write, NAME, text)


if __name__ == "__main__":
    main()
