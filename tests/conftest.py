"""Settings shared by all tests: where compiled programs are kept, precision, and reproducible searches.

Compiled JAX programs are kept between runs in `.cache/jax` of the checkout, which git ignores; several test
processes share it. The variable is set before any test can import JAX and reaches the programs tests start.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parent.parent

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CHECKOUT / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")

# The first example of a property compiles its program, which no deadline should measure. `derandomize` makes
# a run repeatable: what fails in continuous integration fails at home.
settings.register_profile(
    "motorpool", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("motorpool")


# Stretches of memory that a test process may map before JAX forgets its programs; Linux allows a process 65,530.
MOST_MAPPINGS = 15_000


@pytest.fixture(scope="module", autouse=True)
def few_programs_in_memory() -> Iterator[None]:
    """Every program that JAX compiles maps memory, and nobody uses those of an earlier module again."""
    yield
    mappings = Path("/proc/self/maps")
    if "jax" in sys.modules and mappings.exists():
        with mappings.open("rb") as lines:
            many = sum(1 for _ in lines) > MOST_MAPPINGS
        if many:
            sys.modules["jax"].clear_caches()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout, where `scenarios`, `docs` and the bootstrap lie."""
    return CHECKOUT


@pytest.fixture
def float64() -> Iterator[None]:
    """Let JAX compute in double precision within one test; users get single precision by default."""
    import jax

    before = bool(jax.config.jax_enable_x64)
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
