"""The page of `motorpool cells needed`."""

from __future__ import annotations

from typing import Any

from motorpool.figures.trade_offs import curves_figure
from motorpool.report.cells_page import Data, Page, Section, made_words, percent, signed

NAMES = {
    "total": "All mechanisms, as in the prior",
    "neuroprotection": "Neuroprotection alone",
    "transmission": "Nerve signal alone",
    "inflammation": "Inflammation alone",
    "muscle": "Muscle alone",
    "recovery": "New neurons alone",
}


def page(data: Data) -> Page:
    """What would have to be true."""
    sections: list[Section] = []
    for key, heading, what in (
        ("needed", "Under this protocol", data["cells"]),
        ("needed_under_reference_protocol", "If a dose were given every month for a year", None),
    ):
        found = data.get(key)
        if found:
            sections.append(_section(key, heading, data, found, what))
    return Page(
        title=f"What would have to be true? {data['title']}",
        question=f"How strong would cells have to be, so that this group gains "
        f"{data['worthwhile_gain']:g} {data['unit']} "
        f"({data['outcome_label']}) by month {data['month']:g}?",
        answer=answer(data),
        sections=sections,
        made=made_words(data, "central values of what is not known of cells but their effect"),
        notes=data["notes"],
    )


def answer(data: Data) -> list[str]:
    """The answer in plain words."""
    total = data["needed"]["total"]
    wanted = f"{data['worthwhile_gain']:g} {data['unit']} ({data['outcome_label']}, {data['worthwhile_is']})"
    if total["needed_smd"] is None:
        first = (
            f"No effect up to {data['largest_smd_tried']:g} standard deviations would give this "
            f"group {wanted} by month "
            f"{data['month']:g} under this protocol. The most that came out is {signed(total['largest_gain'])}."
        )
    else:
        first = (
            f"For a mean gain of {wanted} by month {data['month']:g}, cells would need a total effect of "
            f"{total['needed_smd']:.2f} standard deviations: {total['verdict']}."
        )
    return [first, data["meaning"]]


def _section(key: str, heading: str, data: Data, found: Data, cells: Data | None) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "Which effect": NAMES[name],
            "Needed (SD over 12 months)": of["needed_smd"],
            "Most that came out": signed(of["largest_gain"]),
            "Prior probability of so much": percent(of["prior_probability"]),
            "In words": of["verdict"],
        }
        for name, of in found.items()
    ]
    curves = [
        {"name": NAMES[name], "x": point["smd"], "y": point["gain"]}
        for name, of in found.items()
        for point in of["curve"]
    ]
    picture = curves_figure(
        curves,
        identifier=key,
        title=f"Gain against the size of the effect: {heading[0].lower()}{heading[1:]}",
        caption=f"The dashed line is the worthwhile gain, {data['worthwhile_gain']:g} {data['unit']}.",
        source="Simulated by motorpool.",
        x_title="effect of the cells (standard deviations of 12-month change)",
        y_title=f"mean gain by month {data['month']:g} ({data['unit']})",
        level=data["worthwhile_gain"],
    )
    words = [] if cells is None else [_protocol(cells)]
    return Section(
        key, heading, words, [picture], [(rows, f"Effect that is needed: {heading[0].lower()}{heading[1:]}")]
    )


def _protocol(cells: Data) -> str:
    doses = cells.get("doses")
    number = "The number of doses of the registered trial in SMA" if doses is None else f"{doses} doses"
    return f"{number} of {cells['cell_type']} cells, {cells['route']}."
