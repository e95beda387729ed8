"""Kinds of resources that are created, read, listed, changed and deleted alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from emulator.aiplatform import listing, masks, names, resources
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
Handler = Callable[[Cloud, Body], Body]


@dataclass(frozen=True)
class Noun:
    """One kind: its message, collection, list key, request field, and what clients may set."""

    title: str
    collection: str
    key: str
    field: str
    settable: tuple[str, ...]
    mutable: tuple[str, ...]
    id_pattern: re.Pattern[str]

    @property
    def kind(self) -> str:
        """The kind of its rows."""
        return f"aiplatform.{self.title}"

    @property
    def shown(self) -> str:
        """As messages call it: metadataStore, tensorboard."""
        return self.title[0].lower() + self.title[1:]

    def check_name(self, name: str) -> None:
        """Raises INVALID_ARGUMENT in the recorded words for an id that cannot be one."""
        names.location(name)
        if not self.id_pattern.fullmatch(names.last(name)):
            raise bad_field("name", f"Invalid {self.title} resource name.")

    def require(self, cloud: Cloud, name: str) -> Body:
        """The stored resource. INVALID_ARGUMENT for a bad name, NOT_FOUND for a missing one."""
        self.check_name(name)
        body = cloud.resources.get(name)
        if body is None:
            raise ApiError("NOT_FOUND", f'{self.shown} "{name}" not found')
        return body

    def add(self, cloud: Cloud, parent: str, last: str, sent: Body, **more: Any) -> Body:
        """The resource, stored; ALREADY_EXISTS when its id is taken."""
        if not self.id_pattern.fullmatch(last):
            field = f"{masks.snake(self.field)}_id"
            raise bad_field(field, f"Must match {self.id_pattern.pattern}. Received: '{last}'.")
        resources.require_label_form(masks.snake(self.field), sent.get("labels", {}))
        name = f"{parent}/{self.collection}/{last}"
        kept = {key: sent[key] for key in self.settable if key in sent}
        body = resources.created(cloud, {**kept, **more, "name": name})
        with cloud.store.transaction():
            if cloud.resources.get(name) is not None:
                raise ApiError("ALREADY_EXISTS", f'{self.shown} "{name}" already exists')
            cloud.resources.insert(self.kind, name, body, parent)
        return body

    def rows(self, cloud: Cloud, parent: str) -> list[Body]:
        """All of a parent, oldest first."""
        return resources.children(cloud, self.kind, parent)

    def page(self, rows: Iterable[Body], request: Body, schema: ListSchema | None = None) -> Body:
        """The answer to its list method."""
        return listing.page(self.key, rows, request, schema)

    def update(self, cloud: Cloud, request: Body) -> Body:
        """The resource after its update method."""
        sent = request[self.field]
        self.require(cloud, sent["name"])
        resources.require_label_form(masks.snake(self.field), sent.get("labels", {}))
        mask = request.get("updateMask", "")
        return resources.patch(cloud, self.shown, sent, mask, self.mutable)


def delete_tree(cloud: Cloud, name: str) -> None:
    """Removes a resource and every one whose name is under it; for the inside of a transaction."""
    with cloud.store.transaction() as db:
        db.execute("DELETE FROM resources WHERE name > ? AND name < ?", (f"{name}/", f"{name}0"))
    cloud.resources.delete(name)
