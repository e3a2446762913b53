"""The page of `motorpool cells uncontrolled`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motorpool.evidence.outcome_catalogue import outcome
from motorpool.figures.ranges import ranges_figure, shares_figure
from motorpool.report.cells_page import Data, Page, Section, made_words, percent, signed

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

SOURCE = "Simulated by motorpool."
MECHANISMS = {
    "neuroprotection": "Neuroprotection",
    "transmission": "Nerve signal",
    "inflammation": "Inflammation",
    "muscle": "Muscle",
    "recovery": "New neurons",
}


def page(data: Data) -> Page:
    """How surprising the reports are, and what they move."""
    return Page(
        title="Reading the uncontrolled reports of cells in SMA",
        question="A few children got better after cells, it was reported. How surprising is that if "
        "cells do nothing, and what should we "
        "believe then?",
        answer=answer(data),
        sections=[_plain(data), _surprise(data), _beliefs(data), _moved(data)],
        made=made_words(data, f"{data['draws']} draws of what is not known of cells. {data['method']}"),
        notes=[f"{name}: {why}" for name, why in data["absent"].items()],
    )


def answer(data: Data) -> list[str]:
    """The answer in plain words."""
    prior = data["prior"]["total"]
    last = list(data["readings"])[-1]
    careful, naive = (
        data["posterior"][last]["total"],
        data["posterior"][next(iter(data["readings"]))]["total"],
    )
    threshold = "1.5"
    return [
        f"Before the reports, the mean effect was believed to be {signed(prior['mean'])} standard deviations (95 % "
        f"{signed(prior['low_95'])} to {signed(prior['high_95'])}).",
        f"Read with the hope and the selection that such reports carry, they move it to {signed(careful['mean'])} "
        f"({signed(careful['low_95'])} to {signed(careful['high_95'])}); at face value, to {signed(naive['mean'])}.",
        f"The chance that the mean gain exceeds {threshold} HFMSE points goes from "
        f"{percent(data['prior']['p_mean_gain_above'][threshold])} to "
        f"{percent(data['posterior'][last]['p_mean_gain_above'][threshold])}.",
        "A report that surprises without cells mostly surprises with cells too, because no "
        "believable effect is so large. It then tells "
        "of hope, choice of cases and chance, and little of cells.",
        data["meaning"],
    ]


def finding_words(finding: Data, figure: float, children: int, scale: str) -> str:
    """What a report found, in plain words; `scale` is an outcome of the catalogue."""
    unit = outcome(scale).unit
    if finding["kind"] == "improved":
        return f"{finding['improved']} of {children} children were reported to be better"
    if finding["kind"] == "scores":
        return f"{children} children, who changed by {signed(figure, 1)} {unit} on average"
    apart = f"{signed(figure, 1)} {unit} apart on average"
    return f"{children} children with cells and {finding['untreated']} without, {apart}"


def plain_answer(data: Data) -> list[str]:
    """The answer for families: how many of 100 such reports would come without any effect, and what is not known."""
    last = list(data["readings"])[-1]
    before, after = (
        data["prior"]["p_mean_gain_above"]["1.5"],
        data["posterior"][last]["p_mean_gain_above"]["1.5"],
    )
    return [
        *(_plain_report(of, last) for of in data["series"].values()),
        "Why can a report look good without any effect? Children change by themselves. Whoever hopes sees more. And "
        "sometimes only the best cases are shown.",
        f"Do cells help by more than 1.5 points on the motor scale HFMSE, on average? Before these reports the chance "
        f"was {_of_100(before)}; after reading them with care it is {_of_100(after)}. This is our doubt about the "
        "average of a group. It does not say how many children gain.",
        "What we do not know: whether cells do anything in SMA. These reports cannot tell, however kind they sound. "
        "A trial could, in which chance decides who gets cells, and those who measure do not know it.",
        "Ask your team: Was every treated child reported? Was there a group without cells? Did those who measured know "
        "who was treated?",
    ]


def _plain_report(of: Data, reading: str) -> str:
    chance = of["p_at_least_as_striking"]
    how = "bad" if of["finding"]["kind"] == "improved" and not of["finding"]["improved"] else "good"
    found = finding_words(of["finding"], of["figure"], of["children"], of["outcome"])
    return (
        f"{of['label']}: {found}. If cells do nothing, "
        f"{_of_100(chance['without_effect'][reading])} such reports would look at least as {how}. With an effect as we "
        f"believe in, {_of_100(chance['with_prior_effect'][reading])}."
    )


def _of_100(share: float) -> str:
    number = round(100 * share)
    if number == 0:
        return "fewer than 1 of 100"
    return "more than 99 of 100" if number == 100 else f"about {number} of 100"


def _plain(data: Data) -> Section:
    return Section("plain", "In plain words, for families", plain_answer(data))


def _surprise_figure(data: Data) -> Figure | None:
    """How often so good a report comes about without any effect, read with hope and selection."""
    last = list(data["readings"])[-1]
    rows: list[dict[str, Any]] = []
    for of in data["series"].values():
        by_reading = of["p_at_least_as_striking"]["without_effect"]
        low, high = min(by_reading.values()), max(by_reading.values())
        rows.append({"name": of["label"], "share": by_reading[last], "low": low, "high": high})
    return shares_figure(
        rows,
        identifier="surprise_without_cells",
        title="How often a report would be at least as striking if cells did nothing",
        caption="Bar: share of simulated reports, read with the hope of an open-label report and with the selection "
        "that it allows; striking: at least as good, or as bad where nobody improved. Thin line: the span of the three "
        "readings. A long bar is no sign of an effect.",
        source=SOURCE,
        x_title="share of simulated reports",
    )


def _surprise(data: Data) -> Section:
    rows: list[dict[str, Any]] = []
    for of in data["series"].values():
        for reading, words in data["readings"].items():
            rows.append(
                {
                    "Report": of["label"],
                    "Read": words,
                    "Reported": of["figure"],
                    "P if cells do nothing": percent(of["p_at_least_as_striking"]["without_effect"][reading]),
                    "P with the effect we believe in": percent(
                        of["p_at_least_as_striking"]["with_prior_effect"][reading]
                    ),
                }
            )
    alone = [
        {
            "Report": of["label"],
            "Outcome": of["outcome"].replace("_", " "),
            "Months": of["months"],
            "Mean change without cells": signed(of["without_cells"]["mean_change"]),
            "SD": of["without_cells"]["sd_of_change"],
            "Share that rises": percent(of["without_cells"]["share_that_rises"]),
            "Limits": of["limits"],
            "Judgements": of["judgements"],
        }
        for of in data["series"].values()
    ]
    return Section(
        "surprise",
        "How surprising are the reports?",
        ("The chance of a report at least as striking, in children like those of the report.",),
        [_surprise_figure(data)],
        [(rows, "Chance of what was reported"), (alone, "What children like these do without cells")],
    )


def _belief_rows(of: Data, panel: str) -> list[dict[str, Any]]:
    parts = {"All mechanisms": of["total"], **{MECHANISMS[k]: v for k, v in of["mechanisms"].items()}}
    return [
        {"panel": panel, "name": name, "mean": x["mean"], "low": x["low_95"], "high": x["high_95"]}
        for name, x in parts.items()
    ]


def _beliefs(data: Data) -> Section:
    rows = _belief_rows(data["prior"], "Before the reports")
    for reading, words in data["readings"].items():
        rows += _belief_rows(data["posterior"][reading], words)
    table = [
        {
            "Read": words,
            **{
                f"P (mean gain > {threshold} HFMSE)": percent(of["p_mean_gain_above"][threshold])
                for threshold in of["p_mean_gain_above"]
            },
            "Draws that count": round(of["effective_draws"]),
        }
        for words, of in [
            ("Before the reports", data["prior"]),
            *((words, data["posterior"][reading]) for reading, words in data["readings"].items()),
        ]
    ]
    return Section(
        "beliefs",
        "Belief before and after",
        (),
        [
            ranges_figure(
                rows,
                identifier="beliefs",
                title="The effect of cells before and after the reports, mechanism by mechanism",
                caption="Dot: mean; thick line: 95 % of what is believed. Standard deviations of 12-month change.",
                source=SOURCE,
                x_title="effect (standard deviations)",
            )
        ],
        [(table, "Doubt about the mean, before and after")],
    )


def _moved(data: Data) -> Section:
    rows = [
        {
            "Report": data["series"][name]["label"],
            **{
                words: signed(data["posterior"][reading]["moved_by"][name], 3)
                for reading, words in data["readings"].items()
            },
        }
        for name in data["series"]
    ]
    return Section(
        "moved",
        "What moved it",
        ("How far the mean would be from where it is, had this report not been there.",),
        [],
        [(rows, "Shift of the mean effect by each report, in standard deviations")],
    )
