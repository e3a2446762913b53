"""What every evidence file shares: strict records, a YAML reader that refuses repeated keys, one error.

Only the modules of this package know file formats; everybody else receives typed, frozen records.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from importlib import resources
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Origin = Literal["publication", "judgement"]
"""Where a figure comes from: read in or recalled from a publication, or an open judgement."""

Interval = tuple[float, float]

RecordType = TypeVar("RecordType", bound="EvidenceRecord")


class EvidenceError(ValueError):
    """An evidence file, or a name asked for, is wrong; the message says which and what is allowed."""

    exit_code = 2


class EvidenceRecord(BaseModel):
    """Base of all evidence records: unknown fields are errors and nothing can be changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# The loader in C parses several times faster where it was built.
_FastestSafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_FastestSafeLoader):
    """Safe YAML loader for which a repeated key is an error instead of a silent overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build the mapping of ``node``; raise :class:`EvidenceError` on a repeated key."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key: Any = self.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownMemberType]
            if key in seen:
                raise EvidenceError(f"line {key_node.start_mark.line + 1}: key {key!r} appears twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_evidence_yaml(*path: str) -> dict[str, Any]:
    """Read one YAML mapping below ``evidence/data``, such as ``read_evidence_yaml("facts", "care.yaml")``.

    Raises:
        EvidenceError: the file is absent, not YAML, repeats a key or is not a mapping.
    """
    name = "/".join(path)
    entry = resources.files("motorpool.evidence").joinpath("data", *path)
    if not entry.is_file():
        raise EvidenceError(f"{name}: no such evidence file")
    try:
        content: Any = yaml.load(entry.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise EvidenceError(f"{name}: not valid YAML: {error}") from error
    except EvidenceError as error:
        raise EvidenceError(f"{name}: {error}") from error
    if not isinstance(content, dict):
        raise EvidenceError(f"{name}: expected a mapping of names to records, got {type(content).__name__}")
    return content  # pyright: ignore[reportUnknownVariableType]


def list_evidence_files(folder: str) -> list[str]:
    """Return the sorted names, without ``.yaml``, of the files in one folder below ``evidence/data``."""
    directory = resources.files("motorpool.evidence").joinpath("data", folder)
    names = (entry.name for entry in directory.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def build_record(kind: type[RecordType], fields: Mapping[str, Any], where: str) -> RecordType:
    """Validate ``fields`` as a ``kind``; ``where`` (file and id) leads the message of the error.

    Raises:
        EvidenceError: naming the place, the field and what is wrong with it.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'record'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise EvidenceError(f"{where}: {problems}") from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> EvidenceError:
    """Return the error for a name that does not exist, with the nearest existing one."""
    names = sorted(known)
    by_lower_case = {entry.lower(): entry for entry in names}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.0)
    hint = f"; the nearest is {by_lower_case[near[0]]!r}" if near else ""
    return EvidenceError(f"unknown {kind} {name!r}{hint} ({len(names)} are known)")


class RiskOfBias(EvidenceRecord):
    """How far a figure can be trusted, and why."""

    level: Literal["low", "some", "serious", "critical", "unclear"]
    reason: str


def check_interval(value: float, interval: Interval | None) -> None:
    """Raise ``ValueError`` unless ``interval`` is ordered and contains ``value``."""
    if interval is None:
        return
    low, high = interval
    if low > high:
        raise ValueError(f"interval {list(interval)} must be increasing")
    if not low <= value <= high:
        raise ValueError(f"value {value} lies outside its interval {list(interval)}")
