"""What the verbs of trials are given: designs, truths and variants, checked, with what is allowed in every message."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from motorpool.cli.console import InputProblem
from motorpool.cli.study_text import hint

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign
    from motorpool.trials.truth import Truth
    from motorpool.trials.workers import BlockWorkers

MOST_REPLICATES = 1_000_000
PEOPLE, LEAST_PEOPLE, MOST_PEOPLE = 1024, 32, 100_000
DRAWS, MOST_DRAWS = 64, 1000
FILE_HELP = "Design file, or the name of a shipped design (see `motorpool trial list`)."
SET_HELP = "Change one entry of the design; can be given several times."
CLUSTER_HELP = (
    "Simulate on the workers of this Dask scheduler, such as tcp://10.0.0.5:8786; `local` starts a worker for each "
    "core of this machine."
)


def design_of(file: str, changes: list[str], seed: int | None) -> TrialDesign:
    """The design of a file or a shipped name, with changes. Raises ScenarioError."""
    from motorpool.trials.design_file import load_design

    return load_design(file, [*changes, *([] if seed is None else [f"seed={seed}"])])


def truth_of(text: str, design: TrialDesign) -> Truth:
    """The truth that an option names; says what is allowed and where it has a meaning."""
    from motorpool.trials.truth import Truth

    kind, equals, number = text.partition("=")
    plain, valued = ("model", "null"), ("drift", "share", "cells")
    if kind not in (*plain, *valued):
        raise InputProblem(
            f"--truth: {text!r} must be model, null, drift=NUMBER, share=NUMBER or cells=NUMBER."
            + hint(kind, [*plain, *valued])
        )
    if kind in plain:
        if equals:
            raise InputProblem(f"--truth: {kind} has no number.")
        return Truth("model" if kind == "model" else "null")
    try:
        value = float(number)
    except ValueError:
        raise InputProblem(f"--truth: {text!r} must be {kind}=NUMBER.") from None
    limits = {"drift": (-100.0, 100.0), "share": (0.0, 1.0), "cells": (-3.0, 3.0)}[kind]
    if not limits[0] <= value <= limits[1]:
        raise InputProblem(f"--truth: {value:g} must lie from {limits[0]:g} to {limits[1]:g}.")
    if kind == "cells":
        if not design.cells_decide:
            raise InputProblem(
                f"--truth: {text}: cells do not part the arms of {design.name}; use share=NUMBER."
            )
        return Truth("cells", value)
    if kind == "drift" and design.endpoints[0].outcome is None:
        raise InputProblem(
            f"--truth: {text}: the first endpoint of {design.name} is no score and cannot drift."
        )
    return Truth("drift" if kind == "drift" else "share", value)


def workers_of(cluster: str | None) -> AbstractContextManager[BlockWorkers | None]:
    """The workers of a cluster, to be called in; none where no cluster is named. Raises ClusterError."""
    if cluster is None:
        return nullcontext()
    from motorpool.trials.workers import trial_workers

    return trial_workers(cluster)


def variants_of(given: list[str]) -> dict[str, list[str]]:
    """Changes by the name of the variant, from `NAME:PATH=VALUE`."""
    found: dict[str, list[str]] = {}
    for each in given:
        name, colon, change = each.partition(":")
        if not colon or not name.strip() or "=" not in change:
            raise InputProblem(f"--variant: {each!r} must be NAME:PATH=VALUE, for example few:patients=60.")
        found.setdefault(name.strip(), []).append(change.strip())
    return found


def print_json(content: Any) -> None:
    """Print plain data as JSON on standard output."""
    import json

    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
