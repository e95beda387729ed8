"""Promotions cut off half-way, and teardowns of models with versions, on the local cloud."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops import names
from ops.cloud import models, storage, training
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Silent
from ops.workflows import deploy, registry, teardown
from ops.workflows import models as workflow

IMAGE = "us-central1-docker.pkg.dev/local-project/ops/trainer:1"
ID = "default-shoes-custom"


def upload(ledger: Ledger) -> models.Model:
    """One more version of the stack's custom model of the data set `shoes`."""
    session = ledger.session
    place = registry.place_for(ledger, "shoes", "custom", "train-a-b-1")
    model = {
        "display_name": "m",
        "labels": session.settings.labels(),
        "container_spec": {"image_uri": IMAGE},
    }
    request = {"parent": session.parent, "model": model, **place.fields}
    made = session.wait(session.submit(session.models().upload_model, request=request), 60)
    found = models.get(session, names.versioned(made.model, made.model_version_id))
    assert found is not None
    return found


def default_of(session: Session, name: str) -> str:
    """Which version a model's plain name means."""
    found = models.get(session, name)
    assert found is not None
    return found.version


def test_a_promotion_cut_off_between_its_steps_is_done_by_a_repeat(ledger: Ledger) -> None:
    """`previous` is on the old default, `default` has not moved: the same command ends it."""
    session, first, second = ledger.session, upload(ledger), upload(ledger)
    models.set_alias(session, first.full, workflow.PREVIOUS)

    moved = workflow.promote(ledger, second.short)

    assert (moved.now.full, moved.before.full) == (second.full, first.full)
    assert default_of(session, first.name) == "2"
    assert workflow.rollback(ledger, ID).now.full == first.full


def test_a_rollback_cut_off_between_its_steps_has_happened(ledger: Ledger) -> None:
    """The default is back; a repeat says that there is nothing before it, and moves nothing."""
    session, first, second = ledger.session, upload(ledger), upload(ledger)
    workflow.promote(ledger, second.short)
    models.set_alias(session, first.full, models.DEFAULT)

    with pytest.raises(OpsError) as refused:
        workflow.rollback(ledger, ID)

    assert refused.value.code is Code.NOT_FOUND
    assert f"ops models promote {second.short}" in refused.value.hint
    assert default_of(session, first.name) == "1"


def test_another_stacks_model_is_not_deleted(ledger: Ledger) -> None:
    """Whose it is, is said; a model without the label is nobody's to delete."""
    session, model = ledger.session, upload(ledger)
    change = {"name": model.full, "labels": {names.LABEL_STACK: "other"}}
    request = {"model": change, "update_mask": {"paths": ["labels"]}}
    session.call(session.models().update_model, request=request)

    with pytest.raises(OpsError, match="It is stack other's") as refused:
        workflow.plan_deletion(ledger, ID)

    assert refused.value.hint == "Type --stack other"
    assert models.get(session, model.name) is not None


def test_a_teardown_deletes_every_version(ledger: Ledger) -> None:
    """One model of three versions is one thing to delete, and nothing is left of it."""
    session = ledger.session
    name, *_ = [upload(ledger).name for _ in range(3)]

    todo = teardown.plan(session)
    teardown.run(ledger, todo, Silent(), lambda: datetime.now(UTC))

    assert teardown.counted(todo.found) == {"models": 1}
    assert models.versions(session, name) == []
    assert storage.list_buckets(session) == []


def test_deploy_takes_the_default_and_says_that_another_is_newer(ledger: Ledger) -> None:
    """What to type to take the newer one; nothing is said when it was promoted or named."""
    first, second = upload(ledger), upload(ledger)

    plan = deploy.plan(ledger, timedelta(hours=1))
    named = deploy.plan(ledger, timedelta(hours=1), model=second.short)
    workflow.promote(ledger, second.short)
    promoted = deploy.plan(ledger, timedelta(hours=1))

    assert plan.model.full == first.full
    assert plan.remarks == [
        f"This deploys {first.short}, the default; {second.short} is newer. "
        f"To take that one: ops models promote {second.short}"
    ]
    assert (named.model.full, named.remarks) == (second.full, [])
    assert (promoted.model.full, promoted.remarks) == (second.full, [])


def test_a_model_is_not_deleted_under_its_next_version(ledger: Ledger) -> None:
    """The run that makes it is named, with what to type; cancelled, the model can go."""
    session, model = ledger.session, upload(ledger)
    spec = training.CustomSpec(
        display_name="t",
        place={"parent_model": model.name},
        model_display_name="m",
        image="us-docker.pkg.dev/p/r/stranger:1",
        arguments=(),
        machine_spec={"machineType": "n1-standard-4"},
        spot=False,
        output_uri=storage.uri(session, "runs/train-a-b-1"),
        timeout_seconds=600,
        labels=session.settings.labels(run="train-a-b-1"),
    )
    pipeline = training.submit(session, spec)

    with pytest.raises(OpsError, match="is making the next version") as refused:
        workflow.plan_deletion(ledger, ID)
    training.cancel(session, pipeline.name)
    session.poll(lambda: training.get(session, pipeline.name).is_ended, 30)

    assert refused.value.hint.endswith("ops cancel train-a-b-1")
    workflow.delete(ledger, workflow.plan_deletion(ledger, ID))
    assert models.get(session, model.name) is None
