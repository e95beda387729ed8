"""What must be true of every workflow, whatever it does."""

import re
from pathlib import Path

import pytest

from ops import settings
from tests.local_cloud import ROOT
from tests.workflows.workflow import EXPRESSION, Workflow, every, read

PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<hash>[0-9a-f]{40}) # v\d+\.\d+\.\d+$")
# The first word of each line of a `run:`; `test` and `echo` compare, tell and hand on.
MAY_CALL = {"make", "ops", "test", "echo"}
WORKFLOWS = every()
PAGE = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\{\{ vars\.(\w+) \}\}")
SET = re.compile(r"gh variable set (\w+) .*\.result\.outputs\.(\w+)")
BY_HAND = ("deploy", "destroy")


@pytest.fixture(params=WORKFLOWS, ids=lambda one: one.path.stem)
def workflow(request: pytest.FixtureRequest) -> Workflow:
    """Each workflow in turn."""
    found: Workflow = request.param
    return found


def uses_lines(workflow: Workflow) -> list[str]:
    """The lines that name an action."""
    lines = workflow.path.read_text(encoding="utf-8").splitlines()
    return [line.strip().removeprefix("- ") for line in lines if "uses:" in line]


def test_there_are_the_workflows_that_the_pages_speak_of() -> None:
    """Nothing runs on GitHub that is not one of these."""
    assert [one.path.stem for one in WORKFLOWS] == ["ci", "deploy", "destroy"]


def test_actions_are_pinned_by_commit_with_their_version(workflow: Workflow) -> None:
    """A tag can be moved to other code; a commit cannot."""
    lines = uses_lines(workflow)

    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    named = [step["uses"] for _, step in workflow.steps if "uses" in step]
    assert len(lines) == len(named)


def test_an_action_has_one_version_everywhere() -> None:
    """Nobody forgets a file when an action moves."""
    found = [PINNED.fullmatch(line) for one in WORKFLOWS for line in uses_lines(one)]
    pins = {(pin["action"], pin[0]) for pin in found if pin}

    assert len(pins) == len({action for action, _ in pins})


def test_permissions_are_declared_and_least(workflow: Workflow) -> None:
    """None by default; a job reads the checkout at most, and signs in only where it must."""
    least = {"contents": "read"}
    allowed = [{}, least] if workflow.path.stem == "ci" else [{}, {**least, "id-token": "write"}]

    assert workflow.document["permissions"] == {}
    assert [job for job, body in workflow.jobs.items() if body["permissions"] not in allowed] == []


def test_every_job_ends_in_time(workflow: Workflow) -> None:
    """A hanging job costs minutes, not the six hours that GitHub allows."""
    minutes = {job: body["timeout-minutes"] for job, body in workflow.jobs.items()}

    assert all(0 < limit < 360 for limit in minutes.values()), minutes


def test_runners_are_named_by_their_release(workflow: Workflow) -> None:
    """`latest` becomes another machine one day."""
    assert {body["runs-on"] for body in workflow.jobs.values()} == {"ubuntu-24.04"}


def test_no_expression_is_pasted_into_a_command(workflow: Workflow) -> None:
    """What a person typed reaches a command as a variable, quoted, never as its text."""
    pasted = [step["run"] for _, step in workflow.steps if EXPRESSION.search(step.get("run", ""))]

    assert pasted == []


def test_no_workflow_reads_a_secret(workflow: Workflow) -> None:
    """There is no key anywhere: CI needs none, and Google is signed in to without one."""
    text = workflow.path.read_text(encoding="utf-8")

    assert "secrets." not in text
    assert "credentials_json" not in text


