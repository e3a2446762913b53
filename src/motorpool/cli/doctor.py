"""The verb `doctor`: is this machine ready, and what to put into a bug report."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import typer

from motorpool.cli.console import aligned

PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "zarr",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "typer",
    "rich",
    "altair",
    "vl-convert-python",
    "lifelines",
    "jinja2",
)
OLDEST_PYTHON = (3, 11)
LITTLE_MEMORY_GIB = 2.0
BYTES_PER_GIB = 2**30
SMOKE_CHANGES = ("cohort.patients=8", "uncertainty.knowledge_draws=0", "horizon_months=6")


def doctor(
    smoke: bool = typer.Option(
        False, "--smoke", help="Also simulate a few people, which takes some seconds."
    ),
) -> None:
    """Check that this machine is ready.

    Looks at Python, packages, cores, memory, write access, the cache of compiled programs and the data files.
    Prints one line per check and ends with exit code 1 if something is wrong. Add its output to a bug report.

    \b
    Example:
      motorpool doctor --smoke
    """
    checks = [_python(), *_packages(), _cores(), _memory(), _writable(), _jax(), _data()]
    if smoke:
        checks.append(_smoke())
    rows = [("ok" if good else "WRONG", name, found) for good, name, found in checks]
    print(aligned(rows))
    if not all(good for good, _, _ in checks):
        raise typer.Exit(1)


Check = tuple[bool, str, str]


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return sys.version_info >= OLDEST_PYTHON, "Python", found


def _packages() -> list[Check]:
    from motorpool import __version__

    checks: list[Check] = [(True, "motorpool", __version__)]
    for package in PACKAGES:
        try:
            checks.append((True, package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            checks.append((False, package, "is not installed"))
    return checks


def _cores() -> Check:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return True, "processor cores", str(available)


def _memory() -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return True, "memory", "unknown"
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    gib = total / BYTES_PER_GIB
    hint = "" if gib >= LITTLE_MEMORY_GIB else "; little: use fewer patients or draws"
    return gib >= LITTLE_MEMORY_GIB, "memory", f"{gib:.1f} GiB{hint}"


def _writable() -> Check:
    try:
        with tempfile.TemporaryDirectory(prefix=".motorpool-", dir="."):
            return True, "write access", "to the current folder"
    except OSError as error:
        return False, "write access", f"none to the current folder ({error.strerror}); use --out"


def _jax() -> Check:
    try:
        import jax

        devices = ", ".join(str(device) for device in jax.devices())
        cache = getattr(jax.config, "jax_compilation_cache_dir", None) or os.environ.get(
            "JAX_COMPILATION_CACHE_DIR"
        )
    except Exception as error:
        return False, "JAX", f"does not start: {error}"
    return True, "JAX", f"{devices}; compiled programs kept in {cache or 'memory only'}"


def _data() -> Check:
    try:
        from motorpool.evidence.parameters import load_parameter_table
        from motorpool.simulation.loading import load_scenario, shipped_scenarios

        parameters = len(load_parameter_table())
        scenarios = [load_scenario(name) for name in shipped_scenarios()]
    except Exception as error:
        return False, "data", f"cannot be read: {error}"
    return parameters > 0, "data", f"{parameters} parameters, {len(scenarios)} scenarios"


def _smoke() -> Check:
    try:
        from motorpool.simulation.api import simulate
        from motorpool.simulation.loading import load_scenario

        results = simulate(load_scenario("demo", SMOKE_CHANGES))
    except Exception as error:
        return False, "simulation", f"fails: {type(error).__name__}: {error}"
    return True, "simulation", f"{results.dataset.sizes['patient']} people simulated"
