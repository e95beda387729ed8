"""Where a training stands or how it ended, as it goes on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.cloud.training import Pipeline
from ops.ledger import Run
from ops.workflows.imported import Imported


@dataclass(frozen=True)
class Trained:
    """Where a training stands or how it ended; `model` and `evaluation` once it succeeded.

    `usd_is_most` when a spot machine was priced on demand. `folder` is where the model of a
    training on this machine lies, which has no `model`.
    """

    run: str
    dataset: str
    digest: str
    pipeline: str
    state: str
    model: str = ""
    stop_reason: str = ""
    node_hours: float | None = None
    usd_on_google: float | None = None
    usd_is_most: bool = False
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    folder: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "evaluation": dict(self.evaluation)}


def of(run: Run, data: Imported, pipeline: Pipeline) -> Trained:
    """What the pipeline itself says of the run's training."""
    seconds = None
    if pipeline.started and pipeline.ended:
        seconds = round((pipeline.ended - pipeline.started).total_seconds(), 1)
    return Trained(
        run=run.id,
        dataset=data.name,
        digest=data.digest,
        pipeline=pipeline.name,
        state=word(pipeline.state),
        model=pipeline.model_name,
        stop_reason=pipeline.stop_reason,
        node_hours=pipeline.node_hours,
        seconds=seconds,
    )


def word(state: str) -> str:
    """A pipeline's state in a word: running, succeeded, …"""
    return state.removeprefix("PIPELINE_STATE_").lower()
