"""The verbs `parameters list|show`: every number of the model, with where it comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.console import InputProblem, aligned

if TYPE_CHECKING:
    from motorpool.evidence.parameters import ParameterRecord, Prior

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def parameters(context: typer.Context) -> None:
    """List and show the model's numbers and sources.

    Every number has a value, unit, bounds, prior, origin (publication, calibration or judgement) and sources.

    \b
    Examples:
      motorpool parameters list neurons
      motorpool parameters show neurons.sickening_rate_per_year
    """
    if context.invoked_subcommand is None:
        list_parameters(search="", origin="", as_json=False)


@app.command("list")
def list_parameters(
    search: str = typer.Argument("", help="Only parameters whose id or description contains this text."),
    origin: str = typer.Option("", help="Only this origin: publication, calibration or judgement."),
    as_json: bool = typer.Option(False, "--json", help="Print all fields as JSON."),
) -> None:
    """List parameters, all or those that match.

    \b
    Examples:
      motorpool parameters list
      motorpool parameters list neurons
      motorpool parameters list --origin judgement
    """
    from motorpool.evidence.parameters import load_parameter_table

    origins = ("publication", "calibration", "judgement")
    if origin and origin not in origins:
        raise InputProblem(f"--origin: {origin!r} must be one of {', '.join(origins)}.")
    wanted = search.lower()
    records = [
        record
        for record in load_parameter_table().values()
        if (wanted in record.id.lower() or wanted in record.description.lower())
        and (not origin or record.origin == origin)
    ]
    if as_json:
        print(json.dumps([_as_data(record) for record in records], indent=1, ensure_ascii=False))
        return
    if not records:
        raise InputProblem(f"No parameter matches {search!r}. `motorpool parameters list` shows all.")
    rows = [("id", "value", "unit", "bounds", "prior", "origin", "sources")]
    rows += [
        (
            record.id,
            _numbers(record.values),
            record.unit,
            f"{record.bounds[0]:g} to {record.bounds[1]:g}",
            _prior(record.prior),
            record.origin,
            str(len(record.sources)),
        )
        for record in sorted(records, key=lambda record: record.id)
    ]
    print(aligned(rows))


@app.command("show")
def show_parameter(
    name: str = typer.Argument(..., metavar="ID", help="Id such as neurons.sickening_rate_per_year."),
    as_json: bool = typer.Option(False, "--json", help="Print all fields as JSON."),
) -> None:
    """Show one parameter with its sources in full.

    \b
    Example:
      motorpool parameters show neurons.sickening_rate_per_year
    """
    from motorpool.evidence.parameters import load_parameter_table
    from motorpool.therapies.fields import nearest_name

    table = load_parameter_table()
    if name not in table:
        ends = [key for key in table if key.split(".", 1)[-1] == name]
        nearest = ends[0] if ends else nearest_name(name, table)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise InputProblem(f"{name}: is not a parameter; `motorpool parameters list` shows all.{hint}")
    record = table[name]
    if as_json:
        print(json.dumps(_as_data(record), indent=1, ensure_ascii=False))
        return
    checked = "" if record.checked else " (recalled; not yet checked in the source)"
    rows = [
        ("id", record.id),
        ("symbol", record.symbol),
        ("meaning", record.description),
        ("value", f"{_numbers(record.values)} {record.unit}"),
        ("bounds", f"{record.bounds[0]:g} to {record.bounds[1]:g} {record.unit}"),
        ("prior", _prior(record.prior)),
        ("origin", f"{record.origin}{checked}"),
    ]
    citations = _citations(record.sources)
    rows += [("source", citation) for citation in citations] or [("source", "none: see origin")]
    print(aligned(rows))


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _prior(prior: Prior) -> str:
    if prior.distribution == "normal":
        return f"normal, sd {prior.sd:g}"
    if prior.distribution == "lognormal":
        return f"lognormal, log sd {prior.log_sd:g}"
    if prior.components is not None:
        parts = (f"{part.weight:g} x normal({part.mean:g}, {part.sd:g})" for part in prior.components)
        return " + ".join(parts)
    return prior.distribution


def _citations(source_ids: tuple[str, ...]) -> list[str]:
    from motorpool.evidence.sources import load_sources

    bibliography = load_sources()
    citations: list[str] = []
    for source_id in source_ids:
        source = bibliography[source_id]
        link = source.link()
        citation = source.citation()
        shown = f" <{link}>" if link and link not in citation else ""
        citations.append(f"{citation}{shown} [{source_id}]")
    return citations


def _as_data(record: ParameterRecord) -> dict[str, Any]:
    return {**record.model_dump(mode="json", exclude_none=True), "citations": _citations(record.sources)}
