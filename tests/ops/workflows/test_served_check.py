"""Served answers beside the reference, without a cloud."""

import pytest

from ops.cloud.instances import Scored
from ops.workflows.evaluate_photos import Judged
from ops.workflows.served_check import Answered, Check, compare, in_order

ROW = Judged("gs://b/images/1.jpg", ("hat",), "hat", {"hat": 0.9, "shoe": 0.1})


def check_of(*differences: float, changed: int = 0) -> Check:
    """A check of so many photos, the first `changed` of which got another label."""
    answers = [
        Answered(f"gs://b/{n}", "hat", 0.9, "shoe" if n < changed else "hat", 0.9, difference)
        for n, difference in enumerate(differences)
    ]
    return Check("gs://b/predictions.jsonl", tuple(answers))


@pytest.mark.parametrize(
    ("scores", "label", "difference"),
    [
        ({"hat": 0.9, "shoe": 0.1}, "hat", 0.0),
        ({"hat": 0.2, "shoe": 0.8}, "shoe", 0.7),
        ({"hat": 0.9}, "hat", 0.1),
        ({"bag": 1.0}, "bag", 1.0),
    ],
)
def test_a_photo_is_compared_over_every_label(
    scores: dict[str, float], label: str, difference: float
) -> None:
    """The largest difference of a score counts; a label that was not answered is 0."""
    best = max(scores, key=scores.__getitem__)

    found = compare(ROW, Scored(best, scores))

    assert (found.reference, found.served, found.difference) == ("hat", label, difference)


def test_labels_that_score_the_same_are_not_told_apart() -> None:
    """What another processor's rounding turns round is no difference."""
    row = Judged("gs://b/1", ("hat",), "hat", {"hat": 0.5001, "shoe": 0.4999})

    assert compare(row, Scored("shoe", {"shoe": 0.5002, "hat": 0.4998})).agrees


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        (check_of(*[0.0] * 20), True),
        (check_of(*[0.01] * 20), True),
        (check_of(*[0.011] * 20), False),
        (check_of(*[0.0] * 20, changed=1), False),
        (check_of(*[0.0] * 19, 0.19), True),
        (check_of(*[0.0] * 200, changed=1), True),
    ],
)
def test_the_rule_is_99_5_percent_and_a_mean_of_0_01(check: Check, passed: bool) -> None:
    """Every label of a small sample must be the same, and the scores near."""
    assert check.passed is passed


def test_a_photo_without_an_answer_differs() -> None:
    """A server that cannot read what it was evaluated on is not the one that was evaluated."""
    lost = Answered("gs://b/1", "hat", 0.9, "", 0.0, 1.0, "instance 0: no photo")

    found = Check("gs://b/predictions.jsonl", (lost, *check_of(*[0.0] * 19).answers))

    assert not found.passed
    assert found.differing == [lost]


def test_the_sample_is_the_same_whatever_the_order_of_the_file() -> None:
    """By the hash of the address, so that a second check asks the same photos."""
    rows = [Judged(f"gs://b/{n}", ("hat",), "hat", {"hat": 1.0}) for n in range(30)]

    assert in_order(rows) == in_order(rows[::-1])
    assert in_order(rows) != rows
