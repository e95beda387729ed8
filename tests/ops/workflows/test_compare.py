"""Two models on the same photos, without a cloud."""

from math import comb

import pytest

from ops.errors import Code, OpsError
from ops.workflows.compare import compared, mcnemar
from tests.ops.evaluations import evaluated, judged, several

LABELS = ("hat", "shoe", "bag")


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 10, 2 / 1024), (6, 6, 1.0), (2, 8, 0.109375)],
)
def test_mcnemars_exact_test_is_the_binomial(only_a: int, only_b: int, p: float) -> None:
    """Worked out by hand from Pascal's triangle."""
    assert mcnemar(only_a, only_b) == pytest.approx(p, abs=1e-12)


def test_many_photos_do_not_overflow() -> None:
    """Thousands of differing photos, against exact integers."""
    exact = 2 * sum(comb(3000, k) for k in range(1401)) / 2**3000

    assert mcnemar(1400, 1600) == pytest.approx(exact, rel=1e-9)


def test_only_common_photos_with_the_same_truth_count() -> None:
    """Photos of one model only, or relabelled in between, are left out and counted."""
    rows = judged(LABELS, 30, 0.2)
    relabelled = [*rows[:5], *judged(LABELS[::-1], 30, 0.2)[5:8], *rows[8:20]]
    a = evaluated(LABELS, rows)
    b = evaluated(LABELS, relabelled, model="projects/p/locations/us-central1/models/other@1")

    found = compared(a, b, 0.5)

    assert found.pairs is not None
    same_truth = [n for n in range(20) if relabelled[n].true == rows[n].true]
    assert len(found.pairs) == len(same_truth) < 20
    assert found.left_out == 30 - len(same_truth)
    assert f"{found.left_out} that only one" in found.note


def test_models_without_a_common_photo_are_refused() -> None:
    """Their figures may not be set side by side as if they had been asked the same."""
    rows = judged(LABELS, 20, 0.2)
    a = evaluated(LABELS, rows[:10])
    b = evaluated(LABELS, rows[10:], model="projects/p/locations/us-central1/models/other@1")

    with pytest.raises(OpsError, match="no test photo in common: 10 of") as refused:
        compared(a, b, 0.5)

    assert refused.value.code is Code.NOT_FOUND


def test_of_several_labels_a_photo_all_must_be_right() -> None:
    """The threshold decides what was said; right is the very set of true labels."""
    rows = several(LABELS, 40)
    model = evaluated(LABELS, rows, multi_label=True)

    found = compared(model, model, 0.5)

    right = [row for row in rows if set(row.predicted(0.5)) == set(row.true)]
    assert 0 < len(right) < 40
    assert found.count(True, True) == len(right)
    assert found.same == 40
