"""Ranges beside each other, and bars of shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.figures.figure import Figure, Layout, Spec, keep_rows, numbers
from motorpool.figures.marks import above, layered, panel_title
from motorpool.figures.theme import ARM_COLOURS, INK, SOFT_INK

Row = Mapping[str, Any]
ENDS = ("mean", "low", "high", "people_low", "people_high")


def ranges_figure(
    rows: Sequence[Row],
    *,
    identifier: str,
    title: str,
    caption: str,
    source: str,
    x_title: str,
    strip: float | None = None,
    label_room: int = 170,
) -> Figure | None:
    """Points with a thick range (what is not known) and a thin one (how people differ), one line for each row.

    Args:
        rows: ``panel``, ``name``, ``mean``, ``low``, ``high`` and, where there is one, ``people_low``, ``people_high``.
        strip: half-width of a grey strip around zero, such as one minimal important difference.
        label_room: pixels for the names of the rows on wide pages.
    """
    import pandas as pd

    drawn = [row for row in rows if row.get("mean") is not None]
    if not drawn:
        return None
    panels = list(dict.fromkeys(str(row.get("panel", "")) for row in drawn))

    def build(layout: Layout) -> Spec:
        width = max(150, layout.width - (label_room if layout.name == "wide" else 120))
        labels = label_room + 60 if layout.name == "wide" else 150
        made = [
            _range_panel(
                [_short(row) for row in drawn if str(row.get("panel", "")) == panel],
                panel,
                x_title,
                width,
                strip,
                labels,
                ARM_COLOURS[place % len(ARM_COLOURS)],
            )
            for place, panel in enumerate(panels)
        ]
        return {**above(made, spacing=18), "resolve": {"scale": {"x": "shared"}}}

    words = "; ".join(
        f"{(str(row.get('panel')) + ', ') if row.get('panel') else ''}{row['name']}: {row['mean']:+.3g} "
        f"(95 % {row['low']:+.3g} to {row['high']:+.3g})"
        for row in drawn[:24]
    )
    return Figure(
        identifier=identifier,
        title=title,
        alt=f"{title}. {words}.",
        caption=caption,
        source=source,
        table=pd.DataFrame([{key: row.get(key) for key in ("panel", "name", *ENDS)} for row in drawn]),
        build=build,
    )


def _short(row: Row) -> dict[str, Any]:
    kept: dict[str, Any] = {"name": row["name"]}
    for end in ENDS:
        value = row.get(end)
        if value is not None:
            kept[end] = numbers(float(value))
    return kept


def _range_panel(
    rows: list[dict[str, Any]],
    title: str,
    x_title: str,
    width: int,
    strip: float | None,
    labels: int,
    colour: str,
) -> Spec:
    import altair as alt

    base = alt.Chart(keep_rows(rows)).encode(
        y=alt.Y(
            "name:N",
            sort=None,
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelLimit=labels, grid=True),
        )
    )
    x = alt.X("mean:Q", title=x_title, axis=alt.Axis(tickCount=5))
    layers: list[Any] = []
    if strip is not None:
        layers.append(
            alt.Chart(keep_rows([{"from": -strip, "to": strip}]))
            .mark_rect(color=SOFT_INK, opacity=0.12)
            .encode(x=alt.X("from:Q", title=x_title), x2=alt.X2("to"))
        )
    layers.append(
        alt.Chart(keep_rows([{"at": 0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(x=alt.X("at:Q", title=x_title))
    )
    if any("people_low" in row for row in rows):
        layers.append(
            base.mark_rule(color=colour, strokeWidth=1.3).encode(
                x=alt.X("people_low:Q", title=x_title), x2=alt.X2("people_high")
            )
        )
    layers.append(
        base.mark_rule(color=colour, strokeWidth=6, opacity=0.55).encode(
            x=alt.X("low:Q", title=x_title), x2=alt.X2("high")
        )
    )
    layers.append(base.mark_point(color=INK, fill=colour, size=64, strokeWidth=1, opacity=1).encode(x=x))
    words = {"title": panel_title(title, width)} if title else {}
    return layered(layers, width=width, height={"step": 24}, **words)


def shares_figure(
    rows: Sequence[Row], *, identifier: str, title: str, caption: str, source: str, x_title: str
) -> Figure | None:
    """Bars of shares (``share``, ``low``, ``high`` from 0 to 1), the longest first."""
    import pandas as pd

    if not rows:
        return None
    drawn = sorted(rows, key=lambda row: -float(row["share"]))

    def build(layout: Layout) -> Spec:
        import altair as alt

        width = max(150, layout.width - (260 if layout.name == "wide" else 130))
        data = keep_rows(
            [
                {"name": row["name"]} | {k: numbers(float(row[k])) for k in ("share", "low", "high")}
                for row in drawn
            ]
        )
        base = alt.Chart(data).encode(
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=280))
        )
        bar = base.mark_bar(color=ARM_COLOURS[0], opacity=0.8).encode(
            x=alt.X("share:Q", title=x_title, scale=alt.Scale(domainMin=0))
        )
        rule = base.mark_rule(color=INK, strokeWidth=1.4).encode(
            x=alt.X("low:Q", title=x_title), x2=alt.X2("high")
        )
        return layered([bar, rule], width=width, height={"step": 24})

    words = "; ".join(f"{row['name']}: {float(row['share']):.2f}" for row in drawn)
    return Figure(
        identifier=identifier,
        title=title,
        alt=f"{title}. {words}.",
        caption=caption,
        source=source,
        table=pd.DataFrame([{key: row[key] for key in ("name", "share", "low", "high")} for row in drawn]),
        build=build,
    )
