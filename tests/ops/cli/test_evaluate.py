"""`ops evaluate` of custom models as typed: single photos, the page, and two models compared."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ops.life import Life, living
from tests.ops.references import BUCKET, put, read

CUSTOM = ("train", "--mode", "custom", "--model-type")
FIRST, SECOND = "default-photos-custom@1", "default-photos-custom@2"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with an AutoML model and two custom ones, of which the second is sure and wrong."""
    with living(tmp_path_factory.mktemp("evaluate")) as found:
        found.result("train")
        found.result(*CUSTOM, "linear")
        second = found.result(*CUSTOM, "cnn")
        name = f"runs/{second['run']}/model/predictions.jsonl"
        rows = [json.loads(line) for line in read(found, name).decode().splitlines()]
        put(found, name, "".join(json.dumps(mistaken(row)) + "\n" for row in rows))
        yield found


def mistaken(row: dict[str, Any]) -> dict[str, Any]:
    """A t-shirt that is taken for a red shoe."""
    if row["labels"] != ["t_shirt"]:
        return row
    return {**row, "prediction": "red_shoe", "scores": [0.02, 0.9, 0.08]}


def test_the_surest_mistakes_are_named_by_the_users_labels(life: Life) -> None:
    """In the terminal with their address, in JSON too, with every threshold and label."""
    text = life.run("evaluate", "--model", SECOND, "--thresholds").out
    found = life.result("evaluate", "--model", SECOND)

    assert "\nscore  precision  recall     F1\n    0      0.333   1.000  0.500\n" in text
    assert "label     photos  precision  recall     F1  auPrc\n" in text
    mistake = found["mistakes"][0]
    assert (mistake["labels"], mistake["prediction"], mistake["score"]) == (
        ["t-shirt"],
        "red shoe",
        0.9,
    )
    assert f"\nred shoe          0.90  t-shirt  {mistake['source']}\n" in text
    assert mistake["source"].startswith("t-shirt/") and mistake["uri"].startswith("gs://")
    assert len(found["mistakes"]) == 1
    assert [row["threshold"] for row in found["thresholds"]] == [0.0, 0.5]
    assert len(found["labels"][0]["curve"]) == 2


def test_the_page_has_its_pictures_from_the_bucket(life: Life) -> None:
    """Under the state folder unless told otherwise; a photo that is gone is counted."""
    file = life.home / "page.html"
    usual = life.result("evaluate", "--model", SECOND)["page"]
    said = life.run("evaluate", "--model", SECOND, "--html", str(file)).out

    assert usual == str(life.home / "state" / "default" / "evaluations" / f"{SECOND}.html")
    assert f"Page {file} (0.0 MB, 3 pictures): open it in a browser, no network needed" in said
    assert file.read_text().count("<figure data-true") == 3
    assert 'src="data:image/png;base64,' in file.read_text()


def test_a_page_that_cannot_be_kept_hides_no_figures(life: Life) -> None:
    """Its usual place is no folder: said, and the figures all the same; with --html an error."""
    blocked = life.home / "blocked"
    blocked.write_text("")
    words = ("evaluate", "--model", FIRST)

    usual = life.run(*words, OPS_STATE_DIR=str(blocked))
    asked = life.run(*words, "--html", str(blocked / "page.html"))

    assert usual.code == 0
    assert "100.0% of 3 test photos right (95 % sure: 43.9% to 100.0%)\n" in usual.out
    assert f"No page: {blocked}" in usual.err and "--html FILE puts it elsewhere" in usual.err
    assert asked.code != 0


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("gone/deeper/x.html", "there is no folder gone/deeper.\nType: mkdir -p gone/deeper "),
        ("photos", "--html is a file. photos is a folder.\nType --html photos/evaluation.html"),
    ],
)
def test_a_page_is_not_put_where_it_cannot_be(life: Life, file: str, message: str) -> None:
    """A mistyped folder is not made."""
    refused = life.run("evaluate", "--model", FIRST, "--html", file)

    assert refused.code == 2 and message in refused.err
    assert not (life.home / "gone").exists()


