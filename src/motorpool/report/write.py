"""Writes the report: one HTML file that needs no network, good on a phone and on paper."""

from __future__ import annotations

import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.simulation.results import Results, load_results

if TYPE_CHECKING:
    from motorpool.figures.collection import FigureCollection
    from motorpool.figures.context import FigureContext

REPORT_NAME = "report.html"
BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def write_report(results: Results | str | Path, path: str | Path | None = None) -> Path:
    """Write the report of results and return its path.

    Args:
        results: results, or the folder they were saved in.
        path: where to write; by default `report.html` in the results folder, or in the current folder.

    Raises:
        OutputFolderError: the folder holds no finished results.
    """
    if isinstance(results, Results):
        target = Path(path) if path is not None else Path(REPORT_NAME)
        loaded = results
    else:
        target = Path(path) if path is not None else Path(results) / REPORT_NAME
        loaded = load_results(results)
    target = target.expanduser().absolute()
    _write_at_once(target, report_html(loaded))
    return target


def report_html(results: Results) -> str:
    """The whole report as text."""
    import vl_convert
    from jinja2 import Environment, PackageLoader, select_autoescape

    from motorpool.figures.figure import vega_lite_version

    environment = Environment(
        loader=PackageLoader("motorpool.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    code = vl_convert.javascript_bundle(BUNDLE_SNIPPET, vl_version=vega_lite_version())
    bundle = code.replace("</script", "<\\/script")
    content = report_content(results)
    return environment.get_template("report.html.j2").render(
        {**content, "style": _asset("style.css"), "script": _asset("script.js"), "bundle": bundle}
    )


def report_content(results: Results) -> dict[str, Any]:
    """Everything the template shows, apart from style and scripts."""
    import yaml

    from motorpool.figures.collection import collect_figures
    from motorpool.figures.context import FigureContext
    from motorpool.figures.milestones import milestone_table
    from motorpool.report.provenance import manifest_rows, parameter_rows, references
    from motorpool.report.sentences import SentenceMaker
    from motorpool.report.tables import html_table
    from motorpool.report.words import answer_groups, cohort_words, limits, people_word, range_note
    from motorpool.simulation.summary import cohort_table

    context = FigureContext(results.dataset)
    who = people_word(context)
    maker = SentenceMaker(
        summary=context.summary,
        scenario=context.scenario,
        labels=context.labels,
        comparators=context.comparators,
        people_word=who,
    )
    sections = _sections(collect_figures(context))
    parameters = parameter_rows()
    found = references(parameters, context.published)
    has_milestones = "milestone_status" in context.dataset
    return {
        "title": str(context.dataset.attrs["title"]),
        "question": str(context.dataset.attrs["question"]),
        "people_word": who,
        "contents": _contents(sections),
        "answers": answer_groups(maker.all()),
        "range_note": range_note(context),
        "sections": sections,
        "milestone_table": html_table(milestone_table(context), "Milestones") if has_milestones else "",
        "cohort_words": cohort_words(context),
        "cohort_table": html_table(_cohort_frame(cohort_table(context.dataset)), "At enrolment"),
        "plan_table": html_table(_plan_frame(context), "Plans"),
        "provenance_words": _provenance_words(parameters),
        "parameters": parameters,
        "references": found,
        "reference_ids": {reference.identifier for reference in found},
        "published_table": _published_table(context),
        "limits": limits(context),
        "scenario_text": yaml.safe_dump(context.scenario, sort_keys=False, allow_unicode=True),
        "manifest": manifest_rows(results.manifest),
    }


def _sections(figures: FigureCollection) -> dict[str, Any]:
    from motorpool.report.pictures import picture

    made = {
        name: [picture(figure) for figure in getattr(figures, name)]
        for name in ("courses", "survival", "milestones", "additions", "daily_life", "safety", "icons")
    }
    made["more"] = [
        picture(f, both=False) for f in (*figures.neurons, *figures.other_events, *figures.markers)
    ]
    return made


def _contents(sections: dict[str, Any]) -> list[dict[str, str]]:
    places = (
        ("answers", "In plain words", None),
        ("curves", "Scores", "courses"),
        ("survival", "Living", "survival"),
        ("milestones-heading", "Abilities", "milestones"),
        ("additions-heading", "What each arm adds", "additions"),
        ("daily-life-heading", "Daily life", "daily_life"),
        ("safety", "Adverse events", "safety"),
        ("icons-heading", "One hundred", "icons"),
        ("cohort", "Who is in it", None),
        ("sources", "Sources", None),
        ("validation", "Trust", None),
        ("limits", "Limits", None),
        ("manifest", "Repeat it", None),
    )
    return [
        {"id": place, "heading": heading}
        for place, heading, section in places
        if section is None or sections[section]
    ]


def _cohort_frame(frame: Any) -> Any:
    return frame.rename(
        columns={
            "trait": "Trait",
            "unit": "Unit",
            "summary": "Median or shares",
            "assessable_percent": "Assessable, %",
        }
    )


def _plan_frame(context: FigureContext) -> Any:
    import pandas as pd

    rows: list[dict[str, str]] = []
    for arm in context.arms:
        plan = context.scenario.get("arms", {}).get(arm, {})
        courses = [course_words(course) for course in plan.get("therapies") or []]
        other = context.comparators.get(arm)
        rows.append(
            {
                "Arm": context.labels[arm],
                "Therapies": "; ".join(courses) or "none beyond care",
                "Compared with": context.labels[other] if other else "\u2013",
            }
        )
    return pd.DataFrame(rows)


def course_words(course: dict[str, Any]) -> str:
    """A course of a plan in a few words, settings as they stand in the scenario."""
    name = str(course.get("therapy", "")).replace("_", " ")
    settings = [
        f"{key.replace('_', ' ')} {_setting(value)}"
        for key, value in course.items()
        if key not in ("therapy", "label") and value not in (None, [], {}, False)
    ]
    return f"{name} ({', '.join(settings)})" if settings else name


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        parts = [
            f"{key.replace('_', ' ')} {_setting(part)}" for key, part in value.items() if part is not None
        ]
        return ", ".join(parts)
    if isinstance(value, list):
        return ", ".join(_setting(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _provenance_words(parameters: dict[str, Any]) -> str:
    rows = [row for module in parameters.values() for row in module]
    provisional = sum(row.provisional for row in rows)
    return (
        f"The model uses {len(rows)} parameters. {len(rows) - provisional} were read in publications and "
        f"checked; {provisional} are provisional: our judgement, or not yet checked against the source. "
        "Each has a unit, a range of doubt and its sources."
    )


def _published_table(context: FigureContext) -> str:
    import pandas as pd

    from motorpool.report.tables import html_table

    if not context.published:
        return ""
    rows = [
        {
            "Study": point.study,
            "Quantity": point.quantity.replace("_", " "),
            "Month": point.month,
            "Value": point.value,
            "95 %: low": point.low,
            "95 %: high": point.high,
            "Drawn with": context.labels[point.arm],
            "Read in the source": "yes" if point.checked else "no (provisional)",
            "What was measured": point.group,
        }
        for point in context.published
    ]
    return html_table(pd.DataFrame(rows), "Published results")


def _asset(name: str) -> str:
    return resources.files("motorpool.report").joinpath("templates", name).read_text(encoding="utf-8")


def _write_at_once(target: Path, text: str) -> None:
    """Write under a temporary name and rename, so that a report is never half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
