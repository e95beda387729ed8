"""What may not be deleted or replaced yet: holds, the bucket's policy, an object's own time.

About it: https://cloud.google.com/storage/docs/bucket-lock, /object-lock and
/object-holds. An object that is retained may become noncurrent; one that is held may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.clock import timestamp
from emulator.storage.errors import StorageError, invalid
from emulator.storage.object_resource import ObjectRow

Body = dict[str, Any]

# When an event-based hold ended: the bucket's period is counted from there.
RELEASED = "_released"
MODES = ("Unlocked", "Locked")
# https://cloud.google.com/storage/docs/object-lock: a retain-until time is at most 100 years away.
LONGEST = timedelta(seconds=3_155_760_000)
HOLDS = (("temporaryHold", "Temporary"), ("eventBasedHold", "Event-Based"))
END = "cannot be deleted, overwritten or archived until"


def versioned(bucket_body: Mapping[str, Any]) -> bool:
    """Whether what is replaced or deleted in the bucket becomes noncurrent."""
    return bool((bucket_body.get("versioning") or {}).get("enabled"))


def check_removal(bucket_body: Mapping[str, Any], row: ObjectRow, now: datetime) -> None:
    """Raises 403 for a generation that may not be removed yet."""
    check_holds(row)
    policy, own = _policy_end(bucket_body, row), _own_end(row)
    if policy is not None and now < policy:
        raise _not_met(row, f"is subject to bucket's retention policy and {END} {_text(policy)}")
    if own is not None and now < own:
        raise _not_met(row, f"is subject to object retention and {END} {_text(own)}")


def check_replacement(bucket_body: Mapping[str, Any], row: ObjectRow, now: datetime) -> None:
    """Raises 403 for a live object that may neither be removed nor become noncurrent yet."""
    if versioned(bucket_body):
        check_holds(row)
    else:
        check_removal(bucket_body, row, now)


def check_holds(row: ObjectRow) -> None:
    """Raises 403 for a generation under a hold."""
    for field, name in HOLDS:
        if row.body.get(field):
            raise _not_met(row, f"is under active {name} hold and {END} hold is removed.")


def expiration(bucket_body: Mapping[str, Any], row: ObjectRow) -> str | None:
    """`retentionExpirationTime`: the later of the policy's end and the object's own.

    None where neither applies, and under an event-based hold, whose end nobody knows.
    """
    if not bucket_body.get("retentionPolicy") and "retention" not in row.body:
        return None
    if row.body.get("eventBasedHold"):
        return None
    ends = [end for end in (_policy_end(bucket_body, row), _own_end(row)) if end is not None]
    return timestamp(max(ends)) if ends else None


def settled(bucket_body: Mapping[str, Any], body: Body, now: datetime) -> Body:
    """The fields of a new object with what its bucket adds. 400 for what may not be together."""
    if bucket_body.get("defaultEventBasedHold") and "retention" not in body:
        body = {"eventBasedHold": True, **body}
    _check_retention(bucket_body, body, now)
    return body


def changed(
    bucket_body: Mapping[str, Any], before: Body, after: Body, now: datetime, override: bool
) -> Body:
    """The fields after a patch: 400 for wrong values, 403 for less retention than was promised."""
    if before.get("eventBasedHold") and not after.get("eventBasedHold"):
        after = {**after, RELEASED: timestamp(now)}
    old, new = before.get("retention"), after.get("retention")
    if old != new:
        if old:
            _check_less(old, new or {}, override)
        _check_retention(bucket_body, after, now)
    return after


def _check_retention(bucket_body: Mapping[str, Any], body: Body, now: datetime) -> None:
    retention = body.get("retention")
    if not retention:
        return
    if (bucket_body.get("objectRetention") or {}).get("mode") != "Enabled":
        raise invalid("Object retention is not enabled for the bucket of the object.")
    if retention.get("mode") not in MODES:
        raise invalid(
            f"Invalid value '{retention.get('mode')}' for retention.mode. Expected one of "
            f"{', '.join(MODES)}."
        )
    until = moment(retention.get("retainUntilTime"), "retention.retainUntilTime")
    if not now < until <= now + LONGEST:
        raise invalid("retention.retainUntilTime must be in the future and within 100 years.")
    if body.get("eventBasedHold"):
        raise invalid("An object cannot have both an event-based hold and a retention.")


def _check_less(old: Body, new: Body, override: bool) -> None:
    """Only a longer time is free; all else needs the override, and a lock suffers nothing."""
    until = moment(old.get("retainUntilTime"), "retention.retainUntilTime")
    shorter = not new or moment(new.get("retainUntilTime"), "retention.retainUntilTime") < until
    other_mode = new.get("mode") != old.get("mode")
    if old.get("mode") == "Locked" and (shorter or other_mode):
        raise StorageError(
            403, "forbidden", "A locked retention can be neither removed, reduced nor unlocked."
        )
    if (shorter or other_mode) and not override:
        raise StorageError(
            403,
            "forbidden",
            "overrideUnlockedRetention must be true to remove or reduce an object's unlocked "
            "retention, or to lock it.",
        )


def moment(value: Any, field: str) -> datetime:
    """The time of an RFC 3339 text, in UTC. 400 for anything else."""
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise invalid(f"Invalid value for {field}: '{value}'. Expected a date, time and time zone.")


def _policy_end(bucket_body: Mapping[str, Any], row: ObjectRow) -> datetime | None:
    seconds = (bucket_body.get("retentionPolicy") or {}).get("retentionPeriod")
    if not seconds:
        return None
    start = datetime.fromisoformat(row.body.get(RELEASED) or row.created)
    return start + timedelta(seconds=int(seconds))


def _own_end(row: ObjectRow) -> datetime | None:
    until = (row.body.get("retention") or {}).get("retainUntilTime")
    return datetime.fromisoformat(until) if until else None


def _not_met(row: ObjectRow, what: str) -> StorageError:
    message = f"Object '{row.bucket}/{row.name}' {what}"
    return StorageError(403, "retentionPolicyNotMet", message)


def _text(end: datetime) -> str:
    return end.isoformat()
