"""Published studies and their endpoints in words and columns, as the verbs `studies` and `evidence` print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from motorpool.studies.words import SHARES, unit_of

if TYPE_CHECKING:
    from motorpool.evidence.ledger import LedgerFigure
    from motorpool.evidence.published import PublishedEndpoint, PublishedStudy

_METRIC_WORDS = {
    "survival_proportion": "share without",
    "proportion": "share",
    "median_time_months": "median time to",
    "median_age_months": "median age at",
    "hazard_ratio": "hazard ratio of",
    "sd": "SD of",
    "sd_change": "SD of the change of",
    "mean_change": "mean change of",
    "median_change": "median change of",
    "percent_change": "percent change of",
    "change_per_year": "change per year of",
    "difference": "difference of",
    "mean": "mean",
    "median": "median",
}


def measured(endpoint: PublishedEndpoint) -> str:
    """What an endpoint measures, in a few words."""
    threshold = ""
    for name, words in (("change_at_least", "change"), ("value_at_least", "value")):
        limit = getattr(endpoint, name)
        if limit is not None:
            threshold = f", {words} {'at least' if limit >= 0 else 'at most'} {limit:g}"
    outcome = endpoint.outcome.replace("_", " ")
    ever = ", ever" if endpoint.ever else ""
    newly = ", newly" if endpoint.newly else ""
    return f"{_METRIC_WORDS[endpoint.metric]} {outcome}{threshold}{ever}{newly}"


def when(endpoint: PublishedEndpoint) -> str:
    """When an endpoint was measured."""
    parts: list[str] = []
    if endpoint.age_band_months is not None:
        low, high = endpoint.age_band_months
        parts.append(f"age {_number(low)} to {_number(high)} months")
    if endpoint.age_months is not None:
        parts.append(f"age {_number(endpoint.age_months)} months")
    elif endpoint.time_months is not None:
        parts.append("enrolment" if endpoint.time_months == 0 else f"month {_number(endpoint.time_months)}")
    return ", ".join(parts)


def value_text(
    endpoint: PublishedEndpoint, value: float, low: float | None, high: float | None, digits: int = 4
) -> str:
    """A value with its interval, in the endpoint's unit and to so many significant digits; shares in per cent."""
    factor, unit = (100.0, "%") if endpoint.metric in SHARES else (1.0, unit_of(endpoint))
    interval = ""
    if low is not None and high is not None:
        interval = f" ({_number(factor * low, digits)} to {_number(factor * high, digits)})"
    return f"{_number(factor * value, digits)}{interval} {unit}".rstrip()


def arm_text(endpoint: PublishedEndpoint) -> str:
    """The arm of an endpoint, and what it is compared with."""
    against = f" against {endpoint.comparator_arm}" if endpoint.comparator_arm else ""
    return f"{endpoint.arm}{against}"


def set_text(study: str, endpoint: PublishedEndpoint) -> str:
    """Which locked set an endpoint belongs to, or why it is no target."""
    from motorpool.evidence.study_sets import load_study_sets

    if endpoint.not_scored is not None:
        return f"no target: {endpoint.not_scored}"
    return load_study_sets().of(study, endpoint.id) or "in no set"


def study_rows(study: PublishedStudy, citations: Iterable[str]) -> list[tuple[str, str]]:
    """A study as names and values: who, what, how trustworthy, which set, and whether it can be simulated."""
    from motorpool.evidence.study_sets import load_study_sets

    rows = [("study", study.study), ("title", study.title), ("people", _one_line(study.population))]
    rows += [("arm", f"{name}: {_one_line(words)}") for name, words in study.arms.items()]
    if study.risk_of_bias is not None:
        rows.append(("risk of bias", f"{study.risk_of_bias.level}: {_one_line(study.risk_of_bias.reason)}"))
    if study.patient_groups:
        rows.append(("groups", ", ".join(study.patient_groups)))
    member = load_study_sets().studies.get(study.study)
    if member is not None:
        others = "".join(f"; {name}: {chosen}" for name, chosen in member.except_endpoints.items())
        rows.append(("set", f"{member.set}{others} ({member.reason})"))
    if study.run is None:
        rows.append(("simulated", f"no: {_one_line(study.not_run or 'it has no run section')}"))
    else:
        rows += run_rows(study.run)
    rows += [("source", citation) for citation in citations]
    return rows


