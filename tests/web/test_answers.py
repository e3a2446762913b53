"""The answers: the numbers of the engine, survival only where it was asked for, refusals with their reason."""

import html
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pandas.testing import assert_frame_equal
from starlette.testclient import TestClient

from motorpool.evidence.posterior import load_posterior
from motorpool.figures.context import FigureContext
from motorpool.figures.uncertainty_layers import LAYERS, discrepancy_half_width
from motorpool.simulation.errors import ScenarioError
from motorpool.web.app import create_app
from motorpool.web.description import Description
from motorpool.web.explore import Explorer, topic_figures
from motorpool.web.population import Population
from motorpool.web.problems import description_of
from motorpool.web.quick_context import QuickContext
from motorpool.web.scenario_of import scenario_of
from motorpool.web.settings import Settings
from motorpool.web.turns import Superseded

INFANT = {
    "copies": "2",
    "age_months": "6",
    "p1": "No drug",
    "p2": "",
    "p2.1.what": "nusinersen",
    "years": "1",
}
ABOUT_DEATH = ("death", "died", "alive", "dead", "survival")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    settings = Settings(folder=tmp_path_factory.mktemp("web"), warm=False, burst=10_000)
    return TestClient(create_app(settings), base_url="http://127.0.0.1:8765")


@pytest.fixture(scope="module")
def description() -> Description:
    return description_of(INFANT.items())


def able(answer: dict[str, Any], arm: str, milestone: str) -> float:
    month = max(row["visit_month"] for row in answer["summary"])
    (row,) = [
        row
        for row in answer["summary"]
        if (row["quantity"], row["measure"], row.get("arm"), row["visit_month"])
        == (milestone, "able_share", arm, month)
    ]
    return row["values"]["knowledge.mean"]


def test_a_redraw_has_the_numbers_of_the_whole_summary(description: Description) -> None:
    """What is left out of a redraw changes nothing in what is shown."""
    dataset = Population().dataset(scenario_of(description, 0))
    whole, quick = FigureContext(dataset), QuickContext(dataset)
    groups = whole.summary[["kind", "quantity", "measure"]].drop_duplicates(["kind", "measure"])
    for kind, quantity, measure in groups.itertuples(index=False, name=None):
        wanted = {"kind": kind, "quantity": quantity, "measure": measure}
        assert_frame_equal(_plain(quick.rows(**wanted)), _plain(whole.rows(**wanted)), check_dtype=False)
    for kind, measure in (("adverse_event", "share_affected"), ("milestone", None)):
        assert_frame_equal(
            _plain(quick.part(kind, measure)), _plain(whole.part(kind, measure)), check_dtype=False
        )
    assert_frame_equal(_plain(quick.last_visit), _plain(whole.last_visit), check_dtype=False)
    assert "summary" not in quick.__dict__


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True)


def test_layers_of_uncertainty_can_be_left_out(client: TestClient) -> None:
    """The table of the figure follows; the discrepancy is that of the posterior, around the average."""
    expert = {**INFANT, "voice": "expert", "doubt": "1"}
    (figure,) = client.get("/explore/pictures/layers", params=expert).json()
    everything, fewer = (
        client.get(f"/explore/tables/{figure['id']}", params={**expert, **more}).text
        for more in ({}, {"leave_out": "people"})
    )
    assert all(f">{html.escape(words)}<" in everything for words in LAYERS.values())
    assert LAYERS["people"] not in fewer
    assert html.escape(LAYERS["discrepancy"]) in fewer
    refused = client.get("/explore/pictures/layers", params={**expert, "leave_out": "luck"})
    assert refused.status_code == 422
    assert "leave_out" in refused.text


def test_the_discrepancy_is_wider_than_its_typical_scale() -> None:
    """Student's t has heavier tails than a normal distribution, so that 95 % reach further than 1.96 typical scales."""
    posterior = load_posterior()
    half = discrepancy_half_width("chop_intend")
    assert posterior is not None
    assert half is not None
    scales = posterior.discrepancies["chop_intend"]
    assert 1.96 * float(np.median(scales)) < half < 8.0 * float(scales.max())
    assert discrepancy_half_width("endurance_percent") is None


def test_the_answer_brings_the_pictures_that_the_reader_sees(client: TestClient) -> None:
    both = client.get("/explore/answer", params={**INFANT, "draw": "motor"}).json()
    alone = client.get("/explore/pictures/motor", params=INFANT).json()
    assert both["pictures"] == {"motor": alone}
    assert client.get("/explore/answer", params={**INFANT, "draw": "survival"}).json()["pictures"] == {}


