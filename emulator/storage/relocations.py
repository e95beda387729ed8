"""Relocating a bucket: it lies elsewhere at once, since nothing has to be carried."""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.storage import bucket_operations, buckets, locations
from emulator.storage.errors import invalid, required
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.schema import Kind, fitted

Body = dict[str, Any]

SENT = {
    "destinationLocation": Kind.TEXT,
    "destinationCustomPlacementConfig": {"dataLocations": [Kind.TEXT]},
    "validateOnly": Kind.BOOLEAN,
}


async def relocate(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/relocate`: an operation that is over; `validateOnly` changes nothing."""
    sent = fitted(await call.json(), SENT)
    if not sent.get("destinationLocation"):
        raise required("destinationLocation")
    placement = sent.get("destinationCustomPlacementConfig")
    place = locations.placed(
        {"location": sent["destinationLocation"], "customPlacementConfig": placement}
    )
    only = bool(sent.get("validateOnly"))
    with cloud.store.transaction() as db:
        row = buckets.require(db, call.names[0])
        before = {key: row.body.get(key) for key in ("location", "customPlacementConfig")}
        if before == {key: place.get(key) for key in before}:
            raise invalid("The destination of the relocation is where the bucket lies already.")
        if not only:
            row = buckets.write(cloud, db, row, _moved(row.body, place))
        about = {
            "sourceLocation": before["location"],
            "destinationLocation": place["location"],
            "validateOnly": only,
        }
        answer = bucket_operations.finished(
            cloud, row.name, "RelocateBucketMetadata", about, bucket_operations.EMPTY
        )
    return json_reply(answer)


def _moved(body: Body, place: Body) -> Body:
    kept = {
        key: value for key, value in body.items() if key not in ("customPlacementConfig", "rpo")
    }
    rpo = {} if place["locationType"] == "region" else {"rpo": "DEFAULT"}
    return kept | place | rpo


ROUTES = [("POST", "/storage/v1/", "b/*/relocate", relocate)]
