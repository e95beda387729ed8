"""`ops` on a local cloud that fails on purpose: what passes is got through, the rest is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ops.errors import Code
from ops.workflows.train_failures import reason
from tests.ops.life import PARENT, Life, living

UPLOADS, OBJECTS, VERTEX = "/upload/", "/storage/v1/b/", f"/v1/{PARENT}"
AUTOML = ("train", "--yes", "--again")
CUSTOM = ("train", "--mode", "custom", "--model-type", "cnn", "--epochs", "50", "--yes", "--again")
QUOTA = (
    "The following quota metrics exceed quota limits: "
    "aiplatform.googleapis.com/custom_model_training_cpus"
)
STOCKOUT = (
    "failed: Resources are insufficient in region: us-central1. Please try a different region or "
    "use a different accelerator."
)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path_factory.mktemp("faults")) as found:
        yield found


def script(life: Life, *faults: dict[str, Any]) -> None:
    """Asks the local cloud for these faults, in this order, and forgets those of before."""
    life.deleted("/_emulator/faults")
    life.posted("/_emulator/faults", list(faults))


def busy(method: str, path: str) -> dict[str, Any]:
    """Too many requests, once."""
    return {"method": method, "path_prefix": path, "status": 429, "retry_after_seconds": 1}


def away(method: str, path: str) -> dict[str, Any]:
    """Unavailable, once."""
    return {"method": method, "path_prefix": path, "status": 503}


def cut(method: str, path: str) -> dict[str, Any]:
    """A reset after the first byte of an answer, once."""
    return {"method": method, "path_prefix": path, "reset": True, "after_answer_bytes": 1}


def slow(method: str, path: str) -> dict[str, Any]:
    """A slow answer, once."""
    return {"method": method, "path_prefix": path, "delay_seconds": 0.3}


def left(life: Life) -> list[Any]:
    """The faults that nobody has met."""
    return list(life.asked("/_emulator/faults")["faults"])


def test_an_import_through_all_of_it(life: Life) -> None:
    """Uploads, reads and polls that are busy, away, cut or slow are repeated: it ends as ever."""
    script(
        life, busy("POST", UPLOADS), away("POST", UPLOADS), slow("POST", UPLOADS),
        cut("GET", OBJECTS), away("GET", f"{VERTEX}/datasets"), busy("POST", f"{VERTEX}/datasets"),
    )  # fmt: skip

    imported = life.result("import-dataset", "photos", "--name", "second")

    assert (imported["photos"], left(life)) == (36, [])


def test_a_training_through_all_of_it(life: Life) -> None:
    """A write that was surely not done (429) is sent again, once; polls are repeated."""
    path = f"{VERTEX}/trainingPipelines"
    script(life, busy("POST", path), cut("GET", path), away("GET", path), slow("GET", path))

    assert life.result("train", "--yes")["state"] == "succeeded"

    assert (len(life.listed("trainingPipelines")), left(life)) == (1, [])


def test_what_may_have_been_made_is_looked_for(life: Life) -> None:
    """A write whose answer broke off ends the command; typed again, what was made is found."""
    before = len(life.listed("trainingPipelines"))
    script(life, cut("POST", f"{VERTEX}/trainingPipelines"))

    lost = life.run(*AUTOML)
    done = life.result("train", "--yes")

    assert lost.code == 6
    assert lost.err.splitlines()[-1].startswith("Type the same command again")
    assert done["state"] == "succeeded"
    assert len(life.listed("trainingPipelines")) == before + 1


def test_a_deployment_through_all_of_it(life: Life) -> None:
    """Served, asked and taken down again while requests are busy, away, cut and slow."""
    path = f"{VERTEX}/endpoints"
    (photo, *_) = sorted(map(str, (life.home / "photos").glob("0/*.png")))
    script(life, busy("POST", path), away("GET", path), cut("GET", path))
    life.result("deploy", "--yes")
    assert left(life) == []

    script(life, away("POST", path), cut("POST", path))
    (row,) = life.result("predict", photo)["predictions"]
    assert (row["prediction"], left(life)) == ("0", [])

    script(life, cut("GET", path), busy("DELETE", path))
    life.result("undeploy")
    assert life.listed("endpoints") == []


@pytest.mark.parametrize(
    ("command", "fault", "code", "sentence", "hint"),
    [
        (AUTOML, {"job": "quota", "times": 9}, 8, QUOTA, "ask for more quota"),
        (AUTOML, {"job": "stockout"}, 8, STOCKOUT, "no machine free for it now: type it again"),
        (CUSTOM, {"job": "stockout", "message": QUOTA}, 8, QUOTA, "Ask for more quota"),
        (CUSTOM, {"job": "die"}, 1, "was killed (exit code 137)", "If memory was short, type a"),
    ],
)
def test_a_job_that_fails_is_told_in_a_sentence(
    life: Life, command: tuple[str, ...], fault: dict[str, Any], code: int, sentence: str, hint: str
) -> None:
    """No quota, no machine, a death: the API's words, what it means, what to type, the code."""
    script(life, fault)

    ran = life.run(*command)

    assert ran.code == code, ran.err
    (said,) = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
    assert sentence in said
    assert hint in ran.err.partition(said)[2]


@pytest.mark.parametrize("mode", ["automl", "custom"])
@pytest.mark.parametrize("said", [QUOTA, STOCKOUT, "STOCKOUT", "Quota exceeded for x"])
def test_want_of_capacity_is_no_failure_of_the_training(mode: str, said: str) -> None:
    """Quota and stock-out have their own code in both modes; AutoML is not told of --machine."""
    code, hint = reason(said, mode)

    assert code is Code.QUOTA
    assert ("--machine" in hint) == (mode == "custom")


def test_a_teardown_through_all_of_it(life: Life) -> None:
    """Deletions that are busy, away, cut or slow are repeated until nothing is left."""
    script(
        life, busy("DELETE", VERTEX), away("DELETE", VERTEX), cut("DELETE", VERTEX),
        cut("DELETE", "/storage/"), slow("GET", f"{VERTEX}/models"), away("GET", OBJECTS),
    )  # fmt: skip

    ran = life.run("teardown", "--yes")

    assert ran.code == 0, ran.err
    assert [life.listed(kind) for kind in ("datasets", "models", "endpoints")] == [[], [], []]
