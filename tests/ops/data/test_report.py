"""What an import says of its split: whose it is, and what was changed in it, in one line."""

from ops.data.report import split_remarks
from ops.data.split import TEST, TRAINING, Shares, Unsplit, decide


def photos(label: str, number: int, split: str | None = None) -> list[Unsplit]:
    """Photos of one label with hashes of their own."""
    return [Unsplit(f"{label}{split}{n:03}", (label,), split) for n in range(number)]


def said(every: list[Unsplit], shares: Shares | None = None, kept: int = 0) -> list[str]:
    """The remarks on the split of these photos."""
    asked = shares or Shares()
    return split_remarks(decide(every, shares=asked), asked, kept)


def test_a_change_in_the_users_own_split_is_said_with_it() -> None:
    """Whose it is, how many photos went where, of which labels, and why."""
    own = [*photos("a", 18, TRAINING), *photos("a", 2, TEST), *photos("b", 10, TRAINING)]

    assert said(own) == [
        "Split: yours, but 1 training photo became test, which had none of b and 3 training "
        "photos became validation, which had none of a, b (AutoML needs each label in each split)."
    ]
    assert said(own, Shares(0.0, 0.1)) == [
        "Split: yours, but 1 training photo became test, which had none of b (each label is "
        "tested)."
    ]


def test_photos_of_an_earlier_version_are_said_once() -> None:
    """All of them, some of them, or none: one line, which names the shares of the others only."""
    every = photos("a", 40)

    assert said(every, kept=40) == ["Split: as in the earlier version."]
    assert said(every, kept=30) == [
        "Split: 30 photos as in the earlier version, the others 80/10/10 for each label, by their "
        "hash."
    ]
    assert said(every) == ["Split: 80/10/10 for each label, by the photos' hash."]
    assert said([*every, *photos("a", 1, TRAINING)]) == [
        "Split: yours for 1 photo; the others: 80/10/10 for each label, by the photos' hash."
    ]
