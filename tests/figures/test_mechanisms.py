"""The figures of the mechanisms: drawn from the model, up to date in the documentation, and each shown there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.biology.vocabulary import LEGS_AND_TRUNK
from motorpool.figures.figure import Figure
from motorpool.figures.mechanisms import mechanism_figures, neurons
from motorpool.figures.mechanisms.files import numbers_digest, stored_digest, write_figures
from motorpool.figures.mechanisms.lines import Panel, line_figure
from motorpool.figures.mechanisms.model import NEVER_YEARS, Mechanisms, central_mechanisms, live, plain
from motorpool.figures.mechanisms.therapies import doses
from motorpool.therapies.calendar import calendar_of
from motorpool.therapies.courses import Nusinersen
from tests.support import lives

REMAKE = "python -m motorpool.figures.mechanisms docs/images/mechanisms"


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    return {figure.identifier: figure for figure in mechanism_figures()}


@pytest.fixture
def model(float64: None) -> Mechanisms:
    return central_mechanisms()


@pytest.mark.slow
def test_every_figure_has_numbers_words_and_a_valid_specification(figures: dict[str, Figure]) -> None:
    import altair

    assert len(figures) > 15
    for figure in figures.values():
        numbers = figure.table.select_dtypes("number")
        assert len(numbers) > 10
        assert np.isfinite(numbers.to_numpy()).all(), figure.identifier
        assert len(figure.alt) > 60
        assert len(figure.caption) > 40
        one_row = {name: rows[:1] for name, rows in figure.spec["datasets"].items()}
        altair.Chart.from_dict({**figure.spec, "datasets": one_row}, validate=True)
        assert figure.narrow_spec != figure.spec


@pytest.mark.slow
def test_the_stored_figures_are_those_of_the_model(figures: dict[str, Figure], checkout: Path) -> None:
    folder = checkout / "docs" / "images" / "mechanisms"
    assert {path.stem for path in folder.glob("*.svg")} == set(figures), f"remake them: {REMAKE}"
    stale = [
        name
        for name, figure in figures.items()
        if stored_digest(folder / f"{name}.svg") != numbers_digest(figure)
    ]
    assert not stale, f"not the model's numbers any more; remake them: {REMAKE}"


def test_the_page_of_the_model_shows_every_stored_figure(checkout: Path) -> None:
    page = checkout / "docs" / "explanation" / "model.md"
    shown = re.findall(
        r"!\[[^\]]{20,}\]\(\.\./images/mechanisms/([a-z0-9-]+)\.svg\)", page.read_text(encoding="utf-8")
    )
    stored = {path.stem for path in (checkout / "docs" / "images" / "mechanisms").glob("*.svg")}
    assert sorted(shown) == sorted(stored)


def test_another_parameter_gives_another_picture(model: Mechanisms) -> None:
    before = numbers_digest(neurons.recovery(model))
    assert numbers_digest(neurons.recovery(central_mechanisms())) == before
    odds = float(model.biology.neurons.recovery_stress_odds)
    changed = Mechanisms(lives.changed(model.draw, biology__neurons__recovery_stress_odds=1.5 * odds))
    assert numbers_digest(neurons.recovery(changed)) != before


def test_files_are_the_same_every_time_and_describe_themselves(tmp_path: Path) -> None:
    x = np.linspace(0.0, 1.0, 5)
    figure = line_figure(
        "a-line", "A <line> & its title", "A caption.", [Panel("Square", ("x", x), "y", {"x squared": x**2})]
    )
    (first,) = write_figures([figure], tmp_path / "one")
    (second,) = write_figures([figure], tmp_path / "two")
    text = first.read_text(encoding="utf-8")
    assert text == second.read_text(encoding="utf-8")
    assert "<title>A &lt;line&gt; &amp; its title</title>" in text
    assert "x squared: 0 at 0, 0.25 at 0.5, 1 at 1" in text
    assert stored_digest(first) == numbers_digest(figure)


def test_doses_follow_the_label() -> None:
    calendar = calendar_of(Nusinersen(therapy="nusinersen"))
    given = doses(calendar, 365 * 24)
    assert list(given)[: len(calendar.loading)] == [hour for hour, _ in calendar.loading]
    later = sorted(given)[len(calendar.loading) :]
    assert later[0] == calendar.maintenance_first_hours
    assert set(np.diff(later)) == {calendar.maintenance_interval_hours}


@pytest.mark.slow
def test_lives_of_the_figures_are_those_of_the_engine(model: Mechanisms) -> None:
    """The figures' own steps and the compiled engine carry the same typical children to the same place."""
    copies, until = [2.0, 3.0], 2.0
    person = model.typical(copies)
    life = live(model, person, plain(2, start_years=NEVER_YEARS), until)
    engine = lives.live((), lives.people(smn2_copies=copies, female=0.0), until_years=until)
    last = int(np.argmin(np.abs(life.age_years - until)))
    for place, state in enumerate(("working", "sick", "dead")):
        ours = getattr(life.condition, state)[last, LEGS_AND_TRUNK]
        theirs = engine.at(engine.path.pools[:, place, LEGS_AND_TRUNK], float(life.age_years[last]))
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.slow
def test_a_treated_child_keeps_more_neurons_and_a_fused_spine_is_straighter(model: Mechanisms) -> None:
    person = model.typical([2.0, 2.0, 2.0])
    influences = plain(
        3,
        start_years=jnp.asarray([NEVER_YEARS, 0.0, NEVER_YEARS]),
        splicing_gain=1.0,
        fusion_years=jnp.asarray([NEVER_YEARS, NEVER_YEARS, 3.0]),
    )
    end = jax.tree.map(lambda leaf: leaf[-1], live(model, person, influences, 4.0).condition)
    working = end.working[LEGS_AND_TRUNK]
    assert working[1] > 2.0 * working[0]
    assert end.cobb_degrees[2] < end.cobb_degrees[0]
    assert dataclasses.is_dataclass(end)


def test_small_numbers_on_an_axis_stay_as_they_are(tmp_path: Path) -> None:
    x = np.linspace(0.0, 1.0, 5)
    panel = Panel("Small", ("x", x), "y", {"line": 0.001 * 10**x}, y_domain=(0.001, 0.1), logarithmic=True)
    (path,) = write_figures([line_figure("small", "Small", "A caption.", [panel])], tmp_path)
    assert ">0.001<" in path.read_text(encoding="utf-8")
