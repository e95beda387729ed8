"""Photos in the cloud: every one once, whatever happens on the way."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops import names
from ops.cloud import datasets, storage
from ops.cloud.session import Session
from ops.data import manifest
from ops.data.manifest import Row
from ops.data.report import Found
from ops.errors import Code, OpsError
from ops.ledger import Ledger, RunState
from ops.progress import Silent, Step
from ops.workflows import import_dataset as workflow
from ops.workflows.import_dataset import Done
from ops.workflows.import_source import Options, look
from tests.local_cloud import LocalCloud, clean_environment, wait_until
from tests.ops.conftest import OPS
from tests.ops.photo_files import photo, picture, with_orientation, write_photos

LABELS = {"t-shirt": 12, "hat": 20}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two labels, 32 photos."""
    return write_photos(tmp_path / "shop", LABELS)


def imported(ledger: Ledger, source: Path, skip_bad: bool = False) -> Done:
    """The outcome of an import of this source."""
    options = Options(skip_bad=skip_bad)
    return workflow.run(ledger, workflow.plan(ledger, looked_at(source, options)), Silent())


def looked_at(source: Path, options: Options | None = None) -> Found:
    """The source's photos, all checked."""
    return look(str(source), options or Options(), Silent(), source.parent, no_session)


def no_session() -> Session:
    """What is on this machine needs none."""
    raise AssertionError("a session was opened")


def rows(session: Session, done: Done) -> list[Row]:
    """The manifest in the bucket."""
    prefix = names.dataset_prefix(done.result["name"], done.result["digest"])
    text = storage.read_text(session, session.settings.bucket, f"{prefix}manifest.jsonl")
    assert text is not None
    return manifest.from_jsonl(text.text)


def images(session: Session) -> list[str]:
    """The names of the photos in the bucket."""
    found = storage.list_objects(session, session.settings.bucket, "images/")
    return [one.name for one in found]


def items(session: Session, dataset: str) -> list[Any]:
    """What Vertex holds, read by the API and not by `ops`."""
    return list(session.datasets().list_data_items(request={"parent": dataset}))


def test_a_folder_becomes_a_data_set(ledger: Ledger, photos: Path) -> None:
    """Each photo is stored under its hash and is a data item with its split; the files agree."""
    session = ledger.session

    done = imported(ledger, photos)

    found = rows(session, done)
    assert (done.already, done.result["photos"], done.result["uploaded"]) == (False, 32, 32)
    assert sorted(images(session)) == sorted(f"images/{row.sha256}.jpg" for row in found)
    splits = Counter(
        item.labels["aiplatform.googleapis.com/ml_use"]
        for item in items(session, done.result["dataset"])
    )
    assert splits == Counter(done.result["splits"]) == Counter(row.split for row in found)
    assert done.result["labels"]["t-shirt"] == {"training": 10, "validation": 1, "test": 1}
    prefix = names.dataset_prefix("shop", done.result["digest"])
    text = storage.read_text(session, session.settings.bucket, f"{prefix}labels.txt")
    assert text is not None
    assert text.text == "hat\that\nt_shirt\tt-shirt\n"
    dataset = datasets.get(session, done.result["dataset"])
    assert dataset is not None
    assert dataset.labels["ops-dataset"] == done.result["digest"][:32]


def test_the_stored_bytes_are_the_files(ledger: Ledger, photos: Path) -> None:
    """Downloaded by Google's client, a photo is byte for byte the user's file."""
    imported(ledger, photos)

    bucket = ledger.session.storage().bucket(ledger.session.settings.bucket)
    stored = {bucket.blob(name).download_as_bytes() for name in images(ledger.session)}
    assert stored == {path.read_bytes() for path in photos.glob("*/*.jpg")}


def test_a_second_import_is_shown_and_does_nothing(ledger: Ledger, photos: Path) -> None:
    """The same photos again: the same data set, no upload, no new run."""
    first = imported(ledger, photos)
    generations = [one.generation for one in _objects(ledger.session)]

    second = imported(ledger, photos)

    assert second.already
    assert second.result == first.result
    assert [one.generation for one in _objects(ledger.session)] == generations
    assert len(ledger.records("import")) == 1


def test_a_deleted_data_set_is_made_again(ledger: Ledger, photos: Path) -> None:
    """When somebody deletes the Vertex data set, the same command registers it anew."""
    session = ledger.session
    first = imported(ledger, photos)
    session.wait(session.datasets().delete_dataset(name=first.result["dataset"]), 60)

    second = imported(ledger, photos)

    assert not second.already
    assert (second.result["uploaded"], second.result["photos"]) == (0, 32)
    assert len(items(session, second.result["dataset"])) == 32


def test_a_grown_data_set_keeps_its_split(ledger: Ledger, photos: Path) -> None:
    """New photos upload alone, and no photo of the earlier version changes its split."""
    before = {row.sha256: row.split for row in rows(ledger.session, imported(ledger, photos))}
    for index in range(40):
        (photos / f"hat/new{index}.jpg").write_bytes(photo(f"new{index}"))

    done = imported(ledger, photos)

    after = {row.sha256: row.split for row in rows(ledger.session, done)}
    assert done.result["uploaded"] == 40
    assert {sha256: after[sha256] for sha256 in before} == before


