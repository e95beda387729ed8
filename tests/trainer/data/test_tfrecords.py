"""`trainer.data.tfrecords`: photos inside shards, judged by TensorFlow's own reader and writer."""

import hashlib
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from trainer.data.decode import short_side, square_of_file
from trainer.data.examples import Values, decoded, encoded
from trainer.data.source import read_source
from trainer.data.tfrecords import records, write_record
from trainer.errors import DataError, PhotoError
from trainer.imports import tensorflow

MOUNT = Path("/gcs")
Maker = Callable[..., bytes]


def example(photo: bytes, label: str, name: str = "1.jpg", **more: Values) -> bytes:
    """An Example as our shards have it."""
    features: dict[str, Values] = {
        "image/encoded": [photo],
        "image/class/text": [label.encode()],
        "image/filename": [name.encode()],
    }
    return encoded(features | more)


def write_shard(path: Path, examples: Sequence[bytes]) -> Path:
    """The file with these records."""
    with path.open("wb") as file:
        for one in examples:
            write_record(file, one)
    return path


@pytest.fixture
def shards(tmp_path: Path, photo_bytes: Maker) -> Path:
    """A folder with two training shards and one for each other split."""
    photos = [photo_bytes(size=(60 + number, 50)) for number in range(8)]
    for number, name in enumerate(("training-0", "training-1", "validation-0", "test-0")):
        pair = [
            example(photos[2 * number + place], label, f"{label}{number}.jpg")
            for place, label in enumerate(("hat", "boot"))
        ]
        write_shard(tmp_path / f"{name}-of-1.tfrecord", pair)
    return tmp_path


def test_photos_in_shards_are_read_like_files(shards: Path, photo_bytes: Maker) -> None:
    """Labels, splits by the files' names, and pixels; a photo is found again after pickling."""
    found = read_source(shards, MOUNT)
    photo = found.photos.training[0]

    assert (found.photos.labels, len(found.photos.training)) == (("boot", "hat"), 4)
    assert (len(found.photos.validation), len(found.photos.test)) == (2, 2)
    assert (photo.path.name, photo.label, short_side(photo.path)) == ("hat0.jpg", 1, 50)
    assert pickle.loads(pickle.dumps(photo.path)).read_bytes() == photo_bytes(size=(60, 50))
    assert square_of_file(photo.path, 32).shape == (32, 32, 3)


def test_a_pattern_names_some_of_the_shards(shards: Path) -> None:
    """Without other splits every photo trains; the digest is of other photos."""
    found = read_source(shards / "training-*", MOUNT)

    assert (len(found.photos.training), found.photos.test) == (4, ())
    with pytest.raises(DataError, match=r"No file is named .*nothing-\*"):
        read_source(shards / "nothing-*", MOUNT)


@pytest.mark.parametrize("first", [0, 1])
def test_a_missing_shard_is_named(tmp_path: Path, photo_bytes: Maker, first: int) -> None:
    """The others' names count it, from 0 or 1; one that a pattern leaves out is not missing."""
    photo = photo_bytes()
    names = [f"training-{first + number:05d}-of-00003.tfrecord" for number in range(3)]
    for number, name in enumerate(names):
        pair = [example(photo + bytes([number]), "hat"), example(photo + bytes([number]), "boot")]
        write_shard(tmp_path / name, pair)

    assert len(read_source(tmp_path / f"training-0000{first}-*", MOUNT).photos.training) == 2
    (tmp_path / names[1]).unlink()
    for where in (tmp_path, tmp_path / "training-*"):
        with pytest.raises(DataError, match=f"has no {names[1]}, which the other shards"):
            read_source(where, MOUNT)


def test_tensorflow_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    """Framing, checksums and Example: bytes, floats and signed integers, both ways."""
    tf: Any = tensorflow()
    values: dict[str, Values] = {"b": [b"x", b""], "f": [1.5, -2.0], "i": [3, -4], "none": []}
    ours = write_shard(tmp_path / "ours.tfrecord", [encoded(values), encoded({})])

    theirs = [record.numpy() for record in tf.data.TFRecordDataset(str(ours))]
    read = tf.train.Example.FromString(theirs[0]).features.feature

    assert list(read["b"].bytes_list.value) == [b"x", b""]
    assert list(read["f"].float_list.value) == [1.5, -2.0]
    assert list(read["i"].int64_list.value) == [3, -4]
    with tf.io.TFRecordWriter(str(tmp_path / "theirs.tfrecord")) as writer:
        writer.write(tf.train.Example.FromString(theirs[0]).SerializeToString())
    ((_, _, data),) = records(tmp_path / "theirs.tfrecord")
    back = decoded(data)
    assert (back["f"].floats, back["i"].integers) == ((1.5, -2.0), (3, -4))
    assert [data[start:stop] for start, stop in back["b"].spans] == [b"x", b""]


