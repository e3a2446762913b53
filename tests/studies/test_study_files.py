"""Study files: the shipped ones can be simulated, a user's own is read, and a bad one is refused where it is wrong."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from motorpool.calibration.targets import studies_of, targets_of
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.evidence.published import PublishedStudy, list_published, load_published
from motorpool.evidence.records import EvidenceError
from motorpool.evidence.study_sets import load_study_sets
from motorpool.simulation.errors import ScenarioError
from motorpool.studies.study import (
    RunArm,
    RunSection,
    arms_of,
    executable_studies,
    load_study,
    read_study,
    run_arm_of,
)
from motorpool.studies.study_checks import SCALE_METRICS, known_outcomes, metrics_for
from tests.support.study_example import DOCS, example, example_text


def changed(path: str, value: object) -> dict[str, Any]:
    """The example with one entry set, or left out where the value is `...`."""
    data = copy.deepcopy(example())
    here: Any = data
    *steps, last = path.split(".")
    for step in steps:
        here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
    key: Any = int(last) if isinstance(here, list) else last
    if value is ...:
        del here[key]
    else:
        here[key] = value
    return data


def refusal(data: object, folder: Path) -> ScenarioError:
    """The error of reading these data as a study file."""
    file = folder / "mine.yaml"
    file.write_text(
        data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), encoding="utf-8"
    )
    with pytest.raises(ScenarioError) as caught:
        read_study(file)
    assert caught.value.source == str(file)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize("name", executable_studies())
def test_every_executable_study_has_a_simulated_arm_for_every_endpoint(name: str):
    study = load_study(name)
    simulated = {arm for population in study.populations for arm in population.arms}
    for endpoint in study.endpoints:
        assert set(arms_of(endpoint)) <= simulated
        assert endpoint.metric in metrics_for(endpoint.outcome)
        assert study.patients(endpoint, run_arm_of(endpoint)) > 0
    for population in study.populations:
        assert population.scenario.horizon_months > 0
        assert population.scenario.visit_months()[-1] <= population.scenario.horizon_months


@pytest.mark.parametrize("name", executable_studies())
def test_a_baseline_that_people_are_weighed_to_is_not_predicted(name: str):
    study = load_study(name)
    for population in study.populations:
        for endpoint in study.endpoints:
            at_baseline = endpoint.time_months == 0 and run_arm_of(endpoint) in population.arms
            assert not (at_baseline and endpoint.outcome in population.targets and endpoint.metric == "mean")


def test_a_study_without_instructions_says_why_it_cannot_be_simulated():
    assert set(list_published()) - set(executable_studies())
    for name in set(list_published()) - set(executable_studies()):
        with pytest.raises(EvidenceError, match=f"{name} cannot be simulated: .+"):
            load_study(name)


def test_calibration_holds_no_endpoint_of_another_set():
    sets = load_study_sets()
    targets = [
        (study.name, target)
        for study in studies_of("calibration")
        for target in targets_of(study, "calibration")
    ]
    assert len(targets) >= 60
    for name, target in targets:
        assert sets.of(name, target.endpoint.id) == "calibration"
    assert {name for name, _ in targets} >= {"SAPPHIRE", "SPACE", "ENDEAR"}
    assert not {name for name, _ in targets} & {"START", "TOPAZ", "SPR1NT", "SHINE"}


def test_the_example_of_the_page_is_read(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text(example_text(), encoding="utf-8")
    study = read_study(file)
    assert study.name == "OUR-CLINIC"
    assert {arm for population in study.populations for arm in population.arms} == {"risdiplam", "waiting"}
    assert study.published.arm_therapies == {"risdiplam": ("risdiplam",), "waiting": ()}
    assert all(study.set_of(endpoint) is None for endpoint in study.endpoints)
    weighed = next(population for population in study.populations if population.arms == ("risdiplam",))
    assert weighed.targets == {"hfmse": (17.5, 8.0)}
    assert weighed.scenario.observation.blinding == "open_label"
    assert weighed.scenario.horizon_months == 12
    assert all(endpoint.checked for endpoint in study.endpoints)


@pytest.mark.parametrize("name", ["CHERISH", "STR1VE-US", "SPACE"])
def test_a_shipped_file_is_one_of_ones_own_under_another_name(name: str, tmp_path: Path):
    from importlib import resources

    text = (resources.files("motorpool.evidence") / "data" / "published" / f"{name}.yaml").read_text("utf-8")
    assert "is the name of a study that comes with motorpool" in str(refusal(text, tmp_path))
    file = tmp_path / "mine.yaml"
    file.write_text(re.sub(r"^study: .*$", "study: MINE", text, flags=re.MULTILINE), encoding="utf-8")
    mine, theirs = read_study(file), load_study(name)
    assert mine.populations == theirs.populations
    assert mine.endpoints == theirs.endpoints


def test_a_course_may_begin_after_the_first_month():
    from motorpool.studies.study import study_from_published

    data = changed(
        "run.arms.risdiplam.therapies",
        [{"therapy": "risdiplam", "start": {"at": "enrolment", "delay_days": 60}}],
    )
    data["arm_therapies"] = {"risdiplam": ["risdiplam"], "waiting": []}
    for endpoint in data["endpoints"]:
        endpoint |= {"evidence_id": "own", "checked": True}
    study = study_from_published(PublishedStudy.model_validate(data), "x")
    assert {p.scenario.horizon_months for p in study.populations} == {12}


def bad_entries() -> list[tuple[str, object, list[str]]]:
    """Path, value and fragments of the message of every line of the file of bad entries."""
    entries: list[tuple[str, object, list[str]]] = []
    for line in (Path(__file__).parent / "bad_study_files.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        path, text, message = line.split(" | ")
        value = ... if text == "LEFT OUT" else yaml.safe_load(text)
        entries.append((path, value, message.split(" ... ")))
    return entries


@pytest.mark.parametrize(
    ("path", "value", "fragments"),
    [pytest.param(*entry, id=f"{entry[0]}={entry[1]}"[:60]) for entry in bad_entries()],
)
def test_a_bad_file_is_refused_where_it_is_wrong(
    path: str, value: object, fragments: list[str], tmp_path: Path
):
    error = refusal(changed(path, value), tmp_path)
    rest = str(error).removeprefix(f"{error.source}: ")
    for fragment in fragments:
        before, found, rest = rest.partition(fragment)
        assert found, f"{fragment!r} is not in {str(error)!r}"
        assert not before or fragment is not fragments[0], f"{str(error)!r} begins with {before!r}"
    assert "Input should be" not in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file has no sections; it must start like `study: NAME`"),
        ("- a\n", "the file has no sections"),
        ("study: [\n", "line 2, column 1: cannot be read as YAML"),
        ("study: A\nstudy: B\n", "line 2, column 1: cannot be read as YAML: the key 'study' is given twice"),
    ],
)
def test_a_file_that_is_no_study_is_refused(text: str, message: str, tmp_path: Path):
    assert message in str(refusal(text, tmp_path))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(ScenarioError, match="cannot be read: Is a directory"):
        read_study(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        read_study(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"study: \xff\xfe")
    with pytest.raises(ScenarioError, match="not UTF-8 text"):
        read_study(tmp_path / "latin.yaml")


def test_everything_wrong_is_told_at_once(tmp_path: Path):
    data = changed("endpoints.0.metric", "average")
    data["endpoints"][1]["valu"] = 3
    del data["title"]
    error = refusal(data, tmp_path)
    assert len(error.problems) == 3
    data = changed("run.arms.risdiplam.cohort.baseline.hfmse.sd", ...)
    data["run"]["arms"]["waiting"]["cohort"] = {"sex": "boys"}
    assert {problem.path for problem in refusal(data, tmp_path).problems} == {
        "run.arms.risdiplam.cohort.baseline.hfmse.sd",
        "run.arms.waiting.cohort.sex",
    }


def test_a_share_that_does_not_say_of_how_many_is_refused(tmp_path: Path):
    data = changed("endpoints.1.k", ...)
    del data["endpoints"][1]["n"]
    message = "endpoints.1 (hfmse_response).n: is missing; a proportion needs the number of people it is of"
    assert message in str(refusal(data, tmp_path))


def test_the_reference_page_names_every_field_and_every_metric():
    page = (DOCS / "reference" / "study-file.md").read_text(encoding="utf-8")
    from motorpool.evidence.published import PublishedEndpoint

    for record in (PublishedStudy, PublishedEndpoint, RunSection, RunArm):
        for field in record.model_fields:
            assert f"`{field}`" in page, field
    for metric in {metric for outcome in known_outcomes() for metric in metrics_for(outcome)}:
        assert f"`{metric}`" in page, metric


def test_metrics_fit_their_outcomes():
    assert set(metrics_for("hfmse")) == set(SCALE_METRICS)
    assert "hazard_ratio" in metrics_for("endurance_percent")
    assert "mean" not in metrics_for("death")
    assert set(load_outcome_catalogue()) < set(known_outcomes())
    assert load_published("SPACE").endpoints[0].outcome in known_outcomes()
