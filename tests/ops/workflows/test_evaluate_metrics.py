"""The evaluation's metrics, read as Google writes them."""

from typing import Any

import pytest

from ops.cloud.models import Evaluation
from ops.workflows.evaluate import AtThreshold, Confusion, at_threshold, confusion_of, label_rows

OWN = {"t_shirt": "t-shirt", "hat": "hat"}
METRICS: dict[str, Any] = {
    "auPrc": 0.9,
    "confidenceMetrics": [
        {"precision": 0.5, "recall": 1.0, "f1Score": 0.66},
        {"confidenceThreshold": 0.45, "precision": 0.7, "recall": 0.8, "f1Score": 0.74},
        {"confidenceThreshold": 0.5, "precision": 0.8, "recall": 0.7, "f1Score": 0.75},
        {"confidenceThreshold": 0.55, "precision": 0.9, "recall": 0.6, "f1Score": 0.72},
    ],
    "confusionMatrix": {
        "annotationSpecs": [
            {"id": "9", "displayName": "t_shirt"},
            {"id": "3", "displayName": "hat"},
        ],
        "rows": [[8.0, 2.0], [1.0, 4.0]],
    },
}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (0.0, AtThreshold(0.0, 0.5, 1.0, 0.66)),
        (0.5, AtThreshold(0.5, 0.8, 0.7, 0.75)),
        (0.52, AtThreshold(0.5, 0.8, 0.7, 0.75)),
        (1.0, AtThreshold(0.55, 0.9, 0.6, 0.72)),
    ],
)
def test_the_row_of_the_highest_threshold_not_above_is_taken(
    asked: float, expected: AtThreshold
) -> None:
    """Google leaves the threshold out of the first row, where it is 0."""
    assert expected == at_threshold(METRICS, asked)


def test_metrics_without_thresholds_say_so() -> None:
    """What the API did not give is None, not zero."""
    assert AtThreshold(0.5, None, None, None) == at_threshold({"auPrc": 0.9}, 0.5)


def test_the_confusion_matrix_is_read_by_its_own_order_and_sorted_by_the_users_names() -> None:
    """Rows and columns follow annotationSpecs, shown by name; accuracy is the diagonal."""
    found = confusion_of(METRICS, OWN)

    assert found == Confusion(("hat", "t-shirt"), ((4, 1), (2, 8)))
    assert (found.photos, found.accuracy, found.of("hat")) == (15, 12 / 15, 5)


def test_no_confusion_matrix_is_none() -> None:
    """Some evaluations carry none."""
    assert confusion_of({"auPrc": 0.9}, OWN) is None


def test_labels_are_matched_by_name_never_by_index() -> None:
    """Slices in another order than the matrix get their own row's photos."""
    slices = [Evaluation("e/1", "hat", METRICS), Evaluation("e/2", "t_shirt", METRICS)]

    rows = label_rows(slices, OWN, confusion_of(METRICS, OWN), 0.5)

    assert [(row.label, row.photos) for row in rows] == [("hat", 5), ("t-shirt", 10)]


def test_a_label_outside_the_matrix_has_no_number_of_photos() -> None:
    """A stranger's evaluation may have slices that its matrix lacks."""
    rows = label_rows([Evaluation("e/1", "bag", METRICS)], OWN, confusion_of(METRICS, OWN), 0.5)

    assert [(row.label, row.photos) for row in rows] == [("bag", None)]
