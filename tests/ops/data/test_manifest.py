"""The digest names a data set; the files say what is in it."""

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ops.data import manifest
from ops.data.check import check
from ops.data.manifest import Row
from ops.data.sources import read_source
from ops.data.split import SPLITS, Unsplit, decide
from tests.ops.photo_files import write_photos

rows = st.lists(
    st.builds(
        Row,
        uri=st.text(),
        sha256=st.integers(0, 2**64).map(lambda number: f"{number:064x}"),
        labels=st.lists(st.sampled_from(("cat", "dog", "emu")), min_size=1, unique=True).map(tuple),
        split=st.sampled_from(SPLITS),
        group=st.text(),
        width=st.integers(1, 9999),
        height=st.integers(1, 9999),
        size_bytes=st.integers(1, 30_000_000),
        source=st.text(),
    ),
    unique_by=lambda row: row.sha256,
    min_size=1,
    max_size=20,
)


@given(rows, st.randoms())
def test_the_digest_depends_on_nothing_else(rows: list[Row], shuffler: random.Random) -> None:
    """Order of rows and labels, bucket, sizes and origin change nothing."""
    other = [
        replace(row, uri="gs://x/y", group="", source="", labels=row.labels[::-1], size_bytes=1)
        for row in rows
    ]
    shuffler.shuffle(other)

    assert manifest.digest(rows) == manifest.digest(other)


@given(rows)
def test_the_digest_depends_on_hash_label_and_split(rows: list[Row]) -> None:
    """Another photo, label or split is another data set."""
    first, *rest = rows
    split = SPLITS[(SPLITS.index(first.split) + 1) % 3]

    digests = {
        manifest.digest(rows),
        manifest.digest(rest),
        manifest.digest([replace(first, split=split), *rest]),
        manifest.digest([replace(first, labels=("yak",)), *rest]),
        manifest.digest([replace(first, sha256="f" * 64), *rest]),
    }

    assert len(digests) == 5


def test_the_digest_is_the_one_of_the_contract() -> None:
    """SHA-256 of a line a row: a JSON list of hash, sorted labels and split."""
    one = Row("gs://b/x", "ab", ("dog", "cat"), "test", "ab", 1, 2, 3, "ab")

    expected = hashlib.sha256(b'["ab",["cat","dog"],"test"]\n').hexdigest()

    assert manifest.digest([one]) == expected


@given(rows)
def test_a_manifest_reads_as_it_was_written(rows: list[Row]) -> None:
    """Rows survive manifest.jsonl."""
    assert manifest.from_jsonl(manifest.to_jsonl(rows)) == rows


def test_the_files_of_a_folder(tmp_path: Path) -> None:
    """Photos under their hashes; safe labels in the import file, the user's own in labels.txt."""
    write_photos(tmp_path, {"t-shirt": 10, "0": 10})
    photos = check(read_source(tmp_path)).photos
    decision = decide(Unsplit(n.photo.sha256, n.labels) for n in photos)

    found = manifest.rows(photos, decision.splits, "shop")
    line = json.loads(manifest.import_jsonl(found).splitlines()[0])

    first = min(photos, key=lambda named: named.photo.sha256).photo
    assert line["imageGcsUri"] == f"gs://shop/images/{first.sha256}.jpg"
    assert line["classificationAnnotation"]["displayName"] in ("t_shirt", "label_0")
    assert line["dataItemResourceLabels"] == {
        "aiplatform.googleapis.com/ml_use": decision.splits[first.sha256]
    }
    assert manifest.labels_txt({"t_shirt": "t-shirt", "label_0": "0"}) == (
        "label_0\t0\nt_shirt\tt-shirt\n"
    )


def test_the_digest_does_not_depend_on_where_the_photos_lie(tmp_path: Path) -> None:
    """The same photos in two folders, for two buckets, are one data set."""
    digests = set()
    for place in ("here", "there/deeper"):
        photos = check(read_source(write_photos(tmp_path / place, {"cat": 10, "dog": 10}))).photos
        decision = decide(Unsplit(n.photo.sha256, n.labels) for n in reversed(photos))
        digests.add(manifest.digest(manifest.rows(photos, decision.splits, place[:4])))

    assert len(digests) == 1
