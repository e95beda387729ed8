"""Whether a conditional binding counts for a request; what is not understood grants nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.iam.cel import compiled
from emulator.iam.cel_functions import CelError

LOG = logging.getLogger("emulator.iam")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
# What CEL has and `cel.py` does not read: arithmetic, comments, ternaries, maps, places of a list,
# other numbers and strings.
BEYOND = re.compile(r"[-+*/%?:{}]|[\w)\]]\s*\[|\d[A-Za-z]|\b[rRbB]{1,2}\"|\"\"")


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


def problem_of(expression: str) -> str | None:
    """Why an expression is no CEL; None for one that is, or that cannot be told from it.

    Google compiles an expression before it keeps a policy, and refuses one that it cannot.
    """
    try:
        compiled(expression)
    except CelError as problem:
        return None if BEYOND.search(STRING.sub('"', expression)) else str(problem)
    return None


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
