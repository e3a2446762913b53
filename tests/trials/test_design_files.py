"""Design files: those that ship load, and what cannot be is refused with path, value and what is allowed."""

import json

import jsonschema
import pytest
import yaml

from motorpool.simulation.errors import ScenarioError
from motorpool.trials.design import dump_design
from motorpool.trials.design_file import DESIGNS_FOLDER, design_schema_text, load_design, shipped_designs

CELLS = "cells_addon_sitters"


@pytest.mark.parametrize("name", shipped_designs())
def test_shipped_designs_load_and_come_back_from_their_text(name: str) -> None:
    design = load_design(name)
    assert design.name == name
    assert load_design(yaml.safe_load(dump_design(design))) == design


def test_shipped_designs_meet_the_published_schema() -> None:
    schema = json.loads(design_schema_text())
    for path in sorted(DESIGNS_FOLDER.glob("*.yaml")):
        jsonschema.validate(json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))), schema)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ("patients=3", "patients", "from 4 to 20000"),
        ("arms.cells.ratio=0", "arms.cells.ratio", "from 1 to 20"),
        ("control=shem", "control", "Did you mean sham?"),
        ("control=null", "control", "is missing"),
        ("endpoints.0.outcome=hfmze", "endpoints.0.outcome", "Did you mean hfmse?"),
        ("endpoints.0.at_month=18", "endpoints.0.at_month", "beyond the last visit"),
        ("endpoints.0.at_month=4", "endpoints.0.at_month", "is not a visit"),
        ("endpoints.0.at_month=0", "endpoints.0.at_month", "enrolment itself"),
        ("endpoints.0.analysis=logrank", "endpoints.0.analysis", "does not fit a change"),
        ("endpoints.1.change_at_least=null", "endpoints.1.change_at_least", "is missing"),
        ("endpoints.0.event=death", "endpoints.0.event", "has no meaning for a change"),
        ("endpoints.2.name=hfmse_change", "endpoints.2.name", "earlier endpoint"),
        ("visits.months=[0]", "visits", "no visit after enrolment"),
        ("visits.months=[6, 3]", "visits.months", "must rise"),
        ("visits.window_days=60", "visits.window_days", "change places"),
        ("estimand.intercurrent_events.rescue=composite", "estimand.intercurrent_events.rescue", "cannot happen"),
        ("estimand.intercurrent_events.death=hypothetical", "estimand.intercurrent_events.death", "composite"),
        ("conduct.discontinue_per_year=0.1", "conduct.discontinue_per_year", "acts on nobody"),
        ("conduct.missing.mechanism=mcar", "conduct.missing.log_odds_per_point", "must be 0 under mcar"),
        ("accrual.region=europa", "accrual.region", "Did you mean european_union?"),
        ("accrual.patients_per_month=4", "accrual", "either patients_per_month"),
        ("population.patients=40", "population.patients", "beside `population`"),
        ("population.sma_typ=[2]", "population.sma_typ", "Did you mean sma_type?"),
        ("population.enrolment.age_months=2000", "population.enrolment.age_months", "months"),
        ("arms.cells.therapies.0.dosis=3", "arms.cells.therapies.0.dosis", "Did you mean doses?"),
        ("interims={information: [0.7, 0.5]}", "interims.information", "must rise"),
        ("interims={information: [0.5], efficacy: none}", "interims.efficacy", "would do nothing"),
        ("external_control={patients: 40, method: robust_map}", "external_control.between_trials_sd", "needs it"),
        ("published={study: CHERISH, endpoint: hfmse_diff}", "published.endpoint", "Did you mean hfmse_difference?"),
        ("published={study: CHERISSH, endpoint: x}", "published.study", "Did you mean CHERISH?"),
        ("seeds=3", "seeds", "Did you mean seed?"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_stands(change: str, path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_design(CELLS, [change])
    assert path in [problem.path for problem in caught.value.problems]
    assert words in str(caught.value)


def test_more_visits_than_the_horizon_of_a_life_are_refused() -> None:
    with pytest.raises(ScenarioError, match="100 years"):
        load_design(
            CELLS, ["visits.months=[0, 12, 1199]", "endpoints=[{name: a, outcome: hfmse, measure: change}]"]
        )


def test_a_scenario_is_not_taken_for_a_design() -> None:
    with pytest.raises(ScenarioError, match="is a scenario file"):
        load_design({"motorpool": 1, "name": "x"})


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="Did you mean cherish"):
        load_design("cherissh")
