"""`ops models` and `ops export`: versions, aliases, files, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.local_cloud import wait_until
from tests.ops.life import PARENT, Life, living, told

CUSTOM = "default-photos-custom"
AUTOML = "default-photos-automl"
TRAIN = ("train", "--mode", "custom", "--model-type", "linear")
FILES = {"saved_model.pb": b"graph", "variables/one": b"weights", "model.tflite": b"lite"}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """One user with an AutoML model, and a custom one of three versions; files beside the first."""
    with living(tmp_path_factory.mktemp("models")) as found:
        found.result("train")
        found.result(*TRAIN)
        found.result(*TRAIN, "--again")
        found.result(*TRAIN, "--again")
        uri = found.asked(f"/v1/{PARENT}/models/{CUSTOM}@1")["artifactUri"]
        for name, content in FILES.items():
            put(found, f"{uri}/{name}", content)
        yield found


def put(life: Life, uri: str, content: bytes) -> None:
    """An object stored past `ops`."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
    with urlopen(Request(life.cloud.url + path, data=content, method="POST")):
        return


def aliases(life: Life) -> dict[str, list[str]]:
    """The aliases of each version of the custom model, asked of the cloud."""
    found = life.asked(f"/v1/{PARENT}/models/{CUSTOM}:listVersions")["models"]
    return {one["versionId"]: one.get("versionAliases", []) for one in found}


def test_each_training_is_a_version_of_one_model(life: Life) -> None:
    """Three custom trainings and an AutoML one are two models; runs name their version."""
    found = life.result("models", "list")["models"]
    runs = life.result("runs")["runs"]

    shown = [(one["model"], one["version"]) for one in found]
    assert shown == [(CUSTOM, "3"), (CUSTOM, "2"), (CUSTOM, "1"), (AUTOML, "1")]
    by_run = {one["run"]: one["full_name"] for one in found}
    trained = {one["run"]: one["result"]["model"] for one in runs if one["kind"] == "train"}
    assert by_run == trained
    assert len({one["dataset"] for one in found}) == 1
    table = life.run("models", "list").out
    assert f"{CUSTOM}@1  default  custom" in table and f"{AUTOML}@1" in table


def test_promote_moves_the_default_and_rollback_goes_back(life: Life) -> None:
    """`previous` is where the default was; both may be repeated, and a plain id is the newest."""
    promoted = life.result("models", "promote", f"{CUSTOM}@2")
    assert (promoted["default"], promoted["before"]) == (
        f"{PARENT}/models/{CUSTOM}@2",
        f"{PARENT}/models/{CUSTOM}@1",
    )
    assert aliases(life) == {"1": ["previous"], "2": ["default"], "3": []}
    again = life.run("models", "promote", f"{CUSTOM}@2")
    assert again.out == f"{CUSTOM}@2 is the default already.\n"

    back = life.run("models", "rollback", CUSTOM)
    assert back.out == f"Default    {CUSTOM}@1\nBefore     {CUSTOM}@2\n"
    assert aliases(life) == {"1": ["default"], "2": ["previous"], "3": []}

    life.result("models", "promote", CUSTOM)
    assert aliases(life) == {"1": ["previous"], "2": [], "3": ["default"]}
    life.result("models", "rollback", CUSTOM)