def test_the_checkout_leaves_no_token_behind(workflow: Workflow) -> None:
    """The repository's token is not kept where later steps would find it."""
    checkouts = [one for _, one in workflow.steps if "actions/checkout" in one.get("uses", "")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_steps_call_make_and_ops_only(workflow: Workflow) -> None:
    """What a workflow does, a person can do with the same commands."""
    lines = [line for _, step in workflow.steps for line in step.get("run", "").splitlines()]

    assert {line.split()[0] for line in lines} <= MAY_CALL


def test_every_run_step_says_what_it_does(workflow: Workflow) -> None:
    """A log reads as sentences."""
    assert [step for _, step in workflow.steps if "run" in step and not step.get("name")] == []


def test_superseded_runs_of_ci_are_cancelled() -> None:
    """A push makes the run of the push before it pointless."""
    assert read("ci").document["concurrency"]["cancel-in-progress"] is True


@pytest.mark.parametrize("name", BY_HAND)
def test_what_spends_or_deletes_is_started_by_hand_alone(name: str) -> None:
    """No push, schedule or pull request can begin it."""
    assert set(read(name).triggers) == {"workflow_dispatch"}


@pytest.mark.parametrize("name", BY_HAND)
def test_inputs_are_described_and_typed(name: str) -> None:
    """Whoever starts it reads what each field means, and every one is used."""
    workflow = read(name)
    text = workflow.path.read_text(encoding="utf-8")

    for asked, input_ in workflow.inputs.items():
        assert input_["description"].endswith((".", ")")), asked
        assert input_["type"] in {"string", "number", "choice"}
        assert ("default" in input_) != input_.get("required", False), asked
        assert f"inputs.{asked}" in text


def test_the_page_tells_of_every_input_and_variable() -> None:
    """What docs/github.md has people type is what the workflows ask for and infra/ puts out."""
    typed = re.findall(r"gh workflow run (\w+)\.yml (.*)", PAGE)
    asked = {name: set(read(name).inputs) for name in BY_HAND}
    variables = {name for one in WORKFLOWS for name in VARIABLE.findall(one.path.read_text())}

    assert [name for name, _ in typed] == list(BY_HAND)
    for name, flags in typed:
        required = {one for one, body in read(name).inputs.items() if body.get("required")}
        given = set(re.findall(r"-f (\w+)=", flags))
        assert required <= given <= asked[name]
    assert [one for one in set.union(*asked.values()) if f"`{one}`" not in PAGE] == []
    assert dict(SET.findall(PAGE)).keys() == variables
    outputs = (ROOT / "infra" / "outputs.tf").read_text()
    assert [one for _, one in SET.findall(PAGE) if f'output "{one}"' not in outputs] == []


def test_deploy_and_destroy_of_a_stack_never_run_together() -> None:
    """One group for both, by project and stack; what runs is not cut off."""
    groups = [read(name).document["concurrency"] for name in BY_HAND]

    assert groups[0] == groups[1]
    assert "inputs.project" in groups[0]["group"] and "inputs.stack" in groups[0]["group"]
    assert groups[0]["cancel-in-progress"] is False


@pytest.mark.parametrize("name", BY_HAND)
def test_signing_in_comes_after_everything_that_is_fetched(name: str) -> None:
    """Packages are installed before Google's credentials are there, and from no cache."""
    for job, body in read(name).jobs.items():
        told = [step.get("uses", step.get("run", "")) for step in body["steps"]]
        signing = [place for place, text in enumerate(told) if "/auth@" in text]
        if signing:
            assert max(i for i, text in enumerate(told) if "make setup" in text) < signing[0], job
            assert not [text for text in told if "cache" in text]


def test_nothing_is_signed_in_before_the_project_was_compared() -> None:
    """The job that deletes waits for the job that compares, which may do nothing else."""
    jobs = read("destroy").jobs

    assert jobs["destroy"]["needs"] == "confirm"
    assert jobs["confirm"]["permissions"] == {}
    assert all("uses" not in step for step in jobs["confirm"]["steps"])


@pytest.mark.parametrize("name", BY_HAND)
def test_a_region_that_is_not_typed_is_that_of_ops_toml(name: str, tmp_path: Path) -> None:
    """The input is empty then, and an empty variable leaves the file its word."""
    workflow = read(name)
    (tmp_path / "ops.toml").write_text('region = "europe-west4"\n', encoding="utf-8")
    region = workflow.jobs[name]["env"]["OPS_REGION"]
    typed = EXPRESSION.sub(lambda _: workflow.given()["region"], region)

    found = settings.read({}, {settings.REGION: typed}, tmp_path)

    assert (found.region, found.sources["region"]) == ("europe-west4", "ops.toml")


def test_the_page_warns_of_workflows_that_strangers_start() -> None:
    """No workflow here runs on another's pull request with this repository's rights."""
    risky = ("pull_request_target", "workflow_run")

    assert all(f"`{one}`" in PAGE for one in risky)
    # YAML 1.1 reads the key `on` as true.
    events = [one.document.get("on", one.document.get(True)) for one in WORKFLOWS]
    assert [event for event in events if set(event) & set(risky)] == []
