"""Photos that lie in buckets: referred to in the right region, copied otherwise, read once."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from ops import names
from ops.cloud import storage
from ops.cloud.session import Session
from ops.data import manifest
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Silent
from ops.workflows import datasets_delete
from ops.workflows import import_dataset as workflow
from ops.workflows.import_dataset import Done
from ops.workflows.import_source import Options, look
from tests.local_cloud import LocalCloud
from tests.ops.photo_files import encoded, photo, picture, with_orientation

HERE, AWAY = "us-central1", "europe-west4"
Put = Callable[..., str]


@pytest.fixture
def put(session: Session) -> Put:
    """A function that stores an object, in a bucket made when first named; its address."""
    made: dict[str, object] = {}

    def store(name: str, content: bytes, bucket: str = "near", location: str = HERE) -> str:
        if bucket not in made:
            made[bucket] = session.storage().create_bucket(bucket, location=location)
        session.storage().bucket(bucket).blob(name).upload_from_string(content)
        return names.gs_uri(bucket, name)

    return store


def pets(put: Put, number: int = 10, **where: str) -> str:
    """Rows of this many cats and dogs in a bucket."""
    rows = [
        f"{put(f'{label}/{n:02}.jpg', photo(f'{label}{n}'), **where)},{label}\n"
        for label in ("cat", "dog")
        for n in range(number)
    ]
    return "".join(rows)


def done(ledger: Ledger, source: str, folder: Path, options: Options | None = None) -> Done:
    """The outcome of an import of this source; what was checked is remembered in `folder`."""
    found = look(source, options or Options(), Silent(), folder, lambda: ledger.session)
    return workflow.run(ledger, workflow.plan(ledger, found), Silent())


def uris(session: Session, outcome: Done) -> list[str]:
    """The addresses in the manifest."""
    name = f"{outcome.result['files']}manifest.jsonl"
    text = storage.read_text(session, session.settings.bucket, name)
    assert text is not None
    return [row.uri for row in manifest.from_jsonl(text.text)]


def items(session: Session, outcome: Done) -> int:
    """How many photos Vertex holds."""
    request = {"parent": outcome.result["dataset"]}
    return len(list(session.datasets().list_data_items(request=request)))


def test_a_list_in_the_right_region_refers_to_its_photos(
    ledger: Ledger, put: Put, tmp_path: Path
) -> None:
    """No photo is stored again; the data set holds them where they lie, and that is said."""
    rows = "".join(line.partition("near/")[2] + "\n" for line in pets(put).splitlines())
    source = put("pets.csv", rows.encode())

    outcome = done(ledger, source, tmp_path)

    session = ledger.session
    assert all(uri.startswith("gs://near/") for uri in uris(session, outcome))
    assert (outcome.result["uploaded"], items(session, outcome)) == (0, 20)
    assert list(storage.list_objects(session, session.settings.bucket, "images/")) == []
    assert "20 photos of gs://near (us-central1): used where they lie; keep them there." in (
        outcome.remarks
    )


def test_a_deletion_leaves_the_users_own_bucket(ledger: Ledger, put: Put, tmp_path: Path) -> None:
    """Its rows are counted, no stored photo goes, and the question says what stays."""
    done(ledger, put("pets.csv", pets(put).encode()), tmp_path)

    todo = datasets_delete.plan(ledger, "pets")
    datasets_delete.run(ledger, todo, Silent())

    assert todo.words.startswith("data set pets@1 of 20 rows, and 0 stored photos (0.0 MB)")
    assert todo.words.endswith("; the photos in gs://near stay")
    assert len(list(storage.list_objects(ledger.session, "near", "cat/"))) == 10


def test_photos_of_another_region_are_copied(ledger: Ledger, put: Put, tmp_path: Path) -> None:
    """They go from bucket to bucket, to their hash; a local list may name them beside files."""
    rows = pets(put, bucket="away", location=AWAY)
    (tmp_path / "here.jpg").write_bytes(photo("here"))
    (tmp_path / "pets.csv").write_text(rows + "here.jpg,cat\n")

    outcome = done(ledger, str(tmp_path / "pets.csv"), tmp_path)

    session = ledger.session
    assert all(uri.startswith(storage.uri(session, "images")) for uri in uris(session, outcome))
    assert (outcome.result["uploaded"], items(session, outcome)) == (21, 21)
    said = "20 photos of gs://away (europe-west4): copied to the stack's bucket, 0.0 MB."
    assert said in outcome.remarks


def test_photos_to_be_converted_are_stored_converted(
    ledger: Ledger, put: Put, tmp_path: Path
) -> None:
    """A turned photo and a WebP of a bucket near by are stored upright and as JPEG."""
    turned = put("turned.jpg", with_orientation(picture("turned"), 6))
    webp = put("cat.webp", encoded(picture("webp"), "WEBP"))
    source = put("pets.csv", f"{pets(put)}{turned},cat\n{webp},dog\n".encode())

    outcome = done(ledger, source, tmp_path)

    stored = storage.list_objects(ledger.session, ledger.session.settings.bucket, "images/")
    assert len(list(stored)) == outcome.result["uploaded"] == 2
    assert items(ledger.session, outcome) == 22


def test_every_object_that_cannot_be_read_is_told_by_its_line(
    ledger: Ledger, put: Put, cloud: LocalCloud, tmp_path: Path
) -> None:
    """Missing, no such bucket, not allowed, cut short, not a photo: all together, by line."""
    secret = put("secret/one.jpg", photo("secret"))
    bad = [
        "gs://near/none.jpg,cat",
        "gs://no-such-bucket/a.jpg,cat",
        f"{secret},dog",
        f"{put('cut.jpg', photo('cut')[:-60])},dog",
        f"{put('text.jpg', b'hello')},dog",
        '"gs://near/line\nbreak.jpg",dog',
    ]
    source = put("pets.csv", (pets(put) + "\n".join(bad)).encode())
    path = "/storage/v1/b/near/o/secret"
    script = [{"path_prefix": path, "status": 403, "times": 9}]
    with urlopen(Request(f"{cloud.url}/_emulator/faults", json.dumps(script).encode())):
        pass

    with pytest.raises(OpsError) as refused:
        done(ledger, source, tmp_path)

    lines = refused.value.message.splitlines()
    assert refused.value.code is Code.BAD_DATA
    assert lines[0].startswith("6 problems in gs://near/pets.csv (22 files looked at); nothing")
    assert lines[1:3] == [
        "  gs://near/pets.csv:21 (gs://near/none.jpg): there is no such object. "
        "Correct the address, or copy the photo there.",
        "  gs://near/pets.csv:22 (gs://no-such-bucket/a.jpg): "
        "there is no bucket gs://no-such-bucket. Correct the address.",
    ]
    assert lines[3].startswith(
        "  gs://near/pets.csv:23 (gs://near/secret/one.jpg): this account may not read it ("
    )
    assert lines[3].endswith("Grant it roles/storage.objectViewer on gs://near.")
    assert lines[4].startswith(
        "  gs://near/pets.csv:27 (gs://near/line\\nbreak.jpg): there is no such object."
    )
    assert ":24 (gs://near/cut.jpg): the photo is damaged or cut short" in lines[5]
    assert ":25 (gs://near/text.jpg): not a photo: the content is text" in lines[6]


def test_a_repeat_reads_no_photo(
    ledger: Ledger, put: Put, cloud: LocalCloud, tmp_path: Path
) -> None:
    """What was read is known by its generation; a photo that was replaced is read again."""
    source = put("pets.csv", pets(put, 30).encode())
    first = done(ledger, source, tmp_path)
    fault = {"path_prefix": "/storage/v1/b/near/o/cat", "method": "GET", "status": 403}
    with urlopen(
        Request(f"{cloud.url}/_emulator/faults", json.dumps([fault | {"times": 99}]).encode())
    ):
        pass

    again = done(ledger, source, tmp_path)
    put("dog/00.jpg", photo("another"))
    replaced = done(ledger, source, tmp_path)

    assert (again.already, again.result) == (True, first.result)
    assert replaced.result["digest"] != first.result["digest"]


def test_a_folder_per_class_in_a_bucket(ledger: Ledger, put: Put, tmp_path: Path) -> None:
    """Names are paths: the folder is the class, hidden objects and folder marks are no photos."""
    pets(put)
    put("cat/", b"")
    put("cat/.DS_Store", b"x")
    put("dog/notes.txt", b"hello")

    outcome = done(ledger, "gs://near", tmp_path)

    assert sorted(outcome.result["labels"]) == ["cat", "dog"]
    assert (outcome.result["photos"], outcome.result["name"]) == (20, "near")
    assert outcome.remarks[0] == "gs://near: a folder per class."


def test_splits_as_folders_in_a_bucket(ledger: Ledger, put: Put, tmp_path: Path) -> None:
    """train/, validation/ and test/ above the classes are the user's own split."""
    for split, number in (("train", 8), ("val", 2), ("test", 2)):
        for label in ("cat", "dog"):
            for n in range(number):
                put(f"pets/{split}/{label}/{n}.jpg", photo(f"{split}{label}{n}"))

    outcome = done(ledger, "gs://near/pets/", tmp_path)

    assert outcome.result["splits"] == {"training": 16, "validation": 4, "test": 4}
    assert "Split: yours." in outcome.remarks


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("gs://nobody/list.csv", "gs://nobody/list.csv: there is no bucket gs://nobody."),
        ("gs://near/none.csv", "gs://near/none.csv: there is no such object."),
        ("gs://near/empty/", "gs://near/empty/: there are no folders with photos."),
        ("gs://nobody/photos", "gs://nobody/photos: there is no bucket gs://nobody."),
        ("gs://", "gs://: not the address of an object or folder."),
    ],
)
def test_a_source_that_is_not_there(
    ledger: Ledger, put: Put, tmp_path: Path, source: str, words: str
) -> None:
    """A list, folder or bucket that is missing is one problem."""
    put("x.txt", b"x")

    with pytest.raises(OpsError) as refused:
        done(ledger, source, tmp_path)

    assert refused.value.message.splitlines()[1].startswith(f"  {words}")


