"""The whole calibration: from nothing, or from an interrupted one, to the files of a posterior.

In full: slopes and mode; simulations around the mode, emulator, NUTS; in several rounds simulations at draws of that
posterior, the emulator anew, NUTS again; studies left out in turn, to see how wrong the model is about others than its
own; NUTS with a discrepancy of that size; and real simulations at draws of what came out. ``quick``: the mode with the
slopes of the shipped calibration, and the normal approximation there.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.evaluate import Evaluation, worker_pool
from motorpool.calibration.global_sensitivity import drawn_inputs, sensitivity_data, sobol_indices
from motorpool.calibration.left_out import Doubt
from motorpool.calibration.mode import Errors, Mode, posterior_precision
from motorpool.calibration.pipeline import Calibration, Setting, Tell, setting_of_calibration, targets_digest
from motorpool.calibration.sample import Sampled
from motorpool.calibration.slopes import shipped_slopes, write_slopes
from motorpool.evidence.posterior import DISCREPANCY_PREFIX, load_posterior, write_posterior
from motorpool.simulation.calibration_state import model_digest, parameters_digest
from motorpool.studies.scale import load_calibration_rules

Array = NDArray[np.float64]
AROUND_MODE, AT_POSTERIOR, ROUNDS = 250, 250, 3
CHECKED = 96  # draws of the posterior at which real simulations are held against the targets
SHIPPED_DRAWS = 400
QUICK_DRAWS = 400
SEED = 20261126
SENSITIVITY_SAMPLES = 256


def run_calibration(folder: Path, *, quick: bool, tell: Tell) -> Path:
    """Calibrate in ``folder`` and write the posterior there; returns the folder ``folder/posterior``.

    An interrupted calibration is gone through again from its beginning; what was simulated before is read from the
    record to the last digit, so that the same points follow and the same posterior comes out.

    Args:
        quick: the mode and the normal approximation alone.
        tell: progress.
    """
    setting = setting_of_calibration()
    work = Calibration(setting, folder, tell)
    with worker_pool() as pool:
        if quick:
            start, slopes = _shipped_start(setting)
            mode, errors = work.find_mode(pool, start, slopes)
            names, draws, facts = _normal_approximation(setting, mode, errors)
            facts["simulations"] = work.simulated
            return _write(folder / "posterior", setting, names, draws, facts, mode)
        mode, errors = work.find_mode(pool, _start(setting))
        at = work.scatter(mode.z, pool)
        chance = work.chance(mode.z, pool)
        emulator = _emulated(work, pool, mode, errors, at, chance)
        fitted = work.sample(emulator, at, SEED + 2)
        tell("posterior sampled", 1, 1)
        doubt = work.doubt(emulator, at, fitted)
        sampled = work.sample(emulator, at, SEED + 4, doubt=doubt)
        tell("posterior sampled with the doubt that left-out studies show", 1, 1)
        drawn = _some(sampled.z, CHECKED, SEED + 5)
        checks = work.simulate_with_own_luck(drawn, pool, "simulating at the posterior")
    names, draws, facts = _from_samples(setting, sampled, emulator, work.infinite_errors(at), checks)
    facts["shared_by_study"] = doubt.shared
    facts["diagnostics"]["left_out"] = _left_out(doubt)
    facts["simulations"] = work.simulated
    facts["diagnostics"]["misfit_on_the_way_to_the_mode"] = [round(x, 2) for x in mode.course]
    (folder / "sensitivity.json").write_text(_sensitivity(setting, emulator, sampled))
    return _write(folder / "posterior", setting, names, draws, facts, mode)


def _emulated(
    work: Calibration, pool: ProcessPoolExecutor, mode: Mode, errors: Errors, at: Evaluation, chance: Array
) -> Emulator:
    """The emulator after all rounds, each of which simulates where the posterior of the one before lies."""
    yardstick = work.infinite_errors(at)
    points = work.around(mode, errors, AROUND_MODE, SEED)
    values = work.simulate_with_own_luck(points, pool, "simulating around the mode")
    for number in range(ROUNDS):
        emulator = work.emulate(mode, yardstick, points, values, chance, judged=AT_POSTERIOR)
        found = work.sample(emulator, at, SEED + 10 + number, rough=True)
        work.tell(f"posterior {number + 1} of {ROUNDS + 1} sampled roughly", 1, 1)
        later = _some(found.z, AT_POSTERIOR, SEED + 20 + number)
        stage = f"simulating at posterior {number + 1} of {ROUNDS}"
        values += work.simulate_with_own_luck(later, pool, stage)
        points += later
    return work.emulate(mode, yardstick, points, values, chance, judged=AT_POSTERIOR)


def _some(draws: Array, count: int, seed: int) -> list[Array]:
    chosen = np.random.default_rng(seed).choice(len(draws), size=count, replace=False)
    return [draws[i] for i in chosen]


def _start(setting: Setting) -> Array:
    """Where the search for the mode begins (``start`` of the rules); a prior's centre where nothing is said."""
    start = load_calibration_rules().start
    z = [axis.standardised(start[axis.name]) if axis.name in start else 0.0 for axis in setting.space.axes]
    low, high = (np.array(side) for side in zip(*(a.reach() for a in setting.space.axes), strict=True))
    return np.clip(z, low, high)


