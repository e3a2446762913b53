"""Figures of therapies: concentrations and what they do, through the very functions that the engine uses."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, MUSCLE_GROUPS
from motorpool.engine.state import no_protocol
from motorpool.figures.figure import Figure
from motorpool.figures.mechanisms.lines import POINTS, Panel, line_figure
from motorpool.figures.mechanisms.model import Mechanisms
from motorpool.therapies import (
    cells,
    formulary,
    gene_transfer,
    myostatin,
    nusinersen,
    risdiplam,
    supportive_care,
)
from motorpool.therapies.calendar import Calendar, calendar_of
from motorpool.therapies.courses import CellTherapy, Course, Nusinersen, Onasemnogene
from motorpool.therapies.kinds import CELL_MECHANISMS, KIND_INDEX, KINDS

STEP_HOURS = HOURS_PER_DAY


def doses(calendar: Calendar, until_hours: int) -> dict[int, float]:
    """Amount by hour since the start of a course."""
    given = dict(calendar.loading)
    for number in range(calendar.maintenance_count):
        hour = calendar.maintenance_first_hours + number * calendar.maintenance_interval_hours
        if hour >= until_hours:
            break
        given[hour] = calendar.maintenance_amount
    return given


def course_amounts(model: Mechanisms, course: Course, days: int) -> tuple[np.ndarray, Any]:
    """Days (N,) and the amounts of all therapies in a typical person of the reference weight, each (N, 1)."""
    calendar = calendar_of(course)
    person = model.typical([2.0])
    weight = jnp.full(1, model.therapies.nusinersen.reference_weight_kg)
    protocol, no_rate = no_protocol(jnp.float64), jnp.zeros((len(KINDS), 1))

    @jax.jit
    def on(amounts: formulary.Amounts) -> formulary.Amounts:
        hours = jnp.full(1, float(STEP_HOURS))
        return formulary.advance(amounts, no_rate, hours, weight, person, protocol, model.therapies)

    given = doses(calendar, days * HOURS_PER_DAY)
    amounts = formulary.nothing_given(1, jnp.float64)
    path: list[Any] = []
    for day in range(days + 1):
        due = sum(amount for hour, amount in given.items() if hour // HOURS_PER_DAY == day)
        if due:
            kinds = no_rate.at[KIND_INDEX[str(calendar.doses_of)]].set(due)
            amounts = formulary.administer(amounts, kinds)
        path.append(amounts)
        amounts = on(amounts)
    return np.arange(days + 1), jax.tree.map(lambda *rows: jnp.asarray(np.stack(rows)), *path)


def intrathecal_drug(model: Mechanisms) -> Figure:
    """Nusinersen in the nervous system, and the splicing gain of each pool."""
    parameters = model.therapies.nusinersen
    standard, high = (
        course_amounts(model, Nusinersen(therapy="nusinersen", regimen=regimen), 730)
        for regimen in ("standard", "high_dose")
    )
    months = standard[0] * HOURS_PER_DAY / HOURS_PER_MONTH
    per_ml = 1000.0 / float(parameters.cns_volume_l)
    concentration = {
        name: per_ml * np.asarray(path.nusinersen.cns)[:, 0]
        for name, (_, path) in {"12 mg": standard, "50 / 28 mg": high}.items()
    }
    concentration["12 mg, what splicing follows"] = per_ml * np.asarray(standard[1].nusinersen.acting)[:, 0]

    gain = jax.vmap(lambda amounts: nusinersen.splicing_gain(amounts, parameters))(standard[1].nusinersen)
    by_group = {
        name.replace("_", " "): np.asarray(gain)[:, place, 0] for place, name in enumerate(MUSCLE_GROUPS)
    }
    return line_figure(
        "nusinersen",
        "Nusinersen: concentration in the nervous system, and the gain in SMN",
        "Published four-compartment kinetics in a child of the reference weight. Right: gain of SMN made by SMN2 "
        "under 12 mg, which follows after a delay; the drug reaches the brain stem least.",
        [
            Panel("Concentration", ("Months of treatment", months), "ng/mL", concentration),
            Panel("Splicing gain, 12 mg", ("Months of treatment", months), "Relative gain", by_group),
        ],
    )


def vector(model: Mechanisms) -> Figure:
    """SMN from a transgene after one dose, and against the dose."""
    parameters = model.therapies.gene_transfer
    paths = {
        route: course_amounts(model, Onasemnogene(therapy="onasemnogene", route=route), 120)
        for route in ("intravenous", "intrathecal")
    }
    weeks = np.arange(121) / 7.0
    made: dict[str, np.ndarray] = {}
    for route, (_, path) in paths.items():
        neurons, muscle = gene_transfer.expression(
            path.transgene_intravenous, path.transgene_intrathecal, parameters
        )
        made[f"{route}, reached neurons"] = np.asarray(neurons)[:, 0]
        made[f"{route}, muscle"] = np.asarray(muscle)[:, 0]
    dose = np.linspace(0.0, 3.0, POINTS)
    saturated = gene_transfer.expression(jnp.asarray(dose), jnp.zeros(dose.size), parameters)[0]
    return line_figure(
        "gene-transfer",
        "Gene transfer: expression within weeks, lasting, in the neurons that the vector reached",
        "SMN relative to a healthy neuron (1). Left: after one labelled dose. Right: full expression against dose; "
        "more vector reaches the same neurons.",
        [
            Panel("After one dose", ("Weeks", weeks), "SMN made", made),
            Panel(
                "Against dose",
                ("Dose, labelled doses", dose),
                "SMN made",
                {"intravenous, reached neurons": saturated},
            ),
        ],
    )


def saturation(model: Mechanisms) -> Figure:
    """Effects that saturate: risdiplam's exposure, antibody level, training."""
    therapies = model.therapies
    exposure, level, sessions = (
        np.linspace(0.0, 3.0, POINTS),
        np.linspace(0.0, 3.0, POINTS),
        np.linspace(0.0, 14.0, POINTS),
    )
    return line_figure(
        "saturating-effects",
        "Effects that saturate: splicing modifier by mouth, antibody, training",
        "The labelled dose gives an exposure of one; the antibody is counted in labelled doses in the body.",
        [
            Panel(
                "Risdiplam",
                ("Exposure, labelled steady state", exposure),
                "Relative gain of SMN",
                {"gain": risdiplam.splicing_gain(jnp.asarray(exposure), therapies.risdiplam)},
            ),
            Panel(
                "Myostatin inhibition",
                ("Antibody, labelled doses", level),
                "Relative growth",
                {"growth": myostatin.growth_gain(jnp.asarray(level), therapies.myostatin)},
            ),
            Panel(
                "Rehabilitation",
                ("Sessions per week", sessions),
                "Activity, 0 to 1",
                {
                    "activity": supportive_care.trained_activity(
                        jnp.asarray(sessions), therapies.rehabilitation
                    )
                },
                y_domain=(0.0, 1.0),
            ),
        ],
    )