def test_other_people_s_shards(tmp_path: Path, photo_bytes: Maker) -> None:
    """Numbered labels by the lines of labels.txt, no split anywhere: shared out by hash."""
    made = [
        encoded({"image/encoded": [photo_bytes(size=(40 + n, 40))], "image/class/label": [n % 2]})
        for n in range(20)
    ]
    shard = write_shard(tmp_path / "photos-00000-of-00001", made)
    (tmp_path / "labels.txt").write_text("cat\tCat\ndog\n", "utf-8")

    found = read_source(shard, MOUNT)

    assert (found.photos.labels, found.own_names["cat"]) == (("cat", "dog"), "Cat")
    assert [len(found.photos.training), len(found.photos.test)] == [16, 2]


def test_a_shard_has_the_digest_of_its_manifest(tmp_path: Path, photo_bytes: Maker) -> None:
    """A photo that carries its original's hash is that photo, whatever was made of its pixels."""
    photos = {f"{n}.jpg": photo_bytes(size=(40 + n, 40)) for n in range(4)}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in photos.items()}
    lines = [
        f'{{"uri": "{name}", "sha256": "{hashes[name]}", "labels": ["{label}"], '
        '"split": "training"}'
        for label, name in zip("abab", photos, strict=True)
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines))
    made = [
        example(
            b"\xff\xd8\xffsmaller", label, name, **{"image/key/sha256": [hashes[name].encode()]}
        )
        for label, name in zip("abab", photos, strict=True)
    ]
    shard = write_shard(tmp_path / "training-0.tfrecord", made)

    assert read_source(shard, MOUNT).digest == read_source(tmp_path, MOUNT).digest


def damaged(path: Path, place: int, cut: bool) -> None:
    """Cuts the file at a place, or turns a bit there."""
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data[:place] if cut else data)


def test_every_damage_to_a_shard_is_named(tmp_path: Path) -> None:
    """Cut or a bit turned, at any byte: file and record, never wrong data and never a crash."""
    records_of = [encoded({"image/encoded": [bytes(20)], "image/class/text": [b"a"]})] * 3
    whole = write_shard(tmp_path / "training-0.tfrecord", records_of).read_bytes()
    each = len(whole) // 3
    for place in range(each, 2 * each):
        for cut in (True, False):
            shard = tmp_path / "training-0.tfrecord"
            shard.write_bytes(whole)
            damaged(shard, place, cut)
            if cut and place % each == 0:
                continue  # Whole records, and no way to know that there were more.
            with pytest.raises(
                DataError, match=rf"^training-0\.tfrecord, record {place // each + 1}:"
            ):
                list(records(shard))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x0a\xff", "record 1: not an Example"),
        (encoded({"label": [1]}), "record 1: image/encoded must hold one photo. It has: label"),
        (example(b"x", "a", split=[b"tset"]), "split must be one of .* Received: 'tset'"),
        (
            example(b"x", "\udcff".encode("utf-8", "surrogateescape").decode("latin1")),
            "at least two",
        ),
    ],
)
def test_a_record_that_is_no_photo_is_named(tmp_path: Path, data: bytes, sentence: str) -> None:
    """No Example, no photo, no split of that name, one label only."""
    write_shard(tmp_path / "photos-0.tfrecord", [data])

    with pytest.raises(DataError, match=sentence):
        read_source(tmp_path, MOUNT)


def test_files_that_are_no_shards_are_told(tmp_path: Path) -> None:
    """Empty, compressed, and some photos with a split while others have none."""
    (tmp_path / "a.tfrecord").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.tfrecord and its siblings have no records"):
        read_source(tmp_path / "a.tfrecord", MOUNT)

    (tmp_path / "a.tfrecord").write_bytes(b"\x1f\x8b" + bytes(40))
    with pytest.raises(DataError, match=r"a\.tfrecord, record 1: compressed by gzip"):
        read_source(tmp_path / "a.tfrecord", MOUNT)

    write_shard(tmp_path / "a.tfrecord", [example(b"x", "hat")])
    write_shard(tmp_path / "test-0.tfrecord", [example(b"y", "boot")])
    with pytest.raises(DataError, match=r"a\.tfrecord.* has no split, and others have"):
        read_source(tmp_path, MOUNT)


def test_a_photo_in_a_shard_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    """The error carries the photo's name."""
    made = [example(b"text", label, f"{label}.jpg") for label in ("a", "b")]
    found = read_source(write_shard(tmp_path / "training-0.tfrecord", made), MOUNT)

    with pytest.raises(PhotoError, match=r"a\.jpg: not a JPEG"):
        square_of_file(found.photos.training[0].path, 32)
