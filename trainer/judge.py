"""Who wins on validation photos: counts and errors of counts, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.models.linear import Labels, log_loss

# A candidate this far behind after a trial on few photos is not trained on all of them.
CLEARLY_BEHIND = 0.1
FEWEST_JUDGES = 30


@dataclass(frozen=True)
class Score:
    """How one candidate answered the photos that judge all: which were right, and the log loss."""

    right: NDArray[np.bool_]
    log_loss: float

    @property
    def accuracy(self) -> float:
        """The share (0–1) of right answers; 0 without photos."""
        return float(self.right.mean()) if len(self.right) else 0.0


def score(logits: NDArray[np.float64], truth: Labels) -> Score:
    """The score of logits `(photos, labels)` against true label indices `(photos,)`."""
    return Score(logits.argmax(axis=1) == truth, log_loss(logits, truth) if len(truth) else 0.0)


def score_of_several(logits: NDArray[np.float64], truth: NDArray[np.bool_]) -> Score:
    """The score of logits against truth, both `(photos, labels)`, where each label is a yes or no.

    A photo is right when all its labels are; the log loss is that of a (photo, label) pair.
    """
    if not len(truth):
        return Score(np.zeros(0, bool), 0.0)
    loss = np.logaddexp(0.0, logits) - np.where(truth, logits, 0.0)
    return Score(((logits >= 0) == truth).all(axis=1), float(loss.mean()))


def lead(first: Score, second: Score) -> tuple[float, float]:
    """How far the first is ahead in accuracy, and the standard error of that (McNemar's pairs)."""
    count = max(len(first.right), 1)
    return first.accuracy - second.accuracy, float(
        np.sqrt((first.right != second.right).sum()) / count
    )


def survivors(transfer: Score, scratch: Score, everything: bool) -> tuple[bool, bool]:
    """Whether transfer and scratch are to be trained in full after the trial.

    A network from scratch gains more from more photos than a linear head: it is dropped only when
    it is far behind, while transfer is dropped as soon as it is beaten. With `everything`, the
    trial already had all photos, and either has to be clearly behind.
    """
    ahead, error = lead(transfer, scratch)
    if everything:
        return ahead >= -2 * error, ahead <= 2 * error
    return not scratch_wins(transfer, scratch), ahead <= max(CLEARLY_BEHIND, 2 * error)


def scratch_wins(transfer: Score, scratch: Score) -> bool:
    """Whether scratch is exported: it has to be ahead, and be surer of the right labels too.

    With few photos to judge by, it has to be ahead by more than the error; the log loss, fitted to
    the same few, then says nothing. In doubt it is transfer, which has seen the world.
    """
    ahead, error = lead(scratch, transfer)
    if len(scratch.right) < FEWEST_JUDGES:
        return ahead > error
    return ahead > error or (ahead >= 0 and scratch.log_loss < transfer.log_loss)


def mirror_helps(alone: Score, mirrored: Score) -> bool:
    """Whether the mirror image is used too: unless that is clearly worse.

    It makes photographs' scores steadier; with signs that differ by left and right it would be
    fatal, and then it loses here by far.
    """
    ahead, error = lead(alone, mirrored)
    return ahead <= 2 * error
