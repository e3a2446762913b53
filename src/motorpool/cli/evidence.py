"""The verbs `evidence list|show|search|cite|refresh`: every published figure, its source, and what rests on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer

from motorpool.cli import evidence_refresh
from motorpool.cli.console import InputProblem, aligned, say
from motorpool.cli.evidence_text import citations, figure_rows, parameter_rows, source_data, source_rows
from motorpool.cli.study_text import endpoint_rows, figure_values, hint, study_rows, within

if TYPE_CHECKING:
    from motorpool.evidence.ledger import LedgerFigure

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.command("refresh")(evidence_refresh.refresh)
MOST_ENTRIES = 10_000


@app.callback()
def evidence(context: typer.Context) -> None:
    """List, show, search and cite what is known.

    Every published figure with its source, whether it was read there, its risk of bias and what the project does
    with it; every source with what rests on it.

    \b
    Examples:
      motorpool evidence search scoliosis surgery
      motorpool evidence list --topic survival --unchecked
      motorpool evidence show finkel2017_endear
      motorpool evidence cite motorpool-demo > demo.bib
      motorpool evidence refresh
    """
    if context.invoked_subcommand is None:
        list_figures(topic="", study="", use="", unchecked=False, as_json=False)


@app.command("list")
def list_figures(
    topic: str = typer.Option("", help="Only this topic, such as survival or motor_scale."),
    study: str = typer.Option("", help="Only figures of this study, such as ENDEAR."),
    use: str = typer.Option("", help="Only this use: calibration, validation, apart, parameter, ..."),
    unchecked: bool = typer.Option(False, "--unchecked", help="Only figures not yet read in their source."),
    as_json: bool = typer.Option(False, "--json", help="Print all fields as JSON."),
) -> None:
    """List the figures of the ledger, all or those that match.

    \b
    Examples:
      motorpool evidence list --study ENDEAR
      motorpool evidence list --use not_used
      motorpool evidence list --topic survival --unchecked --json
    """
    from motorpool.evidence.ledger import Topic, UseKind, load_ledger
    from motorpool.evidence.library import figures_of_study

    _one_of("--topic", topic, get_args(Topic))
    _one_of("--use", use, get_args(UseKind))
    figures: Iterable[LedgerFigure] = load_ledger().values()
    if study:
        figures = figures_of_study(study)
        if not figures:
            raise InputProblem(_unknown_study(study))
    chosen = [
        figure
        for figure in figures
        if (not topic or figure.topic == topic)
        and (not use or figure.use.kind == use)
        and not (unchecked and figure.checked)
    ]
    if as_json:
        print(json.dumps([_figure_data(figure) for figure in chosen], indent=1, ensure_ascii=False))
        return
    if not chosen:
        raise InputProblem("No figure matches all of that. `motorpool evidence list` shows all.")
    rows: list[tuple[str, ...]] = [("id", "study", "topic", "n", "read", "use", "measure and value")]
    rows += [
        (
            figure.id,
            figure.study,
            figure.topic,
            "" if figure.n is None else str(figure.n),
            "yes" if figure.checked else "no",
            figure.use.kind,
            f"{figure.measure}: {figure_values(figure)}",
        )
        for figure in chosen
    ]
    print(aligned(rows))


@app.command("show")
def show(
    name: str = typer.Argument(..., metavar="ID", help="Id of a figure, a source, a study or a parameter."),
    as_json: bool = typer.Option(False, "--json", help="Print all fields as JSON."),
) -> None:
    """Show a figure, a source with all that uses it, or a study.

    \b
    Examples:
      motorpool evidence show NUS-ENDEAR-EVENTS
      motorpool evidence show finkel2017_endear
      motorpool evidence show CHERISH
    """
    from motorpool.evidence.ledger import load_ledger
    from motorpool.evidence.parameters import load_parameter_table
    from motorpool.evidence.published import list_published
    from motorpool.evidence.sources import load_sources

    ledger, sources, table = load_ledger(), load_sources(), load_parameter_table()
    known = dict.fromkeys([*list_published(), *sources, *ledger, *table])
    by_lower_case = {entry.casefold(): entry for entry in reversed(known)}
    found = name if name in known else by_lower_case.get(name.casefold())
    if found is None:
        message = (
            f"{name}: is not a figure, source, study or parameter; try `motorpool evidence search {name}`."
        )
        raise InputProblem(message + hint(name, known))
    data: dict[str, Any] = {}
    texts: list[str] = []
    if found in ledger:
        data["figure"] = _figure_data(ledger[found])
        texts.append(aligned(list(figure_rows(ledger[found]))))
    if found in list_published():
        data["study"] = _study_data(found)
        texts += _study_texts(found)
    if found in sources:
        data["source"] = source_data(sources[found])
        texts.append(aligned(list(source_rows(sources[found]))))
    if found in table:
        data["parameter"] = table[found].model_dump(mode="json", exclude_none=True)
        texts.append(aligned(list(parameter_rows(found))))
    print(json.dumps(data, indent=1, ensure_ascii=False) if as_json else "\n\n".join(texts))


@app.command("search")
def search(
    words: list[str] = typer.Argument(..., metavar="WORDS...", help="Words to look for."),
    limit: int = typer.Option(20, "--limit", "-l", help="The most entries to show."),
    as_json: bool = typer.Option(False, "--json", help="Print the entries as JSON."),
) -> None:
    """Search figures, sources and studies by words, best first.

    \b
    Examples:
      motorpool evidence search six minute walk
      motorpool evidence search Finkel 2017
    """
    from motorpool.evidence.search import nearest_words, search_evidence

    within("--limit", limit, 1, MOST_ENTRIES)
    text = " ".join(words)
    found = search_evidence(text)
    unknown = nearest_words(text)
    near = [f"{word}: did you mean {' or '.join(similar)}?" for word, similar in unknown.items() if similar]
    if not found:
        advice = f" {' '.join(near)}" if near else " Try fewer or other words."
        raise InputProblem(f"Nothing in the evidence holds {text!r}.{advice}")
    for word in unknown:
        similar = next((line for line in near if line.startswith(f"{word}: ")), f"{word}:")
        say(f"Nothing holds {similar}")
    shown = found[:limit]
    if as_json:
        entries = [{"kind": hit.kind, "id": hit.id, "text": hit.text, "score": hit.score} for hit in shown]
        print(json.dumps(entries, indent=1, ensure_ascii=False))
        return
    print(aligned([(hit.kind, hit.id, hit.text) for hit in shown]))
    if len(found) > len(shown):
        say(f"{len(found) - len(shown)} more; add words, or --limit {len(found)}.")


@app.command("cite")
def cite(
    run: str = typer.Argument(
        ..., metavar="RUN", help="Folder of results, scenario file, or name of a shipped scenario."
    ),
) -> None:
    """Print what a run rests on, as BibTeX.

    The sources of its parameters, of its therapies, of the studies behind the calibration and of the published
    cohorts drawn over it.

    \b
    Examples:
      motorpool evidence cite motorpool-demo > demo.bib
      motorpool evidence cite endear_like
    """
    from motorpool.evidence.run_sources import sources_of_run
    from motorpool.evidence.sources import load_sources
    from motorpool.report.provenance import THERAPY_MODULES, therapies_given

    scenario, calibrated = _scenario_of(run)
    found = sources_of_run(
        therapies=therapies_given(scenario),
        published=scenario.get("published") or [],
        therapy_modules=THERAPY_MODULES,
        calibrated=calibrated,
    )
    sys.stdout.write(load_sources().bibtex(found.all))
    behind = str(len(found.calibration)) if calibrated else "none (no posterior)"
    say(
        f"{scenario['name']} rests on {len(found.all)} sources: parameters {len(found.parameters)}, therapies "
        f"{len(found.therapies)}, facts {len(found.facts)}, calibration studies {behind}, published cohorts "
        f"{len(found.published)}."
    )


def _scenario_of(run: str) -> tuple[dict[str, Any], bool]:
    """The scenario of a run as plain data, and whether its parameters come from a posterior."""
    from motorpool.evidence.posterior import load_posterior
    from motorpool.simulation.loading import load_scenario
    from motorpool.simulation.store import is_results_folder

    folder = Path(run).expanduser()
    if folder.is_dir():
        if not is_results_folder(folder):
            message = (
                f"{run}: is not a folder of motorpool results. Give the folder that `motorpool simulate` or "
                "`motorpool demo` wrote, or a scenario."
            )
            raise InputProblem(message)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        scenario = load_scenario(folder / "scenario.yaml")
        calibrated = manifest.get("run", {}).get("posterior_sha256") is not None
        return scenario.model_dump(mode="json", exclude_none=True), calibrated
    scenario = load_scenario(run)
    return scenario.model_dump(mode="json", exclude_none=True), load_posterior() is not None


def _study_texts(name: str) -> list[str]:
    from motorpool.evidence.library import figures_of_study
    from motorpool.evidence.published import load_published

    study = load_published(name)
    rows = study_rows(study, citations(study.source_ids()))
    rows += [
        ("figure", f"{figure.id}: {figure.measure}: {figure_values(figure)} [{figure.use.kind}]")
        for figure in figures_of_study(name)
    ]
    return [aligned(list(rows)), aligned(endpoint_rows(study))]


def _study_data(name: str) -> dict[str, Any]:
    from motorpool.evidence.library import figures_of_study
    from motorpool.evidence.published import load_published

    figures = [figure.id for figure in figures_of_study(name)]
    return {**load_published(name).model_dump(mode="json", exclude_none=True), "figures": figures}


def _figure_data(figure: LedgerFigure) -> dict[str, Any]:
    fields = figure.model_dump(mode="json", by_alias=True)
    return {**fields, "citations": citations((figure.source, *figure.further_sources))}


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value and value not in allowed:
        raise InputProblem(f"{option}: {value!r} must be one of {', '.join(allowed)}.{hint(value, allowed)}")


def _unknown_study(name: str) -> str:
    from motorpool.evidence.ledger import load_ledger
    from motorpool.evidence.published import list_published

    known = dict.fromkeys([*list_published(), *(figure.study for figure in load_ledger().values())])
    return f"--study: {name!r} is in no figure; `motorpool studies` lists studies.{hint(name, known)}"
