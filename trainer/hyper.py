"""The hyper-parameters of one training, each with a value: the flag's, or the schedule's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import schedule
from trainer.flags import MODEL_TYPE
from trainer.models.backbones import input_size

AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class Hyper:
    """Everything that decides a model beside its photos.

    `augment` names the random changes of photos in training; None where the data are to decide.
    Units and ranges: `flags.toml`.
    """

    model_type: str
    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: str
    weight_decay: float
    label_smoothing: float
    dropout: float
    l1: float
    l2: float
    augment: tuple[str, ...] | None
    hidden_units: tuple[int, ...]
    filters: tuple[int, ...]
    kernel_size: int
    image_size: int
    unfreeze: str | int
    backbone: str
    weights: str
    patience: int
    seed: int


def settle(flags: Mapping[str, Any], photos: int, short_sides: Sequence[int]) -> Hyper:
    """The hyper-parameters for so many training photos, of which some have these short sides."""
    family = schedule.FAMILIES[flags[MODEL_TYPE]]
    optimizer = _given(flags, "optimizer", family.optimizer)
    epochs = _given(flags, "epochs", schedule.epochs(family, photos))
    return Hyper(
        model_type=flags[MODEL_TYPE],
        epochs=epochs,
        batch_size=_given(flags, "batch-size", schedule.batch_size(photos)),
        learning_rate=_given(flags, "learning-rate", schedule.learning_rate(family, optimizer)),
        optimizer=optimizer,
        weight_decay=_given(flags, "weight-decay", schedule.weight_decay(optimizer)),
        label_smoothing=_given(flags, "label-smoothing", family.label_smoothing),
        dropout=_given(flags, "dropout", family.dropout),
        l1=_given(flags, "l1", 0.0),
        l2=_given(flags, "l2", 0.0),
        augment=_augment(flags.get("augment")),
        hidden_units=_given(flags, "hidden-units", family.hidden_units),
        filters=_given(flags, "filters", family.filters),
        kernel_size=_given(flags, "kernel-size", 3),
        image_size=_given(flags, "image-size", _usual_size(flags, short_sides)),
        unfreeze=_given(flags, "unfreeze", "none"),
        backbone=_given(flags, "backbone", ""),
        weights=_given(flags, "weights", ""),
        patience=_given(flags, "patience", schedule.patience(epochs)),
        seed=_given(flags, "seed", 0),
    )


def _usual_size(flags: Mapping[str, Any], short_sides: Sequence[int]) -> int:
    backbone = flags.get("backbone")
    return input_size(backbone) if backbone else schedule.scratch_size(list(short_sides))


def _augment(given: Any) -> tuple[str, ...] | None:
    if given in (None, AUTO):
        return None
    return () if given == NONE else tuple(given)


def _given(flags: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    value = flags.get(name)
    return otherwise if value is None else value
