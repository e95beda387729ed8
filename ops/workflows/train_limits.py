"""How long a custom training may run: a cap in dollars or minutes becomes seconds once, here.

The hard limit is the job's own time-out; the trainer is asked to stop a little before, so that it
still evaluates and exports.
"""

from __future__ import annotations

from dataclasses import dataclass

from ops.errors import Code, OpsError
from ops.pricing import estimate
from ops.pricing.machines import Machine
from ops.workflows.train_options import Options
from ops.workflows.trainer_flags import MAX_SECONDS

DEFAULT_MINUTES = 60.0
# A training of the digits needs half a minute on two cores, its start and its export included.
LEAST_SECONDS = 120
# Custom jobs run for seven days at most unless asked: training/understanding-training-service.
MOST_SECONDS = 7 * 24 * 3600
EXPORT_SHARE, LEAST_EXPORT_SECONDS, MOST_EXPORT_SECONDS = 0.2, 60, 900


@dataclass(frozen=True)
class Limits:
    """`timeout_seconds` end the job; `max_seconds` are what the trainer is told."""

    timeout_seconds: int
    max_seconds: int


def of(options: Options, machine: Machine, region: str, kept_usd: float = 0.0) -> Limits:
    """The shortest of what --max-cost, --max-minutes and --max-seconds allow; an hour if none.

    `kept_usd` of the cap are for something else: the build of an image, should it be needed.
    OVER_CAP when the cap buys less than a training needs; USAGE when the minutes are not usable.
    """
    asked = options.custom.flags.get(MAX_SECONDS)
    wanted = [_by_minutes(options.custom.max_minutes)]
    if options.custom.max_minutes is None:
        wanted = [_by_seconds(float(asked)) if asked else int(DEFAULT_MINUTES * 60)]
    if options.max_cost_usd is not None:
        wanted.append(_by_cost(options.max_cost_usd, machine, region, kept_usd))
    timeout_seconds = min(*wanted, MOST_SECONDS)
    soft = timeout_seconds - _export_seconds(timeout_seconds)
    return Limits(timeout_seconds, min(soft, int(float(asked))) if asked else soft)


def _by_minutes(minutes: float | None) -> int:
    if minutes is None:
        return MOST_SECONDS
    if LEAST_SECONDS <= minutes * 60 <= MOST_SECONDS:
        return int(minutes * 60)
    raise OpsError(
        Code.USAGE,
        f"--max-minutes is from {LEAST_SECONDS // 60} to {MOST_SECONDS // 60} (a week). "
        f"Received: {minutes:g}.",
        f"Type --max-minutes {DEFAULT_MINUTES:g}",
    )


def _by_seconds(max_seconds: float) -> int:
    """The trainer's own seconds, and time for the rest."""
    return int(max_seconds + max(LEAST_EXPORT_SECONDS, EXPORT_SHARE * max_seconds))


def _by_cost(cap_usd: float, machine: Machine, region: str, kept_usd: float) -> int:
    hour = estimate.total_usd(estimate.custom_training(3600, machine, region))
    seconds = estimate.seconds_for(cap_usd - kept_usd, hour)
    if seconds >= LEAST_SECONDS:
        return seconds
    least = estimate.cents_up(hour * LEAST_SECONDS / 3600 + kept_usd)
    kept = f" ({estimate.amount(kept_usd)} of it are kept for building the image)"
    raise OpsError(
        Code.OVER_CAP,
        f"A cap of {estimate.amount(cap_usd)}{kept if kept_usd else ''} buys {max(seconds, 0)} s "
        f"at ${hour:.4g} an hour; a training needs at least {LEAST_SECONDS} s.",
        f"Type --max-cost {least:.2f} or more",
    )


def _export_seconds(timeout_seconds: int) -> int:
    share = int(timeout_seconds * EXPORT_SHARE)
    return max(min(LEAST_EXPORT_SECONDS, timeout_seconds // 2), min(share, MOST_EXPORT_SECONDS))
