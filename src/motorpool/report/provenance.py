"""Where every number came from: parameters with origin and sources, published results drawn, and the
manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motorpool.report.tables import cell_text

if TYPE_CHECKING:
    from motorpool.figures.published_points import PublishedPoint

ORIGINS = {
    "publication": "read in a publication",
    "calibration": "fitted to published results",
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

    modules: dict[str, list[ParameterRow]] = {}
    for record in load_parameter_table().values():
        value: Any = record.value
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


def references(
    parameters: dict[str, list[ParameterRow]], points: Sequence[PublishedPoint]
) -> list[Reference]:
    """Every source the parameters and the published points of a report rest on, each once, by first
    author."""
    from motorpool.evidence.sources import load_sources

    bibliography = load_sources()
    wanted = {source for rows in parameters.values() for row in rows for source in row.sources}
    wanted |= {point.source for point in points}
    found = [bibliography[identifier] for identifier in wanted if identifier in bibliography]
    made = [Reference(source.id, source.citation(), source.link()) for source in found]
    return sorted(made, key=lambda reference: reference.citation.lower())


def manifest_rows(manifest: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The manifest as flat name and value pairs."""
    rows: list[tuple[str, str]] = []
    for key, value in manifest.items():
        if isinstance(value, dict):
            rows += manifest_rows(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