def test_a_version_is_shown_with_where_it_came_from(life: Life) -> None:
    """Run, data set, files and image; by number, alias or run."""
    run = life.result("models", "list")["models"][2]["run"]

    by_alias = life.result("models", "show", f"{CUSTOM}@default")
    by_run = life.result("models", "show", run)

    assert by_alias == by_run and by_alias["run"] == run
    assert by_alias["artifacts"].endswith(f"/runs/{run}/model")
    text = life.run("models", "show", f"{CUSTOM}@1").out
    assert text.startswith(f"Model      {CUSTOM}@1 (") and f"Run        {run}\n" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "default-photo-custom"), 4, f"Did you mean: {CUSTOM}"),
        (
            ("show", f"{CUSTOM}@9"),
            4,
            f"{CUSTOM}@3 (@previous), {CUSTOM}@2, {CUSTOM}@1 (@default).",
        ),
        (("rollback", AUTOML), 4, "nothing is on record as the default before it"),
        (
            ("delete", f"{AUTOML}@1", "--yes"),
            5,
            f"To delete the model, type: ops models delete {AUTOML}",
        ),
        (("delete", f"{CUSTOM}@1", "--yes"), 5, f"Type: ops models promote {CUSTOM}@3"),
        (("delete", f"{CUSTOM}@2"), 5, "Add --yes"),
    ],
)
def test_refusals_say_what_to_type(
    life: Life, words: tuple[str, ...], code: int, message: str
) -> None:
    """Wrong names come with the near ones; nothing is deleted that is in use or not agreed to."""
    before = aliases(life)

    refused = life.run("models", *words)

    assert refused.code == code
    assert message in told(refused)
    assert aliases(life) == before


def test_what_is_served_is_not_deleted(life: Life) -> None:
    """The endpoint is named, with what to type; undeployed, the version can go, and only it."""
    life.result("deploy", "--model", f"{CUSTOM}@3")
    (endpoint,) = life.listed("endpoints")
    id = endpoint["name"].rsplit("/", 1)[1]

    refused = life.run("models", "delete", f"{CUSTOM}@3", "--yes")
    whole = life.run("models", "delete", CUSTOM, "--yes")
    life.result("undeploy")
    done = life.run("models", "delete", f"{CUSTOM}@3", "--yes")

    assert (refused.code, whole.code) == (5, 5)
    hint = f"{CUSTOM}@3 is served on endpoint {id}.\nType: ops undeploy --endpoint {id}\n"
    assert told(refused).endswith(hint) and told(whole).endswith(hint)
    assert done.out.startswith(f"Deleted    {CUSTOM}@3\nFiles stay gs://")
    assert sorted(aliases(life)) == ["1", "2"]


def test_a_custom_model_is_copied_whole(life: Life) -> None:
    """Every file with its bytes; a folder that holds anything is not touched."""
    done = life.result("export", CUSTOM, "--to", "model")

    folder = life.home / "model"
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert (folder / "labels.txt").exists() and len(done["files"]) == 8
    again = life.run("export", CUSTOM, "--to", "model")
    assert again.code == 5 and "is not empty; nothing is overwritten" in told(again)
    assert list(life.home.glob(".*part")) == []


def test_for_phones_only_the_small_file_and_its_labels_are_copied(life: Life) -> None:
    """An empty folder that is there is filled."""
    folder = life.home / "phone"
    folder.mkdir()

    life.result("export", f"{CUSTOM}@1", "--format", "tflite", "--to", str(folder))

    assert sorted(path.name for path in folder.iterdir()) == [
        "labels.txt",
        "model.json",
        "model.tflite",
    ]


def test_the_file_in_8_bits_is_copied_where_training_made_it(life: Life) -> None:
    """With its labels and a README of its own; the one in float32 stays where it is."""
    uri = life.asked(f"/v1/{PARENT}/models/{CUSTOM}@1")["artifactUri"]
    said = {"preprocessing": "centre-square-bilinear-1", "inputSize": 64, "labels": ["a", "b"]}
    put(life, f"{uri}/model_int8.tflite", b"small")
    put(life, f"{uri}/model.json", json.dumps(said).encode())

    done = life.result("export", f"{CUSTOM}@1", "--format", "tflite-int8", "--to", "tiny")

    folder = life.home / "tiny"
    assert done["files"] == ["model_int8.tflite", "labels.txt", "model.json"]
    assert (folder / "model_int8.tflite").read_bytes() == b"small"
    readme = (folder / "README.txt").read_text()
    assert 'model_path="model_int8.tflite"' in readme and "sameLabel" in readme


