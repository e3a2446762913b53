"""Protocols of cells as points of a grid: their parts, what they cost, how long they take."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.cell_lab.errors import CellLabError, not_one_of
from motorpool.cell_lab.plan import validated_cells
from motorpool.evidence.cell_protocols import Level, load_priced_items, load_protocol_axes
from motorpool.evidence.facts import load_facts
from motorpool.therapies.courses import CellTherapy

DAYS_PER_WEEK = 7.0
STARTS = ("start_months", "start_age_months")
FIRST_AXES = ("doses", "interval_weeks", "route", "cell_type")  # compared unless others are asked for


@dataclass(frozen=True)
class Protocol:
    """One protocol: a level of every axis."""

    levels: tuple[tuple[str, Level], ...]

    @property
    def settings(self) -> dict[str, Level]:
        """Levels by axis."""
        return dict(self.levels)

    @property
    def weeks(self) -> float:
        """From the first to the last dose."""
        chosen = self.settings
        return (float(chosen["doses"]) - 1.0) * float(chosen["interval_weeks"])

    def course(self) -> CellTherapy:
        """The course of therapy; raises CellLabError where the engine cannot give it."""
        chosen = self.settings
        data: dict[str, Any] = {
            "therapy": "cell_therapy",
            **{k: v for k, v in chosen.items() if k not in STARTS},
        }
        data["doses"] = int(data["doses"])
        if data["doses"] == 1:
            data.pop("interval_weeks")
        if chosen["start_months"] and chosen["start_age_months"]:
            raise CellLabError(
                "--axis: start_months and start_age_months both say when to begin; compare one."
            )
        if chosen["start_age_months"]:
            data["start"] = {"age_months": float(chosen["start_age_months"])}
        elif chosen["start_months"]:
            days = float(chosen["start_months"]) * HOURS_PER_MONTH / HOURS_PER_DAY
            data["start"] = {"at": "enrolment", "delay_days": days}
        return validated_cells(data, "protocol")

    def words(self) -> str:
        """The protocol in a line."""
        chosen = self.settings
        number = int(float(chosen["doses"]))
        times = (
            "one dose"
            if number == 1
            else f"{number} doses, every {float(chosen['interval_weeks']):.3g} weeks"
        )
        parts = [f"{chosen['cell_type']} cells, {chosen['route']}, {times}"]
        parts.append(f"{float(chosen['million_cells_per_kg']):g} million per kg")
        if chosen["viability"] != usual_levels()["viability"]:
            parts.append(f"{100 * float(chosen['viability']):g} % alive")
        if chosen["immunosuppression"]:
            parts.append("with immunosuppression")
        if chosen["start_months"]:
            parts.append(f"from month {float(chosen['start_months']):g}")
        if chosen["start_age_months"]:
            parts.append(f"from {float(chosen['start_age_months']):g} months of age")
        return ", ".join(parts)


def axes_from(texts: Iterable[str]) -> dict[str, tuple[Level, ...]]:
    """Axes to compare, such as ``doses=1,3,6`` or ``route`` for its default levels.

    Raises:
        CellLabError: an unknown axis, or a level that it cannot have.
    """
    known = load_protocol_axes()
    chosen: dict[str, tuple[Level, ...]] = {}
    for text in texts:
        name, equals, levels = text.partition("=")
        if name not in known:
            raise not_one_of("--axis", name, known)
        chosen[name] = known[name].levels
        if equals:
            chosen[name] = tuple(
                _level(name, level.strip(), known[name].levels)
                for level in levels.split(",")
                if level.strip()
            )
        if not chosen[name]:
            raise CellLabError(
                f"--axis {name}: needs at least one level, such as {name}={known[name].levels[0]}."
            )
    return chosen or {name: known[name].levels for name in FIRST_AXES}


def _level(axis: str, text: str, usual: Sequence[Level]) -> Level:
    """A level as the user writes it, of the kind that the axis has; raises CellLabError."""
    import yaml

    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if isinstance(usual[0], str):
        fits, allowed = isinstance(value, str), f"a word, such as {usual[0]}"
    elif isinstance(usual[0], bool):
        fits, allowed = isinstance(value, bool), "true or false"
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        whole = axis == "doses"
        fits = number and (not whole or float(value).is_integer())
        allowed = f"a {'whole ' if whole else ''}number, such as {usual[-1]:g}"
        if axis in STARTS:  # a course's own checks see no start of 0, and would not name this axis
            fits, allowed = fits and value >= 0, f"{allowed}, from 0"
    if not fits:
        raise CellLabError(f"--axis {axis}: {text[:60]!r} must be {allowed}.")
    return value


def all_axes(
    chosen: Mapping[str, Sequence[Level]], usual: CellTherapy | None = None
) -> dict[str, tuple[Level, ...]]:
    """Levels of every axis; what is not compared stays as in the usual protocol, or as the scenario's cells say."""
    found: dict[str, tuple[Level, ...]] = {}
    for name in load_protocol_axes():
        if name in chosen:
            found[name] = tuple(chosen[name])
            continue
        own = None if usual is None or name in STARTS else getattr(usual, name, None)
        found[name] = (usual_levels()[name] if own is None else own,)
    return found


