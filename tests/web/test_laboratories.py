"""Cells and trials on the page: the questions and words of the command line, and nothing accepted in vain."""

import datetime
import html
import json
import re
import shutil
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from motorpool.cell_lab.known import known_content
from motorpool.cell_lab.known_words import answer
from motorpool.cell_lab.mechanisms import of_course
from motorpool.cell_lab.offer import offer_from_data
from motorpool.cell_lab.offer_check import check_offer
from motorpool.cell_lab.plan import base_plan
from motorpool.trials.design_file import load_design
from motorpool.web.app import create_app
from motorpool.web.offer_form import offer_fields
from motorpool.web.plain_words import standing_texts
from motorpool.web.problems import UnusableInput, description_of
from motorpool.web.run_plainly import plain_parts
from motorpool.web.run_results import Part, parts_of, usual_voice
from motorpool.web.scenario_of import DOUBT_DRAWS, scenario_of
from motorpool.web.settings import Settings
from motorpool.web.task_work import STAGES, Overall, do_task
from motorpool.web.tasks import (
    AddonRequest,
    TrialCompareRequest,
    TrialPowerRequest,
    TrialRunRequest,
    cells_task,
    designs_in,
    plan_of,
    trial_task,
)

CHILD = description_of({"age_months": "30", "copies": "3", "p1": "", "p2.1.what": "risdiplam"}.items())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The application without its worker: jobs wait."""
    guard = create_app(Settings(folder=tmp_path_factory.mktemp("web"), warm=False, burst=1_000_000))
    return TestClient(guard, base_url="http://127.0.0.1")


def test_cells_say_what_the_command_line_says(client: TestClient) -> None:
    assert client.get("/api/v1/cells/evidence").json() == json.loads(json.dumps(known_content()))
    text = html.unescape(client.get("/cells").text)
    for sentence in answer(known_content()):
        assert sentence in text


def test_an_offer_is_checked_offline_as_by_the_command_line(client: TestClient) -> None:
    example = yaml.safe_load(
        resources.files("motorpool.cell_lab").joinpath("offer_example.yaml").read_text(encoding="utf-8")
    )
    example = json.loads(json.dumps(example, default=str))
    plain = {key: {name: "yes" if value is True else "no" if value is False else value for name, value in part.items()}
             if isinstance(part, dict) else part for key, part in example.items()}  # fmt: skip
    expected = check_offer(offer_from_data(plain), None, datetime.date.today())
    assert client.post("/api/v1/cells/offer", json=plain).json() == json.loads(json.dumps(expected))
    pairs = [
        (key if name is None else f"{key}.{name}", str(value))
        for key, part in plain.items()
        for name, value in (part.items() if isinstance(part, dict) else [(None, part)])
    ]
    assert offer_from_data(offer_fields(pairs)) == offer_from_data(plain)
    shown = client.get("/cells/offer/result", params=pairs)
    assert "Do not go on" in shown.text
    assert "without asking any registry" in shown.text
    refused = client.get("/cells/offer/result", params=[*pairs, ("answers.etics", "yes")])
    assert refused.status_code == 422
    assert "etics" in refused.text
    assert 'value="Regeneration Clinic"' in refused.text  # what was entered is kept


def test_a_question_about_cells_reaches_the_laboratory_as_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = AddonRequest(description=CHILD, plan=2, people=16, draws=8, sobol=0, cells={"doses": 6})
    title, task = cells_task(wanted)
    task = json.loads(json.dumps(task))
    assert "Risdiplam" in title
    asked: list[Any] = []

    def instead(plan: Any, mechanisms: Any, finely: Any, tell: Any, outcome: Any) -> dict[str, Any]:
        asked.extend([plan, mechanisms, finely.draws, finely.sobol_samples, outcome])
        return {"what": "cells addon"}

    monkeypatch.setattr("motorpool.cell_lab.addon.addon", instead)
    monkeypatch.setattr("motorpool.report.cells_page.write_cells_page", lambda data, path: path.touch())
    do_task(task, tmp_path / "results", lambda stage, share: None)
    plan = base_plan(
        scenario_of(CHILD, DOUBT_DRAWS),
        arm="plan_2",
        months=(6, 12, 24, 60),
        patients=16,
        cell_changes=["doses=6"],
    )
    assert asked == [plan, of_course(plan.cells), 8, 0, None]
    assert plan.cells.doses == 6
    assert plan_of(task) == plan
    assert json.loads((tmp_path / "results" / "results.json").read_text()) == {"what": "cells addon"}
    with pytest.raises(UnusableInput, match="from 1 to 2"):
        cells_task(AddonRequest(description=CHILD, plan=3))


def test_designs_survive_the_way_to_the_worker_and_what_has_no_meaning_is_refused() -> None:
    _, task = trial_task(TrialRunRequest(name="cells_addon_sitters", patients=80))
    assert designs_in(json.loads(json.dumps(task))) == [load_design("cells_addon_sitters", ["patients=80"])]
    for wanted, words in (
        (
            TrialRunRequest.model_validate({"name": "endear", "truth": {"kind": "cells", "value": 1}}),
            "use share",
        ),
        (
            TrialRunRequest.model_validate({"name": "endear", "truth": {"kind": "null", "value": 1}}),
            "from 0 to 0",
        ),
        (TrialPowerRequest(name="endear", effects=(2.0,)), "at most 1"),
        (TrialPowerRequest(name="nothing"), "no shipped design"),
        (
            TrialCompareRequest.model_validate({"designs": [{"name": "endear"}, {"name": "endear"}]}),
            "two are named",
        ),
    ):
        with pytest.raises(UnusableInput, match=words):
            trial_task(wanted)


def test_a_run_of_trials_is_done_and_shown_in_both_voices(client: TestClient, tmp_path: Path) -> None:
    title, task = trial_task(TrialRunRequest(name="cells_addon_sitters", replicates=50, people=64))
    asked = json.dumps(task)
    do_task(json.loads(asked), tmp_path / "results", lambda stage, share: None)
    job: Any = SimpleNamespace(task="trial run", scenario=asked, title=title)
    (part,) = parts_of(job, tmp_path / "results" / "results.json")
    assert "50 trials of 120 people" in part.words[0]
    assert part.tables
    jobs = client.app._app.state.jobs  # type: ignore[attr-defined]  # no worker runs: finished as it would finish it
    made = jobs.store.add(title, asked, 8)
    jobs.store.change(made.id, ("waiting",), state="done")
    shutil.copytree(tmp_path / "results", jobs.store.place(made.id) / "results")
    expert, plain = (
        html.unescape(client.get(f"/runs/{made.id}", params=voice).text) for voice in ({}, {"voice": "plain"})
    )
    assert "MC" in expert
    assert "<table" in expert
    assert "MC" not in plain
    assert "<table" not in plain
    assert re.search(r"In about \d+ of 100 such trials, “.+” would count as a success for ", plain)
    assert "No real child took part." in plain
    assert f'href="/runs/{made.id}?voice=expert"' in plain
    assert client.get(f"/runs/{made.id}", params={"voice": "loud"}).status_code == 422
    jobs.store.delete(made.id)


def test_families_read_what_cells_would_add_without_numbers_of_professionals() -> None:
    texts = standing_texts()
    parts = [
        Part("in_short", "In short", ["The average may not change."]),
        Part("gains", "What cells would add", ["Means."], [SimpleNamespace(identifier="gains")], ["<table>"]),
        Part("harms", "Procedures", ["Figures."], (), ["<table>"]),
    ]  # fmt: skip
    plain = plain_parts("cells addon", parts, {}, {})
    assert [part.id for part in plain] == ["in_short", "gains", "unknown", "questions"]
    assert not any(part.tables for part in plain)
    assert plain[1].figures == parts[1].figures
    assert plain[2].words[0] == texts["unknown"]["cell_therapy"][0]
    assert usual_voice("cells addon") == "plain"
    assert usual_voice("trial power") == "expert"


def test_jobs_of_the_laboratories_wait_and_their_pages_say_so(client: TestClient) -> None:
    query = "age_months=30&copies=3&p1=&p2.1.what=risdiplam&ask.plan=2&ask.people=16"
    made = client.post("/cells/addon", json={"query": query})
    assert made.status_code == 201, made.text
    job = made.json()
    assert (job["task"], job["state"]) == ("cells addon", "waiting")
    assert job["title"] in client.get(job["page"]).text
    again = client.post("/trials/compare", json={"query": "designs=endear&designs=cherish"}).json()
    assert (again["task"], again["report"]) == ("trial compare", None)
    wrong = client.post("/cells/needed", json={"query": "age_months=30&ask.cells.dosess=3"})
    assert wrong.status_code == 422
    assert "Did you mean doses?" in wrong.text
    assert client.get("/trials").text.count("/trials/") >= 9
    assert client.get("/trials/nothing").status_code == 404


@pytest.mark.parametrize("task", STAGES)
def test_progress_never_falls_and_never_says_done_early(task: str) -> None:
    told: list[float] = []
    progress = Overall(task, lambda stage, share: told.append(share))
    for stage, _ in STAGES[task]:
        for share in (0.0, 0.5, 1.0):
            progress(stage, share)
    progress("summarising", 1.0)
    assert told == sorted(told)
    assert 0.9 <= told[-1] < 1.0
