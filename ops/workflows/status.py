"""What exists of a stack, what it costs per hour, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops.cloud import inventory, storage
from ops.cloud.inventory import Found
from ops.cloud.session import Session
from ops.errors import OpsError
from ops.pricing import estimate
from ops.pricing.estimate import Cost


@dataclass(frozen=True)
class Item:
    """Something that exists; `hourly` is None where nothing is asked per hour.

    `expired` when `until` has passed: it is still there, and still costs.
    """

    what: str
    name: str
    state: str
    hourly: Cost | None
    until: datetime | None
    note: str = ""
    expired: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "what": self.what,
            "name": self.name,
            "state": self.state,
            "usd_per_hour": round(self.hourly.usd, 6) if self.hourly else 0.0,
            "until": self.until.isoformat() if self.until else None,
            "note": self.note,
            "expired": self.expired,
        }


def run(session: Session) -> list[Item]:
    """Everything of the stack that exists: jobs, endpoints, models, data sets, the bucket."""
    items: list[Item] = []
    now = datetime.now(UTC)
    for found in inventory.of_stack(session):
        items += of_resource(found, session.settings.region, now)
    return items + _bucket(session)


def usd_per_hour(items: list[Item]) -> float:
    """What all of it costs on Google for every hour that it stays."""
    return sum(item.hourly.usd for item in items if item.hourly)


def of_resource(found: Found, region: str, now: datetime) -> list[Item]:
    """A resource as one item, or one for each model that is deployed on it."""
    title, until = found.kind.title, found.expires
    expired = until is not None and until <= now
    if found.kind.collection != "endpoints" or not found.deployed:
        return [Item(title, found.name, _state(found), None, until, found.display_name, expired)]
    return [
        Item(
            "deployed model",
            found.name,
            "serving",
            estimate.deployed(deployed.nodes, deployed.machine_type, region),
            until,
            deployed.model,
            expired,
        )
        for deployed in found.deployed
    ]


def _state(found: Found) -> str:
    if found.kind.collection == "endpoints":
        return "nothing deployed"
    return found.state.rpartition("_STATE_")[2].lower()


def _bucket(session: Session) -> list[Item]:
    bucket = storage.get_bucket(session, session.settings.bucket)
    if bucket is None:
        return []
    objects = list(storage.list_objects(session, bucket.name))
    size_bytes = sum(one.size_bytes for one in objects)
    objects_word = "object" if len(objects) == 1 else "objects"
    note = f"{len(objects):,} {objects_word}, {size_bytes / 1e6:,.1f} MB"
    hourly = storage_cost(size_bytes, session.settings.region)
    return [Item("bucket", f"gs://{bucket.name}", "", hourly, None, note)]


def storage_cost(size_bytes: int, region: str) -> Cost | None:
    """An hour of storage; None in a region whose storage price is not on record."""
    try:
        return estimate.stored(size_bytes, 1.0, region)
    except OpsError:
        return None
