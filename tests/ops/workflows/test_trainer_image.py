"""The image of a custom training: found by its source, built once, refused in plain words."""

import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from google.auth.credentials import AnonymousCredentials

from ops import settings
from ops.cloud import builds, storage
from ops.cloud.session import Session
from ops.data import trainer_source
from ops.errors import Code, OpsError
from ops.image_names import parse
from ops.ledger import Ledger, Plan, Run
from ops.pricing.machines import machine
from ops.progress import Silent
from ops.workflows import records, train_custom, trainer_build, trainer_image
from ops.workflows.train_options import (
    CLOUD,
    DOCKER,
    NEVER,
    CustomOptions,
    Options,
    check_build,
)
from tests.local_cloud import LocalCloud, running_cloud

CPU = machine("n1-standard-4")
GPU = machine("n1-standard-4", "NVIDIA_TESLA_T4")
ASKED = CustomOptions("cnn")


class Told(Silent):
    """A Progress that keeps what was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.interrupted = ""

    def note(self, message: str) -> None:
        """One more."""
        self.notes.append(message)

    def goes_on(self, message: str) -> None:
        """What an interruption now would say."""
        self.interrupted = message


@dataclass
class Stack:
    """A stack like one on Google, whose calls go to a local cloud."""

    cloud: LocalCloud
    session: Session
    told: Told = field(default_factory=Told)

    @property
    def ledger(self) -> Ledger:
        """The stack's runs."""
        return Ledger(self.session)

    @property
    def image(self) -> str:
        """The image of the source here, for a CPU."""
        return trainer_image.planned(self.session.settings, ASKED, CPU)

    def run(self, image: str = "") -> Run:
        """A run that trains in an image."""
        inputs = {"mode": "custom", "image": image or self.image, "machine": CPU.spec()}
        return self.ledger.begin(Plan("train", "d" * 64, inputs, {}))

    def builds(self) -> list[builds.Build]:
        """Those of the source here."""
        return builds.find(self.session, trainer_source.read("cpu").tag)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """What the local cloud answers."""
        request = Request(self.cloud.url + path, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


Make = Callable[..., Stack]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose builds are over at once."""
    with running_cloud(tmp_path_factory.mktemp("q") / "cloud", "--build-seconds", "0.1") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose builds do not end while a test lasts."""
    with running_cloud(tmp_path_factory.mktemp("s") / "cloud", "--build-seconds", "900") as cloud:
        yield cloud


@pytest.fixture
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A stack in a project of the test's own, prepared as a bootstrap leaves it."""
    name = f"p-{zlib.crc32(request.node.name.encode()):08x}"

    def made(cloud: LocalCloud, *, repository: bool = True, **more: Any) -> Stack:
        flags = {"target": "gcp", "project": name}
        environ = {settings.STATE_DIR: str(tmp_path / ".ops")}
        found = settings.read(flags, environ, tmp_path)
        session = Session(found, AnonymousCredentials(), base_url=cloud.url, **more)  # type: ignore[no-untyped-call]
        storage.create_bucket(session, found.bucket)
        stack = Stack(cloud, session)
        if repository:
            stack.post(f"/v1/{session.parent}/repositories?repositoryId=ops-default",
                       {"format": "DOCKER"})  # fmt: skip
        return stack

    return made


def test_it_is_named_by_source_and_device(tmp_path: Path) -> None:
    """Another machine or another source is another image; what was named is taken as it is."""
    gcp = settings.read({"target": "gcp", "project": "some-project"}, {}, tmp_path)
    local = settings.read({}, {}, tmp_path)
    tag = trainer_source.read("cpu").tag

    cpu = trainer_image.planned(gcp, ASKED, CPU)
    assert cpu == f"us-central1-docker.pkg.dev/some-project/ops-default/trainer:{tag}"
    assert trainer_image.planned(gcp, ASKED, GPU).endswith("-gpu")
    assert trainer_image.planned(gcp, CustomOptions("cnn", image="mine:1"), CPU) == "mine:1"
    assert not parse(trainer_image.planned(local, ASKED, CPU)) or "src-" not in (
        trainer_image.planned(local, ASKED, CPU)
    )


def test_the_digest_follows_the_files_and_the_archive_is_always_the_same(tmp_path: Path) -> None:
    """Neither times nor rights of files count, nor what the image does not hold."""
    for name in ("trainer/Dockerfile", "trainer/task.py", "requirements/image-cpu.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    first = trainer_source.read("cpu", tmp_path)
    (tmp_path / "trainer" / "task.py").chmod(0o600)
    (tmp_path / "trainer" / "task.pyc").write_text("compiled")
    again = trainer_source.read("cpu", tmp_path)
    (tmp_path / "trainer" / "task.py").write_text("changed")
    changed = trainer_source.read("cpu", tmp_path)

    assert (first.tag, first.archive()) == (again.tag, again.archive())
    assert changed.tag != first.tag
    with pytest.raises(OpsError, match="no requirements/image-gpu"):
        trainer_source.read("gpu", tmp_path)


def test_a_missing_image_is_priced_built_and_named_by_digest(quick: LocalCloud, make: Make) -> None:
    """The price before; the digest on record after, with what the build cost; then no more."""
    stack = make(quick)
    run = stack.run()

    (cost,) = trainer_image.beforehand(stack.session, run.plan["inputs"], CLOUD)
    trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)
    trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)

    assert cost.usd == pytest.approx(20 * 0.006)
    assert re.fullmatch(r".*/ops-default/trainer@sha256:[0-9a-f]{64}", trainer_image.of(run))
    assert trainer_image.usd(run) > 0
    assert trainer_image.beforehand(stack.session, run.plan["inputs"], NEVER) == ()
    assert [one.status for one in stack.builds()] == ["SUCCESS"]


