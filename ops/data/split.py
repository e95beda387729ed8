"""Which photo trains, which validates, which tests: decided once, and the same everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TRAINING, VALIDATION, TEST = SPLITS = ("training", "validation", "test")
"""Vertex's own names (`aiplatform.googleapis.com/ml_use`)."""

SPLIT_WORDS = {
    "train": TRAINING,
    "training": TRAINING,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
"""What people call the splits, in any case, in folders and in the ML_USE column."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How the photos of a label are shared out, as fractions; what is left over trains."""

    validation: float = 0.1
    test: float = 0.1

    def __str__(self) -> str:
        rest = [self.validation, self.test] if self.validation else [self.test]
        percent = [round(100 * share) for share in rest]
        return "/".join(map(str, [100 - sum(percent), *percent]))

    def of(self, split: str) -> float:
        """The share of validation or test."""
        return self.validation if split == VALIDATION else self.test


def parse_shares(text: str) -> Shares | None:
    """`80/10/10` is training, validation and test in percent, `90/10` training and test.

    None for anything else; whole percents that sum to 100, at least one each.
    """
    parts = text.split("/")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        return None
    percent = [int(part) for part in parts]
    if len(percent) not in (2, 3) or sum(percent) != 100 or min(percent) < 1:
        return None
    return Shares(percent[1] / 100 if len(percent) == 3 else 0.0, percent[-1] / 100)


@dataclass(frozen=True, slots=True)
class Unsplit:
    """A photo, known by its hash, with its labels and the split its user gave it, if any."""

    sha256: str
    labels: tuple[str, ...]
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The split of every photo by its hash; `moved` counts, by label and split, the training photos
    that were taken because the user's own split had none of that label there. `missing` names the
    labels that a split lacks all the same."""

    splits: Mapping[str, str]
    moved: Mapping[tuple[str, str], int]
    given: int
    missing: Mapping[str, tuple[str, ...]]


def decide(
    photos: Iterable[Unsplit],
    earlier: Mapping[str, str] | None = None,
    shares: Shares | None = None,
) -> Decision:
    """The split of every photo; the order of `photos` does not matter.

    The user's own wins, then that of an earlier version of the data set, else per label, ranked
    by hash, 80/10/10. The rarest label is shared out first, since its photos have the fewest
    places to go (K. Sechidis et al., "On the Stratification of Multi-Label Data", 2011). A label
    that is then missing from validation or test takes a tenth of its training photos, at least
    one; the last training photo of any label stays.
    """
    known = sorted(photos, key=lambda photo: photo.sha256)
    groups = _by_label(known)
    chosen = _known(known, earlier or {})
    decided = shares or Shares()
    for label in groups:
        _share_out(groups[label], chosen, decided)
    moved: dict[tuple[str, str], int] = {}
    left = _training(known, chosen)
    for label, group in groups.items():
        for split in (VALIDATION, TEST):
            if decided.of(split) and (taken := _fill(group, chosen, split, left, decided)):
                moved[label, split] = taken
    given = sum(photo.given is not None for photo in known)
    return Decision(chosen, moved, given, _missing(groups, chosen))


def counts(splits: Iterable[str]) -> dict[str, int]:
    """How many photos each split has, in the order training, validation, test."""
    found = Counter(splits)
    return {split: found[split] for split in SPLITS}


def _by_label(photos: Sequence[Unsplit]) -> dict[str, list[Unsplit]]:
    """The photos of each label by hash; the rarest label first."""
    groups: dict[str, list[Unsplit]] = {}
    for photo in photos:
        for label in photo.labels:
            groups.setdefault(label, []).append(photo)
    return dict(sorted(groups.items(), key=lambda pair: (len(pair[1]), pair[0])))


def _known(photos: Sequence[Unsplit], earlier: Mapping[str, str]) -> dict[str, str]:
    """The splits that are not to be decided."""
    found = {photo.sha256: photo.given or earlier.get(photo.sha256) for photo in photos}
    return {sha256: split for sha256, split in found.items() if split}


def _share_out(group: Sequence[Unsplit], chosen: dict[str, str], shares: Shares) -> None:
    """A split for each photo of a label that has none yet: held out first, in order of the hashes.

    What rarer labels held out of these photos counts; what the user gave, or an earlier version,
    does not.
    """
    free = [photo.sha256 for photo in group if photo.sha256 not in chosen]
    bounds = {split: round(len(free) * shares.of(split)) for split in (TEST, VALIDATION)}
    for rank, sha256 in enumerate(free):
        if rank < bounds[TEST]:
            chosen[sha256] = TEST
        elif rank < bounds[TEST] + bounds[VALIDATION]:
            chosen[sha256] = VALIDATION
        else:
            chosen[sha256] = TRAINING


def _training(photos: Sequence[Unsplit], chosen: Mapping[str, str]) -> Counter[str]:
    """How many training photos each label has."""
    return Counter(
        label for photo in photos if chosen.get(photo.sha256) == TRAINING for label in photo.labels
    )


def _fill(
    group: Sequence[Unsplit],
    chosen: dict[str, str],
    split: str,
    left: Counter[str],
    shares: Shares,
) -> int:
    """How many training photos went to a split that had none; 0 when it had some."""
    if any(chosen[photo.sha256] == split for photo in group):
        return 0
    training = [photo for photo in group if chosen[photo.sha256] == TRAINING]
    wanted, taken = max(1, round(len(training) * shares.of(split))), 0
    for photo in training:
        if taken < wanted and all(left[label] > 1 for label in photo.labels):
            chosen[photo.sha256] = split
            left.subtract(photo.labels)
            taken += 1
    return taken


def _missing(
    groups: Mapping[str, Sequence[Unsplit]], chosen: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """By split, the labels that it has no photo of."""
    found: dict[str, list[str]] = {}
    for label, group in sorted(groups.items()):
        there = {chosen[photo.sha256] for photo in group}
        for split in SPLITS:
            if split not in there:
                found.setdefault(split, []).append(label)
    return {split: tuple(labels) for split, labels in found.items()}
