"""A subset for a quick run, and a file of the labels that may be."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.data.allowed import keep_allowed
from ops.data.check import check
from ops.data.listing import Candidate, Listing
from ops.data.sources import read_source
from ops.data.split import TEST, TRAINING
from ops.data.subset import least, subset
from tests.ops.photo_files import write_photos


def candidates(sizes: dict[str, int], split: str | None = None) -> list[Candidate]:
    """So many photos of each label, that nobody looks at."""
    return [
        Candidate(Path(f"{label}/{n}.jpg"), "", (label,), split, source=f"{split}/{label}/{n}.jpg")
        for label, number in sizes.items()
        for n in range(number)
    ]


@settings(deadline=None)
@given(st.lists(st.integers(10, 300), min_size=2, max_size=6), st.integers(60, 500), st.randoms())
def test_a_subset_has_every_label_in_proportion(
    sizes: list[int], number: int, shuffler: Random
) -> None:
    """So many photos, at least ten of each label, the same whatever the order of the listing."""
    every = candidates({f"label{n}": size for n, size in enumerate(sizes)})
    chosen = subset(every, number)
    shuffled = list(every)
    shuffler.shuffle(shuffled)

    found = Counter(one.labels[0] for one in chosen)
    assert {one.source for one in subset(shuffled, number)} == {one.source for one in chosen}
    sources = {one.source for one in chosen}
    assert chosen == [one for one in every if one.source in sources]
    assert len(chosen) == min(number, len(every))
    assert least(every) == 10 * len(sizes)
    for n, size in enumerate(sizes):
        share = size * number / len(every)
        assert 10 <= found[f"label{n}"] <= max(10, share + len(sizes))


def test_a_subset_keeps_the_users_splits() -> None:
    """A split of the user's own is cut in proportion too, never away."""
    every = [*candidates({"a": 80, "b": 80}, TRAINING), *candidates({"a": 20, "b": 2}, TEST)]

    found = Counter((one.labels[0], one.split) for one in subset(every, 40))

    assert found["b", TEST] == 1
    assert 3 <= found["a", TEST] <= 5
    assert found.total() == 40


def test_a_subset_of_several_labels() -> None:
    """Rare labels first: each has ten photos."""
    every = [
        Candidate(Path("x"), "", ("red", "hat") if n % 8 == 0 else ("red",), source=str(n))
        for n in range(160)
    ]

    found = Counter(label for one in subset(every, 40) for label in one.labels)

    assert found["hat"] == 10
    assert found["red"] == 40


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Cats, dogs and a folder with a mistyped name."""
    return write_photos(tmp_path / "pets", {"cat": 10, "dog": 10, "dgo": 3})


def allowed(pets: Path, content: str | bytes) -> Listing:
    """The folder, with a labels file of this content."""
    file = pets.parent / "labels.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    listing = read_source(pets)
    keep_allowed(listing, file)
    return listing


def said(listing: Listing, pets: Path) -> list[str]:
    """The problems, with the test's own folder left off."""
    return [str(problem).replace(f"{pets.parent}/", "") for problem in listing.problems]


def test_other_labels_are_told_with_the_nearest_names(pets: Path) -> None:
    """One problem for a label, with how many photos it stands for; the others go on."""
    listing = allowed(pets, "dog\ncat\n")

    assert said(listing, pets) == [
        "pets/dgo/00.jpg: the label “dgo” is not in labels.txt (3 photos have it). "
        "Nearest: “dog”. Correct it, or add it to labels.txt."
    ]
    assert {one.labels for one in listing.candidates} == {("cat",), ("dog",)}
    assert check(listing).left_out == 3


def test_a_labels_file_may_be_the_labels_txt_of_a_data_set(pets: Path) -> None:
    """Safe name, tab, the user's own; a label without photos is told, and no problem."""
    listing = allowed(pets, "cat\tcat\ndog\tdog\ndgo\tdgo\nlabel_0\t0\n")
    checked = check(listing)

    assert listing.understood == (
        "a folder per class; of the labels in labels.txt, no photo has “0”"
    )
    assert [str(problem) for problem in checked.problems] == [
        "label “dgo”: 3 photos; a label needs at least 10. Add photos of it, or remove it.",
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the labels file is empty."),
        (b"caf\xe9\n", "the labels file is not UTF-8."),
        ("cat\n".encode("utf-16"), "the labels file is UTF-16."),
    ],
)
def test_a_labels_file_that_is_none(pets: Path, content: bytes, what: str) -> None:
    """Empty or of another encoding: one problem that stops the import."""
    listing = allowed(pets, content)

    assert said(listing, pets) == [f"labels.txt: {what} Write a label a line, in UTF-8."]
    assert check(listing).must_stop


def test_a_labels_file_that_is_not_there(pets: Path) -> None:
    """A path that leads nowhere is named."""
    listing = read_source(pets)

    keep_allowed(listing, pets / "none.txt")

    assert said(listing, pets) == [
        "pets/none.txt: the labels file cannot be read (No such file or directory). "
        "Type the path of a file with a label a line."
    ]
