"""`trainer.automl` on real photos: what it leaves, that it can be repeated, and what it refuses."""

import hashlib
import json
import operator
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import (
    DIGITS_SECONDS,
    Rows,
    Trained,
    run_job,
    split_folder,
    with_shuffled_test_labels,
    write_job,
)

ROOT = Path(__file__).parents[2]


def failed(environ: Mapping[str, str]) -> str:
    """The last line's sentence of a job, run as a process, that must end with exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "trainer.automl"],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["severity"] == "ERROR"
    return str(line["message"])


@pytest.mark.training
def test_drawings_are_tried_from_scratch_too(digits_model: Trained) -> None:
    """Of 700 digits both ways are tried, who leads is finished, and the best knows 9 of 10."""
    candidates = digits_model.card["candidates"]
    names = [candidate["name"] for candidate in candidates]
    finals = [one for one in candidates if "trial" not in one["name"]]
    best = max(finals, key=lambda one: float(one["validationAccuracy"]))

    assert "scratch" in names
    assert digits_model.card["chosen"] == best["name"]
    assert digits_model.card["metrics"]["accuracy"] >= 0.9
    assert names[:3] == [
        "transfer, trial, photo alone",
        "transfer, trial, with mirror image",
        "scratch, trial",
    ]


@pytest.mark.training
def test_a_job_leaves_every_file_of_the_contract(digits_model: Trained) -> None:
    """SavedModel, labels, card, evaluation and predictions agree with one another."""
    folder, card = digits_model.folder, digits_model.card
    rows = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    evaluation = json.loads((folder / "evaluation.json").read_text())
    right = sum(row["labels"] == [row["prediction"]] for row in rows)

    assert (folder / "saved_model.pb").is_file()
    assert (folder / "labels.txt").read_text().splitlines()[3] == "3\t3"
    assert card["photos"] == {"training": 700, "validation": 200, "test": 100, "unlabelled": 0}
    assert card["evaluatedOn"] == "test"
    assert card["metrics"]["accuracy"] == pytest.approx(right / 100)
    assert all(abs(sum(row["scores"]) - 1) < 1e-4 and len(row["scores"]) == 10 for row in rows)
    assert np.trace(evaluation["metrics"]["confusionMatrix"]["rows"]) == right
    assert [entry["label"] for entry in evaluation["slices"]] == card["labels"]


@pytest.mark.training
def test_the_log_says_how_far_the_job_is(digits_model: Trained) -> None:
    """Fractions never fall, every phase is told, and each candidate's score is in the log."""
    log, card = digits_model.log, digits_model.card
    fractions = [line["fraction"] for line in log if "fraction" in line]
    told = {line["candidate"]: line["accuracy"] for line in log if "candidate" in line}

    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(line["message"].startswith("Comparing with the exported graph") for line in log)
    assert {"read", "plan", "features", "train", "export", "evaluate"} == {
        line["phase"] for line in log if "phase" in line
    }
    assert told == {c["name"]: c["validationAccuracy"] for c in card["candidates"]}
    assert digits_model.outcome["stopReason"] == "MODEL_CONVERGED"
    assert 0 < digits_model.outcome["nodeHours"] <= 8


@pytest.mark.training
def test_the_same_seed_makes_the_same_model_whatever_the_labels_are_called(
    digits_model: Trained, digit_rows: Rows, tmp_path: Path
) -> None:
    """Again, as clothes and with shuffled test labels: every weight the same, a bad evaluation."""
    renamed = {
        split: [(photo, f"shirt-{label}") for photo, label in rows]
        for split, rows in with_shuffled_test_labels(digit_rows).items()
    }

    again = run_job(write_job(tmp_path, renamed, maxSeconds=DIGITS_SECONDS))

    assert weights_of(again) == weights_of(digits_model)
    assert again.card["chosen"] == digits_model.card["chosen"]
    assert judged(again) == judged(digits_model)
    assert again.card["labels"] == [f"shirt-{label}" for label in digits_model.card["labels"]]
    assert again.card["metrics"]["accuracy"] < 0.5


def weights_of(model: Trained) -> str:
    """The digest of the LiteRT file, which has no labels in it."""
    return hashlib.sha256((model.folder / "model.tflite").read_bytes()).hexdigest()


def judged(model: Trained) -> list[tuple[str, float, float]]:
    """How each candidate did on the validation photos."""
    told = operator.itemgetter("name", "validationAccuracy", "validationLogLoss")
    return [told(one) for one in model.card["candidates"]]


@pytest.mark.training
@pytest.mark.clothing
def test_photos_are_learned_by_transfer_whatever_they_are_called(
    clothing: Path, tmp_path: Path
) -> None:
    """On photographs transfer wins, with digits for names too."""
    names = sorted(folder.name for folder in (clothing / "train").iterdir())
    numbers = {name: str(place) for place, name in enumerate(names)}
    rows = {}
    for split, (folder, count) in {
        "training": ("train", 20),
        "validation": ("validation", 8),
        "test": ("test", 8),
    }.items():
        taken = split_folder(clothing / folder, {split: count})[split]
        rows[split] = [(photo, numbers[label]) for photo, label in taken]

    model = run_job(write_job(tmp_path, rows, maxSeconds=15))

    assert model.card["chosen"].startswith("transfer")
    assert model.card["metrics"]["accuracy"] >= 0.7
    assert model.card["agreement"]["same_label"] >= 0.995


@pytest.mark.training
def test_a_budget_that_is_too_small_still_leaves_a_model(digit_rows: Rows, tmp_path: Path) -> None:
    """Time that is over at once leaves few photos, says so, and a model that is evaluated."""
    few: Rows = {
        split: [(photo, label) for photo, label in rows if label in ("0", "1")]
        for split, rows in digit_rows.items()
    }

    model = run_job(write_job(tmp_path, few, maxSeconds=0.5), allowed=0.0)

    assert model.outcome["stopReason"] == "BUDGET_REACHED"
    assert model.card["photos"]["training"] < len(few["training"])
    assert model.card["metrics"]["accuracy"] >= 0.9
    assert (model.folder / "evaluation.json").is_file()


def test_an_unreadable_photo_is_named(digit_rows: Rows, tmp_path: Path) -> None:
    """A text file called .png and a missing photo end the job at once, both named."""
    text = tmp_path / "letter.png"
    text.write_text("hello")
    more = [(text, "1"), (tmp_path / "gone.png", "2")]
    environ = write_job(tmp_path / "job", {**digit_rows, "test": [*digit_rows["test"], *more]})

    message = failed(environ)

    assert message.startswith("2 photos cannot be used: gs://photos/images/letter.png: not a JPEG")
    assert "gs://photos/images/gone.png: cannot be opened" in message


def test_a_photo_cut_short_is_named(digit_rows: Rows, tmp_path: Path) -> None:
    """A PNG that begins well and ends early is found while training, and named."""
    whole, label = digit_rows["training"][0]
    short = tmp_path / "short.png"
    short.write_bytes(whole.read_bytes()[:80])
    few = [(photo, label) for photo, label in digit_rows["training"] if label in ("0", "1")][::20]
    rows: Rows = {"training": [*few, (short, label)], "validation": few[:4], "test": few[:4]}

    assert failed(write_job(tmp_path / "job", rows)).startswith("short.png: a damaged PNG")


def test_missing_variables_are_told(tmp_path: Path) -> None:
    """Without Vertex's variables the job ends with the one to set."""
    environ = {**write_job(tmp_path, {}), "AIP_MODEL_DIR": ""}

    assert failed(environ) == "AIP_MODEL_DIR is not set. Set it to a gs:// URI or a folder."
