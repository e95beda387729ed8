"""Two first trainings of one data set under way at the same time."""

from __future__ import annotations

from pathlib import Path

from tests.local_cloud import wait_until
from tests.ops.life import Life, ended, living

TRAIN = ("train", "--mode", "custom", "--model-type")
ID = "default-photos-custom"


def trained(life: Life, *words: str) -> str:
    """The model that a run ended with."""
    return str(life.result(*TRAIN, *words)["model"].rpartition("/")[2])


def test_neither_training_takes_the_others_model(tmp_path: Path) -> None:
    """The second has a model of its own, since it cannot be a version of one not made yet."""
    with living(tmp_path) as life:
        life.gate.unlink()
        both = [life.begin(*TRAIN, kind, "--no-wait", "--json") for kind in ("linear", "dnn")]
        assert [ended(one).code for one in both] == [0, 0]
        ids = sorted(one["modelId"] for one in life.listed("trainingPipelines"))
        life.gate.touch()
        wait_until(lambda: all("endTime" in one for one in life.listed("trainingPipelines")))

        models = sorted(trained(life, kind) for kind in ("linear", "dnn"))
        third = trained(life, "cnn")

    assert ids[0] == ID and ids[1].startswith(f"{ID}-") and len(ids[1]) == len(ID) + 9
    assert models == sorted(f"{id}@1" for id in ids)
    assert third == f"{ID}@2"
