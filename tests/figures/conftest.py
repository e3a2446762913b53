from __future__ import annotations

import pytest

from motorpool.figures.collection import collect_figures
from motorpool.figures.context import FigureContext
from tests.support.synthetic_results import synthetic_dataset


@pytest.fixture(scope="session")
def context():
    return FigureContext(synthetic_dataset(patients=40, draws=3, visits=5, months_between_visits=6.0))


@pytest.fixture(scope="session")
def collection(context):
    return collect_figures(context)
