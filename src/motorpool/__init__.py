"""motorpool: an open laboratory for spinal muscular atrophy.

Everything a script needs is here:

    import motorpool

    results = motorpool.simulate("scenario.yaml", patients=200, seed=1)
    results.summary()                       # tidy table, one row per arm, outcome and visit
    results.save("out")                     # zarr, CSV, parquet, manifest and report
    results = motorpool.load_results("out")

Importing this package is cheap: each name is fetched, with the libraries behind it, when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from motorpool._version import __version__

if TYPE_CHECKING:
    from motorpool.simulation.api import simulate
    from motorpool.simulation.results import Results, load_results

__all__ = ["Results", "__version__", "load_results", "simulate"]

_HOME_OF = {
    "Results": "motorpool.simulation.results",
    "load_results": "motorpool.simulation.results",
    "simulate": "motorpool.simulation.api",
}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'motorpool' has no attribute {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