def test_two_models_are_compared_on_the_same_photos(life: Life) -> None:
    """Who is right where, McNemar's exact p, which photos; and a page of it."""
    words = ("evaluate", "--model", FIRST, "--compare", SECOND)
    found = life.result(*words)
    text = life.run(*words).out

    photos = found["photos"]
    counts = {key: photos[key] for key in ("common", "both_right", "only_a_right", "only_b_right")}
    assert counts == {"common": 3, "both_right": 2, "only_a_right": 1, "only_b_right": 0}
    assert (photos["same_answer"], photos["mcnemar_exact_p"]) == (2, 1.0)
    assert photos["differing"][0]["b"] == {"prediction": "red shoe", "score": 0.9}
    assert "A is right on 1 photo that the other has wrong" in text
    assert "may well be chance" in text
    assert "Only A is right" in Path(found["page"]).read_text()


def test_without_single_photos_only_figures_are_compared(life: Life) -> None:
    """Said with what to type; the figures stand side by side."""
    words = ("evaluate", "--model", FIRST, "--compare", "default-photos-automl")
    found = life.result(*words)
    text = life.run(*words).out

    assert found["photos"] is None
    assert "Figures only, from the same test photos. No predictions of single photos of " in text
    assert "Type: ops deploy --check" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--compare", FIRST), 2, f"Error: --compare {FIRST} is the same model: "),
        (("--compare", "hats"), 4, "Error: There is no model hats in local-project, us-central1."),
        (("--threshold", "2"), 2, "Error: --threshold is from 0 to 1. Received: 2."),
    ],
)
def test_what_cannot_be_compared_is_refused(
    life: Life, words: tuple[str, ...], code: int, message: str
) -> None:
    """Each refusal says what was received."""
    refused = life.run("evaluate", "--model", FIRST, *words)

    assert refused.code == code
    assert message in refused.err


def test_a_broken_row_of_predictions_is_named(life: Life) -> None:
    """File and line, not a traceback."""
    run = life.result("evaluate", "--model", FIRST)["run"]
    name = f"runs/{run}/model/predictions.jsonl"
    whole = read(life, name).decode()
    put(life, name, whole + '{"uri": "gs://x/y.png"}\n')
    refused = life.run("evaluate", "--model", FIRST)
    put(life, name, whole)

    assert refused.code == 3
    assert f"gs://{BUCKET}/{name}, line 4: not a row of predictions" in refused.err


def test_a_training_on_this_machine_is_evaluated_from_its_folder(life: Life) -> None:
    """By its run, alone and beside a model of the registry; other commands say where it is."""
    run = life.result("evaluate", "--model", FIRST)["run"]
    local, folder = f"{run}1", life.home / "local" / "model"
    folder.mkdir(parents=True)
    for name in ("evaluation.json", "predictions.jsonl", "labels.txt"):
        (folder / name).write_bytes(read(life, f"runs/{run}/model/{name}"))
    put(life, f"runs/{local}/plan.json", read(life, f"runs/{run}/plan.json").decode())
    result = json.loads(read(life, f"runs/{run}/result.json"))
    put(
        life, f"runs/{local}/result.json", json.dumps({**result, "result": {"folder": str(folder)}})
    )

    of_model, of_folder = (life.result("evaluate", "--run", one) for one in (run, local))
    both = life.result("evaluate", "--model", SECOND, "--compare", local)
    refused = life.run("deploy", "--model", local, "--ttl", "30m")
    (folder / "evaluation.json").unlink()
    gone = life.run("evaluate", "--run", local)

    figures = ("au_prc", "accuracy", "photos", "thresholds", "labels", "confusion", "mistakes")
    assert [of_folder[key] for key in figures] == [of_model[key] for key in figures]
    assert (of_folder["model"], of_folder["run"]) == (str(folder), local)
    assert Path(of_folder["page"]).name == f"{local}.html"
    assert of_folder["confusion"]["labels"] == ["0", "red shoe", "t-shirt"]
    assert both["photos"]["only_b_right"] == 1
    assert f"its model is the folder {folder}, and in no registry" in refused.err
    assert f"Type: ops evaluate --run {local}" in refused.err
    assert gone.code == 4 and "evaluation.json cannot be read any more" in gone.err
