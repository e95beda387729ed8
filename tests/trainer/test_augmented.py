"""`--augment` in a whole training: decided, said once, told in `model.json`; right for all data."""

from pathlib import Path

import pytest

from tests.trainer.conftest import Rows
from tests.trainer.custom import few, train, write_manifest

CNN = ("--model-type=cnn", "--filters=8,16", "--hidden-units=32")


@pytest.mark.training
def test_auto_is_decided_said_and_told(digit_rows: Rows, tmp_path: Path) -> None:
    """Of grey digits named by digits: no mirror images, no colours, and one line that says why."""
    manifest = write_manifest(tmp_path / "data", few(digit_rows, per_split=10))

    found = train(tmp_path, f"--manifest={manifest}", *CNN, "--epochs=1")

    told = found.card["augmentation"]
    said = [line for line in found.log if line["message"].startswith("Photos are changed in")]
    assert told["asked"] == "auto"
    assert told["changes"][0] == "affine"
    assert not {"flip", "hue", "saturation"} & set(told["changes"])
    assert told["leftOut"]["flip"] == "labels are of writing: label_0, label_1, label_7"
    assert told["leftOut"]["hue"] == "the photos are grey"
    assert found.card["hyperparameters"]["augment"] == told["changes"]
    assert [line["augment"] for line in said] == [told["changes"]]
    assert "flip (labels are of writing" in said[0]["message"]


@pytest.mark.training
def test_several_labels_a_photo_are_learned_with_every_change(
    digit_rows: Rows, tmp_path: Path
) -> None:
    """With mixup a target is a chance: three labels and one that two share are learned."""
    several: Rows = {
        split: [(path, ("1",) if label == "1" else (str(label), "round")) for path, label in listed]
        for split, listed in few(digit_rows, per_split=40).items()
    }
    manifest = write_manifest(tmp_path / "data", several)
    changes = "crop,affine,brightness,contrast,mixup"

    found = train(tmp_path, f"--manifest={manifest}", *CNN, "--epochs=12", f"--augment={changes}")

    assert found.card["multiLabel"]
    assert found.card["augmentation"] == {
        "asked": changes,
        "changes": changes.split(","),
        "leftOut": {},
    }
    assert found.card["metrics"]["accuracy"] >= 0.7


@pytest.mark.training
def test_what_is_asked_is_done_with_a_warning(digit_rows: Rows, tmp_path: Path) -> None:
    """A label with a single photo is learned with the others; flips of digits are warned of."""
    rows = few(digit_rows, per_split=8)
    lonely = {**rows, "training": [*rows["training"], next(
        pair for pair in digit_rows["training"] if pair[1] == "4")]}  # fmt: skip
    manifest = write_manifest(tmp_path / "data", lonely)

    found = train(
        tmp_path, f"--manifest={manifest}", "--model-type=linear", "--epochs=2", "--augment=flip"
    )

    warned = [line["message"] for line in found.log if line["severity"] == "WARNING"]
    assert (
        "--augment has flip, though labels are of writing: label_0, label_1, label_4 …." in warned
    )
    assert found.card["labels"] == ["label_0", "label_1", "label_4", "label_7"]
    assert found.card["photos"]["training"] == 25
