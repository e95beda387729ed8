"""The evaluation's metrics, read as Google writes them."""

from typing import Any

import pytest

from ops.cloud.models import Evaluation
from ops.workflows.evaluate_metrics import (
    AtThreshold,
    Confusion,
    LabelScores,
    at_threshold,
    by_f1,
    confusion_of,
    curve,
    label_rows,
    wilson,
)

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


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"precision": 1.0, "recall": 0.0, "f1Score": 0.0, "counts": (0, 0, 3)}, (None, 0.0, 0.0)),
        ({"precision": 0.0, "recall": 0.0, "f1Score": 0.0, "counts": (0, 2, 0)}, (0.0, None, 0.0)),
        ({"precision": 1.0, "recall": 0.0, "f1Score": 0.0, "counts": (0, 0, 0)}, (None,) * 3),
        ({"precision": 0.5, "recall": 1.0, "f1Score": 0.6, "counts": (1, 1, 0)}, (0.5, 1.0, 0.6)),
        ({"precision": 1.0, "recall": 0.0, "f1Score": 0.0}, (None, 0.0, 0.0)),
        ({"precision": 1.0}, (None, None, None)),
        ({"precision": 0.0, "recall": 0.0, "f1Score": 0.0}, (0.0, 0.0, 0.0)),
    ],
)
def test_what_has_nothing_to_divide_by_is_no_figure(
    row: dict[str, Any], expected: tuple[float | None, ...]
) -> None:
    """A label that is never predicted has no precision, whatever the API writes for 0 of 0."""
    given = {key: value for key, value in row.items() if key != "counts"}
    counts = ("truePositiveCount", "falsePositiveCount", "falseNegativeCount")
    given |= {key: str(count) for key, count in zip(counts, row.get("counts", ()), strict=False)}

    found = curve({"confidenceMetrics": [{**given, "confidenceThreshold": 0.5}]})[0]

    assert (found.precision, found.recall, found.f1) == expected


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

    rows = label_rows(slices, OWN, {"hat": 5, "t-shirt": 10}, 0.5)

    assert [(row.label, row.photos) for row in rows] == [("hat", 5), ("t-shirt", 10)]


def test_a_label_outside_the_matrix_has_no_number_of_photos() -> None:
    """A stranger's evaluation may have slices that its matrix lacks."""
    rows = label_rows([Evaluation("e/1", "bag", METRICS)], OWN, {"hat": 5}, 0.5)

    assert [(row.label, row.photos) for row in rows] == [("bag", None)]


def test_every_threshold_of_the_evaluation_is_kept_in_order() -> None:
    """The curve rises by threshold, whatever the order of the API."""
    turned = {"confidenceMetrics": METRICS["confidenceMetrics"][::-1]}

    assert [row.threshold for row in curve(turned)] == [0.0, 0.45, 0.5, 0.55]
    assert curve({}) == ()


def test_the_hardest_label_is_first_and_one_without_figure_last() -> None:
    """Sorted by F1, then by name."""
    figures = {"hat": 0.9, "bag": None, "shoe": 0.2, "belt": 0.9}
    rows = [
        LabelScores(label, 1, None, AtThreshold(0.5, None, None, f1))
        for label, f1 in figures.items()
    ]

    assert [row.label for row in by_f1(rows)] == ["shoe", "belt", "hat", "bag"]


def test_mix_ups_are_counted_most_frequent_first() -> None:
    """Only cells off the diagonal that have photos."""
    found = confusion_of(METRICS, OWN)

    assert found is not None
    assert found.mixed_up() == [("t-shirt", "hat", 2), ("hat", "t-shirt", 1)]


def test_few_photos_leave_a_wide_range() -> None:
    """Wilson's interval: 81 of 263 is the example of Newcombe, Statistics in Medicine, 1998."""
    low, high = wilson(81, 263)

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(3, 3)[1] == 1.0
    assert wilson(3, 3)[0] < 0.5
