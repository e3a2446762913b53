"""Everything the page shows, made from results: sentences, pictures, tables, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.report.sentences import EVENT_FREE, SentenceMaker
from motorpool.simulation.results import Results

if TYPE_CHECKING:
    from motorpool.figures.collection import FigureCollection
    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure

SECTIONS = {
    "courses": ("courses",),
    "survival": ("survival",),
    "milestones": ("milestones",),
    "additions": ("additions",),
    "daily_life": ("daily_life",),
    "safety": ("safety",),
    "icons": ("icons",),
    "comparisons": ("comparisons",),
    "more": ("other_courses", "walking", "neurons", "other_events", "markers"),
}
WIDE_ONLY = ("safety", "comparisons", "more")  # phones scroll these
CLEARLY_FEWER = 0.95  # a share below this makes survival the main picture


def report_content(results: Results) -> dict[str, Any]:
    """Everything the template shows, apart from style and scripts."""
    import yaml

    from motorpool.evidence.stored_results import load_validation_result
    from motorpool.figures.collection import collect_figures
    from motorpool.figures.context import FigureContext
    from motorpool.figures.milestones import milestone_table
    from motorpool.report.glance import glance_table
    from motorpool.report.outside import outside_words
    from motorpool.report.plans import plan_frame
    from motorpool.report.provenance import manifest_rows, provenance
    from motorpool.report.published import not_drawn_frame, published_frame
    from motorpool.report.tables import html_table
    from motorpool.report.trust import trust_sentences
    from motorpool.report.words import (
        answer_groups,
        cohort_words,
        limits,
        people_word,
        range_note,
        short_range_note,
    )
    from motorpool.simulation.calibration_state import calibration_state, parameter_words
    from motorpool.simulation.summary import cohort_table

    context = FigureContext(results.dataset)
    who = people_word(context)
    maker = sentence_maker(context)
    figures = collect_figures(context)
    main = main_figure(context, figures)
    sections = _sections(figures, main)
    published, not_drawn = published_frame(context), not_drawn_frame(context)
    has_milestones = "milestone_status" in context.dataset
    return {
        "title": str(context.dataset.attrs["title"]),
        "question": str(context.dataset.attrs["question"]),
        "parameter_words": parameter_words(),
        "outside": outside_words(context),
        "people_word": who,
        "contents": _contents(sections),
        "headline": maker.headline(),
        "main_picture": next(iter(sections.pop("main")), None),
        "glance_table": html_table(glance_table(context), f"Of 100 {who}, at the end; ranges in brackets"),
        "answers": answer_groups(maker.all()),
        "range_note": range_note(context),
        "short_range_note": short_range_note(context),
        "sections": sections,
        "milestone_table": html_table(milestone_table(context), "Milestones") if has_milestones else "",
        "cohort_words": cohort_words(context),
        "cohort_table": html_table(_cohort_frame(cohort_table(context.dataset)), "At enrolment"),
        "plan_table": html_table(plan_frame(context), "Plans"),
        "provenance": provenance(context),
        "published_table": html_table(published, "Published results drawn") if len(published) else "",
        "not_drawn_table": html_table(not_drawn, "Published results not drawn") if len(not_drawn) else "",
        "not_drawn_count": len(not_drawn),
        "trust": trust_sentences(calibration_state(), load_validation_result()),
        "limits": limits(context),
        "scenario_text": yaml.safe_dump(context.scenario, sort_keys=False, allow_unicode=True),
        "manifest": manifest_rows(results.manifest),
    }


def sentence_maker(context: FigureContext) -> SentenceMaker:
    """The maker of the sentences of one results dataset."""
    from motorpool.figures.start_ages import start_ages
    from motorpool.report.words import people_word
    from motorpool.simulation.survival_summary import event_times

    event_free: dict[str, np.ndarray] = {}
    if "event_time_years" in context.dataset and EVENT_FREE in context.dataset["event"].values:
        free = event_times(context.dataset, EVENT_FREE) > max(context.months)
        arms = [str(arm) for arm in context.dataset["arm"].values]
        event_free = {arm: free[arms.index(arm)].mean(axis=-1) for arm in context.arms}
    return SentenceMaker(
        summary=context.last_visit,
        scenario=context.scenario,
        labels=context.labels,
        comparators=context.comparators,
        people_word=people_word(context),
        scales=context.motor_scales or SentenceMaker.scales,
        start_ages=start_ages(context.scenario),
        event_free=event_free,
    )


def main_figure(context: FigureContext, figures: FigureCollection) -> Figure | None:
    """The picture of the first page: start ages where the arms differ only in them; survival where it is at
    stake in any arm; otherwise the main motor scale."""
    if figures.start_age:
        return figures.start_age[0]
    rows = context.rows(
        kind="event", quantity=EVENT_FREE, measure="event_free_share", visit_month=max(context.months)
    )
    at_stake = len(rows) > 0 and float(rows["knowledge.mean"].min()) < CLEARLY_FEWER
    order = [*figures.survival, *figures.courses] if at_stake else [*figures.courses, *figures.survival]
    return next(iter([*order, *figures.all()]), None)


def _sections(figures: FigureCollection, main: Figure | None) -> dict[str, Any]:
    """Pictures by section. All are ordered before the first is taken, so two processes share the work."""
    from motorpool.figures.rendering import Renderer
    from motorpool.report.pictures import Order, order, picture

    with Renderer() as renderer:
        orders: dict[str, list[Order]] = {
            "main": [order(renderer, main, lead=True)] if main is not None else []
        }
        for section, names in SECTIONS.items():
            found = [figure for name in names for figure in getattr(figures, name) if figure is not main]
            narrow = section not in WIDE_ONLY
            orders[section] = [order(renderer, figure, narrow=narrow) for figure in found]
        return {section: [picture(renderer, made) for made in found] for section, found in orders.items()}


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
        ("comparisons-heading", "Beside published results", "comparisons"),
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
