"""The bucket of Terraform's state, and the lock in it."""

import json
from dataclasses import replace

import pytest

from ops import names
from ops.cloud import projects, state_bucket, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError


def number(session: Session) -> str:
    """The number of the session's project."""
    return projects.get(session, session.settings.project).number


def elsewhere(session: Session, project: str) -> Session:
    """The same bucket's name, asked for by another project."""
    settings = replace(session.settings, project=project)
    return Session(settings, session._credentials, session.base_url)


def test_it_is_made_once_and_keeps_versions(session: Session) -> None:
    """Versioned, uniform, private, in the stack's region, with the stack's labels."""
    first = state_bucket.ensure(session, number(session))
    second = state_bucket.ensure(session, number(session))

    found = session.storage().get_bucket(first)
    assert first == second == f"{session.settings.bucket}-state"
    assert found.versioning_enabled and found.location == "US-CENTRAL1"
    assert found.iam_configuration.uniform_bucket_level_access_enabled
    assert found.iam_configuration.public_access_prevention == "enforced"
    assert found.labels[names.LABEL_STACK] == "default"
    assert not state_bucket.has_state(session)


def test_one_without_versions_gets_them(session: Session) -> None:
    """A state bucket that somebody made by hand is made safe."""
    session.storage().bucket(state_bucket.name(session.settings)).create(location="us-central1")

    bucket = state_bucket.ensure(session, number(session))

    assert session.storage().get_bucket(bucket).versioning_enabled


def test_one_of_another_project_is_refused(session: Session) -> None:
    """Its name is unique in the world: the error says whose it is and which setting to change."""
    state_bucket.ensure(session, number(session))
    other = elsewhere(session, "other-project")

    with pytest.raises(OpsError) as caught:
        state_bucket.ensure(other, number(other))

    assert caught.value.code is Code.CONFLICT
    assert "not to project other-project" in caught.value.message
    assert "OPS_BUCKET" in caught.value.hint


def test_the_lock_is_read_and_released_by_its_generation(session: Session) -> None:
    """Who, since when and for what; another generation releases nothing."""
    bucket = state_bucket.ensure(session, number(session))
    assert state_bucket.lock(session) is None
    body = {"Who": "ada@laptop", "Operation": "OperationTypeApply",
            "Created": "2026-11-22T00:00:00.123456789Z"}  # fmt: skip
    generation = storage.write_text(session, bucket, state_bucket.LOCK, json.dumps(body))

    held = state_bucket.lock(session)

    assert held is not None
    assert (held.generation, held.who, held.operation) == (generation, "ada@laptop", "Apply")
    assert held.created.isoformat() == "2026-11-22T00:00:00.123456+00:00"
    assert not state_bucket.release(session, generation + 1)
    assert state_bucket.release(session, generation)
    assert state_bucket.lock(session) is None


def test_it_goes_with_every_version(session: Session) -> None:
    """Nothing of it is left, and a second time there is nothing to delete."""
    bucket = state_bucket.ensure(session, number(session))
    for text in ("{}", '{"version": 4}'):
        storage.write_text(session, bucket, state_bucket.STATE, text)

    assert state_bucket.delete(session)
    assert storage.get_bucket(session, bucket) is None
    assert not state_bucket.delete(session)


def test_a_long_name_is_cut_and_stays_unique() -> None:
    """A bucket's name has 63 characters at most."""
    long, other = "b" * 62, "b" * 61 + "c"

    assert len(names.state_bucket_name(long)) == 63
    assert names.state_bucket_name(long) != names.state_bucket_name(other)
