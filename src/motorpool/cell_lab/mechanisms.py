"""Each of the five mechanisms switched on or off, or set to an effect of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.errors import CellLabError, not_one_of
from motorpool.cell_lab.unknowns import Array, mechanism_effects
from motorpool.therapies.courses import CellTherapy
from motorpool.therapies.kinds import CELL_MECHANISMS

MOST_SMD = 3.0
Setting = Literal["on", "off"] | float


@dataclass(frozen=True)
class Mechanisms:
    """What each mechanism does: its share of the total effect (on), nothing (off), or a stated effect in SD.

    ``total`` is a stated total effect in SD, or None for the prior's.
    """

    settings: Mapping[str, Setting] = field(default_factory=lambda: dict.fromkeys(CELL_MECHANISMS, "on"))
    total: float | None = None

    @property
    def from_prior(self) -> bool:
        """Whether anything still comes from the prior."""
        return self.total is None and any(value == "on" for value in self.settings.values())

    @property
    def nothing(self) -> bool:
        """Whether cells are assumed to do nothing at all."""
        if self.total == 0.0:
            return all(value in ("on", "off", 0.0) for value in self.settings.values())
        return all(value in ("off", 0.0) for value in self.settings.values())

    def effects(self, values: Mapping[str, Array]) -> NDArray[np.float64]:
        """Effect of each mechanism, (N, 5) in SD, under N draws of the unknowns."""
        used = dict(values)
        if self.total is not None:
            used["total_effect_smd"] = np.full(np.shape(values["total_effect_smd"]), self.total)
        found = mechanism_effects(used)
        for column, name in enumerate(CELL_MECHANISMS):
            setting = self.settings[name]
            if setting != "on":
                found[:, column] = 0.0 if setting == "off" else float(setting)
        return found

    def described(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {"total_effect_smd": "prior" if self.total is None else self.total, **self.settings}


def of_course(course: CellTherapy) -> Mechanisms:
    """What a course of a scenario file says of its mechanisms and effect."""
    settings: dict[str, Setting] = {
        name: "on" if getattr(course.mechanisms, name) else "off" for name in CELL_MECHANISMS
    }
    if course.effect == "none":
        return Mechanisms(dict.fromkeys(CELL_MECHANISMS, "off"))
    return Mechanisms(settings, None if course.effect == "prior" else float(course.effect))


def changed(base: Mechanisms, changes: Iterable[str], where: str = "--mechanism") -> Mechanisms:
    """The mechanisms with changes such as ``neuroprotection=off`` or ``muscle=0.2``.

    Raises:
        CellLabError: an unknown mechanism, or a value that is neither on, off nor a number of SD.
    """
    settings = dict(base.settings)
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise CellLabError(f"{where}: {change[:60]!r} must look like NAME=on, NAME=off or NAME=0.2.")
        settings[_name(name.strip(), where)] = _setting(text.strip(), f"{where} {name.strip()}")
    return Mechanisms(settings, base.total)


def read_mechanisms(path: Path, base: Mechanisms) -> Mechanisms:
    """The mechanisms as a YAML file says: a mapping of mechanism to on, off or an effect in SD.

    Raises:
        CellLabError: the file cannot be read or holds something else.
    """
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CellLabError(f"{path}: cannot be read as YAML: {error}") from None
    if not isinstance(content, dict) or not content:
        raise CellLabError(f"{path}: must map mechanisms to on, off or a number, such as `muscle: 0.2`.")
    settings = dict(base.settings)
    for name, value in cast("dict[object, object]", content).items():
        text = {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        settings[_name(str(name), str(path))] = _setting(text, f"{path}: {name}")
    return Mechanisms(settings, base.total)


def stated_total(base: Mechanisms, text: str) -> Mechanisms:
    """The mechanisms with a total effect: ``prior``, ``none`` or a number of SD.

    Raises:
        CellLabError: it is none of these.
    """
    if text == "prior":
        return Mechanisms(base.settings, None)
    if text == "none":
        return Mechanisms(base.settings, 0.0)
    return Mechanisms(base.settings, _number(text, "--effect", "prior, none, or a number"))


def _name(name: str, where: str) -> str:
    if name not in CELL_MECHANISMS:
        raise not_one_of(where, name, CELL_MECHANISMS)
    return name


def _setting(text: str, where: str) -> Setting:
    if text in ("on", "off"):
        return cast("Setting", text)
    return _number(text, where, "on, off, or a number")


def _number(text: str, where: str, allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not -MOST_SMD <= value <= MOST_SMD:
        limits = f"from {-MOST_SMD:g} to {MOST_SMD:g} (standard deviations of 12-month change)"
        raise CellLabError(f"{where}: {text[:60]!r} must be {allowed} {limits}.")
    return value
