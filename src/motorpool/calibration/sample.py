"""Sampling the posterior with the emulator: NUTS (numpyro), several chains, with the usual diagnostics.

The likelihood: counts are binomial, everything else lies around the prediction on its scale, with heavy tails
(Student's t), so that a few figures that the model cannot meet, or that measured something else, do not set the doubt
about all others. Each family of endpoints has a discrepancy of the model whose size is itself inferred (half-normal
prior), a part of it shared by the endpoints of one study (:func:`shared_loading`). So sixty endpoints do not pretend to
be exact, and one study that differs as a whole does not count as many. The size may also be given, as it is found by
leaving studies out (:mod:`~motorpool.calibration.left_out`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.space import ParameterSpace
from motorpool.calibration.targets import Target
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.scale import load_calibration_rules
from motorpool.studies.words import SHARES, SPREADS, TIMES

Array = NDArray[np.float64]
CHAINS = 4
WARMUP, DRAWS = 700, 1200


@dataclasses.dataclass(frozen=True)
class Sampled:
    """What NUTS found: draws of ``z`` (S, D) and of the discrepancies (S, F), with diagnostics.

    families (F,) names; largest_r_hat, smallest_effective_size over all sampled numbers; divergences.
    """

    z: Array
    discrepancy: Array
    families: tuple[str, ...]
    largest_r_hat: float
    smallest_effective_size: float
    divergences: int


def orientation(endpoint: PublishedEndpoint) -> float:
    """+1 where a larger value means a better course, -1 where it means a worse one, 0 for spreads."""
    metric, outcome = endpoint.metric, endpoint.outcome
    if metric in SPREADS:
        return 0.0
    if metric == "hazard_ratio":
        return -1.0
    if metric in ("survival_proportion", *TIMES):
        return 1.0
    catalogue = load_outcome_catalogue()
    if outcome in catalogue:
        return 1.0 if catalogue[outcome].better == "higher" else -1.0
    if outcome == "sma_type_1":
        return -1.0
    return (
        1.0 if outcome in ("sma_type_2", "sma_type_3", "onset_age_months") or _is_milestone(outcome) else -1.0
    )


def shared_loading(endpoint: PublishedEndpoint, shared: float) -> float:
    """How far an endpoint's discrepancy goes with the effect of its study, with its sign.

    ``discrepancy = size (loading of_study + sqrt(1 - loading^2) own)``, where ``of_study`` and ``own`` have unit scale
    and ``loading = orientation sqrt(shared)``. So the whole discrepancy has the scale ``size`` whatever the
    orientation: a spread, which is neither better nor worse, has it all as its own.

    Args:
        shared: share of the variance common to the endpoints of one study.
    """
    return orientation(endpoint) * math.sqrt(shared)


def _is_milestone(outcome: str) -> bool:
    from motorpool.outcomes.milestones import MILESTONES

    return outcome in MILESTONES


@dataclasses.dataclass(frozen=True)
class Data:
    """What the studies found: figures (T,) on their scales, and how many of ``n`` (T,) where a target is a count."""

    figures: Array
    counts: NDArray[np.int64]


def published_data(targets: Sequence[Target]) -> Data:
    """What the papers say."""
    counts = [
        t.endpoint.k if t.endpoint.k is not None else round(t.endpoint.value * (t.endpoint.n or 0))
        for t in targets
    ]
    return Data(np.array([t.value for t in targets]), np.array(counts))


def sample_posterior(
    targets: Sequence[Target],
    emulator: Emulator,
    sampling_sd: Array,
    space: ParameterSpace,
    shared: float,
    seed: int,
    *,
    sizes: Mapping[str, float] | None = None,
    warmup: int = WARMUP,
    draws: int = DRAWS,
) -> Sampled:
    """Sample parameters and discrepancies.

    Args:
        sampling_sd: (T,) scatter of simulated studies of the published size, for papers that give no error.
        shared: share of a discrepancy's variance that the endpoints of one study have in common.
        sizes: of the discrepancy by family, where they are not to be inferred.
    """
    sampler = PosteriorSampler(
        targets, emulator, sampling_sd, space, shared, sizes=sizes, warmup=warmup, draws=draws
    )
    return sampler.run(published_data(targets), seed)


class PosteriorSampler:
    """NUTS on one set of targets. The data are arguments of the compiled program, so that synthetic ones, as
    simulation-based calibration needs them by the dozen, compile nothing anew.

    Args: as :func:`sample_posterior`; ``chains``, ``warmup`` and ``draws`` per chain.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        emulator: Emulator,
        sampling_sd: Array,
        space: ParameterSpace,
        shared: float,
        *,
        sizes: Mapping[str, float] | None = None,
        chains: int = CHAINS,
        warmup: int = WARMUP,
        draws: int = DRAWS,
    ) -> None:
        """Build the model; it is compiled by the first run."""
        import numpyro

        numpyro.set_host_device_count(1)
        from numpyro.infer import MCMC, NUTS

        model, self.families = _model(targets, emulator, sampling_sd, space, shared, sizes)
        self._chains = MCMC(
            NUTS(model, target_accept_prob=0.9),
            num_warmup=warmup,
            num_samples=draws,
            num_chains=chains,
            chain_method="sequential",
            progress_bar=False,
            jit_model_args=True,
        )

    def run(self, data: Data, seed: int) -> Sampled:
        """Sample the posterior of these data."""
        import jax
        import jax.numpy as jnp
        from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

        figures, counts = jnp.asarray(data.figures), jnp.asarray(data.counts)
        self._chains.run(jax.random.key(seed), figures, counts, extra_fields=("diverging",))
        samples: Any = self._chains.get_samples(group_by_chain=True)
        arrays = [np.asarray(v) for v in samples.values()]
        moving = [v for v in arrays if np.ptp(v, axis=(0, 1)).min() > 0]  # given discrepancies stand still
        r_hat = [np.max(split_gelman_rubin(v)) for v in moving]
        size = [np.min(effective_sample_size(v)) for v in moving]
        flat = {name: np.asarray(v, np.float64).reshape(-1, *v.shape[2:]) for name, v in samples.items()}
        return Sampled(
            z=flat["z"],
            discrepancy=flat["discrepancy"],
            families=self.families,
            largest_r_hat=float(np.max(r_hat)),
            smallest_effective_size=float(np.min(size)),
            divergences=int(np.asarray(self._chains.get_extra_fields()["diverging"]).sum()),
        )


