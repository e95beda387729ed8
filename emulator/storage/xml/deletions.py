"""Many objects of the XML API deleted by one request, each judged for itself.

https://cloud.google.com/storage/docs/xml-api/post-bucket.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from xml.etree.ElementTree import Element

from emulator.errors import ApiError
from emulator.storage import buckets
from emulator.storage.errors import StorageError, from_api_error
from emulator.storage.http import Reply
from emulator.storage.xml.documents import document, element, malformed, parsed, text, value
from emulator.storage.xml.errors import from_storage
from emulator.storage.xml.request import XmlRequest

# "up to 1,000 objects from a bucket in a single request" (the same page, as of 2026-11).
MOST_OBJECTS = 1000


async def delete_objects(request: XmlRequest) -> Reply:
    """`POST /BUCKET?delete`: what became of every object that the body lists, in its order.

    400 MalformedXML for a body of another form or with more than 1,000 objects: nothing is gone.
    """
    tree = parsed(await request.call.body(), "Delete")
    wanted = _wanted(tree)
    quiet = _quiet(tree)
    with request.cloud.store.read() as db:
        buckets.require(db, request.bucket)
    results = []
    for name, generation in wanted:
        error = await _deleted(request, name, generation)
        if error is not None:
            results.append(_refusal(error, name, generation))
        elif not quiet:
            results.append(element("Deleted", _named(name, generation)))
        await asyncio.sleep(0)  # others are answered between two objects
    return document("DeleteResult", *results)


def _wanted(tree: Element) -> list[tuple[str, str]]:
    if any(part.tag not in ("Object", "Quiet") for part in tree):
        raise malformed("A Delete has elements Object and Quiet.")
    found = []
    for item in tree.findall("Object"):
        # an element that is not understood would delete more than was meant
        if any(part.tag not in ("Key", "VersionId") for part in item):
            raise malformed("An Object has a Key and may have a VersionId.")
        name = item.findtext("Key") or ""
        if not name:
            raise malformed("An Object has a Key.")
        found.append((name, value(item, "VersionId")))
    if not 1 <= len(found) <= MOST_OBJECTS:
        raise malformed(f"A Delete has 1 to {MOST_OBJECTS} objects, this one {len(found)}.")
    return found


def _quiet(tree: Element) -> bool:
    said = value(tree, "Quiet", "false").lower()
    if said not in ("true", "false"):
        raise malformed(f"Quiet is True or False. Received: '{said[:40]}'.")
    return said == "true"


async def _deleted(request: XmlRequest, name: str, generation: str) -> StorageError | None:
    """Deletes one object, or one generation of it, by the JSON API's rules; or why not."""
    query = {"generation": generation} if generation else {}
    if payer := request.header("x-goog-user-project"):
        query["userProject"] = payer
    try:
        await request.reply("DELETE", replace(request, name=name).object_path, query)
    except StorageError as error:
        return error
    except ApiError as error:
        return from_api_error(error)
    return None


def _refusal(error: StorageError, name: str, generation: str) -> str:
    said = from_storage(error)
    message = said.details or said.message
    return element(
        "Error", text("Code", said.name), _named(name, generation), text("Message", message)
    )


def _named(name: str, generation: str) -> str:
    return text("Key", name) + (text("VersionId", generation) if generation else "")
