"""Writes the results of a large run part by part, so that memory does not grow with the number of people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.layers import Statistics, columns_of, table_of
from motorpool.simulation.layout import dataset_of, nobody
from motorpool.simulation.limits import outcome_limits
from motorpool.simulation.partition import DrawPlan, Kept
from motorpool.simulation.results import WrongNumbers
from motorpool.simulation.run import PartStore, in_order, with_cohort_facts
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.store import headline, rounded, write_summaries
from motorpool.simulation.summary import measures
from motorpool.simulation.tally import Tally, quantile_error, stack_draws, tally_statistics

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PEOPLE_TOGETHER = 4096  # in one chunk of results.zarr


def write_large_results(
    folder: Path,
    scenario: Scenario,
    plans: list[DrawPlan],
    parts: PartStore,
    kept: Kept,
    run: dict[str, Any],
    wrong: WrongNumbers,
    identity: str,
) -> None:
    """Write every file of a large run's folder."""
    if kept.people:
        _write_people(folder / "results.zarr", scenario, plans, parts)
    table = counted_table(scenario, plans, parts)
    facts = with_cohort_facts(nobody(scenario).isel(draw=[0] * len(plans)), plans)
    content = headline(facts, table, scenario.cohort.patients, wrong)
    content["quantile_error"] = {
        name: rounded(quantile_error(outcome_limits(name).of_differences)) for name in scenario.outcome_ids
    }
    write_summaries(folder, table, content, run, identity)


def counted_table(scenario: Scenario, plans: list[DrawPlan], parts: PartStore) -> pd.DataFrame:
    """The summary table from the counts of all parts."""
    template = list(measures(nobody(scenario)))
    draws: list[list[Statistics]] = []
    for plan in plans:
        total = Tally.of_nobody(template)
        for key in in_order([plan]):
            counts = parts.read(key).counts
            total.add(Tally(counts["moments"], counts["people_by_value"]))
        draws.append(tally_statistics(template, total))
    worth = np.asarray([plan.effective_sample_size for plan in plans]) / scenario.cohort.patients
    return table_of(
        columns_of(measure, stack_draws([draw[index] for draw in draws]), worth)
        for index, measure in enumerate(template)
    )


def _write_people(path: Path, scenario: Scenario, plans: list[DrawPlan], parts: PartStore) -> None:
    """Everybody's results, one part at a time, into arrays that are given their full size first."""
    import zarr

    begun = False
    for plan in plans:
        first = 0
        for key in in_order([plan]):
            dataset = dataset_of(scenario, parts.read(key).people, [plan.draw])
            if not begun:
                _make_room(path, dataset, scenario, plans)
                begun = True
            last = first + dataset.sizes["patient"]
            people = [name for name, values in dataset.data_vars.items() if "patient" in values.dims]
            dataset[people].drop_vars(dataset.coords).to_zarr(
                path,
                region={"draw": slice(plan.draw, plan.draw + 1), "patient": slice(first, last)},
                zarr_format=2,
                consolidated=False,
            )
            first = last
    zarr.consolidate_metadata(path, zarr_format=2)


def _make_room(path: Path, dataset: xr.Dataset, scenario: Scenario, plans: list[DrawPlan]) -> None:
    """Write all but everybody's results, and arrays for these in their full size."""
    import zarr

    whole = {"draw": len(plans), "patient": scenario.cohort.patients}
    together = {"arm": 1, "draw": 1, "patient": min(PEOPLE_TOGETHER, scenario.cohort.patients)}
    everybody = dataset.isel(draw=[0] * len(plans)).assign_coords(draw=range(len(plans)))
    facts = with_cohort_facts(everybody, plans)
    encoding = {
        str(name): {"chunks": tuple(together.get(str(dim), size) for dim, size in variable.sizes.items())}
        for name, variable in facts.variables.items()
        if "patient" in variable.dims
    }
    facts.to_zarr(path, mode="w", zarr_format=2, consolidated=False, encoding=encoding)
    group: Any = zarr.open_group(path, mode="r+", zarr_format=2, use_consolidated=False)
    for name, variable in facts.variables.items():
        group[str(name)].resize([whole.get(str(dim), size) for dim, size in variable.sizes.items()])
    group["patient"][:] = np.arange(scenario.cohort.patients)
