"""`kill -9` at each step of an import, a custom training, a deployment and a teardown.

In the suite at every sixth step; `python -m bench resume` cuts at each, and prints the table.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.journey.cuts import Campaign, campaign, never_twice, telling, write
from tests.local_cloud import wait_until
from tests.ops.life import COLOURS, write_photos

EVERY = int(os.environ.get("OPS_TEST_EVERY_CUT", "6"))
TABLE = os.environ.get("OPS_TEST_TABLE", "")
TRAIN = ("train", "--mode", "custom", "--model-type", "linear", "--seed")
DEPLOY = ("deploy", "--ttl", "30m")
PHOTOS = 36


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A user behind a proxy; what was found is printed, and kept if asked for."""
    with campaign(tmp_path_factory.mktemp("cuts")) as found:
        yield found
        for row in found.rows:
            print(" | ".join(vars(row).values()))
        if TABLE:
            write(found.rows, Path(TABLE))


def cuts(known: list[str]) -> list[int]:
    """The steps at which this command is killed."""
    return telling(known)[::EVERY]


def fresh_photos(cut: Campaign, name: str) -> str:
    """A folder of photos of its own, some of them the same as before."""
    folder = cut.life.home / name
    write_photos(folder)
    # Another byte at the end of a PNG changes its hash and not its picture.
    for number, label in enumerate(COLOURS):
        path = folder / label / "0.png"
        path.write_bytes(path.read_bytes() + name.encode() + bytes([number]))
    return name


def test_an_import_is_taken_up_at_every_step(cut: Campaign) -> None:
    """One run, one data set, every photo in it once."""
    known = cut.steps("import-dataset", fresh_photos(cut, "whole"))
    for at in cuts(known):
        name = fresh_photos(cut, f"photos{at}")
        cut.cut(("import-dataset", name), at, known)

        made = [one for one in cut.life.listed("datasets") if one["displayName"] == name]
        assert len(made) == 1
        items = cut.life.asked(f"/v1/{made[0]['name']}/dataItems?pageSize=100")["dataItems"]
        assert len(items) == PHOTOS
    assert cut.rows


def test_a_custom_training_is_taken_up_at_every_step(cut: Campaign) -> None:
    """One pipeline, one version, one evaluation with a slice for each label."""
    known = cut.steps(*TRAIN, "1000")
    for at in cuts(known):
        words = (*TRAIN, str(at))
        cut.cut(words, at, known)

        assert never_twice(cut.life, cut.life.result(*words)["run"])
    assert any("trainingPipelines" in step for step in known)


def test_a_deployment_is_taken_up_at_every_step(cut: Campaign) -> None:
    """One endpoint with one model on it."""
    cut.life.result(*DEPLOY)
    clear(cut)
    known = cut.steps(*DEPLOY)
    for at in cuts(known):
        clear(cut)
        cut.cut(DEPLOY, at, known)

        (endpoint,) = cut.life.listed("endpoints")
        assert len(endpoint["deployedModels"]) == 1
    assert any(":deployModel" in step for step in known)


def clear(cut: Campaign) -> None:
    """Take everything off its endpoint behind the back of `ops`, and delete the endpoint."""
    for endpoint in cut.life.listed("endpoints"):
        for model in endpoint.get("deployedModels", []):
            undeploy = {"deployedModelId": model["id"]}
            cut.life.posted(f"/v1/{endpoint['name']}:undeployModel", undeploy)
        wait_until(partial(is_empty, cut, endpoint["name"]))
        cut.life.deleted(f"/v1/{endpoint['name']}")
    wait_until(lambda: not cut.life.listed("endpoints"))


def is_empty(cut: Campaign, endpoint: str) -> bool:
    """Whether no model is on the endpoint."""
    return not cut.life.asked(f"/v1/{endpoint}").get("deployedModels")


def test_a_teardown_is_taken_up_at_every_step(cut: Campaign) -> None:
    """Nothing of the stack is left, however often it was cut off."""
    words = ("teardown", "--yes")
    cut.life.result(*words)
    known = cut.steps(*words) if whole_life(cut) else []
    for at in cuts(known):
        whole_life(cut)
        cut.cut(words, at, known)

        assert sum(cut.standing().values()) == 0
    assert len(known) > 4


def whole_life(cut: Campaign) -> bool:
    """A stack with photos, a model and an endpoint."""
    cut.life.result("import-dataset", "photos")
    cut.life.result(*TRAIN, "1")
    return bool(cut.life.result(*DEPLOY)["endpoint"])