def test_another_run_of_the_same_source_builds_nothing(quick: LocalCloud, make: Make) -> None:
    """It finds the image, in the same words."""
    stack = make(quick)
    first, second = stack.run(), stack.ledger.begin(
        Plan("train", "e" * 64, dict(stack.run().plan["inputs"]), {})
    )  # fmt: skip

    trainer_image.ensure(stack.ledger, first, CLOUD, stack.told)
    trainer_image.ensure(stack.ledger, second, NEVER, stack.told)

    assert trainer_image.of(first) == trainer_image.of(second)
    assert trainer_image.usd(second) == 0
    assert len(stack.builds()) == 1


REFUSED = {
    "never": (NEVER, {}, Code.NOT_FOUND, "--build cloud"),
    "no repository": (CLOUD, {"repository": False}, Code.NOT_PREPARED, "make bootstrap"),
    "no docker": (DOCKER, {}, Code.NOT_FOUND, "--build cloud"),
}


@pytest.mark.parametrize(("how", "more", "code", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_it_cannot_do_it_says_before_anything_is_begun(
    quick: LocalCloud, make: Make, monkeypatch: pytest.MonkeyPatch,
    how: str, more: dict[str, Any], code: Code, hint: str,
) -> None:  # fmt: skip
    """With what to type, and without a build."""
    stack = make(quick, **more)
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(OpsError) as refused:
        trainer_image.beforehand(stack.session, stack.run().plan["inputs"], how)

    assert refused.value.code is code
    assert hint in refused.value.hint
    assert stack.builds() == []


def test_a_service_that_is_off(quick: LocalCloud, make: Make) -> None:
    """The command that enables it; with Docker it is not needed."""
    stack = make(quick)
    stack.post(
        f"/v1/projects/{stack.session.settings.project}/services/cloudbuild.googleapis.com:disable",
        {},
    )

    with pytest.raises(OpsError) as refused:
        trainer_image.beforehand(stack.session, stack.run().plan["inputs"], CLOUD)

    assert refused.value.code is Code.NOT_PREPARED
    assert "gcloud services enable cloudbuild.googleapis.com" in refused.value.hint


@pytest.mark.parametrize(
    "name", ["trainer:mine", f"trainer@sha256:{'0' * 64}", "trainer:src-0-cpu"]
)
def test_an_image_that_somebody_named_must_be_there(
    quick: LocalCloud, make: Make, name: str
) -> None:
    """By tag or by digest; one that is not in Artifact Registry is nobody's to look for."""
    stack = make(quick)
    whole = f"{stack.image.rpartition('/')[0]}/{name}"

    with pytest.raises(OpsError, match="There is no image"):
        trainer_image.beforehand(stack.session, stack.run(whole).plan["inputs"], CLOUD)

    elsewhere = {**stack.run().plan["inputs"], "image": "docker.io/library/python:3"}
    assert trainer_image.beforehand(stack.session, elsewhere, NEVER) == ()


def test_a_failed_build_shows_its_last_words(quick: LocalCloud, make: Make) -> None:
    """What Cloud Build said, the end of the log, and where it is; the next try builds anew."""
    stack = make(quick)
    project = stack.session.settings.project
    account = stack.post(f"/v1/projects/{project}/serviceAccounts", {"accountId": "builder"})
    reader = {
        "role": "roles/storage.objectViewer",
        "members": [f"serviceAccount:{account['email']}"],
    }
    stack.post(f"/v1/projects/{project}:setIamPolicy", {"policy": {"bindings": [reader]}})
    records.note(stack.session.settings, records.TERRAFORM, {"runner_email": account["email"]})
    run = stack.run()

    for _ in range(2):
        with pytest.raises(OpsError) as failed:
            trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)

    assert failed.value.code is Code.JOB_FAILED
    assert "uploadArtifacts" in failed.value.message
    assert "ERROR: denied" in failed.value.message
    assert "console.cloud.google.com" in failed.value.hint
    assert len(stack.builds()) == 2


def test_a_lost_answer_builds_nothing_twice(slow: LocalCloud, make: Make) -> None:
    """The connection ends while the build is being told: it is found, and joined."""
    stack = make(slow, sleep=Interrupting())
    lost = {"method": "POST", "path_prefix": f"/v1/{stack.session.parent}/builds"}
    stack.post("/_emulator/faults", [{**lost, "reset": True, "after_answer_bytes": 20}])

    with pytest.raises(KeyboardInterrupt):
        trainer_image.ensure(stack.ledger, stack.run(), CLOUD, stack.told)

    assert len(stack.builds()) == 1


def test_typed_again_it_takes_up_the_build_that_runs(quick: LocalCloud, make: Make) -> None:
    """One build, whoever began it, and the image that came of it."""
    stack = make(quick)
    source = trainer_source.read("cpu")
    begun = trainer_build.begin(stack.session, source, stack.image)
    run = stack.run()

    trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)

    assert [one.id for one in stack.builds()] == [begun.id]
    assert trainer_image.of(run).partition("@")[2] == stack.builds()[0].digests[stack.image]


