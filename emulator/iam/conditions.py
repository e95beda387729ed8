"""Whether a conditional binding counts for a request; what is not understood grants nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.iam.cel import compiled
from emulator.iam.cel_functions import CelError

LOG = logging.getLogger("emulator.iam")


@dataclass(frozen=True)
class Facts:
    """What a condition may look at: the resource, the moment, and attributes of the service."""

    service: str
    type: str
    name: str
    time: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> Mapping[str, Any]:
        """The variables of the expression."""
        return {
            "resource": {"service": self.service, "type": self.type, "name": self.name},
            "request": {"time": self.time},
            "api": self.attributes,
        }


def holds(condition: Mapping[str, Any] | None, facts: Facts) -> bool:
    """Whether a binding without a condition, or with this one, counts."""
    if not condition:
        return True
    expression = str(condition.get("expression", ""))
    try:
        return compiled(expression)(facts.values()) is True
    except CelError as problem:
        LOG.warning(
            "the condition %r grants nothing on %s: %s (%s)",
            condition.get("title", ""),
            facts.name,
            problem,
            expression,
        )
        return False
