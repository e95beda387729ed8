"""Which random changes `--augment auto` makes: those that take nothing away from these photos.

A mirror image of a left arrow is a right one, and red apples made greener are other apples. What
the labels' names say (meanings.toml) is left out; the rest is tried on the photos that judge
(augment_trial.py): a mirror image is left out where it does harm, other colours where they do no
good. They cost steps: on digits, where the trial is a draw, brightness and contrast took the log
loss on validation photos from 0.087 to 0.093 (three seeds each, 2026-11-22).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trainer.judge import FEWEST_JUDGES, Score, lead

TABLE = Path(__file__).with_name("meanings.toml")
# Tried together: each of a pair says the same about the photos.
FLIP = "flip"
GROUPS = ((FLIP,), ("brightness", "contrast"), ("hue", "saturation"))
SHOWN = 3


class Trials(Protocol):
    """What photos have to say: see `augment_trial.Trial`."""

    def score(self, names: Sequence[str], /) -> Score:
        """How the photos that judge are answered with these changes in training."""
        ...

    @property
    def judges(self) -> int:
        """How many photos judge."""
        ...

    @property
    def grey(self) -> bool:
        """Whether the photos have no colour."""
        ...


@dataclass(frozen=True)
class Decision:
    """The changes to make, and why each of the others is left out."""

    names: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """The decision in one line."""
        changes = ", ".join(self.names) or "nothing"
        reasons: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(name)
        without = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items()]
        return f"Photos are changed in training by: {changes}." + (
            f" Left out: {'; '.join(without)}." if without else ""
        )


def decide(
    always: Sequence[str], tries: Sequence[str], labels: Sequence[str], trials: Trials
) -> Decision:
    """`always`, and of `tries` what neither labels' names nor the photos speak against.

    `labels` are as the user wrote them. With fewer than 30 photos to judge, nothing is tried.
    """
    left_out = {name: why for name, why in meanings(labels).items() if name in tries}
    if trials.grey:
        grey = {name: "the photos are grey" for name in ("hue", "saturation") if name in tries}
        left_out = {**grey, **left_out}
    groups = [
        [name for name in group if name in tries and name not in left_out] for group in GROUPS
    ]
    without = trials.score(always) if any(groups) and trials.judges >= FEWEST_JUDGES else None
    for group in filter(None, groups):
        left_out |= dict.fromkeys(group, _harm(without, [*always, *group], trials))
    left_out = {name: why for name, why in left_out.items() if why}
    kept = [name for name in tries if name not in left_out]
    return Decision((*always, *kept), left_out)


def meanings(labels: Sequence[str]) -> dict[str, str]:
    """The changes that labels' names speak against, and why."""
    found: dict[str, str] = {}
    for row in tomllib.loads(TABLE.read_text("utf-8")).values():
        speaking = [label for label in labels if set(row["words"]) & set(_words(label))]
        if "signs" in row:
            signs = [label for label in labels if _is_sign(label, row["signs"])]
            speaking += signs if 2 * len(signs) >= len(labels) else []
        if speaking:
            more = " …" if len(speaking) > SHOWN else ""
            why = f"labels {row['told']}: {', '.join(speaking[:SHOWN])}{more}"
            found |= {name: why for name in row["changes"] if name not in found}
    return found


def _harm(without: Score | None, names: Sequence[str], trials: Trials) -> str:
    """Why the last names are left out; empty where they are not."""
    if without is None:
        return f"too few photos to try it on: {trials.judges}"
    ahead, error = lead(without, trials.score(names))
    if ahead > error:
        return f"{100 * ahead:.1f} points worse in a trial on {trials.judges} photos"
    if ahead >= 0 and names[-1] != FLIP:
        return f"no better in a trial on {trials.judges} photos"
    return ""


def _words(label: str) -> list[str]:
    """Lower-case words: `Left-turn`, `left_turn` and `leftTurn` alike are left and turn."""
    apart = re.sub(r"([a-zß-ÿ])([A-Z])", r"\1 \2", label)
    return re.findall(r"[^\W\d_]+", apart.lower())


def _is_sign(label: str, words: Sequence[str]) -> bool:
    """Whether it is a number, a letter or the name of one; `ops` makes `label_7` of 7."""
    plain = label.lower().removeprefix("label_")
    return plain.isdigit() or len(plain) == 1 or plain in words