def test_object_names_of_any_characters(ledger: Ledger, put: Put, tmp_path: Path) -> None:
    """Spaces, percent signs, quotes, tabs, other scripts: each object is found by its name."""
    strange = ["a b.jpg", "100%25.jpg", 'q"uote.jpg', "t\tab.jpg", "?#&=.jpg", "猫.jpg"]
    named = [(put(f"x/{name}", photo(name)), "cat") for name in strange]
    named += [(line.split(",")[0], line.split(",")[1]) for line in pets(put).splitlines()]
    rows = [
        {"imageGcsUri": uri, "classificationAnnotation": {"displayName": label}}
        for uri, label in named
    ]
    source = put("pets.jsonl", "\n".join(map(json.dumps, rows)).encode())

    outcome = done(ledger, source, tmp_path)

    assert items(ledger.session, outcome) == 26
    assert {uri.rpartition("x/")[2] for uri in uris(ledger.session, outcome)} >= set(strange)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "the file names no photos. Write a row per photo: path,label."),
        ("a.csv", b"path,label\n", "the file names no photos. Write a row per photo: path,label."),
        ("a.csv", "gs://near/x.jpg,cat\n".encode("utf-16"), "the file is UTF-16; a list of photos"),
        ("a.csv", b"\xff\xd8\xff\xe0\0\x10JFIF", "the file is binary, not text"),
        ("a.jsonl", b"", "the file names no photos. Write a row per photo: {"),
        ("a.jsonl", b"\0" * 90, "the file is binary, not text"),
    ],
)
def test_a_list_in_a_bucket_that_is_none(
    ledger: Ledger, put: Put, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """Empty, a heading alone, another encoding, no text at all: one problem of the file."""
    source = put(name, content)

    with pytest.raises(OpsError) as refused:
        done(ledger, source, tmp_path)

    lines = refused.value.message.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"  {source}: {words}")


