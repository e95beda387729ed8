"""Who trains and who tests is decided by the photos alone."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ops.data.split import SPLITS, TEST, TRAINING, VALIDATION, Unsplit, decide

hashes = st.integers(0, 2**64).map(lambda number: f"{number:064x}")
photos = st.lists(
    st.builds(
        Unsplit,
        sha256=hashes,
        labels=st.sampled_from("abc").map(lambda label: (label,)),
        given=st.sampled_from((None, None, *SPLITS)),
    ),
    unique_by=lambda photo: photo.sha256,
    max_size=200,
)


def of_label(label: str, number: int, split: str | None = None, seed: int = 0) -> list[Unsplit]:
    """Photos of one label with hashes drawn at random."""
    draw = random.Random(f"{label}{seed}")
    return [Unsplit(f"{draw.getrandbits(256):064x}", (label,), split) for _ in range(number)]


@given(photos, st.randoms())
def test_the_order_of_the_photos_does_not_matter(
    photos: list[Unsplit], shuffler: random.Random
) -> None:
    """Another listing order gives the same split."""
    shuffled = list(photos)
    shuffler.shuffle(shuffled)

    assert decide(photos) == decide(shuffled)


@given(photos)
def test_every_photo_gets_one_split(photos: list[Unsplit]) -> None:
    """None is left out, and only Vertex's three names are used."""
    splits = decide(photos).splits

    assert set(splits) == {photo.sha256 for photo in photos}
    assert set(splits.values()) <= set(SPLITS)


@given(photos)
def test_the_users_own_split_wins(photos: list[Unsplit]) -> None:
    """What the user held out stays held out; only a label's empty split takes training photos."""
    decision = decide(photos)

    moved = {label for label, _ in decision.moved}
    for photo in photos:
        kept = decision.splits[photo.sha256] == photo.given
        assert photo.given is None or kept or (photo.given == TRAINING and moved & {*photo.labels})


@given(photos)
def test_every_label_is_in_every_split(photos: list[Unsplit]) -> None:
    """A label with three photos that may train is trained, validated and tested."""
    splits = decide(photos).splits
    for label in "abc":
        group = [photo for photo in photos if label in photo.labels]
        if sum(photo.given in (None, TRAINING) for photo in group) >= 3:
            assert {splits[photo.sha256] for photo in group} == set(SPLITS)


@given(st.integers(10, 400))
def test_a_tenth_is_held_out_twice(number: int) -> None:
    """80/10/10 of each label, to the nearest photo."""
    found = Counter(decide(of_label("a", number)).splits.values())

    assert found[VALIDATION] == found[TEST] == round(number / 10)


@given(photos, photos)
def test_an_earlier_version_keeps_its_split(old: list[Unsplit], new: list[Unsplit]) -> None:
    """A photo that was in an earlier version stays where it was, unless the user says otherwise."""
    earlier = decide(old).splits
    decision = decide(new, earlier)

    moved = {label for label, _ in decision.moved}
    for photo in new:
        if photo.given is None and photo.sha256 in earlier and not moved & {*photo.labels}:
            assert decision.splits[photo.sha256] == earlier[photo.sha256]


def test_a_missing_split_is_taken_from_training_and_counted() -> None:
    """With train and test folders only, a tenth of the training photos validates."""
    given = [*of_label("a", 40, TRAINING), *of_label("a", 5, TEST, seed=1)]

    decision = decide(given)

    assert decision.moved == {("a", VALIDATION): 4}
    assert Counter(decision.splits.values()) == {TRAINING: 36, VALIDATION: 4, TEST: 5}
    assert decision.given == 45
