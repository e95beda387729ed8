"""The `run:` steps of ci.yml, in order, in a checkout like GitHub's.

Left out is `make test` alone (with and without arguments): it would run this test, and every other
one, again. What it calls is held by test_ci_runs_what_a_person_would.
"""

import subprocess
from pathlib import Path

from tests.local_cloud import ROOT, clean_environment, running_cloud
from tests.ops.life import engine_options
from tests.workflows.checkout import PATH, check_out
from tests.workflows.workflow import Runner, read

RUNS_THIS_TEST = "make test"


def whole_suite(command: str) -> bool:
    """Whether this step runs the tests themselves."""
    return command.startswith(RUNS_THIS_TEST)


def test_ci_runs_what_a_person_would() -> None:
    """Each command of CI is a target that `make` explains, so that a person can type the same."""
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = {line.split()[1] for line in told.stdout.splitlines()}

    called = {step["run"].split()[1] for _, step in read("ci").steps if "run" in step}

    assert called == {"setup", "test", "demo"}
    assert called <= targets


def test_the_steps_of_ci_end_well(tmp_path: Path) -> None:
    """Set-up, and the whole life of a model from import to nothing left, in seconds.

    The local cloud of `make demo` is there already, with engines that train in a blink, and DATA
    names photos for them; everything else is as on GitHub.
    """
    workspace, scratch = check_out(tmp_path / "workspace"), tmp_path / "runner"
    scratch.mkdir()
    cloud = workspace / ".ops" / "demo" / "cloud"
    cloud.parent.mkdir(parents=True)
    (tmp_path / "gate").touch()
    machine = clean_environment(HOME=str(scratch), CI="true", PATH=PATH, DATA="photos")
    ci = read("ci")
    with running_cloud(cloud, *engine_options(tmp_path)):
        runner = Runner(workspace, scratch, {}, machine)

        done = {job: runner.job(ci, job, skip=whole_suite) for job in ci.jobs}

    assert [one for steps in done.values() for one in steps if one.code] == []
    assert [len(steps) for steps in done.values()] == [1, 2, 1]
    assert "Listed again: nothing of stack demo is left." in done["life"][-1].said
