"""Buckets and objects on a real local cloud."""

import pytest
from google.api_core.exceptions import PreconditionFailed

from ops.cloud import storage
from ops.cloud.session import Session
from ops.errors import Code
from ops.progress import Silent


@pytest.fixture
def bucket(session: Session) -> str:
    """The stack's bucket."""
    return storage.ensure_bucket(session).name


def test_the_stack_s_bucket_is_made_once(session: Session) -> None:
    """In its region, labelled, without soft delete; the second call finds it."""
    made = storage.ensure_bucket(session)

    assert storage.ensure_bucket(session) == made
    assert (made.location, made.soft_delete_seconds) == ("US-CENTRAL1", 0)
    assert made.labels["ops-stack"] == "default"


def test_an_unprepared_project_says_how_to_prepare_it(session: Session) -> None:
    """Where the target does not prepare projects, the hint is the command that does."""
    error = storage.not_prepared(session.settings)

    assert (error.code, error.hint) == (Code.NOT_PREPARED, "Type: make bootstrap")
    assert error.message == (
        "There is no bucket local-project-ops-default in project local-project: "
        "stack default is not prepared."
    )


def test_a_text_is_read_back_with_its_generation(session: Session, bucket: str) -> None:
    """Any text survives, and its generation guards the next write."""
    first = storage.write_text(session, bucket, "a/ü.json", "日本\n", if_generation=storage.NEW)
    found = storage.read_text(session, bucket, "a/ü.json")

    assert found == storage.Text("日本\n", first)
    with pytest.raises(PreconditionFailed):
        storage.write_text(session, bucket, "a/ü.json", "x", if_generation=storage.NEW)
    assert storage.write_text(session, bucket, "a/ü.json", "x", if_generation=first) > first
    assert storage.read_text(session, bucket, "none") is None


def test_objects_are_listed_and_deleted_by_the_hundred(session: Session, bucket: str) -> None:
    """Every listed generation goes; what is gone already is no error."""
    for number in range(30):
        storage.write_text(session, bucket, f"photos/ä {number}?#.jpg", "x")
    storage.write_text(session, bucket, "other", "x")
    listed = list(storage.list_objects(session, bucket, "photos/"))

    with Silent().step("Deleting") as step:
        storage.delete_objects(session, listed, step)
        storage.delete_objects(session, listed, step)

    assert len(listed) == 30 and listed[0].size_bytes == 1
    assert [one.name for one in storage.list_objects(session, bucket)] == ["other"]


def test_deleting_says_whether_there_was_something(session: Session, bucket: str) -> None:
    """An object and a bucket can be deleted twice."""
    storage.write_text(session, bucket, "x", "x")

    assert storage.delete_object(session, bucket, "x")
    assert not storage.delete_object(session, bucket, "x")
    storage.delete_bucket(session, bucket)
    storage.delete_bucket(session, bucket)
    assert storage.get_bucket(session, bucket) is None
