"""Bad scenarios: one clear message with path, value, what is allowed, nearest name; never anything else."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import load_scenario, scenario_from_data, scenario_from_text
from motorpool.simulation.overrides import apply_overrides
from motorpool.simulation.scenario import Scenario
from tests.simulation.scenario_samples import sample

BAD_ENTRIES = Path(__file__).with_name("bad_entries.txt")
BAD = [
    tuple(cell.strip() for cell in line.split("|"))
    for line in BAD_ENTRIES.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
BAD.append(("cohort.patients=" + "9" * 5000, "cohort.patients: a huge number", "from 1 to 10000000"))


@pytest.mark.parametrize(("change", "where", "what"), BAD, ids=[row[0][:60] for row in BAD])
def test_a_bad_entry_is_refused_with_path_value_and_what_is_allowed(
    change: str, where: str, what: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(sample(), [change])
    message = str(caught.value)
    assert where in message
    assert what in message
    assert len(message) < 2000
    assert caught.value.exit_code == 2


def test_onset_and_duration_that_need_more_time_than_there_is_are_refused() -> None:
    with pytest.raises(ScenarioError, match="add to at least 9"):
        load_scenario(
            sample(), ["cohort.onset_age_months={min: 3}", "cohort.disease_duration_months={min: 6}"]
        )


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(sample(), ["cohort.patients=-1", "seed=-2", "horizon_moths=3", "care=none"])
    assert {problem.path for problem in caught.value.problems} == {"horizon_moths"}
    with pytest.raises(ScenarioError) as caught:
        load_scenario(sample(), ["cohort.patients=-1", "seed=-2", "care=none"])
    assert {problem.path for problem in caught.value.problems} == {"cohort.patients", "seed", "care"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no sections"),
        ("just words", "has no sections"),
        ("- a list", "has no sections"),
        ("a: b: c", "line 1, column 5"),
        (
            "motorpool: 1\nseed: 1\nseed: 2\n",
            "line 3, column 1: cannot be read as YAML: the key 'seed' is given twice",
        ),
        ("a: &x [1]\nb: *x", "line 2, column 4"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("\x00\x01", "cannot be read as YAML"),
        ("[" * 100_000, "nested too deeply"),
        ("? [1, 2]\n: 3", "cannot be a key"),
        ("a: " + "x" * 2_000_000, "is too long"),
    ],
)
def test_a_file_that_is_not_a_scenario_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario_from_text(text, "my.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("my.yaml: ")


def test_yaml_1_2_words_stay_text() -> None:
    scenario = scenario_from_text(
        yaml.safe_dump({**sample(), "title": "PLACEHOLDER"}).replace("PLACEHOLDER", "no")
    )
    assert scenario.title == "no"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.yaml").write_bytes(b"#" * 5_000_000)
    for name, message in (
        ("missing.yaml", "is not a file"),
        (".", "is a folder"),
        ("binary.yaml", "not UTF-8"),
        ("large.yaml", "larger than"),
        ("endear_lik", "Did you mean endear_like?"),
        ("x" * 5000, "is not a file"),
        ("a\0b", "is not a file"),
    ):
        with pytest.raises(ScenarioError, match=message.replace("?", r"\?")):
            load_scenario(str(tmp_path / name))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["nusinersen", "walk", "enrolment", "all", "fvc_percent < 50", "untreated"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=10), st.integers(0, 9)), inner, max_size=3),
    ),
    max_leaves=8,
)


def paths_in(data: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested data."""
    found = [before] if before else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += paths_in(value, (*before, key))
    return found


@given(place=st.sampled_from(paths_in(sample())), value=VALUES)
def test_any_value_anywhere_gives_a_scenario_or_a_scenario_error(place: tuple[Any, ...], value: Any) -> None:
    data = sample()
    here = data
    for step in place[:-1]:
        here = here[step]
    here[place[-1]] = value
    try:
        assert isinstance(scenario_from_data(data), Scenario)
    except ScenarioError as error:
        assert error.problems
        assert str(error)


@given(text=st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_any_text_gives_a_scenario_error(text: str) -> None:
    with pytest.raises(ScenarioError):
        scenario_from_text(text)


@given(
    change=st.one_of(st.text(max_size=60), st.from_regex(r"(cohort|arms|seed)(\.[a-z0-9]{1,8}){0,4}=.{0,20}"))
)
def test_any_change_gives_data_or_a_scenario_error(change: str) -> None:
    try:
        scenario_from_data(apply_overrides(sample(), [change]))
    except ScenarioError as error:
        assert str(error)


def test_a_run_too_large_for_memory_is_refused_in_python() -> None:
    import motorpool

    plain = sample()
    plain["uncertainty"] = {"knowledge_draws": 100}
    with pytest.raises(ScenarioError, match=r"cohort.patients: 1000000 x 2 arms x 100 draws x 5 visits"):
        motorpool.simulate(plain, patients=1_000_000)
