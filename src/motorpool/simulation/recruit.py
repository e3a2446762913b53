"""Recruitment: virtual people are born, the untreated twin shows type and onset, and those who fit are enrolled.

SMA type is never an input. Candidates are simulated in batches until enough meet every criterion; the report says how
many were tried and why the others did not enter.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR, Array
from motorpool.cohorts.onset import onset_hours, sma_type
from motorpool.cohorts.reweighting import (
    ReweightingError,
    effective_sample_size,
    matching_weights,
    systematic_choice,
)
from motorpool.cohorts.traits import Candidates as Born
from motorpool.cohorts.traits import draw_candidates
from motorpool.engine.blocks import (
    BLOCK_PATIENTS,
    Setting,
    Span,
    begin_life,
    join_tree,
    map_blocks,
    pad_people,
    simulate_span,
    split_plan,
    split_tree,
)
from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid
from motorpool.engine.integrate import State, no_protocol
from motorpool.evidence.facts import load_facts
from motorpool.evidence.outcome_catalogue import load_event_catalogue, load_milestone_catalogue
from motorpool.outcomes.events import event_draw
from motorpool.outcomes.milestones import MilestoneParameters, milestone_history
from motorpool.outcomes.observation import ObservationParameters, observe
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX, OUTCOMES
from motorpool.outcomes.randomness import person_key, stream_seed
from motorpool.simulation.cohort_section import MAXIMUM_SMN2_COPIES
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.model import Draw
from motorpool.simulation.scenario import Scenario

CARE = {"palliative": 0.0, "standard": 1.0, "proactive": 2.0}
# Search limits, not findings: how many candidates are tried before a cohort counts as empty.
MOST_TRIED_PER_PATIENT = 400
LEAST_MOST_TRIED = 20_000
POOL_PER_PATIENT = 4
MOST_POOL_PER_PATIENT = 32
ENOUGH_EFFECTIVE_PEOPLE = 200
LEAST_EFFECTIVE_SHARE = 0.1
LEAST_EFFECTIVE_PEOPLE = 20

Whole = NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Candidates:
    """A batch of people with what recruitment knows of them; every array ends with the patients' axis.

    ``state`` is the body at enrolment; ``run_in_age_hours`` (K, P) and ``run_in_margins`` (K, M, P) life before it;
    ``able`` (M, P) the milestones held then.
    """

    person: Person
    infection_seed: Any
    onset_hours: Any
    diagnosis_hours: Any
    enrolment_hours: Any
    sma_type: Any
    smn2_copies: Any
    baseline: Any
    state: State
    run_in_age_hours: Any
    run_in_margins: Any
    able: Any


jax.tree_util.register_dataclass(Candidates)


@dataclasses.dataclass(frozen=True)
class Recruited:
    """The enrolled people and how they were found."""

    people: Candidates
    tried: int
    refused: dict[str, int]
    effective_sample_size: float
    patient_numbers: NDArray[np.int64]

    @property
    def anchors(self) -> Anchors:
        """When enrolment, diagnosis and onset come."""
        return _anchors(self.people.person, self.people)


def _anchors(person: Person, people: Any) -> Anchors:
    return Anchors(
        enrolment=np.asarray(people.enrolment_hours, np.int32),
        diagnosis=np.asarray(people.diagnosis_hours, np.int32),
        onset=np.asarray(people.onset_hours, np.int32),
        excluded_from_gene_transfer=np.asarray(person.aav9_antibodies) > 0.5,
    )


def recruit(scenario: Scenario, draw: Draw, tell: Callable[[float], None]) -> Recruited:
    """Enrol the scenario's cohort under one draw of the parameters.

    Args:
        tell: called with the share of the cohort found so far.

    Raises:
        ScenarioError: nobody, or too few, meet the criteria; the message says how many were tried and what refused
            them.
    """
    wanted = scenario.cohort.patients
    targets = {
        name: (criterion.mean, criterion.sd)
        for name, criterion in scenario.cohort.baseline.items()
        if criterion.mean is not None and criterion.sd is not None
    }
    pool = _Pool(scenario, draw, tell)
    if not targets:
        pool.fill(wanted, wanted)
        people = _take(pool.joined(), np.arange(wanted))
        numbers = np.asarray(people.person.identity, np.int64)
        return Recruited(people, int(numbers[-1]) + 1, dict(pool.refused), float(wanted), numbers)
    # A pool unlike the published population carries few people's weight: enlarge it before giving up.
    size = wanted * POOL_PER_PATIENT
    while True:
        pool.fill(size, wanted)
        weights, reason = _weights(pool.joined(), targets)
        enough = weights is not None and effective_sample_size(weights) >= min(
            wanted, ENOUGH_EFFECTIVE_PEOPLE
        )
        if enough or pool.tried >= pool.most or size >= wanted * MOST_POOL_PER_PATIENT:
            break
        size *= 2
    return _reweighted(scenario, pool, weights, reason, targets)


class _Pool:
    """People who meet every criterion, found by trying more and more candidates."""

    def __init__(self, scenario: Scenario, draw: Draw, tell: Callable[[float], None]) -> None:
        self.scenario, self.draw, self.tell = scenario, draw, tell
        self.accepted: list[Candidates] = []
        self.refused: Counter[str] = Counter()
        self.found = self.tried = 0
        self.most = max(LEAST_MOST_TRIED, MOST_TRIED_PER_PATIENT * scenario.cohort.patients)

    def fill(self, size: int, needed: int) -> None:
        """Try candidates until ``size`` people are in the pool; raise ScenarioError when not even ``needed`` are."""
        while self.found < size and self.tried < self.most:
            share = (self.found + 1) / (self.tried + 1) if self.tried else 1.0
            blocks = int(np.clip(np.ceil((size - self.found) / share / BLOCK_PATIENTS), 1, 16))
            identity = np.arange(self.tried, self.tried + blocks * BLOCK_PATIENTS, dtype=np.int32)
            batch, reasons = _screen(self.scenario, self.draw, identity)
            self.refused.update(reasons)
            if batch is not None:
                self.accepted.append(batch)
                self.found += int(np.asarray(batch.enrolment_hours).shape[-1])
            self.tried += identity.size
            self.tell(min(1.0, self.found / size))
            if self.found == 0 and self.tried >= LEAST_MOST_TRIED:
                break
        if self.found < needed:
            _refuse_cohort(self.found, needed, self.tried, self.refused)

    def joined(self) -> Candidates:
        """Everybody found so far."""
        return _joined(self.accepted)


def _refuse_cohort(found: int, wanted: int, tried: int, refused: Counter[str]) -> None:
    why = ", ".join(f"{name} ({count})" for name, count in refused.most_common(4)) or "no criterion"
    who = "nobody" if found == 0 else f"only {found} of the {wanted} people needed"
    message = (
        f"{who} of {tried} candidates met the criteria; most were refused by {why}. Widen these criteria."
    )
    raise ScenarioError.single("cohort", message)


def _joined(batches: list[Candidates]) -> Candidates:
    longest = max(np.asarray(batch.run_in_age_hours).shape[0] for batch in batches)

    def padded(batch: Candidates) -> Candidates:
        missing = longest - np.asarray(batch.run_in_age_hours).shape[0]
        repeat = lambda rows: np.concatenate([np.repeat(rows[:1], missing, axis=0), rows])  # noqa: E731
        return dataclasses.replace(
            batch,
            run_in_age_hours=repeat(np.asarray(batch.run_in_age_hours)),
            run_in_margins=repeat(np.asarray(batch.run_in_margins)),
        )

    return jax.tree.map(
        lambda *leaves: np.concatenate(leaves, axis=-1), *[padded(batch) for batch in batches]
    )


def _take(people: Any, index: NDArray[Any]) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., index], people)


def _screen(scenario: Scenario, draw: Draw, identity: Whole) -> tuple[Candidates | None, Counter[str]]:
    """Simulate candidates and keep those who meet every criterion."""
    cohort = scenario.cohort
    reasons: Counter[str] = Counter()
    born = _born(scenario, draw, identity)
    person, infections, smn2 = born.person, born.infection_seed, np.asarray(born.smn2_copies)
    onset, kind = _untreated_twin(scenario, draw, person, infections)
    diagnosis = _diagnosis_hours(scenario, onset, np.asarray(born.diagnosis_luck, np.float64))
    enrolment = _enrolment_hours(scenario, onset, diagnosis, np.asarray(born.enrolment_luck, np.float64))

    keep = np.ones(identity.shape, bool)

    def require(name: str, condition: NDArray[np.bool_]) -> None:
        reasons[name] += int((keep & ~condition).sum())
        np.logical_and(keep, condition, out=keep)

    require("enrolment (no onset or diagnosis)", enrolment < NEVER_HOURS)
    if cohort.sma_type is not None:
        require("sma_type", np.isin(kind, cohort.sma_type))
    months = onset / HOURS_PER_MONTH
    if cohort.onset_age_months is not None:
        require("onset_age_months", _within(months, cohort.onset_age_months, onset < NEVER_HOURS))
    if cohort.disease_duration_months is not None:
        duration = (enrolment - onset) / HOURS_PER_MONTH
        known = onset < NEVER_HOURS
        require("disease_duration_months", _within(duration, cohort.disease_duration_months, known))
    kept = np.flatnonzero(keep)
    if kept.size == 0:
        return None, reasons
    facts = (infections, onset, diagnosis, enrolment, kind, smn2)
    chosen = [_take(fact, kept) for fact in facts]
    people = _to_enrolment(scenario, draw, _take(person, kept), *chosen)
    entered = _entry_criteria(scenario, people, reasons)
    return (_take(people, entered) if entered.size else None), reasons


def _born(scenario: Scenario, draw: Draw, identity: Whole) -> Born:
    """Candidates as they are born, block by block."""
    cohort = scenario.cohort
    shares = np.zeros(MAXIMUM_SMN2_COPIES)
    for copies, share in cohort.smn2_shares.items():
        shares[copies - 1] = share
    blocks = [
        draw_candidates(
            jnp.uint32(scenario.seed),
            jnp.asarray(part),
            jnp.float32(cohort.smn1_copies),
            jnp.asarray(shares, jnp.float32),
            jnp.float32({"any": -1.0, "female": 1.0, "male": 0.0}[cohort.sex]),
            draw.people,
            draw.model.biology.smn,
            between_people=scenario.uncertainty.between_people,
            chance=scenario.uncertainty.chance,
        )
        for part in identity.reshape(-1, BLOCK_PATIENTS)
    ]
    return join_tree(blocks, identity.size)


def _within(value: NDArray[Any], span: Any, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    low = -np.inf if span.min is None else span.min
    high = np.inf if span.max is None else span.max
    return known & (value >= low) & (value <= high)


def _untreated_twin(scenario: Scenario, draw: Draw, person: Person, infections: Any) -> tuple[Whole, Whole]:
    """Onset (hours, ``NEVER_HOURS`` if none in the record) and type of each untreated twin."""
    protocols = load_facts("protocols")
    years = protocols.fact("sma_type_observation_years").number
    adult_onset = protocols.fact("sma_type_4_onset_years").number
    enrolment = scenario.cohort.enrolment
    if enrolment.kind == "age":
        years = max(years, enrolment.spread.upper * HOURS_PER_MONTH / HOURS_PER_YEAR)
    if years > adult_onset or 4 in (scenario.cohort.sma_type or ()):
        years = max(years, protocols.fact("sma_type_4_observation_years").number)
    patients = person.identity.shape[0]
    nobody = np.full(patients, NEVER_HOURS, np.int32)
    anchors = Anchors(nobody, nobody, nobody, np.zeros(patients, bool))
    plan = compile_plan((), anchors)
    base = life_boundaries(round(years * HOURS_PER_YEAR))
    first, last = np.full(patients, FIRST_HOUR, np.int32), np.full(patients, base[-1], np.int32)
    nothing = planned_jumps((), anchors, last)
    grid = personal_grid(np.repeat(base[:, None], patients, axis=1), nothing, first, last, reserve=False)
    setting = Setting(jnp.float32(CARE[scenario.care]), no_protocol(jnp.float32), draw.model)
    people, seeds, plans = (
        split_tree(person, patients),
        split_tree(infections, patients),
        split_plan(plan, patients),
    )
    latest = load_milestone_catalogue()["walk"].who_p99_months
    latest_years = float(latest or 0.0) * HOURS_PER_MONTH / HOURS_PER_YEAR
    chance = scenario.uncertainty.chance

    def twin(block: int) -> tuple[Array, Array]:
        # All candidates share the base grid, so every block has the same boundaries.
        span = Span(grid[:, :BLOCK_PATIENTS], people[block], seeds[block], plans[block])
        _, path = simulate_span(begin_life(span, setting), span, setting, chance=chance)
        return _onset_and_type(
            path.age_hours, path.outcomes, path.margins, latest_years, adult_onset, people[block], draw
        )

    joined = join_tree(map_blocks(twin, len(people)), patients)
    onset = np.where(np.isfinite(joined[0]), joined[0], NEVER_HOURS).astype(np.int32)
    return onset, np.asarray(joined[1], np.int32)


def _onset_and_type(
    ages: Array,
    outcomes: Array,
    margins: Array,
    latest_years: float,
    adult_onset: float,
    person: Person,
    draw: Draw,
) -> tuple[Array, Array]:
    return _onset_and_type_compiled(
        ages, outcomes, margins, latest_years, adult_onset, person, draw.people, draw.model.outcomes
    )


@jax.jit
def _onset_and_type_compiled(
    ages: Array,
    outcomes: Array,
    margins: Array,
    latest_years: Array,
    adult_onset: Array,
    person: Person,
    people: Any,
    parameters: Any,
) -> tuple[Array, Array]:
    history = milestone_history(margins, ages, parameters.milestones)
    onset = onset_hours(
        ages,
        outcomes,
        history,
        latest_years,
        person,
        people,
        parameters.chop_intend,
        parameters.hfmse.maximum,
    )
    return onset, sma_type(history, onset, ages[-1], adult_onset, person)


def _diagnosis_hours(scenario: Scenario, onset: Whole, luck: NDArray[np.float64]) -> Whole:
    diagnosis = scenario.cohort.diagnosis
    if diagnosis is None:
        return onset
    if diagnosis.age_days is not None:
        return np.round(diagnosis.age_days.quantile(luck) * HOURS_PER_DAY).astype(np.int32)
    delay = np.zeros(onset.shape) if diagnosis.delay_months is None else diagnosis.delay_months.quantile(luck)
    found = onset + np.round(delay * HOURS_PER_MONTH)
    return np.where(onset < NEVER_HOURS, np.minimum(found, NEVER_HOURS), NEVER_HOURS).astype(np.int32)


def _enrolment_hours(scenario: Scenario, onset: Whole, diagnosis: Whole, luck: NDArray[np.float64]) -> Whole:
    enrolment = scenario.cohort.enrolment
    since = np.round(enrolment.spread.quantile(luck) * enrolment.hours_per_unit)
    anchor = {"age": np.zeros_like(onset), "diagnosis": diagnosis, "onset": onset}[enrolment.kind]
    return np.where(anchor < NEVER_HOURS, anchor + since, NEVER_HOURS).astype(np.int32)


def _to_enrolment(
    scenario: Scenario,
    draw: Draw,
    person: Person,
    infections: Any,
    onset: Whole,
    diagnosis: Whole,
    enrolment: Whole,
    kind: Whole,
    smn2: NDArray[Any],
) -> Candidates:
    """Carry people to their own enrolment, under the background courses."""
    patients = enrolment.shape[0]
    background = scenario.cohort.background
    anchors = Anchors(enrolment, diagnosis, onset, np.asarray(person.aav9_antibodies) > 0.5)
    plan = compile_plan(background, anchors)
    base = life_boundaries(int(enrolment.max()))
    first = np.full(patients, FIRST_HOUR, np.int32)
    jumps = planned_jumps(background, anchors, enrolment)
    everyones = np.repeat(base[:, None], patients, axis=1)
    grid = personal_grid(everyones, jumps, first, enrolment, reserve=bool(background))
    setting = Setting(jnp.float32(CARE[scenario.care]), cell_protocol(background), draw.model)
    people, seeds, plans = (
        split_tree(person, patients),
        split_tree(infections, patients),
        split_plan(plan, patients),
    )
    grids = split_tree(grid, patients)
    chance = scenario.uncertainty.chance

    measured_seeds = split_tree(
        patient_seed(scenario.seed, np.asarray(person.identity), "observation"), patients
    )

    def live(block: int) -> tuple[State, Array, Array, Array, Array]:
        span = Span(np.asarray(grids[block]), people[block], seeds[block], plans[block])
        state, path = simulate_span(begin_life(span, setting), span, setting, chance=chance)
        baseline = _baseline_visit(path.outcomes[-1], measured_seeds[block], draw.observation, noise=chance)
        able = _held_now(path.margins, path.age_hours, draw.model.outcomes.milestones)
        return state, baseline, path.age_hours, path.margins, able

    state, baseline, ages, margins, able = join_tree(map_blocks(live, len(people)), patients)
    return Candidates(
        person=jax.tree.map(np.asarray, person),
        infection_seed=np.asarray(infections),
        onset_hours=onset,
        diagnosis_hours=diagnosis,
        enrolment_hours=enrolment,
        sma_type=kind,
        smn2_copies=smn2,
        baseline=baseline,
        state=state,
        run_in_age_hours=ages,
        run_in_margins=margins,
        able=able,
    )


def patient_seed(seed: int, numbers: NDArray[Any], purpose: str) -> NDArray[np.uint32]:
    """Seed of each patient's luck for one purpose, uint32 (P,)."""
    padded = pad_people(np.asarray(numbers), numbers.size)
    found = [_patient_seed(jnp.uint32(seed), jnp.asarray(part), purpose=purpose) for part in padded]
    return np.concatenate([np.asarray(part) for part in found])[: numbers.size]


