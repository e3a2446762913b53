"""A finished calibration: what it found, in words, and its way into the package's data."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from motorpool.evidence.posterior import FOLDER, read_posterior
from motorpool.evidence.records import EvidenceError

POSTERIOR_FILES = ("draws.csv", "slopes.csv", "posterior.json")


def ship_posterior(run: Path) -> Path:
    """Make the posterior of a run the one that motorpool uses; returns where it lies now.

    Raises:
        EvidenceError: the run has no finished posterior, or the package's data cannot be written.
    """
    made = run / "posterior"
    try:
        texts = {name: (made / name).read_text(encoding="utf-8") for name in POSTERIOR_FILES}
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise EvidenceError(
            f"{run}: holds no finished posterior ({missing} is missing); run `motorpool calibrate --out {run}` again"
        ) from None
    read_posterior(texts["draws.csv"], texts["posterior.json"])
    sensitivity = run / "sensitivity.json"
    data = Path(str(resources.files("motorpool.evidence").joinpath("data")))
    try:
        (data / FOLDER).mkdir(exist_ok=True)
        for name, text in texts.items():
            _replace(data / FOLDER / name, text)
        if sensitivity.exists():
            _replace(data / sensitivity.name, sensitivity.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvidenceError(
            f"{error.filename}: {error.strerror}; --ship needs a checkout that you can write"
        ) from None
    return data / FOLDER


def _replace(file: Path, text: str) -> None:
    """Write a file so that it is never half there."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def describe(made: Path) -> list[str]:
    """What a person wants to know of a finished posterior, line by line."""
    facts = read_posterior((made / "draws.csv").read_text(), (made / "posterior.json").read_text()).facts
    lines = [
        f"{facts.method}",
        f"{facts.draws} draws from {facts.simulations} simulations of {facts.targets} targets",
        f"largest R-hat {facts.largest_r_hat:.3f}, smallest effective size {facts.smallest_effective_size:.0f}, "
        f"{facts.divergences} divergences",
    ]
    predictive = facts.diagnostics.get("posterior_predictive")
    if predictive:
        lines.append(
            f"real simulations at posterior draws: {100 * predictive['within_1.645']:.0f} % of {predictive['targets']} "
            f"targets within 1.645 total errors, root mean square {predictive['root_mean_square']:.2f}"
        )
    left_out = facts.diagnostics.get("left_out")
    if left_out:
        lines.append(
            f"studies left out in turn: {100 * left_out['coverage_90']:.0f} % of their figures inside 90 %, with a "
            f"discrepancy {left_out['factor']:g} times that of the fit "
            f"({100 * left_out['coverage_90_as_fitted']:.0f} % with that of the fit)"
        )
    return lines
