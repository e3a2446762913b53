"""Figures from ability to what is seen: milestones, motor scales, breathing, infections, swallowing."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from motorpool.biology import growth
from motorpool.biology.vocabulary import MUSCLE_GROUPS
from motorpool.figures.figure import Figure
from motorpool.figures.mechanisms.lines import POINTS, Panel, line_figure
from motorpool.figures.mechanisms.model import Mechanisms
from motorpool.outcomes import abilities, breathing, daily_life, milestone_margins, motor_scales, survival
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.respiratory_infections import infection_rate_per_year

ABILITY = "Ability, log-odds"
SHOWN_MILESTONES = {"Sitting, 10 s": "sit_10s", "Walking": "walk"}
CARE = {"palliative": 0.0, "standard": 1.0, "proactive": 2.0}


def _everywhere(log_odds: np.ndarray) -> abilities.ByGroup:
    """The same ability in every muscle group."""
    return tuple(jnp.asarray(log_odds) for _ in MUSCLE_GROUPS)


def stiffness(model: Mechanisms) -> Figure:
    """What a limited range of joints and spine lets through of the strength of legs and trunk."""
    raw = np.linspace(0.0, 1.0, POINTS)
    fitted = float(model.outcomes.abilities.stiffness_ceiling_share)

    def through(ceiling_share: float, kept: float) -> np.ndarray:
        let = abilities.within_range(jnp.asarray(raw), jnp.asarray(kept), jnp.asarray(ceiling_share))
        return np.asarray(let)

    shares = {
        "same share of any strength": 0.0,
        f"as calibrated ({fitted:.2f})": fitted,
        "ceiling alone": 1.0,
    }
    return line_figure(
        "strength-within-range",
        "Stiff joints and a curved spine are partly a ceiling of strength",
        "A range of 0.5. Strength that a treatment adds to strong muscles beyond the range is lost; weak muscles "
        "are hardly held back.",
        [
            Panel(
                "Legs and trunk",
                ("Muscle mass x transmission", raw),
                "Strength let through",
                {name: through(share, 0.5) for name, share in shares.items()},
                y_domain=(0, 1),
            ),
            Panel(
                "By usable range, as calibrated",
                ("Muscle mass x transmission", raw),
                "Strength let through",
                {f"range {kept:g}": through(fitted, kept) for kept in (1.0, 0.75, 0.5)},
                y_domain=(0, 1),
            ),
        ],
    )


def milestones(model: Mechanisms) -> Figure:
    """When a healthy and a weaker child have the strength and maturity for a milestone."""
    ages = np.linspace(0.0, 3.0, POINTS)
    maturity = growth.typical_maturity(jnp.asarray(ages), model.biology.growth)
    margin = float(model.outcomes.abilities.full_strength_margin)
    abilities_shown = {
        "healthy": float(np.log((1.0 - margin) / margin)),
        "ability 1 (log-odds)": 1.0,
        "ability 0 (log-odds)": 0.0,
    }

    def spare(name: str, odds: float) -> np.ndarray:
        able = _everywhere(np.full(ages.size, odds))
        place = MILESTONES.index(name)
        thresholds = model.outcomes.milestone_thresholds
        return np.asarray(milestone_margins.milestone_margin(able, maturity, place, thresholds))

    return line_figure(
        "milestones",
        "Milestones: maturity of the healthy, strength of the mature",
        "A child is able above zero. Healthy children become able at the ages of the WHO windows; a weaker child "
        "later, or never; growth of load (not shown) lowers the curves again.",
        [
            Panel(
                title,
                ("Age, years", ages),
                "Margin over what is asked",
                {label: spare(name, odds) for label, odds in abilities_shown.items()},
            )
            for title, name in SHOWN_MILESTONES.items()
        ],
    )


def scales(model: Mechanisms) -> Figure:
    """Motor scales from ability."""
    odds = np.linspace(-4.0, 5.0, POINTS)
    able = _everywhere(odds)
    outcomes = model.outcomes
    infant = {
        f"at {months} {'month' if months == 1 else 'months'}": motor_scales.chop_intend(
            able, jnp.asarray(months / 12), outcomes.chop_intend
        )
        for months in (1, 3, 12)
    }
    mature = jnp.ones(odds.size)
    others = {
        label: 100.0
        * np.asarray(motor_scales.scale_score(able, mature, getattr(outcomes, name)))
        / float(getattr(outcomes, name).maximum)
        for name, label in (("hfmse", "HFMSE"), ("rulm", "RULM"), ("mfm32", "MFM32"), ("hine2", "HINE-2"))
    }
    return line_figure(
        "scales-from-ability",
        "Motor scales are logistic in ability",
        "The same ability is given to every muscle group. Left: CHOP INTEND, whose items become possible with age. "
        "Right: the other scales at full maturity. RULM looks at the arms alone, HFMSE and HINE-2 mostly at legs and "
        "trunk.",
        [
            Panel("CHOP INTEND", (ABILITY, odds), "Points", infant, y_domain=(0.0, 64.0)),
            Panel("Other scales", (ABILITY, odds), "% of the maximum", others, y_domain=(0.0, 100.0)),
        ],
    )


def breath(model: Mechanisms) -> Figure:
    """Lung function, the hours of ventilation needed and given, and the hazard of death."""
    odds = np.linspace(-4.0, 4.0, POINTS)
    able, parameters = jnp.asarray(odds), model.outcomes.breathing
    needed = breathing.ventilation_need_hours(able, parameters)
    shares = {
        name: breathing.given_share(jnp.asarray(level), jnp.ones(()), parameters)
        for name, level in CARE.items()
    }
    given = {
        f"given, {name} care": breathing.ventilation_hours(needed, jnp.zeros(()), share, parameters)
        for name, share in shares.items()
    }
    less = breathing.given_share(
        jnp.asarray(CARE["standard"]), jnp.exp(-model.draw.people.ventilation_choice_sd), parameters
    )
    given["given, standard care, a family that chooses less"] = breathing.ventilation_hours(
        needed, jnp.zeros(()), less, parameters
    )
    hazards = {
        f"{name} care": survival.death_rate_per_year(
            able, given[f"given, {name} care"], needed, jnp.asarray(level), model.outcomes.survival
        )
        for name, level in CARE.items()
    }
    return line_figure(
        "breathing",
        "Breathing: lung function, ventilation and the hazard of death",
        "Between infections. Care decides how much of the need is given and multiplies the hazard; it never changes "
        "the need.",
        [
            Panel(
                "Forced vital capacity",
                ("Breathing ability, log-odds", odds),
                "% predicted",
                {"FVC": breathing.fvc_percent(able, parameters)},
                y_domain=(0.0, 110.0),
            ),
            Panel(
                "Ventilation",
                ("Breathing ability, log-odds", odds),
                "Hours per day",
                {"needed": needed, **given},
                quiet=("needed",),
                y_domain=(0.0, 24.0),
            ),
            Panel(
                "Hazard of death",
                ("Breathing ability, log-odds", odds),
                "Per year",
                hazards,
                y_domain=(1e-4, 30.0),
                logarithmic=True,
            ),
        ],
    )


def infections(model: Mechanisms) -> Figure:
    """How often respiratory infections come, and what they do to the hazard of death."""
    ages = np.linspace(0.0, 6.0, POINTS)
    parameters = model.outcomes.infections
    season = infection_rate_per_year(jnp.asarray(ages), 0.0, parameters)
    opposite = infection_rate_per_year(jnp.asarray(ages), 0.5, parameters)
    middle = 0.5 * (np.asarray(season) + np.asarray(opposite))
    severity = np.linspace(0.0, 1.0, POINTS)

    def hazard(cough_assist: float) -> np.ndarray:
        able = breathing.during_infection(
            jnp.full(severity.size, -0.5),
            jnp.asarray(severity),
            jnp.asarray(cough_assist),
            model.outcomes.breathing,
        )
        need = breathing.ventilation_need_hours(able, model.outcomes.breathing)
        given = breathing.ventilation_hours(
            need,
            jnp.zeros(()),
            breathing.given_share(jnp.ones(()), jnp.ones(()), model.outcomes.breathing),
            model.outcomes.breathing,
        )
        return np.asarray(
            survival.death_rate_per_year(able, given, need, jnp.ones(()), model.outcomes.survival)
        )

    return line_figure(
        "respiratory-infections",
        "Respiratory infections: frequent early in life, dangerous to the weak",
        "Left: episodes per year, with one season and averaged over seasons. Right: the hazard of death of a weak "
        "child (breathing ability -0.5) during an infection, under standard care.",
        [
            Panel(
                "Episodes",
                ("Age, years", ages),
                "Per year",
                {"with the season": season, "averaged": middle},
                quiet=("averaged",),
            ),
            Panel(
                "Hazard of death",
                ("Severity of the infection", severity),
                "Per year",
                {"without cough assistance": hazard(0.0), "with cough assistance": hazard(1.0)},
            ),
        ],
    )


def swallowing(model: Mechanisms) -> Figure:
    """Swallowing, and the hazard of tube feeding, from the bulbar muscles."""
    odds = np.linspace(-4.0, 4.0, POINTS)
    able = _everywhere(odds)
    return line_figure(
        "swallowing",
        "Swallowing and tube feeding follow the bulbar muscles",
        "Without a tube, failing swallowing lowers body mass, and with it muscle.",
        [
            Panel(
                "Swallowing",
                ("Bulbar ability, log-odds", odds),
                "% of healthy",
                {"swallowing": daily_life.swallowing_percent(able, model.outcomes.daily_life)},
                y_domain=(0.0, 100.0),
            ),
            Panel(
                "Hazard of tube feeding",
                ("Bulbar ability, log-odds", odds),
                "Per year",
                {
                    "tube feeding": survival.tube_feeding_rate_per_year(
                        jnp.asarray(odds), model.outcomes.survival
                    )
                },
                y_domain=(1e-3, 100.0),
                logarithmic=True,
            ),
        ],
    )


FIGURES = (stiffness, milestones, scales, breath, infections, swallowing)