@functools.partial(jax.jit, static_argnames="purpose")
def _patient_seed(seed: Array, numbers: Array, *, purpose: str) -> Array:
    return stream_seed(person_key(jax.random.key(seed), numbers), purpose)


@functools.partial(jax.jit, static_argnames="noise")
def _baseline_visit(true: Array, seed: Array, observation: ObservationParameters, *, noise: bool) -> Array:
    """Scores as the baseline visit records them, (outcome, P): trials select on what they measure."""
    return observe(true[None], jnp.zeros(1, jnp.int32), seed, observation, noise=noise)[0]


@jax.jit
def _held_now(margins: Array, age_hours: Array, parameters: MilestoneParameters) -> Array:
    """Milestones held at the last boundary, (M, P), judged with their hold times."""
    return milestone_history(margins, age_hours, parameters).status[-1]


def _entry_criteria(scenario: Scenario, people: Candidates, reasons: Counter[str]) -> NDArray[Any]:
    """Indices of those who meet what is judged at enrolment."""
    cohort = scenario.cohort
    keep = np.ones(people.enrolment_hours.shape, bool)

    def require(name: str, condition: NDArray[np.bool_]) -> None:
        reasons[name] += int((keep & ~condition).sum())
        np.logical_and(keep, condition, out=keep)

    if cohort.alive:
        hazard = np.asarray(people.state.cumulative_hazard[0])
        require("alive", hazard < np.asarray(people.person.death_draw))
    if cohort.unventilated:
        hours = people.baseline[OUTCOME_INDEX["ventilation_hours_per_day"]]
        permanent = load_event_catalogue()["permanent_ventilation_16h_14d"].support_hours_per_day
        require("unventilated", hours < float(permanent or np.inf))
    for milestone in cohort.able_to:
        require(f"able_to {milestone}", np.asarray(people.able[MILESTONE_INDEX[milestone]], bool))
    for milestone in cohort.not_able_to:
        require(f"not_able_to {milestone}", ~np.asarray(people.able[MILESTONE_INDEX[milestone]], bool))
    for name, criterion in cohort.baseline.items():
        value = people.baseline[OUTCOMES.index(name)]
        low = -np.inf if criterion.min is None else criterion.min
        high = np.inf if criterion.max is None else criterion.max
        require(f"baseline.{name}", (value >= low) & (value <= high))
    return np.flatnonzero(keep)


