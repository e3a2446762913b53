"""The verbs `studies list|show|run`: published studies, and what the model predicts for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display
from motorpool.cli.evidence_text import citations
from motorpool.cli.study_data import comparison_data, study_entries
from motorpool.cli.study_text import (
    arm_text,
    endpoint_rows,
    hint,
    measured,
    study_rows,
    value_text,
    when,
    within,
)

if TYPE_CHECKING:
    from motorpool.studies.compare import StudyComparison
    from motorpool.studies.study import Study

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
PATIENTS = 256
MOST_PATIENTS = 2048
MOST_DRAWS = 1000
MOST_SEED = 2**31 - 1


@app.callback()
def studies(context: typer.Context) -> None:
    """List, show and simulate published studies.

    A study file says who was enrolled, what each arm had and what was measured; the model predicts it at its own
    size. Your own study is a file of the same form.

    \b
    Examples:
      motorpool studies
      motorpool studies show CHERISH
      motorpool studies run CHERISH
      motorpool studies show CHERISH --file > my_study.yaml
    """
    if context.invoked_subcommand is None:
        list_studies(chosen="", as_json=False)


@app.command("list")
def list_studies(
    chosen: str = typer.Option(
        "", "--set", metavar="SET", help="Only studies of this set: calibration, validation or apart."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the table as JSON."),
) -> None:
    """List the studies that come with motorpool.

    The sets were locked before fitting: calibration was fitted to, validation never, apart shaped the design or holds
    patients of another study.

    \b
    Example:
      motorpool studies list --set validation
    """
    from motorpool.evidence.study_sets import StudySet

    allowed = get_args(StudySet)
    if chosen and chosen not in allowed:
        raise InputProblem(f"--set: {chosen!r} must be one of {', '.join(allowed)}.{hint(chosen, allowed)}")
    entries = [entry for entry in study_entries() if not chosen or chosen in entry["sets"]]
    if as_json:
        print(json.dumps(entries, indent=1, ensure_ascii=False))
        return
    rows: list[tuple[str, ...]] = [("name", "set", "arms", "endpoints", "targets", "title")]
    rows += [
        (
            entry["study"],
            " and ".join(entry["sets"]) or "not simulated",
            str(entry["arms"]),
            str(entry["endpoints"]),
            str(entry["targets"]),
            entry["title"],
        )
        for entry in entries
    ]
    print(aligned(rows))


@app.command("show")
def show_study(
    name: str = typer.Argument(
        ..., metavar="NAME|FILE", help="Name of a study, or a study file of your own."
    ),
    file: bool = typer.Option(False, "--file", help="Print the study file itself, to copy and change."),
    as_json: bool = typer.Option(False, "--json", help="Print all fields as JSON."),
) -> None:
    """Show who was in a study, what was done, and every endpoint.

    \b
    Examples:
      motorpool studies show ENDEAR
      motorpool studies show ENDEAR --file > my_study.yaml
    """
    from motorpool.evidence.published import load_published
    from motorpool.evidence.sources import load_sources
    from motorpool.studies.study import read_study

    path = _own_file(name)
    if file:
        sys.stdout.write(path.read_text(encoding="utf-8") if path else _shipped_text(name))
        return
    study = read_study(path).published if path else load_published(name)
    if as_json:
        print(json.dumps(study.model_dump(mode="json", exclude_none=True), indent=1, ensure_ascii=False))
        return
    bibliography = load_sources()
    known = citations(source for source in study.source_ids() if source in bibliography)
    own = [source for source in study.source_ids() if source not in bibliography]
    print(aligned(list(study_rows(study, [*own, *known]))))
    print()
    print(aligned(endpoint_rows(study)))


@app.command("run")
def run_study(
    name: str = typer.Argument(
        ..., metavar="NAME|FILE", help="Name of a study, or a study file of your own."
    ),
    patients: int = typer.Option(PATIENTS, "--patients", "-n", help="Virtual people per arm."),
    draws: int = typer.Option(
        0, "--draws", "-d", help="Draws of what is not known; 0: central values alone."
    ),
    seed: int = typer.Option(1, "--seed", help="Random seed."),
    as_json: bool = typer.Option(False, "--json", help="Print the comparison as JSON."),
) -> None:
    """Simulate a study and set the model's prediction beside what was published.

    Every endpoint is predicted for studies of the published size; what cannot be predicted is listed with the reason.

    \b
    Examples:
      motorpool studies run CHERISH
      motorpool studies run my_study.yaml --draws 16 --json
    """
    within("--patients", patients, 1, MOST_PATIENTS)
    within("--draws", draws, 0, MOST_DRAWS)
    within("--seed", seed, 0, MOST_SEED)
    study = _study(name)
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.calibration_state import calibration_state, parameter_words
    from motorpool.studies.compare import compare_study

    keep_compiled_programs()
    with progress_display() as progress:
        comparison = compare_study(
            study,
            patients=patients,
            draws=draws,
            seed=seed,
            tell=lambda done, of: progress(f"Simulating {study.name}", done / of),
        )
    if as_json:
        options = {"patients": patients, "draws": draws, "seed": seed, "parameters": calibration_state()}
        print(json.dumps(comparison_data(comparison, options), indent=1, ensure_ascii=False, allow_nan=False))
        return
    print(study.published.title)
    _print_comparison(comparison)
    values = f"{draws} draws of what is not known" if draws else "central parameter values"
    print(
        f"\nRanges: 90 % of studies of the published size, {patients} virtual people per arm (more where weights "
        f"leave few), {values} ({parameter_words()}). How far the model itself may be wrong is not in them."
    )


def _print_comparison(comparison: StudyComparison) -> None:
    rows: list[tuple[str, ...]] = [
        ("endpoint", "arm", "measured", "when", "published (90 %)", "predicted (90 %)", "inside", "set")
    ]
    for found in comparison.compared:
        endpoint = found.endpoint
        low, high = found.predicted_low, found.predicted_high
        rows.append(
            (
                endpoint.id,
                arm_text(endpoint),
                measured(endpoint),
                when(endpoint),
                value_text(endpoint, found.published, found.published_low, found.published_high),
                value_text(endpoint, found.predicted, low, high, digits=3),
                "yes" if found.inside_90 else "NO",
                found.set or "own",
            )
        )
    if len(rows) > 1:
        print(aligned(rows))
        inside = sum(found.inside_90 for found in comparison.compared)
        print(f"\n{inside} of {len(comparison.compared)} published values lie inside the predicted range.")
    for found in (found for found in comparison.compared if found.draws < comparison.draws):
        print(f"{found.endpoint.id}: predicted in {found.draws} of {comparison.draws} draws only.")
    if comparison.not_predicted:
        print("\nNot predicted:")
        lines = [(f"  {left.endpoint.id}", left.reason) for left in comparison.not_predicted]
        print(aligned(list(lines)))


def _study(name: str) -> Study:
    from motorpool.studies.study import load_study, read_study

    path = _own_file(name)
    return read_study(path) if path else load_study(name)


def _own_file(name: str) -> Path | None:
    """The file that is meant, or ``None`` for a shipped study; neither is an error that names the nearest."""
    from motorpool.evidence.published import list_published

    path = Path(name).expanduser()
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):
        pass
    known = list_published()
    if name not in known:
        message = f"{name[:200]}: is not a file, nor a study; `motorpool studies` lists them."
        raise InputProblem(message + hint(name, known))
    return None


def _shipped_text(name: str) -> str:
    from importlib import resources

    entry = resources.files("motorpool.evidence").joinpath("data", "published", f"{name}.yaml")
    return entry.read_text(encoding="utf-8")
