"""Where every number came from: parameters with origin and sources, published results drawn, and the
manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motorpool.report.tables import cell_text

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext

# Modules of parameters that matter only where a therapy is given or a scale is reported.
THERAPY_MODULES = {
    "nusinersen": "nusinersen",
    "risdiplam": "risdiplam",
    "onasemnogene": "gene_transfer",
    "cell_therapy": "cells",
    "myostatin_inhibition": "myostatin",
    "transmission_support": "transmission_support",
    "rehabilitation": "rehabilitation",
}
SCALE_MODULES = ("chop_intend", "hfmse", "hine2", "mfm32", "rulm")
ORIGINS = {
    "publication": "read in a publication",
    "calibration": "calibrated on published studies",
    "judgement": "our judgement",
}


@dataclass(frozen=True)
class ParameterRow:
    """One parameter as the report shows it."""

    identifier: str
    value: str
    unit: str
    prior: str
    origin: str
    provisional: bool
    sources: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Reference:
    """One source, with a link where there is one."""

    identifier: str
    citation: str
    link: str | None


def parameter_rows() -> dict[str, list[ParameterRow]]:
    """Every parameter of the model by module; provisional ones are judgement or not yet checked against the
    source."""
    from motorpool.evidence.parameters import load_parameter_table
    from motorpool.evidence.posterior import load_posterior

    table, posterior = load_parameter_table(), load_posterior()
    calibrated = {} if posterior is None else posterior.values(None, table)
    modules: dict[str, list[ParameterRow]] = {}
    for record in table.values():
        value: Any = calibrated.get(record.id, record.value)
        shown = (
            ", ".join(cell_text(float(part)) for part in value)
            if isinstance(value, tuple)
            else cell_text(float(value))
        )
        modules.setdefault(record.id.split(".")[0], []).append(
            ParameterRow(
                identifier=record.id,
                value=shown,
                unit=record.unit,
                prior=prior_words(record.prior),
                origin=ORIGINS[record.origin],
                provisional=record.origin == "judgement" or not record.checked,
                sources=record.sources,
                description=record.description,
            )
        )
    return modules


def prior_words(prior: Any) -> str:
    """A prior in a few words."""
    if prior.distribution == "normal":
        return f"normal, SD {cell_text(float(prior.sd))}"
    if prior.distribution == "lognormal":
        return f"lognormal, log SD {cell_text(float(prior.log_sd))}"
    return {"fixed": "fixed", "uniform": "uniform within bounds"}.get(
        prior.distribution, str(prior.distribution)
    )


@dataclass(frozen=True)
class Provenance:
    """What a run rests on.

    Attributes:
        words: how many parameters, and how many are provisional.
        used: parameters by module that this run uses.
        unused: parameters of therapies and scales that do not occur in it.
        references: sources of the used parameters, of the adverse events and of the published results.
    """

    words: str
    used: dict[str, list[ParameterRow]]
    unused: dict[str, list[ParameterRow]]
    references: list[Reference]

    @property
    def reference_ids(self) -> set[str]:
        """Ids that have an entry in the list of references."""
        return {reference.identifier for reference in self.references}


def provenance(context: FigureContext) -> Provenance:
    """Parameters, sources and counts behind one run."""
    from motorpool.evidence.adverse_events import load_adverse_event_catalogue

    given = therapies_given(context.scenario)
    without = {module for therapy, module in THERAPY_MODULES.items() if therapy not in given}
    without |= {scale for scale in SCALE_MODULES if f"{scale}__true" not in context.dataset}
    everything = parameter_rows()
    used = {module: rows for module, rows in everything.items() if module not in without}
    unused = {module: rows for module, rows in everything.items() if module in without}
    wanted = {source for rows in used.values() for row in rows for source in row.sources}
    wanted |= {point.source for point in context.published}
    wanted |= {left.source for left in context.published_results.not_drawn}
    for event in load_adverse_event_catalogue().values():
        if given & set(event.therapies):
            wanted |= set(event.sources)
    count = sum(len(rows) for rows in used.values())
    provisional = sum(row.provisional for rows in used.values() for row in rows)
    words = (
        f"This run rests on {count} parameters. {count - provisional} were read in publications and checked; "
        f"{provisional} are provisional: our judgement, or not yet checked against the source. Each has a "
        "unit, a range of doubt and its sources."
    )
    return Provenance(words, used, unused, references(wanted))


def therapies_given(scenario: dict[str, Any]) -> set[str]:
    """Every therapy that occurs in an arm or in the background."""
    courses = list((scenario.get("cohort") or {}).get("background") or [])
    for plan in (scenario.get("arms") or {}).values():
        courses += plan.get("therapies") or []
    return {str(course.get("therapy")) for course in courses}


def references(wanted: set[str]) -> list[Reference]:
    """Sources by id, each once, by first author."""
    from motorpool.evidence.sources import load_sources

    bibliography = load_sources()
    found = [bibliography[identifier] for identifier in wanted if identifier in bibliography]
    made = [Reference(source.id, source.citation(), source.link()) for source in found]
    return sorted(made, key=lambda reference: (reference.citation.lower(), reference.identifier))


def manifest_rows(manifest: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The manifest as flat name and value pairs."""
    rows: list[tuple[str, str]] = []
    for key, value in manifest.items():
        if isinstance(value, dict):
            rows += manifest_rows(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
