"""Speed of the trial analyses: 1,000 replicates of a trial with 200 patients and 6 visits, beside libraries per fit.

The data are made beforehand and not timed. Libraries fit some replicates one after the other, as one would do with
them; their time is scaled to 1,000. What is not installed is named and left out. From the root of the checkout:

    python -m benchmarks.trial_analyses          # --replicates 1000; prints a table for trial_results.md
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pandas as pd

from motorpool.trials.adaptive.boundaries import spending_boundaries
from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.cox import cox
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.joint_rank import joint_rank
from motorpool.trials.analyses.kaplan_meier import restricted_mean
from motorpool.trials.analyses.log_rank import log_rank
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.multiple_imputation import imputed_ancova
from motorpool.trials.analyses.ordinal import proportional_odds
from motorpool.trials.analyses.pairwise import EventEndpoint, ScoreEndpoint
from motorpool.trials.analyses.responder import logistic
from motorpool.trials.analyses.win_ratio import win_ratio

PATIENTS, VISITS, SEED = 200, 6, 20261126
LIBRARY_FITS = {"MixedLM": 4, "OLS": 50, "log-rank": 50, "Cox": 20}
RPACT = """
suppressMessages(library(rpact))
d <- getDesignGroupSequential(kMax=1, alpha=0.025, sided=1)
s <- function() getSimulationSurvival(d, hazardRatio=0.7, lambda2=0.6, directionUpper=FALSE, maxNumberOfSubjects=200,
  plannedEvents=120, accrualTime=c(0,1), allocation1=1, allocation2=1, maxNumberOfIterations=1000, seed=1)
s(); cat(min(sapply(1:3, function(i) system.time(s())[["elapsed"]])))
"""


class Data:
    """Replicates with dropout, and times to event."""

    def __init__(self, replicates: int) -> None:
        generator = np.random.default_rng(SEED)
        shape = (replicates, PATIENTS)
        self.treated = np.broadcast_to(np.arange(PATIENTS) % 2 == 1, shape)
        self.baseline = generator.normal(22.0, 8.0, shape)
        root = np.linalg.cholesky(9.0 * (0.6 + 0.4 * np.eye(VISITS)))
        self.visits = generator.standard_normal((*shape, VISITS)) @ root.T
        last = generator.integers(2, VISITS * 4, shape)
        self.visits[np.arange(VISITS) >= last[..., None]] = np.nan
        latent, self.censored = generator.exponential(1.5, shape), generator.uniform(0.5, 2.0, shape)
        self.time, self.event = np.minimum(latent, self.censored), latent < self.censored


def seconds(call: Callable[[], object], repeats: int = 2) -> float:
    """Shortest of some wall times."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def ours(data: Data) -> dict[str, Callable[[], object]]:
    """Analyses of all replicates together."""
    change = data.visits[..., -1]
    death = EventEndpoint(time_years=data.time, event=data.event)
    score = ScoreEndpoint(value=change)
    given = data.time, data.event, data.treated
    return {
        "ANCOVA": lambda: ancova(change, data.treated, baseline=data.baseline),
        "log-rank": lambda: log_rank(*given),
        "Cox with baseline": lambda: cox(*given, baseline=data.baseline),
        "restricted mean": lambda: restricted_mean(*given, horizon_years=0.9),
        "Gray's test": lambda: gray(data.time, data.event.astype(int), data.treated),
        "MMRM, unstructured, Kenward-Roger": lambda: mmrm(data.visits, data.treated, baseline=data.baseline),
        "MMRM, compound symmetry, Kenward-Roger": lambda: mmrm(
            data.visits, data.treated, baseline=data.baseline, covariance="compound_symmetry"
        ),
        "logistic": lambda: logistic(change > 0, data.treated, baseline=data.baseline),
        "proportional odds, 4 categories": lambda: proportional_odds(
            np.digitize(data.visits[..., 0], [-2, 0, 2]), data.treated
        ),
        "joint rank": lambda: joint_rank([death, score], data.treated),
        "win ratio": lambda: win_ratio([death, score], data.treated),
        "jump to reference, 20 imputations": lambda: imputed_ancova(
            data.visits,
            data.treated,
            baseline=data.baseline,
            assumption="jump_to_reference",
            generator=np.random.default_rng(1),
        ),
    }


