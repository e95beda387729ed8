"""`trainer.task --backbone …`: networks of Keras, in two phases or from nothing, to the end."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import Rows
from tests.trainer.custom import few, train, write_manifest
from trainer.serving import load

TRANSFER = "--model-type=transfer"


@pytest.fixture(scope="module")
def sixty(digit_rows: Rows) -> Rows:
    """Twenty digits of each of two labels to train, ten of both to judge and to test."""
    some = few(digit_rows, ("0", "1"), 20)
    return {"training": some["training"], **{k: some[k][::4] for k in ("validation", "test")}}


@pytest.mark.training
def test_a_network_of_keras_from_nothing(sixty: Rows, tmp_path: Path) -> None:
    """One epoch of MobileNetV2 is exported and evaluated; what is served is what was evaluated."""
    manifest = write_manifest(tmp_path / "data", sixty)
    flags = ("--backbone=MobileNetV2", "--weights=none", "--image-size=32", "--epochs=1")

    found = train(tmp_path, f"--manifest={manifest}", TRANSFER, *flags)

    rows = found.rows()
    served = load(found.folder).scores([Path(row["uri"]).read_bytes() for row in rows])
    np.testing.assert_allclose(served, [row["scores"] for row in rows], atol=0.01)
    assert found.card["architecture"] == "MobileNetV2, 52 layers trained"
    assert (found.card["inputSize"], found.card["weights"]) == (32, "none")
    assert [one["name"] for one in found.card["candidates"]] == [
        "transfer, 52 layers of MobileNetV2 trained"
    ]
    assert len(found.card["history"]) == 1
    assert found.card["agreement"]["same_label"] >= 0.995
    assert (found.folder.parent / "checkpoints" / "checkpoint-000001.npz").is_file()


@pytest.mark.training
def test_two_phases_and_the_better_one(sixty: Rows, tmp_path: Path) -> None:
    """The head first, then three layers of Lite0; what is better on validation is exported."""
    manifest = write_manifest(tmp_path / "data", sixty)
    flags = ("--unfreeze=3", "--image-size=64", "--epochs=1")

    first = train(tmp_path, f"--manifest={manifest}", TRANSFER, *flags)

    names = [candidate["name"] for candidate in first.card["candidates"]]
    said = next(line for line in first.log if "likeness" in line)
    assert names == ["transfer, frozen", "transfer, 3 layers of lite0 trained"]
    assert first.card["chosen"] in names
    assert (said["layersTrained"], said["layers"]) == (3, 49)
    assert 0.5 <= said["likeness"] <= 1
    assert first.card["metrics"]["accuracy"] >= 0.8
    assert first.card["architecture"].startswith("efficientnet-lite0")


@pytest.mark.training
def test_another_lite_in_the_cached_way(sixty: Rows, tmp_path: Path) -> None:
    """`--backbone lite1` at half its pixels, frozen."""
    manifest = write_manifest(tmp_path / "data", sixty)
    flags = ("--backbone=lite1", "--image-size=120", "--unfreeze=none")

    found = train(tmp_path, f"--manifest={manifest}", TRANSFER, *flags)

    assert found.card["architecture"] == "efficientnet-lite1"
    assert (found.card["inputSize"], found.card["chosen"]) == (120, "transfer, frozen")
    assert found.card["metrics"]["accuracy"] >= 0.8