def injected_cells(model: Mechanisms) -> Figure:
    """Cells die in days, what they secrete fades in weeks; how the total effect is shared out."""
    parameters, protocol = model.therapies.cells, no_protocol(jnp.float64)
    once = course_amounts(model, CellTherapy(therapy="cell_therapy", doses=1), 365)
    often = course_amounts(model, CellTherapy(therapy="cell_therapy", doses=12, interval_weeks=4.345), 365)
    seldom = course_amounts(model, CellTherapy(therapy="cell_therapy", doses=4, interval_weeks=13.0), 365)
    months = once[0] * HOURS_PER_DAY / HOURS_PER_MONTH
    begin = slice(0, 121)
    living = np.asarray(once[1].cells_intrathecal)[begin, 0]
    levels = {
        name: np.asarray(cells.level(path.factor_intrathecal, protocol, parameters))[:, 0]
        for name, (_, path) in {"monthly": often, "every three months": seldom, "once": once}.items()
    }
    shares = np.asarray(cells.mechanism_shares(protocol, parameters))
    split = ", ".join(
        f"{name} {100 * share:.0f} %" for name, share in zip(CELL_MECHANISMS, shares.tolist(), strict=True)
    )
    asked = dataclasses.replace(protocol, effect_smd=jnp.asarray(0.2))
    effect = cells.effects(often[1].factor_intrathecal, 0.0 * often[1].factor_intrathecal, asked, parameters)
    return line_figure(
        "cells",
        "Cells: they die within days, what they secrete fades within weeks",
        f"Mesenchymal cells by the intrathecal route. Whatever the total effect is, it is shared out as: {split}. "
        "The last panel shows the influence under monthly doses if the total were 0.2 standard deviations; nobody "
        "has shown that it is.",
        [
            Panel(
                "After one dose",
                ("Months", months[begin]),
                "Relative to the peak",
                {
                    "living cells": living / living.max(),
                    "secreted effect": levels["once"][begin] / levels["once"].max(),
                },
                y_domain=(0.0, 1.0),
            ),
            Panel("Level by interval", ("Months", months), "Level (reference 1)", levels),
            Panel(
                "Influence at a total of 0.2 SD",
                ("Months", months),
                "See the text",
                {
                    "neuroprotection, log death rate": np.asarray(effect.neuroprotection)[:, 0],
                    "transmission, share of deficit": np.asarray(effect.transmission)[:, 0],
                    "muscle, relative growth": np.asarray(effect.muscle)[:, 0],
                },
            ),
        ],
    )


FIGURES = (intrathecal_drug, vector, saturation, injected_cells)
