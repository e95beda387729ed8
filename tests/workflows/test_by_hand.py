"""The `run:` steps of deploy.yml and destroy.yml, in order, on a local cloud that trains at once.

One thing is not as on GitHub: OPS_TARGET, which the workflows declare as gcp, is local. The steps
that are actions (checkout, Python, Terraform, signing in) have no commands: the checkout is there,
and nobody signs in to a local cloud.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.local_cloud import LocalCloud, clean_environment
from tests.workflows.workflow import Did, Runner, read

PROJECT = "photos-by-hand"
STACK = "ci"
VARS = {"GOOGLE_PROVIDER": "a provider", "GOOGLE_RUNNER": "an account"}
# Where a machine without Terraform finds its programs.
PATH = "/usr/bin:/bin"
KINDS = ("datasets", "trainingPipelines", "models", "endpoints")
OPS_TOML = "# Committed, as docs/github.md asks.\n"


@dataclass(frozen=True)
class ByHand:
    """A repository on GitHub whose runs act on a local cloud."""

    cloud: LocalCloud
    workspace: Path
    scratch: Path

    def start(self, name: str, **inputs: str) -> dict[str, list[Did]]:
        """What each job of a workflow did; a job that needs one that failed does nothing."""
        workflow = read(name)
        given = workflow.given(project=PROJECT, stack=STACK, **inputs)
        machine = clean_environment(
            HOME=str(self.scratch), CI="true", PATH=PATH, OPS_EMULATOR_DATA=str(self.cloud.data)
        )
        contexts = {"inputs": given, "vars": VARS}
        done: dict[str, list[Did]] = {}
        for job, body in workflow.jobs.items():
            if not any(one.code for one in done.get(body.get("needs", ""), [])):
                local = {"OPS_TARGET": "local"}
                runner = Runner(self.workspace, self.scratch, contexts, machine, local)
                done[job] = runner.job(workflow, job)
        return done

    def deploy(self, **inputs: str) -> list[Did]:
        """The steps of deploy.yml on the photos of the repository."""
        photo = "photos/red shoe/0.png"
        return self.start("deploy", source="photos", photo=photo, **inputs)["deploy"]

    def left(self) -> list[str]:
        """Everything that the cloud has, asked of it and not of `ops`."""
        found = [
            bucket["name"] for bucket in self.asked(f"/storage/v1/b?project={PROJECT}", "items")
        ]
        for kind in KINDS:
            path = f"/v1/projects/{PROJECT}/locations/us-central1/{kind}"
            found += [one["name"] for one in self.asked(path, kind)]
        return found

    def asked(self, path: str, key: str) -> list[dict[str, str]]:
        """The rows of a list."""
        with urlopen(self.cloud.url + path) as answer:
            return list(json.load(answer).get(key, []))


@pytest.fixture
def by_hand(quick_cloud: LocalCloud, workspace: Path, scratch: Path) -> ByHand:
    """A repository that is connected, with its ops.toml."""
    (workspace / "ops.toml").write_text(OPS_TOML, encoding="utf-8")
    return ByHand(quick_cloud, workspace, scratch)


def failed(done: list[Did]) -> list[tuple[str, str]]:
    """The steps that did not end well, with all they said."""
    return [(one.name, one.said) for one in done if one.code]


def test_deploy_serves_a_model_and_destroy_leaves_nothing(by_hand: ByHand) -> None:
    """From photos to an answer and a cost report in the summary; then to a cloud with nothing."""
    done = by_hand.deploy(infrastructure="change")

    assert failed(done) == []
    assert [one.name for one in done] == [
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
    assert "red shoe" in done[-2].said
    summary = done[-1].summary
    assert summary.startswith("~~~text\n") and summary.endswith("~~~\n")
    assert "train-" in summary and "deployed model" in summary and "on Google" in summary

    other = by_hand.start("destroy", confirm="another-project", infrastructure="delete")
    assert list(other) == ["confirm"] and other["confirm"][0].code == 1
    assert "Not the same project id" in other["confirm"][0].said
    assert len(by_hand.left()) > 3

    gone = by_hand.start("destroy", confirm=PROJECT, infrastructure="delete")
    assert failed([one for steps in gone.values() for one in steps]) == []
    assert f"Stack {STACK} has nothing." in gone["destroy"][-1].summary
    assert by_hand.left() == []


def test_a_run_over_its_cap_spends_nothing_and_says_so(by_hand: ByHand) -> None:
    """What comes after the refused step does not run; what is there is told all the same."""
    done = by_hand.deploy(infrastructure="change", max_cost="1")

    assert [one.name for one in done if one.code] == ["Train with AutoML"]
    assert [one.name for one in done][-2:] == [
        "Train with AutoML",
        "Report what it cost and what is there",
    ]
    assert "$27.72" in done[-2].said
    assert "data set" in done[-1].summary and "deployed model" not in done[-1].summary


def test_infrastructure_is_not_changed_without_a_committed_ops_toml(by_hand: ByHand) -> None:
    """Without [infra] a change would take the repository's own trust away; it ends before that."""
    (by_hand.workspace / "ops.toml").unlink()

    done = by_hand.deploy(infrastructure="change")

    assert [one.name for one in done][:2] == [
        "Set up",
        "Change the infrastructure to what ops.toml says",
    ]
    assert "Commit ops.toml" in failed(done)[0][1]
    assert by_hand.left() == []
