"""The whole parameter set of the compiled program, filled from the parameter records."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from motorpool.biology.growth import ReferenceGrowth
from motorpool.biology.system import BiologyParameters
from motorpool.biology.vocabulary import Array, record
from motorpool.evidence.facts import load_facts
from motorpool.evidence.parameters import ParameterTable, Value
from motorpool.outcomes.panel import OutcomeParameters
from motorpool.therapies.formulary import TherapyParameters

MONTHS_PER_YEAR = 12


@record
class ModelParameters:
    """Biology, therapies, outcomes, and the reference growth of healthy children.

    ``log_weight_by_month`` (2, months): the same median weights of boys and girls (log kg) at whole months of age.
    """

    growth_reference: ReferenceGrowth
    log_weight_by_month: Array
    biology: BiologyParameters
    therapies: TherapyParameters
    outcomes: OutcomeParameters


def fill_group(kind: Any, table: ParameterTable, values: Mapping[str, Value]) -> Any:
    """Fill a group of parameter sets: each field's name is the module of its records."""
    hints = typing.get_type_hints(kind)
    return kind(**{f.name: table.fill(hints[f.name], f.name, values) for f in dataclasses.fields(kind)})


def reference_growth() -> ReferenceGrowth:
    """Median weights by age and sex from the growth facts (WHO to five years, CDC later)."""
    table = load_facts("growth").table("size_for_age")
    return ReferenceGrowth(
        age_years=jnp.asarray(table.column("age_years")),
        log_weight_girls=jnp.asarray(np.log(table.column("weight_median_kg_female"))),
        log_weight_boys=jnp.asarray(np.log(table.column("weight_median_kg_male"))),
    )


def log_weight_by_month(reference: ReferenceGrowth) -> np.ndarray:
    """Log median weights of boys and girls at every whole month of the reference, (2, months)."""
    months = np.arange(round(float(reference.age_years[-1]) * MONTHS_PER_YEAR) + 1)
    rows = (reference.log_weight_boys, reference.log_weight_girls)
    known = np.asarray(reference.age_years)
    return np.stack([np.interp(months / MONTHS_PER_YEAR, known, np.asarray(row)) for row in rows])


def model_parameters(
    table: ParameterTable, values: Mapping[str, Value], dtype: Any = jnp.float32
) -> ModelParameters:
    """The parameter set with these values (by id; missing ids take the record's central value), as arrays of ``dtype``.

    Raises:
        ParameterError: a number that the model needs has no record.
    """
    reference = reference_growth()
    by_month: Any = log_weight_by_month(reference)
    filled = ModelParameters(
        growth_reference=reference,
        log_weight_by_month=by_month,
        biology=fill_group(BiologyParameters, table, values),
        therapies=fill_group(TherapyParameters, table, values),
        outcomes=fill_group(OutcomeParameters, table, values),
    )
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.dtype(dtype)), filled)