@functools.cache
def usual_levels() -> dict[str, Level]:
    """What a plan means that says nothing: the levels of the published protocols, as in every scenario."""
    dosing, protocols = load_facts("dosing"), load_facts("protocols")
    plain = CellTherapy(therapy="cell_therapy")
    return {
        "cell_type": plain.cell_type,
        "route": plain.route,
        "million_cells_per_kg": dosing.fact("cells_trial_oh2018_million_per_kg").number,
        "doses": dosing.fact("cells_trial_umbilical_doses").number,
        "interval_weeks": round(dosing.fact("cells_redose_interval_days").number / DAYS_PER_WEEK, 3),
        **dict.fromkeys(STARTS, 0.0),
        "viability": protocols.fact("cells_viability").number,
        "immunosuppression": plain.immunosuppression,
    }


def grid(axes: Mapping[str, Sequence[Level]]) -> list[Protocol]:
    """All protocols of the axes; an interval has no meaning for a single dose, which appears once.

    Raises:
        CellLabError: a level that no protocol can have.
    """
    names = list(axes)
    found: dict[Protocol, None] = {}
    for levels in itertools.product(*axes.values()):
        chosen = dict(zip(names, levels, strict=True))
        if isinstance(chosen["doses"], int | float) and float(chosen["doses"]) == 1.0:
            chosen["interval_weeks"] = axes["interval_weeks"][0]
        protocol = Protocol(tuple(chosen.items()))
        protocol.course()
        found[protocol] = None
    return list(found)


def read_prices(path: Path) -> dict[str, tuple[float, float]]:
    """Prices of a user's own: a YAML mapping of item to ``{usd: [low, high], source: where from}``.

    Raises:
        CellLabError: an unknown item, a price without a source, or something that is no price.
    """
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CellLabError(f"{path}: cannot be read as YAML: {error}") from None
    if not isinstance(content, dict):
        raise CellLabError(
            f"{path}: must map items to prices, such as `lumbar_puncture: {{usd: 900, source: ...}}`."
        )
    found: dict[str, tuple[float, float]] = {}
    for name, entry in cast("dict[object, object]", content).items():
        if str(name) not in load_priced_items():
            raise not_one_of(str(path), str(name), load_priced_items())
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        if not str(fields.get("source") or "").strip():
            raise CellLabError(f"{path}: {name}: has no source; a price without one is not used.")
        usd: Any = fields.get("usd")
        ends: list[Any] = cast("list[Any]", usd) if isinstance(usd, list) else [usd, usd]
        fits = len(ends) == 2 and all(
            isinstance(end, int | float) and not isinstance(end, bool) and end >= 0 for end in ends
        )
        if not fits or ends[0] > ends[1]:
            raise CellLabError(f"{path}: {name}: usd {usd!r} must be a number from 0, or [low, high].")
        found[str(name)] = (float(ends[0]), float(ends[1]))
    return found


def cost_of(protocol: Protocol, prices: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Cost range of a protocol in USD per person, and the parts that have no price on record, by name."""
    chosen = protocol.settings
    doses = float(chosen["doses"])
    needle = "lumbar_puncture" if chosen["route"] == "intrathecal" else "intravenous_infusion"
    parts = {"cell_dose": doses, needle: doses}
    if chosen["immunosuppression"]:
        parts["immunosuppression"] = 1.0
    items = load_priced_items()
    known = {name: prices.get(name) or items[name].range_usd() for name in parts}
    priced = {name: ends for name, ends in known.items() if ends is not None}
    return {
        "usd_low": sum(parts[name] * ends[0] for name, ends in priced.items()),
        "usd_high": sum(parts[name] * ends[1] for name, ends in priced.items()),
        "covers": [items[name].label for name in priced],
        "without_a_price": [items[name].label for name in parts if name not in priced],
    }
