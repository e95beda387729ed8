"""What a request asks of an explanation: `parameters: {"explain": {…}}`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.errors import ConfigError

XRAI, GRADIENTS = "xrai", "ig"
METHODS = (XRAI, GRADIENTS)
DEFAULT_STEPS = 24
# As Vertex's own: `XraiAttribution.step_count` is from 1 to 100 (explanation.proto of v1).
MOST_STEPS = 100
MOST_LABELS = 5
FIELDS = ("method", "steps", "label", "overlay")


class ExplainError(ConfigError):
    """What was asked of an explanation is not of its form, or no label of the model."""


@dataclass(frozen=True)
class Asked:
    """The method, gradients a baseline (1–100), labels (the best where empty), and the picture."""

    method: str = XRAI
    steps: int = DEFAULT_STEPS
    labels: tuple[str, ...] = ()
    overlay: bool = False


def read_asked(raw: Any, known: Sequence[str]) -> Asked:
    """What `explain` asks, of a model with the labels `known`; `true` asks for the usual.

    `label` is one label or a list of up to five. Raises ExplainError, which names the field.
    """
    if raw is True:
        return Asked()
    if not isinstance(raw, Mapping):
        raise ExplainError(f'"explain" must be an object or true. Received: {raw!r}')
    if unknown := sorted(set(raw) - set(FIELDS)):
        raise ExplainError(
            f'"explain" takes {", ".join(FIELDS)}. Received: {", ".join(map(str, unknown))}'
        )
    method, overlay = raw.get("method", XRAI), raw.get("overlay", False)
    if method not in METHODS:
        raise ExplainError(f"method must be one of {', '.join(METHODS)}. Received: {method!r}")
    if not isinstance(overlay, bool):
        raise ExplainError(f"overlay must be true or false. Received: {overlay!r}")
    labels = _labels(raw.get("label"), known)
    return Asked(method, _steps(raw.get("steps", DEFAULT_STEPS)), labels, overlay)


def _steps(raw: Any) -> int:
    # Numbers of a protobuf value are doubles, so that 16 comes as 16.0.
    number = isinstance(raw, int | float) and not isinstance(raw, bool)
    if not number or not 1 <= raw <= MOST_STEPS or raw != int(raw):
        raise ExplainError(f"steps must be a whole number, 1 to {MOST_STEPS}. Received: {raw!r}")
    return int(raw)


def _labels(raw: Any, known: Sequence[str]) -> tuple[str, ...]:
    if raw is None:
        return ()
    labels = raw if isinstance(raw, list) else [raw]
    if not labels or len(labels) > MOST_LABELS or not all(isinstance(one, str) for one in labels):
        raise ExplainError(f"label must be one label, or 1 to {MOST_LABELS}. Received: {raw!r}")
    for label in labels:
        if label not in known:
            raise ExplainError(f"label must be one of {', '.join(known)}. Received: {label!r}")
    return tuple(dict.fromkeys(labels))
