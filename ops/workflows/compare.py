"""Two models on the same test photos: who is right where, and whether that may be chance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import evaluate
from ops.workflows.evaluate import Evaluated
from ops.workflows.evaluate_photos import Judged, Photos


@dataclass(frozen=True)
class Pair:
    """One photo as both models saw it; `same` when they said the same of it."""

    a: Judged
    b: Judged
    a_right: bool
    b_right: bool
    same: bool


@dataclass(frozen=True)
class Compared:
    """Two models; `pairs` are the photos that both saw, None where single photos were not kept.

    `left_out` counts the photos that only one saw, or whose true labels differ; `note` says what
    the comparison rests on.
    """

    a: Evaluated
    b: Evaluated
    threshold: float
    pairs: tuple[Pair, ...] | None
    left_out: int
    note: str

    def count(self, a_right: bool, b_right: bool) -> int:
        """How many photos went this way."""
        ways = ((pair.a_right, pair.b_right) for pair in self.pairs or ())
        return sum(way == (a_right, b_right) for way in ways)

    @property
    def same(self) -> int:
        """Of how many photos both said the same."""
        return sum(pair.same for pair in self.pairs or ())

    @property
    def p_value(self) -> float:
        """How likely so uneven a result is if both models were equally good; 0-1."""
        return mcnemar(self.count(True, False), self.count(False, True))

    @property
    def differing(self) -> list[Pair]:
        """The photos that just one model had right, the surest mistake first."""
        found = [pair for pair in self.pairs or () if pair.a_right != pair.b_right]
        return sorted(
            found, key=lambda pair: (pair.a_right, -self.sure_of_mistake(pair), pair.a.uri)
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; `photos` is None where single photos were not kept."""
        return {
            "a": {"model": self.a.model, "run": self.a.run, **self.a.headline()},
            "b": {"model": self.b.model, "run": self.b.run, **self.b.headline()},
            "note": self.note,
            "left_out": self.left_out,
            "photos": self._photos_json() if self.pairs is not None else None,
        }

    def _photos_json(self) -> dict[str, Any]:
        return {
            "common": len(self.pairs or ()),
            "same_answer": self.same,
            "both_right": self.count(True, True),
            "only_a_right": self.count(True, False),
            "only_b_right": self.count(False, True),
            "neither_right": self.count(False, False),
            "mcnemar_exact_p": self.p_value,
            "differing": [
                {
                    "uri": pair.a.uri,
                    "source": pair.a.source or None,
                    "labels": pair.a.true,
                    "right": "a" if pair.a_right else "b",
                    "a": self._said(self.a, pair.a),
                    "b": self._said(self.b, pair.b),
                }
                for pair in self.differing
            ],
        }

    def _said(self, model: Evaluated, row: Judged) -> dict[str, Any]:
        said = {"prediction": row.best, "score": row.scores[row.best]}
        if not model.multi_label:
            return said
        return {**said, "predictions": row.predicted(self.threshold)}

    def sure_of_mistake(self, pair: Pair) -> float:
        """How sure (0-1) the wrong one of the two was: see `Photos.sureness`."""
        model, wrong = (self.b, pair.b) if pair.a_right else (self.a, pair.a)
        return model.photos.sureness(wrong, self.threshold) if model.photos else 0.0


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact test, two-sided: the p-value of this split of the photos that differ.

    Twice the smaller tail of a fair coin thrown `only_a + only_b` times, at most 1. McNemar, "Note
    on the sampling error of the difference between correlated proportions", 1947.
    """
    thrown = only_a + only_b
    tail = sum(
        math.exp(
            math.lgamma(thrown + 1)
            - math.lgamma(heads + 1)
            - math.lgamma(thrown - heads + 1)
            - thrown * math.log(2)
        )
        for heads in range(min(only_a, only_b) + 1)
    )
    return min(1.0, 2 * tail)


def run(
    ledger: Ledger,
    other: str,
    *,
    model: str | None = None,
    run: str | None = None,
    threshold: float = evaluate.DEFAULT_THRESHOLD,
) -> Compared:
    """The model chosen as for `evaluate`, against `other` (a model or a run).

    NOT_FOUND when both have single photos and share none; USAGE when both are the same model.
    """
    evaluate.check_threshold(threshold)
    a = evaluate.chosen(ledger, model, run, threshold)
    b = _other(ledger, other, threshold)
    if a.model == b.model:
        raise OpsError(
            Code.USAGE,
            f"--compare {other} is the same model: {a.model}.",
            "Type: ops models list   or: ops runs",
        )
    return compared(a, b, threshold)


def _other(ledger: Ledger, other: str, threshold: float) -> Evaluated:
    """The model, or the run's, that `--compare` names."""
    try:
        return evaluate.chosen(ledger, other, None, threshold)
    except OpsError as unknown:
        if unknown.code is not Code.NOT_FOUND or names.run_kind(other) != "train":
            raise
        return evaluate.chosen(ledger, None, other, threshold)


def compared(a: Evaluated, b: Evaluated, threshold: float) -> Compared:
    """Both on their common photos, or by their figures only."""
    without = [one for one in (a, b) if one.photos is None]
    if without or a.photos is None or b.photos is None:
        return Compared(a, b, threshold, None, 0, _figures_only(a, b, without))
    pairs, left_out = pair_up(a.photos, b.photos, threshold)
    if pairs:
        left = f"; {left_out} that only one of the two saw are left out" if left_out else ""
        note = f"On {len(pairs)} common test photos{left}{_right_means(a, b, threshold)}."
        return Compared(a, b, threshold, tuple(pairs), left_out, note)
    raise OpsError(
        Code.NOT_FOUND,
        f"The two models have no test photo in common: {len(a.photos.rows)} of {a.model}, "
        f"{len(b.photos.rows)} of {b.model}.",
        "Train both on one data set: ops train --dataset NAME",
    )


def _right_means(a: Evaluated, b: Evaluated, threshold: float) -> str:
    if not (a.multi_label or b.multi_label):
        return ""
    return f"; right is a photo with all its labels, and no other, at a score of {threshold:g}"


def _figures_only(a: Evaluated, b: Evaluated, without: Iterable[Evaluated]) -> str:
    lacking = ", ".join(f"{one.model} ({one.kind})" for one in without)
    same = bool(a.dataset) and a.dataset == b.dataset
    on = "the same test photos" if same else "the test photos of two data sets, which may differ"
    return f"Figures only, from {on}. No predictions of single photos of {lacking}."


def pair_up(a: Photos, b: Photos, threshold: float) -> tuple[list[Pair], int]:
    """The photos that both saw with the same true labels, and how many are left out."""
    others = {row.uri: row for row in b.rows}
    known = {row.uri for row in a.rows} | set(others)
    both = ((row, others[row.uri]) for row in a.rows if row.uri in others)
    pairs = [
        Pair(
            one,
            other,
            a.is_right(one, threshold),
            b.is_right(other, threshold),
            set(a.said(one, threshold)) == set(b.said(other, threshold)),
        )
        for one, other in both
        if set(one.true) == set(other.true)
    ]
    return pairs, len(known) - len(pairs)
