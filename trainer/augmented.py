"""`--augment` of one training, settled: what is asked, what is done, what is said and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainer.data.augment_policy import Decision, Trials, decide, meanings
from trainer.hyper import AUTO, NONE, Hyper
from trainer.journal import Journal
from trainer.schedule import FAMILIES


@dataclass(frozen=True)
class Augmented:
    """Hyper-parameters whose `augment` is settled, and what `model.json` is to say about it."""

    hyper: Hyper
    told: dict[str, Any]


def settled(hyper: Hyper, labels: Sequence[str], trials: Trials, journal: Journal) -> Augmented:
    """As asked; else as the model type, the labels' names and the photos have it: in one line.

    What is asked is done, with a warning where the labels' names speak against it.
    """
    if hyper.augment is not None:
        _warn(hyper.augment, labels, journal)
        return Augmented(hyper, card(asked(hyper), Decision(hyper.augment, {})))
    family = FAMILIES[hyper.model_type]
    decision = decide(family.augment, family.tries, labels, trials)
    journal.say(decision.sentence, phase="train", augment=list(decision.names))
    return Augmented(replace(hyper, augment=decision.names), card(AUTO, decision))


def of_features(hyper: Hyper, mirrored: bool, journal: Journal) -> dict[str, Any]:
    """What `model.json` is to say of a training on cached features, which can be of mirror images.

    Other changes that are asked for are warned of: a photo is read once, not in each epoch.
    """
    if hyper.augment is None:
        why = {} if mirrored else {"flip": "worse on validation photos"}
        return card(AUTO, Decision(("flip",) if mirrored else (), why))
    others = {name: "features are cached" for name in hyper.augment if name != "flip"}
    if others:
        journal.say(
            f"--augment: {', '.join(others)} left out. Features of photos are cached, which know "
            "mirror images alone (flip).",
            "WARNING",
        )
    return card(asked(hyper), Decision(("flip",) if mirrored else (), others))


def asked(hyper: Hyper) -> str:
    """The flag's value, as it would be typed."""
    return AUTO if hyper.augment is None else ",".join(hyper.augment) or NONE


def card(flag: str, decision: Decision) -> dict[str, Any]:
    """The part of `model.json`: the flag as asked, the changes made, why others were left out."""
    changes, left_out = list(decision.names), dict(decision.left_out)
    return {"augmentation": {"asked": flag, "changes": changes, "leftOut": left_out}}


def _warn(names: Sequence[str], labels: Sequence[str], journal: Journal) -> None:
    against = {name: why for name, why in meanings(labels).items() if name in names}
    for name, why in against.items():
        journal.say(f"--augment has {name}, though {why}.", "WARNING")
