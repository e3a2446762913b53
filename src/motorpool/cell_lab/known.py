"""What is known of cells, as plain data: studies, syntheses, animal work with its discount, numbers of trials.

Only studies with a comparison enter a synthesis. In SMA there is none, and the result says so.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from motorpool._version import __version__
from motorpool.cell_lab.effects import bias_adjusted, effect_of, open_label_inflation
from motorpool.cell_lab.synthesis import Effect, Synthesis, synthesise
from motorpool.evidence.cell_studies import (
    DESIGN_WORDS,
    CellStudies,
    CellStudy,
    Pool,
    load_cell_studies,
)
from motorpool.evidence.ledger import LedgerFigure, load_ledger
from motorpool.evidence.sources import load_sources

FORMAT = "motorpool cells evidence, version 1"
POINTS_FIGURE, POINTS_VALUE = "apitegromab_sapphire", "sd_change_implied"
PRIOR_FIGURE, PRIOR_CHANCES = "prior_predictive_hfmse_12mo", "prior_hfmse_gain_probability"
MAIN_POOL = "blinded"
NOT_STATED = "not stated"


def known_content() -> dict[str, Any]:
    """Everything that ``cells evidence --json`` prints and the page shows.

    Raises:
        EvidenceError: a shipped evidence file is damaged.
    """
    known = load_cell_studies()
    return {
        "format": FORMAT,
        "version": __version__,
        "points_per_sd": points_per_sd(),
        "sma": _sma(known),
        "studies": [_study(study, known) for study in known.studies.values()],
        "syntheses": [_pooled(pool, known) for pool in known.pools.values()],
        "open_label_inflation": dict(zip(("mean", "sd"), open_label_inflation(), strict=True)),
        "animals": _animals(known),
        "numbers": _numbers(known),
        "prior": _prior(),
    }


def points_per_sd() -> float:
    """HFMSE points of one standard deviation of change in twelve months (derived from SAPPHIRE)."""
    return load_ledger()[POINTS_FIGURE].number(POINTS_VALUE)


def _sma(known: CellStudies) -> dict[str, Any]:
    """How many people with SMA were treated, and how many of them were compared with a group drawn by lot."""
    treated = [
        study
        for study in known.studies.values()
        if study.group == "sma" and study.treated and not study.planned
    ]
    drawn = [study for study in treated if study.design.startswith("randomised")]
    return {
        "reports": len(treated),
        "people_treated": sum(study.treated or 0 for study in treated),
        "people_in_randomised_studies": sum(study.treated or 0 for study in drawn),
        "with_control_group": [study.id for study in treated if study.compared],
        "pooled": [study.id for study in treated if study.contrast is not None],
        "waiting": [study.id for study in known.studies.values() if study.group == "sma" and study.planned],
    }


def _study(study: CellStudy, known: CellStudies) -> dict[str, Any]:
    first = study.ledger[0]
    data = study.model_dump(mode="json", exclude={"contrast", "life_span"})
    return {
        **data,
        "group_words": known.groups[study.group],
        "design_words": DESIGN_WORDS[study.design],
        "blinded": study.blinded,
        "risk_of_bias": first.risk_of_bias.model_dump(),
        "read_in_source": all(figure.checked for figure in study.ledger),
        "sources": _sources(study.ledger),
        "effect": _effect(study),
        "life_span": None if study.life_span is None else study.life_span.model_dump(),
        "pools": [pool.id for pool in known.pools.values() if study in known.in_pool(pool)],
    }


def _sources(figures: tuple[LedgerFigure, ...]) -> list[dict[str, Any]]:
    ids = dict.fromkeys(source for figure in figures for source in (figure.source, *figure.further_sources))
    found = [load_sources()[name] for name in ids]
    return [{"id": source.id, "citation": source.citation(), "link": source.link()} for source in found]


def _effect(study: CellStudy) -> dict[str, Any] | None:
    if study.contrast is None:
        return None
    effect = effect_of(study)
    return {
        **_numbers_of(effect),
        "measure": study.contrast.measure,
        "derived_from": study.contrast.kind,
        "assumptions": list(study.contrast.assumptions),
        "bias_adjusted": None if study.blinded else _numbers_of(bias_adjusted(study, effect)),
    }


def _numbers_of(effect: Effect) -> dict[str, float]:
    low, high = effect.interval()
    return {"smd": effect.smd, "variance": effect.variance, "low_95": low, "high_95": high}


def _pooled(pool: Pool, known: CellStudies) -> dict[str, Any]:
    """A pool by REML. ``shown`` is the interval to read: Hartung-Knapp, never narrower than the normal one."""
    studies = known.in_pool(pool)
    effects = [effect_of(study) for study in studies]
    if pool.bias_adjusted:
        effects = [bias_adjusted(study, effect) for study, effect in zip(studies, effects, strict=True)]
    y, v = [one.smd for one in effects], [one.variance for one in effects]
    shown = synthesise(y, v, "REML", "hartung_knapp_at_least_normal")
    plain, normal = synthesise(y, v, "REML", "hartung_knapp"), synthesise(y, v, "REML", "normal")
    return {
        "id": pool.id,
        "title": pool.title,
        "short": pool.short,
        "note": pool.note,
        "bias_adjusted": pool.bias_adjusted,
        "studies": [
            {"id": study.id, "name": study.name, "blinded": study.blinded, **_numbers_of(effect)}
            for study, effect in zip(studies, effects, strict=True)
        ],
        "people": sum((study.treated or 0) + (study.compared or 0) for study in studies),
        "method": "REML; Hartung-Knapp, never narrower than the normal interval",
        "shown": dataclasses.asdict(shown),
        "hartung_knapp": {"low": plain.low, "high": plain.high, "standard_error": plain.standard_error},
        "normal": {"low": normal.low, "high": normal.high, "standard_error": normal.standard_error},
        "hfmse_points": _in_points(shown),
        "leave_one_out": _leave_one_out([study.id for study in studies], y, v),
    }


def _leave_one_out(names: list[str], y: list[float], v: list[float]) -> dict[str, float]:
    """The estimate without each study in turn; empty where fewer than two would be left."""
    if len(names) < 3:
        return {}
    return {
        name: synthesise(y[:place] + y[place + 1 :], v[:place] + v[place + 1 :]).estimate
        for place, name in enumerate(names)
    }


def _in_points(found: Synthesis) -> dict[str, float | None]:
    points = points_per_sd()
    values = {
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "predictive_low": found.predictive_low,
        "predictive_high": found.predictive_high,
    }
    return {name: None if value is None else points * value for name, value in values.items()}


def _animals(known: CellStudies) -> dict[str, Any]:
    """Gains of life in animals, those of restored SMN in such mice, and how often protection carried over to people."""
    benchmark = known.translation.smn_benchmark
    restored = load_ledger()[benchmark.figure]
    untreated = restored.number(benchmark.untreated)
    grafts = [
        {"id": study.id, "name": study.name, "disease": study.disease, **study.life_span.model_dump()}
        for study in known.studies.values()
        if study.life_span is not None
    ]
    return {
        "life_span": grafts,
        "smn_restored": [
            {"name": name, "gain": restored.number(name) / untreated - 1.0} for name in benchmark.treated
        ],
        "translation": _translation(known),
    }


def _translation(known: CellStudies) -> dict[str, Any]:
    """Share of approaches that helped people after animals; Jeffreys' interval of a share."""
    from scipy.stats import beta

    approaches = known.translation.approaches
    helped, tried = sum(one.helped_people for one in approaches.values()), len(approaches)
    posterior = beta(helped + 0.5, tried - helped + 0.5)
    low = 0.0 if helped == 0 else float(posterior.ppf(0.025))
    high = 1.0 if helped == tried else float(posterior.ppf(0.975))
    return {
        "helped": helped,
        "tried": tried,
        "share": float(posterior.mean()),
        "share_low": low,
        "share_high": high,
        "note": known.translation.note,
        "approaches": [
            {"id": key, **one.model_dump(), "sources": _sources((load_ledger()[one.figure],))}
            for key, one in approaches.items()
        ],
    }


