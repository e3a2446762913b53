"""Published results as tables: those drawn, and those not drawn with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motorpool.figures.published_points import SHARES

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext

MEASURES = {
    "score": "score",
    "change": "change from enrolment",
    "difference": "difference between arms",
    "event_free_share": "share without the event",
    "event_share": "share with the event",
    "able_share": "share able",
    "responder_share": "share who reach the rule",
}


def published_frame(context: FigureContext) -> pd.DataFrame:
    """One row per published number that is drawn."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "Study": f"{point.study} ({point.study_arm})",
                "Quantity": point.quantity.replace("_", " "),
                "Kind": MEASURES[point.measure],
                "Month": point.month,
                "Value": f"{100 * point.value:.0f} %" if point.measure in SHARES else point.value,
                "95 % interval": _interval(point.low, point.high, share=point.measure in SHARES),
                "Drawn with": context.labels[point.arm],
                "Read in the source": "yes" if point.checked else "no (provisional)",
                "What was measured": point.group,
            }
            for point in context.published
        ]
    )


def not_drawn_frame(context: FigureContext) -> pd.DataFrame:
    """One row per published number of the named studies that is not drawn, with the reason."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "Study": f"{left.study} ({left.study_arm})",
                "Quantity": left.quantity.replace("_", " "),
                "Why it is not drawn": left.reason,
                "What was measured": left.group,
            }
            for left in context.published_results.not_drawn
        ]
    )


def _interval(low: float | None, high: float | None, *, share: bool) -> str:
    if low is None or high is None:
        return "\u2013"
    if share:
        return f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{low:.3g} to {high:.3g}".replace("-", "\u2212")
