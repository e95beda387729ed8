"""`ops predict` as typed, on a local cloud whose engine trains in a blink."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.life import Life, living, told


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A user with a model deployed."""
    with living(tmp_path_factory.mktemp("predict")) as found:
        found.result("train")
        found.result("deploy", "--ttl", "30m")
        yield found


def test_photos_are_answered_with_the_users_own_label(life: Life) -> None:
    """In the order given, with a score; the safe name never shows."""
    text = life.run("predict", "photos/t-shirt/0.png", "photos/0/1.png").out
    found = life.result("predict", "photos/t-shirt/0.png")["predictions"][0]

    assert [line.split("  ")[0] for line in text.splitlines()] == [
        "photo",
        "photos/t-shirt/0.png",
        "photos/0/1.png",
    ]
    assert "photos/0/1.png        0        0.9" in text
    assert (found["key"], found["prediction"]) == ("photos/t-shirt/0.png", "t-shirt")
    assert set(found["scores"]) == {"0", "red shoe", "t-shirt"}
    assert found["score"] == found["scores"]["t-shirt"] > 0.9


def test_a_threshold_asks_for_every_likely_label(life: Life) -> None:
    """Labels and scores from the threshold on, best first; none is said as none, with the best."""
    photo = "photos/t-shirt/0.png"

    all_labels = life.result("predict", photo, "--threshold", "0")
    text = life.run("predict", photo, "--threshold", "0.9").out
    none = life.run("predict", photo, "--threshold", "1").out

    (found,) = all_labels["predictions"]
    assert all_labels["threshold"] == 0
    assert found["predictions"] == sorted(found["scores"], key=lambda n: -found["scores"][n])
    assert text.splitlines()[1] == f"{photo}  t-shirt {found['score']:.3f}"
    assert none.splitlines()[1].startswith(f"{photo}  none; best is t-shirt 0.9")


def test_a_model_of_several_labels_says_them_all(tmp_path: Path) -> None:
    """Trained on rows with two labels, it answers those from 0.5 on without being asked."""
    with living(tmp_path) as life:
        rows = [
            f"photos/{label}/{number}.png,{label},{'wet' if number % 2 else 'dry'}"
            for label in ("red shoe", "t-shirt", "0")
            for number in range(12)
        ]
        (life.home / "several.csv").write_text("\n".join(rows))
        imported = life.result("import-dataset", "several.csv")
        life.result("train", "--dataset", imported["name"])
        life.result("deploy", "--ttl", "30m")

        found = life.result("predict", "photos/t-shirt/0.png")

    assert imported["multi_label"] is True
    assert found["threshold"] == 0.5
    assert found["predictions"][0]["predictions"] == ["t-shirt"]


def test_a_large_turned_photo_is_shrunk_said_so_and_gets_the_same_label(life: Life) -> None:
    """A photo of several megabytes with an EXIF rotation predicts like its small original."""
    write_large(life.home / "large.jpg")

    ran = life.run("predict", "large.jpg")

    assert ran.code == 0
    assert "large.jpg  red shoe" in ran.out
    assert told(ran).startswith("large.jpg: shrunk from 2500×3500 (")
    assert told(ran).endswith(" MB) to fit the request of 1.5 MB\n")


def write_large(path: Path) -> None:
    """A JPEG of over 1.5 MB in shades of red, stored lying on its side."""
    from PIL import Image

    noise = Image.frombytes("L", (3500, 2500), random.Random(0).randbytes(3500 * 2500))
    flat = Image.new("L", noise.size, 30)
    red = Image.merge("RGB", (noise.point(lambda value: 170 + value // 4), flat, flat))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    red.save(out, "JPEG", quality=95, exif=exif)
    assert out.tell() > 1_500_000
    path.write_bytes(out.getvalue())


def test_one_bad_photo_among_many_is_reported_and_the_others_answered(life: Life) -> None:
    """Each error with its file and what to do; the exit code says that data were bad."""
    (life.home / "notes.jpg").write_text("not a photo")

    ran = life.run(
        "predict", "photos/0/0.png", "notes.jpg", "none.jpg", "photos/0", "photos/0/1.png"
    )

    assert ran.code == 3
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == [
        "photos/0/0.png",
        "photos/0/1.png",
    ]
    assert told(ran) == (
        "Error: notes.jpg: not a photo: the content is text, starting with “not a photo”.\n"
        "Replace it by a JPEG or PNG, or remove it.\n"
        "Error: none.jpg: there is no such file.\nCorrect the path or add the file.\n"
        "Error: photos/0 is a folder; photos are files.\nType: ops predict photos/0/*\n"
    )


def test_a_single_bad_photo_is_the_commands_error(life: Life) -> None:
    """With --json the envelope carries it; folders of folders are named one deeper."""
    ran = life.run("predict", "photos", "--json")

    assert ran.code == 2
    assert ran.json["error"] == {
        "code": "usage",
        "message": "photos is a folder; photos are files.",
        "hint": "Type: ops predict photos/*/*",
    }
