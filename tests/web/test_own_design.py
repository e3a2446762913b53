"""A trial design of one's own on the page: what is wrong has its line, and what is right runs as any other design."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from motorpool.trials.design_file import DESIGNS_FOLDER, shipped_designs
from motorpool.web.app import create_app
from motorpool.web.own_design import MOST_CHARACTERS, design_data, line_of
from motorpool.web.problems import UnusableInput
from motorpool.web.settings import Settings

RIGHT = (DESIGNS_FOLDER / "endear.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The application without its worker: jobs wait."""
    guard = create_app(Settings(folder=tmp_path_factory.mktemp("web"), warm=False, burst=1_000_000))
    return TestClient(guard, base_url="http://127.0.0.1")


def problems(text: str) -> list[dict[str, str]]:
    with pytest.raises(UnusableInput) as caught:
        design_data(text)
    return caught.value.problems


def test_every_shipped_design_can_stand_in_the_field() -> None:
    for path in sorted(Path(DESIGNS_FOLDER).glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert len(text) <= MOST_CHARACTERS
        assert design_data(text)


def test_a_problem_has_the_line_of_its_field() -> None:
    lines = RIGHT.splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("patients:"))
    lines[place] = "patients: many"
    (found,) = problems("\n".join(lines))
    assert (found["where"], found["line"]) == ("patients", str(place + 1))
    assert "many" in found["message"]


def test_text_that_is_no_yaml_has_the_line_where_it_ends_to_be_one() -> None:
    (found,) = problems("motorpool_trial: 1\n\tname: ours\npatients: 20\n")
    assert found["line"] == "2"


def test_the_line_is_that_of_the_deepest_part_that_is_there() -> None:
    text = "arms:\n  one:\n    therapies:\n    - therapy: x\n      start: 3\n"
    assert line_of(text, "arms.one.therapies[0].start") == 5
    assert line_of(text, "arms.one.therapies.0.stop") == 4
    assert line_of(text, "visits") == 1


def test_a_long_text_is_refused_by_its_length() -> None:
    (found,) = problems("#" * (MOST_CHARACTERS + 1))
    assert str(MOST_CHARACTERS) in found["message"]


def asked(client: TestClient, text: str, question: str = "run") -> Any:
    query = urlencode({"design_text": text, "replicates": "100", "people": "32"})
    return client.post(f"/trials/{question}", json={"query": query})


def test_an_own_design_becomes_a_job_and_a_wrong_one_does_not(client: TestClient) -> None:
    refused = asked(client, RIGHT.replace("patients:", "pateints:", 1))
    assert refused.status_code == 422
    assert all(one["line"].isdigit() for one in refused.json()["problems"])
    own = RIGHT.replace("title: ENDEAR", "title: Ours, ENDEAR", 1)
    begun = asked(client, own, "power")
    assert begun.status_code == 201, begun.text
    assert "Ours" in client.get("/api/v1/jobs").text


def test_the_page_begins_with_any_shipped_design_and_keeps_what_was_entered(client: TestClient) -> None:
    for name in shipped_designs()[:2]:
        assert f"name: {name}" in client.get("/trials/own", params={"from": name}).text
    assert "my own text" in client.get("/trials/own", params={"design_text": "my own text"}).text
    assert client.get("/trials/own", params={"from": "nothing"}).status_code == 404
