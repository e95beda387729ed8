"""Which photo is for training, validation or test, by the split that a pipeline asks for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import listing
from emulator.aiplatform.import_files import ML_USE
from emulator.errors import ApiError

Body = dict[str, Any]
SETS = ("training", "validation", "test")
MIN_LABELS = 2
# "images per label: min 10" (Quotas; Prepare image data, read 2026-08-22).
MIN_PHOTOS_PER_LABEL = 10
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class Example:
    """A labelled photo: bytes, address, resource labels, class labels."""

    sha256: str
    uri: str
    labels: Mapping[str, str]
    annotations: tuple[str, ...]


def assign(examples: list[Example], config: Body) -> dict[str, list[Example]]:
    """The three sets; examples that no filter matches are in none."""
    if "filterSplit" in config:
        chosen = _by_filter(config["filterSplit"])
    elif "predefinedSplit" in config:
        key = config["predefinedSplit"].get("key", ML_USE)
        chosen = lambda example: example.labels.get(key, "").lower()  # noqa: E731
    else:
        chosen = _by_fraction(examples, config.get("fractionSplit"))
    sets: dict[str, list[Example]] = {name: [] for name in SETS}
    for example in examples:
        if (name := chosen(example)) in sets:
            sets[name].append(example)
    return sets


def _by_filter(split: Body) -> Callable[[Example], str]:
    """The first of training, validation, test whose filter matches; `-` matches nothing."""
    tests = []
    for name in SETS:
        text = split.get(f"{name}Filter", "").strip()
        if text != "-":
            tests.append((name, listing.matcher(text)))

    def chosen(example: Example) -> str:
        body = {"labels": dict(example.labels)}
        return next((name for name, test in tests if test(body)), "")

    return chosen


def _by_fraction(examples: list[Example], fractions: Body | None) -> Callable[[Example], str]:
    """Per label, by rank of the photo's hash: the same photos give the same sets."""
    shares = DEFAULT_FRACTIONS
    if fractions is not None:
        sent = [float(fractions.get(f"{name}Fraction", 0)) for name in SETS]
        shares = (sent[0], sent[1], sent[2])
    by_label: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        by_label[example.annotations[0]].append(example.sha256)
    chosen: dict[str, str] = {}
    for hashes in by_label.values():
        ranked = sorted(hashes, key=lambda sha256: hashlib.sha256(sha256.encode()).digest())
        held = [round(len(ranked) * share) for share in shares[1:]]
        held = [max(count, int(share > 0)) for count, share in zip(held, shares[1:], strict=True)]
        names = ["validation"] * held[0] + ["test"] * held[1]
        for sha256, name in zip(ranked, names, strict=False):
            chosen[sha256] = name
    return lambda example: chosen.get(example.sha256, "training")


def check(sets: Mapping[str, list[Example]]) -> list[str]:
    """The labels of the examples used, sorted. INVALID_ARGUMENT as AutoML fails on such data."""
    counts: dict[str, int] = defaultdict(int)
    for examples in sets.values():
        for example in examples:
            for label in example.annotations:
                counts[label] += 1
    if len(counts) < MIN_LABELS:
        raise _refused(f"The dataset must have at least {MIN_LABELS} labels, has {len(counts)}.")
    if few := sorted(label for label, n in counts.items() if n < MIN_PHOTOS_PER_LABEL):
        need = f"Each label needs {MIN_PHOTOS_PER_LABEL} images"
        raise _refused(f"{need}; too few for: {_some(few)}.")
    for name, examples in sets.items():
        present = {label for example in examples for label in example.annotations}
        if missing := sorted(set(counts) - present):
            raise _refused(f"The {name} set has no image of: {_some(missing)}.")
    return sorted(counts)


def _some(labels: list[str]) -> str:
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(labels[:10]) + more


def _refused(problem: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"Cannot train on this data. {problem}")
