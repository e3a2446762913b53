"""Keeps results on disk: labelled arrays, tidy tables, a short JSON summary, a manifest and the scenario.

A results folder is written under a temporary name beside its place and renamed at the end, so a folder with
the final name is always complete. `results.json` holds no times, paths or host names: the same run gives the
same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.files import flush
from motorpool.simulation.layers import tidy
from motorpool.simulation.results import Results, WrongNumbers
from motorpool.simulation.summary import summary_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FORMAT = "motorpool-results"
FORMAT_VERSION = 1
SIGNIFICANT_DIGITS = 6
# What results.json leaves to the tables, to stay short.
NOT_HEADLINE = ("change_among_living", "change_death_as_worst", "at_risk_share")
HEADLINE_COLUMNS = (
    "kind",
    "quantity",
    "measure",
    "arm",
    "comparator",
    "unit",
    "people",
    "knowledge.mean",
    "knowledge.q2.5",
    "knowledge.q97.5",
    "between_people.q25",
    "between_people.q75",
    "chance.monte_carlo_standard_error",
)
SUMMARY_FILES = ("summary.csv", "summary.parquet", "results.json", "manifest.json", "scenario.yaml")
FILES = (*SUMMARY_FILES, "results.zarr", "patients.csv", "report.html")


def save_results(results: Results, directory: Path, *, finish: Callable[[Path], None] | None = None) -> Path:
    """Write a complete results folder and return its path; see :meth:`Results.save`."""
    directory = directory.expanduser().absolute()
    check_output_folder(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.unfinished-", dir=directory.parent))
    try:
        write_everything(temporary, results.dataset, results.manifest, results.wrong)
        if finish is not None:
            finish(temporary)
        temporary.chmod(0o755)
        put_in_place(temporary, directory)
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
    if manifest.get("results_zarr_sha256") is None:
        message = (
            f"{directory}: holds summaries only (summary.csv, summary.parquet), because the run was large; simulate "
            "it with --keep-people to have everybody's results."
        )
        raise OutputFolderError(message)
    if not (directory / "results.zarr").is_dir():
        message = f"{directory}: results.zarr is missing; simulate the scenario again."
        raise OutputFolderError(message)
    # A store with missing pieces reads as zeros: compare what is there with what was written.
    if manifest.get("results_zarr_sha256") != _digest_of(directory / "results.zarr"):
        message = f"{directory}: results.zarr is damaged or was changed; simulate the scenario again."
        raise OutputFolderError(message)
    with xr.open_zarr(directory / "results.zarr", chunks=None) as stored:
        dataset = stored.load()
    return Results(dataset=dataset, manifest=manifest["run"])


def _digest_of(folder: Path) -> str:
    """SHA-256 of all files of a folder, names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def identity_of(directory: Path) -> str | None:
    """The identity of the run whose complete and undamaged results a folder holds, if there are any."""
    if not is_results_folder(directory):
        return None
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    digest, arrays = manifest.get("results_zarr_sha256"), directory / "results.zarr"
    summaries = all((directory / name).is_file() for name in SUMMARY_FILES)
    whole = summaries and (digest is None or (arrays.is_dir() and _digest_of(arrays) == digest))
    return manifest.get("identity") if whole else None


def is_results_folder(directory: Path) -> bool:
    """Whether a folder holds finished results."""
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


def check_output_folder(directory: Path) -> None:
    """Refuse a place that cannot be written or holds anything but earlier results; call it before a long run."""
    if not directory.exists():
        existing = next(parent for parent in directory.absolute().parents if parent.exists())
        if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
            message = f"{directory}: cannot be made, since {existing} is not a folder that you may write to."
            raise OutputFolderError(message)
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


