"""The `run:` steps of deploy.yml and destroy.yml, in order, on a machine without Terraform."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local_cloud import running_cloud
from tests.ops.life import engine_options
from tests.workflows.by_hand import PROJECT, STACK, ByHand, failed, names
from tests.workflows.checkout import check_out
from tests.workflows.workflow import Did

SERVED = [
    "Set up",
    "Change the infrastructure to what ops.toml says",
    "Check everything that the run needs",
    "Import",
    "Train with AutoML",
    "Evaluate",
    "Deploy",
    "Predict",
    "Report what it cost and what is there",
]


@dataclass(frozen=True)
class Story:
    """Runs one after the other in one project, and what the cloud had after some of them."""

    without_settings: list[Did]
    over_cap: list[Did]
    deployed: list[Did]
    other_project: list[Did]
    had: list[str]
    destroyed: list[Did]
    left: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The runs of a user who first forgets ops.toml, then money, then which project it was."""
    folder = tmp_path_factory.mktemp("by-hand")
    (folder / "gate").touch()
    (folder / "runner").mkdir()
    workspace = check_out(folder / "workspace")
    with running_cloud(folder / "cloud", *engine_options(folder)) as cloud:
        hand = ByHand(cloud, workspace, folder / "runner")
        without_settings = hand.deploy(infrastructure="change")
        Path(workspace / "ops.toml").write_text('owner = "ada"\n', encoding="utf-8")
        yield Story(
            without_settings=without_settings,
            over_cap=hand.deploy(infrastructure="change", max_cost="1"),
            deployed=hand.deploy(infrastructure="change"),
            other_project=hand.destroy(confirm="another-project", infrastructure="delete"),
            had=hand.left(),
            destroyed=hand.destroy(confirm=PROJECT, infrastructure="delete"),
            left=hand.left(),
        )


def test_infrastructure_is_not_changed_without_a_committed_ops_toml(story: Story) -> None:
    """Without [infra] a change would take the repository's own trust away; it ends before that."""
    assert names(story.without_settings) == [*SERVED[:2], SERVED[-1]]
    assert "Commit ops.toml" in failed(story.without_settings)[0][1]
    assert f"Stack {STACK} has nothing." in story.without_settings[-1].summary


def test_a_run_over_its_cap_spends_nothing_and_says_so(story: Story) -> None:
    """What comes after the refused step does not run; what is there is told all the same."""
    done = story.over_cap

    assert names(done) == [*SERVED[:5], SERVED[-1]]
    assert [name for name, _ in failed(done)] == ["Train with AutoML"]
    assert "$27.72" in done[-2].said
    assert "data set" in done[-1].summary and "deployed model" not in done[-1].summary


def test_deploy_serves_a_model(story: Story) -> None:
    """From photos to an answer, and to a summary with the cost, what is there and per hour."""
    assert failed(story.deployed) == []
    assert names(story.deployed) == SERVED
    answer = story.deployed[-2].said.splitlines()[-1]
    assert answer.split()[:4] == ["photos/red", "shoe/0.png", "red", "shoe"]
    summary = story.deployed[-1].summary
    assert summary.startswith("~~~text\n") and summary.endswith("~~~\n")
    assert "train-" in summary and "deployed model" in summary and "per hour" in summary


def test_destroy_does_nothing_until_the_project_is_typed_twice(story: Story) -> None:
    """The job that deletes does not begin, and everything is still there."""
    assert names(story.other_project) == ["Compare"]
    assert "Not the same project id" in failed(story.other_project)[0][1]
    assert len(story.had) >= 5


def test_destroy_leaves_nothing(story: Story) -> None:
    """Everything is gone, by the cloud's own lists, and the summary says what it had cost."""
    assert failed(story.destroyed) == []
    assert story.left == []
    summary = story.destroyed[-1].summary
    assert "Torn down on" in summary and f"Stack {STACK} has nothing." in summary
