"""From a file, a shipped name or plain data to a validated TrialDesign; every failure is one ScenarioError."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import find_file, problems_of, read_text
from motorpool.simulation.overrides import apply_overrides
from motorpool.simulation.yaml_reader import parse_yaml

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign

DESIGNS_FOLDER = Path(__file__).parent / "designs"


def shipped_designs() -> tuple[str, ...]:
    """Names of the designs that come with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in DESIGNS_FOLDER.glob("*.yaml")))


def load_design(
    source: TrialDesign | Mapping[str, Any] | str | Path, overrides: Iterable[str] = ()
) -> TrialDesign:
    """Validate a design from a file path, the name of a shipped design, plain data, or a TrialDesign.

    Args:
        source: where the design is.
        overrides: changes such as "patients=80", applied before validation.

    Raises:
        ScenarioError: with every problem found: path, value, what is allowed, nearest valid name.
    """
    from motorpool.trials.design import TrialDesign, dump_design

    changes = list(overrides)
    if isinstance(source, TrialDesign):
        if not changes:
            return source
        return design_from_data(
            apply_overrides(parse_yaml(dump_design(source)), changes, source.name), source.name
        )
    if isinstance(source, Mapping):
        return design_from_data(apply_overrides(dict(source), changes, "design"))
    label = str(source)
    data = parse_yaml(read_text(find_design_file(source), label), label)
    return design_from_data(apply_overrides(data, changes, label), label)


def find_design_file(source: str | Path) -> Path:
    """The file that is meant: a path, or the name of a shipped design. Raises ScenarioError."""
    return find_file(source, DESIGNS_FOLDER, shipped_designs(), "design")


def design_from_data(data: Any, source: str = "design") -> TrialDesign:
    """Validate plain data. Raises ScenarioError that lists every problem."""
    from motorpool.trials.design import TrialDesign

    if not isinstance(data, Mapping):
        message = (
            "the file has no sections; it must start like `motorpool_trial: 1` (see `motorpool trial init`)"
        )
        raise ScenarioError.single("", message, source=source)
    section = cast("Mapping[str, Any]", data)
    if "motorpool" in section and "motorpool_trial" not in section:
        message = (
            "is a scenario file; a design file starts with `motorpool_trial: 1` (see `motorpool trial init`)"
        )
        raise ScenarioError.single("", message, source=source)
    population = section.get("population")
    if isinstance(population, Mapping) and "patients" in population:
        message = "does not belong here; the size of the trial is `patients`, beside `population`"
        raise ScenarioError.single("population.patients", message, source=source)
    try:
        return TrialDesign.model_validate(section)
    except ValidationError as error:
        raise ScenarioError(problems_of(error, section), source) from None
    except RecursionError:
        raise ScenarioError.single("", "sections are nested too deeply", source=source) from None


def design_schema_text() -> str:
    """The JSON schema of a design file, made from the models."""
    from motorpool.trials.design import TrialDesign

    schema = TrialDesign.model_json_schema(mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "motorpool trial design"
    cohort = schema["$defs"]["Cohort"]
    cohort["properties"].pop("patients", None)
    cohort["required"] = [name for name in cohort["required"] if name != "patients"]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
