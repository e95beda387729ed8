"""Versions of a data set: listed, looked at, compared, deleted without harm to the others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import aiplatform_v1

from ops.cloud import datasets as vertex
from ops.cloud import storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Silent
from ops.workflows import datasets, datasets_delete, imported, versions
from ops.workflows import import_dataset as workflow
from ops.workflows.import_dataset import Done
from ops.workflows.import_source import Options, look
from tests.ops.conftest import Ran
from tests.ops.photo_files import photo, write_photos

Ops = Callable[..., Ran]


def no_session() -> Session:
    """What is on this machine needs none."""
    raise AssertionError("a session was opened")


def done(ledger: Ledger, source: Path, options: Options | None = None) -> Done:
    """The outcome of an import of this source."""
    found = look(str(source), options or Options(), Silent(), source.parent, no_session)
    return workflow.run(ledger, workflow.plan(ledger, found), Silent())


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two labels of twelve photos."""
    return write_photos(tmp_path / "pets", {"cat": 12, "t-shirt": 12})


def change(pets: Path) -> None:
    """One photo more, one less, one under another label."""
    (pets / "cat/new.jpg").write_bytes(photo("new"))
    (pets / "cat/00.jpg").unlink()
    (pets / "cat/01.jpg").rename(pets / "t-shirt/was-cat.jpg")


def images(ledger: Ledger) -> int:
    """How many photos are in the bucket."""
    bucket = ledger.session.settings.bucket
    return len(list(storage.list_objects(ledger.session, bucket, "images/")))


def test_each_import_that_differs_is_a_version(ledger: Ledger, pets: Path) -> None:
    """Numbered from one, the newest last; another name is another data set."""
    first = done(ledger, pets)
    done(ledger, pets)
    change(pets)
    second = done(ledger, pets)
    done(ledger, pets, Options(name="other"))

    found = versions.of_stack(ledger)

    assert [one.ref for one in found] == ["other@1", "pets@1", "pets@2"]
    assert versions.choose(ledger, "pets").digest == second.result["digest"]
    assert versions.choose(ledger, "pets@1").resource == first.result["dataset"]
    assert versions.choose(ledger, f"pets@{first.result['digest'][:8]}").number == 1
    with pytest.raises(OpsError) as refused:
        versions.choose(ledger, "pest")
    assert refused.value.message == "There is no data set pest. Known are: pets."


def test_a_changed_folder_keeps_its_split_and_the_difference_is_told(
    ledger: Ledger, pets: Path
) -> None:
    """Grown, shrunk and relabelled: each photo by its path from the folder, none moved."""
    done(ledger, pets)
    change(pets)
    done(ledger, pets)

    found = datasets.diff(ledger, "pets@1", "pets@2")

    assert [one.source for one in found.added] == ["cat/new.jpg"]
    assert [one.source for one in found.removed] == ["cat/00.jpg"]
    assert [one.source for one in found.relabelled] == ["t-shirt/was-cat.jpg"]
    assert found.relabelled[0].as_json()["before"]["labels"] == ["cat"]
    assert (found.moved, found.unchanged) == ((), 22)
    counts = {"added": 1, "removed": 1, "relabelled": 1, "moved": 0, "unchanged": 22}
    assert found.as_json()["counts"] == counts


def test_without_a_name_the_one_imported_last_is_meant(
    ledger: Ledger, pets: Path, tmp_path: Path
) -> None:
    """An import that finds its photos in place makes them the last; others must be named."""
    first = done(ledger, pets)
    second = done(ledger, write_photos(tmp_path / "pots", {"cup": 12, "jug": 12}))
    assert (first.ref, second.ref, imported.latest(ledger).ref) == ("pets@1", "pots@1", "pots@1")

    again = done(ledger, pets)

    assert (again.already, again.ref) == (True, "pets@1")
    assert imported.latest(ledger).words == (
        f"pets@1, digest {first.result['digest'][:12]}, 24 photos"
    )
    with pytest.raises(OpsError) as refused:
        imported.latest(ledger, "pits")
    assert "imported are: pots, pets." in refused.value.message
    with pytest.raises(OpsError) as nearer:
        imported.latest(ledger, "petss")
    assert nearer.value.hint == "Type: ops train --dataset pets"


