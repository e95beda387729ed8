"""`trainer.models.linear`: a head that is right on data whose answer is known."""

import numpy as np
import pytest

from trainer.models.linear import discriminant, log_loss, temperature


def clouds(counts: tuple[int, ...], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal clouds of these sizes, four standard deviations apart."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = np.eye(len(counts), width) * 4
    return (centres[labels] + random.normal(size=(len(labels), width))).astype(np.float32), labels


def test_separate_clouds_are_told_apart() -> None:
    """Three clouds in 50 dimensions are all but perfectly separated on new points."""
    features, labels = clouds((200, 200, 200), 50)
    weights, bias = discriminant(features[::2], labels[::2], 3)

    right = (features[1::2] @ weights + bias).argmax(axis=1) == labels[1::2]

    assert right.mean() > 0.97


def test_more_features_than_photos_is_no_trouble() -> None:
    """Ten photos of each label and 1,280 features still give finite weights that fit."""
    features, labels = clouds((10, 10), 1280)
    weights, bias = discriminant(features, labels, 2)

    assert np.isfinite(weights).all()
    assert ((features @ weights + bias).argmax(axis=1) == labels).all()


def test_a_rare_label_is_still_found() -> None:
    """Fifty to one: the rare label is expected less, and found all the same."""
    features, labels = clouds((500, 10), 20)
    weights, bias = discriminant(features, labels, 2)

    right = (features @ weights + bias).argmax(axis=1) == labels

    assert right[labels == 1].mean() >= 0.8
    assert right[labels == 0].mean() > 0.98


def test_constant_features_do_not_divide_by_zero() -> None:
    """Photos that are all alike give finite weights."""
    weights, bias = discriminant(np.ones((4, 3), np.float32), np.array([0, 0, 1, 1]), 2)

    assert np.isfinite(weights).all()
    assert np.isfinite(bias).all()


def test_log_loss_of_even_odds_is_the_log_of_two() -> None:
    """Two labels, no opinion: ln 2."""
    assert log_loss(np.zeros((3, 2)), np.array([0, 1, 0])) == pytest.approx(np.log(2))


def test_temperature_calms_a_model_that_is_too_sure() -> None:
    """Right three times of four, but certain each time: the best divisor is above one."""
    logits = np.tile([[8.0, 0.0]], (4, 1))

    assert temperature(logits, np.array([0, 0, 0, 1])) > 4
    assert temperature(logits, np.array([], np.int64)) == 1.0


def test_a_few_right_answers_do_not_make_a_model_surer() -> None:
    """Two photos, both right, leave it as it is; a hundred make it as sure as it may be."""
    assert temperature(np.array([[1.0, 0.0]] * 2), np.array([0, 0])) == 1.0
    assert temperature(np.array([[1.0, 0.0]] * 100), np.zeros(100, np.int64)) == 0.25


def test_a_model_of_few_photos_is_never_worse_than_guessing() -> None:
    """Logits hundreds apart, wrong as often as right: made no surer than evens say."""
    logits = np.tile([[900.0, 0.0, 0.0]], (20, 1))
    labels = np.array([0, 1] * 10)

    assert log_loss(logits / temperature(logits, labels), labels) <= np.log(3)


def test_few_photos_all_right_leave_a_doubt() -> None:
    """Eight right answers of eight, each quite sure: about one chance in twenty is left over."""
    logits = np.tile([[90.0, 0.0]], (8, 1))

    chance = 1 / (1 + np.exp(-90.0 / temperature(logits, np.zeros(8, np.int64))))
    assert 0.9 <= chance <= 0.97
