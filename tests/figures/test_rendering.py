from __future__ import annotations

import sys

import pytest

from motorpool.figures import rendering
from motorpool.figures.rendering import Renderer, render_svg

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
    "mark": "line",
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
    },
}


def test_the_second_process_gives_the_same_picture():
    with Renderer() as renderer:
        numbers = [renderer.add({**SPEC, "width": width}) for width in (100, 200)]
        pictures = [renderer.svg(number) for number in numbers]
    assert pictures == [render_svg({**SPEC, "width": width}) for width in (100, 200)]


@pytest.mark.parametrize("starter", ["raise SystemExit(3)", "print('nonsense', flush=True)"])
def test_without_a_second_process_pictures_are_made_here(monkeypatch, starter):
    monkeypatch.setattr(rendering, "STARTER", starter)
    with Renderer() as renderer:
        number = renderer.add(SPEC)
        assert renderer.svg(number).startswith("<svg")


def test_an_absent_interpreter_is_no_problem(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Renderer() as renderer:
        number = renderer.add(SPEC)
        assert renderer.svg(number).startswith("<svg")


def test_the_bundle_is_kept_between_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    import vl_convert

    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda snippet, vl_version: f"code {snippet}")
    assert rendering.bundle("draw") == "code draw"
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda snippet, vl_version: "other")
    assert rendering.bundle("draw") == "code draw"
    assert len(list((tmp_path / "motorpool").iterdir())) == 1
