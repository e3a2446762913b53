"""What is known of cells in a few plain sentences, each with its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motorpool.cell_lab.known import MAIN_POOL

Content = Mapping[str, Any]
NOTICE = (
    "For research and teaching. It does not replace a doctor's judgement, and no decision about a person "
    "should rest on it."
)


def answer(content: Content) -> list[str]:
    """The sentences of the first screen."""
    return [
        _sma(content["sma"]),
        _blinded(pool_of(content, MAIN_POOL)),
        _open_label(content),
        _everything(content),
        _animals(content["animals"]),
        _prior(content["prior"]),
        _count(content["numbers"]["published_outcomes"]),
    ]


def pool_of(content: Content, name: str) -> Mapping[str, Any]:
    """One synthesis by its id."""
    return next(pool for pool in content["syntheses"] if pool["id"] == name)


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign and a true minus."""
    text = f"{value:+.{digits}f}"
    return f"{0.0:.{digits}f}" if float(text) == 0 else text.replace("-", "\u2212")


def range_words(low: float, high: float, digits: int = 1) -> str:
    """A range with signs."""
    return f"{signed(low, digits)} to {signed(high, digits)}"


def pooled_words(pool: Mapping[str, Any]) -> str:
    """A pooled effect with its interval and where a further study may fall, in standard deviations."""
    found = pool["shown"]
    return (
        f"{signed(found['estimate'], 2)} standard deviations "
        f"(95 % interval {range_words(found['low'], found['high'], 2)}; "
        f"a further such study: {range_words(found['predictive_low'], found['predictive_high'], 2)})"
    )


def _sma(sma: Mapping[str, Any]) -> str:
    drawn = sma["people_in_randomised_studies"]
    if drawn == 0:
        lot = "None of them was compared with a group drawn by lot, so nobody can say from them what cells do in SMA."
    else:
        lot = f"{drawn} of them were compared with a group drawn by lot."
    waiting = len(sma["waiting"])
    registered = (
        " One trial with a sham injection is in a registry; no result of it was found."
        if waiting == 1
        else ""
    )
    return (
        f"{sma['people_treated']} people with SMA who were given cells are described, in {sma['reports']} reports. "
        f"{lot}{registered}"
    )


def _blinded(pool: Mapping[str, Any]) -> str:
    found, points = pool["shown"], pool["hfmse_points"]
    none = found["low"] <= 0.0 <= found["high"]
    said = "found no effect that can be told from none" if none else "found an effect"
    return (
        f"The nearest blinded trials, {found['k']} in ALS and multiple sclerosis with {pool['people']} people, {said}: "
        f"{pooled_words(pool)}. If SMA behaved alike, that would be {signed(points['estimate'])} points of HFMSE in a "
        f"year ({range_words(points['low'], points['high'])})."
    )


def _open_label(content: Content) -> str:
    opened, adjusted = pool_of(content, "with_open_label"), pool_of(content, "bias_adjusted")
    inflation, lowered = content["open_label_inflation"], adjusted["shown"]
    number = sum(not study["blinded"] for study in opened["studies"])
    such = "the one such trial" if number == 1 else f"the {number} such trials"
    return (
        f"Where everybody knows who was given cells, results can look better than they are. With {such} the result is "
        f"{signed(opened['shown']['estimate'], 2)}; lowered by what knowing adds elsewhere ({inflation['mean']:.1f}, "
        f"uncertain by {inflation['sd']:.1f}) it is {signed(lowered['estimate'], 2)} "
        f"({range_words(lowered['low'], lowered['high'], 2)})."
    )


def _everything(content: Content) -> str:
    """The widest pool, with what lifts it: results of other diseases above those of the main pool."""
    pool, main = pool_of(content, "everything_controlled"), pool_of(content, MAIN_POOL)
    inside = {study["id"] for study in main["studies"]}
    diseases = {study["id"]: study["disease"].split(",")[0] for study in content["studies"]}
    better = dict.fromkeys(
        diseases[one["id"]] for one in pool["studies"] if one["blinded"] and one["id"] not in inside
    )
    return (
        f"Every controlled result of any disease together gives {pooled_words(pool)}. What lifts it comes from "
        f"{' and '.join(better)}, where the damage is of another kind, and from the trial in which everybody knew."
    )


def _animals(animals: Mapping[str, Any]) -> str:
    gains = sorted(one["gain"] for one in animals["life_span"] if one["smn_mouse"])
    restored = sorted(one["gain"] for one in animals["smn_restored"])
    found = animals["translation"]
    recalled = (
        ""
        if all(one["checked"] for one in animals["life_span"] if one["smn_mouse"])
        else " (figures recalled)"
    )
    share = [100 * found[name] for name in ("share", "share_low", "share_high")]
    return (
        f"Mice with SMA that were given cells around birth lived {100 * gains[0]:.0f} to {100 * gains[-1]:.0f} % "
        f"longer{recalled}; mice whose SMN was restored, {100 * restored[0]:.0f} to {100 * restored[-1]:.0f} %. Of "
        f"{found['tried']} protective approaches that helped animals and were then compared in people, "
        f"{found['helped']} helped: by this record the chance that the next one does is about "
        f"{share[0]:.0f} % ({share[1]:.0f} to {share[2]:.0f} %)."
    )


def _prior(prior: Mapping[str, Any]) -> str:
    values = prior["hfmse_points_12_months"]
    chances = prior["chance_that_the_mean_gain_exceeds"]
    low, high = prior["spread"]["range_95"]
    return (
        f"From all this, motorpool's own guess for cells added to an SMN drug is {signed(values['median'])} "
        f"points of HFMSE in a year on average "
        f"({range_words(low, high)}). That the average is above 1.5 points "
        f"has a chance of {100 * chances['above_1.5']:.0f} %. This is doubt about an "
        "average; it is not a share of children who gain."
    )


def _count(outcomes: Mapping[str, Any]) -> str:
    return (
        f"More trials are not more proof: of {outcomes['of']:,} registered trials of mesenchymal cells (to "
        f"2020), {outcomes['count']} had published "
        "their outcomes."
    )