def test_skip_bad_goes_on_and_says_how_many(ledger: Ledger, photos: Path) -> None:
    """Bad photos are left out, counted and named; the others are imported."""
    (photos / "hat/00.jpg").write_text("not a photo")
    (photos / "hat/01.jpg").write_bytes(photo(1)[:-40])
    write_photos(photos, {"sock": 3})
    found = looked_at(photos, Options(skip_bad=True))

    done = workflow.run(ledger, workflow.plan(ledger, found), Silent())

    assert (done.result["photos"], done.result["left_out"]) == (30, 5)
    said = [remark.replace(f"{photos}/", "") for remark in done.remarks]
    assert said[1:4] == [
        "Left out 5 files (--skip-bad):",
        "  hat/00.jpg: not a photo: the content is text, starting with “not a photo”. "
        "Replace it by a JPEG or PNG, or remove it.",
        "  hat/01.jpg: the photo is damaged or cut short "
        "(image file is truncated (52 bytes not processed)). "
        "Copy it again from where it came from.",
    ]
    assert said[4].startswith("  label “sock”: 3 photos; a label needs at least 10.")


def test_a_turned_photo_is_uploaded_upright(ledger: Ledger, photos: Path) -> None:
    """The stored photo is the converted one; the manifest keeps the hash of the user's file."""
    (photos / "hat/00.jpg").write_bytes(with_orientation(picture("turned"), 6))

    done = imported(ledger, photos)

    turned = [row for row in rows(ledger.session, done) if row.source != row.sha256]
    assert [(row.width, row.height) for row in turned] == [(16, 24)]
    assert f"images/{turned[0].sha256}.jpg" in images(ledger.session)
    assert "Stored 1 photo turned upright; the files stay as they are." in done.remarks


def test_a_photo_changed_during_the_import_is_refused(ledger: Ledger, photos: Path) -> None:
    """Nothing is registered when a file is not what was checked any more."""
    found = looked_at(photos)
    plan = workflow.plan(ledger, found)
    (photos / "hat/05.jpg").write_bytes(photo("other"))

    with pytest.raises(OpsError) as refused:
        workflow.run(ledger, plan, Silent())

    assert refused.value.code is Code.BAD_DATA
    assert refused.value.message == (
        f"{photos}/hat/05.jpg: the file changed while it was imported."
    )
    assert list(ledger.session.datasets().list_datasets(parent=ledger.session.parent)) == []


def test_an_import_that_failed_is_taken_up(ledger: Ledger, photos: Path) -> None:
    """A photo that vanished from the bucket is told; the same command brings it back."""
    session = ledger.session
    found = looked_at(photos)
    plan = workflow.plan(ledger, found)
    gone = names.parse_gs_uri(plan.rows[3].uri)[1]

    with pytest.raises(OpsError) as failed:
        workflow.run(ledger, plan, _Losing(session, gone))
    done = workflow.run(ledger, plan, Silent())

    assert failed.value.code is Code.JOB_FAILED
    assert failed.value.message.startswith("31 of 32 photos arrived in the data set.\n")
    assert plan.rows[3].uri in failed.value.message
    assert done.result["uploaded"] == 1
    assert len(items(session, done.result["dataset"])) == 32
    assert [record.state for record in ledger.records("import")] == [RunState.SUCCEEDED]


def test_other_bytes_under_a_photos_name_are_refused(ledger: Ledger, photos: Path) -> None:
    """An object that is not what its name says is not taken for the photo."""
    session = ledger.session
    plan = workflow.plan(ledger, looked_at(photos))
    uri = plan.rows[3].uri
    blob = session.storage().bucket(session.settings.bucket).blob(names.parse_gs_uri(uri)[1])
    blob.upload_from_string(b"other bytes")

    with pytest.raises(OpsError) as refused:
        workflow.run(ledger, plan, Silent())

    assert refused.value.code is Code.CONFLICT
    assert refused.value.message == f"{uri} holds other bytes than its name says."


@pytest.mark.parametrize("uploaded", [1, 60, 119])
def test_ops_killed_in_its_upload_goes_on_where_it_was(
    ledger: Ledger, cloud: LocalCloud, tmp_path: Path, uploaded: int
) -> None:
    """`kill -9` once this many photos are stored; the same command ends with each photo once."""
    photos = write_photos(tmp_path / "many", {"cat": 60, "dog": 60})
    session = ledger.session
    environ = clean_environment(OPS_EMULATOR_DATA=str(cloud.data))
    command = [str(OPS), "import-dataset", str(photos), "--json"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: len(images(session)) >= uploaded or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    again = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )

    result = json.loads(again.stdout)["result"]
    assert len(images(session)) == len(set(images(session))) == result["photos"] == 120
    assert len(items(session, result["dataset"])) == 120
    assert len(list(session.datasets().list_datasets(parent=session.parent))) == 1
    assert len(ledger.records("import")) == 1


def _objects(session: Session) -> list[Any]:
    return list(storage.list_objects(session, session.settings.bucket))


class _Losing(Silent):
    """Listens to an import, and deletes a photo between its upload and its registration."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name

    def step(
        self, title: str, total: float | None = None, unit: str = ""
    ) -> AbstractContextManager[Step]:
        """A silent step; the photo goes when the uploading is over."""
        return self._uploading() if title == "Uploading" else super().step(title, total, unit)

    @contextmanager
    def _uploading(self) -> Iterator[Step]:
        with super().step("Uploading") as step:
            yield step
        storage.delete_object(self._session, self._session.settings.bucket, self._name)
