"""The credibility report as plain data: everything the page and ``--json`` show."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from motorpool._version import __version__
from motorpool.calibration.validation_summary import load_acceptance
from motorpool.evidence.parameters import ParameterTable, load_parameter_table
from motorpool.evidence.posterior import Posterior, load_posterior
from motorpool.evidence.stored_results import (
    SENSITIVITY_FILE,
    VALIDATION_FILE,
    SensitivityTable,
    ValidationResult,
    load_sensitivity_table,
    load_validation_result,
    stored_digest,
)
from motorpool.evidence.study_sets import load_study_sets
from motorpool.report.credibility.adequacy import context_rows, criteria, resolved, statuses
from motorpool.report.credibility.applicability import applicability_map
from motorpool.report.credibility.calibration import calibration_section
from motorpool.report.credibility.coverage import Covered
from motorpool.report.credibility.engine_error import EngineError
from motorpool.report.credibility.sensitivity import sensitivity_section
from motorpool.report.credibility.statements import Statements, load_rules, load_statements
from motorpool.report.credibility.validation import validation_section
from motorpool.simulation.calibration_state import (
    CalibrationState,
    calibration_state,
    model_digest,
    parameters_digest,
)

FORMAT = "motorpool credibility report, version 1"
NOTHING_LOADED = object()


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What a report is made from; anything may be absent, and then the report says so."""

    state: CalibrationState
    posterior: Posterior | None
    validation: ValidationResult | None
    sensitivity: SensitivityTable | None
    engine: EngineError | None = None
    figures: tuple[Covered, ...] | None = None


def shipped_evidence(engine: EngineError | None = None) -> Evidence:
    """What ships with the package, and the engine's error if it was measured.

    Raises:
        EvidenceError: a stored file is damaged.
    """
    return Evidence(
        state=calibration_state(),
        posterior=load_posterior(),
        validation=load_validation_result(),
        sensitivity=load_sensitivity_table(),
        engine=engine,
    )


def credibility_content(evidence: Evidence) -> dict[str, Any]:
    """Every section as plain data, ready for JSON."""
    statements, rules, acceptance = load_statements(), load_rules(), load_acceptance()
    table = load_parameter_table()
    results = criteria(acceptance, evidence.validation)
    cells = applicability_map(evidence.validation, acceptance.inside_90.floor or 1.0, evidence.figures)
    origins = dict(Counter(record.origin for record in table.values()))
    measured = statuses(evidence.state, evidence.posterior, results, cells, evidence.engine, origins)
    return {
        "format": FORMAT,
        "version": __version__,
        "state": evidence.state,
        "question": statements.question,
        "contexts": context_rows(statements, evidence.state, evidence.posterior, results),
        "model": _model(table, origins),
        "assumptions": [one.model_dump() for one in statements.assumptions],
        "gaps": list(statements.gaps),
        "verification": _verification(statements, evidence.engine),
        "calibration": calibration_section(evidence.posterior, evidence.state),
        "validation": validation_section(evidence.validation),
        "adequacy": {
            "decided": acceptance.decided,
            "sha256": stored_digest("acceptance.yaml"),
            "criteria": [dataclasses.asdict(one) for one in results],
        },
        "uncertainty": _uncertainty(evidence, table),
        "sensitivity": sensitivity_section(evidence.sensitivity),
        "applicability": {
            "rule": {
                "green_endpoints": rules.map.green_endpoints,
                "green_inside": acceptance.inside_90.floor,
                "red_inside": rules.map.red_inside,
                "least_share_of_people": rules.map.least_share_of_people,
                "decided": rules.decided,
            },
            "counts": cells.counts(),
            "cells": [cell.data() for cell in cells.cells],
            "not_placed": list(cells.not_placed),
        },
        "standards": _standards(statements, measured),
        "limits": list(statements.limits),
        "reproduce": _reproduce(evidence),
    }


def _model(table: ParameterTable, origins: dict[str, int]) -> dict[str, Any]:
    unchecked = sum(not record.checked for record in table.values())
    return {"parameters": len(table), "origins": origins, "recalled_and_not_checked": unchecked}


def _verification(statements: Statements, engine: EngineError | None) -> dict[str, Any]:
    rule = load_rules().engine
    return {
        "claims": [one.model_dump() for one in statements.verification],
        "engine_error": None if engine is None else engine.data(),
        "engine_rule": rule.model_dump(),
    }


def _uncertainty(evidence: Evidence, table: ParameterTable) -> dict[str, Any]:
    """How each layer of doubt is carried, with the numbers behind it."""
    names = () if evidence.posterior is None else evidence.posterior.names
    moved = {name if name in table else name.rpartition(".")[0] for name in names}
    return {
        "calibrated_parameters": len(moved),
        "drawn_from_priors": sum(
            record.prior.distribution != "fixed" and record.id not in moved for record in table.values()
        ),
        "fixed_parameters": sum(
            record.prior.distribution == "fixed" and record.id not in moved for record in table.values()
        ),
        "posterior_draws": 0 if evidence.posterior is None else len(evidence.posterior),
        "families_with_discrepancy": 0
        if evidence.posterior is None
        else len(evidence.posterior.discrepancies),
    }


def _standards(statements: Statements, measured: Any) -> dict[str, Any]:
    return {
        "v_and_v_40": [
            {**one.model_dump(), "status": resolved(one.status, measured)} for one in statements.v_and_v_40
        ],
        "fda_2023": [
            {**one.model_dump(), "status": resolved(one.status, measured)} for one in statements.fda_2023
        ],
    }


def _reproduce(evidence: Evidence) -> dict[str, Any]:
    posterior = evidence.posterior
    return {
        "motorpool": __version__,
        "model_sha256": model_digest(),
        "parameters_sha256": parameters_digest(),
        "posterior_sha256": None if posterior is None else posterior.facts.draws_sha256,
        "calibrated_model_sha256": None if posterior is None else posterior.facts.model_sha256,
        "validation_sha256": stored_digest(VALIDATION_FILE),
        "sensitivity_sha256": stored_digest(SENSITIVITY_FILE),
        "study_sets_decided": load_study_sets().decided,
        "commands": [
            "motorpool calibrate",
            "motorpool validate --json",
            "motorpool credibility",
            "./motorpool test",
        ],
    }
