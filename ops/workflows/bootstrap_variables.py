"""The settings of a stack as the variables of infra/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud.session import CAPABILITIES
from ops.errors import Code, OpsError
from ops.settings import Settings

FILE = "ops.auto.tfvars.json"
PROTECTION = "deletion_protection"
# The longest account is STACK-predictor, and an account's id has at most 30 characters.
MOST_STACK_CHARACTERS = 20


def variables(settings: Settings, project_number: str) -> dict[str, Any]:
    """Every variable that has a value here, by name; the table [infra] cannot take one's place.

    SETTINGS when the stack's name is too long for an account's.
    """
    if len(settings.stack) > MOST_STACK_CHARACTERS:
        raise OpsError(
            Code.SETTINGS,
            f"The stack's name {settings.stack!r} has {len(settings.stack)} characters; with "
            f"Terraform it can have {MOST_STACK_CHARACTERS}: accounts are named after it.",
            "Type --stack with a shorter name.",
        )
    return {
        PROTECTION: protected(settings),
        **settings.infra,
        "bucket_name": settings.bucket,
        "owner": settings.owner,
        "project_id": settings.project,
        "project_number": project_number,
        "region": settings.region,
        "stack": settings.stack,
        "state_bucket": names.state_bucket_name(settings.bucket),
    }


def protected(settings: Settings) -> bool:
    """Whether a destroy stops at a bucket that holds objects: as set, else where it is billed."""
    return bool(settings.infra.get(PROTECTION, CAPABILITIES[settings.target].bills))


def write(folder: Path, values: Mapping[str, Any]) -> None:
    """The variables as a file that Terraform reads by itself."""
    (folder / FILE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
