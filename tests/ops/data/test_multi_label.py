"""Photos with several labels, and with none."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.data import manifest
from ops.data.check import Checked, check
from ops.data.labels import unfit
from ops.data.photos import Named, Photo
from ops.data.sources import read_source
from ops.data.split import SPLITS, TEST, TRAINING, VALIDATION, Shares, Unsplit, decide
from tests.ops.photo_files import photo, write_photos

LABELS = ("hat", "red", "shoe", "wool")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Forty photos that a list can name."""
    return write_photos(tmp_path, {"p": 40})


def checked(
    folder: Path, content: str, several: bool | None = None, name: str = "l.csv"
) -> Checked:
    """What is found in a list with this content beside the photos."""
    (folder / name).write_text(content)
    return check(read_source(folder / name, several))


def pairs(first: str = "hat", second: str = "red") -> str:
    """Twenty rows with two labels, ten with the first, ten with the second."""
    rows = [f"p/{n:02}.jpg,{first},{second}" for n in range(20)]
    rows += [f"p/{n:02}.jpg,{first}" for n in range(20, 30)]
    return "\n".join([*rows, *(f"p/{n:02}.jpg,{second}" for n in range(30, 40))])


def said(found: Checked, folder: Path) -> list[str]:
    """Problems and warnings, with the test's own folder left off."""
    return [str(one).replace(f"{folder}/", "") for one in (*found.problems, *found.warnings)]


def test_rows_with_several_labels_make_a_multi_label_data_set(shop: Path) -> None:
    """It is found out by itself, and said with the number of such rows."""
    (shop / "l.csv").write_text(pairs())

    listing = read_source(shop / "l.csv")
    found = check(listing)

    assert listing.multi_label and found.multi_label
    assert listing.understood == (
        "a list of photos ([ML_USE,] path, label); 20 rows have several labels, "
        "so it is a multi-label data set"
    )
    assert (said(found, shop), len(found.photos)) == ([], 40)
    assert Counter(n.labels for n in found.photos) == {
        ("hat", "red"): 20,
        ("hat",): 10,
        ("red",): 10,
    }


def test_several_label_columns_with_headings(shop: Path) -> None:
    """`label`, `label_2`, `Label 3`: each is a column of labels, and may be empty."""
    (shop / "l.csv").write_text("path,label,label_2,Label 3\np/00.jpg,hat,,red\np/01.jpg,hat,,\n")

    labels = [candidate.labels for candidate in read_source(shop / "l.csv").candidates]

    assert labels == [("hat", "red"), ("hat",)]


def test_asked_for_single_labels_refuses_such_rows(shop: Path) -> None:
    """With --single-label each row of several labels is a problem by its line."""
    found = checked(shop, pairs(), several=False)

    assert len(found.problems) == 20
    assert said(found, shop)[0] == (
        "l.csv:1: the photo has 2 labels (hat, red). "
        "Keep one label for each photo, or leave out --single-label."
    )


def test_rows_of_one_photo_add_up_where_labels_may_be_several(shop: Path) -> None:
    """A row for each label is understood with --multi-label, and refused without."""
    rows = "".join(f"p/{n:02}.jpg,{label}\n" for n in range(10) for label in ("hat", "red"))

    joined, refused = checked(shop, rows, several=True), checked(shop, rows)

    assert [n.labels for n in joined.photos] == [("hat", "red")] * 10
    assert said(joined, shop)[0] == (
        "l.csv:1 (p/00.jpg): kept once; the same photo is also l.csv:2 (p/00.jpg). "
        "Its labels are joined: hat, red."
    )
    assert said(refused, shop)[0] == (
        "l.csv:1 (p/00.jpg): the same photo is under 2 labels: hat (l.csv:1 (p/00.jpg)), "
        "red (l.csv:2 (p/00.jpg)). Keep the right one and remove the others."
    )


def test_the_same_label_twice_in_a_row_counts_once(shop: Path) -> None:
    """It is said, and makes no multi-label data set."""
    rows = "".join(f"p/{n:02}.jpg,{'hat' if n % 2 else 'red'}\n" for n in range(20))
    found = checked(shop, "p/20.jpg,hat,hat\n" + rows)

    assert not found.multi_label
    assert said(found, shop) == ["l.csv:1: a label is there twice; it counts once."]