def _model(
    targets: Sequence[Target],
    emulator: Emulator,
    sampling_sd: Array,
    space: ParameterSpace,
    shared: float,
    sizes: Mapping[str, float] | None = None,
) -> tuple[Any, tuple[str, ...]]:
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    families = tuple(dict.fromkeys(t.family for t in targets))
    family = np.array([families.index(t.family) for t in targets])
    scales = np.array([next(t.discrepancy for t in targets if t.family == name) for name in families])
    given = None if sizes is None else np.array([sizes[name] for name in families])
    studies = tuple(dict.fromkeys(t.study for t in targets))
    study = np.array([studies.index(t.study) for t in targets])
    loading = np.array([shared_loading(t.endpoint, shared) for t in targets])
    counts = np.array([_is_count(t) for t in targets])
    n = np.array([t.endpoint.n or 1 for t in targets])
    own = np.array([np.nan if t.standard_error is None else t.standard_error for t in targets])
    error = np.where(np.isnan(own), np.nan_to_num(sampling_sd, nan=0.0), own)
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in space.axes), strict=True))
    centre, level, slopes, curvature = (
        jnp.asarray(part) for part in (emulator.centre, emulator.level, emulator.slopes, emulator.curvature)
    )
    tails = load_calibration_rules().tails_degrees_of_freedom
    where_count, where_normal = np.flatnonzero(counts), np.flatnonzero(~counts)

    def model(figures: Any, numbers: Any) -> None:
        z: Any = numpyro.sample(
            "z",
            dist.TruncatedNormal(
                jnp.zeros(len(low)), 1.0, low=jnp.asarray(low), high=jnp.asarray(high)
            ).to_event(1),
        )
        if given is None:
            relative: Any = numpyro.sample(
                "relative_discrepancy", dist.HalfNormal(jnp.ones(len(families))).to_event(1)
            )
            size_of: Any = relative * jnp.asarray(scales)
        else:
            size_of = jnp.asarray(given)
        discrepancy: Any = numpyro.deterministic("discrepancy", size_of)
        of_study: Any = numpyro.sample("of_study", dist.Normal(jnp.zeros(len(studies)), 1.0).to_event(1))
        moved = z - centre
        inside = moved[emulator.axes]
        mean: Any = level + slopes @ moved + jnp.einsum("ti,tij,tj->t", inside, curvature, inside)
        size = discrepancy[family]
        mean = mean + size * jnp.asarray(loading) * of_study[study]
        own_variance = jnp.asarray(1.0 - loading**2) * size**2 + jnp.asarray(emulator.error_sd) ** 2
        if where_count.size:
            extra: Any = numpyro.sample(
                "of_count", dist.StudentT(tails, jnp.zeros(where_count.size), 1.0).to_event(1)
            )
            logit = mean[where_count] + jnp.sqrt(own_variance[where_count]) * extra
            numpyro.sample(
                "counts",
                dist.Binomial(total_count=jnp.asarray(n[where_count]), logits=logit).to_event(1),
                obs=numbers[where_count],
            )
        if where_normal.size:
            spread = jnp.sqrt(own_variance[where_normal] + jnp.asarray(error[where_normal]) ** 2)
            numpyro.sample(
                "figures",
                dist.StudentT(tails, mean[where_normal], spread).to_event(1),
                obs=figures[where_normal],
            )

    return model, families


def _is_count(target: Target) -> bool:
    return target.endpoint.metric in SHARES and target.endpoint.n is not None
