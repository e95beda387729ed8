"""deploy.yml and destroy.yml as they are, OPS_TARGET=gcp and all, behind a proxy that is Google.

Nothing of the workflows is substituted. Google's host names lead to a local cloud that refuses whom
it does not know; the key file is where the action that signs in puts its credentials.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops import names as resource_names
from tests.google_proxy import REGISTRY_LOOK
from tests.journey.google_journey import PROJECT, REGION, GoogleUser, google_user
from tests.workflows.by_hand import VARS, failed, names
from tests.workflows.checkout import check_out
from tests.workflows.workflow import Did, Runner, read

BUCKET = resource_names.bucket_name(PROJECT, "default")
STATE_BUCKET = resource_names.state_bucket_name(BUCKET)
SERVICE = f"/v1beta1/projects/{PROJECT}/services/aiplatform.googleapis.com"
AGENT = f"{SERVICE}:generateServiceIdentity"
# What ops reads of a state; the journey needs no account of the stack's.
STATE = {"version": 4, "outputs": {"bucket": {"value": BUCKET}, "region": {"value": REGION}}}


@dataclass(frozen=True)
class Story:
    """Both runs, and what went past the proxy."""

    deployed: list[Did]
    destroyed: list[Did]
    strays: list[str]
    outside: set[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project that somebody bootstrapped: deployed to, and emptied again."""
    if shutil.which("terraform") is None:
        pytest.skip("needs the program terraform (developer.hashicorp.com/terraform/install)")
    folder = tmp_path_factory.mktemp("on-google")
    (folder / "runner").mkdir()
    workspace = check_out(folder / "workspace")
    with google_user(folder, "--require-auth") as user:
        user.prepare()
        user.pay()
        user.posted(AGENT, {})
        user.posted(f"/storage/v1/b?project={PROJECT}", {"name": STATE_BUCKET, "location": REGION})
        user.upload(STATE_BUCKET, "infra/default.tfstate", json.dumps(STATE).encode())
        deployed = run(user, workspace, "deploy", source="photos", photo="photos/0/0.png")
        destroyed = run(user, workspace, "destroy", confirm=PROJECT)
        yield Story(deployed, destroyed, user.proxy.strays, user.outside())


def run(user: GoogleUser, workspace: Path, name: str, **inputs: str) -> list[Did]:
    """The steps of a workflow, all jobs."""
    workflow = read(name)
    contexts = {"inputs": workflow.given(project=PROJECT, **inputs), "vars": VARS}
    runner = Runner(workspace, user.home.parent / "runner", contexts, user.environment(name))
    return [one for job in workflow.jobs for one in runner.job(workflow, job)]


def test_deploy_agrees_to_its_prices_and_serves(story: Story) -> None:
    """No step asks anything of a terminal that is not there; prices are real, not $0.00 here."""
    assert failed(story.deployed) == []
    assert names(story.deployed)[1] == "Take over the infrastructure"
    assert "Price:" in story.deployed[4].said and "$27.72" in story.deployed[4].said
    assert "deployed model" in story.deployed[-1].summary
    assert "here" not in story.deployed[-1].summary


def test_destroy_gives_the_project_as_the_command_wants_it(story: Story) -> None:
    """On Google a teardown wants the project typed; the workflow types it, and nothing is left."""
    assert failed(story.destroyed) == []
    assert "nothing" in story.destroyed[-2].said
    assert "deployed model" not in story.destroyed[-1].summary


def test_nothing_is_asked_of_anybody_but_google(story: Story) -> None:
    """No other host but Terraform's registry, by doctor; nothing in the clear or looked up."""
    assert set(story.strays) <= {REGISTRY_LOOK}
    assert story.outside == set()