def test_a_folder_that_was_put_back_is_its_old_version_again(ledger: Ledger, pets: Path) -> None:
    """By its name alone the version is meant that was imported last, not the highest number."""
    done(ledger, pets)
    (pets / "cat/new.jpg").write_bytes(photo("new"))
    grown = done(ledger, pets)
    (pets / "cat/new.jpg").unlink()

    back = done(ledger, pets)

    assert (grown.ref, back.ref, back.already) == ("pets@2", "pets@1", True)
    assert imported.latest(ledger).ref == imported.latest(ledger, "pets").ref == "pets@1"
    assert versions.choose(ledger, "pets").ref == "pets@1"
    assert versions.choose(ledger, "pets@2").digest == grown.result["digest"]


def test_a_version_shows_its_photos_and_what_is_missing(ledger: Ledger, pets: Path) -> None:
    """Counts by the user's own labels; a photo and the Vertex data set that are gone are told."""
    outcome = done(ledger, pets)
    sound = datasets.show(ledger, "pets")
    session = ledger.session
    first = next(iter(storage.list_objects(session, session.settings.bucket, "images/")))
    storage.delete_object(session, first.bucket, first.name)
    vertex.delete(session, outcome.result["dataset"])

    broken = datasets.show(ledger, "pets@1")

    assert sound.problems == ()
    assert (sound.labels, sound.splits) == (outcome.result["labels"], outcome.result["splits"])
    assert (sound.photos, sound.items) == (24, 24)
    assert [problem.split(" gs://")[0] for problem in broken.problems] == [
        f"Vertex has no data set {outcome.result['dataset']} any more: import the photos again.",
        "1 photos of",
    ]


def test_deleting_a_version_leaves_the_others_whole(ledger: Ledger, pets: Path) -> None:
    """Its Vertex data set, files and own photos go; what another version refers to stays."""
    first = done(ledger, pets)
    change(pets)
    done(ledger, pets)
    before = images(ledger)

    todo = datasets_delete.plan(ledger, "pets@1")
    datasets_delete.run(ledger, todo, Silent())

    assert (before, images(ledger), len(todo.photos)) == (25, 24, 1)
    assert vertex.get(ledger.session, first.result["dataset"]) is None
    assert [one.ref for one in versions.of_stack(ledger)] == ["pets@2"]
    assert datasets.show(ledger, "pets").problems == ()
    assert imported.latest(ledger).digest == versions.choose(ledger, "pets").digest


def test_a_deleted_version_can_be_imported_again(ledger: Ledger, pets: Path) -> None:
    """Everything is stored and registered anew, under its old number."""
    first = done(ledger, pets)
    datasets_delete.run(ledger, datasets_delete.plan(ledger, "pets"), Silent())
    assert (images(ledger), versions.of_stack(ledger)) == (0, [])

    again = done(ledger, pets)

    assert (again.already, again.result["uploaded"]) == (False, 24)
    assert again.result["digest"] == first.result["digest"]
    assert versions.choose(ledger, "pets").ref == "pets@1"


def test_a_deletion_that_was_cut_off_goes_on(ledger: Ledger, pets: Path) -> None:
    """Whatever of it was done already, the same deletion ends well."""
    outcome = done(ledger, pets)
    session = ledger.session
    vertex.delete(session, outcome.result["dataset"])
    half = list(storage.list_objects(session, session.settings.bucket, "images/"))[:10]
    for one in half:
        storage.delete_object(session, one.bucket, one.name)

    datasets_delete.run(ledger, datasets_delete.plan(ledger, "pets"), Silent())

    assert (images(ledger), versions.of_stack(ledger)) == (0, [])


