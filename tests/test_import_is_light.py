"""`import motorpool` and `motorpool --help` stay light: heavy libraries are loaded only by what needs them.

Modules are counted, not seconds, so the answer does not depend on the machine.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"jax", "jaxlib", "xarray", "pandas", "altair", "numpyro", "scipy", "zarr", "pyarrow", "lifelines"}

AFTER_IMPORT = """
import sys
before = set(sys.modules)
import motorpool
after = set(sys.modules)
"""

AFTER_HELP = """
import contextlib, io, runpy, sys
before = set(sys.modules)
sys.argv = ["motorpool", "--help"]
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    runpy.run_module("motorpool", run_name="__main__", alter_sys=True)
after = set(sys.modules)
assert "simulate" in shown.getvalue(), "the help did not appear"
"""

REPORT = "import json; print(json.dumps(sorted(after - before)))"


def modules_loaded_by(program: str, checkout: Path) -> set[str]:
    environment = dict(os.environ, PYTHONPATH=str(checkout / "src"))
    answer = subprocess.run(
        [sys.executable, "-c", program + REPORT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("program", "most_modules"),
    [
        pytest.param(AFTER_IMPORT, 60, id="import motorpool"),
        pytest.param(AFTER_HELP, 300, id="motorpool --help"),
    ],
)
def test_few_modules_and_no_heavy_library_are_loaded(program: str, most_modules: int, checkout: Path) -> None:
    loaded = modules_loaded_by(program, checkout)
    assert not {name.split(".")[0] for name in loaded} & HEAVY
    assert len(loaded) <= most_modules


def test_every_public_name_is_offered_and_an_unknown_one_is_refused() -> None:
    import motorpool

    assert set(motorpool.__all__) <= set(dir(motorpool))
    assert motorpool.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="'simulatte'; it offers .*simulate"):
        _ = motorpool.simulatte
