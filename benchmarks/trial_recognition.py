"""Real trials run blind on the calibrated model: their published effects beside those of replicates.

    python -m benchmarks.trial_recognition                                         # prints the table
    python -m benchmarks.trial_recognition --write docs/explanation/trials.md     # and puts it into the page

Once with central values and once over draws of what is not known. Finished blocks are kept until the table is there:
the same command goes on where it was interrupted. Some minutes of one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.doc_tables import posterior_words, put
from benchmarks.trial_null_study import tell
from motorpool.simulation.api import keep_compiled_programs
from motorpool.trials.blocks import Settings
from motorpool.trials.design_file import load_design
from motorpool.trials.power import PEOPLE_PER_DRAW
from motorpool.trials.run import run_trial
from motorpool.trials.truth import MODEL
from motorpool.trials.unfinished import unfinished_work

NAME = "real trials"
PEOPLE = 1024
REAL = {
    "cherish": "CHERISH, HFMSE difference at 15 months",
    "endear": "ENDEAR, hazard ratio of death or permanent ventilation",
    "sunfish": "SUNFISH, MFM32 difference at 12 months",
}


def table(replicates: int, draws: int) -> str:
    """The table and what stands around it, in Markdown."""
    over = f", and as many over {draws} draws of what is not known" if draws else ""
    lines = [
        f"{replicates:,} replicates with central values{over} ({posterior_words()}; nothing was tuned to this):",
        "",
        "| design | published | what is not known | middle 95 % of the replicates | replicates inside the published "
        "interval | of a perfect model | power |",
        "|---|---|---|---|---:|---:|---:|",
    ]
    reasons: list[str] = []
    for name, words in REAL.items():
        design = load_design(name)
        asked = {"central values": Settings(replicates, MODEL, 0, PEOPLE)}
        if draws:
            asked[f"{draws} draws"] = Settings(replicates, MODEL, draws, PEOPLE_PER_DRAW)
        for how, settings in asked.items():
            found = run_trial(design, settings, progress=tell).summary["published"]
            lines.append(_row(words, how, found))
            if not found["recognised"]:
                reasons.append(
                    f"{design.title.partition(' - ')[0].partition(' as it')[0]}, {how}: {found['why_not']}"
                )
            words = ""
    if reasons:
        lines += ["", "Not recognised, and why:", "", *(f"- {one}." for one in reasons)]
    return "\n".join(lines)


def _row(words: str, how: str, found: dict[str, Any]) -> str:
    low, high = found["published_interval"]
    least, most = found["replicates_middle_95"]
    verdict = "" if found["recognised"] else ": **not recognised**"
    cells = (
        words,
        f"{found['published']:g} ({low:g} to {high:g})",
        how,
        f"{least:.2g} to {most:.2g}{verdict}",
        f"{100 * found['inside_published_interval']['value']:.0f} %",
        f"{100 * found['ceiling']['perfect_model']:.0f} %",
        f"{100 * found['power']['value']:.0f} %",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, and put it into a page where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=32, help="0: central values alone")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    keep_compiled_programs()
    with unfinished_work({"study": NAME, "replicates": given.replicates, "draws": given.draws}):
        text = table(given.replicates, given.draws)
        print(f"\n{text}")
        if given.write is not None:
            put(given.write, NAME, text)


if __name__ == "__main__":
    main()
