"""Data of replicate trials as tidy tables with the names of the CDISC Analysis Data Model (ADaM): ADSL, ADQS, ADTTE.

The names are those of the standard; the tables hold simulated people and are no submission data sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.labels import event_label, outcome_view
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.units import DAYS_PER_MONTH
from motorpool.trials.data_cut import as_of
from motorpool.trials.design import TrialDesign
from motorpool.trials.estimand_values import event_times
from motorpool.trials.pool import Pool
from motorpool.trials.replicate import TrialData

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
CODE_LENGTH = 8  # of a parameter's code in the standard


def adsl(data: TrialData, pool: Pool) -> pd.DataFrame:
    """Subject level: one row per person of each replicate."""
    import pandas as pd

    design = data.design
    people = data.arm.shape[1]
    labels = _labels(design)
    names = [*design.arms, "external"]
    inside = data.arm < len(design.arms)
    age = pool.enrolment_months[np.where(inside, data.person, 0)] / 12.0
    copies = pool.smn2_copies[np.where(inside, data.person, 0)]
    if pool.external_strata is not None:
        others = np.where(inside, 0, data.person)
        age = np.where(inside, age, pool.external_strata[0][others] / 12.0)
        copies = np.where(inside, copies, pool.external_strata[1][others])
    death = data.event_months[EVENTS.index("death")]
    died = death <= np.minimum(design.horizon_months, data.left_months)
    left = data.left_months < design.horizon_months
    reason = np.where(died, "DEATH", np.where(left, "WITHDRAWAL BY SUBJECT", ""))
    changed = "DISCNFL" if design.conduct.rescue is None else "RESCUEFL"
    columns: dict[str, Any] = {
        "STUDYID": design.name.upper(),
        "REPLICATE": np.repeat(data.replicates, people),
        "USUBJID": _subjects(data),
        "SITEID": (data.site.ravel() + 1),
        "STRATUM": data.stratum.ravel(),
        "TRT01P": np.asarray(labels)[data.arm.ravel()],
        "TRT01PN": data.arm.ravel(),
        "TRT01A": np.asarray(labels)[data.arm.ravel()],
        "TRT01AN": data.arm.ravel(),
        "ARMCD": np.asarray(names)[data.arm.ravel()],
        "FASFL": "Y",
        "AGE": np.round(age.ravel(), 3),
        "AGEU": "YEARS",
        "SMN2COP": copies.ravel(),
        "ENTRYDY": _days(data.entry_months),
        "EOSSTT": np.where(reason == "", "COMPLETED", "DISCONTINUED").ravel(),
        "DCSREAS": reason.ravel(),
        "EOSDY": _days(np.minimum(np.minimum(death, data.left_months), design.horizon_months)),
        "DTHFL": np.where(died, "Y", "N").ravel(),
        changed: np.where(np.isfinite(data.change_months), "Y", "N").ravel(),
    }
    return pd.DataFrame(columns)


def adqs(data: TrialData) -> pd.DataFrame:
    """Scores: one row per person, score and visit that took place."""
    import pandas as pd

    design = data.design
    months = np.asarray(design.visit_months)
    subjects = np.asarray(_subjects(data)).reshape(data.arm.shape)
    labels, codes = np.asarray(_labels(design)), _codes(design.outcomes)
    parts: list[pd.DataFrame] = []
    for row, outcome in enumerate(design.outcomes):
        seen = data.seen & np.isfinite(data.scores[row])
        visit, replicate, person = np.nonzero(seen)
        base, value = data.baseline[row][replicate, person], data.scores[row][visit, replicate, person]
        parts.append(
            pd.DataFrame(
                {
                    "STUDYID": design.name.upper(),
                    "REPLICATE": np.asarray(data.replicates)[replicate],
                    "USUBJID": subjects[replicate, person],
                    "TRTP": labels[data.arm[replicate, person]],
                    "TRTPN": data.arm[replicate, person],
                    "PARAMCD": codes[row],
                    "PARAM": outcome_view(outcome).label,
                    "AVISIT": [f"MONTH {month:g}" if month else "BASELINE" for month in months[visit]],
                    "AVISITN": visit,
                    "ADY": np.round(months[visit] * DAYS_PER_MONTH).astype(int) + 1,
                    "AVAL": np.round(value.astype(float), 3),
                    "BASE": np.round(base.astype(float), 3),
                    "CHG": np.round(value.astype(float) - base.astype(float), 3),
                    "ABLFL": np.where(visit == 0, "Y", ""),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return (
        table.sort_values(["REPLICATE", "USUBJID", "PARAMCD", "AVISITN"], kind="stable") if parts else table
    )


def adtte(data: TrialData) -> pd.DataFrame:
    """Times to events: one row per person and time-to-event endpoint, and always death.

    CNSR is 0 for the event, 1 for the end of what is known, and 2 for a death that came first.
    """
    import pandas as pd

    design = data.design
    end = np.minimum(design.horizon_months, data.left_months)
    death = data.event_months[EVENTS.index("death")]
    parts = [_tte(data, "DEATH", event_label("death"), np.minimum(death, end), np.where(death <= end, 1, 0))]
    timed = [one for one in design.endpoints if one.event is not None and one.event != "death"]
    for endpoint, code in zip(timed, _codes(["DEATH", *(one.name for one in timed)])[1:], strict=True):
        times = event_times(data, endpoint)
        parts.append(_tte(data, code, event_label(str(endpoint.event)), times.months, times.cause))
    return pd.concat(parts, ignore_index=True)


def _tte(data: TrialData, code: str, label: str, months: Array, cause: Array) -> pd.DataFrame:
    """Rows of one event; cause 0 censored, 1 the event, 2 death first, (R, N)."""
    import pandas as pd

    labels = np.asarray(_labels(data.design))

    return pd.DataFrame(
        {
            "STUDYID": data.design.name.upper(),
            "REPLICATE": np.repeat(data.replicates, data.arm.shape[1]),
            "USUBJID": _subjects(data),
            "TRTP": labels[data.arm.ravel()],
            "TRTPN": data.arm.ravel(),
            "PARAMCD": code,
            "PARAM": label,
            "AVAL": np.round(months.ravel() * DAYS_PER_MONTH, 1),
            "AVALU": "DAYS",
            "CNSR": np.choose(cause.ravel(), [1, 0, 2]),
            "EVNTDESC": np.asarray(["CENSORED", label, "DEATH BEFORE THE EVENT"])[cause.ravel()],
        }
    )


def _labels(design: TrialDesign) -> list[str]:
    """Labels by number of the arm, people from outside last."""
    return [design.label_of(arm) for arm in design.arms] + [design.label_of("external")]


def _codes(names: Sequence[str]) -> list[str]:
    """Parameter codes of at most eight characters, each its own."""
    found: list[str] = []
    for name in names:
        code = name.upper()[:CODE_LENGTH]
        number = 2
        while code in found:
            code = name.upper()[: CODE_LENGTH - len(str(number))] + str(number)
            number += 1
        found.append(code)
    return found


def _subjects(data: TrialData) -> list[str]:
    name, people = data.design.name.upper(), data.arm.shape[1]
    return [
        f"{name}-{replicate:06d}-{number + 1:05d}"
        for replicate in data.replicates
        for number in range(people)
    ]


def _days(months: Array) -> Array:
    days = np.round(months.ravel() * DAYS_PER_MONTH, 0)
    return np.where(np.isfinite(days), days, np.nan)


def adam_tables(
    design: TrialDesign, data: TrialData, pool: Pool, cut_months: Array | None = None
) -> dict[str, pd.DataFrame]:
    """All tables by name.

    Args:
        cut_months: when the data of each replicate were cut, (R,); who had not entered by then is not there.
    """
    if cut_months is None:
        return {"ADSL": adsl(data, pool), "ADQS": adqs(data), "ADTTE": adtte(data)}
    known = as_of(data, cut_months)
    tables = {"ADSL": adsl(known, pool), "ADQS": adqs(known), "ADTTE": adtte(known)}
    going_on = (
        (known.left_months < data.left_months)
        & (tables["ADSL"]["DTHFL"] == "N").to_numpy().reshape(data.arm.shape)
        & (known.left_months < design.horizon_months)
    ).ravel()
    tables["ADSL"].loc[going_on, ["EOSSTT", "DCSREAS"]] = ["ONGOING", ""]
    there = np.asarray(_subjects(data))[(data.entry_months <= cut_months[:, None]).ravel()]
    return {
        name: table[table["USUBJID"].isin(there)].reset_index(drop=True) for name, table in tables.items()
    }