def _baselines(pool: Candidates, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(pool.baseline[OUTCOME_INDEX[name]], np.float64) for name in names}


def _weights(
    pool: Candidates, targets: dict[str, tuple[float, float]]
) -> tuple[NDArray[np.float64] | None, str]:
    """Weights that match the baselines, or None with the reason."""
    try:
        return matching_weights(_baselines(pool, targets), targets), ""
    except ReweightingError as error:
        return None, str(error)


def _reweighted(
    scenario: Scenario,
    pool: _Pool,
    weights: NDArray[np.float64] | None,
    reason: str,
    targets: dict[str, tuple[float, float]],
) -> Recruited:
    """Choose the cohort from the pool by its weights; repeated people get luck of their own."""
    everyone, wanted = pool.joined(), scenario.cohort.patients
    if weights is None:
        values = _baselines(everyone, targets)
        means = ", ".join(
            f"{name} {values[name].mean():.1f} (SD {values[name].std():.1f})" for name in targets
        )
        message = f"cannot be matched: {reason}. The {pool.found} people who qualify have {means}"
        raise ScenarioError.single("cohort.baseline", message)
    effective = effective_sample_size(weights)
    least = max(LEAST_EFFECTIVE_PEOPLE, LEAST_EFFECTIVE_SHARE * wanted)
    if effective < min(least, wanted):
        message = (
            f"would rest on an effective sample of {effective:.0f} people; at least {least:.0f} are needed"
        )
        raise ScenarioError.single("cohort.baseline", message)
    index = systematic_choice(weights, wanted)
    chosen: Candidates = _take(everyone, index)
    repeats = np.arange(wanted) - np.searchsorted(index, index)  # index is rising
    numbers = np.asarray(chosen.person.identity, np.int64) + repeats * (1 << 24)
    people = _own_luck(chosen, repeats, numbers, scenario)
    return Recruited(people, pool.tried, dict(pool.refused), effective, numbers)


