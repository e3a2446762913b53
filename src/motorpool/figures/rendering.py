"""Turns specifications into SVG, in a second process where that works, so that two cores share the work.

The renderer holds Python's global lock, so threads would not help. Run as a module it is the second process:
it reads one specification per line and answers one JSON line each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

Spec = dict[str, Any]


@lru_cache(maxsize=1)
def vega_lite_version() -> str:
    """The Vega-Lite version figures are written in, as the renderer names it."""
    import altair
    import vl_convert

    wanted = altair.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
    known: list[str] = vl_convert.get_vegalite_versions()
    return wanted if wanted in known else known[-1]


def render_svg(spec: Spec, version: str | None = None) -> str:
    """Render Vega-Lite to SVG without a browser or network."""
    import vl_convert

    return vl_convert.vegalite_to_svg(spec, vl_version=version or vega_lite_version())


class Renderer:
    """Renders specifications in the background; whatever the second process does not deliver is done here.

    Use as a context manager: `add` specifications, then take pictures with `svg`.
    """

    def __init__(self) -> None:
        self._specs: list[Spec] = []
        self._done: dict[int, str] = {}
        self._reader: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Renderer:
        package = Path(__file__).parents[2]
        command = [sys.executable, "-c", STARTER, str(package), vega_lite_version()]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        except OSError:
            return self
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop_asking()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._reader is not None:
            self._reader.join()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def add(self, spec: Spec) -> int:
        """Hand over a specification; returns its number."""
        number = len(self._specs)
        self._specs.append(spec)
        stream = self._process.stdin if self._process else None
        if stream is not None:
            try:
                stream.write(json.dumps([number, spec], separators=(",", ":")) + "\n")
                stream.flush()
            except OSError:
                self._stop_asking()
        return number

    def svg(self, number: int) -> str:
        """The picture of a specification, waiting for it; no more specifications can be added."""
        self._stop_asking()
        if self._reader is not None:
            self._reader.join()
        if number not in self._done:
            self._done[number] = render_svg(self._specs[number])
        return self._done[number]

    def _stop_asking(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                pass
            self._process.stdin = None

    def _read(self) -> None:
        stream = self._process.stdout if self._process else None
        for line in stream or ():
            try:
                number, picture = json.loads(line)
            except ValueError:
                return
            self._done[number] = picture


# The second process needs this module and the renderer, nothing else of the package.
STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from motorpool.figures.rendering import serve
serve(sys.argv[2])
"""


def serve(version: str) -> None:
    """Answer specifications on standard input until it ends."""
    for line in sys.stdin:
        number, spec = json.loads(line)
        sys.stdout.write(json.dumps([number, render_svg(spec, version)]) + "\n")
        sys.stdout.flush()


def bundle(snippet: str) -> str:
    """The JavaScript that draws specifications in a browser, kept between runs in the user's cache folder."""
    import hashlib
    import os
    from importlib.metadata import version

    import vl_convert

    key = f"{version('vl-convert-python')} {vega_lite_version()} {snippet}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = home / "motorpool" / f"vega-{hashlib.sha256(key.encode()).hexdigest()[:16]}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    code: str = vl_convert.javascript_bundle(snippet, vl_version=vega_lite_version())
    unfinished = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(code, encoding="utf-8")
        unfinished.replace(kept)
    except OSError:
        pass
    return code