def run_rows(run: Any) -> list[tuple[str, str]]:
    """How a study is simulated: care, who measured, criteria, and number and plan of every arm."""
    rows = [
        (
            "simulated",
            f"{run.get('care', 'standard')} care, {run.get('blinding', 'blinded').replace('_', ' ')}",
        ),
        ("criteria", _plain(run.get("cohort", {}))),
    ]
    for name, arm in run.get("arms", {}).items():
        own = f"; {_plain(arm['cohort'])}" if arm.get("cohort") else ""
        plan = ", ".join(_plain(course) for course in arm.get("therapies") or []) or "no therapy"
        rows.append((f"run {name}", f"{arm.get('patients')} people; {plan}{own}"))
    return rows


def endpoint_rows(study: PublishedStudy) -> list[tuple[str, ...]]:
    """One row per endpoint, with a heading: what, in whom, when, how much, read in the source or not, and its set."""
    rows: list[tuple[str, ...]] = [
        ("endpoint", "arm", "measured", "when", "published (95 %)", "n", "read", "set")
    ]
    for endpoint in study.endpoints:
        low, high = endpoint.interval or (None, None)
        rows.append(
            (
                endpoint.id,
                arm_text(endpoint),
                measured(endpoint),
                when(endpoint),
                value_text(endpoint, endpoint.value, low, high),
                "" if endpoint.n is None else str(endpoint.n),
                "yes" if endpoint.checked else "no",
                set_text(study.study, endpoint),
            )
        )
    return rows


def figure_values(figure: LedgerFigure) -> str:
    """The values of a figure of the ledger with their unit, on one line."""
    parts = [f"{name} {_any(value)}" for name, value in figure.values.items()]
    return _one_line(", ".join(parts) + (f" ({figure.unit})" if figure.unit else ""))


def spread_text(figure: LedgerFigure) -> str:
    """The spread of a figure of the ledger, on one line; empty where there is none."""
    return _one_line(", ".join(f"{name} {_any(value)}" for name, value in (figure.spread or {}).items()))


def _any(value: Any) -> str:
    if isinstance(value, tuple | list):
        items: list[Any] = list(value)
        return " to ".join(_any(item) for item in items) if len(items) == 2 else ", ".join(map(_any, items))
    if isinstance(value, float):
        return _number(value)
    return "not given" if value is None else str(value)


def _plain(value: Any) -> str:
    """Plain data of a study file on one line, without quotes."""
    if isinstance(value, dict):
        section: dict[Any, Any] = value
        return ", ".join(f"{key}: {_inner(item)}" for key, item in section.items())
    return _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{_plain(value)}}}"
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)
        return "[" + ", ".join(_inner(item) for item in items) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float, digits: int = 4) -> str:
    """A number to so many significant digits, without an exponent in the range of the tables."""
    if value != value:
        return "unknown"
    return f"{value:.0f}" if 10**digits <= abs(value) < 1e7 else f"{value:.{digits}g}"


def hint(name: str, known: Iterable[str]) -> str:
    """A question about the nearest known name, to end a message with; empty where nothing is near."""
    from motorpool.therapies.fields import nearest_name

    nearest = nearest_name(name, known)
    return f" Did you mean {nearest}?" if nearest else ""


def within(option: str, value: int, low: int, high: int) -> None:
    """Refuse a whole number outside its range; the message names option, value and range."""
    from motorpool.cli.console import InputProblem

    if not low <= value <= high:
        raise InputProblem(f"{option}: {value} must be a whole number from {low} to {high}.")


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
