"""Rows of predictions.jsonl, as trainings and batch jobs leave them."""

import json
from typing import Any

import pytest

from ops.data.manifest import Row
from ops.errors import Code, OpsError
from ops.workflows.evaluate_photos import label_order, read
from ops.workflows.served_reference import input_jsonl, predictions_jsonl

OWN = {"t_shirt": "t-shirt", "hat": "hat"}
ORDER = ["hat", "t_shirt"]
SHA = "ab" * 32


def line(**changes: Any) -> str:
    """A good row, changed."""
    row = {"uri": f"gs://b/images/{SHA}.jpg", "labels": ["hat"], "prediction": "t_shirt"}
    return json.dumps({**row, "scores": [0.25, 0.75], **changes}) + "\n"


def manifest_row(number: int, *labels: str) -> Row:
    """A test photo of a manifest."""
    return Row(f"gs://b/images/{number}.png", str(number), labels, "test", "", 1, 1, 1, "")


def test_rows_have_the_users_labels_and_file_names() -> None:
    """Scores are matched by labels.txt, the file by the hash in the address."""
    found = read("gs://b/p.jsonl", line(), ORDER, OWN, {SHA: "wardrobe/3.jpg"})

    row = found.rows[0]
    assert (row.true, row.best, row.scores) == (("hat",), "t-shirt", {"hat": 0.25, "t-shirt": 0.75})
    assert (row.file, row.is_right, found.multi_label) == ("wardrobe/3.jpg", False, False)
    assert found.counts == {"hat": 1, "t-shirt": 0}
    assert found.mistakes(0.5) == [row]


def test_of_several_labels_what_is_missed_and_what_is_too_much_counts() -> None:
    """The surest mistake first: a label too many by its score, a missed one by what it lacks."""
    rows = [
        line(uri="gs://b/1", labels=["hat"], predictions=["hat"], scores=[0.9, 0.1]),
        line(uri="gs://b/2", labels=["hat"], predictions=["hat", "t_shirt"], scores=[0.9, 0.6]),
        line(uri="gs://b/3", labels=["hat", "t_shirt"], predictions=["hat"], scores=[0.9, 0.1]),
    ]
    found = read("gs://b/p.jsonl", "".join(rows), ORDER, OWN)

    assert found.multi_label
    assert [row.uri for row in found.mistakes(0.5)] == ["gs://b/3", "gs://b/2"]
    assert [row.uri for row in found.mistakes(0.05)] == ["gs://b/2", "gs://b/1"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{\n", "line 1: not a row of predictions (JSONDecodeError"),
        (line() + line(scores=[1.0]), "line 2: not a row of predictions (ValueError: 1 scores for"),
        (line(prediction="bag"), "'bag' is not in labels.txt"),
        ('{"uri": "gs://b/1"}\n', "KeyError: 'scores'"),
        ("[]\n", "line 1: not a row"),
    ],
)
def test_a_row_of_another_form_is_named_by_its_line(text: str, why: str) -> None:
    """Whoever wrote the file finds the place."""
    with pytest.raises(OpsError) as refused:
        read("gs://b/p.jsonl", text, ORDER, OWN)

    assert refused.value.code is Code.BAD_DATA
    assert refused.value.message.startswith("gs://b/p.jsonl, line ")
    assert why in refused.value.message


def test_the_order_of_labels_is_the_first_column() -> None:
    """With the user's own names behind a tab, or without."""
    assert label_order("hat\that\nt_shirt\tt-shirt\n") == label_order("hat\nt_shirt\n") == ORDER


def test_a_batch_jobs_answers_become_the_same_rows() -> None:
    """Scores in one order whatever the job's; a photo without an answer is left out."""
    rows = [manifest_row(1, "hat"), manifest_row(2, "t_shirt"), manifest_row(3, "hat")]
    answers = {
        "gs://b/images/1.png": {"t_shirt": 0.6, "hat": 0.4},
        "gs://b/images/2.png": {"t_shirt": 1.0},
    }

    found = read("gs://b/p.jsonl", predictions_jsonl(rows, ORDER, answers), ORDER, OWN)

    assert [row.best for row in found.rows] == ["t-shirt", "t-shirt"]
    assert found.rows[1].scores == {"hat": 0.0, "t-shirt": 1.0}
    assert not found.multi_label


def test_a_batch_jobs_answers_of_several_labels_say_so() -> None:
    """Every label from 0.5 on is predicted."""
    rows = [manifest_row(1, "hat", "t_shirt")]
    answers = {"gs://b/images/1.png": {"t_shirt": 0.6, "hat": 0.5}}

    found = predictions_jsonl(rows, ORDER, answers)

    assert json.loads(found)["predictions"] == ["hat", "t_shirt"]


def test_the_jobs_input_names_address_and_type() -> None:
    """Vertex's own form for AutoML image models."""
    rows = [manifest_row(1, "hat"), Row("gs://b/x.jpg", "x", ("hat",), "test", "", 1, 1, 1, "")]

    assert input_jsonl(rows) == (
        '{"content":"gs://b/images/1.png","mimeType":"image/png"}\n'
        '{"content":"gs://b/x.jpg","mimeType":"image/jpeg"}\n'
    )
