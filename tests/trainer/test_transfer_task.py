"""`trainer.task --model-type transfer`: frozen, with a trained tail, and with several labels."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import Rows
from tests.trainer.custom import Run, few, train, write_manifest

TRANSFER = "--model-type=transfer"


@pytest.fixture(scope="module")
def small(digit_rows: Rows) -> Rows:
    """Ten digits of two labels to train, five to judge and five to test."""
    some = few(digit_rows, ("0", "1"))
    return {"training": some["training"], **{k: some[k][::2] for k in ("validation", "test")}}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory, small: Rows) -> Run:
    """Few photos: the schedule leaves everything but the head frozen."""
    root = tmp_path_factory.mktemp("frozen")
    return train(root, f"--manifest={write_manifest(root / 'data', small)}", TRANSFER)


@pytest.mark.training
def test_few_photos_leave_the_network_frozen(frozen: Run) -> None:
    """The head is solved at once; Lite0 is told as the architecture; noughts are no ones."""
    assert frozen.card["architecture"] == "efficientnet-lite0"
    assert frozen.card["chosen"] == "transfer, frozen"
    assert frozen.card["modelType"] == "transfer"
    assert "history" not in frozen.card
    assert frozen.card["metrics"]["accuracy"] >= 0.8


@pytest.mark.training
def test_a_tail_is_trained_when_asked_and_gone_on_from(small: Rows, tmp_path: Path) -> None:
    """Epochs are told, the card names both candidates; a repeat takes up the checkpoint."""
    manifest = write_manifest(tmp_path / "data", small)
    flags = (f"--manifest={manifest}", TRANSFER, "--unfreeze=tail", "--epochs=2")

    first = train(tmp_path, *flags)
    again = train(tmp_path, *flags)

    fractions = [line["fraction"] for line in first.log if "fraction" in line]
    assert fractions == sorted(fractions)
    names = [candidate["name"] for candidate in first.card["candidates"]]
    assert names == ["transfer, frozen", "transfer, tail trained"]
    assert first.card["chosen"] in names
    assert len(first.card["history"]) == 2
    assert (tmp_path / "checkpoints" / "checkpoint-000002.npz").is_file()
    assert any(line["message"].startswith("Going on after epoch 2") for line in again.log)
    assert again.card["digest"] == first.card["digest"]


@pytest.mark.training
def test_several_labels_on_frozen_features(small: Rows, tmp_path: Path) -> None:
    """Each label is a yes or no of its own, and scores need not add up to one."""
    several: Rows = {
        split: [(path, ("1",) if label == "1" else ("0", "round")) for path, label in listed]
        for split, listed in small.items()
    }
    manifest = write_manifest(tmp_path / "data", several)

    found = train(tmp_path, f"--manifest={manifest}", TRANSFER)

    sums = [sum(row["scores"]) for row in found.rows()]
    assert found.card["multiLabel"]
    assert found.card["labels"] == ["label_0", "label_1", "label_round"]
    assert np.max(sums) > 1.2
    assert found.card["metrics"]["accuracy"] >= 0.6
