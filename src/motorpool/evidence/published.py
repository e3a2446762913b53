"""Published results of studies, in one strict form, to draw over curves and to compare with summaries.

One file per study in ``data/published``. Proportions are fractions; times are months since enrolment
(``time_months``) or months of age (``age_months``); differences and ratios name the arm they are against.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from motorpool.evidence.adverse_events import Therapy
from motorpool.evidence.outcome_catalogue import (
    load_event_catalogue,
    load_milestone_catalogue,
    load_outcome_catalogue,
)
from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    Interval,
    RiskOfBias,
    build_record,
    check_interval,
    list_evidence_files,
    read_evidence_yaml,
    unknown_name,
)
from motorpool.evidence.sources import check_sources

Metric = Literal[
    "mean",
    "mean_change",
    "sd",
    "sd_change",
    "median",
    "median_change",
    "proportion",
    "survival_proportion",
    "median_time_months",
    "median_age_months",
    "hazard_ratio",
    "difference",
    "change_per_year",
    "percent_change",
]
IntervalKind = Literal[
    "published_95", "exact_binomial", "approximate_binomial", "from_sd", "derived", "judgement"
]
_FRACTIONS = ("proportion", "survival_proportion")
_RELATIVE = ("hazard_ratio", "difference")
_TIMELESS = ("median_time_months", "median_age_months", "hazard_ratio", "change_per_year")
COHORT_OUTCOMES = ("sma_type_1", "sma_type_2", "sma_type_3", "onset_age_months")
"""What is read from the enrolled people themselves: the type of the untreated twin (3 = walks) and the age at onset."""


class PublishedEndpoint(EvidenceRecord):
    """One published figure of one arm.

    ``value`` and ``interval`` are in the unit of the outcome, as a fraction for proportions, in months for
    median times and ages, per year for slopes, in percent for percent changes. ``interval`` is a 95 %
    interval of the estimate: as published, exact binomial from ``k`` of ``n``, Wilson's from a published
    fraction and ``n``, ``value`` +- 1.96 ``sd`` / sqrt(``n``), derived otherwise (from p, of a median) or widened by
    judgement, both as ``notes`` say.

    How it was measured: ``ever`` counts a milestone reached at any time up to the visit (else it must be held then),
    ``newly`` only one that was not there at enrolment;
    ``counted`` says whether the dead are in the denominator (as failures) or left out, by default in for proportions
    and out for means; ``arm_run`` names the simulated arm it is read from where that is not its own arm;
    ``not_scored`` gives the reason why it is drawn and cited but no target of prediction.
    """

    id: str
    arm: str
    outcome: str
    metric: Metric
    value: float
    time_months: float | None = Field(default=None, ge=0)
    age_months: float | None = Field(default=None, ge=0)
    age_band_months: Interval | None = None
    interval: Interval | None = None
    interval_kind: IntervalKind | None = None
    n: int | None = Field(default=None, gt=0)
    k: int | None = Field(default=None, ge=0)
    sd: float | None = Field(default=None, gt=0)
    comparator_arm: str | None = None
    change_at_least: float | None = None
    value_at_least: float | None = None
    subgroup: str | None = None
    definition: str
    ever: bool = False
    newly: bool = False
    counted: Literal["survivors", "everyone"] | None = None
    arm_run: str | None = None
    not_scored: str | None = None
    checked: bool
    evidence_id: str
    sources: tuple[str, ...] = ()
    notes: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> PublishedEndpoint:
        check_interval(self.value, self.interval)
        if (self.interval is None) != (self.interval_kind is None):
            raise ValueError("interval and interval_kind belong together")
        if self.metric in _FRACTIONS and not 0 <= self.value <= 1:
            raise ValueError(f"a {self.metric} must lie between 0 and 1, got {self.value}")
        if (self.metric in _RELATIVE) != (self.comparator_arm is not None):
            raise ValueError(f"metric {self.metric} and comparator_arm {self.comparator_arm!r} do not fit")
        if self.time_months is not None and self.age_months is not None:
            raise ValueError("give one of time_months and age_months")
        clocks = (self.time_months, self.age_months, self.age_band_months)
        if clocks == (None, None, None) and self.metric not in _TIMELESS:
            raise ValueError("give time_months, age_months or age_band_months")
        if self.k is not None and (self.n is None or self.k > self.n):
            raise ValueError(f"{self.k} of {self.n} is not a count")
        if self.interval_kind == "exact_binomial" and (self.k is None or self.metric not in _FRACTIONS):
            raise ValueError("an exact binomial interval needs k, n and a proportion")
        if self.interval_kind == "approximate_binomial" and (self.n is None or self.metric not in _FRACTIONS):
            raise ValueError("an approximate binomial interval needs n and a proportion")
        if self.newly and (self.outcome not in load_milestone_catalogue() or self.metric != "proportion"):
            raise ValueError("newly belongs to the proportion with a milestone")
        if self.interval_kind == "from_sd" and (self.sd is None or self.n is None):
            raise ValueError("an interval from the SD needs sd and n")
        return self

    @property
    def standard_error(self) -> float | None:
        """Standard error implied by the SD and n; ``None`` where there is no SD."""
        return None if self.sd is None or self.n is None else self.sd / math.sqrt(self.n)


class PublishedStudy(EvidenceRecord):
    """One study: who was in it, its arms, and its endpoints.

    Whether its endpoints may be fitted to is decided in one place (:mod:`motorpool.evidence.study_sets`).
    ``patient_groups`` names the groups of real patients in it: an extension or a pooled report names those of its
    parents. ``run`` says how the study is simulated (:mod:`motorpool.studies.study` reads it); a study without says
    why in ``not_run``. ``arm_therapies`` gives the therapies of each arm (empty: no SMN therapy; ``None``: not an
    arm that a plan can match, such as healthy children or survivors who begin late);
    ``enrolment_age_months`` is the typical age at enrolment where endpoints are given by age.
    """

    study: str
    title: str
    source: str
    further_sources: tuple[str, ...] = ()
    risk_of_bias: RiskOfBias | None = None
    patient_groups: tuple[str, ...] = ()
    population: str
    enrolment_age_months: float | None = Field(default=None, ge=0)
    arms: dict[str, str] = Field(min_length=1)
    arm_therapies: dict[str, tuple[Therapy, ...] | None]
    run: Mapping[str, Any] | None = None
    not_run: str | None = None
    endpoints: tuple[PublishedEndpoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _arms_and_ids(self) -> PublishedStudy:
        if set(self.arm_therapies) != set(self.arms):
            named, arms = sorted(self.arm_therapies), sorted(self.arms)
            raise ValueError(f"arm_therapies names {named}, the arms are {arms}")
        seen: set[str] = set()
        for endpoint in self.endpoints:
            if endpoint.id in seen:
                raise ValueError(f"endpoint {endpoint.id!r} appears twice")
            seen.add(endpoint.id)
            for arm in (endpoint.arm, endpoint.comparator_arm):
                if arm is not None and arm not in self.arms:
                    raise ValueError(f"endpoint {endpoint.id!r}: {unknown_name('arm', arm, self.arms)}")
        return self

    def months_since_enrolment(self, endpoint: PublishedEndpoint) -> float | None:
        """Return the time of an endpoint on the clock of the study, or ``None`` where it has no such time.

        An endpoint at a given age is moved by the typical age at enrolment where the study states one.
        """
        if endpoint.time_months is not None:
            return endpoint.time_months
        if endpoint.age_months is None or self.enrolment_age_months is None:
            return None
        return max(0.0, endpoint.age_months - self.enrolment_age_months)

    def source_ids(self) -> tuple[str, ...]:
        """Return every source id of the study and its endpoints, each once."""
        ids = [self.source, *self.further_sources]
        ids += [source for endpoint in self.endpoints for source in endpoint.sources]
        return tuple(dict.fromkeys(ids))


def list_published() -> list[str]:
    """Return the names of all published studies, sorted."""
    return list_evidence_files("published")


@functools.cache
def load_published(study: str) -> PublishedStudy:
    """Load one study, for example ``load_published("ENDEAR")``.

    Raises:
        EvidenceError: unknown study (with the nearest known one) or a bad record (naming file and endpoint).
    """
    if study not in list_published():
        raise unknown_name("published study", study, list_published())
    name = f"published/{study}.yaml"
    record = build_record(PublishedStudy, read_evidence_yaml("published", f"{study}.yaml"), name)
    if record.study != study:
        raise EvidenceError(f"{name}: the file calls itself {record.study!r}")
    check_sources(record.source_ids(), name)
    check_outcomes(record, name)
    return record


def check_outcomes(study: PublishedStudy, where: str) -> None:
    """Raise :class:`EvidenceError`, led by ``where``, unless every endpoint measures something the model has."""
    known = [
        *load_outcome_catalogue(),
        *load_milestone_catalogue(),
        *load_event_catalogue(),
        *COHORT_OUTCOMES,
    ]
    for endpoint in study.endpoints:
        if endpoint.outcome not in known:
            raise EvidenceError(f"{where}: {endpoint.id}: {unknown_name('outcome', endpoint.outcome, known)}")


def published_points(study: str, outcome: str) -> list[PublishedEndpoint]:
    """Return a study's endpoints for one outcome, milestone or event, without subgroups, by time."""
    points = [e for e in load_published(study).endpoints if e.outcome == outcome and e.subgroup is None]
    return sorted(
        points,
        key=lambda point: point.time_months if point.time_months is not None else point.age_months or 0.0,
    )
