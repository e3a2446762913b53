"""A small calibration whose answer is known: targets of mixed kinds, linear or mildly quadratic in a few axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager

import numpy as np

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.evaluate import Evaluation, Job
from motorpool.calibration.sample import Data, shared_loading
from motorpool.calibration.space import Axis, ParameterSpace
from motorpool.calibration.targets import Target
from motorpool.evidence.parameters import Value
from motorpool.studies.scale import load_calibration_rules
from tests.studies.hand_made import endpoint

SCALES = {"proportion": 0.3, "survival": 0.3, "hfmse": 0.3, "chop_intend": 1.5, "time": 0.12}
# Family, outcome, metric, patients, and the standard error (None for counts).
KINDS = (
    ("proportion", "sit_10s", "proportion", 40, None),
    ("hfmse", "hfmse", "mean_change", 60, 0.35),
    ("survival", "death", "survival_proportion", 25, None),
    ("chop_intend", "chop_intend", "mean_change", 50, 1.0),
    ("time", "death", "median_time_months", 30, 0.15),
)


def space_of(dimensions: int, bound: float = 4.0) -> ParameterSpace:
    """Axes with a standard normal prior on the value itself, cut off at ``bound``."""
    return ParameterSpace(
        tuple(Axis(f"made.axis_{i}", None, 0.0, 1.0, False, (-bound, bound)) for i in range(dimensions))
    )


def targets_of_kinds(count: int) -> tuple[Target, ...]:
    """Targets of all kinds in turn, five to a study; their values are made later."""
    found: list[Target] = []
    for number in range(count):
        family, outcome, metric, n, error = KINDS[number % len(KINDS)]
        one = endpoint(outcome, metric, id=f"made_{number}", arm="made", n=n)
        study = f"MADE-{number // len(KINDS)}"
        found.append(Target(study, one, 0.0, error, family, SCALES[family], float(n)))
    return tuple(found)


def emulator_of(targets: int, dimensions: int, seed: int, bend: float, error: float = 0.05) -> Emulator:
    """An exact emulator: slopes of about one sampling error per prior SD or more, curvature ``bend`` times that."""
    generator = np.random.default_rng(seed)
    size = np.array([(0.8, 0.8, 0.8, 2.5, 0.3)[number % len(KINDS)] for number in range(targets)])
    curvature = generator.normal(size=(targets, dimensions, dimensions)) * size[:, None, None]
    return Emulator(
        centre=np.zeros(dimensions),
        level=0.3 * generator.normal(size=targets) * size,
        slopes=generator.normal(size=(targets, dimensions)) * size[:, None],
        axes=np.tile(np.arange(dimensions), (targets, 1)),
        curvature=bend * 0.5 * (curvature + curvature.transpose(0, 2, 1)),
        error_sd=error * size,
    )


def draw_truth(
    space: ParameterSpace, targets: tuple[Target, ...], shared: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters (D,), discrepancies (F,) by family and deviations of studies (S,), each from its prior."""
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in space.axes), strict=True))
    z = generator.standard_normal(len(space.axes))
    while not ((z > low) & (z < high)).all():
        z = generator.standard_normal(len(space.axes))
    scales = np.array([SCALES[family] for family in dict.fromkeys(t.family for t in targets)])
    relative = np.abs(generator.standard_normal(scales.size))
    studies = len({t.study for t in targets})
    return z, relative * scales, generator.standard_normal(studies)


def draw_data(
    mean: np.ndarray,
    discrepancy: np.ndarray,
    of_study: np.ndarray,
    targets: tuple[Target, ...],
    error_sd: np.ndarray,
    shared: float,
    generator: np.random.Generator,
) -> Data:
    """What studies would have found: the model's figures, its discrepancies, and chance, with heavy tails."""
    tails = load_calibration_rules().tails_degrees_of_freedom
    families = list(dict.fromkeys(t.family for t in targets))
    studies = list(dict.fromkeys(t.study for t in targets))
    figures, counts = np.zeros(len(targets)), np.zeros(len(targets), int)
    for place, target in enumerate(targets):
        size = discrepancy[families.index(target.family)]
        loading = shared_loading(target.endpoint, shared)
        common = size * loading * of_study[studies.index(target.study)]
        error = target.standard_error or 0.0
        spread = np.sqrt((1 - loading**2) * size**2 + error_sd[place] ** 2 + error**2)
        there = mean[place] + common + spread * generator.standard_t(tails)
        if target.standard_error is None:
            assert target.endpoint.n is not None
            counts[place] = generator.binomial(target.endpoint.n, 1 / (1 + np.exp(-there)))
        else:
            figures[place] = there
    return Data(figures, counts)


class Pool(AbstractContextManager["Pool"]):
    """Stands in for the worker processes: works at once, keeps what it was asked, and is interrupted where it should.

    Args:
        interrupted_at: number of the simulation, counted from 0, at which it is interrupted.
    """

    def __init__(self, interrupted_at: int | None = None) -> None:
        self.asked: list[Mapping[str, Value]] = []
        self.jobs: list[Job] = []
        self.interrupted_at = interrupted_at

    def __exit__(self, *error: object) -> None:
        return None

    def submit(
        self, work: Callable[..., Evaluation], values: Mapping[str, Value], job: Job
    ) -> Future[Evaluation]:
        future: Future[Evaluation] = Future()
        if len(self.asked) == self.interrupted_at:
            future.set_exception(KeyboardInterrupt())
        else:
            future.set_result(work(values, job))
        self.asked.append(values)
        self.jobs.append(job)
        return future
