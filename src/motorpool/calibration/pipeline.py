"""The stages of a calibration: mode, simulations around it, emulator, sampling.

Every simulation is written down, so that an interrupted calibration goes on where it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.emulate import Emulator, fit_emulator
from motorpool.calibration.evaluate import Evaluation, Evaluator, Job
from motorpool.calibration.left_out import Doubt, choose_doubt
from motorpool.calibration.mode import (
    Errors,
    Mode,
    difference_points,
    errors_of,
    jacobian,
    misfit,
    posterior_precision,
    walk_to_mode,
)
from motorpool.calibration.sample import DRAWS, WARMUP, Sampled, sample_posterior
from motorpool.calibration.space import ParameterSpace, parameter_space
from motorpool.calibration.targets import Target, studies_of, targets_of
from motorpool.evidence.parameters import ParameterTable, load_parameter_table
from motorpool.simulation.calibration_state import model_digest, parameters_digest
from motorpool.studies.scale import kind_of, load_calibration_rules

Array = NDArray[np.float64]
Tell = Callable[[str, int, int], None]
"""Called with a stage in words, how much of it is done, and how much there is."""
PATIENTS = 512  # an arm, on the way to the mode, where all meet the same luck
# An arm, for the emulator: every point meets luck of its own, which averages out over the points.
EMULATED_PATIENTS = 256
SAME_POINT = 16  # simulations of the mode under different luck, to see what chance is
REPLICATES = 48  # replicate studies behind the sampling SD of papers without an error
WIDENED = 1.2  # simulations around the mode spread this much wider than the normal approximation
ROUNDS = 12  # of steps to the mode
LEAST_PEOPLE = 20.0  # effective people, so that a target without a prediction has an error at all
ROUGH_WARMUP, ROUGH_DRAWS = 300, 100


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a calibration is about: targets, axes, and the hash of all that decides a simulation."""

    targets: tuple[Target, ...]
    space: ParameterSpace
    table: ParameterTable
    job: Job
    identity: str


def setting_of_calibration(patients: int = PATIENTS) -> Setting:
    """The shipped calibration: the locked set, the parameters that move, and their identity."""
    table, rules = load_parameter_table(), load_calibration_rules()
    studies = studies_of("calibration")
    targets = tuple(target for study in studies for target in targets_of(study, "calibration"))
    job = Job(tuple(study.name for study in studies), "calibration", patients)
    identity = hashlib.sha256(
        (model_digest() + parameters_digest() + targets_digest(targets)).encode()
    ).hexdigest()
    return Setting(targets, parameter_space(table, rules), table, job, identity)


def targets_digest(targets: Sequence[Target]) -> str:
    """Hash of the targets and of how their studies are simulated."""
    from motorpool.studies.study import load_study

    parts = [[t.name, t.value, t.standard_error] for t in targets]
    runs = {t.study: load_study(t.study).run.model_dump(mode="json") for t in targets}
    return hashlib.sha256(json.dumps([parts, runs], sort_keys=True).encode()).hexdigest()


