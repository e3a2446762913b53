"""Points between two objectives, and curves of what an effect brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.figures.figure import Figure, Layout, Spec, keep_rows, numbers
from motorpool.figures.marks import layered
from motorpool.figures.theme import ARM_COLOURS, INK

Row = Mapping[str, Any]


def points_figure(
    rows: Sequence[Row],
    *,
    identifier: str,
    title: str,
    caption: str,
    source: str,
    x: tuple[str, str],
    y: tuple[str, str],
) -> Figure | None:
    """Points between two objectives; those with ``front`` are filled and named when the pointer is on them.

    ``x`` and ``y`` are (field, title).
    """
    import pandas as pd

    if not rows:
        return None

    def build(layout: Layout) -> Spec:
        import altair as alt

        data = keep_rows(
            [
                {
                    "name": row["name"],
                    "kind": "on the Pareto front" if row["front"] else "beaten by another protocol",
                    x[0]: numbers(float(row[x[0]])),
                    y[0]: numbers(float(row[y[0]])),
                }
                for row in rows
            ]
        )
        chart = (
            alt.Chart(data)
            .mark_point(size=70, filled=True, opacity=0.8, stroke=INK, strokeWidth=0.6)
            .encode(
                x=alt.X(f"{x[0]}:Q", title=x[1]),
                y=alt.Y(f"{y[0]}:Q", title=y[1]),
                color=alt.Color(
                    "kind:N",
                    title=None,
                    scale=alt.Scale(
                        domain=["on the Pareto front", "beaten by another protocol"],
                        range=[ARM_COLOURS[1], "#c3c9d1"],
                    ),
                ),
                shape=alt.Shape(
                    "kind:N",
                    title=None,
                    scale=alt.Scale(
                        domain=["on the Pareto front", "beaten by another protocol"],
                        range=["diamond", "circle"],
                    ),
                ),
                tooltip=["name:N", f"{x[0]}:Q", f"{y[0]}:Q"],
            )
        )
        return layered([chart], width=layout.width - 60, height=300)

    best = [row for row in rows if row["front"]]
    words = "; ".join(f"{row['name']}: {float(row[y[0]]):+.2f} at {float(row[x[0]]):.2f}" for row in best[:8])
    return Figure(
        identifier=identifier,
        title=title,
        alt=f"{title}. On the front: {words}.",
        caption=caption,
        source=source,
        table=pd.DataFrame([{key: row[key] for key in ("name", x[0], y[0], "front")} for row in rows]),
        build=build,
    )


def curves_figure(
    rows: Sequence[Row],
    *,
    identifier: str,
    title: str,
    caption: str,
    source: str,
    x_title: str,
    y_title: str,
    level: float,
) -> Figure | None:
    """One line for each ``name`` through ``x`` and ``y``, with a dashed level to reach."""
    import pandas as pd

    if not rows:
        return None

    def build(layout: Layout) -> Spec:
        import altair as alt

        names = list(dict.fromkeys(row["name"] for row in rows))
        data = keep_rows(
            [{"name": r["name"], "x": numbers(float(r["x"])), "y": numbers(float(r["y"]))} for r in rows]
        )
        chart = (
            alt.Chart(data)
            .mark_line(point=True)
            .encode(
                x=alt.X("x:Q", title=x_title),
                y=alt.Y("y:Q", title=y_title),
                color=alt.Color(
                    "name:N",
                    title=None,
                    sort=None,
                    scale=alt.Scale(domain=names, range=[*ARM_COLOURS[: len(names)]]),
                    legend=alt.Legend(columns=layout.legend_columns),
                ),
                strokeDash=alt.StrokeDash("name:N", sort=None, legend=None),
            )
        )
        line = (
            alt.Chart(keep_rows([{"level": level}]))
            .mark_rule(color=INK, strokeDash=[6, 4])
            .encode(y=alt.Y("level:Q", title=y_title))
        )
        return layered([chart, line], width=layout.width - 60, height=280)

    last: dict[str, Row] = {str(row["name"]): row for row in rows}
    words = "; ".join(f"{name}: {float(row['y']):+.2f} at {float(row['x']):g}" for name, row in last.items())
    return Figure(
        identifier=identifier,
        title=title,
        alt=f"{title}. Ends of the lines: {words}; the level to reach is {level:g}.",
        caption=caption,
        source=source,
        table=pd.DataFrame([{key: row[key] for key in ("name", "x", "y")} for row in rows]),
        build=build,
    )