def test_a_list_that_may_not_be_read(
    ledger: Ledger, put: Put, cloud: LocalCloud, tmp_path: Path
) -> None:
    """A refusal of the list itself says which role is missing, and where."""
    source = put("a.csv", b"x.jpg,cat\n")
    script = [{"path_prefix": "/storage/v1/b/near/o/a.csv", "status": 403, "times": 9}]
    with urlopen(Request(f"{cloud.url}/_emulator/faults", json.dumps(script).encode())):
        pass

    with pytest.raises(OpsError) as refused:
        done(ledger, source, tmp_path)

    assert refused.value.message.splitlines()[1].endswith(
        "Grant it roles/storage.objectViewer on gs://near."
    )


def test_packed_objects_are_stored_unpacked(
    ledger: Ledger, put: Put, session: Session, tmp_path: Path
) -> None:
    """What was uploaded with Content-Encoding: gzip is no photo by its bytes, so it is stored."""
    source = put("pets.csv", (pets(put) + "gs://near/packed.jpg,cat\n").encode())
    blob = session.storage().bucket("near").blob("packed.jpg")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(photo("packed")))

    outcome = done(ledger, source, tmp_path)

    stored = list(storage.list_objects(session, session.settings.bucket, "images/"))
    assert (outcome.result["uploaded"], items(session, outcome)) == (1, 21)
    assert stored[0].name == f"images/{hashlib.sha256(photo('packed')).hexdigest()}.jpg"
