"""Whether the shipped posterior belongs to this model: the hash of the equations and of the parameter records."""

from __future__ import annotations

import ast
import functools
import hashlib
from importlib import resources
from typing import Any, Literal

from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.posterior import load_posterior

# The rooms whose code is the model. The engine is left out: it solves these equations and is tested apart.
MODEL_ROOMS = ("biology", "therapies", "outcomes", "cohorts")
MODEL_MODULES = tuple([f"motorpool.{room}" for room in MODEL_ROOMS])
CalibrationState = Literal["calibrated", "not calibrated for this model", "not calibrated"]


def calibration_state() -> CalibrationState:
    """What to say of every result: whether its parameters were calibrated for exactly these equations and records."""
    posterior = load_posterior()
    if posterior is None:
        return "not calibrated"
    facts = posterior.facts
    same = facts.model_sha256 == model_digest() and facts.parameters_sha256 == parameters_digest()
    return "calibrated" if same else "not calibrated for this model"


def parameter_words() -> str:
    """What a result says of its parameters, in a few words."""
    return {
        "calibrated": "parameters calibrated on published studies",
        "not calibrated for this model": "parameters not calibrated for this version of the model",
        "not calibrated": "parameters not yet calibrated",
    }[calibration_state()]


@functools.cache
def parameters_digest() -> str:
    """Hash of what the parameter records say of values, bounds and priors."""
    return load_parameter_table().digest()


@functools.cache
def model_digest() -> str:
    """Hash of the equations: the code of the model's rooms without comments, docstrings and layout."""
    whole = hashlib.sha256()
    for room in MODEL_ROOMS:
        folder = resources.files(f"motorpool.{room}")
        for entry in sorted(folder.iterdir(), key=lambda file: file.name):
            if entry.name.endswith(".py"):
                whole.update(f"{room}/{entry.name}".encode())
                whole.update(shape_of_code(entry.read_text(encoding="utf-8")).encode())
    return whole.hexdigest()


def shape_of_code(text: str) -> str:
    """What code says, apart from comments, docstrings, annotations, layout, and where other rooms keep their names."""
    return _shape(ast.parse(text))


def _shape(node: Any) -> str:
    """A syntax tree as text, the same for every Python version: empty fields, docstrings and annotations left out."""
    if isinstance(node, list):
        return "[" + ",".join(_shape(child) for child in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "kind", "ctx") or value is None or value == []:
            continue
        if name == "module" and not value.startswith(MODEL_MODULES):
            continue  # where a name lies in the engine or in a library is not the model
        if name == "body" and isinstance(value, list):
            value = [child for child in value if not _is_docstring(child)]
        parts.append(f"{name}={_shape(value)}")
    return "(" + " ".join(parts) + ")"


def _is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
