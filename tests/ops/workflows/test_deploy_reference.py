"""What a deployment must be compared with is broken or gone: before it is deployed, and after."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from ops import settings
from ops.cli import failures
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Silent, Step
from ops.workflows import deploy
from tests.ops.life import Life, living
from tests.ops.references import BUCKET, put, read

MODEL = "default-photos-custom"
WORDS = ("deploy", "--model", MODEL, "--ttl", "30m")
HOUR = timedelta(hours=1)


class CutOff(Silent):
    """A progress that raises an error when the check begins."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def step(
        self, title: str, total: float | None = None, unit: str = ""
    ) -> AbstractContextManager[Step]:
        """A step, unless it is the check's."""
        if title == "Checking what is served":
            raise self.error
        return super().step(title, total, unit)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a custom model."""
    with living(tmp_path_factory.mktemp("reference")) as found:
        found.result("train", "--mode", "custom", "--model-type", "linear")
        yield found


@pytest.fixture
def predictions(life: Life) -> Iterator[str]:
    """The object's name; whole again and nothing deployed at the end."""
    name = f"runs/{life.result('evaluate', '--model', MODEL)['run']}/model/predictions.jsonl"
    whole = read(life, name).decode()
    yield name
    put(life, name, whole)
    life.result("undeploy")


@pytest.fixture
def ledger(life: Life, tmp_path: Path) -> Ledger:
    """The user's ledger, in this process."""
    from google.auth.credentials import AnonymousCredentials

    found = settings.read({}, {settings.EMULATOR_DATA: str(life.data)}, tmp_path)
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return Ledger(Session(replace(found, stack="default"), anonymous, base_url=life.cloud.url))


def remove(life: Life, name: str) -> None:
    """Delete an object."""
    life.deleted(f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")


def test_a_broken_reference_is_refused_before_anything_is_deployed(
    life: Life, predictions: str
) -> None:
    """Cut within a line, between two, or with a score that is none: the file is named."""
    whole = read(life, predictions).decode()
    cases = {
        whole[: len(whole) // 2]: "not a row of predictions",
        whole.split("\n")[0] + "\n": "1 rows, and the training evaluated 3",
        whole.replace('"scores": [', '"scores": [2', 1): "is not from 0 to 1",
    }

    for text, why in cases.items():
        put(life, predictions, text)
        refused = life.run(*WORDS)

        assert refused.code == 3, refused.err
        assert f"gs://{BUCKET}/{predictions}" in refused.err
        assert why in refused.err
        assert "Nothing was deployed.\n" in refused.err
        assert f"ops deploy --model {MODEL}@1 --unchecked" in refused.err
        assert life.listed("endpoints") == []


def test_without_its_reference_a_custom_model_is_deployed_only_unchecked(
    life: Life, predictions: str
) -> None:
    """What a training left and somebody removed is missed; a served model stays as it is."""
    remove(life, predictions)
    refused = life.run(*WORDS)
    left = life.listed("endpoints")
    risked = life.result(*WORDS, "--unchecked")
    again = life.run(*WORDS)

    assert refused.code == again.code == 5
    assert f"its training left gs://{BUCKET}/{predictions} and labels.txt" in refused.err
    assert left == []
    assert risked["check"]["state"] == "not checked"
    assert risked["check"]["why"].startswith("--unchecked was typed.")
    assert "Nothing was changed; ops status shows what is served." in again.err
    assert [one["name"] for one in life.listed("endpoints")] == [risked["endpoint"]]


def test_check_and_unchecked_exclude_each_other(life: Life) -> None:
    """One asks for a check, the other for none."""
    both = life.run(*WORDS, "--check", "--unchecked")

    assert (both.code, "Type one of the two." in both.err) == (2, True)


def test_an_unchecked_model_whose_reference_vanished_is_taken_off(
    life: Life, predictions: str, ledger: Ledger
) -> None:
    """Interrupted between deploying and checking; typed again it does not stay served."""
    plan = deploy.plan(ledger, HOUR, model=MODEL)
    with pytest.raises(KeyboardInterrupt):
        deploy.run(ledger, plan, CutOff(KeyboardInterrupt()))
    served = life.listed("endpoints")[0]["deployedModels"]
    remove(life, predictions)

    again = life.run(*WORDS)

    assert len(served) == 1
    assert again.code == 5
    assert "The model was undeployed.\n" in again.err
    assert life.listed("endpoints") == []
    assert life.result("runs")["runs"][-1]["state"] == "failed"


def test_an_error_that_passes_says_what_stays_served_and_billed(
    life: Life, predictions: str, ledger: Ledger
) -> None:
    """The same command again finishes the check."""
    from google.api_core.exceptions import ServiceUnavailable

    plan = deploy.plan(ledger, HOUR, model=MODEL)
    with pytest.raises(ServiceUnavailable) as busy:
        deploy.run(ledger, plan, CutOff(ServiceUnavailable("busy")))  # type: ignore[no-untyped-call]
    again = life.result(*WORDS)

    said = failures.explain(busy.value).message
    assert predictions
    assert said.startswith("busy (503). The check was not finished: endpoint ")
    assert "costs $0.10925 an hour on Google. The same command again finishes the check" in said
    assert (again["check"]["state"], again["extended"]) == ("passed", True)


def test_an_error_that_does_not_pass_takes_the_model_off(
    life: Life, predictions: str, ledger: Ledger
) -> None:
    """Nobody may ask the endpoint: on record as failed, and said."""
    from google.api_core.exceptions import Forbidden

    plan = deploy.plan(ledger, HOUR, model=MODEL)
    with pytest.raises(OpsError, match=r"denied\. The model was undeployed\.") as refused:
        deploy.run(ledger, plan, CutOff(Forbidden("denied")))  # type: ignore[no-untyped-call]

    assert predictions
    assert refused.value.code is Code.CHECK_FAILED
    assert life.listed("endpoints") == []


def test_photos_that_vanish_are_missed_before_and_after_deploying(
    life: Life, predictions: str, ledger: Ledger
) -> None:
    """The reference is there, and nothing to show the endpoint."""
    plan = deploy.plan(ledger, HOUR, model=MODEL)
    assert plan.reference.photos is not None
    for row in plan.reference.photos.rows:
        remove(life, row.uri.split("/", 3)[3])

    with pytest.raises(OpsError, match=r"can be read, .* The model was undeployed\.") as refused:
        deploy.run(ledger, plan, Silent())
    before = life.run(*WORDS)

    assert predictions
    assert refused.value.code is Code.NOT_FOUND
    assert before.code == 4
    assert "Nothing was deployed.\n" in before.err
    assert life.listed("endpoints") == []