def test_a_new_result_changes_the_data_of_a_picture_and_not_its_structure(client: TestClient) -> None:
    """So that the page keeps what it has drawn and only brings new numbers into it."""
    child = {**INFANT, "p2": "Early"}
    (first,), (second,) = (
        client.get("/explore/pictures/motor", params={**child, "p2.1.from": start}).json()
        for start in ("0", "3")
    )
    assert first["spec"].pop("datasets") != second["spec"].pop("datasets")
    assert first["spec"] == second["spec"]


def test_kept_people_and_plans_give_the_bits_of_a_run(description: Description) -> None:
    from motorpool.simulation.run import run

    population = Population()
    population.dataset(scenario_of(description, 0))
    other = description.model_copy(update={"plans": (*description.plans, description.plans[0])})
    for described in (other, description):
        scenario = scenario_of(described, 0)
        xr.testing.assert_identical(population.dataset(scenario), run(scenario)[0])


def test_the_page_the_api_and_python_say_the_same(client: TestClient, description: Description) -> None:
    from motorpool.simulation.api import simulate

    answer = client.post("/api/v1/explore", json=description.model_dump(mode="json")).json()
    expected = simulate(answer["scenario"]).summary_table()
    assert len(answer["summary"]) == len(expected)
    for row, (_, other) in zip(answer["summary"][::97], list(expected.iterrows())[::97], strict=True):
        assert row["quantity"] == other["quantity"]
        assert row["values"] == {name: other[name] for name in row["values"]}
    gain = able(answer, "plan_2", "sit_5s") - able(answer, "plan_1", "sit_5s")
    assert gain > 0.1  # the drug acts, through the model
    page = client.get("/explore/answer", params=INFANT).json()["html"]
    count = round(100 * able(answer, "plan_2", "sit_5s"))
    assert f"Of 100 children like this, about {count} can sit without help 12 months from now" in page


def test_survival_is_shown_only_to_those_who_ask(client: TestClient, description: Description) -> None:
    words = client.get("/explore/answer", params=INFANT).json()
    assert "survival" not in words["topics"]
    assert not [word for word in ABOUT_DEATH if word in words["html"].lower()]
    for topic in words["topics"]:
        for figure in client.get(f"/explore/pictures/{topic}", params=INFANT).json():
            table = client.get(f"/explore/tables/{figure['id']}", params=INFANT).text
            spoken = (figure["title"] + figure["alt"] + figure["caption"] + table).lower()
            assert not [word for word in ABOUT_DEATH if word in spoken], figure["id"]
    asked = client.get("/explore/answer", params={**INFANT, "survival": "1", "voice": "expert"}).json()
    assert "survival" in asked["topics"]
    assert "Alive" in asked["html"]
    expert = client.get("/explore/answer", params={**INFANT, "voice": "expert"}).json()["html"]
    assert "Alive" not in expert
    assert client.get("/explore/pictures/survival", params=INFANT).json() == []
    assert client.get("/explore/files/survival-death.csv", params={**INFANT, "doubt": "0"}).status_code == 404


def test_every_result_says_what_it_is_for(client: TestClient) -> None:
    for address in ("/explore", "/window", "/sheet"):
        query = INFANT if address != "/window" else {}
        assert "not for treatment decisions" in client.get(address, params=query).text
    sheet = client.get("/sheet", params=INFANT).text
    assert "Questions for your team" in sheet
    assert "lumbar puncture" in sheet  # a question of the drug in the plans
    assert "no drug" in sheet.lower()


def test_figures_come_as_files(client: TestClient) -> None:
    query = {**INFANT, "doubt": "0"}
    svg = client.get("/explore/files/abilities.svg", params=query)
    assert svg.content.startswith(b"<svg")
    assert client.get("/explore/files/abilities.png", params=query).content.startswith(b"\x89PNG")
    table = client.get("/explore/files/abilities.csv", params=query).text
    assert table.startswith("Milestone,Plan,Months from today,")
    assert svg.headers["content-disposition"] == 'attachment; filename="motorpool-abilities.svg"'
    assert client.get("/explore/files/none.svg", params=query).status_code == 404
    assert client.get("/explore/files/abilities.exe", params=query).status_code == 422


def test_the_scenario_file_runs_to_the_same_numbers(
    client: TestClient, description: Description, tmp_path: Path
) -> None:
    from motorpool.simulation.loading import load_scenario

    path = tmp_path / "child.yaml"
    path.write_bytes(client.get("/explore/scenario.yaml", params={**INFANT, "doubt": "0"}).content)
    assert load_scenario(path) == scenario_of(description, 0)


