"""Batch prediction jobs as `ops` asks for them, on a local cloud that runs them."""

import json
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials

from ops import settings
from ops.cloud import jobs
from ops.cloud.jobs import BatchJob
from ops.cloud.session import Session
from tests.ops.life import Life, living

LABELS = {"ops-stack": "default", "ops-run": "check-1"}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a trained model."""
    with living(tmp_path_factory.mktemp("jobs")) as found:
        found.result("train")
        yield found


@pytest.fixture
def session(life: Life) -> Session:
    """A session on the user's cloud."""
    found = settings.read({}, {settings.EMULATOR_DATA: str(life.data)}, life.home)
    return Session(found, AnonymousCredentials(), base_url=life.cloud.url)  # type: ignore[no-untyped-call]


def photos(session: Session) -> list[str]:
    """The addresses of three imported photos."""
    blobs = session.storage().list_blobs(session.settings.bucket, prefix="images/", max_results=3)
    return [f"gs://{session.settings.bucket}/{blob.name}" for blob in blobs]


def submitted(session: Session, life: Life, labels: dict[str, str]) -> BatchJob:
    """A new job over three photos and one that is not there."""
    bucket = session.settings.bucket
    uris = [*photos(session), f"gs://{bucket}/images/none.png"]
    rows = [json.dumps({"content": uri, "mimeType": "image/png"}) for uri in uris]
    session.storage().bucket(bucket).blob("check.jsonl").upload_from_string("\n".join(rows))
    (model,) = life.listed("models")
    return jobs.batch_submit(
        session,
        display_name="check",
        model=model["name"],
        input_uri=f"gs://{bucket}/check.jsonl",
        output_prefix=f"gs://{bucket}/checks",
        labels=labels,
        parameters={"maxPredictions": 3},
    )


def ended(session: Session, job: BatchJob) -> BatchJob:
    """The job once it has ended."""

    def look() -> BatchJob | None:
        found = jobs.batch_get(session, job.name)
        return found if found.is_ended else None

    found: BatchJob = session.poll(look, 60)
    return found


def test_a_job_is_submitted_found_by_its_labels_and_leaves_predictions(
    session: Session, life: Life
) -> None:
    """Three photos are predicted, the missing one is counted; the results are where it says."""
    begun = submitted(session, life, LABELS)

    found = ended(session, begun)

    assert (begun.is_ended, found.succeeded, found.error) == (False, True, "")
    assert (found.predicted, found.failed) == (3, 1)
    assert [one.name for one in jobs.batch_find(session, LABELS)] == [begun.name]
    assert jobs.batch_find(session, {"ops-run": "another"}) == []
    folder = found.output_directory.removeprefix(f"gs://{session.settings.bucket}/")
    bucket = session.storage().bucket(session.settings.bucket)
    text = bucket.blob(f"{folder}/predictions_0001.jsonl").download_as_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["instance"]["content"] for row in rows] == photos(session)
    assert all(len(row["prediction"]["confidences"]) == 3 for row in rows)


def test_a_cancelled_job_ends_and_is_deleted(session: Session, life: Life) -> None:
    """Asked to stop it ends, whatever it had done; then nothing is left of it."""
    begun = submitted(session, life, {"ops-run": "cancelled"})

    jobs.batch_cancel(session, begun.name)
    found = ended(session, begun)
    jobs.batch_delete(session, begun.name)

    assert found.state == "JOB_STATE_CANCELLED"
    assert not found.succeeded
    with pytest.raises(NotFound):
        jobs.batch_get(session, begun.name)


def test_a_machine_is_for_models_with_a_container(session: Session, life: Life) -> None:
    """AutoML's models run on their own nodes: a machine type is refused before anything runs."""
    (model,) = life.listed("models")

    with pytest.raises(BadRequest, match="does not support DEDICATED_RESOURCES"):
        jobs.batch_submit(
            session,
            display_name="check",
            model=model["name"],
            input_uri=f"gs://{session.settings.bucket}/check.jsonl",
            output_prefix=f"gs://{session.settings.bucket}/checks",
            labels={},
            machine_type="n1-standard-4",
        )
