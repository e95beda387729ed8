"""Labels: Vertex's form of their names, and how many photos each must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ops import names
from ops.data.photos import Named
from ops.data.problems import Problem
from ops.data.split import TEST, VALIDATION

# Image classification, "prepare data" and "quotas", read 2026-08-22.
MIN_PHOTOS_PER_LABEL = 10
MIN_LABELS = 2
MAX_LABELS = 5_000
MAX_PHOTOS = 1_000_000
MAX_IMBALANCE = 100


def safe_names(labels: Iterable[str]) -> dict[str, str]:
    """Safe name → the user's own, for each label, sorted by safe name."""
    return dict(sorted((names.safe_label(label), label) for label in set(labels)))


def collisions(labels: Iterable[str]) -> list[Problem]:
    """A problem for each safe name that two labels would share."""
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(names.safe_label(label), []).append(label)
    return [
        Problem(
            f"labels {' and '.join(f'“{label}”' for label in same)}",
            f"both become {safe}: Vertex takes letters, digits and underscores only.",
            "Rename one of them, or give them one name.",
            skippable=False,
        )
        for safe, same in groups.items()
        if len(same) > 1
    ]


def look_alikes(labels: Iterable[str]) -> list[str]:
    """A sentence for labels that differ in case or spaces only, and so are classes of their own."""
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault("".join(label.casefold().split()), []).append(label)
    return [
        f"labels {' and '.join(f'“{label}”' for label in same)} differ in case or spaces only: "
        f"they are {len(same)} classes. Give them one name if they are one."
        for same in groups.values()
        if len(same) > 1
    ]


def counted(photos: Iterable[Named]) -> Counter[str]:
    """How many photos each label has; a photo with several counts for each of them."""
    return Counter(label for named in photos for label in named.labels)


def too_few(
    photos: Sequence[Named], listed: Sequence[str], empty: Sequence[str]
) -> dict[str, tuple[Problem, Sequence[Named]]]:
    """By label with fewer than 10 usable photos: a problem, and those that have no other label.

    `listed` has the labels of every file that was looked at, `empty` the labels without any.
    """
    usable, every = counted(photos), Counter(listed)
    rare = {label for label in {*every, *empty} if usable[label] < MIN_PHOTOS_PER_LABEL}
    lost: dict[str, list[Named]] = {label: [] for label in rare}
    for named in photos:
        if named.labels and rare.issuperset(named.labels):
            lost[named.labels[0]].append(named)
    return {
        label: (_too_few(label, usable[label], every[label]), lost[label]) for label in sorted(rare)
    }


def without(labels: Collection[str], photos: Sequence[Named]) -> list[Named]:
    """The photos, with none of these labels."""
    if not labels:
        return list(photos)
    return [
        replace(named, labels=tuple(label for label in named.labels if label not in labels))
        for named in photos
    ]


def untrained(photos: Iterable[Named]) -> list[Problem]:
    """A problem for each label whose user gave all its photos to validation and test."""
    trained: dict[str, bool] = {}
    for named in photos:
        may_train = named.split not in (VALIDATION, TEST)
        for label in named.labels:
            trained[label] = trained.get(label, False) or may_train
    return [
        Problem(
            f"label “{label}”",
            "all its photos are for validation or test, none for training.",
            "Move most of them to training.",
            skippable=False,
        )
        for label in sorted(trained)
        if not trained[label]
    ]


def imbalance(photos: Iterable[Named]) -> list[str]:
    """A sentence when the most frequent label has over 100 times the photos of the rarest."""
    numbers = counted(photos).most_common()
    if not numbers or numbers[0][1] <= MAX_IMBALANCE * numbers[-1][1]:
        return []
    (most, many), (least, few) = numbers[0], numbers[-1]
    return [
        f"label “{most}” has {many:,} photos and “{least}” has {few:,}: over {MAX_IMBALANCE} times "
        f"as many. The model will hardly learn “{least}”; add photos of it."
    ]


def unfit(source: str, photos: Sequence[Named]) -> list[Problem]:
    """A problem for a data set as a whole: too few labels, too many labels or photos."""
    found = sorted(counted(photos))
    if len(found) < MIN_LABELS:
        received = f"{len(found)} ({', '.join(found)})" if found else "none"
        words = f"labels with enough photos: {received}; a classifier needs at least {MIN_LABELS}."
        fix = "Add photos of another class. If the classes lie deeper, type the folder that holds "
        return [Problem(source, words, f"{fix}them.", skippable=False)]
    if len(found) > MAX_LABELS:
        words = f"{len(found):,} labels; Vertex takes at most {MAX_LABELS:,}."
        return [Problem(source, words, "Join some of them.", skippable=False)]
    if len(photos) > MAX_PHOTOS:
        words = f"{len(photos):,} photos; Vertex takes at most {MAX_PHOTOS:,}."
        return [Problem(source, words, "Leave some out.", skippable=False)]
    return []


def _too_few(label: str, usable: int, listed: int) -> Problem:
    have = f"{usable} photo{'' if usable == 1 else 's'}"
    if listed > usable:
        have = f"{usable} usable photo{'' if usable == 1 else 's'} of {listed}"
    return Problem(
        f"label “{label}”",
        f"{have}; a label needs at least {MIN_PHOTOS_PER_LABEL}.",
        "Add photos of it, or remove it.",
    )
