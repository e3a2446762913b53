"""The page of `motorpool cells protocol`."""

from __future__ import annotations

from typing import Any

from motorpool.figures.ranges import ranges_figure, shares_figure
from motorpool.figures.trade_offs import points_figure
from motorpool.report.cells_page import Data, Page, Section, made_words, percent, signed

SOURCE = "Simulated by motorpool."
SHOWN = 12
SPREAD = {
    "whether_cells_work": "Whether cells work at all",
    "protocol": "The choice of protocol",
    "both_together": "Both together",
}


def page(data: Data) -> Page:
    """Which protocol would be best if cells worked, and how much that matters."""
    return Page(
        title=f"Does the protocol matter? {data['title']}",
        question="Which cells, by which route, how many doses, how often: which choice would bring "
        "most, at what price in "
        "procedures and harm?",
        answer=answer(data),
        sections=[_spread(data), _front(data), _best(data), _cost(data)],
        made=made_words(
            data, f"{data['draws']} draws of what is not known of cells; benefit is the {data['benefit_is']}"
        ),
        notes=data["notes"],
    )


def answer(data: Data) -> list[str]:
    """The answer in plain words."""
    return [
        data["assumption"],
        data["statement"],
        "No protocol has been shown to help in SMA. A protocol that looks best here is best in a "
        "simulation of beliefs, and is no "
        "reason to choose a clinic.",
        data["meaning"],
    ]


def _spread(data: Data) -> Section:
    rows = [
        {
            "name": words,
            "share": data["variance"][name],
            "low": data["variance"][name],
            "high": data["variance"][name],
        }
        for name, words in SPREAD.items()
    ]
    return Section(
        "spread",
        "What decides",
        ("How much of all the differences in benefit comes from where.",),
        [
            shares_figure(
                rows,
                identifier="spread",
                title="Whether cells work, against which protocol is chosen",
                caption="Shares of the variance of the benefit over the protocols of the grid and "
                "the draws of what is not known.",
                source=SOURCE,
                x_title="share of the differences in benefit",
            )
        ],
    )


def _front(data: Data) -> Section:
    rows = [
        {
            "name": row["protocol"],
            "front": row["on_pareto_front"],
            "benefit": row["benefit_mean"],
            "procedures": row["procedures"],
            "adverse_events": row["adverse_events"],
        }
        for row in data["protocols"]
    ]
    benefit = ("benefit", f"mean benefit ({data['outcome_label']}, {data['unit']})")
    caption = "A protocol is on the front when no other gives more for less in everything that is weighed: "
    caption += ", ".join(data["objectives"]).replace("_", " ") + "."
    return Section(
        "front",
        "Benefit against procedures and harm",
        (),
        [
            points_figure(
                rows,
                identifier="front_procedures",
                title="Benefit against procedures",
                caption=caption,
                source=SOURCE,
                x=("procedures", "procedures for each person"),
                y=benefit,
            ),
            points_figure(
                rows,
                identifier="front_harm",
                title="Benefit against adverse events",
                caption=caption,
                source=SOURCE,
                x=("adverse_events", "expected adverse events for each person"),
                y=benefit,
            ),
        ],
        [
            (
                [_row(row) for row in data["protocols"] if row["on_pareto_front"]],
                "Protocols on the Pareto front",
            )
        ],
        ([_row(row) for row in data["protocols"]], "Every protocol that was tried"),
    )


def _row(row: Data) -> dict[str, Any]:
    return {
        "Protocol": row["protocol"],
        "Mean benefit": signed(row["benefit_mean"]),
        "95 % of what we do not know": f"{signed(row['benefit_low_95'])} to {signed(row['benefit_high_95'])}",
        "P (worse on average)": percent(row["p_harm"]),
        "Procedures": row["procedures"],
        "Adverse events": row["adverse_events"],
        "Mean regret": row["mean_regret"],
        "Largest regret": row["largest_regret"],
        "Weeks from first to last dose": row["weeks"],
        "Found by": row["found_by"],
    }


def _best(data: Data) -> Section:
    rows = [
        {
            "name": row["protocol"].removesuffix(", 1 million per kg"),
            "mean": row["benefit_mean"],
            "low": row["benefit_low_95"],
            "high": row["benefit_high_95"],
        }
        for row in data["protocols"][:SHOWN]
    ]
    rows.append({"name": "no cells", "mean": 0.0, "low": 0.0, "high": 0.0})
    none = data["no_cells"]
    return Section(
        "best",
        "The protocols with the largest mean benefit",
        (
            "Regret is what is lost against the choice that would have been best, had we known; "
            "giving no cells is a choice too. "
            f"No cells: mean regret {none['mean_regret']:.2f}, largest {none['largest_regret']:.2f} {data['unit']}.",
        ),
        [
            ranges_figure(
                rows,
                identifier="best",
                title="Mean benefit and what we do not know of it",
                caption="Dot: mean; thick line: 95 % of what we do not know. Right of zero is better.",
                source=SOURCE,
                x_title=f"{data['outcome_label']} ({data['unit']})",
                strip=data["mcid"],
                label_room=300,
            )
        ],
    )


def _cost(data: Data) -> Section:
    rows = [
        {
            "Protocol": row["protocol"],
            "USD for each person": f"{row['cost']['usd_low']:,.0f} to {row['cost']['usd_high']:,.0f}",
            "Covers": ", ".join(row["cost"]["covers"]) or None,
            "No price on record": ", ".join(row["cost"]["without_a_price"]) or None,
        }
        for row in data["protocols"]
        if row["on_pareto_front"]
    ]
    return Section(
        "cost",
        "Cost",
        (
            "Prices come from a data file with a source. What has no price there is named and left "
            "out, so that these sums are too "
            "small. A legitimate trial does not charge for the cells.",
        ),
        [],
        [(rows, "Cost of the protocols on the front, from prices on record")],
    )
