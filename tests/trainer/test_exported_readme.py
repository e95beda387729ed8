"""The programs in an exported model's README, run on a model of this trainer."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.workflows.export_readme import SAVED_MODEL_SNIPPET, card, text, tflite_snippet
from tests.trainer.conftest import Rows, Trained
from trainer.serving import load

FILES = ("model.tflite", "saved_model.pb")


@pytest.mark.parametrize("format", FILES)
def test_the_programs_score_as_the_training_did(
    format: str,
    digits_model: Trained,
    digit_rows: Rows,
    photo_bytes: Callable[..., bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Test photos as in predictions.jsonl, and a JPEG that is far larger than the model's input."""
    folder = tmp_path / "model"
    shutil.copytree(digits_model.folder, folder)
    known = card(folder)
    assert known is not None
    program = tflite_snippet(known) if format == "model.tflite" else SAVED_MODEL_SNIPPET
    assert program in text("Model x@1", known, FILES)
    (folder / "photo.jpg").write_bytes(photo_bytes(size=(900, 700)))
    monkeypatch.chdir(folder)
    found: dict[str, Any] = {}

    exec(program, found)

    (expected,) = load(folder).scores([(folder / "photo.jpg").read_bytes()])
    assert list(found["scores"]("photo.jpg").values()) == pytest.approx(list(expected), abs=0.02)
    photos = {path.name: path for path, _ in digit_rows["test"]}
    for line in (folder / "predictions.jsonl").read_text().splitlines()[:10]:
        row = json.loads(line)
        scores = found["scores"](str(photos[row["uri"].rpartition("/")[2]]))
        assert list(scores.values()) == pytest.approx(row["scores"], abs=0.01)
        assert max(scores, key=lambda label: scores[label]) == row["prediction"]


def test_a_model_prepared_in_another_way_gets_no_readme(tmp_path: Path) -> None:
    """Rather none than a wrong one."""
    assert card(tmp_path) is None
    for said in ('{"preprocessing": "other", "inputSize": 64, "labels": ["a"]}', "[]", "{"):
        (tmp_path / "model.json").write_text(said)

        assert card(tmp_path) is None