def test_a_teardown_ends_builds(slow: LocalCloud, make: Make) -> None:
    """None goes on, and is billed, behind its back."""
    stack = make(slow)
    trainer_build.begin(stack.session, trainer_source.read("cpu"), stack.image)

    trainer_build.cancel_all(stack.session, stack.told)

    assert [one.status for one in stack.builds()] == ["CANCELLED"]


class Interrupting:
    """A sleep that is interrupted, as by Ctrl-C."""

    def __call__(self, _seconds: float) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_ends_the_build_that_was_begun_here(slow: LocalCloud, make: Make) -> None:
    """And only that: one that was joined goes on."""
    stack = make(slow, sleep=Interrupting())
    run = stack.run()

    with pytest.raises(KeyboardInterrupt):
        trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)
    first = stack.builds()[0]
    assert first.status == "CANCELLED"
    assert "was cancelled" in stack.told.interrupted

    body = {"steps": [{"name": builds.DOCKER}], "tags": [trainer_source.read("cpu").tag]}
    stack.post(f"/v1/{stack.session.parent}/builds", body)
    with pytest.raises(KeyboardInterrupt):
        trainer_image.ensure(stack.ledger, run, CLOUD, stack.told)

    assert [one.is_running for one in stack.builds()] == [True, False]
    assert "goes on" in stack.told.interrupted
    assert "joining it" in stack.told.notes[-1]


def test_docker_here_builds_the_same_archive_and_pushes(
    quick: LocalCloud, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token goes by standard input, into a folder of its own; the digest is Docker's."""
    log = tmp_path / "log.jsonl"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import hashlib, json, os, sys\n"
        "given = hashlib.sha256(sys.stdin.buffer.read()).hexdigest()\n"
        f"with open({str(log)!r}, 'a') as log:\n"
        "    print(json.dumps([sys.argv[1:], given, os.environ.get('DOCKER_CONFIG')]), file=log)\n"
        "print('27.5.1' if sys.argv[1] == 'version' else 'src: digest: sha256:' + 'a' * 64)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    stack, source = make(quick), trainer_source.read("cpu")
    run = stack.run()

    assert trainer_image.beforehand(stack.session, run.plan["inputs"], DOCKER) == ()
    trainer_image.ensure(stack.ledger, run, DOCKER, stack.told)

    calls = [json.loads(line) for line in log.read_text().splitlines()]
    (built,) = [one for one in calls if one[0][0] == "build"]
    (login,) = [one for one in calls if one[0][0] == "login"]
    assert trainer_image.of(run).endswith(f"@sha256:{'a' * 64}")
    assert built[1] == sha256(source.archive()).hexdigest()
    assert f"--build-arg=SOURCE_DIGEST={source.digest}" in built[0]
    assert "--password-stdin" in login[0] and login[2] and not Path(login[2]).exists()
    assert stack.builds() == []


def test_a_cap_keeps_what_a_build_may_cost(tmp_path: Path) -> None:
    """So that both together stay below it, whether or not the image has to be built."""
    gcp = settings.read({"target": "gcp", "project": "some-project"}, {}, tmp_path)
    options = Options("custom", max_cost_usd=0.3, custom=ASKED)

    most = train_custom.check(gcp, options).usd
    own = Options("custom", max_cost_usd=0.3, custom=CustomOptions("cnn", image="mine:1"))

    assert most + trainer_image.build_cost("cpu", "us-central1").usd <= 0.3
    assert train_custom.check(gcp, own).usd > most
    with pytest.raises(OpsError, match="are kept for building the image"):
        train_custom.check(gcp, Options("custom", max_cost_usd=0.12, custom=ASKED))


def test_build_and_image_do_not_go_together() -> None:
    """Nor is there another way to build."""
    for custom in (
        CustomOptions("cnn", image="a", build=CLOUD),
        CustomOptions("cnn", build="dockr"),
    ):
        with pytest.raises(OpsError) as refused:
            check_build(custom)
        assert refused.value.code is Code.USAGE
