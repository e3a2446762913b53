"""Parts of the page of `motorpool cells addon` that show the doubt itself: its causes, and what was believed."""

from __future__ import annotations

from motorpool.figures.ranges import shares_figure
from motorpool.report.cells_page import Data, Section, percent

SOURCE = "Simulated by motorpool."


def unknowns(data: Data) -> Section:
    """Which unknown matters most."""
    found = data["sensitivity"]
    if not found or not found["shares"]:
        note = "Nothing that is not known was drawn." if not found else found.get("note", "")
        return Section("unknowns", "Which unknown matters most", (note or "Not asked for.",))
    rows = [
        {
            "name": one["label"],
            "share": max(one["total"], 0.0),
            "low": max(one["total"] - one["total_error"], 0.0),
            "high": one["total"] + one["total_error"],
        }
        for one in found["shares"].values()
    ]
    return Section(
        "unknowns",
        "Which unknown matters most",
        (
            "Shares of the spread of the mean gain in which each unknown has a part; they overlap, "
            "so that they add to more than one.",
        ),
        [
            shares_figure(
                rows,
                identifier="unknowns",
                title="What the doubt about the gain comes from",
                caption=f"Total Sobol indices of the rank of the mean gain, with 95 % intervals, "
                f"{found['simulated_groups']} simulated groups.",
                source=f"{SOURCE} Indices by SALib.",
                x_title="share of the spread of the ranks",
            )
        ],
    )


def prior(data: Data) -> Section:
    """The elicited prior beside the effect that comes out of biology."""
    elicited, emergent = data["elicited_prior"], data["emergent"]
    reference = data["emergent_under_reference_protocol"]
    rows = [
        {
            "Mean gain above (HFMSE points)": float(threshold),
            "Elicited": percent(of["elicited"]),
            "From the mixture": percent(of["from_mixture"]),
            "Through biology, a dose a month for a year": percent(
                reference["p_mean_gain_above"][threshold] if reference else None
            ),
            "Through biology, this protocol": percent(emergent["p_mean_gain_above"][threshold]),
        }
        for threshold, of in elicited["p_mean_gain_above"].items()
    ]
    return Section(
        "prior",
        "What was believed, and what comes out of biology",
        (
            elicited["meaning"],
            "The elicited table and the effect that comes out of the body are two things. Biology "
            "is never scaled to meet the table: "
            "where few neurons are dying, a cell that protects neurons can add little, whatever it was believed to do.",
        ),
        [],
        [(rows, "Probability that the mean gain exceeds a threshold")],
    )
