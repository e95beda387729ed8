"""`ops explain` as typed, on a local cloud whose models the trainer's own server explains."""

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud import ROOT
from tests.ops.life import Life, living, told

ENGINE = "tests.ops.explaining_engine"
PHOTO = "photos/t-shirt/0.png"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a custom model deployed."""
    folder = tmp_path_factory.mktemp("explain")
    python = f"env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m {ENGINE}"
    gate = shlex.quote(str(folder / "home" / "gate"))
    with living(folder, f"{python} train {gate}", f"{python} serve", ENGINE) as found:
        found.result("train", "--mode", "custom", "--model-type", "linear")
        found.result("deploy", "--ttl", "30m")
        ready(found)
        yield found


def ready(life: Life) -> None:
    """Returns when the model explains: loading it may take more than an answer's 60 s."""
    end = time.monotonic() + 300
    while (ran := life.run("explain", PHOTO)).code == 6:
        assert time.monotonic() < end, ran.err
    assert ran.code == 0, ran.err


def test_a_custom_model_explains_in_numbers_and_pictures(life: Life) -> None:
    """A row a photo, its picture, and one page that holds them all."""
    ran = life.run("explain", PHOTO, "photos/0/1.png", "--to", "why")

    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    page = (life.home / "why" / "explanations.html").read_text()
    assert lines[0].split()[:3] == ["photo", "label", "score"]
    assert lines[1].startswith(f"{PHOTO}") and "t-shirt  1.000" in lines[1]
    assert lines[1].endswith("why/0-explained.jpg")
    assert lines[2].endswith("why/1-explained.jpg")
    assert lines[-1] == "Page  why/explanations.html"
    assert (life.home / "why/0-explained.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "<bdi>t-shirt</bdi>" in page and "://" not in page


def test_any_label_can_be_explained_by_the_users_own_name(life: Life) -> None:
    """With its own score, a map that adds up to it, and a file of its own for each label."""
    words = ("explain", PHOTO, "--label", "red shoe", "--label", "t-shirt", "--steps", "32")

    found = life.result(*words, "--method", "ig")

    red, shirt = found["explanations"]
    assert (red["label"], shirt["label"]) == ("red shoe", "t-shirt")
    assert red["score"] < 0.1 < 0.9 < shirt["score"]
    assert shirt["completeness_error"] < 0.01
    rise = shirt["score"] - shirt["baseline_score"]
    assert sum(map(sum, shirt["map"])) == pytest.approx(rise, rel=0.02)
    assert shirt["photo"] == {"width": 40, "height": 30}
    assert Path(shirt["picture"]).name == "0-t_shirt-explained.jpg"
    assert Path(found["page"]).is_file()


def test_what_is_asked_wrongly_is_said_before_anything_is_asked(life: Life) -> None:
    """A label that the model does not have, a method that there is not."""
    label = life.run("explain", PHOTO, "--label", "hat")
    method = life.run("explain", PHOTO, "--method", "shap")

    assert (label.code, method.code) == (4, 2)
    assert told(label) == (
        "Error: The deployed model has no label hat.\nIts labels: 0, red shoe, t-shirt\n"
    )
    assert told(method) == "Error: --method is xrai or ig. Received: shap.\nType --method xrai\n"


def test_a_bad_photo_among_others_is_reported(life: Life) -> None:
    """The others are explained; the exit code says that data were bad."""
    (life.home / "notes.jpg").write_text("not a photo")

    ran = life.run("explain", "notes.jpg", PHOTO, "photos/0", "--to", "some")

    assert ran.code == 3
    assert told(ran).splitlines()[0].startswith("Error: notes.jpg: not a photo")
    assert told(ran).splitlines()[-1] == "Type: ops explain photos/0/*"
    assert [one.name for one in sorted((life.home / "some").iterdir())] == [
        "0-explained.jpg",
        "explanations.html",
    ]


def test_an_automl_model_explains_where_it_was_deployed_so(life: Life) -> None:
    """Refused with what to type; then by Vertex AI's own explain, with a picture."""
    life.result("undeploy")
    life.result("train")
    life.result("deploy", "--model", "default-photos-automl", "--ttl", "30m")

    refused = life.run("explain", PHOTO)
    life.result("undeploy")
    life.result("deploy", "--model", "default-photos-automl", "--ttl", "30m", "--explain")
    ready(life)
    found = life.result("explain", PHOTO)["explanations"][0]
    labelled = life.run("explain", PHOTO, "--label", "0")

    assert refused.code == 5
    assert "gives no explanations" in told(refused) and "ops deploy --explain" in told(refused)
    assert (found["label"], found["regions"]) == ("t-shirt", [])
    assert found["score"] > 0.9 > found["baseline_score"]
    assert Path(found["picture"]).read_bytes().startswith(b"\xff\xd8\xff")
    assert (labelled.code, told(labelled).splitlines()[-1]) == (2, "Leave out --label.")
