"""Which therapies were tested on studies that calibration did not see, from the locked sets.

A therapy is tested independently where a validation study has it that was not also fitted to. Figures of a study of
which others were fitted are of the same patients; they are predicted and counted, but they are no second study.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from motorpool.report.credibility.coverage import Covered, covered_figures
from motorpool.therapies.plan import THERAPIES

Tested = Literal["several studies", "one study", "not validated", "not studied"]


@dataclasses.dataclass(frozen=True)
class TherapyScope:
    """One therapy, or combination: studies fitted to, studies that test it, and those counted apart, each by name.

    ``inside`` of ``judged`` counted validation figures lie inside their interval, those of fitted studies included.
    """

    therapy: str
    fitted: tuple[str, ...]
    tested_by: tuple[str, ...]
    apart: tuple[str, ...]
    judged: int
    inside: int

    @property
    def tested(self) -> Tested:
        """How far it is validated."""
        if len(self.tested_by) > 1:
            return "several studies"
        if self.tested_by:
            return "one study"
        return "not validated" if self.fitted or self.apart or self.judged else "not studied"


def therapy_scopes(
    endpoints: Sequence[Mapping[str, Any]], figures: Sequence[Covered] | None = None
) -> list[TherapyScope]:
    """Every therapy that a study has or a plan may hold, the best tested first.

    Args:
        endpoints: of a validation, as plain data; a study none of whose figures it counts tests nothing. Without any,
            the sets alone decide.
        figures: what each figure is about; by default those of all shipped studies.
    """
    known = covered_figures({}) if figures is None else figures
    results = {
        (row["study"], row["endpoint"]): bool(row["inside_90"])
        for row in endpoints
        if row["set"] == "validation" and row["counted"]
    }
    scopes = [_scope(name, known, results) for name in sorted({one.therapy for one in known})]
    parts = {part.split(" (")[0] for one in known for part in one.therapy.split(" + ")}
    unstudied = [name.replace("_", " ") for name in THERAPIES]
    scopes += [TherapyScope(name, (), (), (), 0, 0) for name in unstudied if name not in parts]
    order: dict[Tested, int] = {"several studies": 0, "one study": 1, "not validated": 2, "not studied": 3}
    return sorted(scopes, key=lambda scope: (order[scope.tested], scope.therapy))


def _scope(therapy: str, figures: Sequence[Covered], results: Mapping[tuple[str, str], bool]) -> TherapyScope:
    mine = [one for one in figures if one.therapy == therapy]
    by_set = {
        kind: tuple(sorted({one.study for one in mine if one.set == kind}))
        for kind in ("calibration", "validation", "apart")
    }
    judged = [
        results[one.study, one.endpoint]
        for one in mine
        if one.set == "validation" and (one.study, one.endpoint) in results
    ]
    counted = {one.study for one in mine if (one.study, one.endpoint) in results or not results}
    others = (name for name in by_set["validation"] if name not in by_set["calibration"])
    return TherapyScope(
        therapy=therapy,
        fitted=by_set["calibration"],
        tested_by=tuple(name for name in others if name in counted),
        apart=by_set["apart"],
        judged=len(judged),
        inside=sum(judged),
    )
