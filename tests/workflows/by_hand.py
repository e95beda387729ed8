"""A repository on GitHub whose deploy.yml and destroy.yml act on a local cloud.

One thing is not as on GitHub: OPS_TARGET, which the workflows declare as gcp, is local. The steps
that are actions (checkout, Python, Terraform, signing in) have no commands: the checkout is there,
and nobody signs in to a local cloud.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from tests.local_cloud import LocalCloud, clean_environment
from tests.workflows.checkout import PATH
from tests.workflows.workflow import Did, Runner, read

PROJECT = "photos-by-hand"
STACK = "ci"
VARS = {"GOOGLE_PROVIDER": "a provider", "GOOGLE_RUNNER": "an account"}
KINDS = ("datasets", "trainingPipelines", "models", "endpoints")


@dataclass(frozen=True)
class ByHand:
    """The checkout, the cloud, and what else a runner's machine has in its environment."""

    cloud: LocalCloud
    workspace: Path
    scratch: Path
    machine: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, **inputs: str) -> dict[str, list[Did]]:
        """What each job of a workflow did; a job that needs one that failed does nothing."""
        workflow = read(name)
        given = workflow.given(project=PROJECT, stack=STACK, **inputs)
        born_with = {"HOME": str(self.scratch), "CI": "true", "PATH": PATH}
        born_with["OPS_EMULATOR_DATA"] = str(self.cloud.data)
        machine = clean_environment(**{**born_with, **self.machine})
        contexts = {"inputs": given, "vars": VARS}
        local = {"OPS_TARGET": "local"}
        done: dict[str, list[Did]] = {}
        for job, body in workflow.jobs.items():
            if not failed(done.get(body.get("needs", ""), [])):
                runner = Runner(self.workspace, self.scratch, contexts, machine, local)
                done[job] = runner.job(workflow, job)
        return done

    def deploy(self, **inputs: str) -> list[Did]:
        """The steps of deploy.yml on the photos of the repository."""
        photo = "photos/red shoe/0.png"
        return self.start("deploy", source="photos", photo=photo, **inputs)["deploy"]

    def destroy(self, **inputs: str) -> list[Did]:
        """The steps of destroy.yml, both jobs."""
        return [one for steps in self.start("destroy", **inputs).values() for one in steps]

    def left(self) -> list[str]:
        """Everything that the cloud has, asked of it and not of `ops`."""
        found = self.buckets()
        for kind in KINDS:
            path = f"/v1/projects/{PROJECT}/locations/us-central1/{kind}"
            found += [one["name"] for one in self.asked(path, kind)]
        return found

    def buckets(self) -> list[str]:
        """The names of the project's buckets."""
        asked = self.asked(f"/storage/v1/b?project={PROJECT}", "items")
        return [bucket["name"] for bucket in asked]

    def asked(self, path: str, key: str) -> list[dict[str, str]]:
        """The rows of a list."""
        with urlopen(self.cloud.url + path) as answer:
            return list(json.load(answer).get(key, []))


def failed(done: list[Did]) -> list[tuple[str, str]]:
    """The steps that did not end well, with all they said."""
    return [(one.name, one.said) for one in done if one.code]


def names(done: list[Did]) -> list[str]:
    """The steps that ran."""
    return [one.name for one in done]
