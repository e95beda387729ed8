"""GitHub workflows, read; and the `run:` steps of a job, run here as GitHub's runner runs them.

What is taken from docs.github.com, "Workflow syntax for GitHub Actions", read 2026-11-22: the
command line of `shell: bash`, the order of environments, the files behind GITHUB_PATH, GITHUB_ENV
and GITHUB_STEP_SUMMARY, which steps run after a failure, and that `==` ignores case.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.local_cloud import ROOT

FOLDER = ROOT / ".github" / "workflows"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
NAME = re.compile(r"(inputs|vars|github)\.(\w+)")
EQUAL = re.compile(r"(\S+) == '([^']*)'")
STEP_SECONDS = 120

Contexts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Workflow:
    """A file of .github/workflows; `document` is its YAML."""

    path: Path
    document: Mapping[Any, Any]

    @property
    def triggers(self) -> Mapping[str, Any]:
        """What is under `on`, which YAML 1.1 reads as a truth value."""
        on: Mapping[str, Any] = self.document[True]
        return on

    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]:
        """What whoever starts it by hand is asked for, by name."""
        asked: Mapping[str, Mapping[str, Any]] = self.triggers["workflow_dispatch"]["inputs"]
        return asked

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """Its jobs by id, in the file's order."""
        jobs: Mapping[str, Mapping[str, Any]] = self.document["jobs"]
        return jobs

    @property
    def steps(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every step with the id of its job."""
        for job, body in self.jobs.items():
            for step in body["steps"]:
                yield job, step

    def given(self, **inputs: str) -> dict[str, str]:
        """The inputs of a start: these, and the defaults of the others."""
        unknown = set(inputs) - set(self.inputs)
        assert not unknown, f"{self.path.name} asks for no {unknown}"
        defaults = {k: str(one["default"]) for k, one in self.inputs.items() if "default" in one}
        return {**defaults, **inputs}


def read(name: str) -> Workflow:
    """The workflow `.github/workflows/NAME.yml`."""
    path = FOLDER / f"{name}.yml"
    return Workflow(path, yaml.safe_load(path.read_text(encoding="utf-8")))


def every() -> list[Workflow]:
    """All workflows of the repository."""
    return [read(path.stem) for path in sorted(FOLDER.glob("*.yml"))]


def value(name: str, contexts: Contexts) -> str:
    """What an expression stands for; only names of `inputs`, `vars` and `github` are known."""
    found = NAME.fullmatch(name)
    assert found, f"an expression that is not known here: {name}"
    return contexts[found[1]][found[2]]


def filled(text: object, contexts: Contexts) -> str:
    """A text with its `${{ }}` replaced."""
    return EXPRESSION.sub(lambda found: value(found[1], contexts), str(text))


def runs(condition: str | None, contexts: Contexts, *, failed: bool) -> bool:
    """Whether a step with this `if:` runs, after a failure or without one."""
    if condition == "always()":
        return True
    if condition is None or failed:
        return not failed
    found = EQUAL.fullmatch(condition)
    assert found, f"a condition that is not known here: {condition}"
    return value(found[1], contexts).lower() == found[2].lower()


@dataclass(frozen=True)
class Did:
    """A step that ran: its exit code, what it printed, and what it added to the summary."""

    name: str
    code: int
    said: str
    summary: str


@dataclass
class Runner:
    """One of GitHub's runners: the checkout in `workspace`, its own variables in `machine`.

    `instead` stands in for variables that the workflow declares: OPS_TARGET, and nothing else.
    """

    workspace: Path
    scratch: Path
    contexts: Contexts
    machine: Mapping[str, str]
    instead: Mapping[str, str] = field(default_factory=dict)

    def job(
        self, workflow: Workflow, job: str, skip: Callable[[str], bool] | None = None
    ) -> list[Did]:
        """The `run:` steps of a job that ran, in order, without the commands that `skip` names."""
        body, later, done = workflow.jobs[job], dict(self.machine), list[Did]()
        for step in body["steps"]:
            failed = any(one.code for one in done)
            if "run" not in step or (skip and skip(step["run"])):
                continue
            if runs(step.get("if"), self.contexts, failed=failed):
                declared = self._declared(workflow.document, body, step)
                done.append(self._step(step, {**later, **declared}))
                self._carry_over(later)
        return done

    def _declared(self, *levels: Mapping[Any, Any]) -> dict[str, str]:
        """The variables of workflow, job and step; the last that names one wins."""
        named = {k: v for level in levels for k, v in level.get("env", {}).items()}
        values = {name: filled(text, self.contexts) for name, text in named.items()}
        return {**values, **{k: v for k, v in self.instead.items() if k in values}}

    def _step(self, step: Mapping[str, Any], environment: Mapping[str, str]) -> Did:
        script = self._file("script.sh", step["run"])
        files = {name: str(self._file(name)) for name in ("STEP_SUMMARY", "PATH", "ENV", "OUTPUT")}
        ran = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace,
            env={**environment, **{f"GITHUB_{name}": file for name, file in files.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
        )
        summary = Path(files["STEP_SUMMARY"]).read_text(encoding="utf-8")
        return Did(step["name"], ran.returncode, ran.stdout, summary)

    def _carry_over(self, later: dict[str, str]) -> None:
        """What the step left for the steps after it."""
        folders = (self.scratch / "PATH").read_text(encoding="utf-8").split()
        later["PATH"] = os.pathsep.join([*reversed(folders), later["PATH"]])
        lines = (self.scratch / "ENV").read_text(encoding="utf-8").splitlines()
        later.update(dict(line.split("=", 1) for line in lines))

    def _file(self, name: str, text: str = "") -> Path:
        path = self.scratch / name
        path.write_text(text, encoding="utf-8")
        return path
