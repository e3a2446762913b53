"""The page of `motorpool cells uncontrolled`."""

from __future__ import annotations

from typing import Any

from motorpool.figures.ranges import ranges_figure
from motorpool.report.cells_page import Data, Page, Section, made_words, percent, signed

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
        sections=[_surprise(data), _beliefs(data), _moved(data)],
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
        [],
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
