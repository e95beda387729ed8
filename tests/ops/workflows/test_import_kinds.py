"""Multi-label and unlabelled photos in the cloud: what Vertex holds is what the list says."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ops.cloud import storage
from ops.cloud.session import Session
from ops.data.split import SPLITS, Shares
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Silent
from ops.workflows import import_dataset as workflow
from ops.workflows import imported, train, train_options
from ops.workflows.import_dataset import Done
from ops.workflows.import_source import Options, look
from tests.ops.photo_files import photo, write_photos

ML_USE = "aiplatform.googleapis.com/ml_use"
LABELS = {n: ["красный", "t-shirt"][n % 2 : 2 if n < 14 else n % 2 + 1] for n in range(36)}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A list of 36 photos with one or two of two labels, and four without any."""
    write_photos(tmp_path, {"p": 40})
    rows = [",".join([f"p/{n:02}.jpg", *labels]) for n, labels in LABELS.items()]
    rows += [f"p/{n:02}.jpg" for n in range(36, 40)]
    (tmp_path / "shop.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path / "shop.csv"


def done(ledger: Ledger, source: Path, options: Options | None = None) -> Done:
    """The outcome of an import of this source."""
    asked = options or Options()
    found = look(str(source), asked, Silent(), source.parent, no_session)
    return workflow.run(ledger, workflow.plan(ledger, found, asked.shares), Silent())


def no_session() -> Session:
    """What is on this machine needs none."""
    raise AssertionError("a session was opened")


def views(ledger: Ledger, dataset: str) -> list[Any]:
    """Every data item with its annotations, read by the API and not by `ops`."""
    client = ledger.session.datasets()
    return list(client.search_data_items(request={"dataset": dataset}))


def test_a_multi_label_list_becomes_a_multi_label_data_set(ledger: Ledger, shop: Path) -> None:
    """Each data item has all its labels; unlabelled ones have none and no ml_use."""
    outcome = done(ledger, shop)

    found = Counter(
        (len(view.annotations), view.data_item.labels.get(ML_USE, ""))
        for view in views(ledger, outcome.result["dataset"])
    )
    expected = Counter(len(labels) for labels in LABELS.values())
    assert found[0, ""] == outcome.result["unlabelled"] == 4
    for number in (1, 2):
        assert sum(found[number, split] for split in SPLITS) == expected[number]
    assert outcome.result["multi_label"]
    assert imported.latest(ledger).multi_label
    assert set(outcome.result["labels"]) == {"красный", "t-shirt"}
    assert all(min(counts.values()) >= 1 for counts in outcome.result["labels"].values())
    assert "4 photos have no label: stored and registered, but not trained on." in outcome.remarks


def test_one_label_is_not_asked_of_photos_with_several(ledger: Ledger, shop: Path) -> None:
    """Refused before a price is shown, where the trainer would only say so in its job."""
    done(ledger, shop)
    asked = train_options.Options(
        "custom", custom=train_options.CustomOptions("cnn", {"multi-label": "no"})
    )

    with pytest.raises(OpsError) as refused:
        train.plan(ledger, asked)

    assert refused.value.code is Code.USAGE
    assert refused.value.message == (
        "--multi-label is no, but photos of data set shop@1 have several labels."
    )
    assert ledger.records("train") == []


def test_single_labels_and_multi_label_are_two_data_sets(ledger: Ledger, tmp_path: Path) -> None:
    """The same photos imported with --multi-label are not taken for the single-label data set."""
    write_photos(tmp_path / "pets", {"cat": 10, "dog": 10})

    single = done(ledger, tmp_path / "pets")
    several = done(ledger, tmp_path / "pets", Options(several=True))

    assert (several.already, several.result["digest"]) == (False, single.result["digest"])
    assert several.result["dataset"] != single.result["dataset"]
    assert done(ledger, tmp_path / "pets").result["dataset"] == single.result["dataset"]


def test_a_split_on_request_is_kept_by_the_next_version(ledger: Ledger, tmp_path: Path) -> None:
    """90/10 once, and unasked for the grown folder; asked for another, all is decided anew."""
    pets = write_photos(tmp_path / "pets", {"cat": 20, "dog": 20})
    first = done(ledger, pets, Options(shares=Shares(0.0, 0.1)))
    for number in range(10):
        (pets / f"cat/new{number}.jpg").write_bytes(photo(f"new{number}"))

    grown = done(ledger, pets)
    other = done(ledger, pets, Options(shares=Shares(0.2, 0.2)))

    assert first.result["splits"] == {"training": 36, "validation": 0, "test": 4}
    assert grown.result["splits"] == {"training": 45, "validation": 0, "test": 5}
    assert (
        "Split: 40 photos as in the earlier version, the others 90/10 for each label, by their "
        "hash." in grown.remarks
    )
    assert "Split: as in the earlier version." in done(ledger, pets).remarks
    assert other.result["splits"] == {"training": 30, "validation": 10, "test": 10}


def test_automl_refuses_a_data_set_without_validation(ledger: Ledger, tmp_path: Path) -> None:
    """A 90/10 split is refused before anything is paid for; a version may be named to train on."""
    pets = write_photos(tmp_path / "pets", {"cat": 20, "dog": 20})
    done(ledger, pets)
    done(ledger, pets, Options(shares=Shares(0.0, 0.1)))

    with pytest.raises(OpsError) as refused:
        imported.check_automl(imported.latest(ledger))
    imported.check_automl(imported.latest(ledger, "pets@1"))

    assert refused.value.code is Code.REFUSED
    assert refused.value.hint.endswith(
        "type: ops train --mode custom --model-type cnn --dataset pets@2"
    )
    assert refused.value.message == ("Data set pets has no validation photos; AutoML needs some.")


SCRIPTS = ("кошка 1", "собака 1", "猫", "犬", "قطة", "👨‍👩‍👧", "n\u0303andu\u0301", "a,b\tc\nd")


def test_labels_in_any_script(ledger: Ledger, tmp_path: Path) -> None:
    """Each has a name of its own that Vertex takes, and is shown as its user wrote it."""
    write_photos(tmp_path, {"p": 80})
    with (tmp_path / "zoo.csv").open("w", encoding="utf-8", newline="") as file:
        rows = ((f"p/{n:02}.jpg", SCRIPTS[n % 8]) for n in range(80))
        csv.writer(file).writerows(rows)

    result = done(ledger, tmp_path / "zoo.csv").result

    shown = {*SCRIPTS[:6], "ñandú", "a,b\\tc\\nd"}
    assert set(result["labels"]) == shown
    text = storage.read_text(
        ledger.session, ledger.session.settings.bucket, f"{result['files']}labels.txt"
    )
    assert text is not None
    pairs = dict(line.split("\t") for line in text.text.splitlines())
    assert set(pairs.values()) == shown
    assert list(pairs) == sorted(pairs)
    assert imported.class_names(ledger, "zoo", result["digest"]) == pairs


def test_one_label_in_two_spellings(ledger: Ledger, tmp_path: Path) -> None:
    """Composed and decomposed folder names look the same, and are the same label; that is said."""
    write_photos(tmp_path / "menu", {"caf\u00e9": 6, "cafe\u0301": 6, "tea": 10})
    for number, path in enumerate(sorted((tmp_path / "menu").glob("caf*/*.jpg"))):
        path.write_bytes(photo(number))

    outcome = done(ledger, tmp_path / "menu")

    assert set(outcome.result["labels"]) == {"café", "tea"}
    assert (
        "Warning: 2 folders are called “café”, spelt in different bytes (Unicode): "
        "they are one label." in outcome.remarks
    )
