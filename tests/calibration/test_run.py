"""The files of a calibration: written, read again, refused when damaged, shipped only when finished."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motorpool.calibration import run, shipping
from motorpool.calibration.mode import Mode
from motorpool.calibration.pipeline import Setting, setting_of_calibration
from motorpool.calibration.slopes import read_slopes, write_slopes
from motorpool.evidence.posterior import DISCREPANCY_PREFIX, Posterior, read_posterior
from motorpool.evidence.records import EvidenceError
from motorpool.simulation.calibration_state import model_digest, parameters_digest

DRAWS = 30


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of_calibration()


@pytest.fixture(scope="module")
def mode(setting: Setting) -> Mode:
    generator = np.random.default_rng(3)
    targets, axes = len(setting.targets), len(setting.space.axes)
    slopes = generator.normal(size=(targets, axes)) * (generator.uniform(size=(targets, axes)) < 0.3)
    z = np.clip(0.3 * generator.standard_normal(axes), -0.9, 0.9)
    return Mode(z, generator.normal(size=targets), slopes, (120.0, 80.5))


def finished(folder: Path, setting: Setting, mode: Mode) -> tuple[Path, np.ndarray]:
    """A run with a posterior of made-up draws, and the draws."""
    generator = np.random.default_rng(4)
    families = list(dict.fromkeys(target.family for target in setting.targets))
    z = mode.z + 0.2 * generator.standard_normal((DRAWS, mode.z.size))
    sizes = np.abs(generator.standard_normal((DRAWS, len(families))))
    names = (*setting.space.names, *(DISCREPANCY_PREFIX + family for family in families))
    draws = np.concatenate([run._values(setting, z), sizes], axis=1)
    facts: dict[str, Any] = {
        "method": "made up for a test",
        "largest_r_hat": 1.004,
        "smallest_effective_size": 512.0,
        "divergences": 0,
        "shared_by_study": 0.25,
        "simulations": 300,
        "centre": run._centre(setting, mode.z),
        "diagnostics": {
            "posterior_predictive": {"targets": 9, "within_1.645": 0.89, "root_mean_square": 1.02}
        },
    }
    made = run._write(folder / "posterior", setting, names, draws, facts, mode)
    assert made == folder / "posterior"
    return made, draws


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package's data."""
    folder = tmp_path / "package" / "data"
    folder.mkdir(parents=True)
    monkeypatch.setattr(shipping, "resources", types.SimpleNamespace(files=lambda name: tmp_path / "package"))
    return folder


def posterior_in(folder: Path) -> Posterior:
    return read_posterior((folder / "draws.csv").read_text(), (folder / "posterior.json").read_text())


def test_a_posterior_is_read_as_it_was_written(tmp_path: Path, setting: Setting, mode: Mode) -> None:
    made, draws = finished(tmp_path, setting, mode)
    found = posterior_in(made)
    axes = len(setting.space.axes)
    assert found.names == setting.space.names
    assert len(found) == DRAWS
    assert found.parameters == pytest.approx(draws[:, :axes], rel=1e-5)
    assert np.stack(list(found.discrepancies.values()), axis=1) == pytest.approx(draws[:, axes:], rel=1e-5)
    assert found.facts.targets == len(setting.targets)
    assert (found.facts.model_sha256, found.facts.parameters_sha256) == (model_digest(), parameters_digest())
    values = found.values(DRAWS + 2, setting.table)  # numbers beyond the draws begin anew
    expected = setting.space.values_of([float(x) for x in draws[2, :axes]], setting.table)
    assert set(values) == set(expected)
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=1e-5)
    assert found.values(None, setting.table).keys() == expected.keys()


def test_draws_stay_within_the_bounds_of_their_records(setting: Setting) -> None:
    far = np.full((1, len(setting.space.axes)), 40.0)
    for sign in (-1.0, 1.0):
        values = run._values(setting, sign * far)[0]
        for axis, value in zip(setting.space.axes, values, strict=True):
            assert axis.bounds[0] <= value <= axis.bounds[1]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("draws.csv", lambda text: text.replace("0", "1", 1)),
        ("draws.csv", lambda text: text[: len(text) // 2]),
        ("posterior.json", lambda text: text[:-20]),
        ("posterior.json", lambda text: text.replace('"divergences"', '"divergencies"')),
    ],
)
def test_damaged_files_are_refused_and_not_shipped(
    file: str, change: Any, tmp_path: Path, data: Path, setting: Setting, mode: Mode
) -> None:
    made, _ = finished(tmp_path / "run", setting, mode)
    (made / file).write_text(change((made / file).read_text()))
    with pytest.raises(EvidenceError, match=r"posterior"):
        shipping.ship_posterior(tmp_path / "run")
    assert list(data.iterdir()) == []


