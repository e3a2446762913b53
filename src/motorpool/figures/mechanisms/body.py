"""Figures of the body downstream of the neurons: innervation, transmission, muscle, load and maturity, skeleton."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np

from motorpool.biology import growth, junction, muscle
from motorpool.biology.vocabulary import LEGS_AND_TRUNK
from motorpool.figures.figure import Figure
from motorpool.figures.mechanisms.lines import POINTS, Panel, line_figure
from motorpool.figures.mechanisms.model import Mechanisms, live, plain
from motorpool.outcomes import daily_life
from motorpool.therapies import calendar, courses, myostatin, supportive_care

FIXED_POINT_STEPS = 60
FUSED_AT_YEARS = 12.0
TREATED_FROM_YEARS = 2.0


def innervation(model: Mechanisms) -> Figure:
    """The share of muscle that the surviving neurons reach by sprouting."""
    people = model.draw.people
    working = np.linspace(0.0, 1.0, POINTS)
    curves = {
        "typical newborn": (0.0, 0.0),
        "sprouting one SD stronger": (1.0, 0.0),
        "sprouting one SD weaker": (-1.0, 0.0),
        "typical, at 30 years": (0.0, 30.0),
    }
    lines = {
        name: muscle.innervation(
            jnp.asarray(working),
            muscle.sprouting_at(
                jnp.asarray(age_years),
                people.sprouting_median * jnp.exp(sds * people.sprouting_log_sd),
                model.biology.muscle,
            ),
        )
        for name, (sds, age_years) in curves.items()
    }
    return line_figure(
        "innervation-by-sprouting",
        "Surviving neurons adopt orphaned muscle fibres",
        "Grey: if every neuron kept its own territory alone. Half of the neurons can be lost before much of the "
        "muscle is, and the reserve is spent abruptly at the end.",
        [
            Panel(
                "Innervation",
                ("Working motor neurons, share of a healthy pool", working),
                "Innervated muscle, share",
                {**lines, "without sprouting": working},
                quiet=("without sprouting",),
                y_domain=(0.0, 1.0),
            )
        ],
    )


def transmission(model: Mechanisms) -> Figure:
    """Neuromuscular transmission in balance, and the endurance that goes with it."""
    parameters = model.biology.junction
    working = np.linspace(0.0, 1.0, POINTS)
    lines = {
        f"stress {stress:g}": _steady_transmission(working, stress, parameters) for stress in (0.0, 0.5, 1.0)
    }
    level = np.linspace(0.4, 1.0, POINTS)
    by_group = jnp.broadcast_to(jnp.asarray(level), (4, level.size))
    bridged = junction.with_support(
        jnp.asarray(level), model.therapies.transmission_support.deficit_bridged * jnp.ones(())
    )
    return line_figure(
        "transmission",
        "Transmission: lost where neurons are lost or stressed, felt as fatigability",
        "Left: transmission once repair, deficit and wear are in balance. Right: endurance falls faster than "
        "transmission; a drug that bridges part of the deficit gives some of it back.",
        [
            Panel(
                "Transmission in balance",
                ("Working motor neurons, share", working),
                "Transmission, share",
                lines,
                y_domain=(0.0, 1.0),
            ),
            Panel(
                "Endurance",
                ("Transmission, share", level),
                "Endurance, % of healthy",
                {
                    "without support": daily_life.endurance_percent(by_group, model.outcomes.daily_life),
                    "with transmission support": daily_life.endurance_percent(
                        jnp.broadcast_to(bridged, by_group.shape), model.outcomes.daily_life
                    ),
                },
                y_domain=(0.0, 100.0),
            ),
        ],
    )


def _steady_transmission(
    working: np.ndarray, stress: float, parameters: junction.JunctionParameters
) -> np.ndarray:
    """Transmission at which its rate of change, which is linear in it, is zero."""
    share, under = jnp.asarray(working), jnp.asarray(stress)
    at_none = junction.rate_of_change(jnp.zeros_like(share), share, under, parameters)
    at_full = junction.rate_of_change(jnp.ones_like(share), share, under, parameters)
    return np.asarray(at_none / (at_none - at_full))


def mass(model: Mechanisms) -> Figure:
    """The muscle mass that innervation sustains, and what feeding and muscle's own SMN change."""
    innervated = np.linspace(0.02, 1.0, POINTS)
    sessions = calendar.calendar_of(courses.Rehabilitation(therapy="rehabilitation")).rates["rehabilitation"]
    trained = float(supportive_care.trained_activity(jnp.asarray(sessions), model.therapies.rehabilitation))
    grown = float(myostatin.growth_gain(jnp.ones(()), model.therapies.myostatin))
    level = np.linspace(0.02, 0.6, POINTS)
    parameters = model.biology.muscle
    one = jnp.ones_like(jnp.asarray(level))
    own = muscle.target_mass(one, one, one, 0 * one, one, jnp.asarray(level), 0 * one, 0 * one, parameters)
    return line_figure(
        "muscle-mass",
        "Muscle follows innervation, use and growth signals",
        "Left: mass once it has settled, full feeding and transmission. Weak muscle is used less and wastes further; "
        "rehabilitation interrupts the loop; myostatin inhibition acts where innervated muscle has room to grow. "
        "Right: the part that needs SMN in the muscle itself.",
        [
            Panel(
                "Mass in balance",
                ("Innervated muscle, share", innervated),
                "Mass, relative to healthy",
                {
                    "no therapy of muscle": _steady_mass(model, innervated, 0.0, 0.0),
                    "rehabilitation": _steady_mass(model, innervated, trained, 0.0),
                    "myostatin inhibition": _steady_mass(model, innervated, 0.0, grown),
                },
            ),
            Panel(
                "Muscle's own SMN",
                ("SMN in muscle, relative to healthy", level),
                "Mass, relative to healthy",
                {"fully innervated": own},
                y_domain=(0.0, 1.0),
            ),
        ],
    )


