"""Lists of data items, annotations and annotation specs: a page is read by index, not by scan."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from emulator.aiplatform import filters, listing, masks, names, resources
from emulator.aiplatform.data_items import annotation
from emulator.aiplatform.filters import Test
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# Rows that one request looks at; where no more of them pass, the page is short and has a token
# ("The server may return fewer", AIP-158), so that no filter holds up the server.
MAX_SCANNED = 5_000
CHUNK = 500
# SearchDataItemsRequest.annotations_limit: "The maximum value is 1000."
MAX_ANNOTATIONS = 1_000
_COLUMNS = "id, uri, mime, labels, created, seq"
# What items can be ordered by: the column, and whether it is by creation. Items never change.
_ORDERS = {"createTime": "seq", "updateTime": "seq", "name": "id", "": "seq"}


@dataclass(frozen=True)
class Walk:
    """A direction through the items of a dataset, from behind a place on."""

    dataset: str
    column: str
    falling: bool
    after: str | int | None

    def rows(self, db: sqlite3.Connection, limit: int) -> list[tuple[Any, ...]]:
        """The next rows, in order."""
        compare, direction = ("<", "DESC") if self.falling else (">", "ASC")
        behind = "" if self.after is None else f"AND {self.column} {compare} ?"
        return db.execute(
            f"SELECT {_COLUMNS} FROM data_items WHERE dataset = ? {behind}"
            f" ORDER BY {self.column} {direction} LIMIT {limit}",
            (self.dataset,) if self.after is None else (self.dataset, self.after),
        ).fetchall()


def _item(dataset: str, row: tuple[Any, ...]) -> Body:
    item, uri, mime, labels, created, seq = row
    return {
        listing.PLACE: seq,
        "name": f"{dataset}/dataItems/{item}",
        "createTime": created,
        "updateTime": created,
        "labels": json.loads(labels),
        "payload": {"imageGcsUri": uri, "mimeType": mime},
    }


def _require_dataset(cloud: Cloud, name: str) -> str:
    resources.require(cloud, "dataset", name)
    return name


def list_data_items(cloud: Cloud, request: Body) -> Body:
    """ListDataItems."""
    dataset = _require_dataset(cloud, request["parent"])
    schema = ListSchema("dataItems")
    mask = listing.read_mask(request, schema)
    rows, token = _page(cloud, dataset, request, schema, request.get("filter", ""))
    found = [masks.picked(row, mask) if mask else row for row in rows]
    return _answer("dataItems", found, token)


def _answer(key: str, rows: list[Body], token: str) -> Body:
    answer: Body = {key: rows} if rows else {}
    return answer | ({"nextPageToken": token} if token else {})


def _page(
    cloud: Cloud, dataset: str, request: Body, schema: ListSchema, text: str
) -> tuple[list[Body], str]:
    """The items of one page that pass, and the token of the next page, empty after the last."""
    passes, size = filters.compiled(text, schema), listing.page_size(request, schema)
    column, falling = _order(request.get("orderByDataItem") or request.get("orderBy", ""), schema)
    walk = Walk(dataset, column, falling, _after(schema.key, request, column))
    found: list[Body] = []
    place = None
    for scanned, row in enumerate(_walked(cloud, walk), start=1):
        if passes(row):
            if len(found) == size:
                return found, listing.token(schema.key, request, place)
            found.append(row)
        place = row[listing.PLACE] if column == "seq" else names.last(row["name"])
        if scanned == MAX_SCANNED:
            return found, listing.token(schema.key, request, place)
    return found, ""


def _walked(cloud: Cloud, walk: Walk) -> Iterator[Body]:
    while True:
        with cloud.store.read() as db:
            rows = walk.rows(db, CHUNK)
        for row in rows:
            yield _item(walk.dataset, row)
        if len(rows) < CHUNK:
            return
        last = rows[-1][5] if walk.column == "seq" else rows[-1][0]
        walk = Walk(walk.dataset, walk.column, walk.falling, last)


def _order(text: str, schema: ListSchema) -> tuple[str, bool]:
    key = listing.orders(text, schema)[0]
    given = text.strip() != ""
    field = key.path[0] if given else ""
    if field not in _ORDERS:
        message = f"Unsupported field '{field}'. Supported: name, create_time, update_time."
        raise bad_field("order_by", f"Invalid order by: {message}")
    return _ORDERS[field], given and key.falling


def _after(key: str, request: Body, column: str) -> str | int | None:
    if not request.get("pageToken"):
        return None
    after = listing.token_position(key, request)
    if not isinstance(after, int if column == "seq" else str):
        raise bad_field("page_token", "The page token is invalid.")
    return after


def search_data_items(cloud: Cloud, request: Body) -> Body:
    """SearchDataItems: the items with their annotations, filtered by `dataItemFilter`."""
    dataset = _require_dataset(cloud, request["dataset"])
    for field in ("savedQuery", "dataLabelingJob", "orderByAnnotation"):
        if request.get(field):
            message = f"The local cloud does not have SearchDataItems by {masks.snake(field)}."
            raise ApiError("UNIMPLEMENTED", message)
    functions = {"has_annotation": partial(_has_annotation, cloud, dataset)}
    relations = {"labeled": partial(_labeled, cloud)}
    schema = ListSchema("searchDataItems", functions=functions, relations=relations)
    limit = int(request.get("annotationsLimit", 0)) or MAX_ANNOTATIONS
    if not 0 < limit <= MAX_ANNOTATIONS:
        raise bad_field("annotations_limit", f"Must be from 1 to {MAX_ANNOTATIONS}.")
    wanted = _annotation_test(request)
    rows, token = _page(cloud, dataset, request, schema, request.get("dataItemFilter", ""))
    views = []
    for item in rows:
        of_item = [one for one in _annotations(cloud, item) if wanted(one)][:limit]
        views.append(
            {
                "dataItem": resources.public(item),
                **({"annotations": [resources.public(one) for one in of_item]} if of_item else {}),
            }
        )
    return _answer("dataItemViews", views, token)


def _annotation_test(request: Body) -> Test:
    """Whether an annotation is one of those that the request wants to see."""
    by_spec = {"annotation_spec_id": _of_spec}
    schema = ListSchema("searchAnnotations", relations=by_spec)
    texts = [request.get("annotationsFilter", ""), *request.get("annotationFilters", [])]
    texts = [text for text in texts if text]
    tests = [filters.compiled(text, schema) for text in texts]
    return lambda body: not tests or any(test(body) for test in tests)


def _of_spec(spec: str) -> Test:
    return lambda body: bool(body["payload"]["annotationSpecId"] == spec)


def _has_annotation(cloud: Cloud, dataset: str, arguments: list[str]) -> Test:
    """The test `has_annotation(ANNOTATION_SPEC_ID)`."""
    if len(arguments) != 1:
        raise bad_field("filter", "Invalid filter: has_annotation takes one annotation spec id.")
    query = (
        "SELECT 1 FROM annotations a JOIN annotation_specs s ON s.seq = a.spec"
        " WHERE a.item = ? AND s.dataset = ? AND s.id = ?"
    )
    return lambda body: _is_one(cloud, query, body[listing.PLACE], dataset, arguments[0])


def _labeled(cloud: Cloud, value: str) -> Test:
    """The test `labeled=true`."""
    if value.lower() not in ("true", "false"):
        raise bad_field("filter", f"Invalid filter: invalid value '{value}' for field 'labeled'.")
    query = "SELECT 1 FROM annotations WHERE item = ?"
    wanted = value.lower() == "true"
    return lambda body: _is_one(cloud, query, body[listing.PLACE]) is wanted


def _is_one(cloud: Cloud, query: str, *values: Any) -> bool:
    with cloud.store.read() as db:
        return db.execute(query + " LIMIT 1", values).fetchone() is not None


def list_annotations(cloud: Cloud, request: Body) -> Body:
    """ListAnnotations of one data item."""
    parent = request["parent"]
    dataset = _require_dataset(cloud, names.parent(parent))
    with cloud.store.read() as db:
        row = db.execute(
            f"SELECT {_COLUMNS} FROM data_items WHERE dataset = ? AND id = ?",
            (dataset, names.last(parent)),
        ).fetchone()
    if row is None:
        raise ApiError("NOT_FOUND", f'dataItem "{parent}" not found')
    return listing.page("annotations", _annotations(cloud, _item(dataset, row)), request)


def _annotations(cloud: Cloud, item: Body) -> list[Body]:
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT a.id, s.id, s.display_name, a.labels, a.created FROM annotations a"
            " JOIN annotation_specs s ON s.seq = a.spec WHERE a.item = ? ORDER BY a.seq",
            (item[listing.PLACE],),
        ).fetchall()
    return [
        {
            listing.PLACE: f"{place:06d}",
            **annotation(item["name"], row[0], (row[1], row[2]), row[3], row[4]),
        }
        for place, row in enumerate(rows)
    ]


def get_annotation_spec(cloud: Cloud, request: Body) -> Body:
    """GetAnnotationSpec."""
    name = request["name"]
    dataset = _require_dataset(cloud, names.parent(name))
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT display_name, created FROM annotation_specs WHERE dataset = ? AND id = ?",
            (dataset, names.last(name)),
        ).fetchone()
    if row is None:
        raise ApiError("NOT_FOUND", f'annotationSpec "{name}" not found')
    return {"name": name, "displayName": row[0], "createTime": row[1], "updateTime": row[1]}
