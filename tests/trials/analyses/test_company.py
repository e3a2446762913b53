"""A replicate has the same bits whatever it is analysed with, so runs may be divided in any way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.cox import cox
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.joint_rank import joint_rank
from motorpool.trials.analyses.kaplan_meier import restricted_mean
from motorpool.trials.analyses.log_rank import log_rank
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.ordinal import proportional_odds
from motorpool.trials.analyses.pairwise import EventEndpoint, ScoreEndpoint
from motorpool.trials.analyses.responder import cochran_mantel_haenszel, logistic
from motorpool.trials.analyses.win_ratio import win_ratio
from tests.trials.analyses.trial_samples import Trials, trials

EVERY = trials(80, 30, visits=4, seed=41)
PARTS = (slice(0, 1), slice(33, 34), slice(2, 71))


def part_of(part: slice) -> Trials:
    return Trials(**{field.name: getattr(EVERY, field.name)[part] for field in dataclasses.fields(EVERY)})


def endpoints(s: Trials) -> list[EventEndpoint | ScoreEndpoint]:
    return [EventEndpoint(time_years=s.time_years, event=s.event), ScoreEndpoint(value=s.visits[..., 0])]


@pytest.mark.parametrize(
    "analysis",
    [
        lambda s: ancova(s.visits[..., 0], s.treated, baseline=s.baseline, stratum=s.stratum),
        lambda s: mmrm(s.visits, s.treated, baseline=s.baseline, stratum=s.stratum),
        lambda s: log_rank(s.time_years, s.event, s.treated, stratum=s.stratum),
        lambda s: cox(s.time_years, s.event, s.treated, baseline=s.baseline),
        lambda s: restricted_mean(s.time_years, s.event, s.treated, horizon_years=0.7),
        lambda s: gray(s.time_years, s.cause, s.treated),
        lambda s: cochran_mantel_haenszel(s.visits[..., 0] > 0, s.treated, stratum=s.stratum),
        lambda s: logistic(s.visits[..., 0] > 0, s.treated, baseline=s.baseline, firth=True),
        lambda s: proportional_odds(np.digitize(s.visits[..., 0], [-1, 1]), s.treated, baseline=s.baseline),
        lambda s: joint_rank(endpoints(s), s.treated, stratum=s.stratum),
        lambda s: win_ratio(endpoints(s), s.treated, stratum=s.stratum),
    ],
)
def test_same_bits_in_any_company(analysis: Callable[[Trials], Estimate]) -> None:
    together = analysis(EVERY)
    for part in PARTS:
        alone = analysis(part_of(part))
        for name in Estimate.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(together, name)[part], getattr(alone, name), err_msg=name)