def _steady_mass(
    model: Mechanisms, innervated: np.ndarray, activity: float, growth_gain: float
) -> np.ndarray:
    """The mass that its own target gives back, found by repetition."""
    share = jnp.asarray(innervated)
    one = jnp.ones_like(share)
    settled = share
    for _ in range(FIXED_POINT_STEPS):
        settled = muscle.target_mass(
            share, one, settled, activity * one, one, one, 0.0 * one, growth_gain * one, model.biology.muscle
        )
    return np.asarray(settled)


def load_and_maturity(model: Mechanisms) -> Figure:
    """The load that a growing body puts on weak muscle, and how much of the repertoire an infant can use."""
    parameters, reference = model.biology.growth, model.draw.model.growth_reference
    years = np.linspace(0.0, 40.0, POINTS)
    girl = model.typical([3.0] * years.size)
    weight = growth.log_median_weight(jnp.asarray(years), girl.female, reference)
    spread = model.draw.people.load_log_sd
    loads = {
        name: jnp.exp(
            growth.log_load(
                jnp.asarray(years),
                weight,
                dataclasses.replace(girl, log_load=girl.log_load + sds * spread),
                parameters,
            )
        )
        for name, sds in {"typical": 0.0, "one SD more": 1.0, "one SD less": -1.0}.items()
    }
    young = np.linspace(0.0, 3.0, POINTS)
    child = model.typical([3.0] * young.size)
    pace = model.draw.people.maturation_log_sd
    maturities = {
        name: growth.maturity(
            jnp.asarray(young),
            dataclasses.replace(child, log_maturation=child.log_maturation + sds * pace),
            parameters,
        )
        for name, sds in {"typical": 0.0, "one SD faster": 1.0, "one SD slower": -1.0}.items()
    }
    quiet = ("one SD more", "one SD less", "one SD faster", "one SD slower")
    return line_figure(
        "load-and-maturity",
        "Growth adds load; age brings maturity",
        "Left: factor by which the body's load divides the odds of a task of the legs; a body of the reference "
        "weight has one. Right: the share of the adult repertoire that the nervous system can use.",
        [
            Panel("Load", ("Age, years", years), "Load, factor on odds", loads, quiet=quiet),
            Panel(
                "Motor maturity",
                ("Age, years", young),
                "Maturity, share",
                maturities,
                quiet=quiet,
                y_domain=(0, 1),
            ),
        ],
    )


def skeleton(model: Mechanisms) -> Figure:
    """Contracture, Cobb angle and the range they leave, in a weak child without and with care."""
    names = (
        "no care of joints and spine",
        "rehabilitation",
        "brace",
        f"spine fused at {FUSED_AT_YEARS:g} years",
    )
    weak = model.typical([3.0] * len(names))
    person = dataclasses.replace(
        weak, log_vulnerability=weak.log_vulnerability + model.draw.people.vulnerability_log_sd
    )
    sessions = calendar.calendar_of(courses.Rehabilitation(therapy="rehabilitation")).rates["rehabilitation"]
    trained = supportive_care.trained_activity(jnp.asarray(sessions), model.therapies.rehabilitation)
    influences = plain(
        len(names),
        start_years=TREATED_FROM_YEARS,
        activity=jnp.asarray([0.0, float(trained), 0.0, 0.0]),
        brace=jnp.asarray([0.0, 0.0, 1.0, 0.0]),
        fusion_years=jnp.asarray([1e3, 1e3, 1e3, FUSED_AT_YEARS]),
    )
    life = live(model, person, influences, 18.0)
    shown = life.age_years >= 0.0
    x = ("Age, years", life.age_years[shown])
    seen = life.condition

    def lines(values: np.ndarray) -> dict[str, np.ndarray]:
        return {name: values[shown, place] for place, name in enumerate(names)}

    mass_of_legs = np.asarray(seen.muscle)[:, LEGS_AND_TRUNK, 0]
    return line_figure(
        "contracture-and-spine",
        "Contracture and curvature grow with weakness and growth, and take usable range",
        "A child with three copies whose neurons are one SD more vulnerable; muscle mass of the legs is "
        f"{mass_of_legs[-1]:.2f} of healthy at 18 years. Fusion straightens at once, stops the curve and costs some "
        "range.",
        [
            Panel("Contracture", x, "Share, 0 to 1", lines(np.asarray(seen.contracture)), y_domain=(0, 1)),
            Panel("Cobb angle", x, "Degrees", lines(np.asarray(seen.cobb_degrees))),
            Panel(
                "Usable range", x, "Share of strength", lines(np.asarray(seen.usable_range)), y_domain=(0, 1)
            ),
        ],
    )


FIGURES = (innervation, transmission, mass, load_and_maturity, skeleton)
