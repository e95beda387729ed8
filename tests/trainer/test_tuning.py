"""`trainer.tuning`: a trial reports as Google's own library does, and only a trial reports."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypertune import HyperTune

from tests.trainer.conftest import Rows
from tests.trainer.custom import few, train, write_manifest
from trainer.tuning import METRIC_FILE, TRIAL, Reported, Trial, trial_of


class Nowhere:
    """A curve that nobody keeps."""

    def write(self, epoch: int, run: str, figures: Mapping[str, float]) -> None:
        """Forgets it."""


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a metric file, without the moments."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [{**line, "timestamp": type(line["timestamp"])} for line in found]


def test_the_file_is_that_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same reports through `cloudml-hypertune` and through ours: the same hundred lines."""
    monkeypatch.setenv(METRIC_FILE, str(tmp_path / "theirs" / "output.metrics"))
    monkeypatch.setenv(TRIAL, "7")
    theirs, ours = HyperTune(), trial_of({METRIC_FILE: str(tmp_path / "ours/metrics"), TRIAL: "7"})
    assert ours is not None

    for epoch in range(1, 41):
        for name, value in ((None, 0.5), ("loss", epoch / 7), ("accuracy", 0.5)):
            theirs.report_hyperparameter_tuning_metric(name, value, epoch)
        ours.report(epoch, 0.5, epoch / 7)

    found = lines(ours.file)
    assert len(found) == 100
    assert found == lines(tmp_path / "theirs" / "output.metrics")


def test_validation_is_reported_and_training_is_not(tmp_path: Path) -> None:
    """Epochs count from one in reports; the curve has its points as before."""
    trial = Trial("2", tmp_path / "metrics")
    curve = Reported(Nowhere(), trial)

    curve.write(0, "train", {"loss": 0.1, "accuracy": 0.9})
    assert not trial.file.exists()
    curve.write(0, "validation", {"loss": 0.5, "accuracy": 0.75})

    told = [(line["global_step"], line.get("accuracy")) for line in lines(trial.file)]
    assert told == [("1", None), ("1", None), ("1", "0.75")]


def test_only_a_trial_is_one() -> None:
    """Either variable makes one; without both there is no file."""
    assert trial_of({}) is None
    assert trial_of({TRIAL: "3"}) is not None
    assert trial_of({METRIC_FILE: "here"}) is not None


@pytest.mark.training
def test_a_head_that_is_solved_at_once_reports_once(digit_rows: Rows, tmp_path: Path) -> None:
    """There are no epochs: the accuracy on validation photos, as epoch 1."""
    manifest = write_manifest(tmp_path, few(digit_rows, per_split=3))
    given = [f"--manifest={manifest}", "--model-type=transfer"]

    found = train(tmp_path, *given, **{METRIC_FILE: str(tmp_path / "metrics")})

    (told,) = [line for line in lines(tmp_path / "metrics") if "accuracy" in line]
    head = found.card["candidates"][-1]["validationAccuracy"]
    assert float(told["accuracy"]) == pytest.approx(head)
    assert told["global_step"] == "1"
