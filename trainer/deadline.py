"""When an AutoML job has to stop asking for more, so that it ends within its budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# Of the budget: the end of a job is to be within 110 % of it, and what is left to do after the
# training is not known exactly.
ALLOWED = 1.05


@dataclass
class Deadline:
    """A budget that began at `started`, of which the last head, export and evaluation need a part.

    `allowed` is the share of the budget after which nothing more is begun. `slowness` is how many
    times slower the machine is than the plan thinks, at least 1.
    """

    started: float
    max_seconds: float
    finishing_seconds: float = 0.0
    slowness: float = 1.0
    allowed: float = ALLOWED
    clock: Callable[[], float] = time.monotonic

    def measured(self, views: int, seconds: float, planned_per_second: float) -> None:
        """Takes note of how long so many views took to read, of which so many were planned."""
        if views:
            self.slowness = max(1.0, seconds * planned_per_second / views)

    def left(self) -> float:
        """Seconds until training has to end; below 0 when it is late."""
        spent = self.clock() - self.started
        return self.allowed * self.max_seconds - spent - self.finishing_seconds * self.slowness

    def keep_going(self) -> bool:
        """Whether there is time to train on."""
        return self.left() > 0