def test_a_name_of_several_versions_is_not_enough_to_delete(ledger: Ledger, pets: Path) -> None:
    """One is asked for, or all of them with --all-versions."""
    done(ledger, pets)
    change(pets)
    done(ledger, pets)

    with pytest.raises(OpsError) as refused:
        datasets_delete.plan(ledger, "pets")
    everything = datasets_delete.plan(ledger, "pets", every=True)

    assert refused.value.code is Code.USAGE
    assert refused.value.message == "pets has 2 versions: pets@1, pets@2."
    assert (len(everything.versions), len(everything.photos)) == (2, 25)


def test_a_version_in_training_is_not_deleted(ledger: Ledger, pets: Path) -> None:
    """A job that has not ended and carries the data set's label refuses it, by name."""
    outcome = done(ledger, pets)
    session = ledger.session
    spec = {"container_spec": {"image_uri": "nobody/knows:1"}, "replica_count": 1}
    pool = {**spec, "machine_spec": {"machine_type": "n1-standard-4"}}
    work = {"worker_pool_specs": [pool]}
    labels = session.settings.labels(run="train-1", dataset=outcome.result["digest"][:32])
    job = session.jobs().create_custom_job(
        parent=session.parent,
        custom_job=aiplatform_v1.CustomJob(display_name="x", job_spec=work, labels=labels),
    )

    with pytest.raises(OpsError) as refused:
        datasets_delete.plan(ledger, "pets")

    assert refused.value.code is Code.REFUSED
    assert refused.value.message == f"A custom job runs on pets@1: {job.name}."


def test_the_commands(ops: Ops, tmp_path: Path) -> None:
    """List, show, diff and delete as typed, and a deletion that nobody agreed to."""
    pets = write_photos(tmp_path / "home/pets", {"cat": 12, "t-shirt": 12})
    ops("import-dataset", "pets")
    change(pets)
    ops("import-dataset", "pets")

    listed = ops("datasets", "list")
    compared = ops("datasets", "diff", "pets@1", "pets@2").out.splitlines()
    shown = ops("datasets", "show", "pets@1").out.splitlines()
    unsaid = ops("datasets", "delete", "pets@1")
    gone = ops("datasets", "delete", "pets", "--all-versions", "--yes", "--json")

    assert [line.split()[0] for line in listed.out.splitlines()] == ["version", "pets@1", "pets@2"]
    assert compared == [
        "pets@1 → pets@2: 22 photos unchanged",
        "Added: 1",
        "  cat/new.jpg: cat",
        "Removed: 1",
        "  cat/00.jpg: cat",
        "Relabelled: 1",
        "  t-shirt/was-cat.jpg: cat → t-shirt",
    ]
    assert [line.split() for line in shown[1:4]] == [
        ["label", "training", "validation", "test", "photos"],
        ["cat", "10", "1", "1", "12"],
        ["t-shirt", "10", "1", "1", "12"],
    ]
    assert (unsaid.code, "Add --yes to agree." in unsaid.err) == (5, True)
    assert gone.json["result"]["deleted"] == ["pets@1", "pets@2"]
    assert ops("datasets", "list").out == "No data sets yet.\n"


def test_the_names_that_a_model_needs_stay(ledger: Ledger, pets: Path) -> None:
    """After the deletion of what it learned, a model still shows labels as the user wrote them."""
    outcome = done(ledger, pets)
    session, digest = ledger.session, outcome.result["digest"]
    labels = session.settings.labels(run="train-1", dataset=digest[:32])
    model = aiplatform_v1.Model(display_name="x", labels=labels)
    model.container_spec.image_uri = "nobody/knows:1"
    session.wait(session.models().upload_model(parent=session.parent, model=model), 60)

    datasets_delete.run(ledger, datasets_delete.plan(ledger, "pets"), Silent())

    assert imported.class_names(ledger, "pets", digest) == {"cat": "cat", "t_shirt": "t-shirt"}
    assert versions.of_stack(ledger) == []
    assert done(ledger, pets).result["uploaded"] == 24
