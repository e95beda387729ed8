"""deploy.yml and destroy.yml with the real provider, acting as the stack's own runner.

The first run changes the infrastructure as the project's owner; from then on OPS_IMPERSONATE, which
stands in for the signing in that a local cloud has none of, makes each command the runner's, and
the local cloud refuses whatever the runner's roles do not hold.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.infra.terraform_stack import provider_version
from tests.local_cloud import running_cloud
from tests.ops.life import engine_options
from tests.workflows.by_hand import PROJECT, STACK, ByHand, failed, names
from tests.workflows.checkout import PATH, check_out
from tests.workflows.workflow import Did

RUNNER = f"{STACK}-runner@{PROJECT}.iam.gserviceaccount.com"
OPS_TOML = """
owner = "ada"

[infra]
deletion_protection = true
github = { owner_id = "1342004", repository_id = "17417103" }
"""
TRUSTED = OPS_TOML + "runner_may_bootstrap = true\n"
BUCKETS = [f"{PROJECT}-ops-{STACK}", f"{PROJECT}-ops-{STACK}-state"]


@dataclass(frozen=True)
class Story:
    """Runs one after the other in one project, and what the cloud had after some of them."""

    changed: list[Did]
    used: list[Did]
    changed_as_runner: list[Did]
    changed_when_trusted: list[Did]
    kept: list[Did]
    had: list[str]
    deleted_as_runner: list[Did]
    still_had: list[str]
    deleted: list[Did]
    left: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The runs of a repository that is connected, from its bootstrap to nothing left."""
    folder = tmp_path_factory.mktemp("as-runner")
    version, why = provider_version(tmp_path_factory.mktemp("provider"))
    if not version:
        pytest.skip(why)
    (folder / "gate").touch()
    (folder / "runner").mkdir()
    workspace = check_out(folder / "workspace")
    write = Path(workspace / "ops.toml").write_text
    write(OPS_TOML, encoding="utf-8")
    with running_cloud(folder / "cloud", *engine_options(folder)) as cloud:
        owner = ByHand(cloud, workspace, folder / "runner", with_terraform())
        runner = replace(owner, machine={**owner.machine, "OPS_IMPERSONATE": RUNNER})
        changed = owner.deploy(infrastructure="change", max_cost="1")
        shutil.rmtree(workspace / ".ops")
        used = runner.deploy(infrastructure="use", mode="custom", model_type="cnn")
        changed_as_runner = runner.deploy(infrastructure="change")
        write(TRUSTED, encoding="utf-8")
        owner.deploy(infrastructure="change", max_cost="1")
        write(f"{TRUSTED}bucket_versioning = true\n", encoding="utf-8")
        yield Story(
            changed=changed,
            used=used,
            changed_as_runner=changed_as_runner,
            changed_when_trusted=runner.deploy(infrastructure="change", max_cost="1"),
            kept=runner.destroy(confirm=PROJECT),
            had=runner.left(),
            deleted_as_runner=runner.destroy(confirm=PROJECT, infrastructure="delete"),
            still_had=runner.left(),
            deleted=owner.destroy(confirm=PROJECT, infrastructure="delete"),
            left=owner.left(),
        )


def with_terraform() -> dict[str, str]:
    """The variables by which a machine has Terraform, and Terraform its provider."""
    terraform = shutil.which("terraform")
    assert terraform is not None
    own = {name: value for name, value in os.environ.items() if name.startswith("TF_")}
    return {**own, "HOME": str(Path.home()), "PATH": f"{PATH}:{Path(terraform).parent}"}


def test_the_infrastructure_is_made_by_terraform(story: Story) -> None:
    """The plan and the outputs are in the log; a training over the cap ends the run there."""
    assert [name for name, _ in failed(story.changed)] == ["Train with AutoML"]
    assert RUNNER in story.changed[1].said


def test_the_runner_may_do_all_of_a_deployment(story: Story) -> None:
    """With nothing but the state to go by, and its own roles, it trains and serves a model."""
    assert failed(story.used) == []
    assert names(story.used)[1] == "Take over the infrastructure"
    assert names(story.used)[4] == "Train with the packaged trainer"
    assert "deployed model" in story.used[-1].summary


def test_the_runner_may_not_change_the_infrastructure(story: Story) -> None:
    """Without runner_may_bootstrap a change is refused, before anything is imported or spent."""
    assert [name for name, _ in failed(story.changed_as_runner)] == [
        "Change the infrastructure to what ops.toml says"
    ]
    said = story.changed_as_runner[1].said
    assert "The account may not change the infrastructure" in said and RUNNER in said
    assert "ops bootstrap --read-only" in said and "is taken" not in said


def test_a_runner_that_may_bootstrap_changes_the_infrastructure(story: Story) -> None:
    """With runner_may_bootstrap, which its owner applied, it applies what ops.toml says."""
    done = story.changed_when_trusted

    assert [name for name, _ in failed(done)] == ["Train with AutoML"]
    assert f"Stack {STACK}: 1 changed." in done[1].said


def test_the_runner_deletes_everything_but_the_infrastructure(story: Story) -> None:
    """The two buckets stay, and the summary says what it had cost."""
    assert failed(story.kept) == []
    assert sorted(story.had) == BUCKETS
    assert "Torn down on" in story.kept[-1].summary


def test_the_runner_does_not_saw_off_its_own_branch(story: Story) -> None:
    """A deletion that would end in the middle is refused before it begins."""
    refused = failed(story.deleted_as_runner)
    assert [name for name, _ in refused] == ["Delete everything"]
    assert RUNNER in refused[0][1]
    assert sorted(story.still_had) == BUCKETS


def test_somebody_else_deletes_the_rest(story: Story) -> None:
    """Then nothing is left, the state's bucket neither."""
    assert failed(story.deleted) == []
    assert story.left == []
