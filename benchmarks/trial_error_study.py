"""Type I error and coverage of every trial analysis in made-up trials, as a table for the page on the analyses.

Trials have two arms of 20 or of 60, four visits, a stratum, dropout that depends on the first visit (a fifth to a
third have left by the last), and times to event with a competing cause. From the root of the checkout, some minutes:

    python -m benchmarks.trial_error_study       # --replicates 10000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from motorpool.trials.adaptive.boundaries import monitor, spending_boundaries
from motorpool.trials.adaptive.sequential_inference import sequential_estimate
from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.competing_risks import incidence_difference
from motorpool.trials.analyses.cox import cox
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.joint_rank import joint_rank
from motorpool.trials.analyses.kaplan_meier import restricted_mean
from motorpool.trials.analyses.log_rank import log_rank
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.multiple_imputation import imputed_ancova
from motorpool.trials.analyses.ordinal import proportional_odds
from motorpool.trials.analyses.pairwise import EventEndpoint, ScoreEndpoint
from motorpool.trials.analyses.responder import cochran_mantel_haenszel, logistic
from motorpool.trials.analyses.win_ratio import win_ratio
from tests.trials.analyses.trial_samples import Trials, trials

SIZES, SEED, IMPUTED_REPLICATES = (40, 120), 43, 2000


def endpoints(s: Trials) -> list[EventEndpoint | ScoreEndpoint]:
    return [EventEndpoint(time_years=s.time_years, event=s.event), ScoreEndpoint(value=s.visits[..., 0])]


ANALYSES: dict[str, Callable[[Trials], Estimate]] = {
    "ANCOVA at the last visit": lambda s: ancova(
        s.visits[..., -1], s.treated, baseline=s.baseline, stratum=s.stratum
    ),
    "MMRM, unstructured, Kenward-Roger": lambda s: mmrm(s.visits, s.treated, baseline=s.baseline),
    "MMRM, unstructured, Satterthwaite": lambda s: mmrm(
        s.visits, s.treated, baseline=s.baseline, degrees_of_freedom="satterthwaite"
    ),
    "MMRM, unstructured, normal": lambda s: mmrm(
        s.visits, s.treated, baseline=s.baseline, degrees_of_freedom="normal"
    ),
    "MMRM, compound symmetry, Kenward-Roger": lambda s: mmrm(
        s.visits, s.treated, baseline=s.baseline, covariance="compound_symmetry"
    ),
    "imputation at random, 20 times": lambda s: imputed_ancova(
        s.visits, s.treated, baseline=s.baseline, generator=np.random.default_rng(SEED)
    ),
    "Cochran-Mantel-Haenszel": lambda s: cochran_mantel_haenszel(
        s.visits[..., 0] > 0, s.treated, stratum=s.stratum
    ),
    "logistic": lambda s: logistic(s.visits[..., 0] > 0, s.treated, baseline=s.baseline),
    "logistic, Firth": lambda s: logistic(s.visits[..., 0] > 0, s.treated, baseline=s.baseline, firth=True),
    "proportional odds, 4 categories": lambda s: proportional_odds(
        np.digitize(s.visits[..., 0], [-1.5, 0, 1.5]), s.treated
    ),
    "log-rank": lambda s: log_rank(s.time_years, s.event, s.treated),
    "log-rank, stratified": lambda s: log_rank(s.time_years, s.event, s.treated, stratum=s.stratum),
    "Cox with baseline": lambda s: cox(s.time_years, s.event, s.treated, baseline=s.baseline),
    "restricted mean to 0.8 years": lambda s: restricted_mean(
        s.time_years, s.event, s.treated, horizon_years=0.8
    ),
    "Gray's test": lambda s: gray(s.time_years, s.cause, s.treated),
    "incidence at 0.8 years": lambda s: incidence_difference(
        s.time_years, s.cause, s.treated, horizon_years=0.8
    ),
    "joint rank": lambda s: joint_rank(endpoints(s), s.treated, stratum=s.stratum),
    "win ratio": lambda s: win_ratio(endpoints(s), s.treated),
}


def row(name: str, sizes: list[tuple[float, float, float]]) -> str:
    """One row of the table: error and coverage, in per cent, by size."""
    cells = "".join(f" {100 * error:.2f} | {100 * cover:.2f} |" for error, cover, _ in sizes)
    without = max(lost for _, _, lost in sizes)
    return f"| {name} |{cells} {100 * without:.1f} |"


def fixed(analysis: Callable[[Trials], Estimate], sample: Trials) -> tuple[float, float, float]:
    found = analysis(sample)
    known = np.isfinite(found.p_value_two_sided)
    error = float((found.p_value_two_sided < 0.05).sum() / known.sum())
    limits = np.isfinite(found.low)
    return error, float(found.covers(0.0).sum() / limits.sum()), float(1.0 - known.mean())


def sequential(sample: Trials) -> tuple[float, float, float]:
    """Analysis of covariance at half and all of the patients, one-sided 0.025, O'Brien-Fleming spending."""
    patients = sample.treated.shape[1]
    change = sample.visits[..., 0]
    first = np.arange(patients) < patients // 2
    looks = [
        ancova(change, sample.treated, baseline=sample.baseline, observed=np.broadcast_to(who, change.shape))
        for who in (first, np.ones(patients, dtype=bool))
    ]
    boundaries = spending_boundaries("obrien_fleming", [0.5, 1.0])
    stop = monitor(np.stack([one.normal_statistic for one in looks], axis=-1), boundaries)
    error = np.where(stop.look == 0, looks[0].standard_error, looks[1].standard_error)
    z = np.where(stop.look == 0, looks[0].normal_statistic, looks[1].normal_statistic)
    corrected = sequential_estimate(z * error, error, stop.look, boundaries)
    covered = (corrected.low <= 0.0) & (corrected.high >= 0.0)
    return float(stop.efficacy.mean()), float(covered.mean()), 0.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=10_000)
    replicates = parser.parse_args().replicates
    samples = [trials(replicates, patients, visits=4, seed=SEED) for patients in SIZES]
    heads = "".join(f" error, {size} patients | coverage |" for size in SIZES)
    print(f"| analysis |{heads} no answer |\n|---|" + "---:|" * (2 * len(SIZES) + 1))
    for name, analysis in ANALYSES.items():
        few = [shortened(s, IMPUTED_REPLICATES) for s in samples] if "imputation" in name else samples
        print(row(name, [fixed(analysis, sample) for sample in few]), flush=True)
    print(row("two looks, O'Brien-Fleming (one-sided)", [sequential(sample) for sample in samples]))


def shortened(sample: Trials, replicates: int) -> Trials:
    names = ("treated", "baseline", "stratum", "visits", "time_years", "event", "cause")
    return Trials(**{name: getattr(sample, name)[:replicates] for name in names})


if __name__ == "__main__":
    main()