def _shipped_start(setting: Setting) -> tuple[Array, Array | None]:
    """The shipped centre on today's axes, and the shipped slopes on today's targets and axes."""
    posterior = load_posterior()
    if posterior is None:
        return np.zeros(len(setting.space.axes)), None
    centre = posterior.facts.centre
    axes = setting.space.axes
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in axes), strict=True))
    z = np.array([axis.standardised(centre[axis.name]) if axis.name in centre else 0.0 for axis in axes])
    # Rounding, or bounds that have changed since, may have left it outside.
    return np.clip(z, low, high), shipped_slopes([t.name for t in setting.targets], setting.space.names)


def _slopes_table(setting: Setting, mode: Mode) -> str:
    return write_slopes(mode.slopes, [t.name for t in setting.targets], setting.space.names)


def _sensitivity(setting: Setting, emulator: Emulator, sampled: Sampled) -> str:
    """Which parameters the doubt about each endpoint comes from, as text for ``data/sensitivity.json``."""
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in setting.space.axes), strict=True))
    inputs = drawn_inputs(setting.space.names, sampled.z, low, high)
    names = [target.name for target in setting.targets]
    indices = sobol_indices(emulator.predict, inputs, names, samples=SENSITIVITY_SAMPLES, seed=SEED)
    return json.dumps(sensitivity_data(indices), indent=1) + "\n"


def _centre(setting: Setting, z: Array) -> dict[str, float]:
    return {axis.name: float(f"{float(axis.value(z[i])):.6g}") for i, axis in enumerate(setting.space.axes)}


def _values(setting: Setting, z: Array) -> Array:
    """Values (S, D) of the axes at draws ``z`` (S, D)."""
    return np.stack([axis.value(z[:, i]) for i, axis in enumerate(setting.space.axes)], axis=1)


def _from_samples(
    setting: Setting,
    sampled: Sampled,
    emulator: Emulator,
    errors: Errors,
    checks: list[Array],
) -> tuple[tuple[str, ...], Array, dict[str, Any]]:
    generator = np.random.default_rng(SEED + 3)
    chosen = generator.choice(len(sampled.z), size=SHIPPED_DRAWS, replace=False)
    names = (*setting.space.names, *(DISCREPANCY_PREFIX + name for name in sampled.families))
    draws = np.concatenate([_values(setting, sampled.z[chosen]), sampled.discrepancy[chosen]], axis=1)
    facts: dict[str, Any] = {
        "method": "calibrate, emulate, sample: Gauss-Newton mode, quadratic emulator, NUTS with four chains",
        "largest_r_hat": sampled.largest_r_hat,
        "smallest_effective_size": sampled.smallest_effective_size,
        "divergences": sampled.divergences,
        "centre": _centre(setting, sampled.z.mean(axis=0)),
        "diagnostics": {
            **_overlap(setting, sampled.z),
            "emulator_error_over_total_error": _share(emulator.error_sd, errors),
            "posterior_predictive": _posterior_predictive(errors, np.stack(checks)),
        },
    }
    return names, draws, facts


