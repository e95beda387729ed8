"""What the user asks of `ops train`, and the refusals that need no look at the cloud."""

from __future__ import annotations

from dataclasses import dataclass

from ops.errors import Code, OpsError
from ops.pricing import estimate
from ops.pricing.estimate import Estimate

MODES = ("automl", "custom")
# AutoML image classification in the cloud: aiplatform_v1 PROTO, read 2026-08-22.
MIN_NODE_HOURS, MAX_NODE_HOURS = 8.0, 800.0


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    mode: str
    dataset: str | None = None
    budget_node_hours: float = MIN_NODE_HOURS
    max_cost_usd: float | None = None
    again: bool = False


def check_mode(mode: str) -> None:
    """USAGE for anything but automl and custom."""
    if mode == "automl":
        return
    if mode == "custom":
        raise OpsError(
            Code.USAGE,
            "--mode custom is not built yet: it comes with custom training.",
            "Type: ops train --mode automl",
        )
    raise OpsError(
        Code.USAGE,
        f"--mode is automl or custom. Received: {mode}.",
        "Type: ops train --mode automl",
    )


def check_budget(node_hours: float) -> None:
    """USAGE for a budget that AutoML does not take."""
    if MIN_NODE_HOURS <= node_hours <= MAX_NODE_HOURS:
        return
    raise OpsError(
        Code.USAGE,
        f"AutoML takes a budget of {MIN_NODE_HOURS:g} to {MAX_NODE_HOURS:g} node hours. "
        f"Received: {node_hours:g}.",
        f"Type --budget-node-hours {MIN_NODE_HOURS:g}",
    )


def check_cap(most: Estimate, options: Options) -> None:
    """OVER_CAP when the budget can cost more than --max-cost."""
    cap = options.max_cost_usd
    if cap is None or not estimate.over(most.usd, cap):
        return
    dollars = estimate.cents_up(most.usd)
    rate = most.costs[0].rate.usd
    affordable = int(cap / rate)
    fits = f"--budget-node-hours {affordable}, or " if affordable >= MIN_NODE_HOURS else ""
    raise OpsError(
        Code.OVER_CAP,
        f"The training can cost ${dollars:.2f} ({options.budget_node_hours:g} node hours at "
        f"${rate:g}), more than the cap of ${cap:.2f}.",
        f"Type {fits}--max-cost {dollars:.2f}",
    )
