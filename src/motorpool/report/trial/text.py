"""Results of trials as lines and tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign

LONG_MONTHS = 120  # from which on months are told as years
WON = "won in order"
HEAD = (
    "endpoint",
    "arm",
    "effect",
    "true",
    "estimate",
    "bias",
    "coverage",
    "power",
    WON,
    "significant",
)


def percent(figure: Mapping[str, Any] | None) -> str:
    """A share with its Monte-Carlo error, in per cent."""
    if figure is None or figure["value"] is None:
        return "-"
    return f"{100 * figure['value']:.1f} % (MC {100 * (figure['monte_carlo_error'] or 0.0):.1f})"


def number(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A number with its Monte-Carlo error."""
    if figure is None or figure["value"] is None:
        return "-"
    return f"{figure['value']:.{digits}g} (MC {figure['monte_carlo_error'] or 0.0:.1g})"


def result_rows(design: TrialDesign, found: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row for every endpoint and test arm."""
    in_order = design.multiplicity.procedure == "fixed_sequence"
    rows: list[tuple[str, ...]] = [HEAD if in_order else tuple("won" if one == WON else one for one in HEAD)]
    rows += [
        (
            row["endpoint"],
            design.label_of(row["arm"]),
            f"{row['summary']}{', ' + row['unit'] if row['unit'] else ''}",
            "-" if row["truth"] is None else f"{row['truth']:.3g}",
            number(row["mean_estimate"]),
            number(row["bias"], 2),
            percent(row["coverage"]),
            percent(row["power"]),
            percent(row["success"]),
            percent(row["rejection"]),
        )
        for row in found
    ]
    return rows


def course_lines(design: TrialDesign, found: Mapping[str, Any]) -> list[str]:
    """Size, duration, stopping and a published result, in sentences."""
    course, accrual = found["course"], found["accrual"]
    lines = [
        f"People enrolled: {number(course['patients'], 4)}; missing at the last visit: "
        f"{percent(course['missing_at_last_visit'])}"
    ]
    lines.append(
        f"From the first centre to the last visit: {_months(course['months_median'])} (median); {_enrolment(accrual)}"
    )
    if "events" in course:
        lines.append(f"Events of the first endpoint at the end: {number(course['events'], 4)}")
    if "drift_noticed" in course:
        lines.append(
            f"Outside controls were worth {number(course['external_patients_worth'])} people; a "
            "drift between the controls "
            f"was noticed in {percent(course['drift_noticed'])}"
        )
    for row in course.get("stopped", []):
        lines.append(
            f"Look {row['look']} at {100 * row['information']:g} % of the information: stopped for efficacy "
            f"{percent(row['efficacy'])}, for futility {percent(row['futility'])}"
        )
    lines += rule_lines(design, course)
    lines += estimation_lines(design, found.get("characteristics", []))
    lines += published_lines(found.get("published"))
    return lines


def rule_lines(design: TrialDesign, course: Mapping[str, Any]) -> list[str]:
    """What the adaptive rules and the safety rule did, in sentences."""
    lines: list[str] = []
    if "size_raised" in course:
        lines.append(
            f"Size set anew: raised in {percent(course['size_raised'])}, to the limit of {design.most_patients} people "
            f"in {percent(course['size_at_its_limit'])}"
        )
    if "zones" in course:
        lines.append(
            "At the look: " + ", ".join(f"{name} {percent(one)}" for name, one in course["zones"].items())
        )
    if "arms_kept" in course:
        kept = ", ".join(f"{design.label_of(arm)} {percent(one)}" for arm, one in course["arms_kept"].items())
        lines.append(f"Arms that went on after the look: {kept}")
    if "allocated" in course:
        shares = ", ".join(
            f"{design.label_of(arm)} {percent(one)}" for arm, one in course["allocated"].items()
        )
        lines.append(f"People in each arm: {shares}")
    if "stopped_for_harm" in course:
        lines.append(
            f"Stopped for harm: {percent(course['stopped_for_harm'])}; of {number(course['treated'])} treated people "
            f"{percent(course['harmed_share'])} had such an event"
        )
    return lines


def estimation_lines(design: TrialDesign, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The naive estimate and the one that takes account of the design's rules, side by side."""
    lines: list[str] = []
    for row in rows:
        both = row.get("estimation")
        if not both:
            continue
        lines.append(f"Estimates of {row['endpoint']}, {design.label_of(row['arm'])}:")
        lines += [
            f"  {one['method']}: {number(one['mean_estimate'])}, bias {number(one['bias'], 2)}, above the truth "
            f"{percent(one['above_truth'])}, coverage {percent(one['coverage'])}"
            for one in (both["naive"], both["adjusted"])
        ]
    if lines:
        from motorpool.trials.adjusted import without_adjusted

        words = without_adjusted(design)
        lines += [f"  {words}"] if words else []
    return lines


def published_lines(published: Mapping[str, Any] | None, under: str = "") -> list[str]:
    """How a real trial's effect compares with its replicates.

    Args:
        under: what the replicates were drawn under, in words.
    """
    if not published:
        return []
    low, high = published["replicates_middle_95"]
    interval, inside = published["published_interval"], published["inside_published_interval"]
    lines = [
        f"Published ({published['study']}, {published['endpoint']}){under}: {published['published']:g}"
        + ("" if interval is None else f" ({interval[0]:g} to {interval[1]:g})")
        + f"; middle 95 % of the replicates {low:.3g} to {high:.3g}, power {percent(published['power'])}"
    ]
    if inside is None:
        return lines
    share = f"{percent(inside)} of the replicates lie inside the published 95 % interval"
    most = published["ceiling"]
    if most is not None:
        share += (
            f"; a perfect model would reach about {100 * most['perfect_model']:.0f} %, one whose effect is exactly the "
            f"published one {100 * most['same_effect']:.0f} %"
        )
    lines.append(f"  {'recognised' if published['recognised'] else 'NOT recognised'}: {share}")
    if published["why_not"]:
        lines.append(f"  why: {published['why_not']}")
    return lines


def value_lines(design: TrialDesign, found: Mapping[str, Any]) -> list[str]:
    """Assurance, sizes, accrual and the value of the answer, in sentences."""
    assurance, reference, smallest = found["assurance"], found["reference"], found["smallest_trial"]
    low, high = assurance["effect_95"]
    lines = [
        f"Assurance (power averaged over what is not known, {assurance['draws']} draws): {percent(assurance)}; effect "
        f"{assurance['effect_mean']:.3g} on average, 95 % from {low:.3g} to {high:.3g}",
        f"Reference effect: {reference['effect']:.3g} ({reference['words']}; {reference['truth']})",
    ]
    lines += [
        f"  true effect {row['effect']:.3g}: power {percent(row)} ({row['truth']})"
        for row in found["power_by_effect"]
    ]
    wanted = f"{100 * smallest['target_power']:g} % power"
    if smallest["patients"] is None:
        lines.append(f"Smallest trial for {wanted}: none found up to {smallest['largest_possible']} people")
    else:
        lines.append(
            f"Smallest trial for {wanted}: {smallest['patients']} people, {percent(smallest['power'])}"
        )
    lines += [f"  {row['patients']} people: power {percent(row)}" for row in found["power_by_size"]]
    lines.append(
        f"Accrual: {_enrolment(found['accrual'])}; {found['accrual']['feasible_patients']} in "
        f"{found['accrual']['feasible_years']:g} years"
    )
    lines += published_lines(found.get("published"), ", central values")
    lines += published_lines(found.get("published_over_draws"), f", over {assurance['draws']} draws")
    value = found["value"]
    if value is None:
        return lines
    people = "" if value["people_affected"] is None else f", {value['people_affected']:.0f} people concerned"
    lines.append(
        f"Decision: worthwhile from {value['worthwhile']:g} {value['unit']}; the chance that the "
        "effect is that large is "
        f"{100 * value['probability_worthwhile']:.1f} %{people}"
    )
    lines += [
        f"  {row['patients']} people ({row['size']}): changes the decision with probability "
        f"{100 * row['change_probability']:.1f} %; worth {row['sample_information_per_person']:.3g} "
        f"{value['unit']} per "
        f"person, {100 * row['share_of_perfect']:.0f} % of knowing everything"
        for row in value["at"]
    ]
    return lines


def comparison_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for every design compared."""
    rows: list[tuple[str, ...]] = [
        (
            "design",
            "first endpoint",
            "visits",
            "people",
            "effect",
            "SD of estimate",
            "power",
            "type I error",
            "first centre to last visit",
            "smallest",
        )
    ]
    for row in found["designs"]:
        smallest = row["smallest_trial"]
        size = "" if smallest is None else str(smallest["patients"] or "none")
        rows.append(
            (
                row["name"],
                row["endpoint"],
                str(row["visits"]),
                str(row["patients"]),
                "-" if row["effect"] is None else f"{row['effect']:.3g}",
                f"{row['standard_deviation_of_estimate']:.3g}",
                percent(row["power"]),
                percent(row["type_1_error"]),
                _months(row["course"]["months_median"]),
                size,
            )
        )
    return rows


def _months(value: float | None) -> str:
    if value is None:
        return "never full"
    return f"{value:.0f} months" if value < LONG_MONTHS else f"{value / 12:.1f} years"


def _enrolment(accrual: Mapping[str, Any]) -> str:
    months = accrual["months_to_enrol"]
    return "the size is never reached" if months is None else f"{months / 12:.1f} years to enrol"
