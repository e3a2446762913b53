"""Figures of the ledger, sources and parameters in words, as the verb `evidence show` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from motorpool.cli.study_text import (
    arm_text,
    figure_values,
    measured,
    set_text,
    spread_text,
    value_text,
    when,
)

if TYPE_CHECKING:
    from motorpool.evidence.ledger import LedgerFigure
    from motorpool.evidence.sources import Source

USE_WORDS = {
    "calibration": "fitted to",
    "validation": "predicted, never fitted to",
    "apart": "predicted, counted apart",
    "parameter": "informs parameters",
    "fact": "is a fact of the model",
    "prior": "informs a prior",
    "context": "context only",
    "not_used": "not used",
}


def citations(source_ids: Iterable[str]) -> list[str]:
    """Sources in full, each once, with link and id."""
    from motorpool.evidence.sources import load_sources

    bibliography = load_sources()
    found: list[str] = []
    for source_id in dict.fromkeys(source_ids):
        source = bibliography[source_id]
        link, citation = source.link(), source.citation()
        shown = f" <{link}>" if link and link not in citation else ""
        found.append(f"{citation}{shown} [{source_id}]")
    return found


def read_text(checked: bool, confidence: str | None) -> str:
    """Whether a figure was read in its source."""
    if checked:
        return "in the source, or in a page that quotes it"
    return "no: recalled" + (f", confidence {confidence}" if confidence else "")


def figure_rows(figure: LedgerFigure) -> list[tuple[str, str]]:
    """A figure of the ledger as names and values, with what uses it."""
    rows = [("figure", figure.id), ("study", figure.study), ("people", figure.population)]
    rows += [("n", str(figure.n))] if figure.n is not None else []
    rows += [("plan", figure.plan), ("measure", f"{figure.measure} ({figure.topic.replace('_', ' ')})")]
    optional = [("definition", figure.definition), ("when", figure.time)]
    rows += [(name, text) for name, text in optional if text]
    rows.append(("value", figure_values(figure)))
    rows += [("spread", spread_text(figure))] if figure.spread else []
    rows.append(("read", read_text(figure.checked, figure.confidence)))
    rows.append(("risk of bias", f"{figure.risk_of_bias.level}: {figure.risk_of_bias.reason}"))
    rows += [("notes", figure.notes)] if figure.notes else []
    reason = f" ({figure.use.reason})" if figure.use.reason else ""
    rows.append(("use", f"{figure.use.kind}: {USE_WORDS[figure.use.kind]}{reason}"))
    rows += [("used by", place_text(place)) for place in figure.use.where]
    rows += [("source", text) for text in citations((figure.source, *figure.further_sources))]
    return [(name, " ".join(text.split())) for name, text in rows]


def place_text(place: str) -> str:
    """What a figure says it is used for - an endpoint, a parameter or a file of facts - in words."""
    from motorpool.evidence.library import endpoint_of, fact_files
    from motorpool.evidence.parameters import load_parameter_table

    found = endpoint_of(place)
    if found is not None:
        study, endpoint = found
        low, high = endpoint.interval or (None, None)
        what = f"{measured(endpoint)}, {arm_text(endpoint)}, {when(endpoint) or 'over the study'}"
        return f"{place}: {what}: {value_text(endpoint, endpoint.value, low, high)} [{set_text(study.study, endpoint)}]"
    table = load_parameter_table()
    if place in table:
        return f"parameter {place}: {table[place].description}"
    return f"facts {place}" if place in fact_files() else place


def source_rows(source: Source) -> list[tuple[str, str]]:
    """A source as names and values, with everything that rests on it."""
    from motorpool.evidence.ledger import load_ledger
    from motorpool.evidence.library import uses_of_source
    from motorpool.evidence.parameters import load_parameter_table
    from motorpool.evidence.published import load_published

    rows = [("source", source.id), ("kind", source.kind), ("citation", citations([source.id])[0])]
    if source.identifiers_recalled:
        rows.append(("recalled", ", ".join(source.identifiers_recalled) + " (not read in the source)"))
    rows += [("notes", source.notes)] if source.notes else []
    uses, ledger, table = uses_of_source(source.id), load_ledger(), load_parameter_table()
    for name in uses.figures:
        figure = ledger[name]
        rows.append(("figure", f"{name}: {figure.study}: {figure.measure}: {figure_values(figure)}"))
    rows += [("study", f"{name}: {load_published(name).title}") for name in uses.studies]
    rows += [("endpoint", place_text(name)) for name in uses.endpoints]
    rows += [("parameter", f"{name}: {table[name].description}") for name in uses.parameters]
    rows += [("fact", name) for name in uses.facts]
    if not uses:
        rows.append(("used by", "nothing yet"))
    return [(name, " ".join(text.split())) for name, text in rows]


def parameter_rows(name: str) -> list[tuple[str, str]]:
    """A parameter with its sources and the figures that inform it."""
    from motorpool.evidence.library import figures_used_by
    from motorpool.evidence.parameters import load_parameter_table

    record = load_parameter_table()[name]
    values = ", ".join(f"{value:g}" for value in record.values)
    rows = [("parameter", name), ("meaning", record.description), ("value", f"{values} {record.unit}")]
    rows.append(("origin", record.origin))
    rows += [("source", text) for text in citations(record.sources)]
    rows += [
        ("figure", f"{figure.id}: {figure.study}: {figure.measure}: {figure_values(figure)}")
        for figure in figures_used_by(name)
    ]
    return [(key, " ".join(text.split())) for key, text in rows]


def source_data(source: Source) -> dict[str, Any]:
    """A source with everything that rests on it, as plain data."""
    import dataclasses

    from motorpool.evidence.library import uses_of_source

    uses = {name: list(ids) for name, ids in dataclasses.asdict(uses_of_source(source.id)).items()}
    return {
        **source.model_dump(mode="json", exclude_none=True),
        "citation": source.citation(),
        "used_by": uses,
    }
