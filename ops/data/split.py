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

HELD_OUT_FRACTION = 0.1


@dataclass(frozen=True, slots=True)
class Unsplit:
    """A photo, known by its hash, with its label and the split its user gave it, if any."""

    sha256: str
    label: str
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The split of every photo by its hash; `moved` counts, by label and split, the training photos
    that were taken because the user's own split had none of that label there."""

    splits: Mapping[str, str]
    moved: Mapping[tuple[str, str], int]
    given: int


def decide(photos: Iterable[Unsplit], earlier: Mapping[str, str] | None = None) -> Decision:
    """The split of every photo; the order of `photos` does not matter.

    The user's own wins, then that of an earlier version of the data set, else per label, ranked
    by hash, 80/10/10. A label that is then missing from validation or test takes a tenth of its
    training photos, at least one; its last training photo stays.
    """
    splits: dict[str, str] = {}
    moved: dict[tuple[str, str], int] = {}
    given = 0
    for label, group in sorted(_by_label(photos).items()):
        given += sum(photo.given is not None for photo in group)
        chosen = _decide_label(group, earlier or {})
        for split in (VALIDATION, TEST):
            taken = _fill(chosen, split)
            if taken:
                moved[label, split] = taken
        splits.update(chosen)
    return Decision(splits, moved, given)


def counts(splits: Iterable[str]) -> dict[str, int]:
    """How many photos each split has, in the order training, validation, test."""
    found = Counter(splits)
    return {split: found[split] for split in SPLITS}


def _by_label(photos: Iterable[Unsplit]) -> dict[str, list[Unsplit]]:
    groups: dict[str, list[Unsplit]] = {}
    for photo in photos:
        groups.setdefault(photo.label, []).append(photo)
    return groups


def _decide_label(group: Sequence[Unsplit], earlier: Mapping[str, str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    free = []
    for photo in group:
        known = photo.given or earlier.get(photo.sha256)
        if known is None:
            free.append(photo.sha256)
        else:
            chosen[photo.sha256] = known
    chosen.update(_ranked(sorted(free)))
    return chosen


def _ranked(hashes: Sequence[str]) -> dict[str, str]:
    """80/10/10 in the order of the hashes; each tenth is rounded, and held out first."""
    held_out = round(len(hashes) * HELD_OUT_FRACTION)
    bounds = {TEST: held_out, VALIDATION: 2 * held_out}
    return {
        sha256: next((split for split, bound in bounds.items() if rank < bound), TRAINING)
        for rank, sha256 in enumerate(hashes)
    }


def _fill(chosen: dict[str, str], split: str) -> int:
    """How many training photos went to a split that had none; 0 when it had some."""
    if split in chosen.values():
        return 0
    training = sorted(sha256 for sha256, known in chosen.items() if known == TRAINING)
    taken = min(max(1, round(len(training) * HELD_OUT_FRACTION)), len(training) - 1)
    for sha256 in training[: max(taken, 0)]:
        chosen[sha256] = split
    return max(taken, 0)