def headline(dataset: xr.Dataset, table: pd.DataFrame, people: int, wrong: WrongNumbers) -> dict[str, Any]:
    """The content of results.json: the scenario, who was simulated, the main numbers at the last visit.

    Args:
        dataset: the results, or the same without people.
        table: the summary table.
        people: how many there are in each draw.
        wrong: people left out, because their numbers went wrong.
    """
    last = float(dataset["visit_month"].values[-1])
    rows = table[(table["visit_month"] == last) & ~table["measure"].isin(NOT_HEADLINE)]
    cohort: dict[str, Any] = {"people_per_draw": people, "knowledge_draws": dataset.sizes["draw"]}
    for name in ("tried", "effective_sample_size", "steps_halved"):
        if name in dataset:
            cohort[name] = [rounded(value) for value in dataset[name].values.tolist()]
    if "refused" in dataset.attrs:
        cohort["refused"] = json.loads(dataset.attrs["refused"])
    counted = dict(zip(rows["measure"], rows["counted"], strict=True))
    lines = zip(*(rows[name].tolist() for name in HEADLINE_COLUMNS), strict=True)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "scenario": json.loads(dataset.attrs["scenario"]),
        "cohort": cohort,
        "excluded": {"people": wrong.people, "first": list(wrong.first)},
        "visit_month": last,
        "counted": counted,
        "summary": {
            "columns": [name.replace(".", "_") for name in HEADLINE_COLUMNS],
            "rows": [[rounded(value) for value in line] for line in lines],
        },
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


def write_everything(
    folder: Path, dataset: xr.Dataset, run: dict[str, Any], wrong: WrongNumbers, identity: str | None = None
) -> None:
    """Write every file of a results folder but the report: arrays, people, summaries and what they came from."""
    import pyarrow as pa
    import pyarrow.csv

    table = summary_table(dataset)
    _write_zarr(dataset, folder / "results.zarr")
    patients = pa.Table.from_pandas(patient_table(dataset), preserve_index=False)
    pyarrow.csv.write_csv(patients, folder / "patients.csv")
    content = headline(dataset, table, dataset.sizes["patient"], wrong)
    write_summaries(folder, table, content, run, identity)


def write_summaries(
    folder: Path, table: pd.DataFrame, content: dict[str, Any], run: dict[str, Any], identity: str | None
) -> None:
    """Write the summaries, results.json, the scenario and the manifest, which makes the folder a finished one."""
    import pyarrow as pa
    import pyarrow.csv
    import yaml

    tidy(table).to_parquet(folder / "summary.parquet", index=False)
    pyarrow.csv.write_csv(pa.Table.from_pandas(_short(table), preserve_index=False), folder / "summary.csv")
    _write_json(folder / "results.json", content)
    scenario = yaml.safe_dump(content["scenario"], sort_keys=False, allow_unicode=True)
    (folder / "scenario.yaml").write_text(scenario, encoding="utf-8")
    arrays = folder / "results.zarr"
    manifest = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "identity": identity,
        "results_zarr_sha256": _digest_of(arrays) if arrays.is_dir() else None,
        "run": run,
    }
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


def _short(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers to six significant digits, which keeps the text file short."""
    import numpy as np

    short = table.copy()
    for name in short.columns[short.dtypes == "float64"]:
        values = short[name].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            decimals = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        factor = 10.0 ** np.where(np.isfinite(decimals), decimals, 0.0)
        short[name] = np.round(values * factor) / factor
    return short


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """JSON that people can read too: one line per entry, and one line per row of the summary."""

    def text(value: Any, **more: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **more)

    parts: list[str] = []
    for key, value in content.items():
        if key == "summary":
            rows = ",\n  ".join(text(row) for row in value["rows"])
            shown = f'{{"columns": {text(value["columns"])}, "rows": [\n  {rows}\n ]}}'
        else:
            shown = text(value, indent=1).replace("\n", "\n ")
        parts.append(f" {text(key)}: {shown}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def put_in_place(temporary: Path, directory: Path) -> None:
    """Rename the finished folder; an earlier results folder is moved aside first and deleted last."""
    for path in (*temporary.rglob("*"), temporary):  # on disk before it has its name
        flush(path)
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