def test_entered_scores_reweight_and_too_few_people_refuse(client: TestClient) -> None:
    weak, strong = (
        client.post(
            "/api/v1/explore", json={"age_months": 6, "scores": {"chop_intend": score}, "years": 1}
        ).json()
        for score in (15, 35)
    )
    assert 100 <= weak["effective_people"] < 1e4
    assert able(weak, "plan_2", "sit_5s") < able(strong, "plan_2", "sit_5s")
    refused = client.post(
        "/api/v1/explore", json={"age_months": 6, "scores": {"chop_intend": 63}, "years": 1}
    )
    assert refused.status_code == 422
    (problem,) = refused.json()["problems"]
    assert problem["where"] == "scores"
    assert "at least 100 are needed" in problem["message"]


def test_fewer_than_a_hundred_are_refused(monkeypatch: pytest.MonkeyPatch, description: Description) -> None:
    explorer = Explorer()
    monkeypatch.setattr(explorer, "simulate", lambda *a, **k: (None, 99.0))
    with pytest.raises(ScenarioError, match="worth 99 independent people, and at least 100"):
        explorer.show(description, doubt=False)


def test_what_nobody_waits_for_is_stopped(description: Description) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Superseded):
        Explorer().show(description.model_copy(update={"age_months": 7.0}), doubt=True, stop=stop)


def test_a_server_that_is_asked_too_much_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorpool.web.turns.MOST_WAITING", 0)
    answer = client.post("/api/v1/explore", json={"age_months": 6.5, "years": 1})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_figures_speak_of_plans(client: TestClient, description: Description) -> None:
    for figure in client.get("/explore/pictures/motor", params=INFANT).json():
        table = client.get(f"/explore/tables/{figure['id']}", params=INFANT).text
        words = " ".join([*(str(figure[name]) for name in ("title", "alt", "caption")), table])
        assert "enrolment" not in words
        assert " arm" not in words
        assert "enrolment" not in json.dumps({k: v for k, v in figure["spec"].items() if k != "datasets"})
    shown = Explorer().show(description, doubt=False)
    assert [figure.identifier for figure in topic_figures(shown, "daily_life")] == ["daily-life"]


def test_the_window_shows_what_waiting_costs(client: TestClient) -> None:
    found = client.get("/window/pictures", params={"therapy": "onasemnogene", "years": "1"}).json()
    table = client.get("/window/files/starts/start-age.csv", params={"years": "1", "doubt": "0"}).text
    rows = [line.split(",") for line in table.splitlines()[1:] if line.startswith("CHOP")]
    treated = [float(row[4]) for row in rows if row[3]]
    assert treated[0] > treated[-1] + 10
    assert not [word for word in ("alive", "survival") if word in str(found["starts"]["sentences"]).lower()]
    told = str([(part["sentences"], [one["caption"] for one in part["figures"]]) for part in found.values()])
    assert not [word for word in ("died", "death", " die ") if word in told.lower()]
    asked = client.get("/window/pictures", params={"years": "1", "survival": "1"}).json()
    assert "Children who died count" in asked["starts"]["figures"][0]["caption"]
    assert client.get("/window/pictures", params={"years": "0"}).status_code == 422


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/evidence", "ENDEAR"),
        ("/evidence?words=walking", "figure"),
        ("/evidence?words=wolking", "walking"),
        ("/evidence/study/ENDEAR", "Risk of bias"),
        ("/evidence/source/finkel2017_endear", "Finkel"),
        ("/trust", "Limits"),
    ],
)
def test_evidence_can_be_read(client: TestClient, address: str, words: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert words in answer.text


def test_the_validation_is_a_picture_with_its_numbers(client: TestClient) -> None:
    (figure,) = client.get("/trust/pictures").json()
    assert figure["id"] == "coverage-by-family"
    lines = client.get(f"/trust/files/{figure['id']}.csv").text.splitlines()
    shown = json.loads(client.get("/trust/pictures?narrow=1").content)[0]["spec"]["datasets"].values()
    assert len(lines) - 1 == max(map(len, shown)) >= 5
    assert client.get(f"/trust/files/{figure['id']}.svg").content.startswith(b"<svg")


def test_an_address_without_a_page_says_what_to_do(client: TestClient) -> None:
    answer = client.get("/nothing", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "nothing at this address" in answer.text


def test_unknown_evidence_names_the_nearest(client: TestClient) -> None:
    answer = client.get("/evidence/study/ENDAER", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "ENDEAR" in answer.text