def _own_luck(
    people: Candidates, repeats: NDArray[Any], numbers: NDArray[Any], scenario: Scenario
) -> Candidates:
    """Give the second and later copies of a person other infections and event draws after enrolment."""
    keys = person_key(jax.random.key(scenario.seed), jnp.asarray(numbers))
    chance = scenario.uncertainty.chance
    events = stream_seed(keys, "events")
    again = repeats > 0
    hazard = people.state.cumulative_hazard

    def later(name: str, row: int, old: Any) -> Any:
        fresh = np.asarray(event_draw(events, name, chance=chance, dtype=old.dtype))
        return np.where(again, hazard[row] + fresh, old)

    fields = {name: getattr(people.person, name) for name in Person.__dataclass_fields__}
    fields["death_draw"] = later("death", 0, people.person.death_draw)
    tube = later("tube_feeding", 1, people.person.tube_feeding_draw)
    fields["tube_feeding_draw"] = np.where(
        people.state.tube_placed > 0.5, people.person.tube_feeding_draw, tube
    )
    fields["seed"] = np.where(again, np.asarray(stream_seed(keys, "therapy_calendar")), people.person.seed)
    infections = np.asarray(stream_seed(keys, "respiratory_infections"))
    return dataclasses.replace(
        people,
        person=Person(**fields),
        infection_seed=np.where(again, infections, people.infection_seed),
    )
