"""`trainer.checkpoints`: only whole files of the same training are gone on from."""

from pathlib import Path

import numpy as np
import pytest

from trainer.checkpoints import Checkpoint, Checkpoints


def checkpoint(epoch: int) -> Checkpoint:
    """A small one that knows its epoch."""
    return Checkpoint({"now/a/b": np.arange(3) + epoch}, {"epoch": epoch})


@pytest.fixture
def said() -> list[str]:
    """The warnings."""
    return []


@pytest.fixture
def kept(tmp_path: Path, said: list[str]) -> Checkpoints:
    """Three saved epochs, of which two files are left."""
    made = Checkpoints(tmp_path / "checkpoints", "training-1", said.append)
    for epoch in (1, 2, 3):
        made.save(epoch, checkpoint(epoch))
    return made


def test_the_newest_comes_back_and_older_ones_go(kept: Checkpoints, said: list[str]) -> None:
    """Arrays and facts are as saved; the last two files stay."""
    found = kept.newest()

    assert found is not None
    assert found.facts == {"epoch": 3}
    np.testing.assert_array_equal(found.arrays["now/a/b"], [3, 4, 5])
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "checkpoint-000002.npz",
        "checkpoint-000003.npz",
    ]
    assert said == []


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign"])
def test_a_damaged_file_is_named_and_the_one_before_is_taken(
    kept: Checkpoints, said: list[str], damage: str
) -> None:
    """Cut short, one byte changed, or not a checkpoint at all: epoch 2 is next."""
    path = kept.folder / "checkpoint-000003.npz"
    whole = path.read_bytes()
    changed = whole[:-10] + bytes([whole[-10] ^ 1]) + whole[-9:]
    path.write_bytes({"cut": whole[:-1], "changed": changed, "foreign": b"hello"}[damage])

    found = kept.newest()

    assert found is not None
    assert found.facts["epoch"] == 2
    assert len(said) == 1
    assert said[0].startswith("The checkpoint checkpoint-000003.npz is not used: it is ")


def test_a_file_that_was_never_finished_is_named(kept: Checkpoints, said: list[str]) -> None:
    """What a kill in the middle of a save leaves is no checkpoint."""
    (kept.folder / "checkpoint-000004.npz.part").write_bytes(b"half")

    found = kept.newest()

    assert found is not None
    assert found.facts["epoch"] == 3
    assert said == ["The checkpoint checkpoint-000004.npz.part was never finished; it is not used."]


def test_another_training_s_checkpoints_are_not_used(kept: Checkpoints, said: list[str]) -> None:
    """With other photos or flags nothing is taken up, and both files are named."""
    other = Checkpoints(kept.folder, "training-2", said.append)

    assert other.newest() is None
    assert len(said) == 2
    assert "is of a training with other photos, flags or versions" in said[0]


def test_a_checkpoint_of_another_version_is_named(kept: Checkpoints, said: list[str]) -> None:
    """Of a later form: what it is of and what is read; the one before is taken."""
    path = kept.folder / "checkpoint-000003.npz"
    path.write_bytes(path.read_bytes().replace(b"trainer-checkpoint-1", b"trainer-checkpoint-2", 1))

    found = kept.newest()

    assert found is not None
    assert found.facts["epoch"] == 2
    assert said == [
        "The checkpoint checkpoint-000003.npz is not used: it is of another version "
        "(trainer-checkpoint-2; this trainer reads trainer-checkpoint-1)."
    ]
