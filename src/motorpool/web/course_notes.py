"""How a therapy is given where a reader says nothing: in words, from the facts about labels and protocols."""

from __future__ import annotations

from motorpool.evidence.facts import load_facts


def _number(file: str, name: str) -> float:
    return load_facts(file).fact(name).number


def usual_settings(therapy: str) -> dict[str, str]:
    """What the engine takes for each setting that is not given, in words."""
    if therapy == "myostatin_inhibition":
        return {
            "dose_mg_per_kg": f"{_number('dosing', 'myostatin_inhibition_dose_mg_per_kg'):g}",
            "interval_weeks": f"{_number('dosing', 'myostatin_inhibition_interval_weeks'):g}",
        }
    if therapy == "transmission_support":
        return {"dose_fraction": "1"}
    if therapy == "cell_therapy":
        return {
            "million_cells_per_kg": f"{_number('dosing', 'cells_trial_oh2018_million_per_kg'):g}",
            "doses": f"{_number('dosing', 'cells_trial_umbilical_doses'):g}",
            "interval_weeks": f"{_number('dosing', 'cells_redose_interval_days') / 7:.1f}",
            "viability": f"{_number('protocols', 'cells_viability'):g}",
        }
    if therapy == "rehabilitation":
        return {"sessions_per_week": f"{_number('protocols', 'rehabilitation_sessions_per_week'):g}"}
    if therapy == "brace":
        return {"hours_per_day": f"{_number('protocols', 'brace_hours_per_day'):g}"}
    if therapy == "spine_surgery":
        return {
            "cobb_threshold_degrees": f"{_number('care', 'spine_surgery_cobb_degrees'):g}",
            "minimum_age_years": f"{_number('protocols', 'spine_surgery_minimum_age_years'):g}",
        }
    return {}


def protocol_notes(therapy: str) -> dict[str, str]:
    """How each kind of a therapy is given, by kind; under an empty name for a therapy without kinds."""
    if therapy == "nusinersen":
        return {"standard": _nusinersen("standard"), "high_dose": _nusinersen("high_dose")}
    if therapy == "risdiplam":
        return {"": _risdiplam()}
    if therapy == "onasemnogene":
        per_kg, whole = (
            _number("dosing", f"onasemnogene_{name}") for name in ("intravenous_vg_per_kg", "intrathecal_vg")
        )
        return {
            "intravenous": f"Once: {per_kg:.1e} vector genomes per kg.",
            "intrathecal": f"Once: {whole:.1e} vector genomes, whatever the weight.",
        }
    return {}


def _nusinersen(regimen: str) -> str:
    days = load_facts("dosing").fact(f"nusinersen_{regimen}_loading_days").numbers
    standard = regimen == "standard"
    first = _number(
        "dosing", "nusinersen_standard_dose_mg" if standard else "nusinersen_high_dose_loading_mg"
    )
    later = _number(
        "dosing", "nusinersen_standard_dose_mg" if standard else "nusinersen_high_dose_maintenance_mg"
    )
    interval = _number("dosing", "nusinersen_maintenance_interval_days")
    listed = ", ".join(f"{day:g}" for day in days[:-1])
    return f"{first:g} mg on days {listed} and {days[-1]:g}, then {later:g} mg every {interval:g} days."


def _risdiplam() -> str:
    rows = load_facts("dosing").table("risdiplam_dose_bands").rows
    parts: list[str] = []
    for row in rows:
        age, weight, per_kg, most = (float(value) for value in row)
        if weight:
            parts.append(f"from {weight:g} kg {most:g} mg")
        elif not age:
            parts.append(f"{per_kg:g} mg per kg")
        else:
            since = f"{12 * age:.0f} months" if age < 1 else f"{age:g} years"
            parts.append(f"from {since} {per_kg:g} mg per kg")
    return f"Every day, by age and weight as on the label: {'; '.join(parts)}."
