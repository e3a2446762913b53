"""The published JSON schema of scenario files, made from the pydantic models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).parent / "schema" / "scenario.schema.json"


def build_scenario_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a scenario file, from the models."""
    from motorpool.simulation.scenario import Scenario

    schema = Scenario.model_json_schema(mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "motorpool scenario"
    schema["required"] = [name for name in schema["required"] if name != "comparator"]
    return schema


def scenario_schema_text() -> str:
    """The schema as the text of the published file."""
    return json.dumps(build_scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema_file() -> Path:
    """Write the published file anew; run after every change of the models."""
    SCHEMA_FILE.write_text(scenario_schema_text(), encoding="utf-8")
    return SCHEMA_FILE
