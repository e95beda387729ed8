"""Trains an image classifier and decides everything itself: the engine behind the local AutoML.

`python -m trainer.automl` finds its job in Vertex's variables (`AIP_TRAINING_DATA_URI`, …) and in
`task.json` beside the rows, and leaves the model, its evaluation and `outcome.json`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trainer.config import Config, read_config
from trainer.errors import TrainerError
from trainer.journal import Journal

# The plan holds the budget; the clock only stops a machine far slower than the plan thinks, because
# a model that depends on how busy the machine is could not be made again.
EMERGENCY = 3.0


def main(environ: Mapping[str, str] = os.environ) -> int:
    """0 when a model was left; 1 after one sentence on why not."""
    journal = Journal()
    # TensorFlow's import runs beside the reading of photos: readers must get their turn quickly.
    sys.setswitchinterval(0.0005)
    try:
        run(read_config(environ), journal)
    except TrainerError as error:
        journal.say(str(error), "ERROR")
        return 1
    except MemoryError:
        journal.say("The machine ran out of memory. Use fewer or smaller photos.", "ERROR")
        return 1
    except OSError as error:
        journal.say(f"A file could not be read or written: {error}", "ERROR")
        return 1
    return 0


def run(config: Config, journal: Journal) -> None:
    """Reads, chooses, exports, evaluates. Raises TrainerError when no model can be made."""
    from trainer import choice as one_label
    from trainer import multi_label
    from trainer.artifacts import write_json

    started = time.monotonic()
    deadline = started + EMERGENCY * config.task.max_seconds
    photos = _read(config, journal)
    _import_tensorflow_meanwhile()
    choose = multi_label.choose if config.task.multi_label else one_label.choose
    choice = choose(photos, config.task, journal, lambda: time.monotonic() < deadline)
    card = _export(config, photos, choice, journal)
    seconds = time.monotonic() - started
    outcome = {
        "stopReason": choice.stop_reason,
        "seconds": round(seconds, 2),
        "nodeHours": _node_hours(config, seconds),
    }
    write_json(config.outcome_file, outcome)
    journal.say(
        f"Done in {seconds:.1f} s: {card['chosen']}, accuracy {card['metrics']['accuracy']:.4f}.",
        phase="evaluate",
        fraction=1.0,
        accuracy=card["metrics"]["accuracy"],
        stopReason=choice.stop_reason,
    )


def _node_hours(config: Config, seconds: float) -> float:
    """Node hours used, never more than the budget, on the scale that the task itself states."""
    share = min(seconds / config.task.max_seconds, 1.0)
    return round(share * config.task.budget_node_hours, 3)


def _read(config: Config, journal: Journal) -> Any:
    from trainer.data.manifest import read_photos
    from trainer.data.survey import check_files

    task = config.task
    photos = read_photos(config.data_files, config.mount, task.labels, task.multi_label)
    journal.say(
        f"{len(photos.training)} training, {len(photos.validation)} validation and "
        f"{len(photos.test)} test photos of {len(photos.labels)} labels.",
        phase="read",
        fraction=0.01,
    )
    if photos.unlabelled:
        journal.say(f"Skipped {photos.unlabelled} rows without a label.", "WARNING")
    if photos.unused_labels:
        journal.say(f"No photo has these labels: {', '.join(photos.unused_labels)}.", "WARNING")
    check_files([*photos.training, *photos.validation, *photos.test])
    return photos


def _import_tensorflow_meanwhile() -> None:
    """Starts TensorFlow's import beside the reading of photos; whoever needs it waits for it."""
    from trainer.export import tensorflow

    threading.Thread(target=tensorflow, daemon=True).start()


def _export(config: Config, photos: Any, choice: Any, journal: Journal) -> dict[str, Any]:
    from trainer import artifacts
    from trainer.export import Exported, save
    from trainer.models.litert import classifier_model
    from trainer.serving import LITE_FILE

    folder, classifier = config.model_folder, choice.classifier
    folder.mkdir(parents=True, exist_ok=True)
    journal.progress("export", 0.75, f"Exporting {choice.name}.")
    save(classifier, folder)
    (folder / LITE_FILE).write_bytes(classifier_model(classifier))
    exported = Exported(folder)
    agreement = _agreement(exported, photos.training, choice, journal)
    measured = _evaluate(exported, photos.test, choice, folder, journal)
    card = artifacts.model_card(classifier, choice.candidates, choice.name, config.task.seed)
    card |= {
        "photos": {
            "training": choice.training_photos,
            "validation": len(choice.validation),
            "test": len(photos.test),
            "unlabelled": photos.unlabelled,
        },
        "agreement": asdict(agreement),
        **measured,
    }
    artifacts.write_labels(folder, classifier.labels)
    artifacts.write_json(folder / "model.json", card)
    return card


def _agreement(exported: Any, training: Any, choice: Any, journal: Journal) -> Any:
    from trainer.agreement import SAMPLE, compare, trained_scores
    from trainer.data.manifest import spread

    sample = [*choice.validation, *spread(training, 0)][:SAMPLE]
    paths = [photo.path for photo in sample]
    journal.progress("export", 0.78, "Comparing the exported graph with the trained model.")
    served = exported.scores_of_files(paths, journal.span("export", 0.78, 0.85, "Compared"))
    trained = trained_scores(choice.classifier, paths)
    agreement = compare(trained, served, choice.classifier.multi_label)
    agreement.check()
    return agreement


def _evaluate(
    exported: Any, test: Any, choice: Any, folder: Any, journal: Journal
) -> dict[str, Any]:
    """Writes evaluation and predictions; gives back the measured part of `model.json`."""
    from trainer import artifacts
    from trainer.evaluate import evaluate_photos

    chosen, split = (test, "test") if test else (choice.validation, "validation")
    if not test:
        journal.say("There are no test photos: the evaluation is on validation photos.", "WARNING")
    listen = journal.span("evaluate", 0.85, 0.99, "Evaluated")
    scores = exported.scores_of_files([photo.path for photo in chosen], listen)
    labels, several = choice.classifier.labels, choice.classifier.multi_label
    content, accuracy = evaluate_photos(scores, chosen, labels, several)
    artifacts.write_json(folder / "evaluation.json", content)
    artifacts.write_predictions(folder, chosen, scores, labels, several)
    overall = content["metrics"]
    metrics = {"accuracy": accuracy, "auPrc": overall["auPrc"], "logLoss": overall["logLoss"]}
    return {"metrics": metrics, "evaluatedOn": split}


if __name__ == "__main__":
    sys.exit(main())