def test_photos_without_labels_are_kept_and_count_for_nothing(shop: Path) -> None:
    """They have no split, no annotation and no ml_use; no label is short because of them."""
    found = checked(shop, pairs() + "\np/00.jpg\n")
    (shop / "extra.jpg").write_bytes(photo("extra"))
    more = checked(shop, pairs() + "\nextra.jpg\ntest,p/01.jpg,hat,red\n")
    decision = decide(Unsplit(n.photo.sha256, n.labels) for n in more.photos if n.labels)

    rows = manifest.rows(more.photos, decision.splits, "shop")
    lines = [json.loads(line) for line in manifest.import_jsonl(rows, multi_label=True).split()]

    assert said(found, shop)[0].startswith("l.csv:1 (p/00.jpg): kept once;")
    assert {n.labels for n in found.photos if n.source == "p/00.jpg"} == {("hat", "red")}
    assert [row.split for row in rows if not row.labels] == [""]
    assert [set(line) for line in lines if "classificationAnnotations" not in line] == [
        {"imageGcsUri"}
    ]
    assert manifest.from_jsonl(manifest.to_jsonl(rows)) == rows


def test_the_import_file_for_several_labels(shop: Path) -> None:
    """Vertex's multi-label form, labels sorted as in the manifest."""
    found = checked(shop, pairs("t-shirt", "0"))
    decision = decide(Unsplit(n.photo.sha256, n.labels) for n in found.photos)
    rows = manifest.rows(found.photos, decision.splits, "shop")

    lines = [json.loads(line) for line in manifest.import_jsonl(rows, multi_label=True).split()]

    both = next(line for line in lines if len(line["classificationAnnotations"]) == 2)
    assert both["classificationAnnotations"] == [
        {"displayName": "label_0"},
        {"displayName": "t_shirt"},
    ]


def test_a_rare_label_is_taken_off_photos_that_have_others(shop: Path) -> None:
    """Left out with --skip-bad: the label, and the photos that have no other."""
    found = checked(shop, pairs().replace("p/00.jpg,hat,red", "p/00.jpg,hat,red,rare"))

    assert said(found, shop) == [
        "label “rare”: 1 photo; a label needs at least 10. Add photos of it, or remove it."
    ]
    assert (len(found.photos), found.left_out) == (40, 0)
    assert {label for n in found.photos for label in n.labels} == {"hat", "red"}


def test_vertex_s_own_form_is_a_source(shop: Path) -> None:
    """JSON lines with one label or several; a line of another form is told by its number."""
    lines = [
        {
            "imageGcsUri": f"p/{n:02}.jpg",
            "classificationAnnotations": [{"displayName": label} for label in ("hat", "red")],
            "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": split},
        }
        for n, split in zip(range(12), [*SPLITS] * 4, strict=True)
    ]
    content = "\n".join(map(json.dumps, lines))

    good = checked(shop, content, name="l.jsonl")
    (shop / "l.jsonl").write_text(content + "\nnot json\n[1]\n{}\n")
    bad = read_source(shop / "l.jsonl")

    assert Counter(n.split for n in good.photos) == dict.fromkeys(SPLITS, 4)
    assert [problem.where.rpartition(":")[2] for problem in bad.problems] == ["13", "14", "15"]


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(60, 300))
def test_every_label_is_in_every_split_in_about_its_share(seed: int, number: int) -> None:
    """Labels that overlap at random: each is trained, validated and tested, a tenth held out."""
    draw = random.Random(seed)
    photos = [
        Unsplit(
            f"{draw.getrandbits(256):064x}",
            tuple(draw.sample(LABELS, draw.choice((1, 1, 2, 3)))),
        )
        for _ in range(number)
    ]

    decision = decide(photos)

    assert decision.missing == {}
    assert decision == decide(reversed(photos))
    for label in LABELS:
        splits = Counter(decision.splits[p.sha256] for p in photos if label in p.labels)
        held_out = splits[VALIDATION] + splits[TEST]
        assert splits[TRAINING] > 0
        assert abs(held_out - 0.2 * splits.total()) <= 0.1 * splits.total() + 4


def test_ninety_ten_has_no_validation() -> None:
    """Training and test only, each label in both; the lack of validation is known."""
    photos = [Unsplit(f"{n:064x}", ("ab"[n % 2],)) for n in range(60)]

    decision = decide(photos, shares=Shares(validation=0.0, test=0.1))

    assert Counter(decision.splits.values()) == {TRAINING: 54, TEST: 6}
    assert (decision.missing, decision.moved) == ({VALIDATION: ("a", "b")}, {})


def test_too_many_labels_are_told() -> None:
    """5,000 are the most that Vertex takes; a photo's labels each count."""
    one = Photo(Path("x"), "a", "a", "", "jpg", "image/jpeg", 1, 1, 1)
    photos = [Named(one, "", (f"label{n}", f"label{n + 1}")) for n in range(0, 5002, 2)]

    assert [str(problem) for problem in unfit("list.csv", photos)] == [
        "list.csv: 5,002 labels; Vertex takes at most 5,000. Join some of them."
    ]
    assert unfit("list.csv", photos[:2500]) == []
