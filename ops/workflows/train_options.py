"""What the user asks of `ops train`, and the refusals that need no look at the cloud."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ops.errors import Code, OpsError
from ops.pricing import estimate
from ops.pricing.estimate import Estimate

AUTOML, CUSTOM = "automl", "custom"
# How a missing image of the trainer is made.
CLOUD, DOCKER, NEVER = "cloud", "docker", "never"
BUILDS = (CLOUD, DOCKER, NEVER)
# AutoML image classification in the cloud: aiplatform_v1 PROTO, read 2026-08-22.
MIN_NODE_HOURS, MAX_NODE_HOURS = 8.0, 800.0


@dataclass(frozen=True)
class CustomOptions:
    """What is asked of a custom training; None and empty are what was not said.

    `flags` are the trainer's own, by name and as typed. `local` trains on this machine, into the
    folder `to`.
    """

    model_type: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    machine: str | None = None
    accelerator: str | None = None
    spot: bool = False
    image: str | None = None
    max_minutes: float | None = None
    local: bool = False
    to: Path | None = None
    build: str | None = None

    def named(self) -> list[str]:
        """The options that were given, as typed: `--model-type`, `--spot`, …"""
        own = {key: value for key, value in vars(self).items() if key != "flags"}
        said = [f"--{key.replace('_', '-')}" for key, value in own.items() if value]
        return [*said, *(f"--{name}" for name in self.flags)]


@dataclass(frozen=True)
class Options:
    """What the user asked for; `budget_node_hours` None is AutoML's smallest."""

    mode: str
    dataset: str | None = None
    budget_node_hours: float | None = None
    max_cost_usd: float | None = None
    again: bool = False
    custom: CustomOptions = field(default_factory=CustomOptions)

    @property
    def node_hours(self) -> float:
        """AutoML's budget."""
        return MIN_NODE_HOURS if self.budget_node_hours is None else self.budget_node_hours


def check_mode(options: Options) -> None:
    """USAGE for another mode than automl and custom, and for options of the one with the other."""
    if options.mode not in (AUTOML, CUSTOM):
        near = get_close_matches(options.mode, (AUTOML, CUSTOM), n=1) or [AUTOML]
        raise OpsError(
            Code.USAGE,
            f"--mode is automl or custom. Received: {options.mode}.",
            f"Type: ops train --mode {near[0]}",
        )
    if options.mode == AUTOML and (strange := options.custom.named()):
        more = "" if options.custom.model_type else " --model-type cnn"
        raise OpsError(
            Code.USAGE,
            f"{_are(strange)} for --mode custom. Received: --mode automl.",
            f"Add --mode custom{more}, or leave {'it' if len(strange) == 1 else 'them'} out.",
        )
    if options.mode == CUSTOM and options.budget_node_hours is not None:
        raise OpsError(
            Code.USAGE,
            "--budget-node-hours is for --mode automl. Received: --mode custom.",
            "Type --max-cost or --max-minutes in its place.",
        )


def check_amount(options: Options) -> None:
    """USAGE for a --max-cost that is no amount."""
    cap = options.max_cost_usd
    if cap is None or 0 <= cap < math.inf:
        return
    raise OpsError(
        Code.USAGE,
        f"--max-cost is an amount in dollars. Received: {cap:g}.",
        "Type --max-cost 1",
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
        f"The training can cost ${dollars:.2f} ({options.node_hours:g} node hours at "
        f"${rate:g}), more than the cap of {estimate.amount(cap)}.",
        f"Type {fits}--max-cost {dollars:.2f}",
    )


def check_build(custom: CustomOptions) -> None:
    """USAGE for a --build that there is not, and for one beside --image."""
    if custom.build is None:
        return
    if custom.build not in BUILDS:
        near = get_close_matches(custom.build, BUILDS, n=1) or [CLOUD]
        raise OpsError(
            Code.USAGE,
            f"--build is {', '.join(BUILDS[:-1])} or {BUILDS[-1]}. Received: {custom.build}.",
            f"Type --build {near[0]}",
        )
    if custom.image:
        raise OpsError(
            Code.USAGE,
            "--build is for the image of the trainer here. Received: --image, which names another.",
            "Leave one of them out.",
        )


def check_local(options: Options) -> None:
    """USAGE for options of a training on Vertex AI together with --local, and --to without it."""
    own = options.custom
    if own.to is not None and not own.local:
        raise OpsError(
            Code.USAGE,
            "--to is for --local: a training on Vertex AI leaves its model in the bucket.",
            "Leave --to out, or type --local",
        )
    remote = {"--machine", "--accelerator", "--spot", "--image", "--max-minutes", "--build"}
    strange = [name for name in own.named() if name in remote]
    strange += [] if options.max_cost_usd is None else ["--max-cost"]
    if own.local and strange:
        raise OpsError(
            Code.USAGE,
            f"{_are(strange)} for a training on Vertex AI. Received: --local, which trains on "
            "this machine.",
            "Leave it out; --max-seconds ends a training on this machine.",
        )


def _are(names: list[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