def _numbers(known: CellStudies) -> dict[str, Any]:
    people = [study for study in known.studies.values() if study.group != "animal"]
    years = Counter((study.year, study.phase or NOT_STATED) for study in people if study.year is not None)
    phases = Counter(study.phase or NOT_STATED for study in people)
    designs = Counter(DESIGN_WORDS[study.design] for study in people)
    return {
        "by_year_and_phase": [
            {"year": year, "phase": phase, "studies": count} for (year, phase), count in sorted(years.items())
        ],
        "by_phase": dict(sorted(phases.items())),
        "by_design": dict(designs),
        "without_year": [study.id for study in people if study.year is None],
        "registered_trials": [
            {**one.model_dump(), "sources": _sources((load_ledger()[one.figure],))}
            for one in known.registered_trials
        ],
        "published_outcomes": known.published_outcomes.model_dump(),
        "designations": known.designations.model_dump(mode="json"),
    }


def _prior() -> dict[str, Any]:
    """What the project believes of a cell therapy added to an SMN drug: a judgement, elicited from all of this."""
    figure, chances = load_ledger()[PRIOR_FIGURE], load_ledger()[PRIOR_CHANCES]
    spread = figure.spread or {}
    return {
        "hfmse_points_12_months": dict(figure.values),
        "spread": {name: value for name, value in spread.items()},
        "chance_that_the_mean_gain_exceeds": dict(chances.values),
        "words": (
            "A judgement of this project. The chances are doubt about the average gain of a group; they are "
            "not shares of "
            "children who would gain."
        ),
    }