def theirs(data: Data) -> dict[str, tuple[str, Callable[[int], object]]]:
    """The same by libraries, one replicate at a time."""
    out: dict[str, tuple[str, Callable[[int], object]]] = {}
    if find_spec("statsmodels") is None:
        print("statsmodels is not installed: left out")
    else:
        import statsmodels.api as sm
        from statsmodels.duration.survfunc import survdiff

        def mixed(replicate: int) -> object:
            frame = long(data, replicate)
            design = sm.add_constant(frame.drop(columns=["value", "patient"]).astype(float))
            return sm.MixedLM(frame["value"], design, groups=frame["patient"]).fit(reml=True)

        def regression(replicate: int) -> object:
            seen = np.isfinite(data.visits[replicate, :, -1])
            design = np.column_stack([np.ones(PATIENTS), data.treated[replicate], data.baseline[replicate]])
            return sm.OLS(data.visits[replicate, seen, -1], design[seen]).fit().pvalues

        out["MMRM, compound symmetry, Kenward-Roger"] = ("MixedLM", mixed)
        out["ANCOVA"] = ("OLS", regression)
        out["log-rank"] = (
            "log-rank",
            lambda r: survdiff(data.time[r], data.event[r].astype(int), data.treated[r].astype(int)),
        )
    from lifelines import CoxPHFitter

    def proportional(replicate: int) -> object:
        columns = (data.time, data.event, data.treated, data.baseline)
        frame = pd.DataFrame(
            np.column_stack([one[replicate] for one in columns]).astype(float), columns=list("teab")
        )
        return CoxPHFitter().fit(frame, "t", "e")

    out["Cox with baseline"] = ("Cox", proportional)
    return out


def long(data: Data, replicate: int) -> pd.DataFrame:
    """One row for each visit seen, with indicators of arm by visit and baseline by visit."""
    patient, visit = np.nonzero(np.isfinite(data.visits[replicate]))
    frame = pd.DataFrame({"value": data.visits[replicate][patient, visit], "patient": patient})
    for number in range(VISITS):
        here = (visit == number).astype(float)
        if number:
            frame[f"visit{number}"] = here
        frame[f"arm{number}"] = here * data.treated[replicate][patient]
        frame[f"baseline{number}"] = here * data.baseline[replicate][patient]
    return frame


def rpact_seconds() -> float | None:
    """Wall time of rpact's simulation of 1,000 survival trials, or None where R or rpact is missing."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(["Rscript", "-e", RPACT], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout.strip() else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    replicates = parser.parse_args().replicates
    data = Data(replicates)
    libraries = theirs(data)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}; {replicates} replicates\n"
    )
    print("| analysis | motorpool, s | library, s per 1,000 fits | library |\n|---|---:|---:|---|")
    warnings.simplefilter("ignore")
    for name, call in ours(data).items():
        here = seconds(call, repeats=1 if "imputations" in name else 2)
        beside = ""
        if name in libraries:
            library, fit = libraries[name]
            fits = min(LIBRARY_FITS[library], replicates)
            took = seconds(
                lambda fit=fit, fits=fits: [fit(replicate) for replicate in range(fits)], repeats=1
            )
            beside = f"{took / fits * 1000:.1f}"
            library = {"Cox": "lifelines CoxPHFitter"}.get(library, f"statsmodels {library}")
        print(f"| {name} | {here:.2f} | {beside} | {library if beside else ''} |", flush=True)
    design = seconds(
        lambda: spending_boundaries("obrien_fleming", [0.4, 0.7, 1.0], futility="obrien_fleming")
    )
    print(f"| boundaries of three looks with futility, once | {design:.2f} | | |")
    simulated = rpact_seconds()
    if simulated is None:
        print("\nrpact is not installed: left out")
    else:
        print(f"| | | {simulated:.1f} | rpact: 1,000 simulated survival trials, log-rank, data included |")


if __name__ == "__main__":
    main()
