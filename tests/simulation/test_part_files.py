"""Parts on disk: only whole parts of the same run count, and one process at a time owns them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.part import Part
from motorpool.simulation.part_bytes import from_bytes, to_bytes
from motorpool.simulation.part_files import PartFiles, open_part_files, unfinished_folder
from motorpool.simulation.partition import DrawPlan, Kept
from tests.simulation.run_samples import scenario
from tests.support.made_up_parts import made_up_part

TOLD = {"scenario": "infants", "patients": 5}


@pytest.fixture
def part() -> Part:
    asked = load_scenario(scenario(cohort__patients=5))
    return made_up_part(next(DrawPlan(asked, 0, Kept(people=True, tally=True)).tasks()))


def opened(folder: Path, identity: str = "one", *, replace: bool = False) -> PartFiles:
    return open_part_files(folder / "out", identity, TOLD, replace=replace)


def only_file(folder: Path) -> Path:
    (place,) = (unfinished_folder(folder / "out") / "parts").iterdir()
    return place


def test_a_part_comes_back_as_it_was(part: Part) -> None:
    again = from_bytes(to_bytes(part, "one"), "one")
    assert again is not None
    assert (again.key, again.facts) == (part.key, part.facts)
    for mine, theirs in ((part.people, again.people), (part.counts, again.counts)):
        assert list(mine) == list(theirs)
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
        assert all(mine[name].dtype == theirs[name].dtype for name in mine)


def test_a_part_has_the_same_bytes_each_time(part: Part) -> None:
    assert to_bytes(part, "one") == to_bytes(part, "one")


def test_kept_parts_are_found_again(part: Part, tmp_path: Path) -> None:
    files = opened(tmp_path)
    files.write(part)
    files.close(remove=False)
    again = opened(tmp_path)
    assert list(again.kept()) == [(part.key, part.facts)]
    again.close(remove=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["cut short", "one bit", "empty", "no part"])
def test_a_damaged_part_is_not_a_part(part: Part, tmp_path: Path, harm: str) -> None:
    files = opened(tmp_path)
    files.write(part)
    files.close(remove=False)
    place = only_file(tmp_path)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(
        {"cut short": content[:-100], "one bit": content, "empty": b"", "no part": b"hello\nworld\n"}[harm]
    )
    again = opened(tmp_path)
    assert list(again.kept()) == []
    assert not place.exists()
    again.close(remove=False)


def test_a_part_of_another_run_is_not_a_part(part: Part) -> None:
    assert from_bytes(to_bytes(part, "one"), "another") is None


def test_an_unfinished_run_of_other_inputs_is_replaced_only_when_asked(part: Part, tmp_path: Path) -> None:
    files = opened(tmp_path)
    files.write(part)
    files.close(remove=False)
    with pytest.raises(OutputFolderError, match=r"other inputs .*scenario infants, patients 5.*--overwrite"):
        opened(tmp_path, "another")
    assert only_file(tmp_path).exists()
    again = opened(tmp_path, "another", replace=True)
    assert list(again.kept()) == []
    again.close(remove=True)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    files = opened(tmp_path)
    with pytest.raises(OutputFolderError, match=r"out: process \d+ on .* is simulating into this folder"):
        opened(tmp_path)
    files.close(remove=False)
    opened(tmp_path).close(remove=True)