def test_an_automl_model_for_devices_is_exported_by_the_api(life: Life) -> None:
    """It comes by way of the bucket, where nothing of it is left; other formats are refused."""
    (pipeline,) = [
        one
        for one in life.listed("trainingPipelines")
        if one["trainingTaskDefinition"].endswith("automl_image_classification_1.0.0.yaml")
    ]
    edge = {"modelType": "MOBILE_TF_VERSATILE_1", "budgetMilliNodeHours": "1000"}
    kept = ("trainingTaskDefinition", "inputDataConfig", "labels")
    body = {key: pipeline[key] for key in kept} | {"displayName": "edge", "modelId": "edge"}
    made = life.posted(f"/v1/{PARENT}/trainingPipelines", {**body, "trainingTaskInputs": edge})
    wait_until(lambda: "endTime" in life.asked(f"/v1/{made['name']}"))

    done = life.result("export", "edge", "--format", "tflite", "--to", "device")
    refused = life.run("export", "edge", "--to", "graph")

    assert done["files"] == ["model.tflite"]
    assert (life.home / "device" / "model.tflite").read_text().startswith("{")
    assert refused.code == 4 and "is not to be had as saved-model; it is as: tflite" in told(
        refused
    )
    bucket = life.asked("/storage/v1/b?project=local-project")["items"][0]["name"]
    assert "items" not in life.asked(f"/storage/v1/b/{bucket}/o?prefix=exports/")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((AUTOML,), 5, "AutoML's for the cloud, which gives no files"),
        ((CUSTOM, "--format", "tf-lite"), 2, "Type --format tflite"),
        ((f"{CUSTOM}@2", "--format", "tflite-int8"), 4, "--int8 yes, or --format tflite for"),
        ((f"{CUSTOM}@2", "--format", "tflite"), 4, "has no model.tflite in gs://"),
        ((f"{CUSTOM}@2",), 4, "has no saved_model.pb in gs://"),
        ((CUSTOM, "--to", "file"), 2, "file is a file"),
    ],
)
def test_exports_that_cannot_be_say_why(
    life: Life, words: tuple[str, ...], code: int, message: str
) -> None:
    """Nothing is left on this machine."""
    Path(life.home / "file").touch()
    to = () if "--to" in words else ("--to", "nothing")

    refused = life.run("export", *words, *to)

    assert refused.code == code and message in told(refused)
    assert not (life.home / "nothing").exists() and not (life.home / ".nothing.part").exists()


def test_an_export_says_how_photos_are_fed_to_the_model(life: Life) -> None:
    """The input and the order of the scores, printed and in a README of the format's own files."""
    uri = life.asked(f"/v1/{PARENT}/models/{CUSTOM}@1")["artifactUri"]
    said = {"preprocessing": "centre-square-bilinear-1", "inputSize": 64, "labels": ["a", "b"]}
    put(life, f"{uri}/model.json", json.dumps(said).encode())

    phone = life.run("export", f"{CUSTOM}@1", "--format", "tflite", "--to", "fed-phone")
    graph = life.run("export", f"{CUSTOM}@1", "--to", "fed-graph")

    readmes = [life.home / name / "README.txt" for name in ("fed-phone", "fed-graph")]
    fed = "\nInput      float32 (1, 64, 64, 3), RGB 0-255, centre square, bilinear\n"
    assert fed + "Scores     a, b (the order of labels.txt)\n" in phone.out
    assert phone.out.endswith(f"How to     {readmes[0]}\n")
    assert "\nInput      image_bytes (batch,): each a whole JPEG" in graph.out
    texts = [readme.read_text() for readme in readmes]
    assert ["do not divide by 255" in text for text in texts] == [True, True]
    assert ["serving_default" in text for text in texts] == [False, True]


def test_a_refused_export_says_what_to_train(life: Life) -> None:
    """A whole command: model type and data set are those that the model has."""
    automl = life.run("export", AUTOML, "--to", "nothing")
    empty = life.run("export", f"{CUSTOM}@2", "--to", "nothing")

    anew = "Type: ops train --mode custom --model-type"
    assert f"{anew} cnn --dataset photos@1   (its model can be exported)" in told(automl)
    assert told(empty).endswith(f"{anew} linear --dataset photos@1 --again\n")
