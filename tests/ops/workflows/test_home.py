"""A stack lives where its bucket is: nothing of it is made, or looked for, anywhere else."""

from pathlib import Path

import httpx
import pytest

from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.workflows.home import at_home
from tests.ops.conftest import Ops
from tests.ops.life import write_photos


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three classes of small photos."""
    write_photos(tmp_path / "photos")
    return tmp_path / "photos"


def test_commands_go_to_the_region_of_the_stacks_bucket(ops: Ops, photos: Path) -> None:
    """What was imported elsewhere is found, priced and torn down without naming the region."""
    imported = ops("import-dataset", str(photos), "--region", "europe-west4", "--json")
    dataset = imported.json["result"]["dataset"]

    status = ops("status")
    gone = ops("teardown", "--yes")

    assert "/locations/europe-west4/" in dataset
    assert status.message == "Region europe-west4: the stack's bucket is there.\n"
    assert "data set" in status.out
    assert "Deleted: 1 data set, " in gone.out
    assert gone.code == 0


def test_another_region_than_the_buckets_is_refused_before_any_upload(
    ops: Ops, photos: Path
) -> None:
    """The message says where the stack is, and the two ways on."""
    ops("import-dataset", str(photos))

    refused = ops("import-dataset", str(photos), "--region", "europe-west4")

    assert refused.message.endswith(
        "Error: Stack default is in us-central1, where its bucket is. "
        "Received: region europe-west4 (--region).\n"
        "Type --region us-central1, or --stack with another name.\n"
    )
    assert refused.code == 2


def test_two_stacks_share_nothing_but_the_project(ops: Ops, photos: Path) -> None:
    """The same photos in another stack are another run and another data set."""
    first = ops("import-dataset", str(photos), "--json").json["result"]

    second = ops("import-dataset", str(photos), "--stack", "b", "--json").json["result"]
    ops("teardown", "--yes")
    left = ops("import-dataset", str(photos), "--stack", "b", "--json").json["result"]

    assert first["dataset"] != second["dataset"]
    assert (left["dataset"], left["already"]) == (second["dataset"], True)


def test_a_region_without_automl_is_said_at_the_import(ops: Ops, photos: Path) -> None:
    """Before anybody waits for a training that cannot be."""
    ran = ops("import-dataset", str(photos), "--region", "europe-north1")

    assert (
        "Warning: region europe-north1 has no AutoML for images; "
        "us-central1 and europe-west4 have, with --stack.\n"
    ) in ran.err


def test_a_bucket_that_may_not_be_looked_at_may_be_somebody_else_s(session: Session) -> None:
    """Google answers 403 for both: it says so, and what to set."""
    fault = {"path_prefix": "/storage/v1/b/local-project-ops-default", "status": 403}
    httpx.post(f"{session.base_url}/_emulator/faults", json=[fault]).raise_for_status()

    with pytest.raises(OpsError) as caught:
        at_home(session)

    assert caught.value.code is Code.DENIED
    assert "belongs to another project" in caught.value.message
    assert "OPS_BUCKET" in caught.value.hint
