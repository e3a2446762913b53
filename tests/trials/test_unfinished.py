"""Long work on designs goes on where it was interrupted, to the same bits, and leaves nothing behind when done."""

import os
import time
from pathlib import Path

import pytest

from motorpool.trials import blocks
from motorpool.trials.blocks import Settings
from motorpool.trials.design import TrialDesign
from motorpool.trials.pool import Pool
from motorpool.trials.truth import MODEL
from motorpool.trials.unfinished import FORGOTTEN_DAYS, unfinished_work, work_folder
from motorpool.trials.workers import simulated_trials
from tests.support.trial_pools import CHANGE, design, made_up_pool

ASKED = {"replicates": 60}
SETTINGS = Settings(60, MODEL, 0, 64)


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(blocks, "TOGETHER", 20)

    def pool(trial: TrialDesign, *given: object) -> Pool:
        return made_up_pool(trial, people=100, effect=1.0)

    monkeypatch.setattr(blocks, "cached_pool", pool)


def test_interrupted_work_goes_on_with_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = design(endpoints=f"[{CHANGE}]")
    whole = simulated_trials(trial, SETTINGS)
    original, done = blocks.simulate_block, []

    def breaks(*given: object) -> object:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(given)
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(blocks, "simulate_block", breaks)
    with pytest.raises(KeyboardInterrupt), unfinished_work(ASKED) as work:
        simulated_trials(trial, SETTINGS)
    assert (work.earlier, work.kept) == (0, 2)
    done[:] = [None]
    with unfinished_work({"replicates": 61}) as other:
        assert other.earlier == 0
    with unfinished_work(ASKED) as again, unfinished_work(ASKED) as beside:
        assert again.earlier == 2 and beside.folder is None
    assert list(work_folder().iterdir()) == []
    # What is done is not kept: the work before was given up without its last block.
    done[:] = []
    with pytest.raises(KeyboardInterrupt), unfinished_work(ASKED):
        simulated_trials(trial, SETTINGS)
    done[:] = [None]
    with unfinished_work(ASKED):
        found = simulated_trials(trial, SETTINGS)
    assert len(done) == 2
    assert all(whole[name].tobytes() == found[name].tobytes() for name in whole)
    assert list(work_folder().iterdir()) == []


def test_work_that_nobody_went_on_with_is_forgotten() -> None:
    old, young = work_folder() / "old", work_folder() / "young"
    for one in (old, young):
        (one / "pieces").mkdir(parents=True)
    before = time.time() - 1.1 * FORGOTTEN_DAYS * 86_400
    for one in (old / "pieces", old):
        os.utime(one, (before, before))
    with unfinished_work(ASKED):
        pass
    assert not old.exists() and young.exists()


def test_where_nothing_can_be_written_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with unfinished_work(ASKED) as work:
        found = simulated_trials(design(endpoints=f"[{CHANGE}]"), Settings(4, MODEL, 0, 64))
    assert work.kept == 0 and found["replicate"].size == 4
