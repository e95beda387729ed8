"""Stacks on record: kept, read in the form of before, and named where they may cost."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops import settings
from ops.errors import Code, OpsError
from ops.settings import Settings
from ops.workflows import prepared, records

SEEN = datetime(2026, 11, 21, 8, tzinfo=UTC)
OUTPUTS = {
    "predictor_email": "default-predictor@my-project.iam.gserviceaccount.com",
    "repository": "us-central1-docker.pkg.dev/my-project/ops-default",
    "trainer_email": "default-trainer@my-project.iam.gserviceaccount.com",
    "github_provider": None,
}


def read(folder: Path, target: str = "gcp", **variables: str) -> Settings:
    """Settings of a stack whose records are in `folder`."""
    environ = {settings.STATE_DIR: str(folder / ".ops"), **variables}
    return settings.read({"target": target, "project": "my-project"}, environ, folder)


def test_who_prepared_a_stack_is_noted_with_the_outputs(tmp_path: Path) -> None:
    """They stay when the stack is seen again, and go with it."""
    found = read(tmp_path)

    records.note(found, records.TERRAFORM, OUTPUTS, SEEN)
    records.remember(found, SEEN)

    on_record = records.found(found)
    assert on_record is not None
    assert (on_record.prepared_by, on_record.outputs) == ("terraform", OUTPUTS)
    assert records.output(found, "trainer_email") == OUTPUTS["trainer_email"]
    assert (records.output(found, "github_provider"), records.output(found, "none")) == ("", "")
    written = json.loads((tmp_path / ".ops" / "default.json").read_text())
    assert (written["version"], len(written["stacks"])) == (2, 1)
    records.forget(found)
    assert records.found(found) is None
    assert not (tmp_path / ".ops" / "default.json").exists()


def test_a_stack_of_the_same_name_elsewhere_is_another(tmp_path: Path) -> None:
    """By target and project: one's outputs are not the other's."""
    google, local = read(tmp_path), read(tmp_path, "local")
    records.note(google, records.TERRAFORM, OUTPUTS, SEEN)

    records.note(local, records.OPS, now=SEEN)
    records.forget(google)

    assert records.found(google) is None
    assert records.found(local) == records.Living(
        "default", "local", "my-project", "my-project-ops-default", "us-central1",
        "2026-11-21T08:00:00+00:00", "ops", {},
    )  # fmt: skip


def test_version_1_is_read(tmp_path: Path) -> None:
    """Nobody is known to have prepared its stacks; the next write is version 2."""
    found, path = read(tmp_path), tmp_path / ".ops" / "default.json"
    stack = {"stack": "default", "target": "gcp", "project": "my-project", "region": "europe-west4"}
    old = {"version": 1, "stacks": [{**stack, "bucket": "b", "since": "2026-01-01T00:00:00+00:00"}]}
    path.parent.mkdir()
    path.write_text(json.dumps(old))

    before = records.found(found)
    after = records.note(found, records.TERRAFORM, OUTPUTS)

    assert before is not None and (before.prepared_by, before.outputs) == ("", {})
    assert (after.region, after.since) == ("europe-west4", before.since)
    assert json.loads(path.read_text())["version"] == 2


def test_only_what_may_be_billed_is_warned_of(tmp_path: Path) -> None:
    """A local stack that Terraform prepared costs nothing: a teardown on Google is silent of it."""
    google, local = read(tmp_path), read(tmp_path, "local")
    records.note(google, records.TERRAFORM, OUTPUTS, SEEN)
    records.note(local, records.TERRAFORM, OUTPUTS, SEEN)

    assert [one.target for one in records.elsewhere(local)] == ["gcp"]
    assert records.elsewhere(google) == []


def test_a_broken_record_says_what_to_do(tmp_path: Path) -> None:
    """Its path and what is wrong with it."""
    path = tmp_path / ".ops" / "default.json"
    path.parent.mkdir()
    path.write_text('{"stacks": [{"stack": "default", "colour": "red"}]}')

    with pytest.raises(OpsError) as refused:
        records.found(read(tmp_path))

    assert refused.value.code is Code.SETTINGS
    assert str(path) in refused.value.message and "colour" in refused.value.message


def test_what_was_prepared_serves_trainings_and_deployments(tmp_path: Path) -> None:
    """Accounts for what has a container of ours, images from the stack's repository."""
    found = read(tmp_path)
    before = prepared.image(found), prepared.trainer(found), prepared.predictor(found, "custom")
    records.note(found, records.TERRAFORM, OUTPUTS, SEEN)
    mine = read(tmp_path, OPS_TRAINER_IMAGE="eu-docker.pkg.dev/p/r/mine:1")

    assert before == (found.image, "", "")
    assert prepared.trainer(found) == OUTPUTS["trainer_email"]
    assert prepared.predictor(found, "custom") == OUTPUTS["predictor_email"]
    assert prepared.predictor(found, "automl") == ""
    assert prepared.image(found).startswith(f"{OUTPUTS['repository']}/trainer:")
    assert prepared.image(mine) == "eu-docker.pkg.dev/p/r/mine:1"
