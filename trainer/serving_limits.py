"""How much a prediction server takes on at once; each limit can be set by a variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from trainer.errors import ConfigError

PREFIX = "TRAINER_SERVE_"
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Set by `TRAINER_SERVE_` and a field's name in capitals; all are whole numbers from 1.

    Vertex itself takes 1.5 MB a request on its shared endpoints and 10 MB on a dedicated one
    ("Choose an endpoint type", read 2026-08-22), but the rows of a batch prediction come together.
    A prediction has 60 s there. The photos that may wait are some two seconds' work of two cores
    (Lite0 and its mirror image, 2026-11-22), so that what is accepted is answered soon.
    """

    max_request_bytes: int = 64 * MIB
    max_held_bytes: int = 256 * MIB
    max_instances: int = 1024
    max_waiting_photos: int = 256
    max_waiting_explanations: int = 8
    answer_seconds: int = 60
    body_seconds: int = 30
    idle_seconds: int = 75
    drain_seconds: int = 25


def read_limits(environ: Mapping[str, str] = os.environ) -> Limits:
    """The limits that the variables give. Raises ConfigError for one that is no whole number."""
    given = {}
    for field in fields(Limits):
        name = PREFIX + field.name.upper()
        value = environ.get(name, "")
        if not value:
            continue
        if not value.isdigit() or int(value) < 1:
            raise ConfigError(f"{name} must be a whole number from 1. Received: {value!r}")
        given[field.name] = int(value)
    return Limits(**given)
