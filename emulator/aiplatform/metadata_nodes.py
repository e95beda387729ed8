"""Contexts, executions and artifacts of a metadata store: made, found, changed, purged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from emulator.aiplatform import filters, listing, masks, metadata_links, names, resources
from emulator.aiplatform import metadata_schemas as schemas
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.metadata_nouns import (
    ARTIFACT,
    CONTEXT,
    EXECUTION,
    chosen_id,
    require_store,
)
from emulator.aiplatform.nouns import Handler, Noun
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# "The size of this field should not exceed 200KB" (Artifact.metadata).
MAX_METADATA_BYTES = 200 * 1024
# PurgeContextsResponse.purge_sample: "The maximum number of samples is 100".
MAX_SAMPLE = 100


def _type(noun: Noun) -> str:
    return f"{noun.title.upper()}_TYPE"


def _checked(noun: Noun, sent: Body) -> Body:
    """What is sent, the blanks around top-level keys of its metadata trimmed."""
    metadata = sent.get("metadata")
    if metadata is None:
        return sent
    if len(json.dumps(metadata)) > MAX_METADATA_BYTES:
        raise bad_field(f"{noun.field}.metadata", "The metadata must not exceed 200KB.")
    return {**sent, "metadata": {key.strip(): value for key, value in metadata.items()}}


def create(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """The new context, execution or artifact; its schema is one of the store's."""
    store = require_store(cloud, request["parent"])
    sent = schemas.check(cloud, store, request.get(noun.field, {}), _type(noun))
    return noun.add(cloud, store["name"], chosen_id(request, noun.field), _checked(noun, sent))


def _shown(cloud: Cloud, noun: Noun, rows: Iterable[Body]) -> list[Body]:
    if noun is not CONTEXT:
        return list(rows)
    found = list(rows)
    parents = metadata_links.parents(cloud, [row["name"] for row in found])
    return [
        {**row, "parentContexts": parents[row["name"]]} if row["name"] in parents else row
        for row in found
    ]


def get(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """One of them."""
    return _shown(cloud, noun, [noun.require(cloud, request["name"])])[0]


def _schema(cloud: Cloud, noun: Noun) -> ListSchema:
    """The filter language of a kind: `in_context(…)`, or `parent_contexts:` and its sibling."""
    if noun is CONTEXT:
        relations = {
            "parent_contexts": partial(metadata_links.with_parent, cloud),
            "child_contexts": partial(metadata_links.with_child, cloud),
        }
        return ListSchema(noun.key, relations=relations)
    return ListSchema(noun.key, functions={"in_context": partial(metadata_links.in_context, cloud)})


def rows(cloud: Cloud, noun: Noun, store: str) -> list[Body]:
    """All of a store, as they are answered."""
    return _shown(cloud, noun, noun.rows(cloud, store))


def list_all(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """One page of a store's."""
    store = require_store(cloud, request["parent"])
    found = rows(cloud, noun, store["name"])
    return listing.page(noun.key, found, request, _schema(cloud, noun))


def update(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """The changed one: by its mask, or without one every field that was sent.

    With `allowMissing` it is made where there is none.
    """
    sent = _checked(noun, request[noun.field])
    name = sent["name"]
    with cloud.store.transaction():
        if request.get("allowMissing") and cloud.resources.get(name) is None:
            parent, last = names.parent(name), names.last(name)
            made = {"parent": parent, noun.field: sent, f"{noun.field}Id": last}
            return create(cloud, noun, made)
        noun.require(cloud, name)
        mask = request.get("updateMask") or ",".join(
            masks.snake(field) for field in noun.mutable if field in sent
        )
        resources.require_label_form(noun.field, sent.get("labels", {}))
        changed = resources.patch(cloud, noun.shown, sent, mask or "*", noun.mutable)
    return _shown(cloud, noun, [changed])[0]


def delete(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """An operation that is done. FAILED_PRECONDITION for an etag that is not the present one."""
    name = request["name"]
    with cloud.store.transaction():
        body = noun.require(cloud, name)
        etag = request.get("etag")
        if etag and etag != body["etag"]:
            message = f"Etag mismatch on {noun.shown} {name}."
            raise ApiError("FAILED_PRECONDITION", message)
        _remove(cloud, name)
        metadata = resources.typed("DeleteOperationMetadata", {})
        return cloud.operations.done(names.parent(name), metadata, resources.EMPTY)


def _remove(cloud: Cloud, name: str) -> None:
    metadata_links.forget(cloud, name)
    cloud.resources.delete(name)


def purge(cloud: Cloud, noun: Noun, request: Body) -> Body:
    """Those that match a filter, deleted with `force`, else counted with a sample."""
    store = require_store(cloud, request["parent"])
    resources.require_fields("", request, ("filter",))
    passes = filters.compiled(request["filter"], _schema(cloud, noun))
    with cloud.store.transaction():
        found = [row["name"] for row in rows(cloud, noun, store["name"]) if passes(row)]
        answer: Body = {"purgeCount": str(len(found))}
        if request.get("force"):
            for name in found:
                _remove(cloud, name)
        elif found:
            answer["purgeSample"] = found[:MAX_SAMPLE]
        title = noun.title + "s"
        metadata = resources.typed(f"Purge{title}Metadata", {})
        response = resources.typed(f"Purge{title}Response", answer)
        return cloud.operations.done(store["name"], metadata, response)


def _bound(rule: Callable[[Cloud, Noun, Body], Body], noun: Noun) -> Handler:
    return lambda cloud, request: rule(cloud, noun, request)


_RULES = {
    "Create{}": create,
    "Get{}": get,
    "List{}s": list_all,
    "Update{}": update,
    "Delete{}": delete,
    "Purge{}s": purge,
}
HANDLERS = {
    name.format(noun.title): _bound(rule, noun)
    for name, rule in _RULES.items()
    for noun in (CONTEXT, EXECUTION, ARTIFACT)
}
