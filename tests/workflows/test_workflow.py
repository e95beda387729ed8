"""The runner of these tests does what GitHub's documentation says of its own."""

import os
from pathlib import Path

import pytest
import yaml

from tests.workflows.workflow import Did, Runner, Workflow

CONTEXTS = {"inputs": {"mode": "automl", "photo": "a b.png"}}
STEPS = """
jobs:
  one:
    env: {WHERE: job, TARGET: "${{ inputs.mode }}"}
    steps:
      - {name: hands on, run: 'echo "$PWD/bin" >> "$GITHUB_PATH"; echo KEPT=yes >> "$GITHUB_ENV"'}
      - {name: an action, uses: somebody/something}
      - {name: finds, env: {WHERE: step}, run: 'echo "$KEPT $WHERE $TARGET"; tool'}
      - {name: not this one, if: inputs.mode == 'custom', run: exit 9}
      - {name: this one, if: inputs.mode == 'AutoML', run: echo this one}
      - {name: fails in a pipe, run: 'echo told >> "$GITHUB_STEP_SUMMARY"; false | cat; echo on'}
      - {name: not after a failure, run: exit 9}
      - {name: always, if: always(), env: {PHOTO: "${{ inputs.photo }}"}, run: 'echo "<$PHOTO>"'}
"""


def job_of(text: str, folder: Path, **instead: str) -> list[Did]:
    """What the job `one` of this workflow did."""
    workspace, scratch = folder / "workspace", folder / "scratch"
    scratch.mkdir()
    (workspace / "bin").mkdir(parents=True)
    (workspace / "bin" / "tool").write_text("#!/bin/sh\necho tool ran\n")
    (workspace / "bin" / "tool").chmod(0o755)
    machine = {"PATH": os.environ["PATH"]}
    runner = Runner(workspace, scratch, CONTEXTS, machine, instead)
    return runner.job(Workflow(folder / "inline.yml", yaml.safe_load(text)), "one")


def test_steps_run_in_order_and_hand_on_what_they_leave(tmp_path: Path) -> None:
    """Paths and variables reach later steps, a failure ends all but `always()`."""
    done = job_of(STEPS, tmp_path)

    assert [(one.name, one.code) for one in done] == [
        ("hands on", 0),
        ("finds", 0),
        ("this one", 0),
        ("fails in a pipe", 1),
        ("always", 0),
    ]
    assert done[1].said == "yes step automl\ntool ran\n"
    assert (done[3].summary, done[3].said) == ("told\n", "")
    assert done[4].said == "<a b.png>\n"


def test_only_declared_variables_are_substituted(tmp_path: Path) -> None:
    """What stands in for a variable does so where the workflow declares it, and only there."""
    done = job_of(STEPS, tmp_path, TARGET="local", STRANGE="never")

    assert done[1].said.startswith("yes step local\n")


@pytest.mark.parametrize("unknown", ["${{ secrets.KEY }}", "${{ inputs.mode || 'x' }}"])
def test_an_expression_that_is_not_known_is_no_empty_text(unknown: str, tmp_path: Path) -> None:
    """A workflow with expressions that this runner cannot value fails the test that runs it."""
    text = STEPS.replace("${{ inputs.photo }}", unknown)

    with pytest.raises(AssertionError, match="not known here"):
        job_of(text, tmp_path)
