"""Photos with several labels as typed: deployed, evaluated and compared by their sets of labels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ops.life import Life, living
from tests.ops.references import put, read

CUSTOM = ("train", "--mode", "custom", "--model-type")
FIRST, SECOND, THIRD = (f"default-photos-custom@{number}" for number in (1, 2, 3))
# labels.txt has label_0, red_shoe and t_shirt in this order, one test photo each.
SCORES = {"label_0": (0.9, 0.6, 0.1), "red_shoe": (0.1, 0.9, 0.3), "t_shirt": (0.9, 0.2, 0.7)}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Models of photos with several labels: right of one, of all, and of one by half the labels."""
    with living(tmp_path_factory.mktemp("several")) as found:
        for kind, change in (("linear", mistaken), ("cnn", right), ("dnn", half)):
            run = found.result(*CUSTOM, kind)["run"]
            name = f"runs/{run}/model/predictions.jsonl"
            rows = [json.loads(line) for line in read(found, name).decode().splitlines()]
            put(found, name, "".join(json.dumps(change(row)) + "\n" for row in rows))
        yield found


def mistaken(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the scores above."""
    given = SCORES[row["labels"][0]]
    said = [label for label, score in zip(SCORES, given, strict=True) if score >= 0.5]
    best = max(zip(given, SCORES, strict=True))[1]
    return {**row, "predictions": said, "prediction": best, "scores": given}


def right(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a model that is sure and right."""
    scores = [float(label in row["labels"]) for label in SCORES]
    said = list(row["labels"])
    return {**row, "predictions": said, "prediction": said[0], "scores": scores}


def half(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the engine left it; of all photos but one a true label is missed."""
    missed = [] if row["labels"] == ["t_shirt"] else ["t_shirt"]
    return {**row, "labels": [*row["labels"], *missed], "predictions": row["labels"]}


def test_the_surest_mistake_is_farthest_on_the_wrong_side(life: Life) -> None:
    """Photos are in that order, each with the label that is most wrong and by how much."""
    text = life.run("evaluate", "--model", FIRST).out
    found = life.result("evaluate", "--model", FIRST)

    assert "\n33.3% of 3 test photos with all labels right (95 % sure: 6.1% to 79.2%)\n" in text
    first, second = text.partition("surest mistakes")[2].splitlines()[1:3]
    assert first.split()[:6] == ["0", "0.90", "0.40", "0,", "t-shirt", "t-shirt"]
    assert second.split()[:6] == ["red", "shoe", "0.60", "0.10", "0,", "red"]
    assert (found["accuracy"], found["photos"], found["multi_label"]) == (1 / 3, 3, True)
    assert [row["wrong"][0] for row in found["mistakes"]] == [
        {"label": "0", "off_by": 0.4},
        {"label": "red shoe", "off_by": 0.1},
    ]
    page = Path(found["page"]).read_text()
    assert "(0 0.90)" in page and "(red shoe 0.60)" in page


def test_two_models_are_compared_by_their_sets_of_labels(life: Life) -> None:
    """Every label that was said is shown, and the share of photos with all labels right."""
    words = ("evaluate", "--model", FIRST, "--compare", SECOND)
    text = life.run(*words).out
    found = life.result(*words)

    rows = [line.split() for line in text.splitlines() if line.startswith(("A  ", "B  "))]
    assert [row[2] for row in rows] == ["0.333", "1.000"]
    assert "right is a photo with all its labels, and no other, at a score of 0.5." in text
    assert "t-shirt  0 0.90, t-shirt 0.70   t-shirt 1.00 " in text
    assert "0        0 0.90, red shoe 0.60  0 1.00 " in text
    assert (found["photos"]["both_right"], found["photos"]["only_b_right"]) == (1, 2)
    assert found["photos"]["differing"][0]["a"]["predictions"] == ["0", "t-shirt"]


def test_the_check_of_a_deployment_counts_as_evaluate_does(life: Life) -> None:
    """Of several labels all must be right: one that is right and one that is missed are not."""
    evaluated = life.run("evaluate", "--model", THIRD).out
    done = life.run("deploy", "--model", THIRD, "--ttl", "30m")
    life.result("undeploy")

    assert (
        "\n33.3% of 3 test photos with all labels right (95 % sure: 6.1% to 79.2%)\n" in evaluated
    )
    assert "; 33.3% of its 3 photos have all labels right)" in done.out, done.err
