"""The people of one description, kept between redraws: who is recruited does not depend on the plans, and a plan that
did not change is not simulated again. The numbers are those of `motorpool simulate` for the same scenario."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from motorpool.simulation.arm import ArmResults, simulate_arm
from motorpool.simulation.layout import Arrays, arrays_of, dataset_of, in_final_order, joined
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.wrong_numbers import wrong_numbers
from motorpool.web.timing import layer

if TYPE_CHECKING:
    import xarray as xr

# Of some hundred people each, up to two megabytes; enough for a few descriptions with all their sets of parameters.
COHORTS_KEPT = 48
ARMS_KEPT = 72
DRAWS_KEPT = 32

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Tell = Callable[[str, float], None]


class Kept(Generic[Key, Value]):
    """The last values made, by key; the one not used for longest goes first. Safe between threads."""

    def __init__(self, most: int) -> None:
        """Keep at most so many."""
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._in_work: dict[Key, threading.Lock] = {}
        self._most, self._lock = most, threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value kept under the key, or a new one; who asks while it is being made waits for it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._in_work.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
            finally:
                with self._lock:
                    self._in_work.pop(key, None)
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
        return value


class Population:
    """Simulates scenarios with people and plans kept from earlier ones."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._draws: Kept[Any, Draw] = Kept(DRAWS_KEPT)
        self._cohorts: Kept[Any, Recruited] = Kept(COHORTS_KEPT)
        self._arms: Kept[Any, ArmResults] = Kept(ARMS_KEPT)

    def dataset(self, scenario: Scenario, tell: Tell = lambda stage, share: None) -> xr.Dataset:
        """The labelled dataset of a scenario, the same bits as those of `motorpool.simulation.run.run`.

        Args:
            scenario: small enough that each draw is one part of a run.
            tell: called with the stage and the share done; may raise `Superseded` to stop.

        Raises:
            ScenarioError: the cohort's criteria cannot be met.
        """
        people = json.dumps(
            scenario.model_dump(mode="json", include={"cohort", "care", "uncertainty", "seed"}),
            sort_keys=True,
        )
        setting = (people, scenario.horizon_months, scenario.visit_months(), scenario.observation.blinding)
        found: list[Arrays] = []
        cohorts: list[Recruited] = []
        halved: list[int] = []
        steps = scenario.draws * (1 + len(scenario.arms))
        for number in range(scenario.draws):

            def stage(done: float, number: int = number) -> None:
                tell("simulating", (number * (1 + len(scenario.arms)) + done) / steps)

            stage(0.0)
            index = number if scenario.uncertainty.knowledge_draws else None
            draw = self._draws.get((index, scenario.seed), lambda i=index: parameter_draw(i, scenario.seed))
            with layer("people"):
                cohort = self._cohorts.get(
                    (people, index),
                    lambda d=draw, tell_on=stage: recruit(scenario, d, lambda share: tell_on(0.0)),
                )
            arms: list[ArmResults] = []
            for place, arm in enumerate(scenario.arms):
                stage(1.0 + place)
                plan = json.dumps([course.model_dump(mode="json") for course in scenario.courses_of(arm)])
                with layer("engine"):
                    arms.append(
                        self._arms.get(
                            (setting, index, plan),
                            lambda a=arm, c=cohort, d=draw: simulate_arm(scenario, a, c, d),
                        )
                    )
            excluded, _ = wrong_numbers(scenario, arms, cohort.patient_numbers)
            arrays = {**arrays_of(scenario, cohort, arms), "excluded": excluded[None]}
            found.append(in_final_order(scenario, arrays))
            cohorts.append(cohort)
            halved.append(int(np.any([arm.halvings > 0 for arm in arms], axis=0).sum()))
        with layer("results"):
            return self._labelled(scenario, found, cohorts, halved)

    @staticmethod
    def _labelled(
        scenario: Scenario, found: list[Arrays], cohorts: list[Recruited], halved: list[int]
    ) -> xr.Dataset:
        together = found[0] if len(found) == 1 else joined(scenario, found, "draw")
        dataset = dataset_of(scenario, together, range(len(found))).assign(
            tried=("draw", np.asarray([cohort.tried for cohort in cohorts])),
            effective_sample_size=("draw", np.asarray([cohort.effective_sample_size for cohort in cohorts])),
            steps_halved=("draw", np.asarray(halved)),
        )
        return dataset.assign_attrs(refused=json.dumps(cohorts[0].refused, sort_keys=True))
