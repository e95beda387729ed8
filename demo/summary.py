"""What a person reads at the end of the demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_MATRIX_LABELS = 20


@dataclass(frozen=True)
class Example:
    """A photo that training never saw, its true label, and what the endpoint answered."""

    photo: str
    truth: str
    answer: str
    score: float


@dataclass(frozen=True)
class Told:
    """The results of the steps, as `ops --json` gave them."""

    imported: Mapping[str, Any]
    evaluated: Mapping[str, Any]
    examples: Sequence[Example]
    usd_measured: float
    usd_at_most: float
    usd_per_hour: float
    left: Sequence[str]
    seconds: float


def text(told: Told) -> str:
    """The summary: photos, labels, accuracy, confusion matrix, examples, dollars, what is left."""
    evaluated = told.evaluated
    parts = [
        f"Done in {told.seconds:.0f} s.",
        "",
        f"photos       {told.imported['photos']} under {len(told.imported['labels'])} labels",
        f"accuracy     {evaluated['accuracy']:.3f} on {evaluated['photos']} test photos "
        f"(auPRC {evaluated['au_prc']:.3f})",
        f"on Google    at most ${told.usd_at_most:,.2f} to train and ${told.usd_per_hour:,.2f} "
        "an hour to serve; $0.00 here",
        f"             ${told.usd_measured:,.2f} if its machines took as long as this one, "
        "which nobody knows before",
        f"left         {', '.join(told.left) or 'nothing'}",
        "",
        *matrix_lines(evaluated["confusion"]),
        "",
        "Photos that training never saw:",
        *[example_line(example) for example in told.examples],
    ]
    return "\n".join(parts)


def matrix_lines(confusion: Mapping[str, Any]) -> list[str]:
    """The confusion matrix, a row for each true label; its worst pairs when it is too wide."""
    labels, rows = list(confusion["labels"]), list(confusion["rows"])
    if len(labels) > MAX_MATRIX_LABELS:
        return worst_lines(labels, rows)
    names = [label[:12] for label in labels]
    left = max(len(name) for name in names)
    width = max(4, *(len(name) + 1 for name in names))
    head = " " * left + "".join(name.rjust(width) for name in names)
    body = [
        name.ljust(left) + "".join((str(n) if n else ".").rjust(width) for n in row)
        for name, row in zip(names, rows, strict=True)
    ]
    return ["Confusion matrix (rows: true label, columns: predicted):", head, *body]


def worst_lines(labels: Sequence[str], rows: Sequence[Sequence[int]]) -> list[str]:
    """The five pairs of labels that are confused most often."""
    pairs = [
        (count, labels[i], labels[j])
        for i, row in enumerate(rows)
        for j, count in enumerate(row)
        if i != j and count
    ]
    worst = sorted(pairs, reverse=True)[:5]
    return ["Confused most often:", *[f"  {n} x {a} taken for {b}" for n, a, b in worst]]


def example_line(example: Example) -> str:
    """One photo, what it is, and what was answered."""
    verdict = "right" if example.answer == example.truth else f"wrong, it is {example.truth}"
    return f"  {example.photo}: {example.answer} ({example.score:.2f}), {verdict}"
