"""What Terraform says while it works, as steps of a Progress."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ops.cloud.terraform_process import STOPPING, Event, Said
from ops.progress import Progress, Step
from ops.workflows import bootstrap_words

STOP = "Stopping: what was begun is finished first and written down; up to 15 s."
GOES_ON = "Terraform stopped in good order: what it made is in its state."
DONE, BEGUN, FAILED = "apply_complete", "apply_start", "apply_errored"


def heard(progress: Progress, step: Step, counted: Collection[str] | None = None) -> Said:
    """A listener to Terraform's events: each thing done advances the step, with its name.

    `counted` are the addresses of those that count; None for all.
    """
    under_way: dict[str, str] = {}
    count = 0

    def said(event: Event) -> None:
        nonlocal count
        kind = event.get("type")
        if kind == STOPPING:
            progress.goes_on(GOES_ON)
            progress.note(STOP)
        elif kind == BEGUN:
            address, words = _named(event["hook"])
            under_way[address] = words
            step.reach(count, _latest(under_way))
        elif kind in (DONE, FAILED):
            address, _ = _named(event["hook"])
            under_way.pop(address, None)
            count += kind == DONE and (counted is None or address in counted)
            step.reach(count, _latest(under_way))

    return said


def _named(hook: Mapping[str, Any]) -> tuple[str, str]:
    """The address of the resource, and the resource in words."""
    resource = hook.get("resource", {})
    address = str(resource.get("addr", ""))
    return address, bootstrap_words.noun(str(resource.get("resource_type", "")), address)


def _latest(under_way: Mapping[str, str]) -> str:
    return list(under_way.values())[-1] if under_way else ""