def _left_out(doubt: Doubt) -> dict[str, Any]:
    """Studies left out in turn, with the discrepancy of the fit and with the one that is used."""
    return {
        "factor": round(doubt.factor, 3),
        "factors": {family: round(factor, 2) for family, factor in doubt.factors.items()},
        "coverage_90": round(doubt.chosen.coverage_90, 3),
        "log_density": round(doubt.chosen.log_density, 1),
        "coverage_90_as_fitted": round(doubt.fitted.coverage_90, 3),
        "log_density_as_fitted": round(doubt.fitted.log_density, 1),
    }


def _share(error: Array, errors: Errors) -> dict[str, float]:
    relative = error / np.sqrt(errors.variance)
    return {"median": round(float(np.median(relative)), 3), "largest": round(float(relative.max()), 3)}


def _overlap(setting: Setting, z: Array) -> dict[str, Any]:
    """How far the posterior moved from the prior, in prior SDs, and how much narrower it is."""
    moved = {axis.name: round(float(z[:, i].mean()), 2) for i, axis in enumerate(setting.space.axes)}
    width = {axis.name: round(float(z[:, i].std()), 2) for i, axis in enumerate(setting.space.axes)}
    correlation = np.asarray(np.corrcoef(z.T))
    rows, columns = np.triu_indices(len(setting.space.axes), 1)
    strongest = np.argsort(-np.abs(correlation[rows, columns]))[:20]
    names = setting.space.names
    return {
        "posterior_mean_in_prior_sd": moved,
        "posterior_sd_over_prior_sd": width,
        "strongest_correlations": [
            [names[rows[i]], names[columns[i]], round(float(correlation[rows[i], columns[i]]), 2)]
            for i in strongest
        ],
    }


def _posterior_predictive(errors: Errors, simulated: Array) -> dict[str, float]:
    """Real simulations at posterior draws against the targets: distances in total errors."""
    mean, spread = np.nanmean(simulated, axis=0), np.nanvar(simulated, axis=0)
    z = (errors.published - mean) / np.sqrt(errors.variance + spread)
    return {
        "targets": int(np.isfinite(z).sum()),
        "within_1.645": round(float(np.nanmean(np.abs(z) < 1.645)), 3),
        "root_mean_square": round(float(np.sqrt(np.nanmean(z**2))), 3),
    }


def _normal_approximation(
    setting: Setting, mode: Mode, errors: Errors
) -> tuple[tuple[str, ...], Array, dict[str, Any]]:
    lower = np.linalg.cholesky(np.linalg.inv(posterior_precision(mode.slopes, errors)))
    generator = np.random.default_rng(SEED)
    z = mode.z + generator.standard_normal((QUICK_DRAWS, len(setting.space.axes))) @ lower.T
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in setting.space.axes), strict=True))
    z = np.clip(z, low, high)
    scales = {target.family: target.discrepancy for target in setting.targets}
    names = (*setting.space.names, *(DISCREPANCY_PREFIX + name for name in scales))
    fixed = np.tile(np.array(list(scales.values())), (QUICK_DRAWS, 1))
    facts: dict[str, Any] = {
        "method": "quick: mode and normal approximation",
        "shared_by_study": load_calibration_rules().shared_by_study,
        "largest_r_hat": 1.0,
        "smallest_effective_size": float(QUICK_DRAWS),
        "divergences": 0,
        "centre": _centre(setting, mode.z),
        "diagnostics": {
            **_overlap(setting, z),
            "misfit_on_the_way_to_the_mode": [round(x, 2) for x in mode.course],
        },
    }
    return names, np.concatenate([_values(setting, z), fixed], axis=1), facts


def _write(
    folder: Path, setting: Setting, names: tuple[str, ...], draws: Array, facts: Mapping[str, Any], mode: Mode
) -> Path:
    complete = {
        **facts,
        "made": datetime.date.today().isoformat(),
        "seed": SEED,
        "model_sha256": model_digest(),
        "parameters_sha256": parameters_digest(),
        "targets_sha256": targets_digest(setting.targets),
        "targets": len(setting.targets),
    }
    text, described = write_posterior(names, draws, complete)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "draws.csv").write_text(text)
    (folder / "slopes.csv").write_text(_slopes_table(setting, mode))
    (folder / "posterior.json").write_text(described)  # last: a posterior without it is not one
    return folder
