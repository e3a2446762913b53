"""A few people with and without cells, shared by the tests of the laboratory."""

from __future__ import annotations

import pytest

from motorpool.cell_lab.people import People
from motorpool.cell_lab.plan import BasePlan, base_plan

MONTHS = (3, 4, 5, 6, 12)


@pytest.fixture(scope="session")
def plan() -> BasePlan:
    """Sitters on risdiplam."""
    return base_plan("cells_addon_sitters", patients=16, months=MONTHS)


@pytest.fixture(scope="session")
def people(plan: BasePlan) -> People:
    """Two draws of biology."""
    found = People(plan, 2)
    found.recruit_all(lambda share: None)
    return found
