"""The shipped posterior: draws of the calibrated parameters, what they were made from, and how well they mixed."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from motorpool.evidence.parameters import ParameterTable, Value
from motorpool.evidence.records import EvidenceError, EvidenceRecord, build_record

FOLDER = "posterior"
DISCREPANCY_PREFIX = "discrepancy:"
Array = NDArray[np.float64]


class PosteriorFacts(EvidenceRecord):
    """What the draws were made from, and their diagnostics.

    ``model_sha256`` is the hash of the equations and ``parameters_sha256`` that of the parameter records at the time;
    ``draws_sha256`` that of the file of draws. ``centre`` holds the calibrated central value of every axis,
    ``shared_by_study`` the share of a discrepancy's variance that the endpoints of one study have in common.
    """

    made: str
    method: str
    seed: int
    model_sha256: str
    parameters_sha256: str
    targets_sha256: str
    draws_sha256: str
    draws: int
    targets: int
    simulations: int
    largest_r_hat: float
    smallest_effective_size: float
    divergences: int
    shared_by_study: float = Field(ge=0, le=1)
    centre: Mapping[str, float]
    diagnostics: Mapping[str, Any] = {}


class Posterior:
    """Draws of parameters (S, D) and of the model's discrepancies (S, F) by family."""

    def __init__(self, facts: PosteriorFacts, names: tuple[str, ...], draws: Array) -> None:
        """Keep parameters and discrepancies apart."""
        self.facts = facts
        inside = [i for i, name in enumerate(names) if not name.startswith(DISCREPANCY_PREFIX)]
        self.names = tuple(names[i] for i in inside)
        self.parameters = draws[:, inside]
        self.discrepancies = {
            name.removeprefix(DISCREPANCY_PREFIX): draws[:, i]
            for i, name in enumerate(names)
            if name.startswith(DISCREPANCY_PREFIX)
        }

    def __len__(self) -> int:
        return int(self.parameters.shape[0])

    def values(self, number: int | None, table: ParameterTable) -> dict[str, Value]:
        """Parameter values of one draw (its number may exceed the number of draws), or the central ones for ``None``.

        Axes of parameters that no longer exist are left out.
        """
        if number is None:
            row = [self.facts.centre[name] for name in self.names]
        else:
            row = [float(x) for x in self.parameters[number % len(self)]]
        found: dict[str, Value] = {}
        for name, x in zip(self.names, row, strict=True):
            head, _, tail = name.rpartition(".")
            if name in table:
                found[name] = x
            elif tail.isdigit() and head in table:
                entries = list(found.get(head, table[head].values))  # type: ignore[arg-type]
                entries[int(tail)] = x
                found[head] = tuple(entries)
        return found


def write_posterior(names: tuple[str, ...], draws: Array, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Text of the two files of a posterior: the draws (CSV) and the facts (JSON)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[f"{x:.6g}" for x in row] for row in draws])
    text = buffer.getvalue()
    complete = {**facts, "draws_sha256": hashlib.sha256(text.encode()).hexdigest(), "draws": len(draws)}
    checked = build_record(PosteriorFacts, complete, "posterior.json")
    return text, json.dumps(checked.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def read_posterior(draws: str, facts: str) -> Posterior:
    """A posterior from the texts of its two files.

    Raises:
        EvidenceError: the files do not belong together or are damaged.
    """
    try:
        record = build_record(PosteriorFacts, json.loads(facts), "posterior.json")
    except json.JSONDecodeError as error:
        raise EvidenceError(f"posterior.json: not valid JSON: {error}") from error
    if hashlib.sha256(draws.encode()).hexdigest() != record.draws_sha256:
        raise EvidenceError("posterior: the file of draws is not the one that posterior.json describes")
    rows = list(csv.reader(io.StringIO(draws)))
    return Posterior(record, tuple(rows[0]), np.array(rows[1:], np.float64))


@functools.cache
def load_posterior() -> Posterior | None:
    """The shipped posterior, or ``None`` where there is none.

    Raises:
        EvidenceError: the files are damaged.
    """
    folder = resources.files("motorpool.evidence").joinpath("data", FOLDER)
    draws, facts = folder.joinpath("draws.csv"), folder.joinpath("posterior.json")
    if not (draws.is_file() and facts.is_file()):
        return None
    return read_posterior(draws.read_text(encoding="utf-8"), facts.read_text(encoding="utf-8"))
