"""`trainer.evaluate`: figures that were worked out by hand."""

import math

import numpy as np
import pytest

from trainer.evaluate import area_under_roc, average_precision, evaluation

# Four photos of three labels; the third is wrong. True labels: a, b, a, c.
LABELS = ("a", "b", "c")
SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.2, 0.3, 0.5]])
TRUTH = np.array([0, 1, 0, 2])


def test_average_precision_is_the_area_by_hand() -> None:
    """Right, wrong, right from the top: 1/2 · 1 + 1/2 · 2/3."""
    value = average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))

    assert value == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_ties_are_one_step() -> None:
    """Two equal scores, one right: precision 1/2 at once, and a coin's ROC area."""
    scores, true = np.array([0.5, 0.5]), np.array([True, False])

    assert average_precision(scores, true) == pytest.approx(0.5)
    assert area_under_roc(scores, true) == pytest.approx(0.5)


def test_area_under_roc_counts_pairs() -> None:
    """Of the four (right, wrong) pairs three are in order."""
    scores, true = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])

    assert area_under_roc(scores, true) == pytest.approx(3 / 4)
    assert area_under_roc(scores, np.array([True] * 4)) is None


def test_the_confusion_matrix_has_true_labels_in_rows() -> None:
    """One photo of a was taken for b: row a, column b."""
    matrix = evaluation(SCORES, TRUTH, LABELS)["metrics"]["confusionMatrix"]

    assert matrix["rows"] == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert [spec["displayName"] for spec in matrix["annotationSpecs"]] == ["a", "b", "c"]


def test_counts_at_a_threshold_are_pairs() -> None:
    """At 0.5 three pairs are right, one is wrong, one is missed; counts are text, as Google's."""
    metrics = evaluation(SCORES, TRUTH, LABELS)["metrics"]

    half = next(m for m in metrics["confidenceMetrics"] if m.get("confidenceThreshold") == 0.5)

    assert half["truePositiveCount"] == "3"
    assert half["falsePositiveCount"] == "1"
    assert half["falseNegativeCount"] == "1"
    assert half["trueNegativeCount"] == "7"
    assert half["precision"] == half["recall"] == half["f1Score"] == pytest.approx(0.75)
    assert half["falsePositiveRate"] == pytest.approx(1 / 8)


def test_at_zero_everything_is_predicted_and_at_one_only_the_first() -> None:
    """Without a threshold precision is 1/3 of all pairs, but 3/4 of first labels."""
    first = evaluation(SCORES, TRUTH, LABELS)["metrics"]["confidenceMetrics"][0]

    assert "confidenceThreshold" not in first
    assert first["precision"] == pytest.approx(4 / 12)
    assert first["recall"] == 1.0
    assert first["precisionAt1"] == first["recallAt1"] == pytest.approx(3 / 4)
    assert first["falsePositiveRateAt1"] == pytest.approx(1 / 8)


def test_a_threshold_nobody_reaches_has_no_wrong_answer() -> None:
    """At 0.99 nothing is predicted: precision 1, recall 0, F1 0."""
    last = evaluation(SCORES, TRUTH, LABELS)["metrics"]["confidenceMetrics"][-1]

    assert (last["confidenceThreshold"], last["precision"], last["recall"]) == (0.99, 1.0, 0.0)
    assert last["f1Score"] == 0.0


def test_thresholds_are_those_of_vertex() -> None:
    """0.00 to 0.95 by 0.05, then 0.96 to 0.99."""
    figures = evaluation(SCORES, TRUTH, LABELS)["metrics"]["confidenceMetrics"]

    thresholds = [figure.get("confidenceThreshold", 0.0) for figure in figures]

    assert len(thresholds) == 24
    assert thresholds[:3] == [0.0, 0.05, 0.1]
    assert thresholds[-5:] == [0.95, 0.96, 0.97, 0.98, 0.99]


def test_log_loss_is_of_the_true_label_and_one_against_the_rest_in_a_slice() -> None:
    """Overall the mean of −ln p(true); for b its yes or no on all four photos."""
    result = evaluation(SCORES, TRUTH, LABELS)
    overall = -(math.log(0.7) + math.log(0.8) + math.log(0.3) + math.log(0.5)) / 4
    of_b = -(math.log(0.8) + math.log(0.8) + math.log(0.4) + math.log(0.7)) / 4

    assert result["metrics"]["logLoss"] == pytest.approx(overall)
    assert result["slices"][1]["label"] == "b"
    assert result["slices"][1]["metrics"]["logLoss"] == pytest.approx(of_b)


def test_a_slice_counts_one_label_against_the_rest() -> None:
    """For a at 0.5: one found, one missed, none wrong; every a scores above every other photo."""
    metrics = evaluation(SCORES, TRUTH, LABELS)["slices"][0]["metrics"]

    half = metrics["confidenceMetrics"][10]

    assert (half["truePositiveCount"], half["falseNegativeCount"]) == ("1", "1")
    assert (half["falsePositiveCount"], half["trueNegativeCount"]) == ("0", "2")
    assert metrics["auRoc"] == 1.0
    assert metrics["auPrc"] == 1.0


def test_macro_f1_is_the_mean_of_the_labels() -> None:
    """At 0.5 the labels' F1 are 2/3, 2/3 and 1."""
    half = evaluation(SCORES, TRUTH, LABELS)["metrics"]["confidenceMetrics"][10]

    assert half["f1ScoreMacro"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert half["f1ScoreMicro"] == half["f1Score"]


def test_a_label_without_photos_has_no_slice() -> None:
    """Nothing is claimed about what was not measured."""
    result = evaluation(SCORES[:3], TRUTH[:3], LABELS)

    assert [entry["label"] for entry in result["slices"]] == ["a", "b"]
    assert result["metrics"]["confusionMatrix"]["rows"][2] == [0, 0, 0]
