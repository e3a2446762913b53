"""The calibration endpoints as targets: their published value and error on the scale on which they are compared."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.study_sets import StudySet
from motorpool.studies.predict import arm_size_of
from motorpool.studies.scale import family_of, load_calibration_rules, published_estimate
from motorpool.studies.study import Study, executable_studies, load_study

Vector = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Target:
    """One endpoint of the set: what it says, how sure it is, and the people in an arm of a study of its size."""

    study: str
    endpoint: PublishedEndpoint
    value: float
    standard_error: float | None
    family: str
    discrepancy: float
    people: float

    @property
    def name(self) -> str:
        """``STUDY.endpoint``."""
        return f"{self.study}.{self.endpoint.id}"


def studies_of(chosen: StudySet) -> tuple[Study, ...]:
    """Studies with at least one endpoint in the set."""
    studies = [load_study(name) for name in executable_studies()]
    return tuple(study for study in studies if any(study.set_of(e) == chosen for e in study.endpoints))


def targets_of(study: Study, chosen: StudySet | None) -> tuple[Target, ...]:
    """The targets of one study in a set (all of them where ``chosen`` is ``None``)."""
    rules = load_calibration_rules()
    found: list[Target] = []
    for endpoint in study.endpoints:
        if chosen is not None and study.set_of(endpoint) != chosen:
            continue
        estimate, family = published_estimate(endpoint), family_of(endpoint)
        scale = rules.discrepancy[family].scale
        found.append(
            Target(
                study.name,
                endpoint,
                estimate.value,
                estimate.standard_error,
                family,
                scale,
                arm_size_of(study, endpoint),
            )
        )
    return tuple(found)