class Calibration:
    """A calibration in a folder, stage by stage.

    Args:
        folder: where simulations are written down and read from again.
        tell: progress.
    """

    def __init__(self, setting: Setting, folder: Path, tell: Tell) -> None:
        """Open the record of simulations."""
        folder.mkdir(parents=True, exist_ok=True)
        self.setting, self.folder, self.tell = setting, folder, tell
        self.evaluator = Evaluator(setting.job, setting.identity, folder / "simulations.jsonl")
        counted = dataclasses.replace(setting.job, count=REPLICATES)
        self.counting = Evaluator(counted, setting.identity, folder / "scatter.jsonl")
        fewer = dataclasses.replace(setting.job, patients=min(EMULATED_PATIENTS, setting.job.patients))
        self.lucks = (
            1  # the next seed; the stages follow in one order, so that a resumed calibration meets the same
        )
        self.emulating = Evaluator(fewer, setting.identity, folder / "emulated.jsonl")

    @property
    def axes(self) -> int:
        """Number of parameters that move."""
        return len(self.setting.space.axes)

    @property
    def simulated(self) -> int:
        """How many simulations of all studies there are."""
        return len(self.evaluator.known) + len(self.emulating.known)

    def simulate(self, points: Sequence[Array], pool: ProcessPoolExecutor, stage: str) -> list[Array]:
        """Predictions (T,) at points ``z``."""
        found = self.evaluator.run(self._sets(points), pool, lambda done, of: self.tell(stage, done, of))
        return [evaluation.values for evaluation in found]

    def simulate_with_own_luck(
        self, points: Sequence[Array], pool: ProcessPoolExecutor, stage: str
    ) -> list[Array]:
        """Predictions (T,) at points ``z``, each with luck of its own."""
        luck = range(self.lucks, self.lucks + len(points))
        self.lucks += len(points)
        found = self.emulating.run(
            self._sets(points), pool, lambda done, of: self.tell(stage, done, of), luck
        )
        return [evaluation.values for evaluation in found]

    def chance(self, z: Array, pool: ProcessPoolExecutor) -> Array:
        """Variance (T,) that luck alone gives the simulations of one point."""
        points = [z] * SAME_POINT
        values = np.stack(self.simulate_with_own_luck(points, pool, "simulating one point again"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a target that nothing predicts
            return np.nan_to_num(np.nanvar(values, axis=0, ddof=1), nan=0.0)

    def scatter(self, z: Array, pool: ProcessPoolExecutor) -> Evaluation:
        """The same at one point, with the scatter of studies of the published size."""
        return self.counting.run(self._sets([z]), pool)[0]

    def _sets(self, points: Sequence[Array]) -> list[dict[str, Any]]:
        return [self.setting.space.values(np.round(z, 6), self.setting.table) for z in points]

    def errors(self, at: Evaluation) -> Errors:
        """Published values and total variances, with the finite simulation's own."""
        targets = self.setting.targets
        published = np.array([t.people for t in targets])
        people = np.maximum(at.effective_people, LEAST_PEOPLE)
        finite = np.nan_to_num(at.sampling_sd, nan=0.0) ** 2 * published / people
        # Nobody of the simulated people is not a share of exactly none: log-odds of small counts scatter widely.
        logit = np.array([kind_of(t.endpoint) == "logit" for t in targets])
        shares = 1.0 / (1.0 + np.exp(-np.where(logit, np.nan_to_num(at.values), 0.0)))
        finite = np.where(logit, 1.0 / ((people + 1.0) * shares * (1.0 - shares)), finite)
        return errors_of(targets, at.sampling_sd, finite)

    def infinite_errors(self, at: Evaluation) -> Errors:
        """The same where luck has been averaged out, as with infinitely many simulated people."""
        return errors_of(self.setting.targets, at.sampling_sd, np.zeros(len(self.setting.targets)))

    def find_mode(
        self, pool: ProcessPoolExecutor, start: Array | None = None, slopes: Array | None = None
    ) -> tuple[Mode, Errors]:
        """Stage 1. With ``slopes`` known from an earlier calibration they are not measured anew."""
        z = np.zeros(self.axes) if start is None else np.asarray(start, float)
        at = self.scatter(z, pool)
        errors = self.errors(at)
        centre = self.simulate([z], pool, "start")[0]
        if slopes is None:
            points, steps = difference_points(z, self.setting.space)
            slopes = jacobian(centre, self.simulate(points, pool, "measuring slopes"), steps)
        first = Mode(z, centre, slopes, (misfit(z, centre, errors),))

        def predict(tried: Sequence[Array]) -> list[Array]:
            return self.simulate(tried, pool, "stepping to the mode")

        mode = walk_to_mode(first, errors, self.setting.space, predict, ROUNDS)
        return mode, self.errors(self.scatter(mode.z, pool))

    def around(self, mode: Mode, errors: Errors, count: int, seed: int) -> list[Array]:
        """Points spread over the normal approximation at the mode, somewhat wider, within the bounds."""
        precision = posterior_precision(mode.slopes, errors)
        lower = np.linalg.cholesky(np.linalg.inv(precision))
        generator = np.random.default_rng(seed)
        low, high = (np.array(s) for s in zip(*(a.reach() for a in self.setting.space.axes), strict=True))
        drawn = generator.standard_normal((count, self.axes)) @ lower.T
        return [np.clip(mode.z + WIDENED * row, low, high) for row in drawn]

    def emulate(
        self,
        mode: Mode,
        errors: Errors,
        points: Sequence[Array],
        values: Sequence[Array],
        chance: Array,
        judged: int | None = None,
    ) -> Emulator:
        """An emulator from simulated points, whose values have the variance ``chance`` (T,) by luck alone.

        Args:
            judged: how many of the last points its error is judged by; all without it.
        """
        return fit_emulator(
            np.stack(points), np.stack(values), mode.z, mode.slopes, errors.variance, chance, judged
        )

    def doubt(self, emulator: Emulator, at: Evaluation, sampled: Sampled) -> Doubt:
        """How wrong the model is about studies that are left out of the fit."""
        fitted = dict(zip(sampled.families, np.median(sampled.discrepancy, axis=0).tolist(), strict=True))
        return choose_doubt(self.setting.targets, emulator, sampled.z.mean(axis=0), at.sampling_sd, fitted)

    def sample(
        self,
        emulator: Emulator,
        at: Evaluation,
        seed: int,
        *,
        doubt: Doubt | None = None,
        rough: bool = False,
    ) -> Sampled:
        """NUTS with the emulator.

        Args:
            doubt: sizes of the discrepancy, which are inferred without it.
            rough: short chains, to see where to simulate next.
        """
        return sample_posterior(
            self.setting.targets,
            emulator,
            at.sampling_sd,
            self.setting.space,
            load_calibration_rules().shared_by_study if doubt is None else doubt.shared,
            seed,
            sizes=None if doubt is None else doubt.sizes,
            warmup=ROUGH_WARMUP if rough else WARMUP,
            draws=ROUGH_DRAWS if rough else DRAWS,
        )
