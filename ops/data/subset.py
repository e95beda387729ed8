"""A part of a source for a quick run: the same part every time, every label and split in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

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
    total = sum(bool(one.labels) for one in ranked)
    chosen: dict[int, Candidate] = {}
    have: Counter[Group] = Counter()
    for group in sorted(groups, key=lambda one: (len(groups[one]), str(one))):
        wanted = _share(group, len(groups[group]), number, total)
        for one in groups[group]:
            if have[group] < wanted and id(one) not in chosen:
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


def _share(group: Group, count: int, number: int, total: int) -> int:
    held_out = group[1] in (VALIDATION, TEST)
    return max(min(count, 1 if held_out else MIN_PHOTOS_PER_LABEL), count * number // total)
