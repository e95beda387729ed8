"""`trainer.models.one_vs_rest`: heads for several labels, and what makes their answers chances."""

import numpy as np

from trainer.models.one_vs_rest import RIDGES, calibration, heads


def test_each_label_has_a_head_of_its_own() -> None:
    """Labels that depend on different features are told apart, however they go together."""
    dice = np.random.default_rng(3)
    features = dice.normal(size=(400, 6)).astype(np.float32)
    truth = np.stack([features[:, 0] > 0, features[:, 1] > 0.5, features[:, 0] < -0.5], axis=1)

    for ridge, weights, bias in heads(features, truth):
        answers = features @ weights + bias
        right = ((answers >= 0.5) == truth).mean()
        assert right > (0.9 if ridge < 1 else 0.6)


def test_a_stronger_ridge_makes_smaller_weights() -> None:
    """From the first ridge to the last, the weights shrink."""
    dice = np.random.default_rng(4)
    features = dice.normal(size=(100, 5)).astype(np.float32)
    truth = features[:, :2] > 0

    sizes = [float(np.abs(weights).sum()) for _, weights, _ in heads(features, truth)]

    assert len(sizes) == len(RIDGES)
    assert sizes == sorted(sizes, reverse=True)


def test_calibrated_answers_are_as_sure_as_they_are_right() -> None:
    """Of many pairs with a chance of about 0.8, about 0.8 are true."""
    dice = np.random.default_rng(5)
    answers = dice.normal(0.4, 0.3, size=(4000, 2))
    truth = dice.random(answers.shape) < 1 / (1 + np.exp(-(8 * answers - 3)))

    slope, offset = calibration(answers, truth)

    chances = 1 / (1 + np.exp(-(answers * slope + offset)))
    band = (chances > 0.75) & (chances < 0.85)
    assert abs(float(truth[band].mean()) - 0.8) < 0.05
    np.testing.assert_allclose(slope, 8, rtol=0.15)


def test_a_few_right_answers_do_not_make_it_certain() -> None:
    """Ten photos answered perfectly: sure, but not beyond what ten photos can show."""
    answers = np.repeat([[0.0], [1.0]], 5, axis=0)
    truth = answers > 0.5

    slope, offset = calibration(answers, truth)

    chances = 1 / (1 + np.exp(-(answers * slope + offset)))
    np.testing.assert_allclose(chances[:, 0], np.repeat([1 / 7, 6 / 7], 5), atol=1e-3)


def test_a_label_with_few_photos_is_calibrated_with_the_others() -> None:
    """A label that four photos have takes the slope and offset of all labels together."""
    dice = np.random.default_rng(6)
    answers = dice.random((200, 2))
    truth = np.stack([dice.random(200) < answers[:, 0], np.arange(200) < 4], axis=1)

    slope, offset = calibration(answers, truth)

    shared, at = calibration(answers.reshape(-1, 1), truth.reshape(-1, 1))
    assert (slope[1], offset[1]) == (shared[0], at[0])
    assert slope[0] != slope[1]
