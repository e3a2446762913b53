"""Keeps results on disk: labelled arrays, tidy tables, a short JSON summary, a manifest and the scenario.

A results folder is written under a temporary name beside its place and renamed at the end, so a folder with
the final name is always complete. `results.json` holds no times, paths or host names: the same run gives the
same bytes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.simulation.results import Results

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FORMAT = "motorpool-results"
FORMAT_VERSION = 1
SIGNIFICANT_DIGITS = 6
FILES = (
    "results.zarr",
    "summary.csv",
    "summary.parquet",
    "patients.csv",
    "results.json",
    "manifest.json",
    "scenario.yaml",
    "report.html",
)


class OutputFolderError(ValueError):
    """A folder cannot be used for results."""

    exit_code = 2


def save_results(results: Results, directory: Path, *, finish: Callable[[Path], None] | None = None) -> Path:
    """Write a complete results folder and return its path; see :meth:`Results.save`."""
    directory = directory.expanduser().absolute()
    check_output_folder(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.unfinished-", dir=directory.parent))
    try:
        _write_files(results, temporary)
        if finish is not None:
            finish(temporary)
        temporary.chmod(0o755)
        _put_in_place(temporary, directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return directory


def read_results(directory: Path) -> Results:
    """Read a results folder; see :func:`motorpool.simulation.results.load_results`."""
    import xarray as xr

    directory = directory.expanduser()
    if not is_results_folder(directory):
        message = (
            f"{directory}: not a motorpool results folder (no finished manifest.json). Give the folder that "
            "`motorpool simulate` named on its last line."
        )
        raise OutputFolderError(message)
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    if not (directory / "results.zarr").is_dir():
        message = f"{directory}: results.zarr is missing; simulate the scenario again."
        raise OutputFolderError(message)
    with xr.open_zarr(directory / "results.zarr", chunks=None) as stored:
        dataset = stored.load()
    return Results(dataset=dataset, manifest=manifest["run"])


def is_results_folder(directory: Path) -> bool:
    """Whether a folder holds finished results."""
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


def check_output_folder(directory: Path) -> None:
    """Refuse a place that holds anything but earlier results; call it before a long run."""
    if not directory.exists():
        return
    if not directory.is_dir():
        message = (
            f"{directory}: is a file; results need a folder that is new, empty or an earlier results folder."
        )
        raise OutputFolderError(message)
    present = sorted(entry.name for entry in directory.iterdir())
    if not present:
        return
    foreign = [name for name in present if name not in FILES]
    if foreign or not is_results_folder(directory):
        names = ", ".join((foreign or present)[:3])
        message = (
            f"{directory}: is not empty and not only an earlier results folder (it holds {names}). Nothing "
            "was written; choose a new or empty folder."
        )
        raise OutputFolderError(message)


def headline(results: Results, summary: pd.DataFrame) -> dict[str, Any]:
    """The content of results.json: the scenario, who was simulated, and the summary at the last visit."""
    dataset = results.dataset
    last = float(dataset["visit_month"].values[-1])
    rows = summary[summary["visit_month"] == last]
    columns = [str(column) for column in rows.columns]
    table = [[rounded(value) for value in row] for row in rows.itertuples(index=False, name=None)]
    cohort: dict[str, Any] = {
        "people_per_draw": dataset.sizes["patient"],
        "knowledge_draws": dataset.sizes["draw"],
    }
    for name in ("tried", "effective_sample_size"):
        if name in dataset:
            cohort[name] = [rounded(value) for value in dataset[name].values.tolist()]
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "scenario": results.scenario,
        "cohort": cohort,
        "visit_month": last,
        "summary": {"columns": columns, "rows": table},
    }


def rounded(value: Any) -> Any:
    """A number to six significant digits, which hides the last bits; other values unchanged."""
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def patient_table(dataset: xr.Dataset) -> pd.DataFrame:
    """One row per arm, draw, person and visit: observed and true scores, and what is known of the person."""
    visit_dimensions = {"arm", "draw", "patient", "visit_month"}
    person_dimensions = {"draw", "patient"}
    names = [
        str(name)
        for name, variable in dataset.data_vars.items()
        if set(variable.dims) in (visit_dimensions, visit_dimensions - {"arm"}, person_dimensions)
    ]
    order = ["arm", "draw", "patient", "visit_month"]
    frame = dataset[names].to_dataframe(dim_order=order)[names].reset_index()
    if "milestone_status" in dataset:
        status = dataset["milestone_status"].transpose(*order, "milestone")
        for milestone in dataset["milestone"].values:
            frame[f"able_to_{milestone}"] = status.sel(milestone=milestone).values.reshape(-1)
    return frame


def _write_files(results: Results, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import yaml

    summary = results.summary()
    _write_zarr(results.dataset, folder / "results.zarr")
    summary.to_parquet(folder / "summary.parquet", index=False)
    pyarrow.csv.write_csv(pa.Table.from_pandas(summary, preserve_index=False), folder / "summary.csv")
    patients = pa.Table.from_pandas(patient_table(results.dataset), preserve_index=False)
    pyarrow.csv.write_csv(patients, folder / "patients.csv")
    _write_json(folder / "results.json", headline(results, summary))
    scenario = yaml.safe_dump(results.scenario, sort_keys=False, allow_unicode=True)
    (folder / "scenario.yaml").write_text(scenario, encoding="utf-8")
    manifest = {"format": FORMAT, "version": FORMAT_VERSION, "run": results.manifest}
    _write_json(folder / "manifest.json", manifest)


def _write_zarr(dataset: xr.Dataset, path: Path) -> None:
    # Zarr format 2 stores fixed-width strings under a stable specification; one chunk per variable and arm
    # keeps reading one arm cheap.
    encoding = {
        str(name): {"chunks": tuple(1 if dim == "arm" else size for dim, size in variable.sizes.items())}
        for name, variable in dataset.variables.items()
        if variable.ndim and 0 not in variable.shape
    }
    dataset.to_zarr(path, mode="w", zarr_format=2, consolidated=True, encoding=encoding)


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=False)
    path.write_text(text + "\n", encoding="utf-8")


def _put_in_place(temporary: Path, directory: Path) -> None:
    """Rename the finished folder; an earlier results folder is moved aside first and deleted last."""
    if not directory.exists():
        temporary.rename(directory)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{directory.name}.previous-", dir=directory.parent))
    earlier = aside / "results"
    directory.rename(earlier)
    try:
        temporary.rename(directory)
    except BaseException:
        earlier.rename(directory)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