def test_a_finished_run_is_shipped_whole(tmp_path: Path, data: Path, setting: Setting, mode: Mode) -> None:
    made, _ = finished(tmp_path / "run", setting, mode)
    (tmp_path / "run" / "sensitivity.json").write_text("{}\n")
    assert shipping.ship_posterior(tmp_path / "run") == data / "posterior"
    assert {file.name for file in (data / "posterior").iterdir()} == set(shipping.POSTERIOR_FILES)
    for name in shipping.POSTERIOR_FILES:
        assert (data / "posterior" / name).read_bytes() == (made / name).read_bytes()
    assert (data / "sensitivity.json").read_text() == "{}\n"


@pytest.mark.parametrize("missing", [None, *shipping.POSTERIOR_FILES])
def test_an_unfinished_run_is_not_shipped(
    missing: str | None, tmp_path: Path, data: Path, setting: Setting, mode: Mode
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if missing is not None:
        made, _ = finished(folder, setting, mode)
        (made / missing).unlink()
    with pytest.raises(
        EvidenceError, match=rf"no finished posterior \({missing or 'draws.csv'} is missing\)"
    ):
        shipping.ship_posterior(folder)
    assert list(data.iterdir()) == []


def test_a_finished_run_is_described(tmp_path: Path, setting: Setting, mode: Mode) -> None:
    made, _ = finished(tmp_path, setting, mode)
    text = "\n".join(shipping.describe(made))
    assert "made up for a test" in text
    assert f"{DRAWS} draws from 300 simulations of {len(setting.targets)} targets" in text
    assert "R-hat 1.004" in text
    assert "89 % of 9 targets" in text


def test_slopes_are_read_as_written_in_any_order(setting: Setting, mode: Mode) -> None:
    targets, axes = [target.name for target in setting.targets], list(setting.space.names)
    text = write_slopes(mode.slopes, targets, axes)
    assert read_slopes(text, targets, axes) == pytest.approx(mode.slopes, rel=1e-3)
    assert read_slopes(text, targets[::-1], axes[::-1]) == pytest.approx(mode.slopes[::-1, ::-1], rel=1e-3)


def test_slopes_of_what_is_new_are_nil(setting: Setting, mode: Mode) -> None:
    targets, axes = [target.name for target in setting.targets], list(setting.space.names)
    text = write_slopes(mode.slopes, targets, axes)
    found = read_slopes(text, ["NEW.one", targets[3]], [axes[5], "new.axis"])
    assert found == pytest.approx(np.array([[0.0, 0.0], [mode.slopes[3, 5], 0.0]]), rel=1e-3)


def with_centre(monkeypatch: pytest.MonkeyPatch, centre: dict[str, float]) -> None:
    facts = types.SimpleNamespace(centre=centre)
    monkeypatch.setattr(run, "load_posterior", lambda: types.SimpleNamespace(facts=facts))


def test_a_quick_calibration_starts_from_the_shipped_centre(
    monkeypatch: pytest.MonkeyPatch, setting: Setting, mode: Mode
) -> None:
    with_centre(monkeypatch, run._centre(setting, mode.z))
    z, _ = run._shipped_start(setting)
    inside = [
        axis.reach()[0] + 0.01 < x < axis.reach()[1] - 0.01
        for axis, x in zip(setting.space.axes, mode.z, strict=True)
    ]
    assert z[inside] == pytest.approx(mode.z[inside], abs=1e-3)


@pytest.mark.parametrize("edge", [0, 1])
def test_a_start_lies_within_bounds_whatever_the_centre_was(
    edge: int, monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    beyond = {
        axis.name: axis.bounds[edge] + (edge - 0.5) * abs(axis.bounds[1]) for axis in setting.space.axes
    }
    del beyond[setting.space.names[0]]  # an axis that is new since
    with_centre(monkeypatch, beyond)
    z, _ = run._shipped_start(setting)
    low, high = zip(*(axis.reach() for axis in setting.space.axes), strict=True)
    assert (z >= np.array(low)).all() and (z <= np.array(high)).all()
    assert z[0] == 0.0
    values = setting.space.values(z, setting.table)
    assert np.isfinite([float(np.max(value)) for value in values.values()]).all()


def test_without_a_shipped_posterior_the_start_is_the_prior(
    monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    monkeypatch.setattr(run, "load_posterior", lambda: None)
    z, slopes = run._shipped_start(setting)
    assert (z == 0.0).all()
    assert z.shape == (len(setting.space.axes),)
    assert slopes is None
