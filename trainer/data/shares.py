"""Which photo trains, validates and tests, where nobody has said: the rule of docs/formats.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from trainer.data.dataset import Row

TRAINING, VALIDATION, TEST = "training", "validation", "test"
HELD_OUT = 0.1
SPLIT_WORDS = {
    "train": TRAINING,
    "training": TRAINING,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}


def shared_out(rows: Sequence[Row]) -> list[Row]:
    """The rows with a split: for each label, the rarest first, ranked by hash, 80/10/10.

    A label that validation or test then lacks gives it a tenth of its training photos, never the
    last one.
    The rows' order and place do not matter; those without a label keep the split "".
    """
    groups = _by_label(rows)
    chosen: dict[str, str] = {}
    for group in groups.values():
        _share_out(group, chosen)
    left = Counter(
        label
        for label, group in groups.items()
        for row in group
        if chosen[row.identity] == TRAINING
    )
    for group in groups.values():
        for split in (VALIDATION, TEST):
            _fill(group, split, chosen, left)
    return [replace(row, split=chosen.get(row.identity, "")) for row in rows]


def _by_label(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each label by hash; the rarest label first."""
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.identity):
        for label in row.labels:
            groups.setdefault(label, []).append(row)
    return dict(sorted(groups.items(), key=lambda pair: (len(pair[1]), pair[0])))


def _share_out(group: Sequence[Row], chosen: dict[str, str]) -> None:
    free = [row.identity for row in group if row.identity not in chosen]
    held = round(len(free) * HELD_OUT)
    for rank, identity in enumerate(free):
        chosen[identity] = TEST if rank < held else VALIDATION if rank < 2 * held else TRAINING


def _fill(group: Sequence[Row], split: str, chosen: dict[str, str], left: Counter[str]) -> None:
    if any(chosen[row.identity] == split for row in group):
        return
    training = [row for row in group if chosen[row.identity] == TRAINING]
    wanted = max(1, round(len(training) * HELD_OUT))
    for row in training:
        if wanted and all(left[label] > 1 for label in row.labels):
            chosen[row.identity] = split
            left.subtract(row.labels)
            wanted -= 1
