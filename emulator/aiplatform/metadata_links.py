"""What is in a context, which contexts are in others, and who asks for it in a filter."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from emulator.aiplatform import names
from emulator.aiplatform.filters import Test
from emulator.aiplatform.metadata_nouns import ARTIFACT, CONTEXT, EXECUTION, NODES, store_of
from emulator.aiplatform.nouns import Noun
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud

Body = dict[str, Any]
# "A Context may have at most 10 parent_contexts" (Context).
MAX_PARENTS = 10
_FORGET = (
    ("metadata_members", "context"),
    ("metadata_members", "member"),
    ("metadata_children", "parent"),
    ("metadata_children", "child"),
    ("metadata_events", "execution"),
    ("metadata_events", "artifact"),
)


def require_node(cloud: Cloud, noun: Noun, name: str, store: str) -> str:
    """The name of a node that is there, in that store. INVALID_ARGUMENT for another store's."""
    if store_of(name) != store or NODES.get(name.rsplit("/", 2)[-2]) is not noun:
        raise bad_field(noun.collection, f"{name} is no {noun.title} of {store}.")
    noun.require(cloud, name)
    return name


def add_members(cloud: Cloud, request: Body) -> Body:
    """AddContextArtifactsAndExecutions; what is there already is skipped."""
    context = request["context"]
    with cloud.store.transaction() as db:
        CONTEXT.require(cloud, context)
        store = store_of(context)
        for noun in (ARTIFACT, EXECUTION):
            for name in request.get(noun.collection, []):
                require_node(cloud, noun, name, store)
                db.execute("INSERT OR IGNORE INTO metadata_members VALUES (?, ?)", (context, name))
    return {}


def add_children(cloud: Cloud, request: Body) -> Body:
    """AddContextChildren. INVALID_ARGUMENT for a cycle, and for an eleventh parent."""
    context = request["context"]
    with cloud.store.transaction() as db:
        CONTEXT.require(cloud, context)
        above = _ancestors(db, context)
        for child in request.get("childContexts", []):
            require_node(cloud, CONTEXT, child, store_of(context))
            if child in above:
                message = f"{child} contains {context}: contexts must not form a cycle."
                raise bad_field("child_contexts", message)
            db.execute("INSERT OR IGNORE INTO metadata_children VALUES (?, ?)", (context, child))
            if len(_parents(db, child)) > MAX_PARENTS:
                message = f"{child} would have more than {MAX_PARENTS} parents."
                raise bad_field("child_contexts", message)
    return {}


def _ancestors(db: sqlite3.Connection, context: str) -> set[str]:
    found, waiting = {context}, [context]
    while waiting:
        new = set(_parents(db, waiting.pop())) - found
        found |= new
        waiting += new
    return found


def _parents(db: sqlite3.Connection, context: str) -> list[str]:
    rows = db.execute(
        "SELECT parent FROM metadata_children WHERE child = ? ORDER BY parent", (context,)
    )
    return [row[0] for row in rows]


def remove_children(cloud: Cloud, request: Body) -> Body:
    """RemoveContextChildren; those that are no children are skipped."""
    context = request["context"]
    with cloud.store.transaction() as db:
        CONTEXT.require(cloud, context)
        for child in request.get("childContexts", []):
            db.execute(
                "DELETE FROM metadata_children WHERE parent = ? AND child = ?", (context, child)
            )
    return {}


def parents(cloud: Cloud, contexts: list[str]) -> dict[str, list[str]]:
    """The parents of contexts, by context; without those that have none."""
    with cloud.store.read() as db:
        found = {name: _parents(db, name) for name in contexts}
    return {name: above for name, above in found.items() if above}


def members(cloud: Cloud, context: str) -> set[str]:
    """Names of the artifacts and executions of a context."""
    with cloud.store.read() as db:
        rows = db.execute("SELECT member FROM metadata_members WHERE context = ?", (context,))
        return {row[0] for row in rows}


def in_context(cloud: Cloud, arguments: list[str]) -> Test:
    """The test `in_context("…")`."""
    if len(arguments) != 1:
        raise bad_field("filter", "Invalid filter: in_context takes the name of one context.")
    inside = members(cloud, names.canonical(cloud, arguments[0]))
    return lambda body: body["name"] in inside


def with_parent(cloud: Cloud, context: str) -> Test:
    """The test `parent_contexts:"…"`; `*` for any."""
    if context == "*":
        return lambda body: bool(body.get("parentContexts"))
    wanted = names.canonical(cloud, context)
    return lambda body: wanted in _above(body)


def _above(body: Mapping[str, Any]) -> list[str]:
    found: list[str] = body.get("parentContexts", [])
    return found


def with_child(cloud: Cloud, context: str) -> Test:
    """The test `child_contexts:"…"`."""
    with cloud.store.read() as db:
        above = set(_parents(db, names.canonical(cloud, context)))
    return lambda body: body["name"] in above


def forget(cloud: Cloud, name: str) -> None:
    """Removes every link of a node."""
    with cloud.store.transaction() as db:
        for table, column in _FORGET:
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))


HANDLERS = {
    "AddContextArtifactsAndExecutions": add_members,
    "AddContextChildren": add_children,
    "RemoveContextChildren": remove_children,
}
