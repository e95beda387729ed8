"""What a trial of a tuning job reports, as Vertex's collector and the local cloud read it.

The file is that of `cloudml-hypertune` 0.1.0.dev6, in our own few lines, for an image without it: a
JSON object a line with `timestamp`, `trial`, the metric's name and value, `global_step` and
`checkpoint_path`, all but the first as strings; the last 100, written anew each time.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.course import Curve

TRIAL, METRIC_FILE = "CLOUD_ML_TRIAL_ID", "CLOUD_ML_HP_METRIC_FILE"
# Where Vertex's collector looks if the variable says nothing.
USUAL_FILE = "/tmp/hypertune/output.metrics"
# The metric of a study whose configuration names none (AI Platform's `hyperparameterMetricTag`).
UNNAMED = "training/hptuning/metric"
KEPT = 100


@dataclass(frozen=True)
class Trial:
    """One trial: its number, its file, and the lines of it."""

    number: str
    file: Path
    clock: Callable[[], float] = time.time
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))

    def report(self, epoch: int, accuracy: float, loss: float) -> None:
        """Validation accuracy (0–1) and loss after so many epochs, as `accuracy` and `loss`."""
        for metric, value in ((UNNAMED, accuracy), ("loss", loss), ("accuracy", accuracy)):
            line = {
                "timestamp": self.clock(),
                "trial": self.number,
                metric: str(value),
                "global_step": str(epoch),
                "checkpoint_path": "",
            }
            self.lines.append(json.dumps(line, sort_keys=True) + "\n")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("".join(self.lines))


def trial_of(environ: Mapping[str, str]) -> Trial | None:
    """The trial that a job is; None for a job that is none."""
    number, file = environ.get(TRIAL, ""), environ.get(METRIC_FILE, "")
    if not number and not file:
        return None
    return Trial(number or "0", Path(file or USUAL_FILE))


@dataclass(frozen=True)
class Reported:
    """Curves that are reported to a trial too: the points of the run `validation`."""

    curves: Curve
    trial: Trial

    def write(self, epoch: int, run: str, figures: Mapping[str, float]) -> None:
        """Adds a point; epochs are counted from 0 here and from 1 in reports."""
        self.curves.write(epoch, run, figures)
        if run == "validation":
            self.trial.report(epoch + 1, figures["accuracy"], figures["loss"])
