"""The same photo more than once: known by the bytes that would be stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ops.data.photos import Named
from ops.data.problems import Problem
from ops.data.split import TEST, TRAINING, VALIDATION

# A photo that was given to test stays there: training must never see a test photo.
_KEEP_FIRST: dict[str | None, int] = {TEST: 0, VALIDATION: 1, TRAINING: 2, None: 3}
_LISTED = 4
_ONE_LABEL = "Keep the right one and remove the others."


def several_labels(photos: Iterable[Named]) -> list[tuple[Problem, Sequence[Named]]]:
    """A problem for each photo that lies under more than one label, with all its files.

    A photo that is there without a label as well has just the one.
    """
    found: list[tuple[Problem, Sequence[Named]]] = []
    for same in _by_hash(photos):
        labels = sorted(_labels(same))
        if len(labels) > 1:
            words = f"the same photo is under {len(labels)} labels: {_listed(same)}."
            problem = Problem(same[0].where, words, _ONE_LABEL)
            found.append((problem, same))
    return found


def same_photo_once(photos: Sequence[Named]) -> tuple[list[Named], list[str]]:
    """Each photo once, in the same order, and a sentence for each that was there more often.

    It has the labels of all its rows.
    """
    kept: dict[int, Named] = {}
    warnings = []
    for same in _by_hash(photos):
        first = min(same, key=lambda named: _KEEP_FIRST[named.split])
        labels = tuple(_labels(same))
        kept[id(first)] = first if labels == first.labels else replace(first, labels=labels)
        if len(same) > 1:
            others = [named for named in same if named is not first]
            joined = f" Its labels are joined: {', '.join(labels)}." if _differ(same) else ""
            warnings.append(_sentence(first, others) + joined)
    return [kept[id(named)] for named in photos if id(named) in kept], warnings


def _labels(same: Iterable[Named]) -> list[str]:
    """All labels of one photo, each once, in the order in which they are met."""
    return list(dict.fromkeys(label for named in same for label in named.labels))


def _differ(same: Sequence[Named]) -> bool:
    return len({frozenset(named.labels) for named in same}) > 1


def _by_hash(photos: Iterable[Named]) -> list[list[Named]]:
    groups: dict[str, list[Named]] = {}
    for named in photos:
        groups.setdefault(named.photo.sha256, []).append(named)
    return list(groups.values())


def _sentence(first: Named, others: Sequence[Named]) -> str:
    names = ", ".join(named.where for named in others[:_LISTED])
    if len(others) > _LISTED:
        names += f" and {len(others) - _LISTED} more"
    kept = (
        f"kept in {first.split}" if len({first.split, *(o.split for o in others)}) > 1 else "kept"
    )
    return f"{first.where}: {kept} once; the same photo is also {names}."


def _listed(same: Sequence[Named]) -> str:
    words = [f"{', '.join(named.labels) or 'no label'} ({named.where})" for named in same[:_LISTED]]
    more = f" and {len(same) - _LISTED} more" if len(same) > _LISTED else ""
    return ", ".join(words) + more
