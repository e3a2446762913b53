"""Sentences of a trial's pages, made from its design and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motorpool.simulation.calibration_state import parameter_words
from motorpool.trials.design import TrialDesign


def assumptions(design: TrialDesign) -> list[str]:
    """What the numbers rest on, one sentence each."""
    missing, sites = design.conduct.missing, design.sites
    found = [
        "Patients, their courses and the effect of therapies are those of the model "
        f"({parameter_words()}); every person is "
        "simulated under every arm with the same luck.",
        f"Care is {design.care}. Scores are taken "
        f"{'blinded' if design.blinding == 'double_blind' else 'open label'}, with the "
        "noise, rounding and inflation of the observation model.",
        f"{100 * missing.leave_per_year:g} % leave the study each year and "
        f"{100 * missing.visits_missed:g} % of visits are "
        f"missed; missing {_mechanism(missing.mechanism)}.",
    ]
    if sites.count > 1 or sites.rater_share:
        found.append(
            f"{sites.count} centres with {sites.raters_per_site} raters each; "
            f"{100 * sites.rater_share:g} % of the variance of "
            f"one rating belongs to the rater; centres differ by {sites.level_sd:g} points (SD) in level and "
            f"{sites.course_sd_per_year:g} a year in course."
        )
    if design.conduct.unblinded_share:
        found.append(
            f"{100 * design.conduct.unblinded_share:g} % of the treated guess their arm and are rated accordingly."
        )
    if design.conduct.discontinue_per_year:
        found.append(
            f"{100 * design.conduct.discontinue_per_year:g} % stop the therapy of their arm each "
            "year; life goes on without it."
        )
    if design.conduct.rescue is not None:
        rescue = design.conduct.rescue
        found.append(
            f"Rescue begins at the first visit at which the {rescue.outcome} lies "
            f"{rescue.fall_at_least:g} points below the "
            f"baseline, in {100 * rescue.share:g} % of those."
        )
    if design.external_control is not None:
        found.append(
            f"{design.external_control.patients} people from outside the trial stand in for controls "
            f"({design.external_control.method.replace('_', ' ')})."
        )
    return found


def _mechanism(mechanism: str) -> str:
    return {
        "mcar": "completely at random",
        "mar": "more often after scores have fallen (at random)",
        "mnar": "more often when the true state has fallen (not at random)",
    }[mechanism]


def limits(design: TrialDesign) -> list[str]:
    """What these numbers do not say."""
    found = [
        "They are simulated trials: they inherit every error of the model, which the credibility report describes.",
        "Monte-Carlo errors are of the simulation alone. What is not known of the model is in the "
        "assurance, not in the power.",
    ]
    if design.cells_decide:
        found.append(
            "No cell product has been shown to help in SMA. The effect of cells is a distribution "
            "built from other diseases; "
            "an assumed effect shows the consequence of an assumption."
        )
    return found


def funder_words(design: TrialDesign, found: Mapping[str, Any]) -> dict[str, Any]:
    """The one page: the question, the answer in three sentences, what it costs, what follows."""
    null = found["under"]["null"]["characteristics"][0]["rejection"]
    assurance, accrual, value = found["assurance"], found["accrual"], found["value"]
    months = accrual["months_to_enrol"]
    facts = [
        f"If the effect is {found['reference']['effect']:.3g} ({found['reference']['words']}), a "
        f"trial of {found['patients']} people "
        f"finds it in {_at_reference(found)} of 100 trials.",
        f"Over everything that is not known today, it would succeed in {100 * assurance['value']:.0f} of 100 trials.",
        f"If there is no effect, it would wrongly find a difference in {100 * null['value']:.1f} of 100 trials.",
        "The people it needs would never be found."
        if months is None
        else f"Enrolment takes about {months / 12:.1f} years, and the last visit comes "
        f"{design.horizon_months:g} months later.",
    ]
    if value is not None:
        own = value["at"][0]
        facts.append(
            f"It would change the decision with a probability of {100 * own['change_probability']:.0f} %, and give "
            f"{100 * own['share_of_perfect']:.0f} % of what knowing the effect exactly would be worth."
        )
    return {"facts": facts, "verdict": found["verdict"], "cost": found["cost"]}


def _at_reference(found: Mapping[str, Any]) -> str:
    row = next((one for one in found["power_by_size"] if one["patients"] == found["patients"]), None)
    row = row or next(one for one in found["smallest_trial"]["tries"] if one["patients"] == found["patients"])
    return f"{100 * row['value']:.0f}"
