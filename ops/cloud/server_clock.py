"""How far this machine's clock is from the target's."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from ops.cloud.session import Session

SECONDS = 10.0
# A Date header has whole seconds: on average it is half of one old.
HALF_SECOND = 0.5


def seconds_ahead(session: Session, now: Callable[[], float] = time.time) -> float | None:
    """Seconds that this machine is ahead of the target, less than 0 behind; None: it did not say.

    Asked without credentials, which a wrong clock may be the end of.
    """
    before = now()
    said = session.wire().date(SECONDS)
    middle = (before + now()) / 2
    try:
        there = parsedate_to_datetime(said).timestamp()
    except ValueError:
        return None
    return middle - (there + HALF_SECOND)
