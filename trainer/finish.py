"""From a trained classifier to a finished model folder: export, comparison, evaluation, card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trainer import artifacts
from trainer.choice import Choice
from trainer.data.dataset import write_labels
from trainer.data.manifest import Photo, Photos, spread
from trainer.errors import DataError
from trainer.journal import Journal

EXPORTED_AT, COMPARED_AT, EVALUATED_AT = 0.78, 0.85, 0.99


def finish(
    folder: Path,
    photos: Photos,
    choice: Choice,
    journal: Journal,
    seed: int,
    own_names: Mapping[str, str] = MappingProxyType({}),
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """`model.json` of the finished folder; `more` is what else it is to say.

    `own_names` has the labels' names as the user wrote them, where they are known.

    Raises ExportError if the exported graph does not see what training saw.
    """
    from trainer.export import Exported, save
    from trainer.serving import LITE_FILE

    classifier = choice.classifier
    folder.mkdir(parents=True, exist_ok=True)
    journal.progress("export", 0.75, f"Exporting {choice.name}.")
    save(classifier, folder)
    (folder / LITE_FILE).write_bytes(classifier.litert())
    exported = Exported(folder)
    agreement = _agreement(exported, photos, choice, journal)
    measured = _evaluate(exported, photos, choice, folder, journal)
    card = artifacts.model_card(classifier, choice.candidates, choice.name, seed)
    card |= {"photos": _counts(photos, choice), "agreement": asdict(agreement), **measured, **more}
    write_labels(folder, classifier.labels, own_names)
    artifacts.write_json(folder / "model.json", card)
    return card


def check_judged(photos: Sequence[Photo]) -> None:
    """Raises DataError without a photo that an evaluation could be made of."""
    if not photos:
        raise DataError(
            "No photo is left to evaluate with. Give each label two training photos or more, or "
            "some photos the split test."
        )


def _counts(photos: Photos, choice: Choice) -> dict[str, int]:
    return {
        "training": choice.training_photos,
        "validation": len(choice.validation),
        "test": len(photos.test),
        "unlabelled": photos.unlabelled,
    }


def _agreement(exported: Any, photos: Photos, choice: Choice, journal: Journal) -> Any:
    from trainer.agreement import SAMPLE, compare, trained_scores

    sample = [*choice.validation, *spread(photos.training, 0)][:SAMPLE]
    paths = [photo.path for photo in sample]
    journal.progress("export", EXPORTED_AT, "Comparing the exported graph with the trained model.")
    listen = journal.span("export", EXPORTED_AT, COMPARED_AT, "Compared")
    served = exported.scores_of_files(paths, listen)
    trained = trained_scores(choice.classifier, paths)
    agreement = compare(trained, served, choice.classifier.multi_label)
    agreement.check()
    return agreement


def _evaluate(
    exported: Any, photos: Photos, choice: Choice, folder: Path, journal: Journal
) -> dict[str, Any]:
    """Writes evaluation and predictions; gives back the measured part of `model.json`."""
    from trainer.evaluate import evaluate_photos

    chosen, split = (photos.test, "test") if photos.test else (choice.validation, "validation")
    check_judged(chosen)
    if not photos.test:
        journal.say("There are no test photos: the evaluation is on validation photos.", "WARNING")
    listen = journal.span("evaluate", COMPARED_AT, EVALUATED_AT, "Evaluated")
    scores = exported.scores_of_files([photo.path for photo in chosen], listen)
    labels, several = choice.classifier.labels, choice.classifier.multi_label
    content, accuracy = evaluate_photos(scores, chosen, labels, several)
    artifacts.write_json(folder / "evaluation.json", content)
    artifacts.write_predictions(folder, chosen, scores, labels, several)
    overall = content["metrics"]
    metrics = {"accuracy": accuracy, "auPrc": overall["auPrc"], "logLoss": overall["logLoss"]}
    return {"metrics": metrics, "evaluatedOn": split}
