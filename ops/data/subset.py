"""A part of a source for a quick run: the same part every time, every label and split in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from ops.data.labels import MIN_PHOTOS_PER_LABEL
from ops.data.listing import Candidate
from ops.data.split import TEST, VALIDATION

Group = tuple[str, str | None]


def least(candidates: Sequence[Candidate]) -> int:
    """The smallest subset that can be asked for: ten photos of each label."""
    return MIN_PHOTOS_PER_LABEL * len({label for one in candidates for label in one.labels})


def subset(candidates: Sequence[Candidate], number: int) -> list[Candidate]:
    """About `number` of the labelled photos, in the source's order; all when there are no more.

    In proportion to labels and the user's own splits, ranked by the hash of the photos' names, so
    that no photo has to be read to be left out. At least ten of each label that has so many: that
    may make it more than `number` where photos have several labels.
    """
    ranked = sorted(candidates, key=_rank)
    groups: dict[Group, list[Candidate]] = {}
    for one in ranked:
        for group in _groups(one):
            groups.setdefault(group, []).append(one)
    wanted = _wanted(groups, number, sum(bool(one.labels) for one in ranked))
    chosen: dict[int, Candidate] = {}
    have: Counter[Group] = Counter()
    for group in sorted(groups, key=lambda one: (len(groups[one]), str(one))):
        for one in groups[group]:
            if have[group] < wanted[group] and id(one) not in chosen:
                chosen[id(one)] = one
                have.update(_groups(one))
    for one in ranked:
        if len(chosen) < number and one.labels:
            chosen.setdefault(id(one), one)
    return [one for one in candidates if id(one) in chosen]


def _rank(candidate: Candidate) -> tuple[bytes, str]:
    name = candidate.source
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest(), name


def _groups(candidate: Candidate) -> list[Group]:
    return [(label, candidate.split) for label in candidate.labels]


def _wanted(
    groups: Mapping[Group, Sequence[Candidate]], number: int, total: int
) -> dict[Group, int]:
    """How many photos of each group: its share, or its least where that is more.

    What the small groups get beyond their share is taken from the others.
    """
    counts = {group: len(photos) for group, photos in groups.items()}
    budget = min(1.0, number / max(1, total)) * sum(counts.values())
    wanted: dict[Group, int] = {}
    while counts:
        rate = max(0.0, budget) / sum(counts.values())
        small = {group for group, count in counts.items() if count * rate < _least(group, count)}
        if not small:
            return {**wanted, **{group: int(count * rate) for group, count in counts.items()}}
        for group in small:
            wanted[group] = _least(group, counts.pop(group))
            budget -= wanted[group]
    return wanted


def _least(group: Group, count: int) -> int:
    held_out = group[1] in (VALIDATION, TEST)
    return min(count, 1 if held_out else MIN_PHOTOS_PER_LABEL)
